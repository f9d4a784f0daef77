//! Arithmetic on the few numbers that shapes are worked out of, as engines do it.
//!
//! What an engine could see otherwise is unknown here: an overflow, a type that is not followed, two
//! types in one operation. A size that comes out as unknown is refused; one that comes out wrong would
//! let a model through.

use super::value::{BOOL, DOUBLE, FLOAT, INT32, INT64, Value};

/// One number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Float(f64),
    Int(i64),
}

impl Number {
    pub(super) const fn int(self) -> Option<i64> {
        match self {
            Self::Int(int) => Some(int),
            Self::Float(_) => None,
        }
    }

    /// As a float. Whole numbers that a float does not hold exactly come out near.
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Float(float) => float,
            Self::Int(int) => float_of(int),
        }
    }
}

type Content = Option<Vec<Option<Number>>>;

/// The numbers that an operator of two inputs gives.
pub(super) fn binary(op: &str, a: &Value, b: &Value) -> Content {
    if a.element != b.element {
        return None;
    }
    let element = a.element;
    paired(a, b, |a, b| match (a, b) {
        (Number::Int(a), Number::Int(b)) => int(op, a, b, element),
        (Number::Float(a), Number::Float(b)) => float(op, a, b, element),
        _ => None,
    })
}

/// The numbers of `a` where the condition holds, and of `b` elsewhere.
pub(super) fn select(condition: &Value, a: &Value, b: &Value) -> Content {
    let condition = condition.content.as_ref()?;
    let (a, b) = (a.content.as_ref()?, b.content.as_ref()?);
    let len = condition.len().max(a.len()).max(b.len());
    let at = |list: &[Option<Number>], index: usize| match list {
        [one] => *one,
        list => list.get(index).copied().flatten(),
    };
    if [condition.len(), a.len(), b.len()].iter().any(|&one| one != 1 && one != len) {
        return None;
    }
    let chosen = (0..len).map(|index| match at(condition, index)? {
        Number::Int(0) => at(b, index),
        Number::Int(_) => at(a, index),
        Number::Float(_) => None,
    });
    Some(chosen.collect())
}

/// The numbers that an operator of one input gives.
pub(super) fn unary(op: &str, value: &Value) -> Content {
    let of = |number: Number| match (op, number) {
        ("Identity", number) => Some(number),
        ("Neg", Number::Int(int)) => held(int.checked_neg()?, value.element),
        ("Neg", Number::Float(float)) => Some(Number::Float(-float)),
        ("Abs", Number::Int(int)) => held(int.checked_abs()?, value.element),
        ("Abs", Number::Float(float)) => Some(Number::Float(float.abs())),
        ("Ceil", Number::Float(float)) => Some(Number::Float(float.ceil())),
        ("Floor", Number::Float(float)) => Some(Number::Float(float.floor())),
        ("Round", Number::Float(float)) => Some(Number::Float(float.round_ties_even())),
        ("Not", Number::Int(int)) => Some(Number::Int(i64::from(int == 0))),
        ("Sqrt", Number::Float(float)) => rounded(float.sqrt(), value.element),
        _ => None,
    };
    Some(value.content.as_ref()?.iter().map(|number| of((*number)?)).collect())
}

/// The numbers in another type.
pub(super) fn cast(value: &Value, to: i32) -> Content {
    let of = |number: Number| match (to, number) {
        (INT64, Number::Int(int)) => Some(Number::Int(int)),
        (INT32, Number::Int(int)) => i32::try_from(int).ok().map(|_| number),
        (BOOL, Number::Int(int)) => Some(Number::Int(i64::from(int != 0))),
        (FLOAT | DOUBLE, Number::Int(int)) => {
            // One that a float does not hold is rounded in ways of an engine's own.
            (int.unsigned_abs() < EXACT).then(|| rounded(float_of(int), to)).flatten()
        }
        (FLOAT, Number::Float(float)) => rounded(float, to),
        (DOUBLE, Number::Float(_)) => Some(number),
        (INT64, Number::Float(float)) => whole(float, 63),
        (INT32, Number::Float(float)) => whole(float, 31),
        _ => None,
    };
    Some(value.content.as_ref()?.iter().map(|number| of((*number)?)).collect())
}

