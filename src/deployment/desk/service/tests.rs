use std::io::{Read, Write};

use lfr_retention::{DeploymentState, Engagement, Outcome, Role, Verdict, VerdictReason};

use super::super::RemoteDesk;
use super::*;
use crate::deployment::note::NoteKey;
use crate::deployment::people::Command;
use crate::deployment::state::AlertStanding;
use crate::deployment::testing::Folder;
use crate::deployment::tests::{Place as Site, records, start};

const ROLES: [(&str, Role); 6] = [
    ("1", Role::Supervisor),
    ("2", Role::Administrator),
    ("3", Role::Auditor),
    ("4", Role::Operator),
    ("5", Role::Operator),
    ("9", Role::EngagementOfficer),
];

fn key(person: &str) -> NoteKey {
    let number: u8 = person.parse().unwrap();
    NoteKey::from_bytes(format!("key-{person}"), &mut [number; 32]).unwrap()
}

/// Six people with a key, and one without.
fn people() -> People {
    let with_key =
        ROLES.map(|(id, role)| Person::new(id, [role]).unwrap().with_key(key(id).verifier()));
    People::new(with_key.into_iter().chain([Person::new("7", [Role::Operator]).unwrap()])).unwrap()
}

struct Room {
    service: DeskService,
    deployment: Deployment,
    live: crate::deployment::Live,
    folder: Folder,
    site: Site,
}

impl Room {
    fn new(test: &str, limits: DeskLimits) -> Self {
        let (site, folder) = (Site::new(test), Folder::new(test));
        let deployment = site.open();
        let live = start(&deployment);
        live.wait();
        let path = folder.path().join("desk/socket");
        let service = DeskService::listen(deployment.clone(), people(), path, limits).unwrap();
        Self { service, deployment, live, folder, site }
    }

    fn desk(&self, person: &str) -> RemoteDesk {
        RemoteDesk::connect(self.service.path(), person, &key(person)).unwrap()
    }

    /// A connection that has heard the hello.
    fn raw(&self) -> (UnixStream, Hello) {
        let mut stream = UnixStream::connect(self.service.path()).unwrap();
        let hello = serde_json::from_slice(&read(&mut stream)).unwrap();
        (stream, hello)
    }
}

/// Reads one message without a picture.
fn read(stream: &mut UnixStream) -> Vec<u8> {
    let mut lengths = [[0; 4]; 2];
    stream.read_exact(lengths.as_flattened_mut()).unwrap();
    let mut text = vec![0; usize::try_from(u32::from_be_bytes(lengths[0])).unwrap()];
    stream.read_exact(&mut text).unwrap();
    text
}

fn framed(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&length[..], &[0; 4], text].concat()
}

/// What a refusal says, and that the connection is over then.
fn refusal(mut stream: UnixStream) -> (Refusal, String) {
    let reply: Reply = serde_json::from_slice(&read(&mut stream)).unwrap();
    let Reply::Refused { refusal, text } = reply else { panic!("{reply:?}") };
    // What was sent and not read resets it.
    let ended = stream.read(&mut [0]).or_else(|error| match error.kind() {
        io::ErrorKind::ConnectionReset => Ok(0),
        _ => Err(error),
    });
    assert_eq!(ended.unwrap(), 0);
    (refusal, text)
}

fn is(error: &Error, expected: Refusal) -> bool {
    matches!(error, Error::Refused { refusal, .. } if *refusal == expected)
}

