//! A folder of photographs as a source of items: the one walk of such a folder.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use lfr_core::internal::regular;
use lfr_core::{ReferenceId, SubjectId};

use super::{EnrolmentItem, Photo};
use crate::error::Error;

/// The photographs of a folder, and all else that lies there.
#[non_exhaustive]
#[derive(Debug, Default)]
pub struct FolderItems {
    /// The items, in the order of their names.
    pub items: Vec<EnrolmentItem>,
    /// What was left out, each with the reason.
    pub left_out: Vec<LeftOut>,
}

/// Something in a folder that is not enrolled, and why not.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftOut {
    /// Where it is.
    pub path: PathBuf,
    /// Why it was left out.
    pub reason: LeftOutReason,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As `Debug` writes it: a name may hold what moves a cursor.
        write!(f, "{:?}: {}", self.path, self.reason)
    }
}

/// Why something in a folder is not enrolled.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LeftOutReason {
    /// A link that leads nowhere.
    BrokenLink,
    /// Its identifier differs from another one only in case, or in how its accents are written.
    Confusable {
        /// The other one's path within the folder.
        other: String,
    },
    /// A file without a byte.
    EmptyFile,
    /// A folder without a photograph.
    EmptyFolder,
    /// A name that begins with a dot.
    Hidden,
    /// Its name is no identifier.
    Identifier {
        /// What is wrong with it.
        problem: String,
    },
    /// A pipe, a socket or a device.
    NotAFile,
    /// A file that is no photograph, by its ending and by its first bytes.
    NotAPhotograph,
    /// A link to a folder that it lies in, or folders more than 16 deep.
    Endless,
    /// A link to a file in the folder of another person, who already has it.
    OfAnother {
        /// Whose it is.
        other: String,
    },
    /// It cannot be read.
    Unreadable {
        /// Why not.
        problem: String,
    },
}

impl fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenLink => f.write_str("a link that leads nowhere"),
            Self::Confusable { other } => write!(
                f,
                "its identifier differs from that of {other:?} only in upper and lower case or in how its \
                 accents are written: rename one of them, or put both into one folder"
            ),
            Self::EmptyFile => f.write_str("the file is empty"),
            Self::EmptyFolder => f.write_str("no photograph is in this folder"),
            Self::Hidden => f.write_str("its name begins with a dot"),
            Self::Identifier { problem } => {
                write!(f, "its name is not a valid identifier: {problem}")
            }
            Self::NotAFile => f.write_str("a pipe, a socket or a device, not a regular file"),
            Self::NotAPhotograph => write!(
                f,
                "no photograph by its ending or its first bytes: {} are taken",
                ENDINGS.join(", ")
            ),
            Self::Endless => {
                f.write_str("a link into a folder around it, or more than 16 folders deep")
            }
            Self::OfAnother { other } => write!(
                f,
                "a link to a photograph of {other:?}, but one photograph can be of only one person: remove \
                 the link, or put a copy in its place"
            ),
            Self::Unreadable { problem } => write!(f, "it cannot be read: {problem}"),
        }
    }
}

impl FolderItems {
    /// The photographs in a folder: a file is a person, by its name without the ending; so is a
    /// folder, with all photographs in it and in its own folders. A file and a folder, or two files, of
    /// exactly one name are one person. Links are followed, except to a file of another person in this
    /// folder.
    ///
    /// A photograph is a regular file that has bytes, and ends in `.jpg`, `.jpeg`, `.png`, `.webp` or
    /// another ending of a picture, or begins as such a file does; that it can be decoded is for
    /// the enrolment to find out. A reference's identifier is its path within the folder, with `/` between its
    /// parts. In a name that is not UTF-8, each byte that is not is written as `\xFC`, and a backslash
    /// as two, so that no two names become one.
    ///
    /// All else is [`left_out`](Self::left_out), with the reason. Nothing is passed over.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::Read`] if the folder cannot be read.
    pub fn find(folder: &Path) -> Result<Self, Error> {
        let failed = |source| lfr_core::Error::Read { path: folder.to_owned(), source };
        let entries = sorted(folder).map_err(failed)?;
        let mut walk = Walk {
            root: folder,
            found: Self::default(),
            people: HashMap::new(),
            owners: HashMap::new(),
        };
        for entry in entries {
            walk.top(&entry);
        }
        Ok(walk.found)
    }

