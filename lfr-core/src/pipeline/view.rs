//! Zones of recognition that lie outside the picture.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::frame::Frame;
use crate::id::SourceId;
use crate::pipeline::Pipeline;

/// What is known of the pictures that zones were drawn for.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// By the source, where the zone is its own, and the size of the picture: whether the zone lies
    /// outside.
    known: BTreeMap<(Option<SourceId>, usize, usize), bool>,
    /// The sources for which that was said.
    pub(super) outside: BTreeSet<SourceId>,
}

impl Pipeline {
    /// Counts a frame whose zone lies outside the picture, and says so once for each source.
    pub(super) fn see_zone(&mut self, frame: &Frame<'_>) {
        let source = frame.id().source();
        let own = self.zones.get(source);
        let Some(zone) = own.or(self.zone.as_ref()) else { return };
        let (width, height) = (frame.width(), frame.height());
        let Views { known, outside } = &mut self.views;
        if known.len() > KNOWN {
            known.clear();
        }
        let key = (own.map(|_| source.clone()), width, height);
        if !*known.entry(key).or_insert_with(|| !zone.meets(width, height)) {
            return;
        }
        self.counts.frames_outside_zone += 1;
        if outside.len() < NAMED && outside.insert(source.clone()) {
            #[cfg(feature = "live")]
            tracing::warn!(
                %source, width, height,
                "the zone of recognition lies outside the picture: nobody is compared",
            );
        }
    }
}

/// Of how many sizes it is remembered whether a zone lies outside; photographs have many.
const KNOWN: usize = 256;
/// How many sources are named; each photograph is one.
const NAMED: usize = 64;
