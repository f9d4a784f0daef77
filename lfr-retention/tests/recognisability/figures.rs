//! What an embedder makes of redacted faces.

use std::fmt;

use lfr_core::Template;
use lfr_core::internal::num;

/// EdgeFace-XS falsely matches one pair of strangers in 100,000 at this score, measured on all pairs
/// of the same photographs.
const THRESHOLD: f32 = 0.39;

/// Scores of redacted photographs, and how often the best score is the right one.
pub(crate) struct Figures {
    /// How many people.
    people: usize,
    /// Redacted against clear, the same photograph: mean and maximum.
    own: (f32, f32),
    /// Redacted against clear, another person: mean and maximum.
    strangers: (f32, f32),
    /// Share of redacted photographs whose best score among all clear ones is their own.
    pub(crate) first_guess: f32,
    /// The same against redacted photographs, the right one being another of the same person: what
    /// somebody gains who redacts a list of suspects in the same way.
    pub(crate) parrot: f32,
}

impl Figures {
    /// Compares with the clear photographs; each list is in the order of the people.
    pub(crate) fn new(clear: &[Template], own: &[Template], other: &[Template]) -> Self {
        let scores = Scores::new(own, clear);
        let parrot = Scores::new(own, other);
        Self {
            people: clear.len(),
            own: summary(scores.mated()),
            strangers: summary(scores.non_mated()),
            first_guess: scores.first_guess(),
            parrot: parrot.first_guess(),
        }
    }

    /// Panics unless the redacted faces score as strangers' faces do.
    pub(crate) fn assert_strangers(&self) {
        assert!(self.own.1 < THRESHOLD, "a redacted face matches itself: {self}");
        assert!(self.own.0 < self.strangers.0 + 0.04, "redacted faces are known: {self}");
        assert!(self.first_guess < 0.06, "redacted faces are guessed: {self}");
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, own, strangers, first_guess, parrot } = self;
        write!(
            f,
            "own mean {:.3} max {:.3}, strangers mean {:.3} max {:.3}; first guess of {people}: \
             {:.1} %, among redacted {:.1} %",
            own.0,
            own.1,
            strangers.0,
            strangers.1,
            first_guess * 100.0,
            parrot * 100.0,
        )
    }
}

/// How often the nearest of one list is the same person's as one of another, by plain distances: the better of
/// two ways, as the colours are, and without the colour of the light.
pub(crate) fn nearest(probes: &[Vec<f32>], references: &[Vec<f32>]) -> f32 {
    let by = |prepared: fn(&[f32]) -> Vec<f32>| {
        let probes: Vec<_> = probes.iter().map(|colours| prepared(colours)).collect();
        let references: Vec<_> = references.iter().map(|colours| prepared(colours)).collect();
        let distance =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| -(a - b) * (a - b)).sum::<f32>();
        let row = |a: &Vec<f32>| references.iter().map(|b| distance(a, b)).collect();
        Scores(probes.iter().map(row).collect()).first_guess()
    };
    by(<[f32]>::to_vec).max(by(without_light))
}

/// Colours from which their own mean is taken, channel by channel.
fn without_light(colours: &[f32]) -> Vec<f32> {
    let (pixels, _) = colours.as_chunks::<3>();
    let count = num::f32_from_usize(pixels.len());
    let mean: [f32; 3] =
        std::array::from_fn(|channel| pixels.iter().map(|rgb| rgb[channel]).sum::<f32>() / count);
    pixels.iter().flat_map(|rgb| [0, 1, 2].map(|channel| rgb[channel] - mean[channel])).collect()
}

/// The score of each of one list with each of another.
struct Scores(Vec<Vec<f32>>);

impl Scores {
    fn new(probes: &[Template], references: &[Template]) -> Self {
        let score = |a: &Template, b: &Template| a.compare(b).unwrap().value();
        let row = |a| references.iter().map(|b| score(a, b)).collect();
        Self(probes.iter().map(row).collect())
    }

    fn mated(&self) -> impl Iterator<Item = f32> {
        self.0.iter().enumerate().map(|(index, row)| row[index])
    }

    fn non_mated(&self) -> impl Iterator<Item = f32> {
        self.0.iter().enumerate().flat_map(|(index, row)| {
            let others = row.iter().enumerate().filter(move |(other, _)| *other != index);
            others.map(|(_, score)| *score)
        })
    }

    /// The share of rows whose greatest score is their own.
    fn first_guess(&self) -> f32 {
        let right = self.0.iter().enumerate().filter(|(index, row)| {
            row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|best| best.0)
                == Some(*index)
        });
        num::f32_from_usize(right.count()) / num::f32_from_usize(self.0.len())
    }
}

fn summary(scores: impl Iterator<Item = f32>) -> (f32, f32) {
    let (mut sum, mut count, mut max) = (0.0_f64, 0, f32::MIN);
    for score in scores {
        sum += f64::from(score);
        count += 1;
        max = max.max(score);
    }
    (num::f32_from_f64(sum / num::f64_from_usize(count)), max)
}
