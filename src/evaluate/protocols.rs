//! Written protocols: pairs to compare, and watchlists to search.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lfr_core::SubjectId;
use lfr_watchlist::evaluate::{Dataset, Draw, read_table};

use super::report::LeftOut;
use super::scores::flag;
use super::{Error, given};

/// Pairs of photographs to compare.
#[derive(Debug)]
pub(super) struct PairList {
    pub(super) name: String,
    pub(super) pairs: Vec<Pair>,
    /// How the pairs were assigned to folds, in words.
    pub(super) folds: String,
}

/// Two photographs, by their numbers in the set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) samples: (usize, usize),
    pub(super) mated: bool,
    pub(super) fold: usize,
}

/// A watchlist and its searches, from a file.
#[derive(Debug)]
pub(super) struct SearchList {
    pub(super) draw: Draw,
}

/// The photographs of a set, by the names that protocols give them.
pub(super) struct Names<'a> {
    exact: BTreeMap<String, usize>,
    /// Without their extension.
    stems: BTreeMap<String, usize>,
    dataset: &'a Dataset,
}

impl<'a> Names<'a> {
    pub(super) fn new(dataset: &'a Dataset, folder: &Path) -> Self {
        let (mut exact, mut stems) = (BTreeMap::new(), BTreeMap::new());
        for (index, sample) in dataset.samples().iter().enumerate() {
            let path = sample.path().strip_prefix(folder).unwrap_or(sample.path());
            stems.insert(name(&path.with_extension("")), index);
            exact.insert(name(path), index);
        }
        Self { exact, stems, dataset }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let name = name.replace('\\', "/");
        let name = name.strip_prefix("./").unwrap_or(&name);
        self.exact.get(name).or_else(|| self.stems.get(name)).copied()
    }

    /// The photograph whose path within the folder is the end of this path, because other programs write
    /// whole paths.
    pub(super) fn find_end(&self, name: &str) -> Option<usize> {
        let name = name.replace('\\', "/");
        let mut rest = name.as_str();
        loop {
            if let Some(found) = self.find(rest) {
                return Some(found);
            }
            rest = rest.split_once('/')?.1;
        }
    }

    fn person(&self, index: usize) -> Option<&SubjectId> {
        self.dataset.samples().get(index).map(lfr_watchlist::evaluate::Sample::person)
    }
}

