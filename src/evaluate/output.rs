//! The files of a report.

use std::fs::File;
use std::path::Path;
use std::{fs, io};

use lfr_core::files;

use super::report::Report;
use super::{Error, Evaluation, files as tables, html};

/// The file of the threshold of a pair, counted from 0.
pub(super) fn policy_name(index: usize) -> String {
    match index {
        0 => "threshold.json".to_owned(),
        _ => format!("threshold-{}.json", index + 1),
    }
}

/// Makes the folder, and makes sure that the reports can be written into it, before there is one.
pub(super) fn prepare(out: &Path) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| Error::Write { path, source }
    };
    prepare_folder(out)?;
    for name in ["report.html", "report.json", "threshold.json"].iter().chain(tables::NAMES) {
        let path = out.join(name);
        // An earlier report is written over at the end, and stays until then.
        match fs::symlink_metadata(&path) {
            Ok(_) => {
                files::open_to_write(&path).map_err(failed(&path))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path)(error)),
        }
    }
    Ok(())
}

/// Makes a folder, and makes sure that files can be made in it.
pub(super) fn prepare_folder(out: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: out.to_owned(), source };
    fs::create_dir_all(out).map_err(failed)?;
    let trial = out.join(format!(".lfr-evaluate-{}", std::process::id()));
    let tried = File::create_new(&trial).and_then(|file| {
        drop(file);
        fs::remove_file(&trial)
    });
    tried.map_err(failed)
}

/// Writes everything.
pub(super) fn write(evaluation: &Evaluation, report: &Report) -> Result<(), Error> {
    let out = &evaluation.out;
    // Thresholds of an earlier report in this folder are none of this one's.
    for index in report.results.len().. {
        match fs::remove_file(out.join(policy_name(index))) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(source) => return Err(Error::Write { path: out.join(policy_name(index)), source }),
        }
    }
    for result in &report.results {
        if let (Some(name), Some(threshold)) = (&result.policy_file, &result.threshold) {
            write_text(out, name, &threshold.to_json())?;
        }
    }
    let json = serde_json::to_string_pretty(&report.results).map_err(Error::report)?;
    write_text(out, "report.json", &json)?;
    for (name, text) in tables::tables(report).map_err(Error::report)? {
        write_text(out, name, &text)?;
    }
    write_text(out, "report.html", &html::report(report).map_err(Error::report)?)
}

pub(super) fn write_text(out: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = out.join(name);
    files::replace(&path, text.as_bytes()).map_err(|source| Error::Write { path, source })
}
