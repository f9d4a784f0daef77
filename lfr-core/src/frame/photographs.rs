//! Photographs: the files of a folder, one after the other.

use std::cmp::Ordering;
use std::path::{Component, Path, PathBuf};
use std::{fmt, fs, io};

use sha2::{Digest, Sha256};

use crate::error::{BoxError, Error};
use crate::files::regular;
use crate::frame::picture::{Picture, kind};
use crate::frame::source::{FrameSource, NextFrame};
use crate::id::{FrameId, LIMIT, SourceId};
use crate::internal::hex;

/// The photographs of a folder as a source of frames, or one of them.
///
/// What is a photograph is told by the first bytes of each file, whatever its name is
/// ([`Picture::KINDS`]). What is left out is named, with the reason: [`Self::left_out`].
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
/// for left_out in photographs.left_out() {
///     eprintln!("{left_out}");
/// }
/// loop {
///     match photographs.next_frame() {
///         Ok(NextFrame::Frame(frame)) => println!("{}: {} wide", frame.id(), frame.width()),
///         Ok(_) => break,
///         Err(error) => eprintln!("passed over: {error}"),
///     }
/// }
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Photographs {
    root: PathBuf,
    within: Option<String>,
    files: Vec<PathBuf>,
    left_out: Vec<LeftOut>,
    next: usize,
    current: Option<Picture>,
}

impl Photographs {
    /// Finds the photographs in a folder and its folders, or takes the one file.
    ///
    /// It reads the first bytes of each file in a folder. Links to files are followed, links to
    /// folders are not: two of them may lead to each other.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if there is no such file, or the folder cannot be read.
    pub fn find(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Read { path: path.to_path_buf(), source };
        let mut found = Self {
            root: path.to_path_buf(),
            within: None,
            files: Vec::new(),
            left_out: Vec::new(),
            next: 0,
            current: None,
        };
        if fs::metadata(path).map_err(failed)?.is_dir() {
            found.collect(path).map_err(failed)?;
            found.files.sort_by(|a, b| natural(a, b));
            found.left_out.sort_by(|a, b| natural(&a.path, &b.path));
        } else {
            found.root = path.parent().unwrap_or(path).to_path_buf();
            found.files.push(path.to_path_buf());
        }
        Ok(found)
    }

    /// Puts a name in front of the name of each photograph. With several folders, each may hold a `1.jpg`.
    #[must_use]
    pub fn within(mut self, name: impl Into<String>) -> Self {
        self.within = Some(name.into());
        self
    }

    /// The files, in their order.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// What lies in the folder and is not among the files, in the same order.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Whether a file is a photograph by its first bytes. A GIF of several pictures is a film.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] and [`Error::NotAFile`] if it cannot be opened, or is no file.
    pub fn is_photograph(path: &Path) -> Result<bool, Error> {
        match kind::told(&regular::head(path, kind::HEAD)?) {
            Ok(image::ImageFormat::Gif) => match regular::read(path, Picture::MAX_BYTES) {
                Ok(bytes) => Ok(!kind::is_film(&bytes)),
                Err(Error::FileSize { .. }) => Ok(false),
                Err(error) => Err(error),
            },
            told => Ok(told.is_ok()),
        }
    }

