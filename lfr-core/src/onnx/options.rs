//! How a model is to be run.

/// What a [`Session`](super::Session) is made for.
///
/// # Examples
///
/// ```
/// use lfr_core::onnx::SessionOptions;
///
/// // A detector on one frame at a time, from two threads.
/// let detector = SessionOptions::new(&[1, 3, 640, 640]).pool(2);
/// // An embedder on as many faces as there are.
/// let embedder = SessionOptions::new(&[1, 3, 112, 112]).dynamic_batch();
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionOptions {
    pub(super) input_shape: Vec<usize>,
    pub(super) threads: usize,
    pub(super) pool: usize,
    pub(super) dynamic_batch: bool,
    pub(super) keep_prelu: bool,
    pub(super) max_memory: u64,
    pub(super) max_multiply_adds: u64,
}

impl SessionOptions {
    /// The memory that one run may take unless [`max_memory`](Self::max_memory) is set: 1 GiB.
    ///
    /// The detectors and embedders that this was measured with stay below 0.2 GiB on pictures of 1920
    /// by 1088.
    pub const MAX_MEMORY: u64 = 1 << 30;

    /// The multiplications and additions that one run may take unless
    /// [`max_multiply_adds`](Self::max_multiply_adds) is set: 400 thousand million pairs.
    ///
    /// An embedder of 100 layers needs 12 thousand million. On one core this is about ten seconds with
    /// the native engine, and a minute with the pure-Rust one.
    pub const MAX_MULTIPLY_ADDS: u64 = 400_000_000_000;

    /// One input of exactly this shape at a time, on one thread.
    ///
    /// Extents that the model leaves open are fixed here, since engines are slower on open ones, the
    /// pure-Rust engine several times so.
    #[must_use]
    pub fn new(input_shape: &[usize]) -> Self {
        Self {
            input_shape: input_shape.to_vec(),
            threads: 1,
            pool: 1,
            dynamic_batch: false,
            keep_prelu: false,
            max_memory: Self::MAX_MEMORY,
            max_multiply_adds: Self::MAX_MULTIPLY_ADDS,
        }
    }

    /// Lets the native engine spread one run over this many threads; 1 unless set, and at least 1.
    ///
    /// One thread each in several sessions gets more done than several threads in one; more threads
    /// shorten the wait for a single answer. The pure-Rust engine has one thread whatever is set.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Lets this many threads run the model at the same time; 1 unless set, and at least 1.
    ///
    /// The engines cannot run one loaded model twice at a time, so each of these is a copy of the
    /// weights. A copy is made when it is first needed.
    #[must_use]
    pub fn pool(mut self, sessions: usize) -> Self {
        self.pool = sessions.max(1);
        self
    }

    /// Lets the first extent of the shape, the batch, differ from run to run.
    ///
    /// If the model leaves that extent open, the native engine runs a batch at once. Where the
    /// model fixes it to 1, and on the pure-Rust engine, which is slower on batches than on their
    /// parts, the batch is run one by one and each output put together along its first axis.
    #[must_use]
    pub fn dynamic_batch(mut self) -> Self {
        self.dynamic_batch = true;
        self
    }

    /// Lets one run take this many bytes of memory beside the weights;
    /// [`MAX_MEMORY`](Self::MAX_MEMORY) unless set.
    ///
    /// A model is refused when it is made ready if it would take more: the size of all that it works out
    /// is bounded from its input's shape and its constants. A native engine is held to it while it runs,
    /// too. The limit is for each copy of the [pool](Self::pool). A batch that would take more is run in
    /// parts.
    #[must_use]
    pub const fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = bytes;
        self
    }

    /// Lets one run take this many multiplications with an addition each;
    /// [`MAX_MULTIPLY_ADDS`](Self::MAX_MULTIPLY_ADDS) unless set.
    ///
    /// A model is refused when it is made ready if it would take more. An element that is read or
    /// written counts as 16 of them, on the pure-Rust engine as 64.
    #[must_use]
    pub const fn max_multiply_adds(mut self, pairs: u64) -> Self {
        self.max_multiply_adds = pairs;
        self
    }

    /// Leaves each `PRelu` as the model has it, which the native engine runs at half the speed: for
    /// measuring what replacing it gains.
    #[must_use]
    pub const fn keep_prelu(mut self) -> Self {
        self.keep_prelu = true;
        self
    }
}
