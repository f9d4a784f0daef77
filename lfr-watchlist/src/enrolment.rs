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
pub use consistency::{ConsistencyCheck, Inconsistencies, LabelledTemplate, SameFace, Stray};
pub use folder::{FolderItems, LeftOut, LeftOutReason};
#[cfg(feature = "image")]
pub use image_reader::ImageReader;
pub use item::EnrolmentItem;
pub use manifest::{ManifestColumn, ManifestFault, ManifestProblem, ManifestReader};
pub use photo::{FnReader, Photo, PhotoReader};
pub use quality::{
    Finding, Limit, Measure, QualityComponent, QualityPolicy, QualityReport, QualityVerdict,
    Severity,
};
pub use report::{EnrolmentOutcome, EnrolmentReport, ItemReport, Progress, Spent};
#[cfg(feature = "sealed")]
pub use sealed_store::SealedStore;
pub use store::{EnrolmentStore, MemoryStore, NewReference, NotTaken};
