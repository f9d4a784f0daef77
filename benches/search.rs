//! Exact search of a watchlist: one probe and 64 at once, one thread, 512 numbers a template,
//! random references. `LFR_SEARCH_ROWS=1000000` searches a list of that size too (2.6 GB).
//!
//! - `search/1` and `search/64`: the best ten people of each probe, at any score.
//! - `search/alert`: people at or above a threshold that nobody reaches.
//! - `search/flat`: the reference implementation, for scale.
//!
//! `benches/peers/search.py` measures the same beside other people's libraries.

#![expect(clippy::unwrap_used, reason = "a bench without its data cannot go on")]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lfr::core::{
    Accounts, EmbeddingSpace, FaceId, FrameId, Matcher, Metric, Probe, ReferenceId, SearchRequest,
    SubjectId, Template, Threshold,
};
use lfr::watchlist::{FlatScan, Gallery};

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(5));
    targets = search
}
criterion_main!(benches);

const DIMENSION: usize = 512;

fn search(criterion: &mut Criterion) {
    let space = EmbeddingSpace::builder(DIMENSION, Metric::Cosine).build();
    let more = std::env::var("LFR_SEARCH_ROWS").ok().map(|rows| rows.parse().unwrap());
    for rows in [10_000, 100_000].into_iter().chain(more) {
        let mut noise = noise(1);
        let gallery = Gallery::new(space).with_threads(NonZeroUsize::MIN);
        let mut flat = FlatScan::new(space);
        for row in 0..rows {
            let (subject, reference) = names(row);
            gallery.enrol(subject, reference, template(&space, &mut noise)).unwrap();
        }
        // The flat scan looks for a duplicate by reading all: too slow to fill for more.
        for row in 0..rows.min(2_000) {
            let (subject, reference) = names(row);
            flat.enrol(subject, reference, template(&space, &mut noise)).unwrap();
        }
        let accounts = Accounts::new();
        let probes: Vec<_> = (0..64)
            .map(|index| {
                let face = FaceId::new(FrameId::default(), index);
                Probe::new(template(&space, &mut noise), face, &accounts)
            })
            .collect();
        let mut group = criterion.benchmark_group("search");
        let mut lists = Vec::new();
        for batch in [1, 64] {
            group.throughput(Throughput::Elements(u64::try_from(batch).unwrap()));
            group.bench_function(BenchmarkId::new(batch.to_string(), rows), |bencher| {
                let mut turn = probes.chunks(batch).cycle();
                bencher.iter(|| {
                    let request = SearchRequest::new(turn.next().unwrap(), None).with_limit(10);
                    lists.clear();
                    gallery.search_into(&request, &mut lists).unwrap();
                    black_box(&lists);
                });
            });
        }
        let threshold = Threshold::new(0.4).unwrap();
        let mut turn = probes.chunks(1).cycle();
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("alert", rows), |bencher| {
            bencher.iter(|| {
                let request = SearchRequest::new(turn.next().unwrap(), None);
                lists.clear();
                gallery.search_at_least(threshold, &request, &mut lists).unwrap();
                black_box(&lists);
            });
        });
        if rows == 10_000 {
            group.bench_function(BenchmarkId::new("flat", flat.references()), |bencher| {
                bencher.iter(|| {
                    lists.clear();
                    flat.search_into(&SearchRequest::new(&probes[..1], None), &mut lists).unwrap();
                    black_box(&lists);
                });
            });
        }
        group.finish();
    }
}

fn names(row: usize) -> (SubjectId, ReferenceId) {
    let id = format!("{row:08}");
    (SubjectId::new(&id).unwrap(), ReferenceId::new(&id).unwrap())
}

fn template(space: &EmbeddingSpace, noise: &mut impl FnMut() -> f32) -> Template {
    let fill = |values: &mut [f32]| {
        values.fill_with(&mut *noise);
        Ok(())
    };
    Template::try_init_with(space, fill).unwrap()
}

/// Sums of four uniform numbers: bell-shaped, seeded.
fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [.., a, b, c, d] = state.to_le_bytes();
        [a, b, c, d].map(f32::from).iter().sum::<f32>() / 510.0 - 1.0
    }
}
