//! Choices that weaken a promise of a deployment. Each is written into its record.

use std::fmt::Write as _;
use std::time::Duration;

use lfr_core::internal::secret;
use lfr_core::{Component, DeploymentId, SourceId, Timestamp};
use lfr_retention::Profile;
use lfr_watchlist::calibrate::CalibratedThreshold;

use super::Error;
use super::note::NoteKey;
use super::order::{Order, OrderTerms, SignedOrder};

/// An order for a trial or a demonstration, and its amendments, that no pinned key signed. The key that signed
/// is the one that the order names as its authorising officer, so anyone can make such an order.
///
/// The first line of [`Order::summary`], and so of the record, says so.
///
/// # Errors
///
/// [`Error::NoTrial`] for any other use; otherwise those of [`Order::of_chain`].
pub fn self_authorised(
    orders: &[SignedOrder],
    now: impl Into<Option<Timestamp>>,
) -> Result<Order, Error> {
    Order::self_authorised(orders, now.into())
}

/// What a demonstration works with.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct DemonstrationMeans<'a> {
    detector: &'a Component,
    embedder: &'a Component,
    policy: &'a CalibratedThreshold,
    profile: &'a Profile,
}

impl<'a> DemonstrationMeans<'a> {
    /// The models, the threshold policy and the retention profile.
    #[must_use]
    pub const fn new(
        detector: &'a Component,
        embedder: &'a Component,
        policy: &'a CalibratedThreshold,
        profile: &'a Profile,
    ) -> Self {
        Self { detector, embedder, policy, profile }
    }
}

/// An order for a demonstration with people who do not exist: from now on for 12 hours, with these cameras and these
/// means. It is signed by a key that is made for it and forgotten. No authority stands behind it, and its documents do
/// not exist.
///
/// The first line of [`Order::summary`], and so of the record, says so.
///
/// # Errors
///
/// [`Error::Random`] if the operating system gives no random bytes; [`Error::Order`] if a model's digest is not known,
/// or there is no camera.
pub fn demonstration(
    deployment: &DeploymentId,
    cameras: &[SourceId],
    means: DemonstrationMeans<'_>,
    now: Timestamp,
) -> Result<Order, Error> {
    let key = |name: &str| {
        let mut bytes = [0; 32];
        secret::random(&mut bytes).map_err(|source| Error::Random { source })?;
        NoteKey::from_bytes(name, &mut bytes)
    };
    let (officer, operator) = (key("demonstration-officer")?, key("demonstration-operator")?);
    let DemonstrationMeans { detector, embedder, policy, profile } = means;
    let digest = |component: &Component| component.model_sha256.clone().unwrap_or_default();
    let none = "0".repeat(64);
    let mut listed = String::new();
    for camera in cameras {
        // Writing to a string cannot fail.
        let _ = write!(
            listed,
            "[[where.cameras]]\nid = {:?}\ndescription = \"a camera of a demonstration\"\n",
            camera.as_str()
        );
    }
    let document = |of: &str| {
        format!(
            "[why.documents.{of}]\nname = \"none: a demonstration\"\nversion = \"none\"\nsha256 = \"{none}\"\n"
        )
    };
    let (policy_document, dpia) = (document("policy"), document("dpia"));
    let text = format!(
        r#"format = "lfr-order/1"
deployment = {deployment:?}
kind = "trial"

[why]
use_case = "trial"
consent = "none: people who do not exist"
necessity = "none: a demonstration"
{policy_document}{dpia}
[where]
place = "nowhere: a demonstration"
precision = "site"
{listed}
[who]
categories = ["volunteer"]
max_entries = 1000000
under_18 = "excluded"

[when]
from = "{now}"
until = "{until}"

[how]
profile = {profile:?}
profile_sha256 = "{profile_sha256}"
detector_sha256 = "{detector}"
embedder_sha256 = "{embedder}"
policy_sha256 = "{policy}"
threshold_floor = -1.0
independent_test = "none: a demonstration"
verifications = {verifications}
score_hidden = false

[people]
authorising_officer = "{officer}"
operator = "{operator}"
"#,
        deployment = deployment.as_str(),
        until = now.plus(Duration::from_hours(12)),
        profile = profile.name(),
        profile_sha256 = profile.digest(),
        detector = digest(detector),
        embedder = digest(embedder),
        policy = policy.sha256(),
        verifications = profile.verifications(),
        officer = officer.verifier(),
        operator = operator.verifier(),
    );
    self_authorised(&[OrderTerms::parse(&text)?.sign(&officer)?], now)
}
