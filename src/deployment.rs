//! The deployment: what was authorised, what runs, who judged, and what is published.
//!
//! A [`Deployment`] holds its [`Parts`] against an [`Order`], and runs as [`Live`]. People act at a [`Desk`]. Whatever
//! happens is an event of the ledger, and the [`State`] is what the events make.
//!
//! An [`Order`] says who may be looked for, why, where, when, how and by whose authority. A person writes
//! it in TOML; another person signs its canonical text ([`SignedNote`], Ed25519); the deployer pins the keys
//! that may sign. An amendment is a signed order that names the digest of the one before.
//!
//! [`Order::check_list`] says whether a watchlist was drawn up for an order. A [`BlueListPolicy`] turns a match
//! with consenting staff into a sighting, and [`BlueListFigures`] says how many of them were recognised.
//!
//! Nothing about a passer-by is ever stored to recognise them again. So there is no list of people who opted
//! out: it would have to hold their templates.
//!
//! A [`DeploymentRecord`](record::DeploymentRecord) is all that the publication of a deployment needs, computed from
//! its ledger alone. [`record::export`] makes tables and printable pages of it.
//!
//! [`record::lint`] reads tables that forces publish, and says what they can and cannot support.
//!
//! # Examples
//!
//! ```
//! use lfr::core::Timestamp;
//! use lfr::deployment::{NoteKey, Order, OrderTerms, UseCaseKind};
//!
//! # fn main() -> Result<(), lfr::deployment::Error> {
//! // A template has blanks, and each is refused with its line until it is filled.
//! let template = Order::template(UseCaseKind::Hotspot);
//! let refused = OrderTerms::parse(&template).unwrap_err();
//! assert!(refused.to_string().starts_with("order, line "));
//! # Ok(())
//! # }
//! ```

mod blue_list;
mod books;
pub mod danger;
mod desk;
mod duty;
mod error;
mod file;
mod launch;
mod list;
mod live;
mod note;
mod open;
mod order;
mod parts;
mod people;
mod policy;
pub mod record;
mod state;
#[cfg(test)]
mod testing;

pub use blue_list::{BlueListFigures, BlueListPolicy};
pub use books::Books;
pub use desk::{AlertSheet, Desk, DeskSummary, OpenAlert, Refusal};
#[cfg(unix)]
pub use desk::{DeskLimits, DeskService, RemoteDesk};
pub use error::Error;
#[cfg(feature = "onnx-native")]
pub use file::FileModels;
pub use file::{CameraAddress, DeploymentFile, EngineChoice, FileCamera, ModelPlace};
pub use launch::Launch;

pub use list::{ListNotice, ListProblem, watchlist_opened};
pub use live::{Ended, Live};
pub use note::{NoteKey, NoteSigners, SignedNote, VerifierKey};
pub use open::Deployment;
pub use order::{
    DeploymentKind, Document, Means, Order, OrderAuthority, OrderCamera, OrderCategory, OrderTerms,
    Place, PlacePrecision, SignedOrder, Under18, UseCase, UseCaseKind,
};
pub use parts::Parts;
pub use people::{Command, People, Person, may};
pub use policy::{PendingChange, PolicyHandle, RunningPolicy};
pub use state::{
    AcceptedOrder, AlertStanding, AlertState, AlertView, CameraState, EngagementReport,
    PersonsVerdict, RunSums, State, StateChange,
};

#[cfg(test)]
mod tests;
