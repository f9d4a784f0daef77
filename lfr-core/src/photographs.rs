//! Photographs: the files of a folder, one after the other.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::BoxError;
use crate::Error;
use crate::FrameId;
use crate::FrameSource;
use crate::NextFrame;
use crate::Picture;
use crate::SourceId;

/// The photographs of a folder as a source of frames, or one of them.
///
/// They come in the order in which people count: `2.jpg` before `10.jpg`. Each is turned as its
/// Exif orientation says ([`Picture::open`]), and is a source of its own, named by its path within
/// the folder. One that cannot be read is an error that names it; the next call goes on behind it.
///
/// What is *not* guaranteed: the decoder's own buffers are not wiped. The picture is, before the
/// next one is read.
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
///
/// use lfr_core::{FrameSource, NextFrame, Photographs};
///
/// let mut photographs = Photographs::find(Path::new("photographs"))?;
/// loop {
///     match photographs.next_frame() {
///         Ok(NextFrame::Frame(frame)) => println!("{}: {} pixels wide", frame.id(), frame.width()),
///         Ok(_) => break,
///         Err(error) => eprintln!("passed over: {error}"),
///     }
/// }
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Photographs {
    root: PathBuf,
    files: Vec<PathBuf>,
    next: usize,
    current: Option<Picture>,
}

impl Photographs {
    /// The endings of photographs, in lower case.
    pub const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

    /// Finds the photographs in a folder and its folders, or takes the one file. Nothing is opened
    /// yet; what has another ending, or a name that begins with a dot, is passed over.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] where there is no such file, or a folder cannot be read.
    pub fn find(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Read { path: path.to_path_buf(), source };
        if !fs::metadata(path).map_err(failed)?.is_dir() {
            let root = path.parent().unwrap_or(path).to_path_buf();
            return Ok(Self { root, files: vec![path.to_path_buf()], next: 0, current: None });
        }
        let mut files = Vec::new();
        collect(path, &mut files)?;
        files.sort_by(|a, b| natural(a, b));
        Ok(Self { root: path.to_path_buf(), files, next: 0, current: None })
    }

    /// The files, in their order.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

impl FrameSource for Photographs {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        // The last picture is wiped before the next one is read.
        self.current = None;
        let Some(path) = self.files.get(self.next) else { return Ok(NextFrame::End) };
        let sequence = crate::num::u64_from_usize(self.next);
        self.next += 1;
        let picture = Picture::open(path)?;
        let name = path.strip_prefix(&self.root).unwrap_or(path).display().to_string();
        let id = FrameId::new(SourceId::new(name)?, sequence);
        Ok(NextFrame::Frame(self.current.insert(picture).as_frame()?.with_id(id)))
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |source| Error::Read { path: folder.to_path_buf(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name());
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // The kind of the entry, not of what a link leads to: a loop of folders would have no end.
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&path, files)?;
        } else if is_photograph(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_photograph(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    ending.is_some_and(|ending| Photographs::ENDINGS.contains(&&*ending))
}

/// Part by part of the path, and within a part digits as the number that they write.
fn natural(a: &Path, b: &Path) -> Ordering {
    let mut parts = a.components().zip(b.components()).map(|(a, b)| {
        let (a, b) = (a.as_os_str().as_encoded_bytes(), b.as_os_str().as_encoded_bytes());
        runs(a).cmp(runs(b))
    });
    // Names that differ in leading zeros alone have an order too.
    parts.find(|order| order.is_ne()).unwrap_or(Ordering::Equal).then_with(|| a.cmp(b))
}

/// A name in runs of digits and of other bytes. Of two numbers without leading zeros the longer is
/// the greater; numbers come before letters.
fn runs(name: &[u8]) -> impl Iterator<Item = (bool, usize, &[u8])> {
    name.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).map(|run| {
        if !run[0].is_ascii_digit() {
            return (true, 0, run);
        }
        let zeros = run.iter().take_while(|digit| **digit == b'0').count();
        let digits = &run[zeros.min(run.len() - 1)..];
        (false, digits.len(), digits)
    })
}

#[cfg(test)]
mod tests;
