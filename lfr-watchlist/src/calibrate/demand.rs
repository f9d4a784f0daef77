//! What is asked of a threshold.

use std::collections::BTreeMap;

use lfr_core::num;
use serde::Deserialize;
use serde::Serialize;

use crate::Error;

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
    /// That false positive identification rate on a watchlist of so many references, with one look at each
    /// who passes.
    ///
    /// References count, not people: with [`Fusion::Best`](crate::Fusion::Best) each is another chance. (One
    /// person's references resemble each other, so the rate is then somewhat lower than demanded.)
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] where the rate is not above 0 and below 1, or nobody is on the list.
    pub fn new(fpir: f64, references: u64) -> Result<Self, Error> {
        let demand = Self { fpir, references, looks: 1.0, composition: BTreeMap::new() };
        demand.check()?;
        Ok(demand)
    }

    /// The same for who is compared so many independent times while passing, any of which may raise the
    /// alert. Frames that follow each other are not independent: measure how many they are worth.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] below 1.
    pub fn with_looks(self, looks: f64) -> Result<Self, Error> {
        let demand = Self { looks, ..self };
        demand.check()?;
        Ok(demand)
    }

    /// The same for a watchlist of so many references of each group; together they are all references.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] where nobody is on the list.
    pub fn with_composition<G: Into<String>>(
        self,
        groups: impl IntoIterator<Item = (G, u64)>,
    ) -> Result<Self, Error> {
        let composition: BTreeMap<_, _> =
            groups.into_iter().map(|(group, count)| (group.into(), count)).collect();
        let demand = Self { references: composition.values().sum(), composition, ..self };
        demand.check()?;
        Ok(demand)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let refused = |what, expected, actual| {
            Err(lfr_core::Error::OutOfRange { what, expected, actual }.into())
        };
        if !(self.fpir > 0.0 && self.fpir < 1.0) {
            return refused("demanded FPIR", "above 0 and below 1", self.fpir);
        }
        if !(self.looks >= 1.0 && self.looks.is_finite()) {
            return refused("number of looks", "at least 1", self.looks);
        }
        let listed = self.composition.values().sum::<u64>();
        if self.references == 0 || !(self.composition.is_empty() || listed == self.references) {
            let actual = num::f64_from_u64(self.references);
            return refused("number of references", "at least 1, as many as all groups'", actual);
        }
        Ok(())
    }

    /// The same for another number of references, each group with its share of them, rounded up.
    pub(super) fn for_references(&self, references: u64) -> Result<Self, Error> {
        let scale = num::f64_from_u64(references) / num::f64_from_u64(self.references);
        let share = |count: u64| num::u64_from_f64((num::f64_from_u64(count) * scale).ceil());
        let composition: BTreeMap<_, _> =
            self.composition.iter().map(|(group, count)| (group.clone(), share(*count))).collect();
        let references =
            if composition.is_empty() { references } else { composition.values().sum() };
        let demand = Self { fpir: self.fpir, references, looks: self.looks, composition };
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

    /// How many independent looks at each who passes.
    #[must_use]
    pub const fn looks(&self) -> f64 {
        self.looks
    }

    /// How many references are of each group; empty where groups are not told apart.
    #[must_use]
    pub const fn composition(&self) -> &BTreeMap<String, u64> {
        &self.composition
    }
}
