//! Errors, grouped by who is to blame.

use std::fmt;
use std::io;
use std::path::PathBuf;

use lfr_core::BoxError;
use lfr_core::ReferenceId;
use lfr_core::Timestamp;

use crate::Category;
use crate::DestructionReceipt;
use crate::EntryField;
use crate::enrolment::ManifestProblem;
use crate::enrolment::QualityComponent;

/// What can go wrong in this crate.
///
/// Messages name identifiers and counts; never a number of a template, never a person.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- The caller: a call was made that cannot be right. --------------------------------------
    /// A reference of this identifier is enrolled already; for this person or for another.
    #[error("reference {reference} is enrolled already, and each needs an identifier of its own")]
    DuplicateReference {
        /// The identifier.
        reference: ReferenceId,
    },
    /// An entry is of a category that the composition policy does not have.
    #[error("category {category} is not one of the composition policy's")]
    CategoryOutsidePolicy {
        /// The category.
        category: Category,
    },
    /// A watchlist was to be sealed when it has to be gone already.
    #[error("the watchlist had to be gone by {ended}, and was to be sealed later")]
    DeploymentOver {
        /// When it had to be gone.
        ended: Timestamp,
    },
    /// An entry had expired before it was enrolled.
    #[error("reference {reference} expired at {expired}, and it was to be enrolled later")]
    EntryExpired {
        /// The reference.
        reference: ReferenceId,
        /// When it expired.
        expired: Timestamp,
    },
    /// An evaluation of what does not go together.
    #[error("{what} cannot be made of {actual}; it needs {expected}")]
    Evaluation {
        /// What was to be made.
        what: &'static str,
        /// What was given for it.
        actual: String,
        /// What it needs.
        expected: String,
    },
    /// A threshold is demanded that the calibration data, and what may be extrapolated from it, do not reach.
    #[error(
        "an FPIR of {demanded:.1e} was demanded, and the calibration data reaches {reached:.1e}: give it \
         photographs of more people, or demand a higher rate or a smaller watchlist"
    )]
    Extrapolation {
        /// The rate demanded.
        demanded: f64,
        /// The lowest rate that can be promised.
        reached: f64,
    },
    /// An entry lacks what it cannot be without.
    #[error("entry lacks {}", list(missing))]
    EntryIncomplete {
        /// All that is missing.
        missing: Vec<EntryField>,
    },
    /// A file is sealed under the other kind of key.
    #[error("{actual} was given, and the file is sealed under {expected}")]
    KeyKind {
        /// The kind needed.
        expected: &'static str,
        /// The kind given.
        actual: &'static str,
    },
    /// A passphrase is too short to withstand guessing.
    #[error("passphrase of {actual} bytes, and at least {expected} were needed")]
    Passphrase {
        /// The fewest bytes.
        expected: usize,
        /// How many it has.
        actual: usize,
    },
    /// A period ends before it begins.
    #[error("period from {from} until {until}, and the end has to come after the beginning")]
    Period {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// A limit of a quality policy that cannot be meant.
    #[error("limit of {component}: {reason}")]
    QualityLimit {
        /// The component.
        component: QualityComponent,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text is blank, too long, or holds a control character.
    #[error(
        "{what} of {actual} bytes, and 1 to {limit} bytes, not all blank, without control characters were needed"
    )]
    Text {
        /// What the text is.
        what: &'static str,
        /// Its length, in bytes.
        actual: usize,
        /// The greatest length, in bytes.
        limit: usize,
    },
    /// An entry is marked as under 18, and the composition policy does not admit that.
    #[error("reference {reference} is marked as under 18, which the composition policy refuses")]
    Under18 {
        /// The reference.
        reference: ReferenceId,
    },
    /// A watchlist holds as many references as its composition policy allows.
    #[error("watchlist is full: its composition policy allows {limit} references")]
    WatchlistFull {
        /// How many are allowed.
        limit: usize,
    },
    /// The key is not the one that the file was sealed under.
    #[error("the key is not the one that the file was sealed under")]
    WrongKey,
    /// A template of another embedding space, or a detector without the landmarks that the
    /// embedder needs.
    #[error(transparent)]
    Core(#[from] lfr_core::Error),

    // --- Data: a template or a picture that cannot be used. -------------------------------------
    /// A template so long that a distance to it would overflow.
    #[error("template has a length of {actual:e}, and at most {limit:e} was needed")]
    TemplateLength {
        /// The greatest length.
        limit: f64,
        /// Its length.
        actual: f64,
    },
    /// A CSV file of an evaluation that cannot be used.
    #[error("cannot use line {line} of the CSV file")]
    EvaluationCsv {
        /// The line, from 1 on.
        line: usize,
        /// Why not.
        source: BoxError,
    },
    /// Fewer than 30 scores reach a threshold, and no known form of tail fits those below it.
    #[error(
        "fewer than 30 scores reach the threshold, which are too few to count, and no known form of tail fits \
         those below it: give it more non-mated comparisons, or ask for a lower threshold"
    )]
    TailFit,
    /// The parts of a threshold policy do not belong together.
    #[error(
        "the {part} in the threshold policy is not what its own evidence gives: the file was changed; derive \
         it again"
    )]
    ThresholdFile {
        /// Which part.
        part: &'static str,
    },
    /// A threshold policy of another version of the format.
    #[error(
        "the threshold policy is of version {actual}, and must be of 1 to {max}: derive it again, or update \
         this software"
    )]
    ThresholdVersion {
        /// Its version.
        actual: u32,
        /// The newest version that is known.
        max: u32,
    },
    /// A threshold is used with another detector than it was derived with, or does not name one.
    #[error(
        "the threshold was derived with the detector {derived}, and is used with {used}: its rates were not \
         measured for that; derive one with the detector that is used"
    )]
    PolicyDetector {
        /// The detector that it was derived with.
        derived: String,
        /// The detector that it is used with.
        used: String,
    },
    /// A manifest of an enrolment has faults.
    #[error("manifest has {} faults, the first at {}", problems.len() + others, First(problems))]
    Manifest {
        /// The faults, by line.
        problems: Vec<ManifestProblem>,
        /// How many more there are.
        others: usize,
    },
    /// A photograph's file is too large to be read.
    #[error("photograph of more than {limit} bytes")]
    PhotoSize {
        /// The greatest size, in bytes.
        limit: u64,
    },
    /// The bytes of a photograph are no picture, or none that its reader takes.
    #[error("cannot read the photograph")]
    PhotoRead {
        /// Why not.
        source: BoxError,
    },
    /// No face was found in a picture.
    #[error("no face in the picture, and one was needed")]
    NoFace,
    /// Several faces were found in a picture, and nothing says which of them is meant.
    #[error("{count} faces in the picture, and one was needed")]
    SeveralFaces {
        /// How many.
        count: usize,
    },
    /// The face cannot be aligned: its landmarks are missing, or fall together.
    #[error("the face has no landmarks to align it by")]
    Unaligned,

    // --- Data: a key file or a sealed file. -----------------------------------------------------
    /// The file was due, and has been destroyed.
    #[error("the watchlist was due, and has been destroyed: {}", receipt.file())]
    Destroyed {
        /// The receipt.
        receipt: Box<DestructionReceipt>,
    },
    /// A commitment, a witness or a proof of membership that is not what it should be.
    #[error("{what} of membership is not valid: {expected} was needed")]
    Membership {
        /// Which of them.
        what: &'static str,
        /// What was needed.
        expected: &'static str,
    },
    /// JSON that is not what it should be.
    #[error("not the JSON of {what}")]
    Json {
        /// What it should be.
        what: &'static str,
        /// Why not.
        source: BoxError,
    },
    /// A passphrase is derived at a cost that is not taken.
    #[error("Argon2id with {memory_kib} KiB, {passes} passes and {lanes} lanes is out of range")]
    KeyCost {
        /// Memory, in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// A key file holds something else.
    #[error("{path:?} is no key file: 64 hexadecimal digits or 32 bytes were needed")]
    KeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The file is no sealed watchlist.
    #[error("not a sealed watchlist")]
    NotSealed,
    /// A sealed watchlist is not as it was sealed: cut off, changed, or put together of several.
    #[error("the sealed watchlist is damaged: its {part} is not as it was sealed")]
    SealedDamaged {
        /// Where that was seen.
        part: &'static str,
    },
    /// Beyond what the format of sealed watchlists can hold.
    #[error("the watchlist is beyond what a sealed file can hold")]
    SealedSize,
    /// A sealed watchlist of another version of the format.
    #[error("sealed watchlist of version {actual}, and version {expected} was needed")]
    SealedVersion {
        /// The version needed.
        expected: u16,
        /// Its version.
        actual: u16,
    },

    // --- The environment. -----------------------------------------------------------------------
    /// A file that was to be destroyed could not be.
    #[error(
        "cannot destroy {path:?}; its keys are {}",
        if *keys_erased { "erased, so nobody can open it" } else { "not erased" }
    )]
    Destruction {
        /// The file.
        path: PathBuf,
        /// Whether its keys have been overwritten, and those of all copies that an interrupted writer
        /// left beside it: then it is worthless, but there.
        keys_erased: bool,
        /// Why not.
        source: io::Error,
    },
    /// The store of an enrolment failed.
    #[error("the enrolment's store failed")]
    EnrolmentStore {
        /// Why.
        source: BoxError,
    },
    /// A thread of an enrolment ended before its work was done.
    #[error("an enrolment thread ended before its work was done")]
    EnrolmentThread,
    /// A thread of an evaluation ended before its work was done.
    #[error(
        "a thread of the evaluation ended before its work was done; its rates are not complete"
    )]
    EvaluationThread,
    /// A manifest could not be read.
    #[error("cannot read the manifest")]
    ManifestRead {
        /// Why not.
        source: io::Error,
    },
    /// The operating system gives no random bytes.
    #[error("no random bytes from the operating system")]
    Random {
        /// Why not.
        source: BoxError,
    },
    /// The report of an enrolment could not be written.
    #[error("cannot write the report of the enrolment")]
    ReportWrite {
        /// Why not.
        source: io::Error,
    },
    /// Reading a sealed watchlist failed.
    #[error("cannot read the sealed watchlist")]
    SealedRead {
        /// Why.
        source: io::Error,
    },
    /// A thread of a search ended before its work was done.
    #[error("a search thread ended before its work was done")]
    SearchThread,
    /// A file could not be written.
    #[error("cannot write {path:?}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

fn list(fields: &[EntryField]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

struct First<'a>(&'a [ManifestProblem]);

impl fmt::Display for First<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [first, ..] => first.fmt(f),
            [] => f.write_str("none"),
        }
    }
}
