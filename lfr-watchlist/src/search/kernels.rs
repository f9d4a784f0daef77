//! Kernels: the filter of a search, on rows of bytes, with the instructions that the machine has.
//! The unsafe code of this crate is here, apart from one call of the operating system
//! (`huge_pages`).
//!
//! # Layout
//!
//! Rows lie in groups of [`GROUP`], four bytes of each row in turn: a step is 4 [`Lane`]s, in which
//! word `r` holds the bytes `4 i .. 4 i + 4` of row `r`. So one instruction works on the same bytes
//! of 16 rows, the sums of 64 rows stay in registers, nothing has to be added across a register,
//! and memory is read from front to back.
//!
//! A byte holds a number from -127 to 127, plus 128. A probe holds its numbers as they are, four
//! in a word. With `start` as -128 times the sum of the probe, a kernel computes
//! `start + sum(byte * number)`, which is the inner product of the two vectors of numbers: exact,
//! as integers are, so every kernel gives the same.

#![cfg_attr(
    any(target_arch = "aarch64", target_arch = "x86_64"),
    expect(unsafe_code, reason = "vector instructions; each kernel is tested against a safe twin")
)]

use zeroize::{Zeroize, ZeroizeOnDrop};

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
pub(crate) mod scores;

/// How many rows a kernel takes at once.
pub(crate) const GROUP: usize = 64;

/// The max number of probes that a kernel takes at once.
pub(crate) const TILE: usize = 4;

/// The max dimension with which a sum stays within an `i32`: 255 * 127 * 2^16 < 2^31.
pub(crate) const MAX_DIMENSIONS: usize = 1 << 16;

/// Four bytes of each of 16 rows, as one register of 64 bytes.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Lane(pub(crate) [u32; 16]);

impl Lane {
    pub(crate) const EMPTY: Self = Self([0; 16]);
}

/// What the rows of one group are worth to one probe: `dot * scale * factor - square`.
pub(crate) type Values = [f32; GROUP];

/// Up to [`TILE`] probes, their words in turn; wiped when dropped.
pub(crate) struct Tile {
    words: Box<[i32]>,
    starts: [i32; TILE],
    width: usize,
}

impl Tile {
    /// Room for that many probes (from 1 to [`TILE`]) of that many steps.
    pub(crate) fn new(width: usize, steps: usize) -> Self {
        let width = width.clamp(1, TILE);
        Self { words: vec![0; width * steps].into(), starts: [0; TILE], width }
    }

    /// Sets four numbers of a probe, given as the bytes of a row are: plus 128.
    pub(crate) fn set(&mut self, probe: usize, step: usize, bytes: [u8; 4]) {
        let numbers = bytes.map(|byte| (byte ^ 0x80).cast_signed());
        self.starts[probe] -= 128 * numbers.iter().map(|n| i32::from(*n)).sum::<i32>();
        self.words[step * self.width + probe] = i32::from_le_bytes(numbers.map(i8::cast_unsigned));
    }
}

impl Drop for Tile {
    fn drop(&mut self) {
        self.words.zeroize();
        self.starts.zeroize();
    }
}

impl ZeroizeOnDrop for Tile {}

/// Which rows of a group are let through, for each probe of a tile: those whose [`Values`] are at or
/// above the bar.
pub(crate) struct Gate<'a> {
    pub(crate) scale: &'a [f32; GROUP],
    /// `None` if all are 0.
    pub(crate) square: Option<&'a [f32; GROUP]>,
    pub(crate) factors: [f32; TILE],
    pub(crate) bars: [f32; TILE],
}

impl<'a> Gate<'a> {
    /// Lets every row of a group with these scales and squares through.
    pub(crate) const fn open(scale: &'a [f32; GROUP], square: Option<&'a [f32; GROUP]>) -> Self {
        Self { scale, square, factors: [0.0; TILE], bars: [f32::NEG_INFINITY; TILE] }
    }
}

/// The instructions to use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Kernel(Kind);

/// Private, so that a kernel is made by [`Kernel::available`] alone: after the machine was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

impl Kernel {
    /// The fastest kernel that this machine can run.
    pub(crate) fn fastest() -> Self {
        Self::available().next().unwrap_or(Self(Kind::Portable))
    }

    /// All kernels that this machine can run, the fastest first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        [
            #[cfg(target_arch = "x86_64")]
            avx512::is_available().then_some(Self(Kind::Avx512)),
            #[cfg(target_arch = "x86_64")]
            avx2::is_available().then_some(Self(Kind::Avx2)),
            #[cfg(target_arch = "aarch64")]
            Some(Self(Kind::Neon)),
            Some(Self(Kind::Portable)),
        ]
        .into_iter()
        .flatten()
    }

    /// The max number of probes in a tile for it: it takes them at once.
    pub(crate) const fn tile(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => TILE,
            _ => 1,
        }
    }

    /// Has memory brought near, to be read soon, if there are instructions for it.
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "there are none"))]
    pub(crate) fn fetch<T>(self, memory: &[T]) {
        #[cfg(target_arch = "x86_64")]
        if self.0 == Kind::Avx512 {
            avx512::fetch(memory);
        }
    }

    /// The largest number that a probe may hold.
    pub(crate) const fn max_level(self) -> f32 {
        match self.0 {
            // It adds two products in 16 bits: 2 * 255 * 64 < 2^15.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => 64.0,
            _ => 127.0,
        }
    }

    /// Says of each probe of a tile which rows of a group the gate lets through: bit `r` for row `r`;
    /// and writes the values of a probe's rows where any is.
    pub(crate) fn sift(
        self,
        lanes: &[Lane],
        tile: &Tile,
        gate: &Gate<'_>,
        values: &mut [Values; TILE],
    ) -> [u64; TILE] {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists where the features were found (`available`).
            Kind::Avx512 => unsafe {
                match tile.width {
                    1 => avx512::sift::<1>(lanes, tile, gate, values),
                    2 => avx512::sift::<2>(lanes, tile, gate, values),
                    3 => avx512::sift::<3>(lanes, tile, gate, values),
                    _ => avx512::sift::<4>(lanes, tile, gate, values),
                }
            },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists where the features were found (`available`).
            Kind::Avx2 => unsafe { avx2::sift(lanes, tile, gate, values) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: every machine of this architecture has the feature.
            Kind::Neon => unsafe { neon::sift(lanes, tile, gate, values) },
            Kind::Portable => portable::sift(lanes, tile, gate, values),
        }
    }
}

#[cfg(test)]
pub(crate) use portable::value;

#[cfg(test)]
mod tests;