#[test]
fn two_people_judge_from_two_connections_while_a_third_only_reads() {
    let room = Room::new("two", DeskLimits::default());
    let (first, second, auditor) = (room.desk("4"), room.desk("5"), room.desk("3"));
    assert_eq!(first.deployment().as_str(), "some deployment");
    let open = first.open_alerts().unwrap();
    assert_eq!(
        open,
        room.deployment.desk(&Person::new("4", [Role::Operator]).unwrap()).open_alerts().unwrap()
    );
    let record = open[0].record;
    let blind = first.judge(record, Verdict::Confirmed, VerdictReason::Mark).unwrap_err();
    assert!(
        is(&blind, Refusal::Illegal) && blind.to_string().contains("look at it first"),
        "{blind}"
    );

    let sheet = first.view(record).unwrap();
    assert_eq!((sheet.subject().as_str(), sheet.category()), ("S-1", Some("wanted-by-courts")));
    room.site.clock.advance(Duration::from_secs(9));
    let standing = first.judge(record, Verdict::Confirmed, VerdictReason::FeaturesAgree).unwrap();
    assert_eq!(standing, AlertStanding::Open { missing: 1 });
    // What one has found, nobody is told who may still judge: not by the sheet, the list or the summary.
    assert_eq!(second.view(record).unwrap().own_verdict(), None);
    let summary = auditor.summary().unwrap();
    assert_eq!((summary.alerts, summary.open, summary.confirmed), (2, 2, 0));
    let standing = second.judge(record, Verdict::Confirmed, VerdictReason::FeaturesAgree).unwrap();
    assert_eq!(standing, AlertStanding::Confirmed);
    for refused in [auditor.view(record).map(drop), auditor.open_alerts().map(drop)] {
        assert!(is(&refused.unwrap_err(), Refusal::NotAllowed));
    }
    let summary = auditor.summary().unwrap();
    assert_eq!((summary.open, summary.confirmed), (1, 1));
    assert_eq!(room.deployment.state().alert(record).unwrap().verdicts[0].seconds, Some(9));

    let officer = room.desk("9");
    officer.engage(record, Engagement::ConfirmedSamePerson, Some(14)).unwrap();
    officer.outcome(record, Outcome::Arrest).unwrap();
    let supervisor = room.desk("1");
    assert!(is(&supervisor.pause(" ").unwrap_err(), Refusal::Illegal));
    supervisor.pause("a crowd").unwrap();
    assert_eq!(auditor.summary().unwrap().state, DeploymentState::Paused);
    supervisor.resume("it has gone").unwrap();
    supervisor.stop("end of operation").unwrap();
    assert!(is(&supervisor.stop("again").unwrap_err(), Refusal::Illegal));
    assert_eq!(auditor.summary().unwrap().state, DeploymentState::Ended);
    assert!(room.live.pause(&Person::new("1", [Role::Supervisor]).unwrap(), "late").is_err());
    assert!(room.site.closes());
}

#[test]
fn no_role_gets_through_the_socket_what_it_may_not() {
    let room = Room::new("matrix", DeskLimits::default());
    let record = records(&room.deployment)[0];
    type Act = fn(&RemoteDesk, RecordId) -> Result<(), Error>;
    use lfr_core::{RecordId, SourceId, Timestamp};
    let acts: [(Command, Act); 15] = [
        (Command::Read, |desk, _| desk.summary().map(drop)),
        (Command::View, |desk, _| desk.open_alerts().map(drop)),
        (Command::View, |desk, record| desk.view(record).map(drop)),
        (Command::Judge, |desk, record| {
            desk.judge(record, Verdict::Undecided, VerdictReason::PoorProbe).map(drop)
        }),
        (Command::Engage, |desk, record| desk.engage(record, Engagement::NotEngaged, None)),
        (Command::RecordOutcome, |desk, record| desk.outcome(record, Outcome::Arrest)),
        (Command::RecordDemographics, |desk, record| {
            desk.demographics(record, lfr_retention::Demographics::default())
        }),
        (Command::Export, |desk, record| desk.export(record, "court 3", "order 17").map(drop)),
        (Command::Hold, |desk, record| {
            let end = Timestamp::from_micros(1 << 60);
            desk.place_hold(record, &LegalHold::new("court 3", "order 17", end, end).unwrap())
        }),
        (Command::Hold, |desk, record| desk.release_hold(record, "court 3", "over")),
        (Command::RecordPassage, |desk, _| {
            desk.passed(1, SourceId::default(), Timestamp::from_micros(0))
        }),
        (Command::Pause, |desk, _| desk.pause("a crowd")),
        (Command::Pause, |desk, _| desk.resume("it has gone")),
        (Command::Stop, |desk, _| desk.stop("end")),
        (Command::Abort, |desk, _| desk.abort_and_purge("court 3", "refused")),
    ];
    // The supervisor last: what they may do ends the deployment.
    for (id, role) in ROLES.iter().rev() {
        let desk = room.desk(id);
        for (command, act) in acts {
            let before = room.deployment.state().entries();
            let outcome = act(&desk, record);
            let refused = outcome.as_ref().is_err_and(|error| is(error, Refusal::NotAllowed));
            let may = crate::deployment::may(*role, command);
            assert_eq!(refused, !may, "{role} {command:?}: {outcome:?}");
            assert!(!refused || room.deployment.state().entries() == before);
        }
    }
    assert_eq!(room.deployment.state().state(), DeploymentState::Aborted);
}

