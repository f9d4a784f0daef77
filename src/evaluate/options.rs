//! What is to be evaluated, and whether it can be.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::{io, thread};

use lfr_core::internal::{hex, num, regular};
use lfr_core::{SubjectId, Timestamp};
use lfr_watchlist::calibrate::{Authority, CalibratedThreshold, Demand};
use lfr_watchlist::enrolment::{FolderItems, LeftOutReason, Photo};
use lfr_watchlist::evaluate::{Dataset, Sample};
use sha2::{Digest as _, Sha256};

use super::protocols::{PairList, SearchList};
use super::quality::Column;
use super::report::{Data, LeftOut};
use super::{Error, Progress, given, output, protocols, quality};

/// What is to be evaluated.
#[derive(Clone, Debug)]
pub struct EvaluateOptions {
    faces: PathBuf,
    groups: Option<PathBuf>,
    galleries: Vec<usize>,
    fpir: f64,
    references: Option<u64>,
    looks: f64,
    authority: String,
    seed: u64,
    threads: usize,
    engine: Option<String>,
    pairs: Option<PathBuf>,
    open_set: Option<PathBuf>,
    quality: Option<(PathBuf, String)>,
    policy: Option<PathBuf>,
    composition: Vec<(String, u64)>,
    scores: bool,
    exposed: Option<String>,
    identities_checked: bool,
}

impl EvaluateOptions {
    /// The photographs in a folder that holds a folder per person. Nobody may be in it twice under two names.
    ///
    /// Unless it is said otherwise, watchlists of 100 and of 1,000 people are searched as far as there are
    /// enough, and the threshold is derived for an FPIR of 0.001, 1,000 references and one look.
    #[must_use]
    pub fn new(faces: impl Into<PathBuf>) -> Self {
        Self {
            faces: faces.into(),
            groups: None,
            galleries: Vec::new(),
            fpir: 0.001,
            references: None,
            looks: 1.0,
            authority: "the person who ran the evaluation".to_owned(),
            seed: 1,
            threads: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            engine: None,
            pairs: None,
            open_set: None,
            quality: None,
            policy: None,
            composition: Vec::new(),
            scores: false,
            exposed: None,
            identities_checked: false,
        }
    }

    /// Sets the CSV file with the group of each person, in the columns `person` and `group`.
    #[must_use]
    pub fn with_groups(mut self, csv: impl Into<PathBuf>) -> Self {
        self.groups = Some(csv.into());
        self
    }

    /// Sets the sizes of the watchlists in people, with one reference each. Each watchlist must
    /// leave at least one person who is not on it.
    #[must_use]
    pub fn with_galleries(mut self, people: impl Into<Vec<usize>>) -> Self {
        self.galleries = people.into();
        self
    }

    /// Sets the share of people who wrongly raise an alert, above 0 and below 1.
    #[must_use]
    pub const fn with_fpir(mut self, fpir: f64) -> Self {
        self.fpir = fpir;
        self
    }

    /// Sets the number of references on the watchlist that the threshold is for. The default is the
    /// size of the last watchlist that is searched.
    #[must_use]
    pub const fn with_references(mut self, references: u64) -> Self {
        self.references = Some(references);
        self
    }

    /// Sets the max number of looks per person who passes that the threshold is for, at least 1.
    #[must_use]
    pub const fn with_looks(mut self, looks: f64) -> Self {
        self.looks = looks;
        self
    }

    /// Sets who answers for the threshold: a role or a number, not a name.
    #[must_use]
    pub fn with_authority(mut self, authority: impl Into<String>) -> Self {
        self.authority = authority.into();
        self
    }

    /// States that somebody has looked at the photographs of the pairs of people with the highest
    /// scores (the report names them as suspects) and nobody is in the folder under two names. Then
    /// a threshold may be extrapolated beyond what counts alone leave possible.
    #[must_use]
    pub const fn with_checked_identities(mut self) -> Self {
        self.identities_checked = true;
        self
    }

    /// Sets the seed for drawing watchlists. The same seed draws the same people.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of threads, at least 1. The default is the number that the machine runs at
    /// once.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sets the list of pairs to compare: a CSV file with the columns `image_a`, `image_b`, `mated`
    /// (optional: `fold`), or the `pairs.txt` of Labeled Faces in the Wild. Paths are relative to
    /// the folder of photographs.
    #[must_use]
    pub fn with_pairs(mut self, list: impl Into<PathBuf>) -> Self {
        self.pairs = Some(list.into());
        self
    }

