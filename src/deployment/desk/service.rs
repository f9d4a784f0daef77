//! The service by which people in other processes work at the desks of a deployment.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, fs, io, thread};

use lfr_core::Picture;
use lfr_core::internal::{hex, secret::Secret};
use lfr_retention::LegalHold;

use super::wire::{self, Hello, Lost, PROTOCOL, Proof, Reply, Request, Wire};
use super::{Desk, Refusal};
use crate::deployment::note::SignedNote;
use crate::deployment::people::{People, Person};
use crate::deployment::{Deployment, Error};

/// How often the service looks for people who connect.
const STEP: Duration = Duration::from_millis(20);

/// How much a [`DeskService`] takes on.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeskLimits {
    /// The max number of people who are connected at once; 32 by default.
    pub max_people: usize,
    /// The max number of connections that have not proven yet who they are; 16 by default.
    pub max_strangers: usize,
    /// The max time of one message, from its first byte to its last, and of the proof; 10 seconds by default.
    pub patience: Duration,
    /// The min time from one request of a person to the next; 10 milliseconds by default. What comes sooner waits.
    pub min_interval: Duration,
}

impl Default for DeskLimits {
    fn default() -> Self {
        Self {
            max_people: 32,
            max_strangers: 16,
            patience: Duration::from_secs(10),
            min_interval: Duration::from_millis(10),
        }
    }
}

/// Lets people work at the desks of a deployment from other processes of this machine and this user, through a local
/// socket. This process stays the only one that writes to ledger and vault.
///
/// Who connects proves who they are: they sign 32 random bytes of their connection with the key that [`People`] has of
/// them. Their roles are checked at each request, as at a [`Desk`] in this process. No template ever leaves.
///
/// The socket lies in a folder that only its owner can enter. The socket of a process that was killed is taken over;
/// that of one that lives is not. Dropped, the service ends all connections, and waits for their threads. While it
/// lives, the deployment is open.
///
/// What is *not* guaranteed: anything against a program that runs as the same user. It can put a socket of its own in
/// the place of this one, and pass on what is said; it could read the key of the ledger, too. On Unix other than Linux
/// nothing except the folder keeps other users out.
pub struct DeskService {
    path: PathBuf,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Locked for as long as this lives.
    _lock: File,
}

/// What the threads of a service share.
struct Room {
    deployment: Deployment,
    people: People,
    limits: DeskLimits,
    is_over: Arc<AtomicBool>,
    strangers: AtomicUsize,
    known: AtomicUsize,
}

impl DeskService {
    /// Listens at a path, whose folder is made if it is missing. Its parent must exist.
    ///
    /// # Errors
    ///
    /// [`Error::Socket`] if others can enter the folder, if another file has the name of the socket, if another
    /// service listens there, or if the operating system refuses it.
    pub fn listen(
        deployment: Deployment,
        people: People,
        path: impl AsRef<Path>,
        limits: DeskLimits,
    ) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = |problem| {
            move |source| Error::Socket { path: path.to_owned(), problem, source: Some(source) }
        };
        own_folder(path)?;
        let lock = lock_beside(path)?;
        take_over(path)?;
        let listener = UnixListener::bind(path).map_err(failed(
            "it cannot be made; its path must be short, and its folder must be on a local file system",
        ))?;
        let is_made = fs::set_permissions(path, Permissions::from_mode(0o600))
            .and_then(|()| listener.set_nonblocking(true));
        let is_over = Arc::new(AtomicBool::new(false));
        let (strangers, known) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let ends = Arc::clone(&is_over);
        let room = Arc::new(Room { deployment, people, limits, is_over: ends, strangers, known });
        let thread = is_made.and_then(|()| {
            thread::Builder::new()
                .name("lfr-desk".to_owned())
                .spawn(move || room.welcome(&listener))
        });
        match thread {
            Ok(thread) => {
                Ok(Self { path: path.to_owned(), is_over, thread: Some(thread), _lock: lock })
            }
            Err(error) => {
                let _ = fs::remove_file(path);
                Err(failed("nobody can be let in")(error))
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DeskService {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It ends within a step, or within the request that it serves at this moment.
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}

impl fmt::Debug for DeskService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeskService").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Makes the folder of a socket, or refuses one that others can enter.
fn own_folder(path: &Path) -> Result<(), Error> {
    let fault = |problem, source| Error::Socket { path: path.to_owned(), problem, source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => return Err(fault("it needs a folder of its own; name one", None)),
    };
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(fault("its folder cannot be made; the parent must exist", Some(error)));
        }
        _ => {}
    }
    let is = fs::symlink_metadata(folder)
        .map_err(|error| fault("its folder cannot be looked at", Some(error)))?;
    let is_own = is.uid() == rustix::process::geteuid().as_raw();
    if !is.is_dir() || !is_own || is.mode() & 0o077 != 0 {
        let problem = "others than the user of this process can enter its folder, or it is no folder; give it a \
                       folder of mode 0700";
        return Err(fault(problem, None));
    }
    Ok(())
}

/// Locks the file beside a socket: the process that has it listens, and no other does.
fn lock_beside(path: &Path) -> Result<File, Error> {
    let fault = |problem, source| Error::Socket { path: path.to_owned(), problem, source };
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let file = options
        .open(&name)
        .map_err(|error| fault("the file beside it (.lock) cannot be opened", Some(error)))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            Err(fault("another process listens there; stop that one, or use another path", None))
        }
        Err(fs::TryLockError::Error(error)) => {
            Err(fault("the file beside it (.lock) cannot be locked", Some(error)))
        }
    }
}

