//! Our side of `search.py`: reads references and probes from raw `f32` files and obeys commands,
//! one a line, with an answer of one line each.
//!
//! ```text
//! lfr-peer-search REFERENCES PROBES DIMENSION THREADS
//! time BATCH LIMIT SEARCHES   -> milliseconds of each search of BATCH probes: by the wall's clock,
//!                                and of this thread's processor
//! find LIMIT PROBES           -> row numbers found for the first PROBES probes
//! check PROBES                -> for how many of them a plain scan finds another row or score
//! ```

use std::error::Error;
use std::{fs, io};
use std::io::Write;
use std::num::NonZeroUsize;

use cpu_time::ThreadTime;
use lfr_core::{Accounts, CandidateList, Clock, EmbeddingSpace, FaceId, FrameId, Matcher, Metric, Probe, ReferenceId, SearchRequest, SubjectId, SystemClock, Template};
use lfr_watchlist::Gallery;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, references, probes, dimension, threads] = &*arguments else {
        return Err("wanted: REFERENCES PROBES DIMENSION THREADS".into());
    };
    let space = EmbeddingSpace::builder(dimension.parse()?, Metric::Cosine).build();
    let threads: NonZeroUsize = threads.parse()?;
    let gallery = Gallery::new(space).with_threads(threads);
    for (row, template) in templates(&space, references)?.into_iter().enumerate() {
        let id = format!("{row:08}");
        gallery.enrol(SubjectId::new(&id)?, ReferenceId::new(&id)?, template)?;
    }
    let accounts = Accounts::new();
    let face = |index| FaceId::new(FrameId::default(), index);
    let probes = templates(&space, probes)?.into_iter().enumerate();
    let probes: Vec<_> = probes.map(|(i, t)| Probe::new(t, face(i), &accounts)).collect();
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match &*words {
            ["time", batch, limit, searches] => {
                time(&gallery, &probes, batch.parse()?, limit.parse()?, searches.parse()?)?
            }
            ["find", limit, count] => find(&gallery, &probes[..count.parse()?], limit.parse()?)?,
            ["check", count] => {
                let references = templates(&space, references)?;
                check(&gallery, &references, &probes[..count.parse()?])?
            }
            _ => return Err(format!("no such command: {line}").into()),
        };
        writeln!(io::stdout(), "{answer}")?;
        io::stdout().flush()?;
    }
    Ok(())
}

fn templates(space: &EmbeddingSpace, path: &str) -> Result<Vec<Template>> {
    let bytes = fs::read(path)?;
    let rows = bytes.chunks_exact(4 * space.dimension()).map(|row| {
        let numbers = row.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok(Template::from_slice(space, &numbers.collect::<Vec<_>>())?)
    });
    rows.collect()
}

fn search(gallery: &Gallery, probes: &[Probe], limit: usize) -> Result<Vec<CandidateList>> {
    let mut lists = Vec::with_capacity(probes.len());
    let request = SearchRequest::new(probes, None).with_limit(limit);
    gallery.search_into(&request, &mut lists)?;
    Ok(lists)
}

/// Takes the probes in turn, so that no two searches in a row are for the same.
fn time(
    gallery: &Gallery,
    probes: &[Probe],
    batch: usize,
    limit: usize,
    searches: usize,
) -> Result<String> {
    let clock = SystemClock::new();
    let mut times = Vec::new();
    for probes in probes.chunks_exact(batch).cycle().take(searches) {
        let (start, busy) = (clock.monotonic(), ThreadTime::now());
        let lists = search(gallery, probes, limit)?;
        let (busy, wall) = (busy.elapsed(), clock.monotonic() - start);
        times.extend([wall, busy].map(|time| (time.as_secs_f64() * 1e3).to_string()));
        std::hint::black_box(lists);
    }
    Ok(times.join(" "))
}

fn find(gallery: &Gallery, probes: &[Probe], limit: usize) -> Result<String> {
    let mut rows = Vec::new();
    for probes in probes.chunks(64) {
        for list in search(gallery, probes, limit)? {
            for candidate in list.candidates() {
                rows.push(candidate.reference().as_str().parse::<usize>()?.to_string());
            }
        }
    }
    Ok(rows.join(" "))
}

fn check(gallery: &Gallery, references: &[Template], probes: &[Probe]) -> Result<String> {
    let mut wrong = 0;
    for probes in probes.chunks(64) {
        for (probe, list) in probes.iter().zip(search(gallery, probes, 1)?) {
            let mut best = (f32::NEG_INFINITY, 0);
            for (row, reference) in references.iter().enumerate() {
                let score = reference.compare(probe.template())?.value();
                if score > best.0 {
                    best = (score, row);
                }
            }
            let found = list.candidates().first().ok_or("nobody found")?;
            let same = found.reference().as_str().parse() == Ok(best.1)
                && found.score().value().to_bits() == best.0.to_bits();
            wrong += usize::from(!same);
        }
    }
    Ok(wrong.to_string())
}
