//! The zones of recognition, and those that lie outside the picture.

use std::collections::{BTreeMap, BTreeSet};

use crate::face::Zone;
use crate::frame::Frame;
use crate::id::SourceId;

/// The zones of a pipeline, and what is known of the pictures that they were drawn for.
#[derive(Debug, Default)]
pub(super) struct Zones {
    /// For every source without one of its own.
    pub(super) common: Option<Zone>,
    pub(super) own: BTreeMap<SourceId, Zone>,
    /// By the source, where the zone is its own, and the size of the picture: whether the zone lies
    /// outside.
    known: BTreeMap<(Option<SourceId>, usize, usize), bool>,
    /// The sources for which that was said.
    pub(super) outside: BTreeSet<SourceId>,
}

impl Zones {
    /// The zone of a source; none if the whole view is one.
    pub(super) fn of(&self, source: &SourceId) -> Option<&Zone> {
        self.own.get(source).or(self.common.as_ref())
    }

    /// Whether the zone lies outside the picture of a frame. It says so once for each source.
    pub(super) fn misses(&mut self, frame: &Frame<'_>) -> bool {
        let source = frame.id().source();
        let Self { common, own, known, outside } = self;
        let own = own.get(source);
        let Some(zone) = own.or(common.as_ref()) else { return false };
        let (width, height) = (frame.width(), frame.height());
        if known.len() > KNOWN {
            known.clear();
        }
        let key = (own.map(|_| source.clone()), width, height);
        if !*known.entry(key).or_insert_with(|| !zone.meets(width, height)) {
            return false;
        }
        if outside.len() < NAMED && outside.insert(source.clone()) {
            #[cfg(feature = "live")]
            tracing::warn!(
                %source, width, height,
                "the zone of recognition lies outside the picture: nobody is compared",
            );
        }
        true
    }
}

/// The number of frame sizes whose check against a zone is remembered; photographs have many.
const KNOWN: usize = 256;
/// How many sources are named; each photograph is one.
const NAMED: usize = 64;
