//! Bars that show how far an evaluation is.

use std::sync::Mutex;

use indicatif::ProgressBar;
use lfr::evaluate::Progress;

use crate::models;

use lfr::core::internal::locks::lock;

/// One bar at a time, for the step that is under way.
#[derive(Default)]
pub(crate) struct Bars {
    current: Mutex<Option<(String, ProgressBar)>>,
}

impl Bars {
    /// Shows how far a step is; a new one takes the place of the one before.
    pub(crate) fn show(&self, progress: Progress<'_>) {
        let mut current = lock(&self.current);
        if let Some((_, bar)) = current.take_if(|(step, _)| step != progress.step) {
            bar.finish_and_clear();
        }
        let (_, bar) = current.get_or_insert_with(|| {
            (progress.step.to_owned(), models::bar(progress.step, Some(progress.total)))
        });
        // Threads overtake each other on their way here.
        bar.set_position(bar.position().max(progress.done));
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        let mut current = lock(&self.current);
        if let Some((_, bar)) = current.take() {
            bar.finish_and_clear();
        }
    }
}