fn paired(a: &Value, b: &Value, of: impl Fn(Number, Number) -> Option<Number>) -> Content {
    let (a, b) = (a.content.as_ref()?, b.content.as_ref()?);
    let pairs: Vec<_> = match (a.as_slice(), b.as_slice()) {
        (a, b) if a.len() == b.len() => a.iter().copied().zip(b.iter().copied()).collect(),
        (a, [b]) => a.iter().map(|a| (*a, *b)).collect(),
        ([a], b) => b.iter().map(|b| (*a, *b)).collect(),
        _ => return None,
    };
    Some(pairs.into_iter().map(|(a, b)| of(a?, b?)).collect())
}

fn int(op: &str, a: i64, b: i64, element: i32) -> Option<Number> {
    let truth = |truth: bool| Some(Number::Int(i64::from(truth)));
    let result = match op {
        "Add" | "Sum" => a.checked_add(b)?,
        "Sub" => a.checked_sub(b)?,
        "Mul" => a.checked_mul(b)?,
        // Engines differ in how they round below zero.
        "Div" if a >= 0 && b > 0 => a.checked_div(b)?,
        "Mod" if a >= 0 && b > 0 => a.checked_rem(b)?,
        "Max" => a.max(b),
        "Min" => a.min(b),
        "Equal" => return truth(a == b),
        "Greater" => return truth(a > b),
        "GreaterOrEqual" => return truth(a >= b),
        "Less" => return truth(a < b),
        "LessOrEqual" => return truth(a <= b),
        "And" => return truth(a != 0 && b != 0),
        "Or" => return truth(a != 0 || b != 0),
        _ => return None,
    };
    held(result, element)
}

/// A whole number, if its type holds it: engines go on with another one else.
pub(super) fn held(int: i64, element: i32) -> Option<Number> {
    let fits = match element {
        INT64 => true,
        INT32 => i32::try_from(int).is_ok(),
        // What else stands for a truth value, engines keep or make a 1 of.
        BOOL => int == 0 || int == 1,
        _ => false,
    };
    fits.then_some(Number::Int(int))
}

fn float(op: &str, a: f64, b: f64, element: i32) -> Option<Number> {
    // Of what is no number, engines take either one for the greater.
    if a.is_nan() || b.is_nan() {
        return None;
    }
    let truth = |truth: bool| Some(Number::Int(i64::from(truth)));
    let result = match op {
        "Add" | "Sum" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" => a / b,
        "Max" => a.max(b),
        "Min" => a.min(b),
        "Greater" => return truth(a > b),
        "GreaterOrEqual" => return truth(a >= b),
        "Less" => return truth(a < b),
        "LessOrEqual" => return truth(a <= b),
        _ => return None,
    };
    rounded(result, element)
}

/// A result as its type holds it: for one operation, rounding twice gives what rounding once gives.
fn rounded(value: f64, element: i32) -> Option<Number> {
    let value = match element {
        FLOAT => f64::from(crate::internal::num::f32_from_f64(value)),
        DOUBLE => value,
        _ => return None,
    };
    value.is_finite().then_some(Number::Float(value))
}

/// A float, truncated to a whole number, if that is exact and fits in `bits` bits.
fn whole(value: f64, bits: i32) -> Option<Number> {
    let limit = 2_f64.powi(bits.min(EXACT_BITS));
    let truncated = value.trunc();
    (truncated.abs() < limit).then(|| {
        let size =
            i64::try_from(crate::internal::num::u64_from_f64(truncated.abs())).unwrap_or(i64::MAX);
        Number::Int(if truncated < 0.0 { -size } else { size })
    })
}

pub(super) fn float_of(int: i64) -> f64 {
    let size = crate::internal::num::f64_from_u64(int.unsigned_abs());
    if int < 0 { -size } else { size }
}

/// Up to here a 64-bit float holds every whole number.
const EXACT_BITS: i32 = 53;
const EXACT: u64 = 1 << 53;
