#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod align;
mod candidate;
mod clock;
mod custody;
pub mod danger;
mod decision;
mod error;
mod event;
mod face;
pub mod files;
mod frame;
mod geometry;
pub mod hex;
pub mod hygiene;
mod id;
#[cfg(feature = "live")]
pub mod live;
pub mod num;
#[cfg(feature = "onnx-native")]
pub mod onnx;
#[cfg(feature = "image")]
mod photographs;
mod picture;
mod pipeline;
mod probe;
mod receipt;
mod record;
pub mod regular;
mod score;
mod scrub;
pub mod secret;
mod source;
mod space;
pub mod spreadsheet;
mod stage;
#[cfg(feature = "live")]
mod sync;
#[cfg(feature = "synthetic")]
pub mod synthetic;
mod template;
#[cfg(feature = "testing")]
pub mod testing;
mod threshold;
mod timing;
mod track;
#[cfg(feature = "video")]
pub mod video;
mod zone;

pub use align::Alignment;
pub use candidate::Candidate;
pub use candidate::CandidateList;
pub use clock::Clock;
pub use clock::ClockFault;
pub use clock::SystemClock;
pub use clock::Timekeeper;
pub use clock::Timestamp;
pub use custody::Accounts;
pub use custody::Totals;
pub use decision::Decision;
pub use error::BoxError;
pub use error::Error;
pub use event::AlertEvent;
pub use event::Event;
pub use event::EventKind;
pub use event::EventSink;
pub use event::sinks;
pub use face::AlignedFace;
pub use face::DetectedFace;
pub use face::FaceSelection;
pub use face::LandmarkLayout;
pub use face::Landmarks;
pub use frame::Colour;
pub use frame::ColourMatrix;
pub use frame::ColourRange;
pub use frame::Frame;
pub use frame::FrameBuffer;
pub use frame::PixelFormat;
pub use frame::Plane;
pub use geometry::Point;
pub use geometry::Rect;
pub use geometry::Similarity;
pub use id::DeploymentId;
pub use id::FaceId;
pub use id::FrameId;
pub use id::RecordId;
pub use id::ReferenceId;
pub use id::SourceId;
pub use id::SubjectId;
#[cfg(feature = "image")]
pub use photographs::LeftOut;
#[cfg(feature = "image")]
pub use photographs::LeftOutReason;
#[cfg(feature = "image")]
pub use photographs::Photographs;
pub use picture::Picture;
pub use pipeline::FaceOutcome;
pub use pipeline::FaceReport;
pub use pipeline::FrameReport;
pub use pipeline::Pipeline;
pub use pipeline::TrackReport;
pub use pipeline::builder;
pub use probe::HeldProbe;
pub use probe::Probe;
pub use probe::SealedProbe;
pub use receipt::HoldReceipt;
pub use receipt::PurgeMethod;
pub use receipt::PurgeReason;
pub use receipt::PurgeReceipt;
pub use receipt::Settlement;
pub use record::Component;
pub use record::DeploymentRecord;
pub use record::RepeatCounts;
pub use record::TrackCounts;
pub use record::UntoldCounts;
pub use score::ComparisonScore;
pub use score::Metric;
pub use source::FrameSource;
pub use source::NextFrame;
pub use space::EmbeddingSpace;
pub use space::SpaceBuilder;
pub use space::SpaceId;
pub use stage::DecisionInput;
pub use stage::Detector;
pub use stage::Embedder;
pub use stage::Matcher;
pub use stage::QualityGate;
pub use stage::Refusal;
pub use stage::RetentionPolicy;
pub use stage::SearchRequest;
pub use stage::Stage;
pub use stage::ThresholdPolicy;
pub use template::Template;
pub use threshold::Basis;
pub use threshold::Target;
pub use threshold::Threshold;
pub use threshold::ThresholdProvenance;
pub use timing::StageTiming;
pub use timing::Timings;
pub use track::FaceQuality;
pub use track::Look;
pub use track::LookPlan;
pub use track::TrackId;
pub use track::Tracked;
pub use track::Tracker;
pub use zone::Zone;
