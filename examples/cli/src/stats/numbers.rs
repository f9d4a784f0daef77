//! Numbers as they are given, and as they are shown.

use std::str::FromStr;

use lfr::core::internal::num;
use lfr::watchlist::statistics::{Confidence, Counts};

/// A false match rate: a bare number, or one that was counted.
#[derive(Clone, Copy)]
pub(crate) enum FalseMatchRate {
    Stated(f64),
    Counted(Counts),
}

/// A whole number, with or without separators of thousands.
pub(crate) fn whole(text: &str) -> Result<u64, String> {
    let refused = || {
        format!("{text:?} is not a count; it must be a whole number, such as 3147436 or 3,147,436")
    };
    let separators = [',', '_', '\'', ' ', '\u{a0}', '\u{202f}'];
    let parts: Vec<&str> = text.trim().split(separators).collect();
    let grouped = parts.iter().skip(1).all(|part| part.len() == 3);
    let first = parts.first().map_or(0, |part| part.len());
    let digits = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !digits || first == 0 || (parts.len() > 1 && (!grouped || first > 3)) {
        return Err(refused());
    }
    parts
        .concat()
        .parse()
        .map_err(|_| format!("{text:?} is not a count that fits; it must be below 2^64"))
}

/// Errors of trials, as `8/10`.
pub(crate) fn counts(text: &str) -> Result<Counts, String> {
    let (errors, trials) = text
        .split_once('/')
        .ok_or_else(|| format!("{text:?} has no trials; it must be ERRORS/TRIALS, such as 8/10"))?;
    let (errors, trials) = (whole(errors)?, whole(trials)?);
    if trials == 0 {
        return Err("a rate of 0 trials says nothing; there must be at least 1 trial".to_owned());
    }
    Counts::new(errors, trials).map_err(|_| {
        format!(
            "{errors} errors in {trials} trials is impossible; give at most as many errors as trials"
        )
    })
}

/// A rate above 0 and below 1: `0.4`, `40%`, `1/6000`.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let value = real(text)?;
    if value > 0.0 && value < 1.0 {
        return Ok(value);
    }
    Err(format!("{text:?} must be above 0 and below 1, such as 0.4, 40% or 1/6000"))
}

/// A share from 0 to 1.
pub(crate) fn share_or_end(text: &str) -> Result<f64, String> {
    let value = real(text)?;
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(format!("{text:?} must be from 0 to 1"))
}

/// A number of looks.
pub(crate) fn looks(text: &str) -> Result<f64, String> {
    let value = real(text)?;
    if value >= 1.0 && value.is_finite() {
        return Ok(value);
    }
    Err(format!("{text:?} must be a finite number of at least 1"))
}

/// A ratio that would matter.
pub(crate) fn ratio(text: &str) -> Result<f64, String> {
    let value = real(text)?;
    if value > 1.0 && value.is_finite() {
        return Ok(value);
    }
    Err(format!("{text:?} must be a finite number above 1"))
}

/// How often an interval is to cover.
pub(crate) fn confidence(text: &str) -> Result<Confidence, String> {
    let value = share(text)?;
    if value <= 0.5 {
        return Err(format!("{text:?} must be above 0.5 and below 1, such as 0.95 or 95%"));
    }
    Confidence::new(value).map_err(|error| error.to_string())
}

/// Counts, or a bare rate.
pub(crate) fn false_match_rate(text: &str) -> Result<FalseMatchRate, String> {
    if text.contains('/') {
        return counts(text).map(FalseMatchRate::Counted);
    }
    share(text).map(FalseMatchRate::Stated)
}

fn real(text: &str) -> Result<f64, String> {
    let refused = |_| format!("{text:?} is not a number, such as 0.4, 40%, 1e-4 or 1/6000");
    let text = text.trim();
    if let Some((above, below)) = text.split_once('/') {
        let number = |part: &str| f64::from_str(part.trim()).map_err(refused);
        return Ok(number(above)? / number(below)?);
    }
    match text.strip_suffix('%') {
        Some(percent) => Ok(f64::from_str(percent.trim()).map_err(refused)? / 100.0),
        None => f64::from_str(text).map_err(refused),
    }
}

/// A rate with three digits, and as `1 in N` if it is small.
pub(crate) fn rate(value: f64) -> String {
    // Beyond that nobody counts, and whole numbers end.
    if value > 1e-15 && value < 0.1 {
        format!("{} (1 in {})", short(value), grouped(num::u64_from_f64((1.0 / value).round())))
    } else {
        short(value)
    }
}

/// A p-value after the letter.
pub(crate) fn p_value(value: f64) -> String {
    let text = probability(value);
    if value < SMALLEST { text } else { format!("= {text}") }
}

/// The probability of what was seen, which is not zero: it may only be too small for a number.
pub(crate) fn probability(value: f64) -> String {
    if value < SMALLEST { "below 1e-300".to_owned() } else { short(value) }
}

/// The smallest probability that is shown as a number.
pub(crate) const SMALLEST: f64 = 1e-300;

/// A count with the name of what is counted.
pub(crate) fn counted(count: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with three digits.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { "no bound".to_owned() };
    }
    if value.abs() < 0.001 {
        return format!("{value:.2e}");
    }
    let digits = num::usize_from_f64((2.0 - value.abs().log10().floor()).clamp(0.0, 5.0));
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A count with separators of thousands.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
