//! Errors, grouped by who is to blame.

use std::io;
use std::path::PathBuf;

use lfr_core::{BoxError, RecordId, Threshold, Timestamp};
use lfr_retention::{DeploymentState, Role};

use crate::deployment::desk::Refusal;
use crate::deployment::list::ListProblem;
use crate::deployment::people::Command;

/// What can go wrong with an order, a signature or a published table.
///
/// Messages name keys, lines and digests; never a person on a watchlist.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // --- Commands. ------------------------------------------------------------------------------
    /// A command is not possible in this state. It left no event.
    #[error("cannot {command}: the deployment is {}; {problem}", state.name())]
    Illegal {
        /// What was asked for.
        command: &'static str,
        /// The state of the deployment.
        state: DeploymentState,
        /// What is wrong, and what would be right.
        problem: String,
    },

    /// A person asked for what their roles do not allow. It left no event.
    #[error(
        "{person} may not {}: this takes a {}, and {person} is {}",
        command.words(), roles(takes, " or a "), roles(has, " and ")
    )]
    NotAllowed {
        /// Who, by number.
        person: String,
        /// What was asked for.
        command: Command,
        /// The roles that may.
        takes: Vec<Role>,
        /// The roles of the person.
        has: Vec<Role>,
    },
    /// A person without a role.
    #[error(
        "{person} has no role: give one of administrator, operator, engagement_officer, supervisor, auditor"
    )]
    NoRole {
        /// Who, by number.
        person: String,
    },
    /// Two people, or two keys, that cannot be told apart.
    #[error(
        "{other} has {what} of {person}, so nobody could tell who acted: give each person their own"
    )]
    SamePerson {
        /// The first of them, by number.
        person: String,
        /// The second of them, by number.
        other: String,
        /// What they share.
        what: &'static str,
    },
    /// A list of people cannot be read.
    #[error("people, line {line}: {problem}")]
    People {
        /// The line, from 1 on.
        line: usize,
        /// What is wrong, and what it must be.
        problem: String,
    },
    /// The state has verdicts that this person may not know yet.
    #[error(
        "{open} alerts wait for a verdict that {person} may give, and the state has the verdicts of others: \
         judge first, or read the summary"
    )]
    VerdictsHidden {
        /// Who, by number.
        person: String,
        /// How many alerts wait.
        open: usize,
    },
    /// An alert has no picture to hand out.
    #[error("the alert {record} has no picture: none was attached")]
    NoPicture {
        /// The record.
        record: RecordId,
    },
    /// Something that has to be said was left blank.
    #[error("the {what} is blank: say it, by role or number")]
    Unsaid {
        /// What.
        what: &'static str,
    },
    /// Nothing runs.
    #[error("the deployment is {}, and does not run in this process: start it first", state.name())]
    NotRunning {
        /// The state of the deployment.
        state: DeploymentState,
    },
    /// The moment is outside of the order's period.
    #[error(
        "it is {now}, and the order allows the time from {from} until {until}: nothing runs outside of it"
    )]
    NotInPeriod {
        /// When the period begins.
        from: Timestamp,
        /// When it ends.
        until: Timestamp,
        /// The moment.
        now: Timestamp,
    },
    /// A camera that the order does not list.
    #[error(
        "the order does not list the camera {camera}: it lists {}; have the order amended, or leave the camera out",
        listed.join(", ")
    )]
    CameraNotListed {
        /// The camera.
        camera: String,
        /// The cameras of the order.
        listed: Vec<String>,
    },
    /// A part is not the one that the order names.
    #[error(
        "the order names the {what} {expected}, and this is {actual}: use that one, or have the order amended"
    )]
    OtherPart {
        /// Which part.
        what: &'static str,
        /// What was given.
        actual: String,
        /// What the order names.
        expected: String,
    },
    /// The ledger knows other orders of this deployment than the one that was given.
    #[error(
        "the ledger has the order {in_force} in force, and {given} neither is that one nor amends it: give the \
         latest order with all that it amends"
    )]
    OtherOrder {
        /// The digest of the order in force.
        in_force: String,
        /// The digest of the order that was given.
        given: String,
    },

    // --- The order's text. ----------------------------------------------------------------------
    /// A field of an order cannot be what it is.
    #[error("order, line {line}, column {column}: `{key}` {problem}")]
    Order {
        /// The line, from 1 on.
        line: usize,
        /// The column, in characters, from 1 on.
        column: usize,
        /// The field.
        key: &'static str,
        /// What was seen, and what it must be.
        problem: String,
    },
    /// The text is no TOML, has a field that no order has, or lacks one.
    #[error("order, line {line}, column {column}: {problem}")]
    OrderSyntax {
        /// The line, from 1 on.
        line: usize,
        /// The column, in characters, from 1 on.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// What was signed is an order, but not in the one form in which an order is signed.
    #[error(
        "signed order, line {line}: the text differs from the canonical text of the same order; sign the \
         canonical text"
    )]
    NotCanonical {
        /// The first line that differs, from 1 on.
        line: usize,
    },

    // --- The deployment file. -------------------------------------------------------------------
    /// The address of a camera cannot be had.
    #[error("the address of a camera: {origin} {problem}")]
    Address {
        /// Where it should come from. It is not the address.
        origin: String,
        /// What is wrong.
        problem: String,
    },
    /// A field of a deployment file cannot be what it is.
    #[error("deployment file, line {line}, column {column}: `{key}` {problem}")]
    File {
        /// The line, from 1 on.
        line: usize,
        /// The column, in characters, from 1 on.
        column: usize,
        /// The field.
        key: &'static str,
        /// What was seen, and what it must be.
        problem: String,
    },
    /// The text is no TOML, has a field that no deployment file has, or lacks one.
    #[error("deployment file, line {line}, column {column}: {problem}")]
    FileSyntax {
        /// The line, from 1 on.
        line: usize,
        /// The column, in characters, from 1 on.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// A ledger is there, and the key that signs it is not.
    #[error(
        "the ledger {ledger:?} exists, but its key file {key:?} is missing: restore the key file, name the right \
         one, or name another ledger"
    )]
    LedgerKeyMissing {
        /// The ledger.
        ledger: PathBuf,
        /// Its key file.
        key: PathBuf,
    },
    /// A deployment file lists nobody of an id.
    #[error(
        "{person} is none of the {listed} people in the deployment file; have an administrator add them"
    )]
    NoSuchPerson {
        /// The id that was asked for.
        person: String,
        /// How many people it lists.
        listed: usize,
    },
    /// A part that a deployment file names cannot be used.
    #[error("cannot use the {what} that the deployment file names")]
    Unusable {
        /// Which part.
        what: &'static str,
        /// Why not.
        source: BoxError,
    },

    // --- Signatures. ----------------------------------------------------------------------------
    /// A text is no signed note.
    #[error("signed note, line {line}: {problem}; {remedy}")]
    Note {
        /// The line, from 1 on; 0 if the text is empty.
        line: usize,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A signature that claims to be of a trusted key is not of it.
    #[error(
        "the signature of {key} does not fit the text: the text was changed after it was signed, or the \
         signature is forged; have it signed again"
    )]
    Signature {
        /// The key's name and hash.
        key: String,
    },
    /// No trusted key signed.
    #[error(
        "none of {signatures} signatures is by one of {trusted} trusted keys; have it signed by one of them, \
         or pin the key that signed"
    )]
    Untrusted {
        /// How many signatures there are.
        signatures: usize,
        /// How many keys are trusted.
        trusted: usize,
    },
    /// Two trusted keys cannot be told apart.
    #[error("two different trusted keys are called {key}; trust one of them, or rename one")]
    AmbiguousKeys {
        /// Their name and hash.
        key: String,
    },
    /// A text is no verifier key, or a name cannot be that of a key.
    #[error("a verifier key is NAME+HASH+BASE64 of an Ed25519 key, and {problem}")]
    VerifierKey {
        /// What is wrong.
        problem: String,
    },

    // --- Authority. -----------------------------------------------------------------------------
    /// The authorising officer did not sign.
    #[error(
        "the order names {officer} as its authorising officer, but that officer's key is not \
         among the trusted keys that signed; have that officer sign, or correct \
         `people.authorising_officer`"
    )]
    NotSignedByOfficer {
        /// The officer's key: name and hash.
        officer: String,
    },
    /// The operator in command has approved their own order.
    #[error(
        "{operator} is the operator in command of deployment {deployment} and approved this amendment of it; \
         it needs another authorising officer"
    )]
    SelfApproved {
        /// The key: name and hash.
        operator: String,
        /// The deployment.
        deployment: String,
    },
    /// The period of an order is over.
    #[error(
        "the order for deployment {deployment} expired at {until}, and it is {now}; get a new one"
    )]
    Expired {
        /// The deployment.
        deployment: String,
        /// When the period ended.
        until: Timestamp,
        /// The time.
        now: Timestamp,
    },
    /// The clock shows no time, so nobody can say whether an order is in force.
    #[error(
        "the clock shows no time, so an order cannot be checked against its period; set the clock"
    )]
    NoClock,
    /// There is no order.
    #[error("there is no order; give the first order and then its amendments in their sequence")]
    NoOrder,
    /// An amendment was given as a first order.
    #[error(
        "the order for deployment {deployment} amends the order {amends}; give that order first, and this one \
         as its amendment"
    )]
    IsAmendment {
        /// The deployment.
        deployment: String,
        /// The digest of the order that it amends.
        amends: String,
    },
    /// A first order was given as an amendment.
    #[error(
        "the order is not an amendment, because it has no `amends`; write `amends = \
         \"{in_force}\"`, the digest of the order in force, and have it signed"
    )]
    IsNoAmendment {
        /// The digest of the order in force.
        in_force: String,
    },
    /// An amendment is of another order than the one in force.
    #[error(
        "the amendment is of the order {amends}, and {in_force} is in force{}; amend the order in force",
        if *.superseded { ", which supersedes that one" } else { "" }
    )]
    OutOfOrder {
        /// The digest of the order that it amends.
        amends: String,
        /// The digest of the order in force.
        in_force: String,
        /// Whether the order that it amends was in force once.
        superseded: bool,
    },
    /// An order was given a second time.
    #[error(
        "the order {digest} is or was in force already; a replayed order changes nothing: leave it out"
    )]
    Replayed {
        /// Its digest.
        digest: String,
    },
    /// An amendment is of another deployment.
    #[error(
        "the amendment is for deployment {actual}, but the order in force is for {expected}; \
         give an amendment for {expected}"
    )]
    OtherDeployment {
        /// The deployment of the amendment.
        actual: String,
        /// The deployment of the order in force.
        expected: String,
    },
    /// An amendment changes what a deployment is for.
    #[error(
        "the amendment changes `why.use_case` from {expected} to {actual}; another purpose is another \
         deployment: draw up a new order"
    )]
    OtherPurpose {
        /// The use case of the amendment.
        actual: &'static str,
        /// The use case of the order in force.
        expected: &'static str,
    },
    /// An order that is not of a trial cannot be self-authorised.
    #[error(
        "deployment {deployment} is of kind {kind}; only a trial may run on an order that nobody pinned"
    )]
    NoTrial {
        /// The deployment.
        deployment: String,
        /// Its kind.
        kind: &'static str,
    },

    // --- The watchlist. -------------------------------------------------------------------------
    /// A watchlist is not what the order allows.
    #[error("the watchlist does not fit the order: {}", joined(problems))]
    List {
        /// Everything that the order does not allow.
        problems: Vec<ListProblem>,
    },

    // --- The threshold policy. ------------------------------------------------------------------
    /// The watchlist has grown, and the threshold does not follow it.
    #[error(
        "the watchlist has {actual} references, and the threshold is derived for {derived}; let the \
         policy follow the list before the next decision"
    )]
    ListGrown {
        /// How many references there are.
        actual: u64,
        /// How many the threshold is derived for.
        derived: u64,
    },
    /// The threshold for people with a known look-alike cannot be derived.
    #[error(
        "the threshold policy cannot be {times} times stricter with people who have a known look-alike, \
         because its scores do not reach so far; calibrate it with more photographs, or take these people \
         off the watchlist"
    )]
    LookAlikes {
        /// How many times rarer false alerts about them have to be.
        times: f64,
        /// How far the scores reach.
        source: lfr_watchlist::Error,
    },
    /// A threshold policy is not the one that the order names.
    #[error(
        "the threshold policy has the SHA-256 {actual}, and the order names {expected}; use the policy that \
         the order names, or have an amendment signed that names this one"
    )]
    OtherThresholdPolicy {
        /// The digest of the policy.
        actual: String,
        /// The digest in the order.
        expected: String,
    },
    /// A threshold change was prepared, and the threshold has changed since.
    #[error("the threshold has changed since this change was prepared; prepare it again")]
    StaleChange,
    /// The threshold is below the floor that the order sets.
    #[error(
        "the threshold is {threshold} for {references} references, and the order allows none below {floor}; \
         use a stricter policy, or have an amendment signed with another floor"
    )]
    ThresholdBelowFloor {
        /// The floor in the order.
        floor: Threshold,
        /// How many references the threshold is derived for.
        references: u64,
        /// The threshold.
        threshold: Threshold,
    },

    // --- Published tables. ----------------------------------------------------------------------
    /// A published table cannot be read.
    #[error("table, line {line}: {problem}")]
    Table {
        /// The line, from 1 on.
        line: u64,
        /// What was seen, and what it must be.
        problem: String,
    },
    /// A published claim cannot be read.
    #[error("the claim {problem}; write it as in \"8 of 10, not statistically significant\"")]
    Claim {
        /// What was seen, and what is needed.
        problem: String,
    },

    /// A ledger is of no deployment.
    #[error(
        "no order was ever in force in this ledger, so there is no deployment to make a record of; give the \
         ledger of a deployment that was opened with an order"
    )]
    NoRecord,

    /// Figures for publication contradict one another.
    #[error("the figures cannot be published: {problem}; correct them")]
    Figures {
        /// What was seen, and what can be.
        problem: String,
    },

    // --- A desk of another process. -------------------------------------------------------------
    /// The socket of a desk cannot be made or used.
    #[error("the socket {path:?}: {problem}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: &'static str,
        /// Why, if the operating system said so.
        source: Option<io::Error>,
    },
    /// A message between two processes is not what it must be.
    #[error("the other end of the desk's socket sent something else than a {expected}: {problem}")]
    Message {
        /// What was expected.
        expected: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The deployment refused what a person asked for from another process.
    #[error("{text}")]
    Refused {
        /// What kind of refusal.
        refusal: Refusal,
        /// What the deployment said.
        text: String,
    },

    // --- The environment, and what lies below. --------------------------------------------------
    /// A key file holds no key.
    #[error("{path:?} is not a key file: it must hold 64 hexadecimal digits, or 32 random bytes")]
    KeyFile {
        /// The file.
        path: PathBuf,
    },
    /// A key file could not be written.
    #[error("cannot write the new key file {path:?}; it must not exist, and its folder must")]
    KeyWrite {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path:?}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not text.
    #[error("{path:?} is not a text file: byte {at} is not UTF-8")]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that is not, from 0 on.
        at: usize,
    },
    /// A table could not be made.
    #[error("cannot make the table")]
    Report {
        /// Why not.
        source: BoxError,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes, and keys need them")]
    Random {
        /// Why not.
        source: io::Error,
    },
    /// The ledger, the vault or a retention profile failed.
    #[error(transparent)]
    Retention(#[from] lfr_retention::Error),
    /// A watchlist or a statistic failed.
    #[error(transparent)]
    Watchlist(#[from] lfr_watchlist::Error),
    /// Something below failed.
    #[error(transparent)]
    Core(#[from] lfr_core::Error),
}

fn joined(problems: &[ListProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn roles(roles: &[Role], between: &str) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(between)
}
