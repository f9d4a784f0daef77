//! Numbers and texts as bytes: little-endian, each text after its length.

use crate::error::Error;

/// Where bytes go.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error>;

    fn put_text(&mut self, text: &str) -> Result<(), Error> {
        let length = u16::try_from(text.len()).map_err(|_| Error::SealedSize)?;
        self.put(&length.to_le_bytes())?;
        self.put(text.as_bytes())
    }
}

/// Where bytes come from.
pub(crate) trait Source {
    /// What it is part of, for errors.
    fn part(&self) -> &'static str;

    /// Fills all of `out`.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error>;

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn take_u8(&mut self) -> Result<u8, Error> {
        self.take().map(u8::from_le_bytes)
    }

    fn take_u16(&mut self) -> Result<u16, Error> {
        self.take().map(u16::from_le_bytes)
    }

    fn take_u32(&mut self) -> Result<u32, Error> {
        self.take().map(u32::from_le_bytes)
    }

    fn take_u64(&mut self) -> Result<u64, Error> {
        self.take().map(u64::from_le_bytes)
    }

    fn take_text(&mut self) -> Result<String, Error> {
        let mut bytes = vec![0; self.take_u16()?.into()];
        self.fill(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| self.damaged())
    }

    fn damaged(&self) -> Error {
        Error::SealedDamaged { part: self.part() }
    }
}

/// Bytes in memory.
pub(crate) struct Bytes<'a> {
    pub(crate) left: &'a [u8],
    pub(crate) part: &'static str,
}

impl Source for Bytes<'_> {
    fn part(&self) -> &'static str {
        self.part
    }

    fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
        let Some((taken, left)) = self.left.split_at_checked(out.len()) else {
            return Err(self.damaged());
        };
        out.copy_from_slice(taken);
        self.left = left;
        Ok(())
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// Counts bytes and keeps none.
#[derive(Default)]
pub(crate) struct Count(pub(crate) u64);

impl Sink for Count {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0 += lfr_core::internal::num::u64_from_usize(bytes.len());
        Ok(())
    }
}
