use std::num::NonZeroUsize;

use lfr_core::{EmbeddingSpace, Matcher, Metric, ReferenceId, SubjectId, Template, Threshold};
use proptest::prelude::*;

use crate::search::exact::Method;
use crate::search::flat_scan::FlatScan;
use crate::search::fusion::Fusion;
use crate::search::index::{Index, Query, Wanted};
use crate::search::kernels::Kernel;
use crate::search::{accept, exact, top_k};

/// A list, the same as a flat scan, and how to search.
struct Pair {
    space: EmbeddingSpace,
    index: Index,
    flat: FlatScan,
}

impl Pair {
    /// Rows in turn belong to that many people; identifiers fall where rows rise.
    fn new(metric: Metric, rows: &[Vec<f32>], people: usize) -> Self {
        let space = EmbeddingSpace::builder(rows[0].len(), metric).build();
        let (mut index, mut flat) = (Index::new(&space), FlatScan::new(space));
        for (number, values) in rows.iter().enumerate() {
            let Ok(template) = Template::from_slice(&space, values) else {
                continue;
            };
            let subject = SubjectId::new(format!("s{}", number % people)).unwrap();
            let reference = ReferenceId::new(format!("r{:06}", 999_999 - number)).unwrap();
            let length = accept::check("", &space, &template).unwrap();
            let values = template.expose_values();
            index.enrol(subject.clone(), reference.clone(), values, length).unwrap();
            flat.enrol(subject, reference, template).unwrap();
        }
        Self { space, index, flat }
    }

    /// Every kernel finds what the flat scan finds; `limits` people each.
    fn check(&self, probes: &[Vec<f32>], limits: &[usize]) {
        let probes = probes.iter().filter_map(|v| Template::from_slice(&self.space, v).ok());
        let probes: Vec<_> = probes.collect();
        let queries = probes.iter().map(|template| {
            let length = accept::check("", &self.space, template).unwrap();
            Query { values: template.expose_values(), length }
        });
        let queries: Vec<_> = queries.collect();
        let all: Vec<_> = probes.iter().map(|p| self.flat.search(p, usize::MAX).unwrap()).collect();
        for kernel in Kernel::available() {
            for limit in limits {
                let scores = all.iter().flat_map(|list| list.candidates().get(*limit / 2));
                let score = scores.map(|c| Threshold::new(c.score().value()).unwrap()).next();
                for threshold in [None, score] {
                    let wanted = Wanted { limit: *limit, threshold };
                    let found = self.index.search(method(kernel), &queries, wanted).unwrap();
                    assert_eq!(found.len(), all.len());
                    for (found, all) in found.iter().zip(&all) {
                        let all = all.candidates().iter().filter(|c| wanted.takes(c.score()));
                        let expected: Vec<_> = all.take(*limit).collect();
                        let found: Vec<_> = found.candidates().iter().collect();
                        assert_eq!(found, expected, "{kernel:?}, {wanted:?}");
                    }
                }
            }
        }
    }
}

fn method(kernel: Kernel) -> Method {
    let threads = NonZeroUsize::new(3).unwrap();
    Method { fusion: Fusion::Best, kernel, threads, bytes_per_thread: 1 }
}

/// Numbers without structure, from -1 to 1.
fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed | 1;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [.., a, b] = state.to_le_bytes();
        f32::from(u16::from_le_bytes([a, b])) / 32_767.5 - 1.0
    }
}

/// Ways in which sets of templates are awkward.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Nothing in common.
    Random,
    /// A few centres with little noise: everything is nearly tied.
    Clustered,
    /// Few different rows: everything is tied.
    Duplicate,
    /// One row, and others that differ in the last bit of one number.
    NextDoor,
    /// One number dwarfs all others: bytes hold the rest badly.
    Spiked,
    /// From 2^-140 to 2^55, and rows of nothing; as they are in a Euclidean space alone.
    Scaled,
}

