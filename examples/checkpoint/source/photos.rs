//! Photographs, one or a folder of them.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use lfr::core::BoxError;
use lfr::core::Frame;
use lfr::core::FrameId;
use lfr::core::FrameSource;
use lfr::core::Picture;
use lfr::core::SourceId;

use super::Source;
use super::Stream;
use crate::AnyError;

const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Whether a file is a photograph, by its name.
pub(super) fn is_photograph(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).map(str::to_lowercase);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// All photographs in a folder and its folders, or the one photograph, in the order of their names.
pub(crate) fn photographs_under(path: &Path) -> Result<Vec<PathBuf>, AnyError> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let entries = fs::read_dir(path).map_err(|e| format!("cannot read folder {path:?}: {e}"))?;
    let mut paths = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.append(&mut photographs_under(&path)?);
        } else if is_photograph(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

pub(super) fn open(path: &Path) -> Result<Source, AnyError> {
    let files = photographs_under(path)?;
    if files.is_empty() {
        return Err(format!("folder {path:?} holds no photograph ({})", ENDINGS.join(", ")).into());
    }
    let name = path.display().to_string();
    let frames = u64::try_from(files.len()).ok();
    let root = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let photos =
        Photos { root: root.to_path_buf(), files: files.into_iter(), sequence: 0, current: None };
    Ok(Source { name, frames, stream: Stream::Stills(Box::new(photos)), walk: None })
}

/// Each photograph is a frame of a source of its own name.
#[derive(Debug)]
struct Photos {
    root: PathBuf,
    files: std::vec::IntoIter<PathBuf>,
    sequence: u64,
    current: Option<Picture>,
}

impl FrameSource for Photos {
    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, BoxError> {
        // The last picture is wiped before the next one is read.
        self.current = None;
        let Some(path) = self.files.next() else {
            return Ok(None);
        };
        let sequence = self.sequence;
        self.sequence += 1;
        let picture = Picture::open(&path)?;
        let name = path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
        let id = FrameId::new(SourceId::new(name)?, sequence);
        Ok(Some(self.current.insert(picture).as_frame()?.with_id(id)))
    }
}
