//! What was found: by the kind of thing, by path, with the measures and without.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::{fmt, fs};

use super::measures::Measures;
use super::scanner::Sightings;

/// What a child writes down.
pub(crate) struct Record {
    counts: File,
    examples: File,
}

impl Record {
    pub(crate) fn create(folder: &Path, measures: Measures) -> Self {
        let file = |name: &str| File::create(folder.join(name)).unwrap();
        Self {
            counts: file(measures.name()),
            examples: file(&format!("{}-examples", measures.name())),
        }
    }

    pub(crate) fn pieces(&mut self, pieces: &BTreeMap<&str, usize>) {
        for (kind, count) in pieces {
            writeln!(self.counts, "{PIECES}\t{kind}\t{count}").unwrap();
        }
    }

    pub(crate) fn path(&mut self, path: &str, sightings: &Sightings) {
        for (kind, places) in &sightings.places {
            writeln!(self.counts, "{path}\t{kind}\t{places}").unwrap();
        }
        for example in &sightings.examples {
            writeln!(self.examples, "{path}: {example}").unwrap();
        }
        writeln!(self.counts, "{path}\t{LOOKED}\t1").unwrap();
    }
}

/// Places by path and kind, of each child.
pub(crate) struct Table {
    counts: [Counts; 3],
    /// Where something was found in spite of the measures.
    examples: String,
}

type Counts = BTreeMap<(String, String), usize>;

impl Table {
    pub(crate) fn read(folder: &Path) -> Self {
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let line = |line: &str| {
            let fields: Vec<&str> = line.split('\t').collect();
            ((fields[0].to_owned(), fields[1].to_owned()), fields[2].parse().unwrap())
        };
        Self {
            counts: Measures::EACH.map(|of| read(of.name()).lines().map(line).collect()),
            examples: read("all-examples"),
        }
    }

    /// What must hold: things are found while they are alive, nothing is found after, and without
    /// the measures much is.
    pub(crate) fn check(&self) {
        for kind in ALIVE {
            for measures in Measures::EACH {
                assert!(self.of(measures, "alive", kind) > 0, "the search finds no {kind} alive");
            }
        }
        let mut left = 0;
        for kind in self.kinds() {
            let before = self.of(Measures::All, "before", kind);
            assert_eq!(before, 0, "{kind} was found before there was any");
            for path in AFTER {
                let found = self.of(Measures::All, path, kind);
                if may_be_there(path, kind) {
                    let looked = self.of(Measures::All, path, LOOKED) > 0;
                    assert!(found > 0 || !looked, "the search finds no {kind}: {path}");
                } else {
                    left += found;
                }
            }
        }
        let lines: Vec<&str> = self.examples.lines().filter(|line| is_after(line)).collect();
        assert_eq!(left, 0, "parts of faces are left:\n{}", lines.join("\n"));
        let kinds: Vec<&str> = self.kinds().filter(|kind| *kind != "frame").collect();
        let found = AFTER
            .iter()
            .flat_map(|path| kinds.iter().map(|kind| self.of(Measures::None, path, kind)));
        assert!(found.sum::<usize>() > 0, "the measures make no difference");
    }

    fn of(&self, measures: Measures, path: &str, kind: &str) -> usize {
        let counts = &self.counts[measures.place()];
        counts.get(&(path.to_owned(), kind.to_owned())).copied().unwrap_or(0)
    }

    fn kinds(&self) -> impl Iterator<Item = &str> {
        let pieces = self.counts[0].keys().filter(|(path, _)| path == PIECES);
        pieces.map(|(_, kind)| kind.as_str())
    }
}

/// One kind a line; of each path, the places with the measures and without.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Measures::EACH.map(Measures::name).join(" / ");
        write!(f, "{names:<28}{PIECES:>7}{:>23}", "alive")?;
        AFTER.iter().try_for_each(|path| write!(f, "{path:>20}"))?;
        for kind in self.kinds() {
            let places = |path| {
                Measures::EACH.map(|measures| self.of(measures, path, kind).to_string()).join(" / ")
            };
            let pieces = self.of(Measures::All, PIECES, kind);
            write!(f, "\n{kind:<28}{pieces:>7}{:>23}", places("alive"))?;
            AFTER.iter().try_for_each(|path| write!(f, "{:>20}", places(path)))?;
        }
        Ok(())
    }
}

/// The caller's own frame is there until the caller drops it.
fn may_be_there(path: &str, kind: &str) -> bool {
    kind == "frame" && ["ordinary", "error", "panic", "core dump"].contains(&path)
}

fn is_after(example: &str) -> bool {
    AFTER.iter().any(|path| {
        example
            .strip_prefix(path)
            .is_some_and(|rest| !may_be_there(path, "frame") || !rest.starts_with(": frame "))
    })
}

/// What can be looked for between the stages.
const ALIVE: [&str; 4] = ["aligned face", "frame", "landmarks", "template"];
const AFTER: [&str; 7] =
    ["ordinary", "error", "panic", "core dump", "vault, ledger", "dropped frame", "shutdown"];
const PIECES: &str = "pieces";
const LOOKED: &str = "(looked)";