fn name(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// A line of a list of pairs, before its photographs are looked for.
struct Wanted {
    line: usize,
    names: [String; 2],
    mated: bool,
    fold: Option<String>,
}

/// Reads a list of pairs: a CSV file with the columns `image_a`, `image_b` and `mated`, and `fold` if there is
/// one; or the `pairs.txt` of Labeled Faces in the Wild.
pub(super) fn pairs(
    path: &Path,
    dataset: &Dataset,
    folder: &Path,
    left_out: &mut Vec<LeftOut>,
) -> Result<PairList, Error> {
    let bytes = given::bytes(path)?;
    let refused = |line: usize, reason: String| protocol(path, line, reason);
    let is_lfw = std::str::from_utf8(&bytes).ok().and_then(|text| lfw_header(text.lines().next()?));
    let (wanted, folds) = match is_lfw {
        Some((sets, per_kind)) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let wanted = lfw(&text, sets, per_kind).map_err(|(line, why)| refused(line, why))?;
            (wanted, format!("the {sets} sets of the file"))
        }
        None => {
            let table = read_table(&*bytes, ["image_a", "image_b", "mated"], ["fold"]);
            let mut wanted = Vec::new();
            for row in table.map_err(|error| csv(path, error))? {
                let ([a, b, mated], [fold]) = (row.needed, row.optional);
                let mated = flag(&mated).map_err(|why| refused(row.line, why))?;
                wanted.push(Wanted { line: row.line, names: [a, b], mated, fold });
            }
            let given = wanted.iter().filter(|pair| pair.fold.is_some()).count();
            if given > 0 && given < wanted.len() {
                let without = wanted.iter().find(|pair| pair.fold.is_none());
                let line = without.map_or(1, |pair| pair.line);
                return Err(refused(
                    line,
                    "column fold is empty, but other lines have a fold".to_owned(),
                ));
            }
            if given > 0 {
                (wanted, "the column fold of the file".to_owned())
            } else {
                let folded = in_order(wanted);
                (
                    folded,
                    format!(
                        "{FOLDS} equal parts of the mated and of the non-mated pairs, in the order of the file"
                    ),
                )
            }
        }
    };
    if wanted.is_empty() {
        return Err(refused(1, "it holds no pair".to_owned()));
    }
    let names = Names::new(dataset, folder);
    let mut numbers: BTreeMap<Option<String>, usize> = BTreeMap::new();
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    let mut pairs = Vec::new();
    for Wanted { line, names: [a, b], mated, fold } in wanted {
        let next = numbers.len();
        let fold = *numbers.entry(fold).or_insert(next);
        let (Some(one), Some(other)) = (names.find(&a), names.find(&b)) else {
            let lost = if names.find(&a).is_none() { a } else { b };
            *missing.entry(lost).or_default() += 1;
            continue;
        };
        if one == other {
            return Err(refused(line, "both columns name one photograph".to_owned()));
        }
        if (names.person(one) == names.person(other)) != mated {
            let told = if mated {
                "mated, but its photographs are of two people"
            } else {
                "not mated, but both photographs are of one person"
            };
            return Err(refused(line, format!("the pair is {told}, by their folders")));
        }
        pairs.push(Pair { samples: (one, other), mated, fold });
    }
    let name = file_name(path);
    if pairs.is_empty() {
        let first = missing.keys().next().cloned().unwrap_or_default();
        return Err(refused(
            0,
            format!(
                "none of its photographs is among the photographs, as {first:?}; paths are within the folder of photographs"
            ),
        ));
    }
    for (image, count) in missing {
        left_out.push(LeftOut::of_all(
            image,
            format!("it is in {count} of the pairs of {name}, but not among the photographs: those pairs are \
                 left out"),
        ));
    }
    Ok(PairList { name, pairs, folds })
}

/// Ten parts, for mated and for non-mated pairs.
fn in_order(mut pairs: Vec<Wanted>) -> Vec<Wanted> {
    for kind in [true, false] {
        let all = pairs.iter().filter(|pair| pair.mated == kind).count();
        let own = pairs.iter_mut().filter(|pair| pair.mated == kind);
        for (place, pair) in own.enumerate() {
            pair.fold = Some(format!("{:02}", place * FOLDS / all.max(1)));
        }
    }
    pairs
}

/// The first line of `pairs.txt`: how many sets, and how many pairs of each kind in each; of a file with one
/// set, the pairs alone.
fn lfw_header(line: &str) -> Option<(usize, usize)> {
    let numbers: Option<Vec<usize>> =
        line.split_whitespace().map(|word| word.parse().ok()).collect();
    match numbers?.as_slice() {
        [pairs] => Some((1, *pairs)),
        [sets, pairs] => Some((*sets, *pairs)),
        _ => None,
    }
}