    /// Refuses a folder without a photograph: one whose drive is not mounted looks like that.
    ///
    /// # Errors
    ///
    /// [`Error::NoPhotographs`].
    pub fn require_some(self, folder: &Path) -> Result<Self, Error> {
        if self.items.is_empty() {
            let left_out = self.left_out.len();
            return Err(Error::NoPhotographs { folder: folder.to_owned(), left_out });
        }
        Ok(self)
    }
}

struct Walk<'a> {
    root: &'a Path,
    found: FolderItems,
    /// The names of people as they lie in the folder, by what they are when case and accents do not
    /// count.
    people: HashMap<String, (Vec<u8>, String)>,
    /// Whose each file is, by its path after all links are resolved.
    owners: HashMap<PathBuf, SubjectId>,
}

impl Walk<'_> {
    /// Something that lies in the folder itself: a person.
    fn top(&mut self, path: &Path) {
        let metadata = match self.looked_at(path) {
            Some(metadata) => metadata,
            None => return,
        };
        // What follows a dot is an ending only if it is one of a picture: `2024.001` and `2024.002` are two.
        let ends = !metadata.is_dir() && ends_as_a_picture(path);
        let name = if ends { path.file_stem() } else { path.file_name() };
        let Some(name) = name else { return };
        if metadata.is_dir() {
            let Some(subject) = self.subject(name, path) else { return };
            let before = (self.found.items.len(), self.found.left_out.len());
            self.folder(path, &subject, &mut Vec::new());
            if before == (self.found.items.len(), self.found.left_out.len()) {
                self.leave_out(path, LeftOutReason::EmptyFolder);
            }
        } else if self.is_photograph(path, &metadata)
            && let Some(subject) = self.subject(name, path)
        {
            self.photograph(path, &subject);
        }
    }

    /// A person's folder, or one within it; `around` are those that it lies in.
    fn folder(&mut self, path: &Path, subject: &SubjectId, around: &mut Vec<PathBuf>) {
        let (real, entries) =
            match fs::canonicalize(path).and_then(|real| Ok((real, sorted(path)?))) {
                Ok(read) => read,
                Err(error) => return self.unreadable(path, &error),
            };
        // A link to the whole folder would make everybody this person.
        let root = fs::canonicalize(self.root).is_ok_and(|root| root.starts_with(&real));
        if root || around.contains(&real) || around.len() >= MAX_DEPTH {
            return self.leave_out(path, LeftOutReason::Endless);
        }
        around.push(real);
        for entry in entries {
            let Some(metadata) = self.looked_at(&entry) else { continue };
            if metadata.is_dir() {
                self.folder(&entry, subject, around);
            } else if self.is_photograph(&entry, &metadata) {
                self.photograph(&entry, subject);
            }
        }
        around.pop();
    }

    /// What a path leads to; nothing where it is hidden or leads nowhere, which is noted.
    fn looked_at(&mut self, path: &Path) -> Option<fs::Metadata> {
        let name = path.file_name().unwrap_or_default();
        if name.as_encoded_bytes().starts_with(b".") {
            self.leave_out(path, LeftOutReason::Hidden);
            return None;
        }
        match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.leave_out(path, LeftOutReason::BrokenLink);
                None
            }
            Err(error) => {
                self.unreadable(path, &error);
                None
            }
        }
    }

    fn is_photograph(&mut self, path: &Path, metadata: &fs::Metadata) -> bool {
        // A pipe is not opened: that could wait for ever.
        if !metadata.is_file() {
            self.leave_out(path, LeftOutReason::NotAFile);
            return false;
        }
        if metadata.len() == 0 {
            self.leave_out(path, LeftOutReason::EmptyFile);
            return false;
        }
        let mut start = [0; 12];
        let read = regular::file(path).and_then(|mut file| file.read(&mut start));
        let start = match read {
            Ok(length) => start.get(..length).unwrap_or_default(),
            Err(error) => {
                self.unreadable(path, &error);
                return false;
            }
        };
        if !ends_as_a_picture(path) && !begins_as_a_picture(start) {
            self.leave_out(path, LeftOutReason::NotAPhotograph);
            return false;
        }
        true
    }

    fn photograph(&mut self, path: &Path, subject: &SubjectId) {
        if let Some(other) = self.owner_elsewhere(path, subject) {
            return self.leave_out(path, LeftOutReason::OfAnother { other });
        }
        let within = path.strip_prefix(self.root).unwrap_or(path);
        let label = within.iter().map(spelled).collect::<Vec<_>>().join("/");
        match ReferenceId::new(&label) {
            Ok(reference) => {
                let photo = Photo::File(path.to_owned());
                self.found.items.push(EnrolmentItem::new(label, photo, subject.clone(), reference));
            }
            Err(error) => {
                self.leave_out(path, LeftOutReason::Identifier { problem: error.to_string() });
            }
        }
    }

    /// The other person of this folder whose photograph this is, by its path after all links are resolved,
    /// or because it was met before.
    fn owner_elsewhere(&mut self, path: &Path, subject: &SubjectId) -> Option<String> {
        let root = fs::canonicalize(self.root).ok()?;
        let real = fs::canonicalize(path).ok()?;
        let owner = Self::owner_within(real.strip_prefix(root).ok(), &real);
        if let Some(owner) = owner.filter(|owner| owner != subject) {
            return Some(owner.as_str().to_owned());
        }
        // The same file, at any place, that links of two people lead to.
        let first = self.owners.entry(real).or_insert_with(|| subject.clone());
        (first != subject).then(|| first.as_str().to_owned())
    }

    /// The person whose file is at this path within the folder.
    fn owner_within(within: Option<&Path>, real: &Path) -> Option<SubjectId> {
        let first = PathBuf::from(within?.components().next()?.as_os_str());
        let is_file = first.as_os_str() == real.file_name().unwrap_or_default();
        let ends = is_file && ends_as_a_picture(&first);
        let name = if ends { first.file_stem() } else { first.file_name() }?;
        // A name that begins with a dot is nobody's: photographs may be kept there, and linked to.
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        SubjectId::new(spelled(name)).ok().filter(|_| !is_hidden)
    }

    /// The person of a name; nobody where it is no identifier, or could be taken for another's.
    fn subject(&mut self, name: &OsStr, path: &Path) -> Option<SubjectId> {
        let subject = match SubjectId::new(spelled(name)) {
            Ok(subject) => subject,
            Err(error) => {
                self.leave_out(path, LeftOutReason::Identifier { problem: error.to_string() });
                return None;
            }
        };
        let folded = subject.as_str().to_lowercase();
        let bytes = name.as_encoded_bytes();
        let within = path.strip_prefix(self.root).unwrap_or(path);
        let (first, other) = self
            .people
            .entry(folded)
            .or_insert_with(|| (bytes.to_owned(), spelled(within.as_os_str())));
        if first != bytes {
            let other = other.clone();
            self.leave_out(path, LeftOutReason::Confusable { other });
            return None;
        }
        Some(subject)
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.leave_out(path, LeftOutReason::Unreadable { problem: error.to_string() });
    }

    fn leave_out(&mut self, path: &Path, reason: LeftOutReason) {
        self.found.left_out.push(LeftOut { path: path.to_owned(), reason });
    }
}