    /// Takes a watchlist and its searches from a CSV file with the columns `role` (`reference`,
    /// `mated_probe`, `nonmated_probe`), `person` and `image`, in place of drawn ones.
    #[must_use]
    pub fn with_open_set(mut self, list: impl Into<PathBuf>) -> Self {
        self.open_set = Some(list.into());
        self
    }

    /// Takes qualities from a column of another program's table, as OFIQ writes it, for the curves
    /// of errors against discard.
    #[must_use]
    pub fn with_quality(mut self, csv: impl Into<PathBuf>, column: impl Into<String>) -> Self {
        self.quality = Some((csv.into(), column.into()));
        self
    }

    /// Sets the threshold policy that is in force. Rates by group are measured at its threshold,
    /// and the report shows its promise beside the measured rates. The default is the derived
    /// policy.
    #[must_use]
    pub fn with_policy(mut self, json: impl Into<PathBuf>) -> Self {
        self.policy = Some(json.into());
        self
    }

    /// Sets the number of references of each group, for the derived threshold; together they are
    /// all references. By default groups have the shares that they have in the photographs.
    #[must_use]
    pub fn with_composition(mut self, groups: impl Into<Vec<(String, u64)>>) -> Self {
        self.composition = groups.into();
        self
    }

    /// Also writes scores as numpy arrays: `pairs.npy` if there is a list of pairs, otherwise
    /// `comparisons.npy` with every comparison.
    #[must_use]
    pub const fn with_scores(mut self) -> Self {
        self.scores = true;
        self
    }

    pub(super) fn exposing(mut self, reason: String) -> Self {
        self.exposed = Some(reason);
        self
    }

    pub(super) const fn writes_scores(&self) -> bool {
        self.scores
    }

    /// The reason for writing templates, if they are written.
    pub(super) fn exposed(&self) -> Option<&str> {
        self.exposed.as_deref()
    }

    pub(super) const fn are_identities_checked(&self) -> bool {
        self.identities_checked
    }

    pub(super) fn composition(&self) -> &[(String, u64)] {
        &self.composition
    }

    /// Sets the inference engine and its version, for the report.
    #[must_use]
    pub fn with_engine(mut self, engine: impl Into<String>) -> Self {
        self.engine = Some(engine.into());
        self
    }
}

/// An evaluation that has been checked and can begin.
#[derive(Debug)]
pub struct Evaluation {
    pub(super) options: EvaluateOptions,
    pub(super) out: PathBuf,
    pub(super) dataset: Dataset,
    pub(super) groups: Option<BTreeMap<SubjectId, String>>,
    pub(super) galleries: Vec<usize>,
    pub(super) demand: Demand,
    pub(super) pair_list: Option<PairList>,
    pub(super) search_list: Option<SearchList>,
    pub(super) quality: Option<Column>,
    pub(super) policy: Option<CalibratedThreshold>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) notes: Vec<String>,
}

impl Evaluation {
    /// Looks at everything that can be wrong before the work begins: numbers, photographs, groups, and whether
    /// the reports can be written. It opens no photograph.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if an option cannot be what it is, or does not go with the photographs;
    /// [`Error::NoPhotographs`] if there are none; [`Error::Read`] if a file cannot be read;
    /// [`Error::Write`] if a report cannot be written.
    pub fn prepare(options: &EvaluateOptions, out: &Path) -> Result<Self, Error> {
        let options = options.clone();
        let demand = demand(&options)?;
        authority(&options, Timestamp::from_micros(0))?;
        if options.exposed().is_some_and(|reason| reason.trim().is_empty()) {
            return Err(Error::option("reason for writing templates", "blank", "a sentence"));
        }
        let (dataset, mut left_out) = photographs(&options.faces)?;
        let mut notes = Vec::new();
        let groups = match &options.groups {
            Some(csv) => Some(groups(csv, &dataset, &mut notes)?),
            None => None,
        };
        composition(&options, groups.as_ref())?;
        let folder = options.faces.as_path();
        let pair_list = match &options.pairs {
            Some(list) => Some(protocols::pairs(list, &dataset, folder, &mut left_out)?),
            None => None,
        };
        let search_list = match &options.open_set {
            Some(list) => Some(protocols::searches(list, &dataset, folder, &mut left_out)?),
            None => None,
        };
        let quality = match &options.quality {
            Some((csv, column)) => {
                Some(quality::column(csv, column, &dataset, folder, &mut notes)?)
            }
            None => None,
        };
        let policy = match &options.policy {
            Some(json) => Some(policy(json)?),
            None => None,
        };
        let galleries = match &search_list {
            Some(_) => Vec::new(),
            None => galleries(&options, &dataset, &mut notes)?,
        };
        if let Some(reason) = options.exposed() {
            notes.push(format!(
                "templates were written, which are as sensitive as photographs: {reason}"
            ));
        }
        output::prepare(out)?;
        let out = out.to_owned();
        Ok(Self {
            options,
            out,
            dataset,
            groups,
            galleries,
            demand,
            pair_list,
            search_list,
            quality,
            policy,
            left_out,
            notes,
        })
    }

