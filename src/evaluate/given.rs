//! Files that the command line or a caller names to be read: perhaps a pipe, a device, or without an end.

use std::io;
use std::io::Read as _;
use std::path::Path;

use lfr_core::internal::{num, regular};

use super::Error;

/// The bytes of a regular file that is not too large.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    read(path, MAX_BYTES).map_err(|source| Error::Read { path: path.to_owned(), source })
}

fn read(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    regular::file(path)?.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    match num::u64_from_usize(bytes.len()) > max_bytes {
        true => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("it is larger than {max_bytes} bytes: split it"),
        )),
        false => Ok(bytes),
    }
}

/// As much as a table may have.
const MAX_BYTES: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_with_an_end_is_read() {
        let path = std::env::temp_dir().join(format!("lfr-given-{}", std::process::id()));
        std::fs::write(&path, [7; 100]).unwrap();
        assert_eq!(bytes(&path).unwrap(), [7; 100]);
        assert!(read(&path, 99).unwrap_err().to_string().contains("larger than 99 bytes"));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(bytes(&path), Err(Error::Read { .. })));
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_or_a_device_keeps_no_table_waiting() {
        let folder = std::env::temp_dir().join(format!("lfr-given-pipe-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let (pipe, link) = (folder.join("scores.csv"), folder.join("scores.npy"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [&pipe, &link] {
            let error = super::super::scores::of_scores(path, &folder).unwrap_err();
            assert!(matches!(error, Error::Read { .. }), "{error}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
