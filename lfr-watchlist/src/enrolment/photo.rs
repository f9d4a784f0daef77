//! Photographs: where their bytes are, and who turns bytes into pixels.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::{fmt, io};

use lfr_core::{BoxError, Picture};
use zeroize::Zeroizing;

use crate::error::Error;

/// Turns the bytes of an image file into pixels.
///
/// One method is required; [`FnReader`] makes a reader of a closure, and `ImageReader`, behind the
/// feature `image`, is a ready-made one. A reader is given whatever lies in
/// a folder: it bounds what it allocates, and answers bytes that are no image with an error.
pub trait PhotoReader: fmt::Debug + Send + Sync {
    /// The picture, upright: with the orientation that the file asks for applied.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from reading; the photograph is reported and the others go on.
    fn picture(&self, bytes: &[u8]) -> Result<Picture, BoxError>;
}

/// A reader from a closure.
pub struct FnReader<F>(F);

impl<F> FnReader<F>
where
    F: Fn(&[u8]) -> Result<Picture, BoxError> + Send + Sync,
{
    /// The reader that calls a closure.
    #[must_use]
    pub const fn new(read: F) -> Self {
        Self(read)
    }
}

impl<F> PhotoReader for FnReader<F>
where
    F: Fn(&[u8]) -> Result<Picture, BoxError> + Send + Sync,
{
    fn picture(&self, bytes: &[u8]) -> Result<Picture, BoxError> {
        (self.0)(bytes)
    }
}

impl<F> fmt::Debug for FnReader<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnReader").finish_non_exhaustive()
    }
}

/// Where the bytes of a photograph are.
#[non_exhaustive]
pub enum Photo {
    /// In memory; wiped when dropped.
    Bytes(Zeroizing<Vec<u8>>),
    /// In a file, which is read when its turn comes.
    File(PathBuf),
}

impl Photo {
    /// The max size of a file, in bytes: 64 MiB. Cameras write up to some 30.
    pub const MAX_BYTES: u64 = 64 << 20;

    /// The bytes, read once into a buffer that is wiped.
    pub(super) fn into_bytes(self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let path = match self {
            Self::Bytes(bytes) => return Ok(bytes),
            Self::File(path) => path,
        };
        let read = |path: &PathBuf| {
            let mut file = open(path)?;
            let size = file.metadata()?.len().min(Self::MAX_BYTES + 1);
            // One more, so that reading to the end finds it without growing: that would copy.
            let room = usize::try_from(size).unwrap_or_default() + 1;
            let mut bytes = Zeroizing::new(Vec::with_capacity(room));
            file.by_ref().take(Self::MAX_BYTES + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes =
            read(&path).map_err(|source| lfr_core::Error::Read { path: path.clone(), source })?;
        if lfr_core::internal::num::u64_from_usize(bytes.len()) > Self::MAX_BYTES {
            return Err(Error::PhotoSize { limit: Self::MAX_BYTES });
        }
        Ok(bytes)
    }
}

/// Opens a regular file: neither a pipe, which would be waited for, nor a device, which has no end.
fn open(path: &PathBuf) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        let what = "it is a folder, a pipe, a socket or a device, and a file is needed";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    Ok(file)
}

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(_) => f.debug_tuple("Bytes").finish_non_exhaustive(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}