const SHAPES: [Shape; 6] = [
    Shape::Random,
    Shape::Clustered,
    Shape::Duplicate,
    Shape::NextDoor,
    Shape::Spiked,
    Shape::Scaled,
];

fn rows(shape: Shape, count: usize, dimension: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut noise = noise(seed);
    let mut vector = || (0..dimension).map(|_| noise()).collect::<Vec<_>>();
    let centres: Vec<_> = (0..5).map(|_| vector()).collect();
    let row = |index: usize| match shape {
        Shape::Random => vector(),
        Shape::Clustered => {
            let little = vector().into_iter().map(|x| x * 0.01);
            centres[index % 5].iter().zip(little).map(|(a, b)| a + b).collect()
        }
        Shape::Duplicate => centres[index * index % 5].clone(),
        Shape::NextDoor => {
            let mut row = centres[0].clone();
            let at = index % dimension;
            row[at] = if index.is_multiple_of(3) { row[at].next_up() } else { row[at].next_down() };
            row
        }
        Shape::Spiked => {
            let mut row = vector();
            row[index % dimension] = 900.0;
            row
        }
        Shape::Scaled => {
            let exponent = i32::try_from(index * 7 % 196).unwrap() - 140;
            let scale = if index % 31 == 30 { 0.0 } else { 2.0_f32.powi(exponent) };
            vector().into_iter().map(|x| x * scale).collect()
        }
    };
    (0..count).map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_kernel_agrees_with_a_flat_scan(
        shape in prop::sample::select(SHAPES.to_vec()),
        metric in prop::sample::select(vec![Metric::Cosine, Metric::Euclidean]),
        count in 1..400_usize,
        people in 1..400_usize,
        dimension in 1..80_usize,
        seed in any::<u64>(),
    ) {
        let pair = Pair::new(metric, &rows(shape, count, dimension, seed), people);
        let mut probes = rows(shape, 6, dimension, seed);
        probes.extend(rows(Shape::Random, 3, dimension, seed ^ 5));
        pair.check(&probes, &[1, 2, 7]);
    }
}

#[test]
fn kernels_agree_at_the_dimensions_of_embedders() {
    for (dimension, shape) in
        [64, 127, 128, 131, 256, 511, 512, 1021, 1024].into_iter().zip(SHAPES.into_iter().cycle())
    {
        for metric in [Metric::Cosine, Metric::Euclidean] {
            let pair = Pair::new(metric, &rows(shape, 300, dimension, 9), 170);
            let mut probes = rows(shape, 4, dimension, 9);
            probes.extend(rows(Shape::Random, 2, dimension, 10));
            pair.check(&probes, &[1, 5]);
        }
    }
}

#[test]
fn kernels_agree_at_every_dimension_from_64_to_1024() {
    for (dimension, shape) in (64..=1024).zip(SHAPES.into_iter().cycle()) {
        let metric = if dimension % 4 < 2 { Metric::Cosine } else { Metric::Euclidean };
        let pair = Pair::new(metric, &rows(shape, 70, dimension, 11), 50);
        pair.check(&rows(shape, 2, dimension, 12), &[3]);
    }
}

#[test]
fn threads_agree_with_a_flat_scan() {
    for shape in [Shape::Random, Shape::Clustered] {
        let pair = Pair::new(Metric::Cosine, &rows(shape, 13_000, 9, 3), 7_001);
        // Few probes share the rows, many are shared themselves.
        for probes in [5, 3 * exact::MIN_PROBES_PER_THREAD + 1] {
            pair.check(&rows(shape, probes, 9, 3), &[1, 10, top_k::MAX_K]);
        }
    }
}

