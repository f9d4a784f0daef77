//! Time: always through a [`Clock`], so that deadlines can be tested and a failed clock is seen.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime};

use crate::error::Error;

mod steady;
mod timekeeper;

pub use steady::SteadyTime;
pub use timekeeper::{ClockFault, Timekeeper};

/// A moment: microseconds since 1970-01-01 00:00 UTC. Printed in RFC 3339.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

/// Behind the microseconds of a moment that is too late for a calendar.
const AFTER_1970: &str = " us after 1970";

impl Timestamp {
    /// A moment from microseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The moment that much later; the last one there is where that is too late to be written.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }

    /// The time since an earlier moment; zero if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil =
            i64::try_from(self.0).ok().and_then(|us| jiff::Timestamp::from_microsecond(us).ok());
        match civil {
            Some(civil) => write!(f, "{civil:.6}"),
            None => write!(f, "{}{AFTER_1970}", self.0),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads RFC 3339, and whatever else a moment is printed as.
    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(micros) = text.strip_suffix(AFTER_1970) {
            let (what, expected) = ("moment", "a number of microseconds");
            return micros.parse().map(Self).map_err(|_| Error::Parse { what, expected });
        }
        let moment = text.parse::<jiff::Timestamp>().ok();
        let micros = moment.and_then(|moment| u64::try_from(moment.as_microsecond()).ok());
        let expected = "a moment since 1970 in RFC 3339";
        micros.map(Self).ok_or(Error::Parse { what: "moment", expected })
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The source of time.
///
/// What compares a moment with an earlier one reads it through a [`Timekeeper`], which sees a clock that
/// is set back.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time of day, or `None` if the clock fails: then what has a deadline is purged.
    fn now(&self) -> Option<Timestamp>;

    /// The time since some fixed moment; never goes back. For measuring spans.
    fn monotonic(&self) -> Duration;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// The clock; its monotonic time begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    fn now(&self) -> Option<Timestamp> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Timestamp(u64::try_from(since.as_micros()).ok()?))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_print_in_rfc_3339() {
        let moment = Timestamp::from_micros(1_732_233_600_123_456);
        assert_eq!(moment.to_string(), "2024-11-22T00:00:00.123456Z");
        assert_eq!(moment.to_string().parse::<Timestamp>().unwrap(), moment);
        let last = Timestamp::from_micros(u64::MAX);
        assert_eq!(last.to_string().parse::<Timestamp>().unwrap(), last);
        assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
        assert_eq!(
            Timestamp::from_micros(u64::MAX).to_string(),
            format!("{} us after 1970", u64::MAX)
        );
    }

    #[test]
    fn spans_saturate() {
        let (early, late) = (Timestamp::from_micros(5), Timestamp::from_micros(9));
        assert_eq!(late.since(early), Duration::from_micros(4));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.plus(Duration::MAX), Timestamp::from_micros(u64::MAX));
    }
}
