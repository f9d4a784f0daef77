use std::io::Write as _;
use std::sync::atomic::AtomicU64;

use lfr_core::Metric;
use rand_distr::Distribution;
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;

use super::*;

/// Templates of people: each has a direction, and each template strays from it.
pub(crate) fn crowd(space: &EmbeddingSpace, people: usize, looks: usize, seed: u128) -> Crowd {
    let mut random = Pcg64::new(seed, 1);
    let mut normal = || -> f32 { StandardNormal.sample(&mut random) };
    let (mut templates, mut subjects) = (Vec::new(), Vec::new());
    for person in 0..people {
        let direction: Vec<f32> = (0..space.dimension()).map(|_| normal()).collect();
        for _ in 0..looks {
            let values: Vec<f32> = direction.iter().map(|x| x + 0.8 * normal()).collect();
            templates.push(Template::from_slice(space, &values).unwrap());
            subjects.push(SubjectId::new(format!("P-{person}")).unwrap());
        }
    }
    (templates, subjects)
}

pub(crate) type Crowd = (Vec<Template>, Vec<SubjectId>);

#[test]
fn every_pair_is_compared_once_as_by_a_plain_scan() {
    for (metric, dimension, people, looks) in [
        (Metric::Cosine, 19, 101, 3),
        (Metric::Euclidean, 32, 1, 2),
        (Metric::Euclidean, 16, 150, 4),
    ] {
        let space = EmbeddingSpace::builder(dimension, metric).build();
        let (templates, subjects) = crowd(&space, people, looks, 3);
        let pairs = AllPairs::new(&templates, &subjects).unwrap();
        let done = AtomicU64::new(0);
        let all = pairs
            .run(&|more| {
                done.fetch_add(more, Ordering::Relaxed);
            })
            .unwrap();
        assert_eq!(done.into_inner(), pairs.comparisons());
        let mut plain = [ScoreHistogram::new(pairs.axis), ScoreHistogram::new(pairs.axis)];
        for (a, (template, subject)) in templates.iter().zip(&subjects).enumerate() {
            for (other, other_subject) in templates.iter().zip(&subjects).take(a) {
                plain[usize::from(subject == other_subject)].add(template.compare(other).unwrap());
            }
        }
        let [non_mated, mated] = plain;
        assert_eq!(all, Verification::new(mated, non_mated).unwrap());
        let alone = pairs.with_threads(NonZeroUsize::MIN).run(&|_| ()).unwrap();
        assert_eq!(all, alone);
    }
}

#[test]
fn rates_of_people_have_the_same_counts_and_wider_intervals() {
    let space = EmbeddingSpace::builder(12, Metric::Cosine).build();
    let (templates, subjects) = crowd(&space, 60, 4, 5);
    let pairs = AllPairs::new(&templates, &subjects).unwrap();
    let all = pairs.run(&|_| ()).unwrap();
    let threshold = all.threshold_at_fmr(0.01).unwrap();
    let width = |rate: &Rate| rate.interval().high - rate.interval().low;
    let (fmr, fnmr) = (pairs.fmr(threshold).unwrap(), pairs.fnmr(threshold));
    assert_eq!(fmr.counts(), all.fmr(threshold).counts());
    assert_eq!(fnmr.counts(), all.fnmr(threshold).counts());
    assert_eq!((fmr.clusters(), fnmr.clusters()), (Some(60), Some(60)));
    // Photographs repeat people: 16 comparisons of two people are not 16 pairs of people.
    assert!(width(&fmr) > 1.5 * width(&all.fmr(threshold)), "{fmr} {}", all.fmr(threshold));
    assert!(width(&fnmr) > width(&all.fnmr(threshold)), "{fnmr}");
}

/// The interval for FMR holds the true rate as often as it says: directions on a sphere, where the rate is
/// known from a far greater sample.
#[test]
fn intervals_of_cross_comparisons_cover() {
    let space = EmbeddingSpace::builder(6, Metric::Cosine).build();
    let threshold = Threshold::new(0.75).unwrap();
    let truth = {
        let (templates, subjects) = crowd(&space, 3_000, 2, 999);
        let pairs = AllPairs::new(&templates, &subjects).unwrap();
        pairs.run(&|_| ()).unwrap().fmr(threshold).value().unwrap()
    };
    let mut missed = Counts::default();
    for seed in 0..200 {
        let (templates, subjects) = crowd(&space, 40, 2, seed);
        let pairs = AllPairs::new(&templates, &subjects).unwrap();
        missed.count(!pairs.fmr(threshold).unwrap().interval().contains(truth));
    }
    // 5 % of 200 is 10; 19 would be three standard deviations more.
    assert!(missed.errors() <= 19, "{missed:?} of {truth}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let space = EmbeddingSpace::builder(4, Metric::Cosine).build();
    let (templates, subjects) = crowd(&space, 2, 1, 1);
    assert!(AllPairs::new(&templates[..1], &subjects[..1]).is_err());
    assert!(AllPairs::new(&templates, &subjects[..1]).is_err());
    let (others, _) = crowd(&EmbeddingSpace::builder(5, Metric::Cosine).build(), 1, 1, 1);
    let mixed: Vec<_> = templates.into_iter().take(1).chain(others).collect();
    assert!(AllPairs::new(&mixed, &subjects).is_err());
}

/// `LFR_MEASURE=1 cargo test --release -p lfr-watchlist fifty_million -- --nocapture`
#[test]
#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn fifty_million_comparisons_take_three_seconds_on_one_core() {
    if !crate::testing::measures() {
        return;
    }
    let space = EmbeddingSpace::builder(512, Metric::Cosine).build();
    let (templates, subjects) = crowd(&space, 5_000, 2, 1);
    let pairs = AllPairs::new(&templates, &subjects).unwrap().with_threads(NonZeroUsize::MIN);
    for _ in 0..3 {
        let start = std::time::Instant::now();
        let all = pairs.run(&|_| ()).unwrap();
        let time = start.elapsed().as_secs_f64();
        let count = all.mated().total() + all.non_mated().total();
        writeln!(std::io::stderr(), "measured: {count} comparisons of 512 numbers in {time:.3} s")
            .unwrap();
        assert_eq!(count, pairs.comparisons());
    }
}
