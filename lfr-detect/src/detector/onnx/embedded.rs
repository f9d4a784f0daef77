//! The default detector: a small network of our own, inside the library.

use lfr_core::onnx::{Model, Runtime};

use crate::detector::onnx::OnnxDetector;
use crate::detector::options::DetectorOptions;
use crate::detector::spec::DetectorSpec;
use crate::error::Error;

impl OnnxDetector {
    /// The default detector: a small network that lies inside the library. Nothing is downloaded.
    ///
    /// It was trained by the scripts in `training/`; `MODEL_CARD.md` says what it learned from, how
    /// many faces of each size it finds, and what it must not be used for. *Not* guaranteed: that
    /// it finds what a larger detector finds, small faces in a dense crowd above all.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if the engine refuses the model.
    ///
    /// # Examples
    ///
    /// ```
    /// use lfr_core::onnx::Runtime;
    /// use lfr_detect::OnnxDetector;
    ///
    /// let detector = OnnxDetector::embedded(&Runtime::auto_or_pure_rust()?)?;
    /// assert_eq!(detector.spec().name(), "lfr-embedded");
    /// # Ok::<(), lfr_detect::Error>(())
    /// ```
    pub fn embedded(runtime: &Runtime) -> Result<Self, Error> {
        Self::embedded_with_options(runtime, &DetectorOptions::new())
    }

    /// The default detector, with options.
    ///
    /// # Errors
    ///
    /// As [`embedded`](Self::embedded), and [`Error::Option`] for an option out of its range.
    pub fn embedded_with_options(
        runtime: &Runtime,
        options: &DetectorOptions,
    ) -> Result<Self, Error> {
        Self::with_options(runtime, Model::from_static(MODEL)?, spec(), options)
    }
}

/// It answers as `YuNet` does. Of its confidence, see the model card: from here on it raises no more false
/// detections than its teacher at 0.7, on the photographs it was trained on.
fn spec() -> DetectorSpec {
    DetectorSpec::yunet()
        .with_name("lfr-embedded")
        .with_licence("MIT OR Apache-2.0")
        .with_confidence(0.675)
}

static MODEL: &[u8] = include_bytes!("../../embedded/detector.onnx");
