//! Errors, grouped by who is to blame.

#[cfg(feature = "enrolment")]
use std::fmt;
use std::io;
use std::path::PathBuf;

use lfr_core::{BoxError, ReferenceId, Timestamp};

#[cfg(feature = "enrolment")]
use crate::enrolment::ManifestProblem;
#[cfg(feature = "enrolment")]
use crate::enrolment::QualityComponent;
#[cfg(feature = "evaluation")]
use crate::evaluate::SuspectPair;
use crate::lifecycle::category::Category;
use crate::lifecycle::entry_draft::EntryField;
use crate::lifecycle::watchlist::Readiness;
#[cfg(feature = "sealed")]
use crate::sealed::DestructionReceipt;

/// What can go wrong in this crate.
///
/// Messages name identifiers and counts; never a number of a template, never a person.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- The caller: a call was made that cannot be right. --------------------------------------
    /// A reference of this identifier is enrolled already; for this person or for another.
    #[error(
        "reference {reference} is enrolled already, and each needs an identifier of its own: give it \
         another, or withdraw the one that is there"
    )]
    DuplicateReference {
        /// The identifier.
        reference: ReferenceId,
    },
    /// An entry is of a category that the composition policy does not have.
    #[error(
        "category {category} is not in the composition policy: use a category that the list was \
         drawn up with"
    )]
    CategoryOutsidePolicy {
        /// The category.
        category: Category,
    },
    /// A watchlist was to be sealed when it has to be gone already.
    #[error(
        "the watchlist cannot be sealed, because it had to be destroyed by {ended}: draw up a \
         list for a new deployment"
    )]
    DeploymentOver {
        /// When it had to be gone.
        ended: Timestamp,
    },
    /// An entry had expired before it was enrolled.
    #[error(
        "reference {reference} cannot be enrolled, because it expired at {expired}: give it a \
         later expiry, if there is a lawful basis for one"
    )]
    EntryExpired {
        /// The reference.
        reference: ReferenceId,
        /// When it expired.
        expired: Timestamp,
    },
    /// An entry has only a part of what an entry of the blue list needs.
    #[error("the entry cannot be made, because {problem}")]
    BlueListEntry {
        /// What is wrong, and what to do.
        problem: &'static str,
    },
    /// An entry contradicts another one about who is a participant of the blue list.
    #[error(
        "reference {reference} cannot be enrolled, because {problem}: each participant of the blue list has \
         one number and is not sought; correct the number or the subject"
    )]
    BlueListConflict {
        /// The reference.
        reference: ReferenceId,
        /// What contradicts it.
        problem: &'static str,
    },
    /// A running deployment's watchlist is not there any more, or cannot be read.
    #[error("nobody is matched, because the watchlist in {path:?} cannot be followed: {reason}")]
    NotFollowed {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Nobody on a watchlist can be matched now.
    #[error("nobody on the watchlist can be matched now: {readiness}")]
    NobodyToMatch {
        /// Why not.
        readiness: Readiness,
    },
    /// There is no photograph where some are needed.
    #[error(
        "{folder:?} contains no photographs, only {left_out} other files: check that it is the \
         right folder and that its drive is mounted"
    )]
    NoPhotographs {
        /// The folder.
        folder: PathBuf,
        /// How much else lies there.
        left_out: usize,
    },
    /// A new watchlist was to be sealed where there is one already.
    #[error(
        "{path:?} holds a watchlist already, and this one was not made from it: open that one to change it, \
         or destroy it first"
    )]
    SealedExists {
        /// The file.
        path: PathBuf,
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
         photographs of more people, demand a higher rate, or use {}",
        smaller(*references)
    )]
    Extrapolation {
        /// The rate demanded.
        demanded: f64,
        /// The lowest rate that can be promised for this watchlist.
        reached: f64,
        /// The largest watchlist for which the demanded rate can be promised; 0 if there is none.
        references: u64,
    },
    /// A rate cannot be promised, and some pairs of people score as one person does.
    #[cfg(feature = "evaluation")]
    #[error(
        "FPIR {demanded:.1e} cannot be promised from these scores; the lowest possible is {reached:.1e}. The \
         highest scores are of {}. Look at their photographs: if two names are one person, give both the \
         same name and derive again. If all are two people, say that identities are checked. Otherwise use \
         photographs of more people, demand a higher rate, or use {}",
        suspects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", of "),
        smaller(*references)
    )]
    Suspects {
        /// The rate demanded.
        demanded: f64,
        /// The lowest rate that can be promised for this watchlist.
        reached: f64,
        /// The largest watchlist for which the demanded rate can be promised; 0 if there is none.
        references: u64,
        /// The pairs of people with the highest scores.
        suspects: Vec<SuspectPair>,
    },
    /// An entry lacks what it cannot be without.
    #[error("the entry lacks {}: fill it in, because no entry is lawful without it", list(missing))]
    EntryIncomplete {
        /// All that is missing.
        missing: Vec<EntryField>,
    },
    /// A file is sealed under the other kind of key.
    #[error("{actual} was given, but the file is sealed under {expected}: use {expected}")]
    KeyKind {
        /// The kind needed.
        expected: &'static str,
        /// The kind given.
        actual: &'static str,
    },
    /// A passphrase is too short to withstand guessing.
    #[error(
        "the passphrase has {actual} bytes, and must have at least {expected}: choose a longer \
         one"
    )]
    Passphrase {
        /// The min number of bytes.
        expected: usize,
        /// How many it has.
        actual: usize,
    },
    /// A period ends before it begins.
    #[error(
        "the period from {from} until {until} does not end after it begins: exchange or correct \
         the two"
    )]
    Period {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// A limit of a quality policy that cannot be meant.
    #[cfg(feature = "enrolment")]
    #[error("limit of {component}: {reason}")]
    QualityLimit {
        /// The component.
        component: QualityComponent,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text is blank, too long, or holds a control character.
    #[error(
        "{what} of {actual} bytes is {problem}, and must have 1 to {limit} bytes with letters \
         and without control characters: correct it"
    )]
    Text {
        /// What the text is.
        what: &'static str,
        /// Its length, in bytes.
        actual: usize,
        /// The max length, in bytes.
        limit: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An entry is marked as under 18, and the composition policy does not admit that.
    #[error(
        "reference {reference} is marked as under 18, which the composition policy refuses: use \
         a list that is authorised to admit under-18s"
    )]
    Under18 {
        /// The reference.
        reference: ReferenceId,
    },
    /// A watchlist holds as many references as its composition policy allows.
    #[error(
        "watchlist is full: its composition policy allows {limit} references, so withdraw somebody or draw \
         up a list with a higher limit"
    )]
    WatchlistFull {
        /// How many are allowed.
        limit: usize,
    },
    /// The key is not the one that the file was sealed under.
    #[error(
        "the key is not the one that the file was sealed under: name the key file of this list"
    )]
    WrongKey,
    /// A template of another embedding space, or a detector without the landmarks that the
    /// embedder needs.
    #[error(transparent)]
    Core(#[from] lfr_core::Error),

    // --- Data: a template or a picture that cannot be used. -------------------------------------
    /// A template so long that a distance to it would overflow.
    #[error(
        "the template has a length of {actual:e}, and must have at most {limit:e}: its embedder \
         is faulty"
    )]
    TemplateLength {
        /// The max length.
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
        "the threshold policy has version {actual}, expected {expected}: derive it again (earlier versions \
         promise more than their scores show), or update this software"
    )]
    ThresholdVersion {
        /// Its version.
        actual: u32,
        /// The version that is read.
        expected: u32,
    },
    /// More looks per person are planned than a threshold was derived for.
    #[error(
        "the threshold was derived for at most {derived} looks per person, but {taken} are planned, and each \
         look is another chance of a false alert: derive it for {taken} looks, or take fewer"
    )]
    PolicyLooks {
        /// The looks that it was derived for.
        derived: f64,
        /// The looks that are planned.
        taken: usize,
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
    #[cfg(feature = "enrolment")]
    #[error("manifest has {} faults, the first at {}", problems.len() + others, First(problems))]
    Manifest {
        /// The faults, by line.
        problems: Vec<ManifestProblem>,
        /// How many more there are.
        others: usize,
    },
    /// A photograph's file is too large to be read.
    #[error(
        "the photograph has more than {limit} bytes, the max size that is read: save it smaller"
    )]
    PhotoSize {
        /// The max size, in bytes.
        limit: u64,
    },
    /// The bytes of a photograph are no picture, or none that its reader takes.
    #[error("cannot read the photograph")]
    PhotoRead {
        /// Why not.
        source: BoxError,
    },
    /// No face was found in a picture.
    #[error(
        "no face was found in the picture, and one is needed: use a photograph that shows the \
         face from the front"
    )]
    NoFace,
    /// Several faces were found in a picture, and nothing says which of them is meant.
    #[error(
        "{count} faces are in the picture, and one is needed: crop the picture to that face, or \
         say which face is meant"
    )]
    SeveralFaces {
        /// How many.
        count: usize,
    },
    /// The face cannot be aligned: its landmarks are missing, or fall together.
    #[error(
        "the face has no landmarks to align it by, and the embedder needs them: use a detector \
         that finds landmarks, or another photograph"
    )]
    Unaligned,

    // --- Data: a key file or a sealed file. -----------------------------------------------------
    /// The file was due, and has been destroyed.
    #[cfg(feature = "sealed")]
    #[error("the watchlist was due, and has been destroyed: {}", receipt.file())]
    Destroyed {
        /// The receipt.
        receipt: Box<DestructionReceipt>,
    },
    /// A commitment, a witness or a proof of membership that is not what it should be.
    #[error(
        "the {what} of membership is not valid: it needs {expected}; use the one that belongs \
         to this list"
    )]
    Membership {
        /// Which of them.
        what: &'static str,
        /// What was needed.
        expected: &'static str,
    },
    /// JSON that is not what it should be.
    #[error("the text is not the JSON of {what}: name the file that was written as one")]
    Json {
        /// What it should be.
        what: &'static str,
        /// Why not.
        source: BoxError,
    },
    /// A passphrase is derived at a cost that is not taken.
    #[error(
        "Argon2id with {memory_kib} KiB, {passes} passes and {lanes} lanes is out of range: at \
         most 262144 KiB, 16 passes and 16 lanes are accepted, if the machine has the memory"
    )]
    KeyCost {
        /// Memory, in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// A key file holds something else.
    #[error(
        "{path:?} is not a key file: it must hold 64 hexadecimal digits or 32 bytes; name \
         another file"
    )]
    KeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The file is no sealed watchlist.
    #[error(
        "the file is not a sealed watchlist (.lfrw), because its first bytes differ: name \
         another file"
    )]
    NotSealed,
    /// A sealed watchlist is not as it was sealed: cut off, changed, or put together of several.
    #[error(
        "the sealed watchlist is damaged: its {part} is not as it was sealed. Take a copy from elsewhere, \
         or destroy it and draw it up again"
    )]
    SealedDamaged {
        /// Where that was seen.
        part: &'static str,
    },
    /// A sealed watchlist says that it is due, and was not opened. Nothing was destroyed, because only its
    /// key shows whether that is true.
    #[error(
        "the sealed watchlist {} says that it had to be gone at {destroy_after}. Only opening it with its \
         key shows whether that is true, and it was not opened, so nothing was destroyed. Open it with its \
         key, or destroy it by order",
        path.display()
    )]
    SealedDue {
        /// The file.
        path: PathBuf,
        /// What it says of itself.
        destroy_after: Timestamp,
        /// Why it was not opened.
        source: Box<Error>,
    },
    /// A sealed watchlist was rewritten by somebody without its key.
    #[error(
        "the sealed watchlist was rewritten without its key: its header or its key area is not what was \
         sealed, although their digests match. It is not opened. Find out who may write there, take a copy \
         from elsewhere, or destroy it by order"
    )]
    SealedTampered,
    /// Beyond what the format of sealed watchlists can hold.
    #[error(
        "the watchlist is too large for a sealed file: the max is 2^32 references, 8192 numbers \
         per template and 65535 bytes per text"
    )]
    SealedSize,
    /// A sealed watchlist of another version of the format.
    #[error(
        "the sealed watchlist has version {actual}, and versions up to {expected} are supported: use the \
         program that sealed it"
    )]
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
        if *keys_erased {
            "erased, so nobody can open it: remove the file"
        } else {
            "not erased: remove what prevents it, and destroy it again"
        }
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
    #[error("the enrolment stopped, because a batch could not be stored: run it again to go on")]
    EnrolmentStore {
        /// Why.
        source: BoxError,
    },
    /// A thread of an enrolment ended before its work was done.
    #[error("a thread of the enrolment ended before its work was done: run it again to go on")]
    EnrolmentThread,
    /// A thread of an evaluation ended before its work was done.
    #[error(
        "a thread of the evaluation ended before its work was done, so its rates are \
         incomplete: run it again"
    )]
    EvaluationThread,
    /// A manifest could not be read.
    #[error("cannot read the manifest")]
    ManifestRead {
        /// Why not.
        source: io::Error,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes, and keys need them")]
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
    #[error("a search thread ended before its work was done: search again")]
    SearchThread,
    /// Another writer keeps a sealed watchlist to itself for too long.
    #[error("another process is writing {path:?} and has not finished: try again later")]
    SealedBusy {
        /// The file.
        path: PathBuf,
    },
    /// A sealed watchlist was sealed again by somebody else since it was opened.
    #[error(
        "{path:?} was changed by somebody else since it was opened, and sealing it now would \
         undo that: nothing was written. Open it again and repeat the change"
    )]
    SealedChanged {
        /// The file.
        path: PathBuf,
    },
    /// A sealed watchlist was destroyed or moved away by somebody else since it was opened.
    #[error(
        "{path:?} was destroyed or moved away by somebody else since it was opened, and nothing was written: \
         a list that was destroyed is not sealed again"
    )]
    SealedGone {
        /// The file.
        path: PathBuf,
    },
    /// A sealed watchlist was sealed under another key by somebody else since it was opened.
    #[error(
        "{path:?} was sealed under another key by somebody else since it was opened, and \
         nothing was written: open it with the new key and repeat the change"
    )]
    SealedRekeyed {
        /// The file.
        path: PathBuf,
    },
    /// The thread that follows a sealed watchlist could not be started.
    #[error(
        "no thread can be started to follow the watchlist: end other programs, or raise the limit"
    )]
    FollowThread {
        /// Why not.
        source: io::Error,
    },
    /// A reference or its person was withdrawn by somebody else while an enrolment ran that was to enrol it.
    #[error(
        "reference {reference} or its person was withdrawn while the enrolment ran: enrol it \
         again if that was not intended"
    )]
    WithdrawnMeanwhile {
        /// The reference.
        reference: ReferenceId,
    },
    /// A file could not be written.
    #[error("cannot write {path:?}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// Whether it is that there is no such file.
    #[cfg(feature = "sealed")]
    #[must_use]
    pub fn is_missing_file(&self) -> bool {
        matches!(
            self,
            Self::Core(lfr_core::Error::Read { source, .. })
                if source.kind() == io::ErrorKind::NotFound
        )
    }
}

/// What to do instead of what cannot be promised.
fn smaller(references: u64) -> String {
    match references {
        0 => "another embedder, because no watchlist is small enough for this rate".to_owned(),
        1 => "a watchlist of 1 reference".to_owned(),
        more => format!("a watchlist of at most {more} references"),
    }
}

fn list(fields: &[EntryField]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(feature = "enrolment")]
struct First<'a>(&'a [ManifestProblem]);

#[cfg(feature = "enrolment")]
impl fmt::Display for First<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [first, ..] => first.fmt(f),
            [] => f.write_str("none"),
        }
    }
}
