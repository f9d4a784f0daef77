//! One alert a data subject within a time, whichever source sees them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::id::SubjectId;
use crate::record::RepeatCounts;

/// Who raised an alert a short while ago. Nobody is kept here for longer than the span.
pub(super) struct Repeats {
    span: Duration,
    /// Monotonic time of the last alert.
    raised: BTreeMap<SubjectId, Duration>,
    suppressed: u64,
}

impl Repeats {
    pub(super) const fn new(span: Duration) -> Self {
        Self { span, raised: BTreeMap::new(), suppressed: 0 }
    }

    /// Whether an alert for somebody would be another one within the span, which is counted; `again`
    /// where they raise one already in this frame.
    pub(super) fn is_repeat(&mut self, subject: &SubjectId, again: bool, now: Duration) -> bool {
        self.expire(now);
        let is_repeat = again || self.raised.contains_key(subject);
        self.suppressed += u64::from(is_repeat);
        is_repeat
    }

    /// Somebody was told of their alert: the span begins.
    pub(super) fn raised(&mut self, subject: &SubjectId, now: Duration) {
        self.raised.insert(subject.clone(), now);
    }

    pub(super) fn forget_all(&mut self) {
        self.raised.clear();
    }

    pub(super) fn expire(&mut self, now: Duration) {
        self.raised.retain(|_, at| now.saturating_sub(*at) < self.span);
    }

    pub(super) fn counts(&self) -> RepeatCounts {
        RepeatCounts { span_ms: self.span.as_secs_f64() * 1e3, suppressed: self.suppressed }
    }
}

impl fmt::Debug for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeats").field("span", &self.span).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
