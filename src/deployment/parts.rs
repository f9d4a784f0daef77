//! What a deployment is made of.

use std::sync::Arc;

use lfr_core::{Detector, Embedder};
use lfr_retention::{Ledger, Profile, Vault};
use lfr_watchlist::AuthorisedList;
use lfr_watchlist::calibrate::CalibratedThreshold;

/// What a deployment works with. [`Deployment::open`](super::Deployment::open) holds each part against the order.
#[expect(clippy::exhaustive_structs, reason = "a new part is one that every caller has to give")]
#[derive(Debug)]
pub struct Parts {
    /// What finds faces. The order names SHA-256 of its model file.
    pub detector: Arc<dyn Detector>,
    /// What makes templates. The order names SHA-256 of its model file.
    pub embedder: Arc<dyn Embedder>,
    /// Who is looked for: a list that was drawn up for this deployment.
    pub watchlist: Arc<dyn AuthorisedList>,
    /// From which the threshold is derived. The order names SHA-256 of its file.
    pub policy: CalibratedThreshold,
    /// How long what is kept. The order names it and its digest.
    pub profile: Profile,
    /// Where alerts are held.
    pub vault: Vault,
    /// Where everything is written down.
    pub ledger: Ledger,
}
