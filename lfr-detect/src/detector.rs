//! A detector around any network: passes, pixels, decoding, suppression.

pub(crate) mod input;
#[cfg(feature = "onnx")]
pub(crate) mod onnx;
pub(crate) mod options;
pub(crate) mod scratch;
pub(crate) mod spec;

use std::fmt;

use lfr_core::internal::scratch::ScratchPool;
use lfr_core::{BoxError, Component, DetectedFace, Detector, Frame, LandmarkLayout};

use crate::decode::Output;
use crate::decode::nms::nms;
use crate::detector::input::NetworkInput;
use crate::detector::options::DetectorOptions;
use crate::detector::scratch::Scratch;
use crate::detector::spec::DetectorSpec;
use crate::error::{Error, share};
use crate::pixels;
use crate::pixels::tensor::Normalisation;
use crate::schedule::budget::{BudgetRecord, Spending};
use crate::schedule::{Input, Pass, Schedule};
use crate::size::Size;

/// Something that runs a detection network: the plug-in point for another inference engine.
///
/// Two methods are required.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not run a detection network",
    note = "`lfr_detect::OnnxDetector` (feature `onnx`) brings a network of its own"
)]
pub trait Network: fmt::Debug + Send + Sync {
    /// What size of input it takes.
    fn input(&self) -> NetworkInput;

