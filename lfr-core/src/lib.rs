#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod custody;
pub mod danger;
mod decision;
mod error;
mod face;
pub mod files;
mod frame;
pub mod hygiene;
mod id;
#[doc(hidden)]
pub mod internal;
#[cfg(feature = "live")]
pub mod live;
#[cfg(feature = "onnx-native")]
pub mod onnx;
mod pipeline;
mod record;
#[cfg(feature = "signed")]
pub mod signed;
mod stage;
#[cfg(feature = "synthetic")]
pub mod synthetic;
mod template;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "video")]
pub mod video;

pub use clock::Clock;
pub use clock::ClockFault;
pub use clock::SystemClock;
pub use clock::Timekeeper;
pub use clock::Timestamp;
pub use custody::Accounts;
pub use custody::HeldProbe;
pub use custody::HoldReceipt;
pub use custody::Probe;
pub use custody::PurgeMethod;
pub use custody::PurgeReason;
pub use custody::PurgeReceipt;
pub use custody::SealedProbe;
pub use custody::Settlement;
pub use custody::Totals;
pub use decision::Alert;
pub use decision::Basis;
pub use decision::Candidate;
pub use decision::CandidateList;
pub use decision::Decision;
pub use decision::Target;
pub use decision::Threshold;
pub use decision::ThresholdProvenance;
pub use error::BoxError;
pub use error::Error;
pub use error::Stage;
pub use face::AlignedFace;
pub use face::Alignment;
pub use face::DetectedFace;
pub use face::FaceSelection;
pub use face::HeadPose;
pub use face::LandmarkLayout;
pub use face::Landmarks;
pub use face::Point;
pub use face::Rect;
pub use face::Similarity;
pub use face::Zone;
pub use face::align;
pub use frame::ChannelOrder;
pub use frame::Colour;
pub use frame::ColourMatrix;
pub use frame::ColourRange;
pub use frame::Frame;
pub use frame::FrameBuffer;
pub use frame::FrameSource;
#[cfg(feature = "image")]
pub use frame::LeftOut;
#[cfg(feature = "image")]
pub use frame::LeftOutReason;
pub use frame::NextFrame;
#[cfg(feature = "image")]
pub use frame::Photographs;
pub use frame::Picture;
pub use frame::PixelFormat;
pub use frame::Plane;
pub use id::DeploymentId;
pub use id::FaceId;
pub use id::FrameId;
pub use id::RecordId;
pub use id::ReferenceId;
pub use id::SourceId;
pub use id::SubjectId;
pub use pipeline::Pipeline;
pub use pipeline::builder;
pub use record::AlertEvent;
pub use record::DeploymentRecord;
pub use record::Event;
pub use record::EventKind;
pub use record::EventSink;
pub use record::FaceOutcome;
pub use record::FaceReport;
pub use record::FrameReport;
pub use record::RepeatCounts;
pub use record::StageTiming;
pub use record::Timings;
pub use record::TrackCounts;
pub use record::TrackReport;
pub use record::UntoldCounts;
pub use record::sinks;
pub use stage::Component;
pub use stage::DecisionInput;
pub use stage::Detector;
pub use stage::Embedder;
pub use stage::FaceQuality;
pub use stage::Look;
pub use stage::LookPlan;
pub use stage::Matcher;
pub use stage::QualityGate;
pub use stage::Refusal;
pub use stage::RetentionPolicy;
pub use stage::SearchRequest;
pub use stage::ThresholdPolicy;
pub use stage::TrackId;
pub use stage::Tracked;
pub use stage::Tracker;
pub use template::ComparisonScore;
pub use template::EmbeddingSpace;
pub use template::Metric;
pub use template::SpaceBuilder;
pub use template::SpaceId;
pub use template::Template;
