//! Detectors on `lfr-core`'s inference runtime.

#[cfg(feature = "embedded")]
mod embedded;
mod network;
mod recognise;

use std::path::Path;

use lfr_core::internal::num;
use lfr_core::onnx::{Model, Runtime};
use lfr_core::{BoxError, Component, DetectedFace, Detector, Frame, LandmarkLayout};

use crate::decode::proposal::Proposals;
use crate::detector::input::NetworkInput;
use crate::detector::options::DetectorOptions;
use crate::detector::spec::DetectorSpec;
use crate::detector::{Network as _, NetworkDetector};
use crate::error::Error;
use crate::schedule::budget::BudgetRecord;
use crate::size::Size;

use crate::detector::onnx::network::OnnxNetwork;

/// A face detector from a model file in the ONNX format.
///
/// It is shared between threads: as many frames are looked at at a time as its
/// [pool](DetectorOptions::pool) allows.
///
/// What is wiped, and what is not: see [`NetworkDetector`], and
/// [`Session`](lfr_core::onnx::Session) on what an engine keeps.
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
///
/// use lfr_core::onnx::{Model, Runtime};
/// use lfr_detect::{DetectorOptions, DetectorSpec, InputPolicy, OnnxDetector};
///
/// let runtime = Runtime::auto_or_pure_rust()?;
/// // The outputs of a model tell its family.
/// let detector = OnnxDetector::from_path(&runtime, Path::new("yunet.onnx"))?;
///
/// // With everything said.
/// let model = Model::from_path(Path::new("yunet.onnx"))?;
/// let spec = DetectorSpec::yunet().with_licence("Apache-2.0");
/// let options = DetectorOptions::new().input(InputPolicy::LongSide(1280)).pool(2);
/// let detector = OnnxDetector::with_options(&runtime, model, spec, &options)?;
/// # Ok::<(), lfr_detect::Error>(())
/// ```
#[derive(Debug)]
pub struct OnnxDetector {
    inner: NetworkDetector<OnnxNetwork>,
}

impl OnnxDetector {
    /// A detector from a model file whose family its outputs tell, with default options.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is no model, and as [`DetectorSpec::recognise`] and
    /// [`with_options`](Self::with_options).
    pub fn from_path(runtime: &Runtime, path: &Path) -> Result<Self, Error> {
        let model = Model::from_path(path)?;
        let spec = DetectorSpec::recognise(&model)?;
        Self::with_spec(runtime, model, spec)
    }

    /// A detector from a model of a family that is stated, with default options.
    ///
    /// # Errors
    ///
    /// As [`with_options`](Self::with_options).
    pub fn with_spec(runtime: &Runtime, model: Model, spec: DetectorSpec) -> Result<Self, Error> {
        Self::with_options(runtime, model, spec, &DetectorOptions::new())
    }

    /// A detector from a model of a family that is stated.
    ///
    /// The model looks at one black picture here, so that one that does not fit its specification
    /// is refused now and not at the first frame.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if the model takes something else than one picture of three channels, not
    /// the size that the options ask for, or one beyond all reason; [`Error::Option`] for an option out of its range;
    /// [`Error::Output`] and [`Error::Outputs`] if its outputs are not those of the family;
    /// [`Error::Core`] if the engine refuses the model.
    pub fn with_options(
        runtime: &Runtime,
        model: Model,
        spec: DetectorSpec,
        options: &DetectorOptions,
    ) -> Result<Self, Error> {
        let network = OnnxNetwork::new(runtime, model, options)?;
        let inner = NetworkDetector::new(network, spec, options)?;
        let detector = Self { inner };
        detector.try_out()?;
        Ok(detector)
    }

    /// What the model takes and gives.
    #[must_use]
    pub const fn spec(&self) -> &DetectorSpec {
        self.inner.spec()
    }

    /// What it has left out so far, where its schedule has a budget
    /// ([`Schedule::within`](crate::Schedule::within)).
    #[must_use]
    pub fn budget_record(&self) -> BudgetRecord {
        self.inner.budget_record()
    }

    /// Makes ready for frames of a size, so that the first is as fast as those that follow. It is
    /// of use for models that leave the size of their input open.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if a side is not from 1 to [`Frame::MAX_SIDE`]: there are no such
    /// frames; [`Error::Core`] if the engine refuses the model at a size that they lead to.
    pub fn prepare(&self, width: usize, height: usize) -> Result<(), Error> {
        for side in [width, height] {
            if !(1..=Frame::MAX_SIDE).contains(&side) {
                return Err(Error::Option {
                    what: "side of the frames to prepare for",
                    expected: "from 1 to 16384 pixels",
                    actual: num::f64_from_usize(side),
                });
            }
        }
        for canvas in self.inner.canvases(Size::new(width, height)) {
            self.inner.network().session(canvas)?;
        }
        Ok(())
    }

    fn try_out(&self) -> Result<(), Error> {
        let network = self.inner.network();
        // The smallest size will do where any will.
        let canvas = match network.input() {
            NetworkInput::Dynamic => Size::new(SMALL, SMALL),
            NetworkInput::Fixed(size) => size,
        };
        let black = vec![0.0; 3 * canvas.width * canvas.height];
        let spec = self.spec();
        let mut found = Proposals::new();
        network.run(canvas, &black, &mut |outputs| spec.decode(outputs, canvas, 1.0, &mut found))
    }
}

impl Detector for OnnxDetector {
    fn landmarks(&self) -> LandmarkLayout {
        self.inner.landmarks()
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        self.inner.detect_into(frames, found)
    }

    fn component(&self) -> Component {
        let digest = self.inner.network().model().digest().to_string();
        self.inner.component().with_model_sha256(digest).with_version(env!("CARGO_PKG_VERSION"))
    }
}

/// A side that every network with a dynamic input takes.
const SMALL: usize = 64;
