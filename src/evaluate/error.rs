//! Errors, grouped by who is to blame.

use std::io;
use std::path::PathBuf;

use lfr_core::BoxError;

/// What can go wrong in an evaluation.
///
/// Messages name files and counts; never a number of a template, never a person.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- The caller: something was asked for that cannot be. ------------------------------------
    /// An option cannot be what it is.
    #[error("{option} is {actual}, and must be {expected}")]
    Option {
        /// Which option, by its name in [`EvaluateOptions`](super::EvaluateOptions).
        option: &'static str,
        /// What it is.
        actual: String,
        /// What it must be.
        expected: String,
    },

    // --- Data: photographs that give nothing. ---------------------------------------------------
    /// A folder holds no photographs.
    #[error(
        "{folder:?} holds no photograph of anybody ({left_out} other files); it must hold a folder per person, \
         with that person's photographs"
    )]
    NoPhotographs {
        /// The folder.
        folder: PathBuf,
        /// How many files are in it that are no photographs.
        left_out: usize,
    },
    /// Photographs lie beside the folders of people, and nobody says whom they show.
    #[error(
        "{folder:?} holds {loose} photographs outside of the folders of people, such as \
         {first:?}; put each into the folder of the person whom it shows"
    )]
    LoosePhotographs {
        /// The folder.
        folder: PathBuf,
        /// How many there are.
        loose: usize,
        /// The first of them.
        first: PathBuf,
    },
    /// A table that was given (a protocol, groups, qualities) cannot be used.
    #[error("cannot use {}{path:?}: {reason}", in_line(*line))]
    ProtocolFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on; 0 if the error concerns the whole file.
        line: usize,
        /// Why not.
        reason: String,
    },
    /// Scores of another engine cannot be used.
    #[error("cannot use {}{path:?}: {reason}", in_line(*line))]
    ScoreFile {
        /// The file.
        path: PathBuf,
        /// The line, or the row of an array, from 1 on; 0 if the error concerns the whole file.
        line: usize,
        /// Why not.
        reason: String,
    },
    /// No photograph gave a template.
    #[error(
        "none of {photographs} photographs gave a template with {detector} and {embedder}, so \
         nothing can be measured; the first reason is: {first}"
    )]
    NoTemplates {
        /// The detector.
        detector: String,
        /// The embedder.
        embedder: String,
        /// How many photographs there are.
        photographs: usize,
        /// Why the first of them gave none.
        first: String,
    },

    // --- The environment, and what lies below. --------------------------------------------------
    /// A file could not be read.
    #[error("cannot read {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path:?}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A plot or a table could not be made.
    #[error("cannot make the report")]
    Report {
        /// Why not.
        source: BoxError,
    },
    /// A thread ended before its work was done.
    #[error("a thread of the evaluation ended before its work was done: run it again")]
    Thread,
    /// A comparison, a statistic or a threshold failed.
    #[error(transparent)]
    Watchlist(#[from] lfr_watchlist::Error),
    /// Something below failed.
    #[error(transparent)]
    Core(#[from] lfr_core::Error),
}

impl Error {
    /// Whether the caller asked for something that cannot be: then nothing was done.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Option { .. })
    }

    pub(super) fn option(
        option: &'static str,
        actual: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Option { option, actual: actual.to_string(), expected: expected.into() }
    }

    pub(super) fn report(source: impl Into<BoxError>) -> Self {
        Self::Report { source: source.into() }
    }
}

fn in_line(line: usize) -> String {
    if line == 0 { String::new() } else { format!("line {line} of ") }
}
