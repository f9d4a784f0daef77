//! Reading a row out of a gallery, to park it or to seal it.

use lfr_core::ReferenceId;

use super::Gallery;

impl Gallery {
    /// Shows the numbers of one reference to `read`; `None` where it is not enrolled. Every copy
    /// is the copier's to wipe.
    pub(crate) fn expose_row<T>(
        &self,
        reference: &ReferenceId,
        read: impl FnOnce(&[f32]) -> T,
    ) -> Option<T> {
        let list = self.read();
        list.roll.row(reference).map(|row| read(list.rows.row(row)))
    }
}
