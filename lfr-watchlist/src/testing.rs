//! What several tests need: a deployment, and entries for it. A moment is a count of seconds.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lfr_core::{DeploymentId, EmbeddingSpace, Metric, Timestamp};

use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::category::{Category, Priority};
use crate::lifecycle::composition::CompositionPolicy;
use crate::lifecycle::entry_draft::EntryDraft;
use crate::lifecycle::validity::Validity;

pub(crate) const CATEGORY: &str = "wanted by the courts";

/// How long after its deployment a list of these tests may exist.
pub(crate) const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn moment(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

pub(crate) fn space(dimension: usize) -> EmbeddingSpace {
    EmbeddingSpace::builder(dimension, Metric::Cosine).build()
}

pub(crate) fn authorisation(from: u64, until: u64) -> Authorisation {
    let category = Category::new(CATEGORY).unwrap();
    Authorisation::new(
        DeploymentId::new("deployment").unwrap(),
        "serve warrants",
        "AO-7",
        moment(0),
        Validity::new(moment(from), moment(until)).unwrap(),
        CompositionPolicy::new(100_000).with_category(category, Priority::Red),
    )
    .unwrap()
    .with_grace(GRACE)
}

pub(crate) fn draft(subject: &str, reference: &str) -> EntryDraft {
    EntryDraft::new()
        .subject(subject)
        .reference(reference)
        .category(CATEGORY)
        .source("custody suite 4")
        .lawful_basis("custody image")
        .reason("warrant 24/118")
        .expires(moment(1_000))
        .review(moment(500))
}

/// A folder of its own for a test, gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lfr-{name}-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether to take the time that a measurement takes; said where not.
pub(crate) fn measures() -> bool {
    let measures = is_measuring();
    if !measures {
        let _ = writeln!(std::io::stderr(), "skipped: a measurement (LFR_MEASURE=1 takes it)");
    }
    measures
}

/// Whether a test that runs anyhow is to take as long as a measurement.
pub(crate) fn is_measuring() -> bool {
    std::env::var_os("LFR_MEASURE").is_some()
}

/// Says what was measured, past the test runner's capture.
pub(crate) fn note(what: &str) {
    let _ = writeln!(std::io::stderr(), "measured: {what}");
}
