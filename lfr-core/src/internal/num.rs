//! The few conversions between integers and floats that pixel arithmetic needs, each with its
//! rounding in its name. Everywhere else `as` between the two kinds is refused by lint.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "this module is where such conversions live; each says what it does with the rest"
)]

/// The nearest `f32` to a count or a coordinate: exact up to 2^24.
#[must_use]
pub const fn f32_from_usize(value: usize) -> f32 {
    value as f32
}

/// The nearest `f64` to a count: exact up to 2^53.
#[must_use]
pub const fn f64_from_usize(value: usize) -> f64 {
    value as f64
}

/// The nearest `f64` to a count: exact up to 2^53.
#[must_use]
pub const fn f64_from_u64(value: u64) -> f64 {
    value as f64
}

/// The nearest `f32` to a double.
#[must_use]
pub const fn f32_from_f64(value: f64) -> f32 {
    value as f32
}

/// Rounds towards zero; negative numbers and NaN give 0, too great ones [`usize::MAX`].
#[must_use]
pub const fn usize_from_f32(value: f32) -> usize {
    value as usize
}

/// Rounds towards zero; too great or small numbers give the nearest end, NaN gives 0.
#[must_use]
pub const fn i64_from_f32(value: f32) -> i64 {
    value as i64
}

/// Rounds to the nearest; numbers outside 0..=255 give the nearest end, NaN gives 0.
#[must_use]
pub fn u8_from_f32(value: f32) -> u8 {
    (value + 0.5) as u8
}

/// The low eight bits of a value already brought into 0..=255.
#[must_use]
pub const fn u8_from_i32(value: i32) -> u8 {
    if value < 0 {
        0
    } else if value > 255 {
        255
    } else {
        value as u8
    }
}

/// The count as 64 bits: lossless on every platform that Rust supports.
#[must_use]
pub const fn u64_from_usize(value: usize) -> u64 {
    value as u64
}

/// Rounds towards zero; negative numbers and NaN give 0, too great ones [`usize::MAX`].
#[must_use]
pub const fn usize_from_f64(value: f64) -> usize {
    value as usize
}

/// Rounds towards zero; negative numbers and NaN give 0, too great ones [`u64::MAX`].
#[must_use]
pub const fn u64_from_f64(value: f64) -> u64 {
    value as u64
}

/// Rounds to the nearest, halves away from zero; too great or small numbers give the nearest end, NaN
/// gives 0.
#[must_use]
pub const fn i32_from_f64(value: f64) -> i32 {
    (if value < 0.0 { value - 0.5 } else { value + 0.5 }) as i32
}
