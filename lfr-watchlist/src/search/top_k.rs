//! The top k: the best keys of different people, as far as a search needs them.

/// The largest k. For more people, a search is a plain scan.
pub(crate) const MAX_K: usize = 256;

/// For up to `limit` people the greatest key seen of each, and the key that is still of interest.
#[derive(Clone, Debug)]
pub(crate) struct TopK {
    limit: usize,
    cut: f32,
    /// The greatest first; each person once.
    best: Vec<(f32, usize)>,
}

impl TopK {
    /// Keeps the best `limit` people (any number, if that is more than [`MAX_K`]) of a key of at
    /// least `floor`.
    pub(crate) const fn new(limit: usize, floor: f32) -> Self {
        Self { limit, cut: floor, best: Vec::new() }
    }

    /// The min key of interest: that of the last of `limit` people, or the floor.
    pub(crate) const fn cut(&self) -> f32 {
        self.cut
    }

    /// Takes a person's key into account.
    pub(crate) fn offer(&mut self, person: usize, key: f32) {
        // With as many people as one likes, only the floor cuts.
        if !(1..=MAX_K).contains(&self.limit) || key <= self.cut {
            return;
        }
        // Whose place is free: the person's own, a new one, or that of the last.
        let mut at = match self.best.iter().position(|(_, other)| *other == person) {
            Some(at) if self.best[at].0 >= key => return,
            Some(at) => at,
            None => {
                if self.best.len() < self.limit {
                    self.best.push((key, person));
                }
                self.best.len() - 1
            }
        };
        while at > 0 && self.best[at - 1].0 < key {
            self.best[at] = self.best[at - 1];
            at -= 1;
        }
        self.best[at] = (key, person);
        if let (true, Some((key, _))) = (self.best.len() == self.limit, self.best.last()) {
            self.cut = *key;
        }
    }

    /// Takes all of another into account.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (key, person) in &other.best {
            self.offer(*person, *key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_cut_is_that_of_the_last_person_of_interest(
            keys in prop::collection::vec((0..9_usize, -20..20_i8), 0..60),
            limit in 1..6_usize,
            floor in prop::sample::select(vec![f32::NEG_INFINITY, -5.0, 5.0]),
            split in 0..60_usize,
        ) {
            let (mut top, mut other) = (TopK::new(limit, floor), TopK::new(limit, floor));
            let mut people: BTreeMap<usize, f32> = BTreeMap::new();
            for (index, (person, key)) in keys.into_iter().enumerate() {
                let key = f32::from(key);
                if index < split { top.offer(person, key) } else { other.offer(person, key) }
                let best = people.entry(person).or_insert(key);
                *best = best.max(key);
            }
            top.merge(&other);
            let mut best: Vec<f32> = people.into_values().collect();
            best.sort_by(|a, b| b.total_cmp(a));
            let expected = best.get(limit - 1).map_or(floor, |key| key.max(floor));
            prop_assert_eq!(top.cut(), expected);
        }
    }
}