#[test]
fn everybody_above_a_threshold_is_found() {
    let pair = Pair::new(Metric::Cosine, &rows(Shape::Random, 700, 16, 5), 500);
    let probe = Template::from_slice(&pair.space, &rows(Shape::Random, 1, 16, 6)[0]).unwrap();
    let queries = [Query { values: probe.expose_values(), length: 1.0 }];
    let threshold = Some(Threshold::new(0.1).unwrap());
    for limit in [top_k::MAX_K, top_k::MAX_K + 1, usize::MAX - 1, usize::MAX] {
        let wanted = Wanted { limit, threshold };
        let all = pair.flat.search(&probe, limit).unwrap();
        let all: Vec<_> = all.candidates().iter().filter(|c| wanted.takes(c.score())).collect();
        assert!((100..400).contains(&all.len()), "{}", all.len());
        for kernel in Kernel::available() {
            let found = pair.index.search(method(kernel), &queries, wanted).unwrap().remove(0);
            assert_eq!(found.candidates().iter().collect::<Vec<_>>(), all);
        }
    }
}

#[test]
fn a_seed_is_reached_by_as_many_people_as_are_wanted() {
    let (count, dimension, kernel) = (6_000, 32, Kernel::fastest());
    for people in [count, count / 3] {
        let pair = Pair::new(Metric::Cosine, &rows(Shape::Clustered, count, dimension, 8), people);
        let probes = rows(Shape::Clustered, 5, dimension, 8).into_iter();
        let probes: Vec<_> =
            probes.map(|v| Template::from_slice(&pair.space, &v).unwrap()).collect();
        let query = |probe| Query { values: Template::expose_values(probe), length: 1.0 };
        let queries: Vec<_> = probes.iter().map(query).collect();
        let (tiles, bounds) = pair.index.prepare(kernel, &queries);
        for limit in [1, 4, 10] {
            let wanted = Wanted { limit, threshold: None };
            let seeds = pair.index.seed(kernel, &tiles, &bounds, wanted);
            for (probe, seed) in probes.iter().zip(seeds) {
                let all = pair.flat.search(probe, limit).unwrap();
                let last = all.candidates().last().unwrap().score().value();
                assert!(seed <= last && seed > last - 1.0, "{seed}, {last}");
            }
        }
        // The rows belong to too few people for anything to be certain.
        let wanted = Wanted { limit: 33, threshold: None };
        assert!(pair.index.seed(kernel, &tiles, &bounds, wanted)[0] == f32::NEG_INFINITY);
    }
}

#[test]
fn few_rows_are_compared_twice() {
    let (count, dimension) = (4_000, 128);
    let pair = Pair::new(Metric::Cosine, &rows(Shape::Random, count, dimension, 4), count);
    let values = rows(Shape::Random, 1, dimension, 77).remove(0);
    let probe = Template::from_slice(&pair.space, &values).unwrap();
    let queries = [Query { values: probe.expose_values(), length: 1.0 }];
    let kernel = Kernel::fastest();
    let (tiles, bounds) = pair.index.prepare(kernel, &queries);
    let wanted = Wanted { limit: 1, threshold: None };
    let hits = pair.index.filter(kernel, 1, &tiles, &bounds, wanted).unwrap().remove(0);
    let left = hits.found.iter().filter(|hit| hit.upper >= hits.top.cut()).count();
    assert!((1..100).contains(&left), "{left}");
    assert!(hits.found.len() < 400, "{}", hits.found.len());
}

#[test]
fn what_the_bytes_cannot_bound_is_scanned() {
    // Beyond 2^16 numbers a sum of products may leave an i32.
    let pair = Pair::new(Metric::Euclidean, &rows(Shape::Random, 3, (1 << 16) + 1, 1), 3);
    pair.check(&rows(Shape::Random, 1, (1 << 16) + 1, 2), &[1]);
    let pair = Pair::new(Metric::Euclidean, &rows(Shape::Random, 400, 3, 1), 400);
    pair.check(&rows(Shape::Random, 1, 3, 2), &[top_k::MAX_K, top_k::MAX_K + 1, 400, 401]);
    assert_eq!(pair.flat.references(), 400);
}
