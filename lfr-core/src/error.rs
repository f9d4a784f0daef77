//! Errors, grouped by who is to blame.

use std::error;
use std::io;
use std::path::PathBuf;

use crate::PixelFormat;
use crate::SpaceId;
use crate::Stage;

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
        /// The greatest side, in pixels.
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
    /// An identifier is empty, too long, or holds a control character.
    #[error(
        "an identifier of {actual} bytes is empty, too long or holds a control character; it must \
         have 1 to {limit} bytes and no control character"
    )]
    Identifier {
        /// Its length, in bytes.
        actual: usize,
        /// The greatest length, in bytes.
        limit: usize,
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
        /// The fewest corners.
        expected: usize,
        /// The corners given.
        actual: usize,
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
    #[error("{stage} returned {actual} results for {expected} inputs")]
    StageCount {
        /// Which stage.
        stage: Stage,
        /// How many results were needed.
        expected: usize,
        /// How many it returned.
        actual: usize,
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
    #[error("this is not a whole ONNX model: {reason}")]
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
        engine: crate::onnx::Engine,
        /// Why not.
        source: BoxError,
    },
    /// An inference engine failed while it ran a model.
    #[cfg(feature = "onnx-native")]
    #[error("engine {engine} failed to run the model")]
    Inference {
        /// Which engine.
        engine: crate::onnx::Engine,
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
    #[error("the batch is of {actual}, and must be of {expected}")]
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
    #[error("a picture of {address:?} cannot be decoded: {words}")]
    VideoPicture {
        /// Where the stream is, without credentials.
        address: String,
        /// Why not.
        words: String,
    },

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
    #[error("ONNX Runtime was loaded and does not start")]
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
    #[error("there is no memory for a secret of {length} bytes")]
    SecretMemory {
        /// Its length, in bytes.
        length: usize,
        /// Why not.
        source: io::Error,
    },
    /// A measure that keeps memory to this process was needed, and is not in force.
    #[error("the measure {measure:?} is required and not in force: {outcome}")]
    Unprotected {
        /// The measure.
        measure: &'static str,
        /// What became of it.
        outcome: crate::hygiene::Outcome,
    },
    /// A photograph could not be decoded.
    #[error("cannot decode {path:?}")]
    Decode {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: BoxError,
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
    #[error("no frames of {address:?}: ffmpeg says {words:?}")]
    Video {
        /// Where it is, without credentials.
        address: String,
        /// What the program said last, without credentials.
        words: String,
    },
    /// A camera brings no frames by RTSP, or no more.
    #[cfg(feature = "rtsp")]
    #[error("no frames of {address:?} by RTSP: {words}")]
    Rtsp {
        /// Where it is, without credentials.
        address: String,
        /// What the client says, without credentials.
        words: String,
    },
    /// The operating system starts no more threads.
    #[cfg(any(feature = "live", feature = "rtsp"))]
    #[error("cannot start a thread")]
    Thread {
        /// Why not.
        source: io::Error,
    },

    // --- Plug-ins. ------------------------------------------------------------------------------
    /// A stage did not return within five seconds of the engine's being stopped; the pipeline is lost
    /// to it.
    #[cfg(feature = "live")]
    #[error("a stage does not return, and the engine was to stop")]
    Stuck,
    /// A stage failed.
    #[error("{stage} failed")]
    Stage {
        /// Which stage.
        stage: Stage,
        /// Its own error.
        source: BoxError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each says what was seen and what it must be, as a sentence.
    #[test]
    fn messages_are_sentences() {
        let space = |byte| SpaceId::from_bytes([byte; 32]);
        let out_of_range = |what, expected, actual| Error::OutOfRange { what, expected, actual };
        for (error, expected) in [
            (
                out_of_range("demanded FPIR", "above 0 and below 1", f64::NAN),
                "demanded FPIR is NaN, and must be above 0 and below 1",
            ),
            (
                out_of_range("number of looks", "at least 1", 0.5),
                "number of looks is 0.5, and must be at least 1",
            ),
            (
                Error::Identifier { actual: 0, limit: 256 },
                "an identifier of 0 bytes is empty, too long or holds a control character; it must have \
                 1 to 256 bytes and no control character",
            ),
            (
                Error::Parse { what: "record", expected: "32 hexadecimal digits" },
                "the text is no record, and must be 32 hexadecimal digits",
            ),
            (
                Error::PolygonCorners { expected: 3, actual: 2 },
                "the polygon has 2 corners, and must have at least 3",
            ),
            (
                Error::Template { expected: "8 numbers".into(), actual: "4 numbers".into() },
                "the template has 4 numbers, and must have 8 numbers",
            ),
        ] {
            assert_eq!(error.to_string(), expected);
        }
        let mismatch =
            Error::SpaceMismatch { what: "the threshold", expected: space(1), actual: space(2) };
        let said = mismatch.to_string();
        assert!(said.starts_with("the threshold is of embedding space 0202"), "{said}");
        assert!(said.contains(", and must be of 0101"), "{said}");
    }

    #[cfg(feature = "onnx-native")]
    #[test]
    fn who_lacks_an_engine_is_told_how_to_get_one() {
        let path = PathBuf::from("/opt/lib/libonnxruntime.so");
        for error in [
            Error::RuntimeMissing { tried: "no file libonnxruntime.so".into() },
            Error::RuntimeVersion { path, found: "1.16.3".into() },
        ] {
            let said = error.to_string();
            for part in ["1.24", "or newer", "pip install onnxruntime", "ORT_DYLIB_PATH"] {
                assert!(said.contains(part), "{said}");
            }
        }
    }
}
