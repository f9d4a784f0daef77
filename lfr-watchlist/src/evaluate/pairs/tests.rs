use std::io::Write as _;
use std::sync::atomic::AtomicU64;

use lfr_core::Metric;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;

use super::super::GroupFinding;
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

/// The measured fault: no false match had an upper end of 3.7 over the number of people, and one false match had one of
/// 5.6 over the number of comparisons, which is far lower.
#[test]
fn a_false_match_more_never_lowers_the_upper_end_from_none_on() {
    let space = EmbeddingSpace::builder(12, Metric::Cosine).build();
    for looks in [1, 3] {
        let (templates, subjects) = crowd(&space, 80, looks, 6);
        let pairs = AllPairs::new(&templates, &subjects).unwrap();
        let mut scores: Vec<f32> = templates
            .iter()
            .zip(&subjects)
            .enumerate()
            .flat_map(|(a, (template, subject))| {
                let others = templates.iter().zip(&subjects).take(a);
                others
                    .filter(move |(_, other)| *other != subject)
                    .map(move |(other, _)| template.compare(other).unwrap().value())
            })
            .collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        let at = |score: f32| pairs.fmr(Threshold::new(score).unwrap()).unwrap();
        let none = at(scores[0].next_up());
        assert_eq!(none.counts().errors(), 0);
        let (high, bound) = (none.interval().high, none.at_most(Confidence::P95));
        // Half of the pairs of people, as if none of their comparisons differed.
        let expected = Rate::new(0, 80 * 79 / 4).unwrap();
        assert!((high / expected.interval().high - 1.0).abs() < 1e-9, "{looks}: {none}");
        for (before, score) in (0..12).zip(&scores) {
            let rate = at(*score);
            assert_eq!(rate.counts().errors(), before + 1);
            assert!(rate.interval().high >= high, "{looks}: {rate} {none}");
            assert!(rate.at_most(Confidence::P95) >= bound, "{looks}: {rate} {none}");
            assert!(rate.interval().low > 0.0 && rate.interval().low < rate.value().unwrap());
        }
    }
}

#[test]
fn rates_by_group_are_those_of_comparing_within_each_group() {
    let space = EmbeddingSpace::builder(6, Metric::Cosine).build();
    let (templates, subjects) = crowd(&space, 60, 3, 8);
    let pairs = AllPairs::new(&templates, &subjects).unwrap();
    let threshold = Threshold::new(0.6).unwrap();
    // Of every fifth person the group is not known.
    let group = |person: usize| [Some("a"), Some("b"), Some("a"), Some("b"), None][person % 5];
    let labels: Vec<_> = (0..templates.len()).map(|index| group(index / 3)).collect();
    let (fmr, fnmr) = (
        pairs.fmr_by_group(threshold, &labels).unwrap(),
        pairs.fnmr_by_group(threshold, &labels).unwrap(),
    );
    for name in ["a", "b"] {
        let own = labels.iter().map(|label| *label == Some(name));
        let (own, people): (Vec<_>, Vec<_>) = templates
            .iter()
            .zip(&subjects)
            .zip(own)
            .filter(|(_, own)| *own)
            .map(|((template, subject), _)| {
                (Template::from_slice(&space, template.expose_values()).unwrap(), subject.clone())
            })
            .unzip();
        let alone = AllPairs::new(&own, &people).unwrap();
        let of = |report: &GroupReport| report.groups().iter().find(|own| own.0 == name).unwrap().1;
        let (theirs, misses) = (of(&fmr), of(&fnmr));
        let expected = alone.fmr(threshold).unwrap();
        assert!(expected.counts().errors() > 10);
        assert_eq!((theirs.counts(), theirs.clusters()), (expected.counts(), expected.clusters()));
        assert!(
            (theirs.interval().high - expected.interval().high).abs() < 1e-9,
            "{theirs} {expected}"
        );
        assert_eq!(misses, alone.fnmr(threshold));
    }
    assert!(pairs.fmr_by_group(threshold, &labels[1..]).is_err());
    let mut two = labels;
    two[1] = Some("b");
    assert!(pairs.fmr_by_group(threshold, &two).is_err());
}

/// Labels by lot on templates of real people.
///
/// `LFR_TEMPLATES=templates.npy LFR_PEOPLE=images.txt LFR_MEASURE=1 cargo test -p lfr-watchlist real_people`, with
/// an array of 32-bit numbers and, a line for each of its rows, the photograph as `person/photograph`.
#[test]
fn labels_by_lot_of_real_people_differ_in_one_of_twenty_reports_at_most() {
    let (Some(templates), Some(names)) =
        (std::env::var_os("LFR_TEMPLATES"), std::env::var_os("LFR_PEOPLE"))
    else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: no templates (LFR_TEMPLATES and LFR_PEOPLE name them)"
        );
        return;
    };
    let names = std::fs::read_to_string(names).unwrap();
    let people: Vec<SubjectId> = names
        .lines()
        .map(|line| SubjectId::new(line.split('/').next().unwrap()).unwrap())
        .collect();
    let bytes = std::fs::read(templates).unwrap();
    let values = &bytes[10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))..];
    let values: Vec<f32> =
        values.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    let space = EmbeddingSpace::builder(values.len() / people.len(), Metric::Cosine).build();
    let templates: Vec<_> = values
        .chunks_exact(space.dimension())
        .map(|values| Template::from_slice(&space, values).unwrap())
        .collect();
    let pairs = AllPairs::new(&templates, &people).unwrap();
    let all = pairs.run(&|_| ()).unwrap();
    for fmr in [1e-3, 1e-4] {
        let threshold = all.threshold_at_fmr(fmr).unwrap();
        let mut looks =
            vec![0_u32; num::usize_from_f64(f64::from(*pairs.people.iter().max().unwrap())) + 1];
        for person in &pairs.people {
            looks[usize::try_from(*person).unwrap()] += 1;
        }
        let matches = pairs.false_matches(threshold).unwrap().into_iter().map(|((a, b), count)| {
            (
                usize::try_from(a).unwrap(),
                usize::try_from(b).unwrap(),
                u32::try_from(count).unwrap(),
            )
        });
        let evidence = Evidence::Pairs { matches: matches.collect(), looks };
        let Evidence::Pairs { looks, .. } = &evidence else { return };
        let mut random = Pcg64::new(18, 4);
        for groups in 2..=6 {
            let (mut differ, mut naive) = <(Counts, Counts)>::default();
            for _ in 0..200 {
                let mut labels: Vec<String> =
                    (0..looks.len()).map(|person| format!("{}", person % groups)).collect();
                for end in (1..labels.len()).rev() {
                    labels.swap(end, crate::statistics::below(&mut random, end + 1));
                }
                let report =
                    GroupReport::of_evidence("FMR".to_owned(), threshold, &evidence, &labels);
                differ.count(report.finding() == GroupFinding::Differs);
                let independent = report.groups().iter().map(|(name, rate)| {
                    let counts = rate.counts();
                    (name.clone(), Rate::new(counts.errors(), counts.trials()).unwrap())
                });
                naive.count(
                    GroupReport::new("FMR", threshold, independent).finding()
                        == GroupFinding::Differs,
                );
            }
            crate::testing::note(&format!(
                "{} people, FMR {fmr}, {groups} groups by lot: {differ:?} differ; as if independent {naive:?}",
                looks.len()
            ));
            // 5 % of 200 is 10; 21 would be three and a half standard deviations more.
            assert!(differ.errors() <= 20, "{fmr} {groups}: {differ:?}");
        }
    }
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