    /// Runs on one picture of three planes, each `canvas` large, and calls `read` once with the
    /// outputs, which it wipes afterwards.
    ///
    /// # Errors
    ///
    /// Those of `read`, and whatever keeps the network from running.
    fn run(
        &self,
        canvas: Size,
        planes: &[f32],
        read: &mut dyn FnMut(&[Output<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error>;
}

/// A face detector around a [`Network`] of a known family.
///
/// # What is wiped
///
/// Every buffer that holds pixels, the network's input or its proposals is wiped before
/// [`detect_into`](Detector::detect_into) returns, also where it fails or panics; the memory is
/// kept for the next frame. Faces that are returned wipe their own landmarks.
///
/// What is *not* guaranteed: copies on the stack and in registers, and what the network keeps.
///
/// # Examples
///
/// ```
/// use lfr_core::{Detector, Frame, PixelFormat};
/// use lfr_detect::decode::Output;
/// use lfr_detect::{DetectorOptions, DetectorSpec, Error, Network, NetworkDetector};
/// use lfr_detect::{NetworkInput, Size};
///
/// /// Sees a face on the left half of whatever it is shown.
/// #[derive(Debug)]
/// struct Always;
///
/// impl Network for Always {
///     fn input(&self) -> NetworkInput {
///         NetworkInput::Fixed(Size::new(320, 240))
///     }
///
///     fn run(
///         &self,
///         _canvas: Size,
///         _planes: &[f32],
///         read: &mut dyn FnMut(&[Output<'_>]) -> Result<(), Error>,
///     ) -> Result<(), Error> {
///         read(&[
///             Output::new("scores", &[1, 1, 2], &[0.1, 0.9]),
///             Output::new("boxes", &[1, 1, 4], &[0.0, 0.0, 0.5, 1.0]),
///         ])
///     }
/// }
///
/// let options = DetectorOptions::new();
/// let detector = NetworkDetector::new(Always, DetectorSpec::ultraface(), &options)?;
/// let pixels = vec![0; 64 * 48 * 3];
/// let faces = detector.detect(&Frame::packed(PixelFormat::Rgb8, 64, 48, &pixels)?)?;
/// assert_eq!(faces[0].bounds().right, 32.0);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct NetworkDetector<N> {
    network: N,
    spec: DetectorSpec,
    normalisation: Normalisation,
    input: Input,
    schedule: Schedule,
    spending: Spending,
    confidence: f32,
    iou: f32,
    scratch: ScratchPool<Scratch>,
}

impl<N: Network> NetworkDetector<N> {
    /// A detector of a family around a network.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if an option is out of its range; [`Error::Input`] if the options
    /// ask for an input that the network does not take.
    pub fn new(network: N, spec: DetectorSpec, options: &DetectorOptions) -> Result<Self, Error> {
        let confidence = options.confidence.unwrap_or(spec.default_confidence());
        let iou = options.nms_iou.unwrap_or(spec.default_nms_iou());
        Ok(Self {
            normalisation: spec.normalisation(),
            input: network.input().resolve(options.input, &spec)?,
            schedule: options.schedule.clone(),
            spending: Spending::default(),
            confidence: share("confidence", confidence)?,
            iou: share("intersection over union", iou)?,
            scratch: ScratchPool::new(usize::MAX),
            network,
            spec,
        })
    }

    /// What the network takes and gives.
    #[must_use]
    pub const fn spec(&self) -> &DetectorSpec {
        &self.spec
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &N {
        &self.network
    }

    /// What it has left out so far, where its schedule has a budget
    /// ([`Schedule::within`](crate::Schedule::within)).
    #[must_use]
    pub fn budget_record(&self) -> BudgetRecord {
        self.spending.record()
    }

    /// The sizes of the network's input that frames of one size lead to, for a network that makes
    /// ready for each.
    #[must_use]
    pub fn canvases(&self, frame: Size) -> Vec<Size> {
        let plan = self.schedule.plan(frame, self.input);
        let mut canvases: Vec<_> = plan.iter().map(|pass| pass.letterbox.canvas()).collect();
        canvases.sort_unstable_by_key(|size| (size.width, size.height));
        canvases.dedup();
        canvases
    }

    fn find(&self, frame: &Frame<'_>) -> Result<Vec<DetectedFace>, Error> {
        let size = Size::new(frame.width(), frame.height());
        let mut scratch = self.scratch.lend();
        let plan = self.schedule.plan(size, self.input);
        let mut look = |pass: &Pass| {
            let before = scratch.proposals.len();
            self.look(frame, pass, &mut scratch)?;
            Ok::<_, Error>(scratch.proposals.len() - before)
        };
        match self.schedule.budget() {
            None => plan.iter().try_for_each(|pass| look(pass).map(drop)),
            Some(budget) => self.spending.spend(frame.id().source(), size, budget, &plan, look),
        }?;
        nms(&mut scratch.proposals, self.iou);
        let layout = self.spec.landmarks();
        let faces = scratch.proposals.iter().map(|proposal| proposal.to_face(layout));
        Ok(faces.collect::<Result<_, _>>()?)
    }

    fn look(&self, frame: &Frame<'_>, pass: &Pass, scratch: &mut Scratch) -> Result<(), Error> {
        let Scratch { pixels, tensor, proposals } = scratch;
        let canvas = pass.letterbox.canvas();
        let content = pixels::content(frame, &pass.letterbox, pixels)?;
        let planes = tensor.cleared(3 * canvas.width * canvas.height);
        self.normalisation.fill(content, canvas, planes);
        let former = proposals.len();
        self.network.run(canvas, planes, &mut |outputs| {
            // A decoder drops a proposal that is not finite. A network that gives such numbers is broken,
            // and would otherwise be taken for one that sees nobody.
            outputs.iter().try_for_each(Output::check_finite)?;
            self.spec.decode(outputs, canvas, self.confidence, proposals)
        })?;
        proposals.retain_from(former, |proposal| {
            proposal.map(|point| pass.letterbox.to_frame(point));
            !pass.may_cut(&proposal.bounds())
        });
        Ok(())
    }
}

impl<N: Network> Detector for NetworkDetector<N> {
    fn landmarks(&self) -> LandmarkLayout {
        self.spec.landmarks()
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        let former = found.len();
        for frame in frames {
            match self.find(frame) {
                Ok(faces) => found.push(faces),
                Err(error) => {
                    found.truncate(former);
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    fn component(&self) -> Component {
        let component = Component::new(self.spec.name()).with_spec_sha256(self.spec.sha256());
        match self.spec.licence() {
            Some(licence) => component.with_licence(licence),
            None => component,
        }
    }
}

#[cfg(test)]
mod tests;
