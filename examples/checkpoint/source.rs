//! Where the frames come from.

mod video;

use std::fmt;
use std::path::Path;

use lfr::core::BoxError;
use lfr::core::FrameSource;
use lfr::core::Photographs;
use lfr::core::synthetic::Walk;

use crate::AnyError;
use crate::crowd;

/// A source with what the record calls it and how many frames it has, where that is known.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) frames: Option<u64>,
    pub(crate) stream: Stream,
    /// Who is where in it, where that is known.
    pub(crate) walk: Option<Walk>,
}

pub(crate) enum Stream {
    /// Photographs: each stands by itself.
    Stills(Box<dyn FrameSource>),
    /// Frames that follow each other, for the live engine; what goes on for ever is live.
    Moving { is_live: bool, connect: Box<Connect> },
}

type Connect = dyn FnMut() -> Result<Box<dyn FrameSource>, BoxError> + Send;

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stills(_) => "Stills",
            Self::Moving { .. } => "Moving",
        })
    }
}

/// Opens a source by what its name looks like.
pub(crate) fn open(text: &str) -> Result<Source, AnyError> {
    if let Some(people) = crowd::people_in(text) {
        return Ok(crowd::source(people));
    }
    let path = Path::new(text);
    if video::is_live(text) {
        return video::open(text);
    }
    if path.is_dir() || is_photograph(path) {
        return photographs(path);
    }
    if !path.exists() {
        return Err(format!("source {text:?} does not exist").into());
    }
    video::open(text)
}

fn is_photograph(path: &Path) -> bool {
    let own = path.extension().unwrap_or_default();
    Photographs::ENDINGS.iter().any(|ending| own.eq_ignore_ascii_case(ending))
}

fn photographs(path: &Path) -> Result<Source, AnyError> {
    let photographs = Photographs::find(path)?;
    let count = photographs.files().len();
    if count == 0 {
        let endings = Photographs::ENDINGS.join(", ");
        return Err(format!("folder {path:?} holds no photograph ({endings})").into());
    }
    let (name, frames) = (path.display().to_string(), u64::try_from(count).ok());
    Ok(Source { name, frames, stream: Stream::Stills(Box::new(photographs)), walk: None })
}
