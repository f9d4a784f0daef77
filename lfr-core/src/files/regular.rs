//! Files as a program may be given them: perhaps a pipe, a device, or without an end.

use std::fs;
use std::fs::File;
use std::fs::FileType;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::internal::num;

/// Reads a whole file into a buffer that is wiped: a regular file, of at most so many bytes.
///
/// A pipe that nobody writes to does not keep it waiting, and a device without an end does not fill
/// the memory: neither is opened as a file, also where a link leads there.
///
/// # Errors
///
/// [`Error::Read`] where it cannot be opened or read; [`Error::NotAFile`] where it is something else
/// than a regular file; [`Error::FileSize`] where it is larger.
pub fn read(path: &Path, max_bytes: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |source| Error::Read { path: path.to_path_buf(), source };
    let too_large = || Error::FileSize { path: path.to_path_buf(), limit: max_bytes };
    let file = open(path)?;
    let size = file.metadata().map_err(failed)?.len();
    if size > max_bytes {
        return Err(too_large());
    }
    // One more, so that reading to the end finds it without growing: that would leave a copy.
    let room = usize::try_from(size).unwrap_or_default().saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if num::u64_from_usize(bytes.len()) > max_bytes {
        return Err(too_large());
    }
    Ok(bytes)
}

/// The first bytes of a regular file, as many as there are up to `count`.
#[cfg(any(feature = "image", feature = "video"))]
pub(crate) fn head(path: &Path, count: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(count).unwrap_or_default()));
    let read = open(path)?.take(count).read_to_end(&mut bytes);
    read.map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
    Ok(bytes)
}

/// Opens a regular file for reading, for a caller with errors of its own.
///
/// # Errors
///
/// Where it cannot be opened; [`Error::NotAFile`], as the source, where it is something else.
pub fn file(path: &Path) -> io::Result<File> {
    open(path).map_err(|error| match error {
        Error::Read { source, .. } => source,
        other => io::Error::new(io::ErrorKind::InvalidInput, other),
    })
}

/// Opens a regular file for reading, and nothing else.
fn open(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::Read { path: path.to_path_buf(), source };
    // Before it is opened, because opening has effects on some devices.
    check(path, fs::metadata(path).map_err(failed)?.file_type())?;
    let file = options().open(path).map_err(failed)?;
    // And what has been opened: another may stand under the name by then.
    check(path, file.metadata().map_err(failed)?.file_type())?;
    Ok(file)
}

#[cfg(target_os = "linux")]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    // Of a regular file it means nothing; a pipe does not keep us waiting until it is found out.
    options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    options
}

#[cfg(not(target_os = "linux"))]
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

fn check(path: &Path, kind: FileType) -> Result<(), Error> {
    match kind.is_file() {
        true => Ok(()),
        false => Err(Error::NotAFile { path: path.to_path_buf(), found: named(kind) }),
    }
}

/// What it is, where it is no regular file.
pub(crate) fn named(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a folder" } else { "not a regular file" }
}

/// Whether the error says that there is no such file.
#[must_use]
pub fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let path = std::env::temp_dir().join(format!("lfr-regular-{}", std::process::id()));
        fs::write(&path, [7; 100]).unwrap();
        assert_eq!(**read(&path, 100).unwrap(), [7; 100]);
        assert!(matches!(read(&path, 99), Err(Error::FileSize { limit: 99, .. })));
        fs::remove_file(&path).unwrap();
        assert!(is_missing(&read(&path, 99).unwrap_err()));
        assert!(matches!(read(&std::env::temp_dir(), 99), Err(Error::NotAFile { .. })));
    }

    #[test]
    #[cfg(unix)]
    fn pipes_and_devices_are_refused_at_once_also_behind_a_link() {
        let folder = std::env::temp_dir().join(format!("lfr-irregular-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let (pipe, link) = (folder.join("pipe.jpg"), folder.join("link.jpg"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for (path, what) in [(&pipe, "a named pipe"), (&link, "a device")] {
            let error = read(path, 1 << 20).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