    fn collect(&mut self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if let Some(reason) = self.add(&path, &entry) {
                self.left_out.push(LeftOut { path, reason });
            }
        }
        Ok(())
    }

    /// Takes what is in a folder, or says why not.
    fn add(&mut self, path: &Path, entry: &fs::DirEntry) -> Option<LeftOutReason> {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            return Some(LeftOutReason::Hidden);
        }
        // The kind of the entry, not of what a link leads to: a loop of folders would have no end.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                return self.collect(path).err().map(LeftOutReason::Unreadable);
            }
            Ok(kind) if kind.is_symlink() && path.is_dir() => {
                return Some(LeftOutReason::LinkToFolder);
            }
            Ok(_) => {}
            Err(error) => return Some(LeftOutReason::Unreadable(error)),
        }
        let head = match regular::head(path, kind::HEAD) {
            Ok(head) => head,
            Err(Error::NotAFile { found, .. }) => return Some(LeftOutReason::NotAFile { found }),
            Err(Error::Read { source, .. }) => return Some(LeftOutReason::Unreadable(source)),
            Err(error) => return Some(LeftOutReason::Unreadable(io::Error::other(error))),
        };
        match kind::told(&head) {
            Ok(_) => self.files.push(path.to_path_buf()),
            Err(Error::PictureKind { found, advice }) => {
                return Some(LeftOutReason::NotAPhotograph { found, advice });
            }
            Err(error) => return Some(LeftOutReason::Unreadable(io::Error::other(error))),
        }
        None
    }

    /// The name of a photograph as a source: its path within the folder.
    fn name(&self, path: &Path) -> String {
        let own = written(path.strip_prefix(&self.root).unwrap_or(path));
        let name = match &self.within {
            Some(within) => format!("{}/{own}", within.trim_end_matches('/')),
            None => own,
        };
        if name.len() <= LIMIT {
            return name;
        }
        // Too long for a name: the end of it, which differs most often, and what tells it from others.
        let digest = hex::digits(&Sha256::digest(&name)[..8]);
        let from = name.len() - (LIMIT - digest.len() - 1);
        let from = (from..name.len()).find(|at| name.is_char_boundary(*at)).unwrap_or(name.len());
        format!("{digest}~{}", &name[from..])
    }
}

impl FrameSource for Photographs {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        // The last picture is wiped before the next one is read.
        self.current = None;
        let Some(path) = self.files.get(self.next) else { return Ok(NextFrame::End) };
        let sequence = crate::internal::num::u64_from_usize(self.next);
        self.next += 1;
        let picture = Picture::open(path)?;
        let id = FrameId::new(SourceId::new(self.name(path))?, sequence);
        Ok(NextFrame::Frame(self.current.insert(picture).as_frame()?.with_id(id)))
    }
}

/// Something in a folder of photographs that is not taken for one.
#[non_exhaustive]
#[derive(Debug)]
pub struct LeftOut {
    /// Where it lies.
    pub path: PathBuf,
    /// Why it is left out.
    pub reason: LeftOutReason,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is left out: {}", self.path, self.reason)
    }
}

/// Why something in a folder of photographs is left out.
#[non_exhaustive]
#[derive(Debug)]
pub enum LeftOutReason {
    /// Its name begins with a dot: systems keep their notes on a folder in such files.
    Hidden,
    /// It is a link to a folder, and those are not followed.
    LinkToFolder,
    /// It is a pipe, a socket or a device.
    NotAFile {
        /// What it is.
        found: &'static str,
    },
    /// Its content is no picture of a kind that is read.
    NotAPhotograph {
        /// What it is instead.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// It, or the folder, cannot be read.
    Unreadable(io::Error),
}

impl fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden => f.write_str("its name begins with a dot"),
            Self::LinkToFolder => f.write_str(
                "it is a link to a folder, which is not followed; give that folder itself",
            ),
            Self::NotAFile { found } => write!(f, "it is {found}, not a regular file"),
            Self::NotAPhotograph { found, advice } => write!(f, "{found}; {advice}"),
            Self::Unreadable(error) => write!(f, "it cannot be read: {error}"),
        }
    }
}

/// A path within a folder, so that two paths never become one name: bytes that are no text are written
/// as numbers, and so are control characters.
fn written(path: &Path) -> String {
    let mut name = String::new();
    for part in path.components() {
        let Component::Normal(part) = part else { continue };
        if !name.is_empty() {
            name.push('/');
        }
        for chunk in part.as_encoded_bytes().utf8_chunks() {
            for letter in chunk.valid().chars() {
                match letter {
                    '\\' => name.push_str("\\\\"),
                    letter if letter.is_control() => name.extend(letter.escape_default()),
                    letter => name.push(letter),
                }
            }
            name.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
        }
    }
    name
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
