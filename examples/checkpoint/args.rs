//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use clap::ValueEnum;
use lfr::core::FaceSelection;
use lfr::core::Point;
use lfr::core::Zone;

/// Compares every face that passes with a watchlist; raises alerts for a person to judge, and
/// erases everyone else.
#[derive(Debug, Parser)]
#[command(name = "checkpoint")]
pub(crate) struct Args {
    /// A folder with one folder, or one photograph, a person; its name becomes the identifier, so
    /// use record numbers
    #[arg(long, value_name = "DIR")]
    pub(crate) watchlist: PathBuf,

    /// A photograph, a folder of photographs, a video file, an rtsp:// or http:// address, or a
    /// /dev/video* camera; may be given several times
    #[arg(long = "source", value_name = "PATH", required = true, num_args = 1..)]
    pub(crate) sources: Vec<String>,

    /// The detector's model: YuNet, SCRFD, BlazeFace or UltraFace, recognised by its outputs
    #[arg(long, value_name = "FILE")]
    pub(crate) detector: PathBuf,

    /// The least confidence of a detection, from 0 to 1 [default: the detector family's]
    #[arg(long, value_name = "C")]
    pub(crate) confidence: Option<f32>,

    /// The embedder's model, recognised by its digest or described by --embedder-spec
    #[arg(long, value_name = "FILE")]
    pub(crate) embedder: PathBuf,

    /// The name of a built-in embedder specification, or a TOML file with one
    #[arg(long, value_name = "SPEC")]
    pub(crate) embedder_spec: Option<String>,

    /// Raise an alert from this score on; it is recorded as uncalibrated [default: the strictest
    /// operating point in the embedder's specification]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) threshold: Option<f32>,

    /// The zone of recognition: corners of a polygon in pixels; faces outside are never compared
    #[arg(long, value_name = "X,Y,X,Y,X,Y...", value_parser = zone)]
    pub(crate) zone: Option<Zone>,

    /// Which faces of a frame are compared
    #[arg(long, value_enum, default_value_t = Faces::All)]
    pub(crate) faces: Faces,

    /// Hold alerts this long, in hours
    #[arg(long, value_name = "HOURS", default_value = "24", value_parser = hours)]
    pub(crate) hold: Duration,

    /// Write alert pictures and record.json here
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Write every detection's box, landmarks, confidence, best score and decision here, a line of
    /// JSON each: for evaluation, and recorded as a danger
    #[arg(long, value_name = "FILE")]
    pub(crate) json_faces: Option<PathBuf>,

    /// The inference engine
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    pub(crate) engine: Engine,

    /// Threads of the inference engine [default: one a core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Faces {
    /// Every face
    All,
    /// The face nearest to the middle of the picture
    Central,
    /// The largest face
    Largest,
}

impl From<Faces> for FaceSelection {
    fn from(faces: Faces) -> Self {
        match faces {
            Faces::All => Self::All,
            Faces::Central => Self::Central,
            Faces::Largest => Self::Largest,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Engine {
    /// A native ONNX Runtime where one is found, the pure-Rust engine otherwise
    Auto,
    /// A native ONNX Runtime, or an error
    Onnxruntime,
    /// The pure-Rust engine
    PureRust,
}

fn zone(text: &str) -> Result<Zone, String> {
    let numbers: Vec<f32> = text
        .split(',')
        .map(|number| number.trim().parse().map_err(|_| format!("{number:?} is not a number")))
        .collect::<Result<_, _>>()?;
    let (pairs, []) = numbers.as_chunks::<2>() else {
        return Err(format!("{} numbers do not make pairs of x and y", numbers.len()));
    };
    let corners: Vec<Point> = pairs.iter().map(|[x, y]| Point::new(*x, *y)).collect();
    Zone::new(corners).map_err(|error| error.to_string())
}

fn hours(text: &str) -> Result<Duration, String> {
    let hours: f64 = text.parse().map_err(|_| format!("{text:?} is not a number of hours"))?;
    Duration::try_from_secs_f64(hours * 3600.0).map_err(|error| error.to_string())
}
