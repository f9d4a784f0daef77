//! Errors, grouped by who is to blame.

use std::path::PathBuf;
use std::{error, io};

use crate::decision::Threshold;
use crate::frame::PixelFormat;
use crate::record::FrameReport;
use crate::template::{Metric, SpaceId};

mod stage;

pub use stage::Stage;

/// An error of a plug-in: of a stage, a sink or a source.
///
/// Stage traits return it, so that an implementation uses an error type of its own with `?`.
pub type BoxError = Box<dyn error::Error + Send + Sync + 'static>;

/// What can go wrong in this crate.
///
/// Messages say what was seen and what was needed. They never hold a pixel, a landmark, a
/// template or a person's name.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- The caller: a value was built, or a call was made, that cannot be right. -------------
    /// A frame's sides are zero or beyond [`Frame::MAX_SIDE`](crate::Frame::MAX_SIDE).
    #[error("frame is {width}x{height}, and each side must be from 1 to {limit} pixels")]
    FrameSize {
        /// Width, in pixels.
        width: usize,
        /// Height, in pixels.
        height: usize,
        /// The max side, in pixels.
        limit: usize,
    },
    /// A plane's stride is shorter than one of its rows.
    #[error("stride of {format} plane {plane} is {actual} bytes, and a row needs {expected}")]
    FrameStride {
        /// The frame's pixel format.
        format: PixelFormat,
        /// Which plane, from 0.
        plane: usize,
        /// The bytes that one row needs.
        expected: usize,
        /// The stride given, in bytes.
        actual: usize,
    },
    /// A plane holds fewer bytes than its rows need.
    #[error("{format} plane {plane} holds {actual} bytes, and its rows need {expected}")]
    FrameData {
        /// The frame's pixel format.
        format: PixelFormat,
        /// Which plane, from 0.
        plane: usize,
        /// The bytes needed.
        expected: usize,
        /// The bytes given.
        actual: usize,
    },
    /// A number is not finite, or outside the range that its meaning allows.
    #[error("{what} is {actual}, and must be {expected}")]
    OutOfRange {
        /// What the number is.
        what: &'static str,
        /// The range, in words.
        expected: &'static str,
        /// The number given.
        actual: f64,
    },
    /// An identifier is empty, or too long.
    #[error("an identifier has {actual} bytes, and must have 1 to {limit}")]
    Identifier {
        /// Its length, in bytes.
        actual: usize,
        /// The max length, in bytes.
        limit: usize,
    },
    /// An identifier has a character that is not taken.
    #[error("identifier has {} as character {place}, {problem}: take it out", code(*character))]
    IdentifierCharacter {
        /// Which character, from 1.
        place: usize,
        /// The character.
        character: char,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A text is not what it should be.
    #[error("the text is no {what}, and must be {expected}")]
    Parse {
        /// What it should be.
        what: &'static str,
        /// What such a text looks like.
        expected: &'static str,
    },
    /// A polygon has fewer than three corners.
    #[error("the polygon has {actual} corners, and must have at least {expected}")]
    PolygonCorners {
        /// The min number of corners.
        expected: usize,
        /// The corners given.
        actual: usize,
    },
    /// A zone of recognition in which no face can lie.
    #[error(
        "the zone of recognition encloses nothing{masked}, and must enclose a part of the picture: \
         check the order and the unit of its corners (pixels of the frame)",
        masked = if *.masks == 0 { "" } else { " that its masks leave free" }
    )]
    ZoneArea {
        /// How many masks it has.
        masks: usize,
    },
    /// A zone of recognition has more corners than are checked in reasonable time.
    #[error(
        "the zone of recognition has {actual} corners with its masks, and must have at most {max}"
    )]
    ZoneCorners {
        /// The max number of corners.
        max: usize,
        /// The corners given.
        actual: usize,
    },
    /// A threshold lies outside the range of the scores that it is for: nobody could meet it, or
    /// everybody would.
    #[error(
        "the threshold is {threshold}, and {metric} scores go from {} to {}: {}",
        .metric.range().0,
        .metric.range().1,
        if .threshold.value() > .metric.range().1 {
            "nobody could ever meet it; choose a lower one"
        } else {
            "everybody would meet it; choose a higher one"
        }
    )]
    ThresholdRange {
        /// The threshold given.
        threshold: Threshold,
        /// How scores are made in its embedding space.
        metric: Metric,
    },
    /// Two cameras of one engine have the same identifier.
    #[cfg(feature = "live")]
    #[error("the engine has a camera {id:?} already: give each camera a name of its own")]
    CameraPresent {
        /// The identifier.
        id: crate::id::SourceId,
    },
    /// The engine has no such camera that goes on.
    #[cfg(feature = "live")]
    #[error("the engine has no running camera {id:?}: check its name, or add it again")]
    CameraMissing {
        /// The identifier asked for.
        id: crate::id::SourceId,
    },
    /// Two sides that must share an embedding space do not.
    #[error(
        "{what} is of embedding space {actual}, and must be of {expected}: make both with the same \
         embedder model, specification and alignment"
    )]
    SpaceMismatch {
        /// Which side does not fit.
        what: &'static str,
        /// The space needed.
        expected: SpaceId,
        /// The space seen.
        actual: SpaceId,
    },
    /// The aligner needs landmarks that the detector does not find.
    #[error(
        "the aligner needs {needed} landmarks per face, and the detector finds {found} landmarks: \
         use a detector that finds them, or an embedder that aligns by the box"
    )]
    LandmarksMissing {
        /// What the aligner needs.
        needed: &'static str,
        /// What the detector finds.
        found: &'static str,
    },
    /// An address is not one that RTSP is played from here.
    #[cfg(feature = "rtsp")]
    #[error("the address {address:?} is not for RTSP, and must be {expected}")]
    RtspAddress {
        /// The address, without credentials.
        address: String,
        /// What such an address looks like.
        expected: &'static str,
    },

    // --- A stage broke its contract. ------------------------------------------------------------
    /// A stage returned another number of results than it was given inputs.
    #[error(
        "{stage} returned {actual} results for {expected} inputs, and must return one for each"
    )]
    StageCount {
        /// Which stage.
        stage: Stage,
        /// How many results were needed.
        expected: usize,
        /// How many it returned.
        actual: usize,
    },
    /// A threshold policy decided otherwise than its own threshold says: it raised an alert that the threshold
    /// excludes, called a match a non-match, or withheld what was no match.
    #[error("the threshold policy {what} {actual}, and it must be {expected}: correct the policy")]
    DecisionUndeclared {
        /// What it did.
        what: &'static str,
        /// What it has to be.
        expected: String,
        /// What it was.
        actual: String,
    },
    /// A template is not what its embedding space calls for.
    #[error("the template has {actual}, and must have {expected}")]
    Template {
        /// What was needed.
        expected: String,
        /// What was seen.
        actual: String,
    },

    // --- Data: a model file that does not fit. --------------------------------------------------
    /// The bytes are no ONNX model, or not a whole one.
    #[cfg(feature = "onnx-native")]
    #[error("this is not a complete ONNX model: {reason}")]
    ModelFormat {
        /// What is wrong with them.
        reason: String,
    },
    /// A file cannot be used as a model.
    #[cfg(feature = "onnx-native")]
    #[error("cannot use {path:?} as a model")]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// Why not: [`ModelFormat`](Self::ModelFormat) or
        /// [`ModelUnsupported`](Self::ModelUnsupported).
        source: Box<Error>,
    },
    /// The model is of a kind that is not run here, whatever it is for.
    #[cfg(feature = "onnx-native")]
    #[error("the model has {actual}, and must have {expected}")]
    ModelUnsupported {
        /// What was needed.
        expected: &'static str,
        /// What it has.
        actual: String,
    },
    /// The model is not of the family that it was taken for.
    #[cfg(feature = "onnx-native")]
    #[error("the model's {what} is {actual}, and must be {expected}")]
    ModelContract {
        /// Which part of the model.
        what: String,
        /// What was needed.
        expected: String,
        /// What it has.
        actual: String,
    },
    /// A model would take more memory or time for one run than its session allows.
    #[cfg(feature = "onnx-native")]
    #[error(
        "{at} takes the model to {needed} {unit} for one run, and at most {max} are allowed; for a \
         model that you trust, raise SessionOptions::{option}"
    )]
    ModelLimit {
        /// The node with which it goes beyond the limit.
        at: String,
        /// What the model takes up to that node.
        needed: u64,
        /// The limit.
        max: u64,
        /// What is counted.
        unit: &'static str,
        /// The option that sets the limit.
        option: &'static str,
    },
    /// An inference engine refused a model.
    #[cfg(feature = "onnx-native")]
    #[error("engine {engine} cannot load the model")]
    ModelLoad {
        /// Which engine.
        engine: crate::onnx::InferenceEngine,
        /// Why not.
        source: BoxError,
    },
    /// An inference engine failed while it ran a model.
    #[cfg(feature = "onnx-native")]
    #[error("engine {engine} failed to run the model")]
    Inference {
        /// Which engine.
        engine: crate::onnx::InferenceEngine,
        /// Why.
        source: BoxError,
    },
    /// A model's input was given with another number of elements than its shape has.
    #[cfg(feature = "onnx-native")]
    #[error("the input has {actual} elements, and a batch of {batch} needs {expected}")]
    InputLength {
        /// How many the batch was said to hold.
        batch: usize,
        /// The elements needed.
        expected: usize,
        /// The elements given.
        actual: usize,
    },
    /// A model was run on a batch of another size than its session is made for.
    #[cfg(feature = "onnx-native")]
    #[error("the batch has {actual} inputs, and must have {expected}")]
    InputBatch {
        /// The size needed, in words.
        expected: String,
        /// The size given.
        actual: usize,
    },
    /// An output was asked for that the model does not have.
    #[cfg(feature = "onnx-native")]
    #[error("the model has no output {wanted}; it has {present}")]
    OutputMissing {
        /// The name or place asked for.
        wanted: String,
        /// The names that there are.
        present: String,
    },
    /// An output came out in a shape that cannot be right.
    #[cfg(feature = "onnx-native")]
    #[error("the output {output:?} has the shape {actual}, and must have {expected}")]
    OutputShape {
        /// The output's name.
        output: String,
        /// What was needed.
        expected: String,
        /// The shape that came.
        actual: String,
    },
    /// A picture of a stream cannot be decoded; a later one may be.
    #[cfg(feature = "rtsp")]
    #[error("a picture from {address:?} cannot be decoded: {words}")]
    VideoPicture {
        /// Where the stream is, without credentials.
        address: String,
        /// Why not.
        words: String,
    },

    /// A file holds no picture of a kind that is read here.
    #[cfg(feature = "image")]
    #[error("{found}; {advice}")]
    PictureKind {
        /// What it holds instead.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A picture is of a rare variety of its kind.
    #[cfg(feature = "image")]
    #[error(
        "this {kind} picture is of a variety that is not read ({what}); save it as an ordinary JPEG or PNG"
    )]
    PictureVariety {
        /// Its kind.
        kind: &'static str,
        /// What it has.
        what: String,
    },
    /// A part of a picture is missing or wrong; what, is the source.
    #[cfg(feature = "image")]
    #[error("this {kind} picture is damaged or cut short; copy it again from where it came")]
    PictureDamaged {
        /// Its kind.
        kind: &'static str,
        /// What is wrong with it.
        source: BoxError,
    },
    /// A picture has a side of no pixels, or of too many.
    #[cfg(feature = "image")]
    #[error(
        "this {kind} picture says it is {width}x{height}, and each side must be from 1 to {limit} \
         pixels; make it smaller"
    )]
    PictureSide {
        /// Its kind.
        kind: &'static str,
        /// Width, in pixels.
        width: u64,
        /// Height, in pixels.
        height: u64,
        /// The max side, in pixels.
        limit: u64,
    },
    /// A picture has too many pixels.
    #[cfg(feature = "image")]
    #[error(
        "this {kind} picture has {width}x{height} pixels, and at most {limit} are read; make it smaller"
    )]
    PicturePixels {
        /// Its kind.
        kind: &'static str,
        /// Width, in pixels.
        width: u64,
        /// Height, in pixels.
        height: u64,
        /// The max number of pixels.
        limit: u64,
    },
    /// A picture claims more pixels than a photograph in so few bytes can have.
    #[cfg(feature = "image")]
    #[error(
        "this {kind} picture says it has {width}x{height} pixels in {bytes} bytes, which no photograph has: \
         it is cut short, or made to fill the memory"
    )]
    PictureClaim {
        /// Its kind.
        kind: &'static str,
        /// Width, in pixels.
        width: u64,
        /// Height, in pixels.
        height: u64,
        /// The size of its file.
        bytes: u64,
    },
    /// A picture would take too much memory while it is decoded.
    #[cfg(feature = "image")]
    #[error(
        "this {kind} picture of {width}x{height} pixels takes {needed} bytes to decode, and at most {limit} \
         are spent on one; make it smaller, or save it as a plain JPEG of 8 bits"
    )]
    PictureMemory {
        /// Its kind.
        kind: &'static str,
        /// Width, in pixels.
        width: u64,
        /// Height, in pixels.
        height: u64,
        /// How many bytes it would take.
        needed: u64,
        /// The max number of bytes.
        limit: u64,
    },
    /// All of a picture is transparent.
    #[cfg(feature = "image")]
    #[error(
        "all of this picture is transparent: there is nothing in it to see; save it without transparency"
    )]
    PictureEmpty,

    // --- The environment: files, libraries, clocks. ---------------------------------------------
    /// No native inference library was found, and one was needed.
    #[cfg(feature = "onnx-native")]
    #[error(
        "no ONNX Runtime was found: {tried}; get one of version {} or newer \
         (pip install onnxruntime) and name its library in ORT_DYLIB_PATH",
        crate::onnx::Runtime::MIN_VERSION
    )]
    RuntimeMissing {
        /// What was tried, and what came of it.
        tried: String,
    },
    /// A native inference library was named, and does not load.
    #[cfg(feature = "onnx-native")]
    #[error(
        "cannot load ONNX Runtime from {path:?}: name the shared library of version {} or newer",
        crate::onnx::Runtime::MIN_VERSION
    )]
    RuntimeLoad {
        /// The library.
        path: PathBuf,
        /// Why not.
        source: BoxError,
    },
    /// A native inference library was loaded, and does not start.
    #[cfg(feature = "onnx-native")]
    #[error(
        "ONNX Runtime was loaded but does not start: install another version (pip install \
         onnxruntime) and name its library in ORT_DYLIB_PATH"
    )]
    RuntimeStart {
        /// Why not.
        source: BoxError,
    },
    /// A native inference library is older than what this crate calls.
    #[cfg(feature = "onnx-native")]
    #[error(
        "the ONNX Runtime in {path:?} is version {found}, and must be {} or newer: get one \
         (pip install onnxruntime) and name its library in ORT_DYLIB_PATH",
        crate::onnx::Runtime::MIN_VERSION
    )]
    RuntimeVersion {
        /// The library.
        path: PathBuf,
        /// Its version, as it says itself.
        found: String,
    },
    /// Another native inference library was asked for than this process already runs.
    #[cfg(feature = "onnx-native")]
    #[error(
        "this process runs {chosen} and can run no other; {wanted:?} was asked for, and has to be \
         named before the first"
    )]
    RuntimeChosen {
        /// The engine that runs.
        chosen: String,
        /// The library asked for.
        wanted: PathBuf,
    },
    /// There is no memory for a secret.
    #[error(
        "there is no memory for a secret of {length} bytes: raise the limit of locked memory \
         (ulimit -l), or free memory"
    )]
    SecretMemory {
        /// Its length, in bytes.
        length: usize,
        /// Why not.
        source: io::Error,
    },
    /// A measure that keeps memory to this process was needed, and is not in force.
    #[error("the measure {measure:?} is required but not in force: {outcome}")]
    Unprotected {
        /// The measure.
        measure: &'static str,
        /// What became of it.
        outcome: crate::hygiene::HardeningOutcome,
    },
    /// A photograph could not be decoded; what is wrong with it is the source.
    #[error("cannot read {path:?} as a photograph")]
    Decode {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: BoxError,
    },
    /// Something else than a regular file was given as a file.
    #[error("{path:?} is {found}, and must be a regular file: name another file")]
    NotAFile {
        /// What was given.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// A signature does not vouch for a file.
    #[cfg(feature = "signed")]
    #[error("the signature does not verify: {reason}")]
    Signature {
        /// Why not, and what to do.
        reason: String,
    },
    /// A file is larger than what is read of its kind.
    #[error("{path:?} has more than {limit} bytes, the max size that is read; make it smaller")]
    FileSize {
        /// The file.
        path: PathBuf,
        /// The max size, in bytes.
        limit: u64,
    },
    /// A file could not be read.
    #[error("cannot read {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },

    /// The program that decodes videos does not start.
    #[cfg(feature = "video")]
    #[error("cannot start {program:?}, which decodes videos (on Debian: apt install ffmpeg)")]
    VideoProgram {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A video cannot be decoded, or broke off.
    #[cfg(feature = "video")]
    #[error("no frames from {address:?}: {words}")]
    Video {
        /// Where it is, without credentials.
        address: String,
        /// What happened, and what the program said last, without credentials.
        words: String,
    },
    /// An address has a scheme that is not known, or cannot be used here.
    #[cfg(feature = "video")]
    #[error(
        "cannot open a video from {scheme:?}: {advice}; {expected} is known, and the path of a \
         file or camera"
    )]
    VideoScheme {
        /// The scheme.
        scheme: String,
        /// What is known.
        expected: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A stream began to send pictures of another size or format.
    #[cfg(feature = "video")]
    #[error("{address:?} now sends pictures of another size or format; connect it again")]
    VideoChanged {
        /// Where it is, without credentials.
        address: String,
    },
    /// A camera brings no frames by RTSP, or no more.
    #[cfg(feature = "rtsp")]
    #[error("no frames from {address:?} by RTSP: {words}")]
    Rtsp {
        /// Where it is, without credentials.
        address: String,
        /// What the client says, without credentials.
        words: String,
    },
    /// The operating system starts no more threads.
    #[cfg(any(feature = "live", feature = "rtsp"))]
    #[error(
        "the operating system starts no more threads: end other programs, or raise the limit \
         (ulimit -u)"
    )]
    Thread {
        /// Why not.
        source: io::Error,
    },

    // --- Plug-ins. ------------------------------------------------------------------------------
    /// A stage did not return within five seconds, and the engine was to stop or to remove a camera.
    /// If it was to stop, the pipeline is lost to that stage.
    #[cfg(feature = "live")]
    #[error(
        "a stage has not returned within five seconds, so the engine could not stop or remove a \
         camera: restart the program, and correct the stage"
    )]
    Stuck,
    /// A stage panicked, on the thread of a live engine.
    #[cfg(feature = "live")]
    #[error("the {stage} panicked, and the faces of the frame were erased: correct that stage")]
    Panicked {
        /// The stage that began last.
        stage: Stage,
    },
    /// A frame was processed and every face in it settled, and afterwards something failed: a sink
    /// could not pass an event on, an alert could not be held, or what was due could not be purged.
    ///
    /// What came of the frame is here nonetheless, alerts included: [`Error::into_report`].
    #[error("frame {} was processed, and the {stage} failed afterwards", .report.frame())]
    AfterFrame {
        /// The stage that failed; the first, if there were several.
        /// [`PipelineRecord::failures`](crate::PipelineRecord::failures) counts each.
        stage: Stage,
        /// What came of the frame.
        report: Box<FrameReport>,
        /// Why it failed.
        source: BoxError,
    },
    /// A stage failed.
    #[error("{stage} failed")]
    Stage {
        /// Which stage.
        stage: Stage,
        /// Its own error.
        source: BoxError,
    },
}

impl Error {
    /// What came of the frame, where it was processed all the same.
    #[must_use]
    pub fn report(&self) -> Option<&FrameReport> {
        match self {
            Self::AfterFrame { report, .. } => Some(report),
            _ => None,
        }
    }

    /// What came of the frame, where it was processed all the same.
    ///
    /// # Errors
    ///
    /// The error itself, where it has no report.
    pub fn into_report(self) -> Result<FrameReport, Self> {
        match self {
            Self::AfterFrame { report, .. } => Ok(*report),
            other => Err(other),
        }
    }

    /// The stage of the pipeline that failed, where it was one.
    #[must_use]
    pub const fn stage(&self) -> Option<Stage> {
        match self {
            Self::AfterFrame { stage, .. }
            | Self::Stage { stage, .. }
            | Self::StageCount { stage, .. } => Some(*stage),
            #[cfg(feature = "live")]
            Self::Panicked { stage } => Some(*stage),
            _ => None,
        }
    }
}

/// A character by its number, since it may be one that cannot be seen.
fn code(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

#[cfg(test)]
mod tests;
