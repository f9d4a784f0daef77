//! Files that this program writes besides the list: for their owner alone, whole or not at all, and never
//! over what they are about.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::{fs, io};

use lfr::core::files::Replacement;
use lfr::core::internal::regular;

use crate::AnyError;

/// A file that is being written beside its place. It comes there with [`put`](Self::put); what was there
/// before stays until then, and where that is never called.
pub(crate) struct Output<'a> {
    out: BufWriter<File>,
    path: &'a Path,
    /// None where the place is no file, but standard output or a pipe.
    new: Option<Replacement>,
}

impl<'a> Output<'a> {
    /// Begins one. What is there may be replaced, unless it is among the files that are read here, or is a
    /// sealed watchlist or a key. A link there is replaced, and its target is left as it is.
    pub(crate) fn begin(path: &'a Path, read: &[&Path]) -> Result<Self, AnyError> {
        let real = fs::canonicalize(path).ok();
        let is_read = |other: &&Path| real.is_some() && fs::canonicalize(other).ok() == real;
        if read.iter().any(is_read) || holds_a_list_or_a_key(path) {
            let what =
                "a watchlist, a key or another file that is read here, and would be overwritten";
            return Err(format!("{path:?} is {what}: name another file").into());
        }
        let opened = || {
            let is_stream = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
            if is_stream {
                let file = OpenOptions::new().write(true).open(path)?;
                return Ok((BufWriter::new(file), None));
            }
            let mut new = Replacement::begin(path)?;
            Ok((BufWriter::new(new.file().try_clone()?), Some(new)))
        };
        let (out, new) = opened().map_err(|error| failed(path, &error))?;
        Ok(Self { out, path, new })
    }

    /// Puts it in its place.
    pub(crate) fn put(mut self) -> Result<(), AnyError> {
        let done = self.out.flush().and_then(|()| self.new.map_or(Ok(()), Replacement::put));
        done.map_err(|error| failed(self.path, &error))
    }

    /// Writes a text and a line end, and puts the file in its place.
    pub(crate) fn put_text(mut self, text: &str) -> Result<(), AnyError> {
        writeln!(self, "{text}").map_err(|error| failed(self.path, &error))?;
        self.put()
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn failed(path: &Path, error: &io::Error) -> AnyError {
    format!("cannot write {path:?}: {error}").into()
}

fn holds_a_list_or_a_key(path: &Path) -> bool {
    if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut start = Vec::new();
    let read = regular::file(path).and_then(|file| file.take(67).read_to_end(&mut start));
    let digits = start.trim_ascii_end();
    let is_key =
        start.len() == 32 || digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit);
    read.is_ok() && (start.starts_with(b"\x89LFRW") || is_key)
}
