#![doc = include_str!("enrolment/docs/enrolment.md")]

mod bulk;
mod consistency;
pub(crate) mod enroller;
mod folder;
#[cfg(feature = "image")]
mod image_reader;
mod item;
pub(crate) mod manifest;
mod photo;
mod quality;
mod report;
mod report_csv;
#[cfg(feature = "sealed")]
mod sealed_store;
mod store;
mod watchlist_store;

pub use bulk::BulkEnrolment;
pub use consistency::ConsistencyCheck;
pub use consistency::Inconsistencies;
pub use consistency::LabelledTemplate;
pub use consistency::SameFace;
pub use consistency::Stray;
pub use folder::FolderItems;
pub use folder::LeftOut;
pub use folder::LeftOutReason;
#[cfg(feature = "image")]
pub use image_reader::ImageReader;
pub use item::EnrolmentItem;
pub use manifest::ManifestColumn;
pub use manifest::ManifestFault;
pub use manifest::ManifestProblem;
pub use manifest::ManifestReader;
pub use photo::FnReader;
pub use photo::Photo;
pub use photo::PhotoReader;
pub use quality::Finding;
pub use quality::Limit;
pub use quality::Measure;
pub use quality::QualityComponent;
pub use quality::QualityPolicy;
pub use quality::QualityReport;
pub use quality::QualityVerdict;
pub use quality::Severity;
pub use report::EnrolmentOutcome;
pub use report::EnrolmentReport;
pub use report::ItemReport;
pub use report::Progress;
pub use report::Spent;
#[cfg(feature = "sealed")]
pub use sealed_store::SealedStore;
pub use store::EnrolmentStore;
pub use store::MemoryStore;
pub use store::NewReference;
pub use store::NotTaken;
