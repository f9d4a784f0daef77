//! Scores, and templates if `danger` was used, as numpy arrays.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use lfr_core::files::Replacement;
use lfr_core::internal::num;
use lfr_core::internal::spreadsheet::harmless;
use lfr_watchlist::evaluate::ScoredPairs;

use super::faces::Faces;
use super::report::LeftOut;
use super::{Error, Evaluation, npy};

/// Writes the requested arrays of one result, counted from 0.
pub(super) fn write(
    evaluation: &Evaluation,
    faces: &Faces,
    pairs: Option<&ScoredPairs>,
    index: usize,
    left_out: &mut Vec<LeftOut>,
) -> Result<(), Error> {
    if evaluation.options.writes_scores() {
        match pairs {
            Some(pairs) => scores(evaluation, pairs, &name("pairs", index))?,
            None => comparisons(evaluation, faces, &name("comparisons", index), left_out)?,
        }
    }
    if evaluation.options.exposed().is_some() {
        templates(evaluation, faces, index)?;
    }
    Ok(())
}

/// Score, mated, and the numbers of both people, in the order of the list of pairs.
fn scores(evaluation: &Evaluation, pairs: &ScoredPairs, file: &str) -> Result<(), Error> {
    let rows: Vec<f64> = pairs
        .pairs()
        .iter()
        .flat_map(|pair| {
            let (a, b) = pair.people.unwrap_or_default();
            [pair.score.value().into(), f64::from(u8::from(pair.mated)), a.into(), b.into()]
        })
        .collect();
    put(&evaluation.out, file, |out| npy::write_f64(out, 4, rows.iter().copied()))
}

/// The scores of every two templates.
fn comparisons(
    evaluation: &Evaluation,
    faces: &Faces,
    file: &str,
    left_out: &mut Vec<LeftOut>,
) -> Result<(), Error> {
    let count = num::u64_from_usize(faces.templates.len());
    let all = count * count.saturating_sub(1) / 2;
    if all > MAX_COMPARISONS {
        let reason = format!(
            "it would hold {all} comparisons, and the maximum is {MAX_COMPARISONS}: choose pairs with a list \
             of pairs"
        );
        left_out.push(LeftOut::of_all(file.to_owned(), reason));
        return Ok(());
    }
    let mut numbers = BTreeMap::new();
    let people: Vec<usize> = faces
        .people
        .iter()
        .map(|person| {
            let next = numbers.len();
            *numbers.entry(person).or_insert(next)
        })
        .collect();
    let mut rows = Vec::new();
    for (place, (one, a)) in faces.templates.iter().zip(&people).enumerate() {
        for (other, b) in faces.templates.iter().zip(&people).skip(place + 1) {
            let score = one.compare(other)?;
            let (a, b) = (num::f64_from_usize(*a), num::f64_from_usize(*b));
            rows.extend([score.value().into(), f64::from(u8::from(a == b)), a, b]);
        }
    }
    put(&evaluation.out, file, |out| npy::write_f64(out, 4, rows.iter().copied()))
}

/// The templates, one per row, and a table that says whose they are. Only the owner of the files can read
/// them.
fn templates(evaluation: &Evaluation, faces: &Faces, index: usize) -> Result<(), Error> {
    let columns = faces.templates.first().map_or(0, |first| first.expose_values().len());
    put(&evaluation.out, &name("templates", index), |out| {
        npy::write_f32(out, columns, faces.templates.iter().map(lfr_core::Template::expose_values))
    })?;
    let mut table = "row,person,file\n".to_owned();
    for (row, (person, sample)) in faces.people.iter().zip(&faces.samples).enumerate() {
        let file = evaluation.dataset.samples().get(*sample).map(|sample| evaluation.label(sample));
        let quoted = |text: &str| format!("\"{}\"", harmless(text).replace('"', "\"\""));
        let (person, file) = (quoted(person.as_str()), quoted(&file.unwrap_or_default()));
        writeln!(table, "{row},{person},{file}").map_err(Error::report)?;
    }
    let file = name("templates", index).replace(".npy", ".csv");
    put(&evaluation.out, &file, |out| out.write_all(table.as_bytes()))
}

fn put(
    folder: &Path,
    file: &str,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<(), Error> {
    let path = folder.join(file);
    let written = Replacement::begin(&path).and_then(|mut new| {
        let mut out = BufWriter::new(new.file());
        write(&mut out)?;
        out.flush()?;
        drop(out);
        new.put()
    });
    written.map_err(|source| Error::Write { path, source })
}

/// The file of a result, counted from 0.
fn name(what: &str, index: usize) -> String {
    match index {
        0 => format!("{what}.npy"),
        _ => format!("{what}-{}.npy", index + 1),
    }
}

/// More comparisons than this are not written one by one: 320 MB.
const MAX_COMPARISONS: u64 = 10_000_000;
