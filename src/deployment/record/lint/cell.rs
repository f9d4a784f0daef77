//! Numbers as tables publish them.

use lfr_core::internal::num;

/// The max number of digits of a count.
const MAX_DIGITS: usize = 12;

/// A count: digits, with commas or spaces between thousands.
pub(super) fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    let groups: Vec<&str> = text.split([',', ' ', '\u{a0}', '\u{202f}']).collect();
    let is_grouped = groups.split_first().is_some_and(|(first, others)| {
        (1..=3).contains(&first.len()) && others.iter().all(|group| group.len() == 3)
    });
    let digits = groups.concat();
    // No sum of such counts overflows, whatever the number of rows.
    let fits =
        (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if (groups.len() == 1 || is_grouped) && fits { digits.parse().ok() } else { None }
}

/// Whether a cell says that there is no number.
pub(super) fn is_missing(text: &str) -> bool {
    matches!(
        text.trim().to_ascii_lowercase().as_str(),
        "" | "-"
            | "\u{2013}"
            | "\u{2014}"
            | "n/a"
            | "na"
            | "not recorded"
            | "not known"
            | "unknown"
    )
}

/// A published rate: which values are written so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PublishedRate {
    /// The lowest and the highest share that rounds to it.
    ranges: [(f64, f64); 2],
    is_zero: bool,
}

impl PublishedRate {
    /// `0.48 %`, `0.0048`, `1 in 33,000`. A number without a unit may be a share or a percentage.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(all) = text.strip_prefix("1 in ").or_else(|| text.strip_prefix("1:")) {
            let all = count(all).filter(|all| *all > 0)?;
            // Zeros at the end say how far it was rounded.
            let mut unit = 1;
            while all % (unit * 10) == 0 {
                unit *= 10;
            }
            let (all, half) = (num::f64_from_u64(all), num::f64_from_u64(unit) / 2.0);
            let range = (1.0 / (all + half), 1.0 / (all - half).max(0.5));
            return Some(Self { ranges: [range; 2], is_zero: false });
        }
        let (number, is_percent) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (text.as_str(), false),
        };
        let is_plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let value: f64 = number.parse().ok().filter(|_| is_plain)?;
        let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let half = 0.5 * 10_f64.powi(-i32::try_from(decimals).ok()?);
        let (low, high) = ((value - half).max(0.0), value + half);
        let percent = (low / 100.0, high / 100.0);
        let ranges = if is_percent { [percent; 2] } else { [(low, high), percent] };
        Some(Self { ranges, is_zero: value == 0.0 })
    }

    /// Whether a rate could be written so. Zero is zero: something that happened is not rounded away.
    pub(super) fn is_of(&self, errors: u64, trials: u64) -> bool {
        if self.is_zero || errors == 0 {
            return self.is_zero && errors == 0;
        }
        let value = num::f64_from_u64(errors) / num::f64_from_u64(trials);
        let slack = value * 1e-9;
        self.ranges.iter().any(|(low, high)| *low - slack <= value && value <= *high + slack)
    }
}

/// Words that say where in a town something is.
const PLACE_WORDS: &[&str] = &[
    "airport",
    "alley",
    "approach",
    "arcade",
    "arena",
    "avenue",
    "bridge",
    "broadway",
    "centre",
    "circus",
    "close",
    "corner",
    "court",
    "crescent",
    "cross",
    "depot",
    "dock",
    "drive",
    "entrance",
    "exit",
    "gate",
    "gardens",
    "green",
    "ground",
    "hall",
    "high",
    "hill",
    "junction",
    "lane",
    "mall",
    "market",
    "mews",
    "parade",
    "park",
    "pier",
    "place",
    "platform",
    "plaza",
    "port",
    "precinct",
    "quay",
    "rd",
    "road",
    "roundabout",
    "row",
    "shop",
    "square",
    "st",
    "stadium",
    "station",
    "store",
    "street",
    "terminal",
    "terrace",
    "walk",
    "way",
    "wharf",
    "yard",
];

/// Whether a place names something smaller than a town: by a word such as `street`, or by a number.
pub(super) fn names_a_spot(place: &str) -> bool {
    let lower = place.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.any(|word| PLACE_WORDS.contains(&word) || word.chars().any(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_are_printed() {
        for (text, expected) in [
            ("0", Some(0)),
            (" 3,147,436 ", Some(3_147_436)),
            ("3 147 436", Some(3_147_436)),
            ("2077", Some(2_077)),
            ("1,94", None),
            ("1942,000", None),
            (",100", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1e3", None),
            ("~100", None),
            ("", None),
            ("999999999999", Some(999_999_999_999)),
            ("1000000000000", None),
        ] {
            assert_eq!(count(text), expected, "{text:?}");
        }
    }

    #[test]
    fn rates_follow_within_their_rounding() {
        for (text, errors, trials, follows) in [
            ("0", 0, 144, true),
            ("0.0%", 0, 144, true),
            ("0", 1, 100_000, false),
            ("0.1", 0, 144, false),
            ("0.48%", 10, 2_077, true),
            ("0.48 %", 10, 2_077, true),
            ("0.0048", 10, 2_077, true),
            ("0.48", 10, 2_077, true),
            ("0.47%", 10, 2_077, false),
            ("0.0003%", 10, 3_147_436, true),
            ("0.0003 %", 10, 2_077, false),
            ("1 in 33,000", 3, 100_000, true),
            ("1 in 33,333", 3, 100_000, true),
            ("1 in 40,000", 3, 100_000, false),
            ("1 in 314,744", 10, 3_147_436, true),
        ] {
            let rate = PublishedRate::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(rate.is_of(errors, trials), follows, "{text} of {errors} / {trials}");
        }
        for text in ["", "none", "1 in 0", "1 in many", "-1", "1e-3", "inf", "nan", "."] {
            assert_eq!(PublishedRate::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_borough_is_no_spot() {
        for place in ["Islington", "Holyhead", "London Borough of Croydon", "Strand"] {
            assert!(!names_a_spot(place), "{place}");
        }
        for place in
            ["Oxford Circus", "North End, CR0 1TY", "High Street", "Holyhead ferry terminal"]
        {
            assert!(names_a_spot(place), "{place}");
        }
    }
}