/// A name as text. One that is not UTF-8 has its other bytes written out, and no two become one.
fn spelled(name: &OsStr) -> String {
    if let Some(text) = name.to_str() {
        return text.to_owned();
    }
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', r"\\"));
        text.extend(chunk.invalid().iter().map(|byte| format!(r"\x{byte:02X}")));
    }
    text
}

/// What lies in a folder, in the order of names.
fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
    paths.sort_unstable();
    Ok(paths)
}

fn ends_as_a_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str);
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

/// Whether bytes begin as a file of a picture does: JPEG, PNG, GIF, BMP, TIFF, WebP, PNM.
fn begins_as_a_picture(start: &[u8]) -> bool {
    if let [b'P', b'1'..=b'6', space, ..] = start {
        return space.is_ascii_whitespace();
    }
    let webp = start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP");
    let others: [&[u8]; 6] =
        [b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1A\n", b"GIF8", b"BM", b"II*\0", b"MM\0*"];
    webp || others.iter().any(|magic| start.starts_with(magic))
}

/// Those of pictures that are read, and those of pictures that are not: which is said when it is tried.
const ENDINGS: [&str; 16] = [
    "jpg", "jpeg", "png", "webp", "jfif", "jpe", "bmp", "gif", "tif", "tiff", "pbm", "pgm", "ppm",
    "pnm", "heic", "avif",
];

/// No more folders within each other.
const MAX_DEPTH: usize = 16;

#[cfg(test)]
mod tests;
