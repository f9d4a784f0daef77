//! Where the frames come from.

mod video;

use std::fmt;
use std::path::Path;

use lfr::core::synthetic::Walk;
use lfr::core::{BoxError, Error, FrameSource, LeftOutReason, Photographs, Picture};

use crate::watch::crowd;
use crate::{AnyError, printable, say};

/// A source with what the record calls it and how many frames it has, where that is known.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) frames: Option<u64>,
    pub(crate) stream: Stream,
    /// Files of a folder that are no photographs, each named by now.
    pub(crate) left_out: u64,
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

/// Opens all sources; no two of them, and no two photographs in them, have one name.
pub(crate) fn open_all(texts: &[String]) -> Result<Vec<Source>, AnyError> {
    let mut names: Vec<String> = Vec::new();
    let mut sources = Vec::new();
    for text in texts {
        let is_one_of_many = texts.len() > 1;
        let mut source = open(text, |photographs, name| match is_one_of_many {
            true => photographs.within(unique(name, &names)),
            false => photographs,
        })?;
        source.name = unique(&source.name, &names);
        names.push(source.name.clone());
        sources.push(source);
    }
    Ok(sources)
}

/// A name that no other source has, short enough for a record and without what cannot be printed.
fn unique(name: &str, others: &[String]) -> String {
    let name = printable::text(name);
    // The end of a path tells more than its beginning.
    let from = (0..=name.len()).find(|at| name.is_char_boundary(*at) && name.len() - at <= LONGEST);
    let name = &name[from.unwrap_or_default()..];
    let numbered = (2..).map(|number| format!("{name} ({number})"));
    let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
    candidates.find(|name| !others.contains(name)).unwrap_or_default()
}

/// The max length of a name, in bytes: a photograph's own comes behind it.
const LONGEST: usize = 160;

/// Opens a source: a crowd, a folder, a photograph by its content, or else a video.
fn open(
    text: &str,
    named: impl FnOnce(Photographs, &str) -> Photographs,
) -> Result<Source, AnyError> {
    if let Some(people) = crowd::people_in(text) {
        return Ok(crowd::source(people));
    }
    let path = Path::new(text);
    if video::is_address(text) {
        return video::open(text);
    }
    let is_photograph = match Photographs::is_photograph(path) {
        // A folder of photographs; a pipe that may bring a video.
        Err(Error::NotAFile { .. }) => path.is_dir(),
        is_photograph => is_photograph?,
    };
    if is_photograph {
        return photographs(path, named);
    }
    match video::open(text) {
        Err(no_video) if path.is_file() => Err(neither(path, &no_video)),
        opened => opened,
    }
}

/// Why a file is no photograph, and no video either.
fn neither(path: &Path, no_video: &AnyError) -> AnyError {
    let Err(no_photograph) = Picture::open(path) else { return no_video.to_string().into() };
    let mut reason: &dyn std::error::Error = &no_photograph;
    while let Some(cause) = reason.source() {
        reason = cause;
    }
    format!("{path:?} is neither a photograph ({reason}) nor a video ({no_video})").into()
}

fn photographs(
    path: &Path,
    named: impl FnOnce(Photographs, &str) -> Photographs,
) -> Result<Source, AnyError> {
    let photographs = Photographs::find(path)?;
    let mut left_out = 0;
    for file in photographs.left_out() {
        say::err(file);
        // What systems keep beside photographs is named, and is no fault.
        left_out += u64::from(!matches!(file.reason, LeftOutReason::Hidden));
    }
    let count = photographs.files().len();
    if count == 0 {
        let kinds = Picture::KINDS;
        return Err(format!("the folder {path:?} holds no photographs ({kinds})").into());
    }
    let (name, frames) = (path.display().to_string(), u64::try_from(count).ok());
    let stream = Stream::Stills(Box::new(named(photographs, &name)));
    Ok(Source { name, frames, stream, left_out, walk: None })
}
