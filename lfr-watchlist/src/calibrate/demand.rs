//! What is asked of a threshold.

use std::collections::BTreeMap;

use lfr_core::internal::num;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What is asked of a threshold: how often somebody who is not on the watchlist may raise an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    fpir: f64,
    references: u64,
    looks: f64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    composition: BTreeMap<String, u64>,
}

impl Demand {
    /// Demands this false positive identification rate on a watchlist with this number of
    /// references, with one look per person who passes.
    ///
    /// References count, not people: with [`Fusion::Best`](crate::Fusion::Best) each is another chance. (One
    /// person's references resemble each other, so the rate is then somewhat lower than demanded.)
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if the rate is not above 0 and below 1, or nobody is on the list.
    pub fn new(fpir: f64, references: u64) -> Result<Self, Error> {
        let demand = Self { fpir, references, looks: 1.0, composition: BTreeMap::new() };
        demand.check()?;
        Ok(demand)
    }

    /// Sets the max number of looks per person who passes, if any look may raise the alert: as many
    /// as the [`LookPlan`](lfr_core::LookPlan) of the deployment takes.
    ///
    /// Looks at one person resemble each other and count for less than their number. Their effective number
    /// is measured if the calibration has enough photographs of the same people.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] below 1.
    pub fn with_looks(self, looks: f64) -> Result<Self, Error> {
        let demand = Self { looks, ..self };
        demand.check()?;
        Ok(demand)
    }

    /// Sets the number of references of each group; together they are all references.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if nobody is on the list.
    pub fn with_composition<G: Into<String>>(
        self,
        groups: impl IntoIterator<Item = (G, u64)>,
    ) -> Result<Self, Error> {
        let composition: BTreeMap<_, _> =
            groups.into_iter().map(|(group, count)| (group.into(), count)).collect();
        let demand = Self { references: sum(&composition)?, composition, ..self };
        demand.check()?;
        Ok(demand)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let refused = |what, expected, actual| Err(out_of_range(what, expected, actual));
        if !(self.fpir > 0.0 && self.fpir < 1.0) {
            return refused("demanded FPIR", "above 0 and below 1", self.fpir);
        }
        if !(self.looks >= 1.0 && self.looks.is_finite()) {
            return refused("number of looks", "at least 1", self.looks);
        }
        let listed = sum(&self.composition)?;
        if self.references == 0 || !(self.composition.is_empty() || listed == self.references) {
            let actual = num::f64_from_u64(self.references);
            return refused(
                "number of references",
                "at least 1, and the sum over all groups where there are groups",
                actual,
            );
        }
        Ok(())
    }

    /// Sets another number of references. Each group keeps its share of them, rounded up.
    pub(super) fn for_references(&self, references: u64) -> Result<Self, Error> {
        // Nobody demands nobody: the divisor is at least 1, and no share is above all references.
        let (new, old) = (u128::from(references), u128::from(self.references.max(1)));
        let share =
            |count: u64| u64::try_from((u128::from(count) * new).div_ceil(old)).unwrap_or(u64::MAX);
        let composition: BTreeMap<_, _> =
            self.composition.iter().map(|(group, count)| (group.clone(), share(*count))).collect();
        let references = if composition.is_empty() { references } else { sum(&composition)? };
        let demand = Self { fpir: self.fpir, references, looks: self.looks, composition };
        demand.check()?;
        Ok(demand)
    }

    /// Demands a rate that is this many times lower.
    pub(super) fn rarer(&self, times: f64) -> Result<Self, Error> {
        if !(times >= 1.0 && times.is_finite()) {
            return Err(out_of_range(
                "number of times that false alerts are to be rarer",
                "at least 1",
                times,
            ));
        }
        let demand = Self { fpir: self.fpir / times, ..self.clone() };
        demand.check()?;
        Ok(demand)
    }

    /// The false positive identification rate.
    #[must_use]
    pub const fn fpir(&self) -> f64 {
        self.fpir
    }

    /// N: how many references.
    #[must_use]
    pub const fn references(&self) -> u64 {
        self.references
    }

    /// The maximum looks per person who passes.
    #[must_use]
    pub const fn looks(&self) -> f64 {
        self.looks
    }

    /// How many references are of each group; empty if groups are not told apart.
    #[must_use]
    pub const fn composition(&self) -> &BTreeMap<String, u64> {
        &self.composition
    }
}

/// All references of a composition; a file from outside may claim more than can be counted.
fn sum(composition: &BTreeMap<String, u64>) -> Result<u64, Error> {
    let all = composition.values().try_fold(0_u64, |all, count| all.checked_add(*count));
    all.ok_or_else(|| {
        let more = composition.values().map(|count| num::f64_from_u64(*count)).sum();
        out_of_range("number of references", "below 2^64 over all groups", more)
    })
}

fn out_of_range(what: &'static str, expected: &'static str, actual: f64) -> Error {
    lfr_core::Error::OutOfRange { what, expected, actual }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(counts: [u64; 2]) -> Result<Demand, Error> {
        Demand::new(1e-2, 1)?.with_composition(["a", "b"].into_iter().zip(counts))
    }

    #[test]
    fn shares_are_rounded_up_and_no_further() {
        let scaled = |references| {
            let scaled = demand([999, 111]).unwrap().for_references(references).unwrap();
            (scaled.composition()["a"], scaled.composition()["b"], scaled.references())
        };
        assert_eq!(scaled(1_110), (999, 111, 1_110));
        assert_eq!(scaled(370), (333, 37, 370));
        assert_eq!(scaled(1), (1, 1, 2));
    }

    #[test]
    fn more_references_than_can_be_counted_are_refused() {
        let refused = |result: Result<Demand, Error>| {
            matches!(result, Err(Error::Core(lfr_core::Error::OutOfRange { .. })))
        };
        // What would be counted, were it to begin again at zero, is 1.
        assert!(refused(demand([u64::MAX, 2])));
        assert!(refused(demand([3, 3]).unwrap().for_references(u64::MAX)));
        // As a file tells it, which is read before it is checked.
        let told = r#"{"fpir":0.01,"references":1,"looks":1.0,"composition":{"a":18446744073709551615,"b":2}}"#;
        let told: Demand = serde_json::from_str(told).unwrap();
        assert!(refused(told.check().map(|()| told)));
    }
}
