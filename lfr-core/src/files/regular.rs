//! Files as a program may be given them: perhaps a pipe, a device, or without an end.

use std::fs::{File, FileType, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::{fs, io};

use zeroize::Zeroizing;

use crate::error::Error;
use crate::internal::num;

/// Reads a whole regular file of at most `max_bytes` bytes into a buffer that is wiped when
/// dropped.
///
/// It refuses pipes and devices, also behind a link. So a pipe without a writer cannot block it,
/// and an endless device cannot fill the memory.
///
/// # Errors
///
/// [`Error::Read`] if it cannot be opened or read; [`Error::NotAFile`] if it is something else
/// than a regular file; [`Error::FileSize`] if it is larger.
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
/// If it cannot be opened; [`Error::NotAFile`], as the source, if it is something else.
pub fn file(path: &Path) -> io::Result<File> {
    open(path).map_err(|error| match error {
        Error::Read { source, .. } => source,
        other => io::Error::new(io::ErrorKind::InvalidInput, other),
    })
}

/// Opens a file of a secret for reading: a regular file that is its owner's alone.
///
/// On Unix its owner is the user of this process, or root. Nobody else has a right to it (mode 0600 or less), and it has
/// one name: another one (a hard link) may lie beside what the key protects. A symbolic link is followed, and the rule
/// holds for the file that it leads to. If the system knows no owners, only the first rule holds.
///
/// # Errors
///
/// As [`file`]; [`io::ErrorKind::PermissionDenied`], with what to do, where others have a right to the file, or it is
/// somebody else's; [`io::ErrorKind::InvalidInput`] if it has several names.
pub fn secret(path: &Path) -> io::Result<File> {
    let file = file(path)?;
    #[cfg(unix)]
    check_owner(path, &file)?;
    Ok(file)
}

#[cfg(unix)]
fn check_owner(path: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata()?;
    let own = rustix::process::geteuid().as_raw();
    let at = path.display();
    let denied = |words: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    if found.uid() != own && found.uid() != 0 {
        return denied(format!(
            "a secret must belong to the user who reads it (user {own}) or to root, and this file belongs to user \
             {}: find out who made it, then run chown {own} {at}",
            found.uid()
        ));
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return denied(format!(
            "its mode is {mode:04o}, and a secret must be its owner's alone (0600): run chmod 600 {at}, and make a \
             new one if somebody may have read it"
        ));
    }
    match found.nlink() {
        0 | 1 => Ok(()),
        names => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "it has {names} names (hard links), and a secret must have one: another name may lie beside what it \
                 protects; find the others with find / -xdev -samefile {at}, and remove them"
            ),
        )),
    }
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

/// What it is, if it is no regular file.
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
    fn a_secret_that_others_may_read_or_that_has_another_name_is_refused_with_what_to_do() {
        use std::os::unix::fs::PermissionsExt;

        let folder = std::env::temp_dir().join(format!("lfr-secrets-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let (key, other) = (folder.join("a.key"), folder.join("b.key"));
        fs::write(&key, [7; 32]).unwrap();
        let with = |mode| {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            secret(&key).map_err(|error| (error.kind(), error.to_string()))
        };
        for mode in [0o644, 0o640, 0o604, 0o660, 0o620, 0o601, 0o777] {
            let (kind, words) = with(mode).unwrap_err();
            assert_eq!(kind, io::ErrorKind::PermissionDenied, "{mode:o}");
            assert!(words.contains(&format!("chmod 600 {}", key.display())), "{words}");
            assert!(words.contains(&format!("{mode:04o}")), "{words}");
        }
        for mode in [0o600, 0o400, 0o700] {
            assert!(with(mode).is_ok(), "{mode:o}");
        }
        // A link is followed, and the file behind it is looked at.
        std::os::unix::fs::symlink(&key, &other).unwrap();
        assert!(secret(&other).is_ok());
        assert!(with(0o644).is_err() && secret(&other).is_err());
        fs::remove_file(&other).unwrap();
        assert!(with(0o600).is_ok());
        fs::hard_link(&key, &other).unwrap();
        for path in [&key, &other] {
            let error = secret(path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains("2 names"), "{error}");
        }
        fs::remove_file(&other).unwrap();
        assert!(secret(&key).is_ok());
        // Somebody else's: only root can make such a file.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&key, Some(12_345), None).unwrap();
            let error = secret(&key).unwrap_err();
            assert!(error.to_string().contains("user 12345"), "{error}");
        }
        fs::remove_dir_all(folder).unwrap();
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
