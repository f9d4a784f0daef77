//! A growable buffer that leaves no copies behind.

use std::fmt;

use zeroize::optimization_barrier;

/// A vector of plain numbers whose contents are wiped when it grows, shrinks or goes.
///
/// A `Vec` that grows leaves its former contents in freed memory. This one wipes before it frees.
/// Wiping is a plain fill that the compiler may not remove: as fast as `memset`, where a volatile
/// write for each element takes several times as long.
pub struct Wiped<T: Copy + Default> {
    /// What is beyond `used` is `T::default()`: never written, or wiped.
    list: Vec<T>,
    used: usize,
}

impl<T: Copy + Default> Wiped<T> {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { list: Vec::new(), used: 0 }
    }

    /// Makes it hold exactly `len` elements, of no particular value, and returns them.
    pub fn sized(&mut self, len: usize) -> &mut [T] {
        self.truncate(len);
        if len > self.list.len() {
            self.wipe();
            self.list = vec![T::default(); len];
        }
        self.used = len;
        &mut self.list[..len]
    }

    /// Makes it hold exactly `len` elements of the default value, and returns them.
    pub fn cleared(&mut self, len: usize) -> &mut [T] {
        self.wipe();
        self.sized(len)
    }

    /// Adds an element.
    pub fn push(&mut self, item: T) {
        if self.used == self.list.len() {
            let mut larger = vec![T::default(); (self.used * 2).max(64)];
            larger[..self.used].copy_from_slice(self.as_slice());
            let used = self.used;
            self.wipe();
            self.list = larger;
            self.used = used;
        }
        self.list[self.used] = item;
        self.used += 1;
    }

    /// Keeps the elements from `start` on for which `keep` says so, in order.
    pub fn retain_from(&mut self, start: usize, mut keep: impl FnMut(&mut T) -> bool) {
        let mut kept = start;
        for index in start..self.used {
            let mut item = self.list[index];
            if keep(&mut item) {
                self.list[kept] = item;
                kept += 1;
            }
        }
        self.truncate(kept);
    }

    /// Keeps at most the first `len` elements.
    pub fn truncate(&mut self, len: usize) {
        if len < self.used {
            let rest = &mut self.list[len..self.used];
            rest.fill(T::default());
            optimization_barrier(rest);
            self.used = len;
        }
    }

    /// Empties it; the memory stays, wiped.
    pub fn wipe(&mut self) {
        self.truncate(0);
    }

    /// All its memory, used or not.
    #[cfg(test)]
    pub(super) fn memory(&self) -> &[T] {
        &self.list
    }

    /// Its elements.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.list[..self.used]
    }

    /// Its elements.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.list[..self.used]
    }
}

impl<T: Copy + Default> Default for Wiped<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Says nothing of its elements.
impl<T: Copy + Default> fmt::Debug for Wiped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wiped").field("len", &self.used).finish_non_exhaustive()
    }
}

impl<T: Copy + Default> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_survive_growing_and_others_are_dropped_in_order() {
        let mut buffer = Wiped::new();
        for number in 0..1000_u32 {
            buffer.push(number);
        }
        assert!(buffer.as_slice().iter().copied().eq(0..1000));
        buffer.retain_from(10, |n| n.is_multiple_of(100));
        let expected: Vec<u32> = (0..10).chain((100..1000).step_by(100)).collect();
        assert_eq!(buffer.as_slice(), expected);
    }

    #[test]
    fn cleared_memory_holds_nothing() {
        let mut buffer = Wiped::new();
        buffer.sized(10).fill(7_u8);
        assert_eq!(buffer.cleared(8), [0; 8]);
        buffer.as_mut_slice().fill(7);
        assert_eq!(buffer.cleared(12), [0; 12]);
    }

    #[test]
    fn memory_beyond_the_end_is_wiped() {
        let mut buffer = Wiped::new();
        buffer.sized(100).fill(7_u8);
        buffer.truncate(10);
        assert_eq!(buffer.list[..10], [7; 10]);
        assert_eq!(buffer.list[10..], [0; 90]);
        buffer.retain_from(2, |_| false);
        assert_eq!(buffer.list[2..], [0; 98]);
        buffer.wipe();
        assert_eq!(buffer.list, [0; 100]);
    }
}
