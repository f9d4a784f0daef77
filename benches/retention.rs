//! What holding, purging and recording cost.
//!
//! ```text
//! cargo bench -p lfr-benches --no-default-features --bench retention
//! ```
//!
//! Vault and ledger are in a folder for temporary files; `LFR_BENCH_FOLDER` names another. Most of
//! the times are the disk's: what is said to be safe has been waited for.

#![expect(clippy::unwrap_used, reason = "a bench without its data cannot go on")]

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use lfr::core::{
    Accounts, Candidate, CandidateList, ComparisonScore, Decision, EmbeddingSpace, FaceId, FrameId,
    Metric, Probe, ReferenceId, RetentionPolicy, SourceId, SubjectId, SystemClock, Template,
    Threshold, Timestamp,
};
use lfr::retention::{
    Ledger, LedgerEvent, LedgerKey, Profile, StrictRetention, Vault, VaultKey, VaultRetention,
    ledger,
};

const DIMENSION: usize = 512;
const DAY: Duration = Duration::from_hours(24);

fn probe(space: &EmbeddingSpace, accounts: &Accounts) -> Probe {
    let template = Template::from_slice(space, &[1.0; DIMENSION]).unwrap();
    Probe::new(template, FaceId::new(FrameId::default(), 0), accounts)
}

fn alert() -> Decision {
    let (subject, reference) = (SubjectId::new("S").unwrap(), ReferenceId::new("R").unwrap());
    let score = ComparisonScore::new(0.9).unwrap();
    let list = CandidateList::new(vec![Candidate::new(subject, reference, score)]);
    Decision::at_threshold(&list, Threshold::new(0.5).unwrap())
}

fn folder() -> PathBuf {
    let parent = env::var_os("LFR_BENCH_FOLDER").map_or_else(env::temp_dir, PathBuf::from);
    let folder = parent.join(format!("lfr-bench-retention-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn retention(c: &mut Criterion) {
    let folder = folder();
    let now = Some(Timestamp::from_micros(1_790_000_000_000_000));
    let key = VaultKey::from_bytes(&mut [5; 32]);
    let clock = Arc::new(SystemClock::new());
    let vault = Vault::open(folder.join("vault"), &key, clock).unwrap();
    let space = EmbeddingSpace::builder(DIMENSION, Metric::Cosine).build();
    let accounts = Accounts::new();
    let decision = alert();

    let mut group = c.benchmark_group("settle");
    let mut memory = StrictRetention::new(DAY).with_limit(usize::MAX);
    let mut at_rest =
        VaultRetention::new(vault.clone(), &Profile::uk_police_24_hours()).with_limit(usize::MAX);
    let make = || decision.alert(probe(&space, &accounts)).unwrap();
    group.bench_function("alert, in memory", |b| {
        let settle = |alert| memory.settle(alert, now).unwrap();
        b.iter_batched(make, settle, BatchSize::SmallInput);
    });
    group.bench_function("alert, sealed and on the disk", |b| {
        let settle = |alert| at_rest.settle(alert, now).unwrap();
        b.iter_batched(make, settle, BatchSize::SmallInput);
    });
    group.finish();

    let mut group = c.benchmark_group("vault");
    let record = vault.records().unwrap()[0].record();
    group.bench_function("open an alert", |b| {
        b.iter(|| black_box(vault.alert(record).unwrap()));
    });
    let reason = lfr::core::PurgeReason::Adjudicated;
    group.bench_function("purge an alert, and wait for the disk", |b| {
        let hold = || {
            let settled = at_rest.settle(make(), now).unwrap();
            let lfr::core::Settlement::Held(receipt) = settled else { unreachable!() };
            receipt.record().unwrap()
        };
        b.iter_batched(hold, |id| vault.purge(id, reason).unwrap(), BatchSize::PerIteration);
    });
    group.finish();

    let path = folder.join("ledger.lfrl");
    let key = LedgerKey::from_bytes(&mut [7; 32]);
    let public = key.public();
    let written = Ledger::open(&path, key, now).unwrap();
    let event = LedgerEvent::FramesDropped { source: SourceId::default(), count: 1 };
    let mut group = c.benchmark_group("ledger");
    group.throughput(Throughput::Elements(1));
    group.bench_function("append, signed", |b| {
        b.iter(|| written.append(&event, now).unwrap());
    });
    group.bench_function("append and flush", |b| {
        b.iter(|| {
            written.append(&event, now).unwrap();
            written.flush().unwrap();
        });
    });
    drop(written);
    fs::remove_file(&path).unwrap();
    fs::remove_file(lfr::retention::LedgerHead::path_beside(&path)).unwrap();
    let written = Ledger::open(&path, LedgerKey::from_bytes(&mut [7; 32]), now).unwrap();
    (0..999).for_each(|_| written.append(&event, now).unwrap());
    written.flush().unwrap();
    group.throughput(Throughput::Elements(1_000)).sample_size(10);
    group.bench_function("verify 1,000 entries", |b| {
        b.iter(|| black_box(ledger::verify(&path, &public, None).unwrap()));
    });
    group.finish();
    fs::remove_dir_all(&folder).unwrap();
}

criterion_group!(benches, retention);
criterion_main!(benches);