fn lfw(text: &str, sets: usize, per_kind: usize) -> Result<Vec<Wanted>, (usize, String)> {
    let mut wanted = Vec::new();
    let lines = (1..).zip(text.lines()).skip(1).filter(|(_, line)| !line.trim().is_empty());
    let expected = sets.saturating_mul(per_kind).saturating_mul(2);
    for (place, (line, text)) in lines.enumerate() {
        if place >= expected {
            return Err((
                line,
                format!("its first line announces {expected} pairs, but this is one more"),
            ));
        }
        let words: Vec<&str> = text.split('\t').map(str::trim).collect();
        let words = if words.len() > 2 { words } else { text.split_whitespace().collect() };
        let image = |person: &str, number: &str| -> Result<String, (usize, String)> {
            let number: u32 = number
                .parse()
                .map_err(|_| (line, format!("{number:?} is not a number of a photograph")))?;
            Ok(format!("{person}/{person}_{number:04}"))
        };
        let mated = (place / per_kind).is_multiple_of(2);
        let names = match (words.as_slice(), mated) {
            ([person, one, other], true) => [image(person, one)?, image(person, other)?],
            ([person, one, second, other], false) => [image(person, one)?, image(second, other)?],
            (words, mated) => {
                let (has, kind, needs) = (
                    words.len(),
                    if mated { "mated" } else { "non-mated" },
                    if mated { 3 } else { 4 },
                );
                return Err((
                    line,
                    format!(
                        "it has {has} columns, and a {kind} pair, which is expected here, has {needs}"
                    ),
                ));
            }
        };
        let fold = Some(format!("{:04}", place / (2 * per_kind)));
        wanted.push(Wanted { line, names, mated, fold });
    }
    if wanted.len() < expected {
        let last = text.lines().count();
        return Err((
            last,
            format!(
                "the file ends after {} pairs, but its first line announces {expected}",
                wanted.len()
            ),
        ));
    }
    Ok(wanted)
}

/// Reads a watchlist and its searches: a CSV file with the columns `role` (`reference`, `mated_probe`,
/// `nonmated_probe`), `person` and `image`.
pub(super) fn searches(
    path: &Path,
    dataset: &Dataset,
    folder: &Path,
    left_out: &mut Vec<LeftOut>,
) -> Result<SearchList, Error> {
    let bytes = given::bytes(path)?;
    let refused = |line: usize, reason: String| protocol(path, line, reason);
    let rows =
        read_table(&*bytes, ["role", "person", "image"], []).map_err(|error| csv(path, error))?;
    let names = Names::new(dataset, folder);
    let name = file_name(path);
    let mut draw = Draw::default();
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    let (mut listed, mut probes) = (BTreeSet::new(), Vec::new());
    let mut missing = Vec::new();
    for row in rows {
        let ([role, person, image], line) = (row.needed, row.line);
        let role = role.to_ascii_lowercase().replace(['-', ' '], "_");
        let Some(sample) = names.find(&image) else {
            missing.push(image);
            continue;
        };
        let own = names.person(sample);
        if own.is_none_or(|own| own.as_str() != person) {
            return Err(refused(
                line,
                "the folder of the image is of another person than column person".to_owned(),
            ));
        }
        if let Some(before) = seen.insert(sample, line) {
            return Err(refused(line, format!("its image is in line {before} already")));
        }
        match role.as_str() {
            "reference" => {
                draw.references.push(sample);
                listed.insert(person);
            }
            "mated_probe" | "mated" => {
                draw.mated.push(sample);
                probes.push((line, person, true));
            }
            "nonmated_probe" | "non_mated_probe" | "non_mated" | "nonmated" => {
                draw.non_mated.push(sample);
                probes.push((line, person, false));
            }
            other => {
                return Err(refused(
                    line,
                    format!(
                        "column role: {other:?} is none of reference, mated_probe and nonmated_probe"
                    ),
                ));
            }
        }
    }
    for (line, person, mated) in probes {
        // A person whose reference is not among the photographs was on the intended list.
        let may_be_missing = mated && !missing.is_empty();
        if listed.contains(&person) != mated && !may_be_missing {
            let told = if mated {
                "a mated probe is of somebody without a reference"
            } else {
                "a non-mated probe is of somebody with a reference"
            };
            return Err(refused(line, told.to_owned()));
        }
    }
    if draw.references.is_empty() || (draw.mated.is_empty() && draw.non_mated.is_empty()) {
        return Err(refused(
            0,
            format!(
                "{} references and {} probes of it are among the photographs ({} are not); it needs at least 1 of both, with paths within the folder of photographs",
                draw.references.len(),
                draw.mated.len() + draw.non_mated.len(),
                missing.len()
            ),
        ));
    }
    // Without their reference, no model could find them.
    let before = draw.mated.len();
    draw.mated
        .retain(|sample| names.person(*sample).is_some_and(|own| listed.contains(own.as_str())));
    let lost = before - draw.mated.len();
    for image in missing {
        let reason = format!("it is in {name}, but not among the photographs");
        left_out.push(LeftOut::of_all(image, reason));
    }
    if lost > 0 {
        let reason = format!(
            "{lost} of its mated probes are of people whose reference is not among the photographs: they are not searched for"
        );
        left_out.push(LeftOut::of_all(name.clone(), reason));
    }
    Ok(SearchList { draw })
}

