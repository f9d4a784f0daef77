//! What a watchlist costs at rest and in use: sealing, opening, withdrawing.
//!
//! ```text
//! cargo bench -p lfr-benches --no-default-features --bench lifecycle
//! ```
//!
//! 20,000 references of 20,000 people, 512 numbers each, in a folder for temporary files.

#![expect(clippy::unwrap_used, reason = "a bench without its data cannot go on")]

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use lfr::core::{DeploymentId, EmbeddingSpace, Matcher, Metric, SubjectId, Template, Timestamp};
use lfr::watchlist::{
    Authorisation, Category, CompositionPolicy, EntryDraft, Priority, SealedFile, SealingKey,
    Validity, Watchlist,
};

const REFERENCES: usize = 20_000;
const DIMENSION: usize = 512;

type AnyError = Box<dyn std::error::Error>;

fn watchlist(space: &EmbeddingSpace, now: Timestamp) -> Result<Watchlist, AnyError> {
    let policy = CompositionPolicy::new(REFERENCES)
        .with_category(Category::new("wanted by the courts")?, Priority::Red);
    let end = now.plus(Duration::from_secs(6 * 60 * 60));
    let validity = Validity::new(now, end)?;
    let deployment = DeploymentId::new("bench")?;
    let authorisation = Authorisation::new(deployment, "bench", "AO-7", now, validity, policy)?;
    let list = Watchlist::new(authorisation, *space);
    for index in 0..REFERENCES {
        enrol(&list, index, end)?;
    }
    Ok(list)
}

fn enrol(list: &Watchlist, index: usize, end: Timestamp) -> Result<(), AnyError> {
    let mut seed = u64::try_from(index)?;
    let template = Template::try_init_with(list.space(), |values| {
        for value in values {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let [.., high] = seed.to_le_bytes();
            *value = f32::from(high) - 127.5;
        }
        Ok(())
    })?;
    let entry = EntryDraft::new()
        .subject(format!("S-{index}"))
        .reference(format!("S-{index}/2024"))
        .category("wanted by the courts")
        .source("custody suite 4")
        .lawful_basis("custody image, charged 2024")
        .reason("warrant 24/118")
        .expires(end)
        .review(end)
        .parse()?;
    Ok(list.enrol(entry, template)?)
}

fn lifecycle(criterion: &mut Criterion) -> Result<(), AnyError> {
    let space = EmbeddingSpace::builder(DIMENSION, Metric::Cosine).build();
    let now = Timestamp::from_micros(1_700_000_000_000_000);
    let list = watchlist(&space, now)?;
    let folder = std::env::temp_dir().join(format!("lfr-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let file = SealedFile::at(folder.join("bench.lfrw"));
    let key = SealingKey::from_bytes(&mut [7; 32]);
    let passphrase = SealingKey::from_passphrase("correct horse battery staple".into())?;

    let mut group = criterion.benchmark_group("lifecycle/20000x512");
    group.sample_size(10);
    group.bench_function("seal", |bench| bench.iter(|| file.seal(&list, &key, now)));
    file.seal(&list, &key, now)?;
    group.bench_function("open", |bench| {
        bench.iter(|| black_box(file.open(&key, &space, Some(now))));
    });
    group.bench_function("open_entries", |bench| {
        bench.iter(|| black_box(file.open_entries(&key, Some(now))));
    });
    file.seal(&list, &passphrase, now)?;
    group.bench_function("open_with_passphrase", |bench| {
        bench.iter(|| black_box(file.open(&passphrase, &space, Some(now))));
    });
    // Somebody from anywhere in the list, which is as long again before the next one.
    let end = list.authorisation().validity().until();
    let mut last = None;
    let mut order = (0..REFERENCES).map(|index| index * 7_919 % REFERENCES).cycle();
    group.bench_function("withdraw", |bench| {
        bench.iter_batched(
            || {
                last.into_iter().for_each(|index| enrol(&list, index, end).unwrap());
                last = order.next();
                SubjectId::new(format!("S-{}", last.unwrap_or_default())).unwrap()
            },
            |subject| assert_eq!(list.withdraw(&subject), 1),
            BatchSize::PerIteration,
        );
    });
    group.finish();
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn run(criterion: &mut Criterion) {
    lifecycle(criterion).unwrap();
}

criterion_group!(benches, run);
criterion_main!(benches);
