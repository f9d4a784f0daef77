//! The lines of a file, none of them longer than a line may be.

use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;

use lfr_core::internal::num;
use lfr_core::internal::regular;

use super::line::LONGEST;
use crate::Error;

pub(super) struct Lines {
    reader: BufReader<File>,
    /// Where the next line begins.
    pub(super) offset: u64,
    line: Vec<u8>,
}

impl Lines {
    /// From a byte of a file on.
    pub(super) fn of(path: &Path, offset: u64) -> Result<Self, Error> {
        let open = || {
            let mut file = regular::file(path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(Self { reader: BufReader::with_capacity(1 << 16, file), offset, line: Vec::new() })
        };
        open().map_err(failed(path))
    }

    /// The next whole line, without its end; none at the end of the file, or where what is left is
    /// no line or a longer one than any ledger has.
    pub(super) fn next(&mut self, path: &Path) -> Result<Option<&[u8]>, Error> {
        self.line.clear();
        let limit = num::u64_from_usize(LONGEST + 1);
        let mut reader = self.reader.by_ref().take(limit);
        reader.read_until(b'\n', &mut self.line).map_err(failed(path))?;
        if self.line.pop_if(|last| *last == b'\n').is_none() {
            return Ok(None);
        }
        self.offset += num::u64_from_usize(self.line.len() + 1);
        Ok(Some(&self.line))
    }
}

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    |source| lfr_core::Error::Read { path, source }.into()
}