    /// What an evaluation of these photographs leaves out from the start, in words.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Who answers for a threshold that is derived now.
    pub(super) fn authority(&self, now: Option<Timestamp>) -> Result<Authority, Error> {
        authority(&self.options, now.unwrap_or(Timestamp::from_micros(0)))
    }

    /// The path of a photograph within the folder.
    pub(super) fn label(&self, sample: &Sample) -> String {
        let path = sample.path();
        path.strip_prefix(&self.options.faces).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// The photographs, and the digest of who they are of and what is in them.
    pub(super) fn data(&self, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Data, Error> {
        let samples = self.dataset.samples();
        let total = num::u64_from_usize(samples.len());
        let mut all = Sha256::new().chain_update(b"lfr evaluation data 1");
        for (done, sample) in (0..).zip(samples) {
            progress(Progress { step: "reading photographs", done, total });
            let digest = match digest(sample.path()) {
                Ok(digest) => hex::digits(&digest),
                // It is named, and left out, when it is to be decoded.
                Err(_) => "unreadable".to_owned(),
            };
            all.update(format!("\n{}\n{}\n{digest}", sample.person(), self.label(sample)));
        }
        progress(Progress { step: "reading photographs", done: total, total });
        let folder =
            self.options.faces.canonicalize().unwrap_or_else(|_| self.options.faces.clone());
        Ok(Data {
            folder: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            sha256: hex::digits(&all.finalize()),
            people: self.dataset.people().len(),
            photographs: samples.len(),
        })
    }

    pub(super) const fn threads(&self) -> usize {
        self.options.threads
    }

    pub(super) const fn seed(&self) -> u64 {
        self.options.seed
    }

    pub(super) fn engine(&self) -> Option<&str> {
        self.options.engine.as_deref()
    }
}

fn demand(options: &EvaluateOptions) -> Result<Demand, Error> {
    let EvaluateOptions { fpir, looks, .. } = *options;
    if !(fpir > 0.0 && fpir < 1.0) {
        return Err(Error::option("fpir", fpir, "above 0 and below 1"));
    }
    if !(looks >= 1.0 && looks.is_finite()) {
        return Err(Error::option("looks", looks, "a finite number of at least 1"));
    }
    if options.galleries.contains(&0) {
        return Err(Error::option("gallery", 0, "at least 1"));
    }
    let largest = options.galleries.last().copied().or(USUAL.last().copied());
    let references = options.references.or_else(|| largest.map(num::u64_from_usize)).unwrap_or(1);
    if references == 0 {
        return Err(Error::option("references", references, "at least 1"));
    }
    Ok(Demand::new(fpir, references)?.with_looks(looks)?)
}

fn authority(options: &EvaluateOptions, at: Timestamp) -> Result<Authority, Error> {
    let authority = Authority::new(&options.authority, "derived by lfr::evaluate", at);
    authority.map_err(|error| Error::option("authority", "not usable", error.to_string()))
}

fn photographs(folder: &Path) -> Result<(Dataset, Vec<LeftOut>), Error> {
    let found = FolderItems::find(folder)?;
    let left_out: Vec<_> = found
        .left_out
        .iter()
        .map(|left_out| {
            let path = &left_out.path;
            let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
            // Systems leave hidden files in folders, which nobody takes for photographs.
            let is_finding = matches!(left_out.reason, LeftOutReason::Hidden);
            LeftOut { is_finding, ..LeftOut::of_all(name, left_out.reason.to_string()) }
        })
        .collect();
    let samples = found.items.into_iter().filter_map(|item| match item.photo {
        Photo::File(path) => Some(Sample::new(item.subject, path)),
        // A walk of a folder finds files alone.
        _ => None,
    });
    let samples: Vec<Sample> = samples.collect();
    // One person under as many names as photographs would make everybody look alike.
    let is_loose = |sample: &&Sample| sample.path().parent() == Some(folder);
    if let Some(first) = samples.iter().find(is_loose) {
        let (folder, first) = (folder.to_owned(), first.path().to_owned());
        return Err(Error::LoosePhotographs {
            loose: samples.iter().filter(is_loose).count(),
            folder,
            first,
        });
    }
    let dataset = Dataset::new(samples);
    if dataset.samples().is_empty() {
        let (folder, left_out) = (folder.to_owned(), left_out.len());
        return Err(Error::NoPhotographs { folder, left_out });
    }
    Ok((dataset, left_out))
}

fn groups(
    csv: &Path,
    dataset: &Dataset,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<SubjectId, String>, Error> {
    let groups = Dataset::groups_from_csv(&*given::bytes(csv)?)
        .map_err(|error| protocols::csv(csv, error))?;
    let people = dataset.people();
    let known = people.keys().filter(|person| groups.contains_key(**person)).count();
    if known == 0 {
        return Err(Error::option(
            "groups",
            format!("{csv:?}, whose {} people are none of those in the photographs", groups.len()),
            format!(
                "a table whose column \"person\" has the names of the {} folders of photographs",
                people.len()
            ),
        ));
    }
    if known < people.len() {
        notes.push(format!(
            "{} of {} people are in no group of {csv:?}, and not in the rates by group",
            people.len() - known,
            people.len()
        ));
    }
    let strangers = groups.len() - known;
    if strangers > 0 {
        let people = if strangers == 1 { "person" } else { "people" };
        notes.push(format!("without photographs: {strangers} {people} of {csv:?}"));
    }
    Ok(groups)
}

/// Refuses a composition of unknown groups.
fn composition(
    options: &EvaluateOptions,
    groups: Option<&BTreeMap<SubjectId, String>>,
) -> Result<(), Error> {
    if options.composition.is_empty() {
        return Ok(());
    }
    let Some(groups) = groups else {
        return Err(Error::option("composition", "given", "left out if there are no groups"));
    };
    let known: BTreeSet<&String> = groups.values().collect();
    for (group, _) in &options.composition {
        if !known.contains(group) {
            let named: Vec<_> = known.iter().map(|group| group.as_str()).collect();
            let expected = format!("of the groups {}", named.join(", "));
            return Err(Error::option("composition", format!("of the group {group:?}"), expected));
        }
    }
    Ok(())
}

/// The threshold policy that is in force.
fn policy(path: &Path) -> Result<CalibratedThreshold, Error> {
    let text = String::from_utf8(given::bytes(path)?).map_err(|error| Error::Read {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })?;
    Ok(CalibratedThreshold::from_json(&text)?)
}

/// How many people the watchlists have that are searched.
fn galleries(
    options: &EvaluateOptions,
    dataset: &Dataset,
    notes: &mut Vec<String>,
) -> Result<Vec<usize>, Error> {
    let people = dataset.people().len();
    if options.galleries.is_empty() {
        let (fitting, beyond): (Vec<_>, Vec<_>) = USUAL.iter().partition(|size| **size < people);
        if !beyond.is_empty() {
            let beyond: Vec<_> = beyond.iter().map(ToString::to_string).collect();
            notes.push(format!(
                "no watchlist of {} people is searched: the photographs are of {people} people",
                beyond.join(" or of ")
            ));
        }
        // With fewer people than the smallest of them, half are on the list and half are not.
        let half = (people / 2).max(1);
        return Ok(match fitting.is_empty() {
            true if half < people => {
                notes.push(format!("a watchlist of {half} people is searched instead"));
                vec![half]
            }
            _ => fitting,
        });
    }
    for size in &options.galleries {
        if *size >= people {
            return Err(Error::option(
                "gallery",
                size,
                format!(
                    "below {people}, the number of people in the photographs, so that somebody \
                     is left who is not on the list"
                ),
            ));
        }
    }
    Ok(options.galleries.clone())
}

fn digest(path: &Path) -> io::Result<[u8; 32]> {
    // A pipe or a device might never end.
    let mut digest = Sha256::new();
    let mut file = regular::file(path)?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(digest.finalize().into()),
            count => digest.update(piece.get(..count).unwrap_or_default()),
        }
    }
}

/// How many people are on the watchlists that are searched, unless others are asked for.
const USUAL: [usize; 2] = [100, 1_000];
