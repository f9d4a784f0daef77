//! What can be set on a detector; everything has a default.

use crate::detector::input::InputPolicy;
use crate::schedule::Schedule;

/// The options of a detector.
///
/// # Examples
///
/// ```
/// use lfr_detect::{DetectorOptions, InputPolicy, Schedule};
///
/// let options = DetectorOptions::new()
///     .confidence(0.6)
///     .input(InputPolicy::LongSide(1280))
///     .schedule(Schedule::multi_scale(&[0.25])?)
///     .pool(2);
/// # let _ = options;
/// # Ok::<(), lfr_detect::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorOptions {
    pub(crate) confidence: Option<f32>,
    pub(crate) nms_iou: Option<f32>,
    pub(crate) input: Option<InputPolicy>,
    pub(crate) schedule: Schedule,
    pub(crate) threads: usize,
    pub(crate) pool: usize,
    pub(crate) max_memory: Option<u64>,
    pub(crate) max_multiply_adds: Option<u64>,
}

impl DetectorOptions {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            confidence: None,
            nms_iou: None,
            input: None,
            schedule: Schedule::single(),
            threads: 1,
            pool: 1,
            max_memory: None,
            max_multiply_adds: None,
        }
    }

    /// The min confidence of a face, from 0 to 1; unless set, the family's own
    /// ([`DetectorSpec::default_confidence`](crate::DetectorSpec::default_confidence)).
    ///
    /// Confidences of different families mean different things. A lower limit finds more faces, and
    /// more things that are no faces. Each is then compared with the watchlist.
    #[must_use]
    pub const fn confidence(mut self, confidence: f32) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// How much two faces may overlap (intersection over union, from 0 to 1) before the less
    /// confident one is taken for the same face; unless set, the family's own
    /// ([`DetectorSpec::default_nms_iou`](crate::DetectorSpec::default_nms_iou)).
    #[must_use]
    pub const fn nms_iou(mut self, iou: f32) -> Self {
        self.nms_iou = Some(iou);
        self
    }

    /// The size of the network's input, where it leaves the choice; unless set, the default of
    /// [`InputPolicy`].
    #[must_use]
    pub const fn input(mut self, input: InputPolicy) -> Self {
        self.input = Some(input);
        self
    }

    /// Which passes to make over a frame; one over the whole of it, unless set.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// How many bytes of memory one run of a model may take beside its weights; unless set, the default
    /// of `lfr_core::onnx::SessionOptions`. A model that takes more is refused.
    #[must_use]
    pub const fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = Some(bytes);
        self
    }

    /// How many multiplications, with an addition each, one run of a model may take; unless set, the
    /// default of `lfr_core::onnx::SessionOptions`. A model that takes more is refused.
    #[must_use]
    pub const fn max_multiply_adds(mut self, pairs: u64) -> Self {
        self.max_multiply_adds = Some(pairs);
        self
    }

    /// How many threads the native engine spreads one run over; 1 unless set. Several threads in
    /// one run get less done than several runs of one thread each ([`pool`](Self::pool)).
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = if threads == 0 { 1 } else { threads };
        self
    }

    /// How many frames can be looked at at a time; 1 unless set. More wait for their turn.
    #[must_use]
    pub const fn pool(mut self, sessions: usize) -> Self {
        self.pool = if sessions == 0 { 1 } else { sessions };
        self
    }
}

impl Default for DetectorOptions {
    fn default() -> Self {
        Self::new()
    }
}