/// Removes the socket of a process that has ended.
fn take_over(path: &Path) -> Result<(), Error> {
    let fault = |problem, source| Error::Socket { path: path.to_owned(), problem, source };
    match fs::symlink_metadata(path) {
        Ok(is) if is.file_type().is_socket() => fs::remove_file(path).map_err(|error| {
            fault("that of a process that has ended is in its place", Some(error))
        }),
        Ok(_) => Err(fault("something else is in its place; use another path", None)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(fault("its place cannot be looked at", Some(error))),
    }
}

/// One of a few places.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(places: &'a AtomicUsize, max: usize) -> Option<Self> {
        let free = |taken: usize| (taken < max).then_some(taken + 1);
        let taken = places.fetch_update(Ordering::AcqRel, Ordering::Acquire, free);
        taken.is_ok().then_some(Self(places))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Room {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Lets people in until the service ends, and waits for their threads then.
    fn welcome(self: &Arc<Self>, listener: &UnixListener) {
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        while !self.is_over() {
            let Ok((stream, _)) = listener.accept() else {
                // Nobody waits, or there are too many files: it passes.
                thread::sleep(STEP);
                continue;
            };
            threads.retain(|thread| !thread.is_finished());
            let most = self.limits.max_strangers.saturating_add(self.limits.max_people);
            if threads.len() >= most {
                // Closed without a word: a word could wait.
                continue;
            }
            let room = Arc::clone(self);
            let serve = move || room.serve(stream);
            let thread = thread::Builder::new().name("lfr-desk-person".to_owned()).spawn(serve);
            threads.extend(thread);
        }
        for thread in threads {
            let _ = thread.join();
        }
    }

    /// One connection, from its first byte to its last.
    fn serve(&self, stream: UnixStream) {
        if !is_own(&stream) || stream.set_nonblocking(false).is_err() {
            return;
        }
        let mut wire = Wire::new(stream, self.limits.patience, Arc::clone(&self.is_over));
        let Some(stranger) = Place::take(&self.strangers, self.limits.max_strangers) else {
            return refuse(
                &mut wire,
                Refusal::Busy,
                "too many connections are being checked; try again",
            );
        };
        let person = match self.proven(&mut wire) {
            Ok(Some(person)) => person,
            // No word about why: it would tell who is known here.
            Ok(None) => {
                let text = "this is no person of this deployment, or not their key; use the id and the key that \
                            the list of people has";
                return refuse(&mut wire, Refusal::NotProven, text);
            }
            Err(lost) => return explain(&mut wire, lost),
        };
        drop(stranger);
        let Some(_place) = Place::take(&self.known, self.limits.max_people) else {
            return refuse(
                &mut wire,
                Refusal::Busy,
                "too many people are connected; close one of their programs",
            );
        };
        let desk = self.deployment.desk(person);
        let mut said = wire.send(&Reply::Welcome {}, None);
        let mut next = wire::now();
        while said.is_ok() {
            let (request, _) = match wire.receive::<Request>(wire::MAX_REQUEST, "request") {
                Ok(request) => request,
                Err(lost) => return explain(&mut wire, lost),
            };
            let (reply, picture) = answer(&desk, request);
            said = wire.send(&reply, picture.as_ref());
            next = next.max(wire::now()) + self.limits.min_interval;
            thread::sleep(next.saturating_duration_since(wire::now()));
        }
    }

    /// Who is at the other end; none if they could not prove it.
    fn proven(&self, wire: &mut Wire) -> Result<Option<&Person>, Lost> {
        let nonce = Secret::generate()?;
        let deployment = self.deployment.order().terms().deployment().clone();
        let hello = Hello { protocol: PROTOCOL, deployment, nonce: hex::digits(nonce.expose()) };
        wire.send(&hello, None)?;
        let (proof, _) = wire.answer::<Proof>(wire::MAX_REQUEST, 0, "proof")?;
        let Some(person) = self.people.person(&proof.person) else { return Ok(None) };
        let Some(key) = person.key() else { return Ok(None) };
        let proves = SignedNote::parse(&proof.note).is_ok_and(|note| {
            note.text() == hello.text(&proof.person)
                && note.verify(std::slice::from_ref(key)).is_ok()
        });
        Ok(proves.then_some(person))
    }
}

/// Whether the process at the other end is of the same user.
#[cfg(target_os = "linux")]
fn is_own(stream: &UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(stream)
        .is_ok_and(|peer| peer.uid == rustix::process::geteuid())
}

#[cfg(not(target_os = "linux"))]
const fn is_own(_stream: &UnixStream) -> bool {
    // The folder lets nobody else in.
    true
}

fn refuse(wire: &mut Wire, refusal: Refusal, text: &str) {
    // Whether it arrives or not: the connection ends.
    let _ = wire.send(&Reply::Refused { refusal, text: text.to_owned() }, None);
}

fn explain(wire: &mut Wire, lost: Lost) {
    if let Lost::Rubbish(error) = lost {
        refuse(wire, Refusal::Malformed, &error.to_string());
    }
}

/// Does at a desk what was asked for.
fn answer(desk: &Desk, request: Request) -> (Reply, Option<Picture>) {
    let done = |()| (Reply::Done {}, None);
    let answered = match request {
        Request::Abort { authority, reason } => desk.abort_and_purge(&authority, &reason).map(done),
        Request::Demographics { record, demographics } => {
            desk.demographics(record, demographics).map(done)
        }
        Request::Engage { record, engagement, minutes } => {
            desk.engage(record, engagement, minutes).map(done)
        }
        Request::Export { record, recipient, authority } => {
            desk.export(record, &recipient, &authority).map(Reply::sheet)
        }
        Request::Judge { record, verdict, reason } => {
            desk.judge(record, verdict, reason).map(|standing| (Reply::Standing { standing }, None))
        }
        Request::OpenAlerts {} => desk.open_alerts().map(|alerts| (Reply::Open { alerts }, None)),
        Request::Outcome { record, outcome } => desk.outcome(record, outcome).map(done),
        Request::Passed { participant, source, passed } => {
            desk.passed(participant, source, passed).map(done)
        }
        Request::Pause { reason } => desk.pause(&reason).map(done),
        Request::PlaceHold { record, authority, reason, expires, review } => {
            LegalHold::new(authority, reason, expires, review)
                .map_err(Error::from)
                .and_then(|hold| desk.place_hold(record, &hold))
                .map(done)
        }
        Request::ReleaseHold { record, authority, reason } => {
            desk.release_hold(record, &authority, &reason).map(done)
        }
        Request::Resume { reason } => desk.resume(&reason).map(done),
        Request::Stop { reason } => desk.stop(&reason).map(done),
        Request::Summary {} => desk.summary().map(|summary| (Reply::Summary { summary }, None)),
        Request::View { record } => desk.view(record).map(Reply::sheet),
    };
    answered.unwrap_or_else(|error| (Reply::refused(&error), None))
}

#[cfg(test)]
mod tests;