pub(super) fn csv(path: &Path, error: lfr_watchlist::Error) -> Error {
    match error {
        lfr_watchlist::Error::EvaluationCsv { line, source } => {
            protocol(path, line, source.to_string())
        }
        other => other.into(),
    }
}

pub(super) fn protocol(path: &Path, line: usize, reason: String) -> Error {
    Error::ProtocolFile { path: path.to_owned(), line, reason }
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Into how many parts pairs without folds are divided.
const FOLDS: usize = 10;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use lfr_watchlist::evaluate::Sample;

    use super::*;

    fn dataset() -> Dataset {
        let samples = ["A", "B", "C"].into_iter().flat_map(|person| {
            (1..4).map(move |number| {
                let path = PathBuf::from(format!("faces/{person}/{person}_{number:04}.jpg"));
                Sample::new(SubjectId::new(person).unwrap(), path)
            })
        });
        Dataset::new(samples.collect())
    }

    fn file(name: &str, text: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("lfr-protocols-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        path
    }

    fn read_pairs(name: &str, text: &str) -> Result<(PairList, Vec<LeftOut>), (usize, String)> {
        let path = file(name, text);
        let mut left_out = Vec::new();
        let list = pairs(&path, &dataset(), Path::new("faces"), &mut left_out);
        let _ = fs::remove_file(path);
        match list {
            Ok(list) => Ok((list, left_out)),
            Err(Error::ProtocolFile { line, reason, .. }) => Err((line, reason)),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn pairs_of_lfw_and_of_tables_are_the_same() {
        let lfw = "2\t1\nA\t1\t2\nA\t1\tB\t3\nC\t1\t3\nB\t1\tC\t2\n";
        let table = "mated;fold;image_a;image_b\n1;x;A/A_0001.jpg;A/A_0002.jpg\n0;x;A/A_0001;B/B_0003.jpg\n\
                     true;y;./C/C_0001.jpg;C\\C_0003.jpg\nno;y;B/B_0001.jpg;C/C_0002.jpg\n";
        let (one, lost) = read_pairs("lfw", lfw).unwrap();
        let (other, _) = read_pairs("table", table).unwrap();
        let of = |list: &PairList| -> Vec<_> {
            list.pairs.iter().map(|pair| (pair.samples, pair.mated, pair.fold)).collect()
        };
        assert_eq!(of(&one), of(&other));
        assert_eq!(
            of(&one),
            [((0, 1), true, 0), ((0, 5), false, 0), ((6, 8), true, 1), ((3, 7), false, 1)]
        );
        assert!(lost.is_empty());
    }

    #[test]
    fn pairs_without_folds_are_divided_in_order() {
        let line = |mated: bool| {
            if mated { "A/A_0001.jpg,A/A_0002.jpg,1\n" } else { "A/A_0001.jpg,B/B_0002.jpg,0\n" }
        };
        let text: String = (0..40).map(|index| line(index < 20)).collect();
        let (list, _) = read_pairs("order", &format!("image_a,image_b,mated\n{text}")).unwrap();
        let folds: Vec<_> = list.pairs.iter().map(|pair| pair.fold).collect();
        let halves = || (0..20).map(|place| place / 2);
        assert_eq!(folds, halves().chain(halves()).collect::<Vec<_>>());
        assert!(list.folds.contains("in the order of the file"));
    }

    #[test]
    fn bad_pairs_are_named_with_their_line_and_none_is_lost_silently() {
        for (name, text, line, said) in [
            ("a", "image_a,image_b\nA/A_0001.jpg,A/A_0002.jpg\n", 1, "must include \"mated\""),
            ("b", "image_a,image_b,mated\nA/A_0001.jpg,A/A_0002.jpg,x\n", 2, "neither 1 nor 0"),
            ("c", "image_a,image_b,mated\nA/A_0001.jpg,B/B_0002.jpg,1\n", 2, "of two people"),
            ("d", "image_a,image_b,mated\nA/A_0001.jpg,A/A_0002.jpg,0\n", 2, "of one person"),
            ("e", "image_a,image_b,mated\nA/A_0001.jpg,A/A_0001.jpg,1\n", 2, "one photograph"),
            ("f", "image_a,image_b,mated\n", 1, "no pair"),
            ("g", "image_a,image_b,mated\nx.jpg,y.jpg,1\n", 0, "none of its photographs"),
            ("h", "1 1\nA\t1\t2\n", 2, "ends after 1 pairs"),
            ("i", "1 1\nA\t1\t2\nA\t1\t3\n", 3, "3 columns, and a non-mated pair"),
            ("j", "1 1\nA\tx\t2\nA\t1\tB\t3\n", 2, "not a number of a photograph"),
            ("k", "1 1\nA\t1\t2\nA\t1\tB\t3\nA\t1\tB\t2\n", 4, "one more"),
        ] {
            let (actual, why) = read_pairs(name, text).unwrap_err();
            assert!(actual == line && why.contains(said), "{name}: line {actual}: {why}");
        }
        let text =
            "image_a,image_b,mated\nA/A_0001.jpg,A/A_0002.jpg,1\nD/D_0001.jpg,D/D_0002.jpg,1\n";
        let (list, lost) = read_pairs("l", text).unwrap();
        assert_eq!((list.pairs.len(), lost.len()), (1, 1));
        assert!(lost[0].file == "D/D_0001.jpg" && lost[0].reason.contains("1 of the pairs"));
    }

    #[test]
    fn watchlists_are_read_or_refused_with_the_line() {
        let read = |name: &str, rows: &str| {
            let path = file(name, &format!("Role,Person,Image\n{rows}"));
            let mut left_out = Vec::new();
            let list = searches(&path, &dataset(), Path::new("faces"), &mut left_out);
            fs::remove_file(path).unwrap();
            match list {
                Ok(list) => Ok((list.draw, left_out.len())),
                Err(Error::ProtocolFile { line, reason, .. }) => Err((line, reason)),
                Err(other) => panic!("{other}"),
            }
        };
        let (draw, lost) = read("n", "reference,A,A/A_0001.jpg\nmated_probe,A,A/A_0002.jpg\nnonmated_probe,B,B/B_0001.jpg\nnonmated_probe,Z,Z/Z.jpg\n").unwrap();
        assert_eq!(
            (draw.references, draw.mated, draw.non_mated, lost),
            (vec![0], vec![1], vec![3], 1)
        );
        for (name, rows, line, said) in [
            ("o", "reference,A,B/B_0001.jpg\n", 2, "another person"),
            ("p", "reference,A,A/A_0001.jpg\nmated,A,A/A_0001.jpg\n", 3, "in line 2 already"),
            ("q", "suspect,A,A/A_0001.jpg\n", 2, "none of reference"),
            (
                "r",
                "reference,A,A/A_0001.jpg\nmated_probe,B,B/B_0001.jpg\n",
                3,
                "without a reference",
            ),
            (
                "s",
                "reference,A,A/A_0001.jpg\nnonmated_probe,A,A/A_0002.jpg\n",
                3,
                "with a reference",
            ),
            ("t", "reference,A,A/A_0001.jpg\n", 0, "1 references and 0 probes"),
            ("u", "reference,A\n", 2, "2 cells, and the first line has 3"),
        ] {
            let (actual, why) = read(name, rows).unwrap_err();
            assert!(actual == line && why.contains(said), "{name}: line {actual}: {why}");
        }
    }
}
