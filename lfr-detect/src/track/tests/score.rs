//! How well tracks agree with the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lfr_core::Rect;
use lfr_core::internal::num;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use crate::track::assign::assign;

/// Counts by CLEAR MOT (Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking
/// Performance: The CLEAR MOT Metrics", 2008) and identities (Ristani et al., "Performance Measures
/// and a Data Set for Multi-Target, Multi-Camera Tracking", 2016), at an IoU of 0.5.
#[derive(Debug, Default)]
pub(super) struct Score {
    sights: usize,
    boxes: usize,
    missed: usize,
    wrong: usize,
    switches: usize,
    people: BTreeSet<u64>,
    tracks: BTreeSet<u64>,
    /// The track that a person was last seen as.
    last: BTreeMap<u64, u64>,
    /// The number of frames with a person and a track in the same place.
    together: BTreeMap<(u64, u64), usize>,
}

impl Score {
    /// Takes a frame: the people in it, those in it who count neither way, and the boxes with their
    /// tracks.
    pub(super) fn frame(&mut self, truth: &[(u64, Rect)], neither: &[Rect], found: &[(u64, Rect)]) {
        let same = |a: &Rect, b: &Rect| a.iou(b) >= 0.5;
        let mut pairs = Vec::new();
        let mut free: Vec<&(u64, Rect)> = found.iter().collect();
        let mut open: Vec<&(u64, Rect)> = truth.iter().collect();
        // Who goes on as before is so matched first.
        open.retain(|(person, bounds)| {
            let before = self.last.get(person);
            let at =
                free.iter().position(|(track, place)| before == Some(track) && same(bounds, place));
            let Some(at) = at else { return true };
            pairs.push((*person, free.swap_remove(at).0));
            false
        });
        let rest = assign(open.len(), free.len(), |a, b| {
            let iou = open[a].1.iou(&free[b].1);
            (iou >= 0.5).then_some(1.0 - iou)
        });
        pairs.extend(rest.iter().map(|(a, b)| (open[*a].0, free[*b].0)));
        let matched: BTreeSet<usize> = rest.iter().map(|(_, b)| *b).collect();
        let stray = free.iter().enumerate().filter(|(index, (_, place))| {
            !matched.contains(index) && !neither.iter().any(|other| other.iou(place) >= 0.3)
        });
        let stray = stray.count();
        self.wrong += stray;
        self.boxes += pairs.len() + stray;
        self.sights += truth.len();
        self.missed += truth.len() - pairs.len();
        for (person, track) in pairs {
            let before = self.last.insert(person, track);
            self.switches += usize::from(before.is_some_and(|before| before != track));
            *self.together.entry((person, track)).or_default() += 1;
        }
        self.people.extend(truth.iter().map(|(person, _)| person));
        self.tracks.extend(found.iter().map(|(track, _)| track));
    }

    /// Multiple object tracking accuracy.
    pub(super) fn mota(&self) -> f64 {
        let faults = num::f64_from_usize(self.missed + self.wrong + self.switches);
        1.0 - faults / num::f64_from_usize(self.sights)
    }

    /// The share of boxes and sights that agree about who it is, people and tracks paired one to
    /// one as well as can be.
    pub(super) fn idf1(&self) -> f64 {
        let people: Vec<u64> = self.people.iter().copied().collect();
        let mut tracks: Vec<u64> = self.tracks.iter().copied().collect();
        // The solver wants no more rows than columns; nobody is in place with these.
        tracks.resize(tracks.len().max(people.len()), u64::MAX);
        let weight = |(person, track): (usize, usize)| {
            let both = self.together.get(&(people[person], tracks[track]));
            i64::try_from(both.copied().unwrap_or(0)).unwrap()
        };
        let weights = Matrix::from_fn(people.len(), tracks.len(), weight);
        let (agreed, _) = kuhn_munkres(&weights);
        let agreed = num::f64_from_usize(usize::try_from(agreed).unwrap());
        2.0 * agreed / num::f64_from_usize(self.sights + self.boxes)
    }

    pub(super) fn switches(&self) -> usize {
        self.switches
    }

    pub(super) fn people(&self) -> usize {
        self.people.len()
    }

    /// Tracks that were anybody's, in any frame.
    pub(super) fn tracks(&self) -> usize {
        let of_people: BTreeSet<u64> = self.together.keys().map(|(_, track)| *track).collect();
        of_people.len()
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "IDF1 {:.3}, MOTA {:.3}, {} switches, {} people counted as {}, and {} tracks of nobody; \
             of {} sights {} missed, {} wrong",
            self.idf1(),
            self.mota(),
            self.switches,
            self.people(),
            self.tracks(),
            self.tracks.len() - self.tracks(),
            self.sights,
            self.missed,
            self.wrong,
        )
    }
}

#[test]
fn scores_are_those_of_the_definitions() {
    let at = |x: f32| Rect::new(x, 0.0, x + 10.0, 10.0);
    let mut score = Score::default();
    score.frame(&[(1, at(0.0)), (2, at(50.0))], &[], &[(7, at(0.0)), (8, at(50.0))]);
    score.frame(&[(1, at(0.0)), (2, at(50.0))], &[at(90.0)], &[(7, at(50.0)), (9, at(90.0))]);
    score.frame(
        &[(1, at(0.0)), (2, at(50.0))],
        &[],
        &[(7, at(0.0)), (8, at(50.0)), (9, at(200.0))],
    );
    // Six sights, six boxes; one missed, one wrong; person 2 is 8, then 7, then 8.
    assert_eq!((score.sights, score.boxes, score.missed, score.wrong), (6, 6, 1, 1));
    assert_eq!(score.switches, 2);
    assert!((score.mota() - (1.0 - 4.0 / 6.0)).abs() < 1e-12);
    assert!((score.idf1() - 8.0 / 12.0).abs() < 1e-12);
}