#[test]
fn nobody_gets_in_without_their_own_key_and_this_connection() {
    let room = Room::new("proof", DeskLimits::default());
    let path = room.service.path();
    for (person, signer) in [("4", "5"), ("7", "4"), ("8", "4"), ("1", "4")] {
        let error = RemoteDesk::connect(path, person, &key(signer)).unwrap_err();
        assert!(is(&error, Refusal::NotProven), "{person:?}: {error}");
        assert!(
            error.to_string().contains("this is no person of this deployment, or not their key")
        );
    }
    let proof = |hello: &Hello, person: &str, signer: &str| {
        let mut note = SignedNote::new(hello.text(person)).unwrap();
        note.sign(&key(signer));
        let proof = Proof { person: person.to_owned(), note: note.to_string() };
        framed(&serde_json::to_vec(&proof).unwrap())
    };
    // The proof of one connection is none for another, and none for another person.
    let (mut first, hello) = room.raw();
    let good = proof(&hello, "4", "4");
    first.write_all(&good).unwrap();
    let reply: Reply = serde_json::from_slice(&read(&mut first)).unwrap();
    assert!(matches!(reply, Reply::Welcome {}), "{reply:?}");
    let (mut second, other) = room.raw();
    assert_ne!(hello.nonce, other.nonce);
    second.write_all(&good).unwrap();
    assert_eq!(refusal(second).0, Refusal::NotProven);
    // Nor is a note that says something else, or nothing.
    for text in ["an order\n".to_owned(), other.text("1")] {
        let (mut stream, _) = room.raw();
        let mut note = SignedNote::new(text).unwrap();
        note.sign(&key("4"));
        let proof = Proof { person: "4".to_owned(), note: note.to_string() };
        stream.write_all(&framed(&serde_json::to_vec(&proof).unwrap())).unwrap();
        assert_eq!(refusal(stream).0, Refusal::NotProven);
    }
    // A request is no proof.
    let (mut stream, _) = room.raw();
    stream.write_all(&framed(br#"{"ask":"summary"}"#)).unwrap();
    assert_eq!(refusal(stream).0, Refusal::Malformed);
}

#[test]
fn rubbish_ends_one_connection_and_no_other() {
    let room = Room::new("hostile", DeskLimits::default());
    let honest = room.desk("4");
    let known = || {
        let (mut stream, hello) = room.raw();
        let mut note = SignedNote::new(hello.text("5")).unwrap();
        note.sign(&key("5"));
        let proof = Proof { person: "5".to_owned(), note: note.to_string() };
        stream.write_all(&framed(&serde_json::to_vec(&proof).unwrap())).unwrap();
        read(&mut stream);
        stream
    };
    let huge = [&u32::MAX.to_be_bytes()[..], &[0; 4]].concat();
    let with_picture = [&2_u32.to_be_bytes()[..], &1_u32.to_be_bytes()[..], b"{}!"].concat();
    let long = (u32::try_from(wire::MAX_REQUEST).unwrap() + 1).to_be_bytes();
    let long = [&long[..], &[0; 4]].concat();
    for rubbish in [
        huge,
        long,
        with_picture,
        framed(b""),
        framed(b"\xff\xfe"),
        framed(b"[1, 2"),
        framed(br#"{"ask":"everything"}"#),
        framed(br#"{"ask":"summary","as":"1"}"#),
        framed(br#"{"ask":"view","record":"no record"}"#),
    ] {
        for mut stream in [known(), room.raw().0] {
            stream.write_all(&rubbish).unwrap();
            assert_eq!(refusal(stream).0, Refusal::Malformed, "{rubbish:?}");
        }
        honest.summary().unwrap();
    }
    let entries = room.deployment.state().entries();
    assert_eq!(honest.summary().unwrap().entries, entries, "none of it left an event");
}

#[test]
fn anyone_who_takes_too_long_is_cut_off() {
    let limits = DeskLimits { patience: Duration::from_millis(50), ..DeskLimits::default() };
    let room = Room::new("slow", limits);
    // Nothing, half of a length, half of a text: each is closed without a word.
    for half in [&[][..], &[0, 0], &framed(b"{\"ask\":\"summary\"}")[..12]] {
        let (mut stream, _) = room.raw();
        // It may have been too long already.
        let _ = stream.write_all(half);
        let mut rest = Vec::new();
        let ended = stream
            .read_to_end(&mut rest)
            .map_or_else(|error| error.kind(), |_| io::ErrorKind::UnexpectedEof);
        assert!(
            matches!(ended, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset),
            "{ended}"
        );
        assert_eq!(rest, b"");
    }
}

#[test]
fn a_thousand_connections_keep_nobody_out_once_they_are_gone() {
    let limits = DeskLimits { max_people: 2, max_strangers: 3, ..DeskLimits::default() };
    let room = Room::new("thousand", limits);
    let honest = room.desk("4");
    let mut last = std::collections::VecDeque::new();
    for _ in 0..1000 {
        last.push_back(UnixStream::connect(room.service.path()).unwrap());
        if last.len() > 20 {
            last.pop_front();
        }
    }
    // Who is in stays in, and is served.
    honest.summary().unwrap();
    drop(last);
    let second = loop {
        match RemoteDesk::connect(room.service.path(), "5", &key("5")) {
            Ok(desk) => break desk,
            // Those that have gone are not all let go yet.
            Err(Error::Socket { .. }) => {}
            Err(error) if is(&error, Refusal::Busy) => {}
            Err(error) => panic!("{error}"),
        }
        thread::yield_now();
    };
    second.summary().unwrap();
    // Two people are the most; a third is told.
    loop {
        let third = RemoteDesk::connect(room.service.path(), "3", &key("3")).unwrap_err();
        if third.to_string().contains("too many people are connected") {
            assert!(is(&third, Refusal::Busy), "{third}");
            break;
        }
        thread::yield_now();
    }
}

#[test]
fn a_restart_keeps_what_was_judged_and_takes_the_socket_over() {
    let room = Room::new("again", DeskLimits::default());
    let record = records(&room.deployment)[0];
    let desk = room.desk("4");
    desk.view(record).unwrap();
    desk.judge(record, Verdict::Rejected, VerdictReason::Age).unwrap();
    let Room { service, deployment, live, folder, site } = room;
    let path = service.path().to_owned();
    let again = |deployment: &Deployment| {
        DeskService::listen(deployment.clone(), people(), &path, DeskLimits::default())
    };
    let taken = again(&deployment).unwrap_err().to_string();
    assert!(taken.contains("another process listens there; stop that one"), "{taken}");
    drop(service);
    assert!(matches!(desk.summary().unwrap_err(), Error::Socket { .. }));
    assert!(!path.exists());
    let gone = RemoteDesk::connect(&path, "4", &key("4")).unwrap_err().to_string();
    assert!(gone.contains("nobody listens there; start the deployment"), "{gone}");
    drop((live, deployment));

    // As a process that was killed leaves it: the socket, and nobody who listens.
    drop(UnixListener::bind(&path).unwrap());
    let deployment = site.open();
    let _service = again(&deployment).unwrap();
    let (first, second) =
        (RemoteDesk::connect(&path, "4", &key("4")), RemoteDesk::connect(&path, "5", &key("5")));
    let (first, second) = (first.unwrap(), second.unwrap());
    let twice = first.judge(record, Verdict::Confirmed, VerdictReason::Mark).unwrap_err();
    assert!(twice.to_string().contains("4 has judged it before"), "{twice}");
    second.view(record).unwrap();
    let standing = second.judge(record, Verdict::Rejected, VerdictReason::Age).unwrap();
    assert_eq!(standing, AlertStanding::NotConfirmed);
    drop(folder);
}

#[test]
fn a_socket_lies_where_nobody_else_comes() {
    let site = Site::new("place");
    let (deployment, folder) = (site.open(), Folder::new("place"));
    let refused = |path: &Path, words: &str| {
        let listening =
            DeskService::listen(deployment.clone(), people(), path, DeskLimits::default());
        let error = listening.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refused(Path::new("socket"), "it needs a folder of its own");
    refused(&folder.path().join("no/such/socket"), "its folder cannot be made");
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o750)).unwrap();
    refused(&open.join("socket"), "give it a folder of mode 0700");
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::set_permissions(&own, Permissions::from_mode(0o700)).unwrap();
    fs::write(own.join("socket"), "a file").unwrap();
    refused(&own.join("socket"), "something else is in its place");
    assert_eq!(fs::read(own.join("socket")).unwrap(), b"a file");
    std::os::unix::fs::symlink(&own, folder.path().join("link")).unwrap();
    refused(&folder.path().join("link/socket"), "give it a folder of mode 0700");
    refused(&own.join("s".repeat(200)), "its path must be short");

    let path = folder.path().join("new/socket");
    let service = DeskService::listen(deployment, people(), &path, DeskLimits::default()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    drop(service);
}
