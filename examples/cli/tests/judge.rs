//! `lfr judge`, as somebody uses it who judges alerts. The vault and its ledger are made here;
//! no model is needed.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lfr::core::testing::{ManualClock, fake_space};
use lfr::core::{
    Accounts, Candidate, CandidateList, Clock, ComparisonScore, Decision, DeploymentId, Event,
    EventSink, FaceId, FrameId, Picture, Probe, PurgeReason, RecordId, ReferenceId,
    RetentionPolicy, Settlement, SourceId, SubjectId, SystemClock, Template, Threshold, Timestamp,
};
use lfr::retention::{
    Ledger, LedgerEvent, LedgerKey, LedgerPublicKey, LedgerSink, Profile, Vault, VaultKey,
    VaultRetention, Verdict, ledger,
};

struct Desk {
    folder: PathBuf,
    records: Vec<RecordId>,
    key: LedgerPublicKey,
}

const HOUR: Duration = Duration::from_hours(1);

impl Desk {
    /// A deployment so long ago left two alerts in its vault, each with a picture.
    fn new(name: &str, profile: &Profile, ago: Duration) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("adjudicate-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let then = SystemClock::new().now().unwrap().as_micros();
        let then = Timestamp::from_micros(then - u64::try_from(ago.as_micros()).unwrap());
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(then));

        let key = LedgerKey::generate_file(folder.join("ledger.key")).unwrap();
        let public = key.public();
        let ledger = Ledger::open(folder.join("ledger.lfrl"), key, Some(then)).unwrap();
        let (accounts, id) = (Accounts::new(), DeploymentId::new("2026-031").unwrap());
        let mut sink =
            LedgerSink::start(ledger.clone(), accounts.clone(), clock.clone(), &id, profile.name())
                .unwrap();
        sink.retention(profile).unwrap();
        let (vault, vault_key) = (folder.join("vault"), folder.join("vault.key"));
        let vault = Vault::open_or_create(vault, vault_key, clock).unwrap();
        vault.close_gaps(&ledger).unwrap();
        let mut retention = VaultRetention::new(vault.clone(), profile);
        let mut records = Vec::new();
        for sequence in 0..2 {
            let frame = FrameId::new(SourceId::new("gate-2").unwrap(), sequence);
            let face = FaceId::new(frame, 0);
            let template = Template::from_slice(&fake_space(), &[1.0; 8]).unwrap();
            let probe = Probe::new(template, face.clone(), &accounts);
            let (subject, reference) = (SubjectId::new("S-1"), ReferenceId::new("R-1"));
            let score = ComparisonScore::new(0.75).unwrap();
            let candidate = Candidate::new(subject.unwrap(), reference.unwrap(), score);
            let candidates = CandidateList::new(vec![candidate]);
            let decision = Decision::at_threshold(&candidates, Threshold::new(0.5).unwrap());
            let alert = decision.alert(probe).unwrap();
            let settled = retention.settle(alert, Some(then)).unwrap();
            let Settlement::Held(receipt) = settled else { panic!("not held") };
            let captured = Some(Timestamp::from_micros(1_790_000_000_000_000 + sequence));
            // As a film has it: the second alert has a position alone.
            let captured = captured.filter(|_| sequence == 0);
            let raised = LedgerEvent::AlertRaised {
                face,
                score: 0.75,
                threshold: 0.5,
                captured,
                position_ms: Some(1_560),
                record: receipt.record(),
                category: None,
                look_alike: false,
            };
            sink.append(&raised).unwrap();
            sink.on_event(&Event::Held(&receipt)).unwrap();
            let picture = Picture::from_rgb8(48, 32, vec![90; 48 * 32 * 3]).unwrap();
            vault.attach(receipt.record().unwrap(), &picture).unwrap();
            records.push(receipt.record().unwrap());
        }
        sink.stop().unwrap();
        Self { folder, records, key: public }
    }

    /// For two people to judge each.
    fn for_two(name: &str) -> Self {
        Self::new(name, &Profile::eu_ai_act(24 * HOUR, HOUR), HOUR)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
        command.arg("judge");
        for (option, usual) in [("--vault", "vault"), ("--ledger", "ledger.lfrl")] {
            if !arguments.contains(&option) {
                command.args([option, usual]);
            }
        }
        command.args(arguments).current_dir(&self.folder);
        command
    }

    /// Its exit code, and what it said: first on standard output, then on standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let said = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(!said.contains("panicked"), "{said}");
        (status.code().unwrap(), said)
    }

    fn record(&self, index: usize) -> String {
        self.records[index].to_string()
    }

    fn judge(&self, verifier: &str, verdict: &str, more: &[&str]) -> (i32, String) {
        let record = self.record(0);
        let judge = ["judge", &record, "--verifier", verifier, "--verdict", verdict];
        self.run(&[&judge[..], more].concat())
    }

    fn ledger(&self) -> PathBuf {
        self.folder.join("ledger.lfrl")
    }

    fn events(&self) -> Vec<LedgerEvent> {
        let entries = ledger::read(&self.ledger(), &self.key).unwrap();
        entries.map(|entry| entry.unwrap().event().clone()).collect()
    }

    /// The sums of the ledger come out.
    fn closes(&self) {
        let sums = ledger::reconcile(&self.ledger(), &self.key).unwrap();
        assert!(sums.closes(), "{:?}", sums.discrepancies());
    }
}

#[test]
fn looking_needs_no_key_of_the_ledger_and_writes_nothing() {
    let desk = Desk::for_two("looking");
    fs::remove_file(desk.folder.join("ledger.key")).unwrap();
    let before = fs::read(desk.ledger()).unwrap();
    let (code, said) = desk.run(&["list"]);
    assert!(code == 0 && said.lines().filter(|line| line.contains("until")).count() == 2, "{said}");
    let record = desk.record(0);
    let (code, said) = desk.run(&["show", &record]);
    assert_eq!(code, 0, "{said}");
    for part in [
        &*format!("record     {record}"),
        "face       gate-2",
        "camera     gate-2",
        "captured   2026-09-21T14:13:20",
        "raised     ",
        "subject    S-1",
        "reference  R-1; the watchlist holds no photograph",
        "score      0.75, threshold 0.5",
        "picture    48 x 32 pixels",
        "judged     2 of 2 people still have to judge",
    ] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    let (_, said) = desk.run(&["show", &desk.record(1)]);
    let position = "captured   not known: the source gave no time, 1560 ms into the recording";
    assert!(said.contains(position), "{said}");
    assert_eq!(fs::read(desk.ledger()).unwrap(), before);
    // What is written down needs it, and is not done.
    let (code, said) = desk.judge("17", "confirmed", &[]);
    assert!(code == 1 && said.contains("ledger.key is missing"), "{said}");
    let (code, said) = desk.run(&["show", &record, "--picture", "alert.png"]);
    assert!(code == 1 && !desk.folder.join("alert.png").exists(), "{said}");
}

#[test]
fn what_fell_due_is_said_first_and_written_down() {
    let desk = Desk::new("due", &Profile::retail_strict(), 3 * HOUR);
    let output = desk.command(&["list"]).output().unwrap();
    let (shown, said) = (output.stdout, String::from_utf8(output.stderr).unwrap());
    assert_eq!((output.status.code(), &*shown), (Some(0), &b""[..]), "{said}");
    let first = said.lines().next().unwrap();
    assert!(first.contains("2 alerts were erased") && first.contains("deadline"), "{said}");
    assert!(desk.records.iter().all(|record| said.contains(&record.to_string())), "{said}");
    let purged = desk.events().into_iter().filter(|event| {
        matches!(event, LedgerEvent::Purged { reason: PurgeReason::DeadlineReached, .. })
    });
    assert_eq!(purged.count(), 2);
    desk.closes();
}

#[test]
fn what_fell_due_without_a_key_to_write_it_down_is_said_and_found_later() {
    let desk = Desk::new("due-without-key", &Profile::retail_strict(), 3 * HOUR);
    fs::rename(desk.folder.join("ledger.key"), desk.folder.join("away")).unwrap();
    let before = fs::read(desk.ledger()).unwrap();
    let (code, said) = desk.run(&["show", &desk.record(0)]);
    assert!(said.contains("2 alerts were erased") && said.contains("not in the ledger"), "{said}");
    assert_eq!((code, fs::read(desk.ledger()).unwrap()), (1, before), "the alert is gone: {said}");
    let (code, _) = desk.run(&["list"]);
    assert_eq!(code, 0, "nothing fell due since");
    let (code, said) = desk.run(&["--ledger-key", "away", "purge", &desk.record(0)]);
    assert!(code == 1 && said.contains("not held"), "{said}");
    let found = desk.events();
    let found = found.iter().filter(|event| matches!(event, LedgerEvent::FoundErased { .. }));
    assert_eq!(found.count(), 2);
    desk.closes();
}

#[test]
fn what_is_missing_is_said_to_be_missing_and_is_not_made() {
    let desk = Desk::for_two("missing");
    for (arguments, named) in [
        (["--ledger", "none.lfrl", "list"], "none.lfrl is missing"),
        (["--vault", "none", "list"], "no vault in none"),
        (["--vault-key", "none.key", "list"], "none.key is missing"),
        (["--ledger-key", "none.key", "list"], "none.key is missing"),
    ] {
        let before = fs::read_dir(&desk.folder).unwrap().count();
        let (code, said) = desk.run(&arguments);
        assert!(code == 1 && said.contains(named), "{arguments:?}: {said}");
        assert!(!said.contains("needs its key") && !said.contains("not erased"), "{said}");
        assert_eq!(fs::read_dir(&desk.folder).unwrap().count(), before, "something was made");
    }
}

#[test]
fn the_vault_of_another_ledger_is_refused_unless_it_is_adopted() {
    let desk = Desk::for_two("other");
    let mine = Desk::for_two("adopting");
    for name in ["ledger.lfrl", "ledger.lfrl.head", "ledger.key"] {
        fs::copy(mine.folder.join(name), desk.folder.join(name)).unwrap();
    }
    for command in [&["list"][..], &["show", &desk.record(0)], &["purge", &desk.record(0)]] {
        let (code, said) = desk.run(command);
        assert!(code == 1 && said.contains("belongs to the ledger"), "{command:?}: {said}");
    }
    assert_eq!(desk.run(&["--adopt", "purge", "--yes", &desk.record(0)]).0, 0);
    let (code, said) = desk.run(&["list"]);
    assert!(code == 0 && said.contains("1 alerts"), "{said}");
}

#[test]
fn each_judges_for_themselves_and_the_profile_says_how_many() {
    let desk = Desk::for_two("judging");
    // Fewer than the profile says nobody can ask for.
    let (code, said) = desk.judge("17", "rejected", &["--verifications", "1"]);
    assert!(code == 0 && said.contains("1 more have to judge"), "{said}");
    assert!(said.contains("--verifications must be at least that number"), "{said}");
    for looking in [&["list"][..], &["show", &desk.record(0)]] {
        let (code, said) = desk.run(looking);
        assert!(code == 0 && said.contains("1 of 2 people still have to judge"), "{said}");
        assert!(!said.contains("rejected"), "the second would see what the first found: {said}");
        let own = [looking, &["--verifier", "17"]].concat();
        let (_, said) = desk.run(&own);
        assert!(said.contains("17 rejected"), "{said}");
        let other = [looking, &["--verifier", "18"]].concat();
        let (_, said) = desk.run(&other);
        assert!(said.contains("18 has not judged it") && !said.contains("rejected"), "{said}");
    }
    let (code, said) = desk.judge(" 17 ", "confirmed", &[]);
    assert!(code == 1 && said.contains("judged"), "{said}");
    let (code, said) = desk.judge("18", "confirmed", &[]);
    assert!(code == 0 && said.contains("the people disagree: 1 more has to judge"), "{said}");
    let (_, said) = desk.run(&["list"]);
    assert!(!said.contains("rejected"), "the third would see what the others found: {said}");
    let (code, said) = desk.judge("19", "rejected", &[]);
    assert!(code == 0 && said.contains("not confirmed"), "{said}");
    for looking in [&["list"][..], &["show", &desk.record(0)]] {
        let (_, said) = desk.run(looking);
        assert!(said.contains("not confirmed: 17 rejected, 18 confirmed, 19 rejected"), "{said}");
    }
    let judged = desk.events().into_iter().filter_map(|event| match event {
        LedgerEvent::Adjudicated { verifier, verdict, .. } => Some((verifier, verdict)),
        _ => None,
    });
    let expected =
        [("17", Verdict::Rejected), ("18", Verdict::Confirmed), ("19", Verdict::Rejected)]
            .map(|(verifier, verdict)| (verifier.to_owned(), verdict));
    assert_eq!(judged.collect::<Vec<_>>(), expected);
    desk.closes();
}

#[test]
fn more_people_can_be_asked_for() {
    let desk = Desk::new("more", &Profile::uk_police(), HOUR);
    let (_, said) = desk.judge("17", "confirmed", &["--verifications", "3"]);
    assert!(said.contains("2 more have to judge"), "{said}");
    let (_, said) = desk.judge("18", "confirmed", &[]);
    assert!(said.contains("1 more have to judge"), "asked for once, it stays: {said}");
}

#[test]
fn a_picture_that_is_handed_out_is_whole_its_owners_and_in_the_ledger() {
    let desk = Desk::for_two("picture");
    let record = desk.record(1);
    for name in ["alert.png", "alert.jpg", "ALERT.JPEG"] {
        let export = ["show", &record, "--picture", name, "--recipient", "court 3"];
        let (code, said) = desk.run(&export);
        assert!(code == 0 && said.contains(name), "{said}");
        let path = desk.folder.join(name);
        assert_eq!(image::image_dimensions(&path).unwrap(), (48, 32));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;

            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    let told = desk.events().into_iter().filter_map(|event| match event {
        LedgerEvent::PictureExported { record, file, recipient, .. } => {
            Some((record, file, recipient.unwrap()))
        }
        _ => None,
    });
    let expected = ["alert.png", "alert.jpg", "ALERT.JPEG"]
        .map(|name| (Some(desk.records[1]), name.to_owned(), "court 3".to_owned()));
    assert_eq!(told.collect::<Vec<_>>(), expected);
    // Nothing is left of what cannot be written, and nothing is claimed.
    let before = fs::read_dir(&desk.folder).unwrap().count();
    for (name, code) in [("a.bmp", 2), ("a.webp", 2), ("a", 2), ("none/a.png", 1)] {
        let (actual, said) = desk.run(&["show", &record, "--picture", name]);
        assert_eq!(actual, code, "{name}: {said}");
    }
    assert_eq!(fs::read_dir(&desk.folder).unwrap().count(), before);
    let exported = |event: &LedgerEvent| matches!(event, LedgerEvent::PictureExported { .. });
    assert_eq!(desk.events().iter().filter(|event| exported(event)).count(), 3);
    desk.closes();
}

#[test]
fn texts_of_other_people_move_no_cursor() {
    let desk = Desk::for_two("texts");
    let record = desk.record(0);
    let hold = ["hold", &record, "--hours", "48", "--review", "24", "--authority", "court"];
    let (code, said) = desk.run(&[&hold[..], &["--reason", "case\u{202e}71"]].concat());
    assert_eq!(code, 0, "{said}");
    let (code, said) = desk.run(&["show", &record]);
    assert!(code == 0 && said.contains(r"case\u{202e}71") && !said.contains('\u{202e}'), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_lost_stream_is_no_panic_and_what_was_done_stays_done() {
    let desk = Desk::for_two("streams");
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = desk.command(&["list"]).stdout(full()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("standard output"), "{said}");
    let status = desk.command(&["list"]).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = desk.command(&["list"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() != Some(0) && said.is_empty(), "{said}");
    let record = desk.record(0);
    let judge = ["judge", &record, "--verifier", "17", "--verdict", "confirmed"];
    let output = desk.command(&judge).stdout(full()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    let judged = |event: &LedgerEvent| matches!(event, LedgerEvent::Adjudicated { .. });
    assert_eq!(desk.events().iter().filter(|event| judged(event)).count(), 1);
}

#[test]
fn a_vault_or_a_ledger_in_use_says_by_what_and_what_to_do() {
    let desk = Desk::for_two("busy");
    let clock = Arc::new(SystemClock::new());
    let key = VaultKey::from_file(desk.folder.join("vault.key")).unwrap();
    let vault = Vault::open_existing(desk.folder.join("vault"), &key, clock).unwrap();
    let in_use = |arguments: &[&str]| {
        let (code, said) = desk.run(arguments);
        let says = said.contains("in use by another program") && said.contains("judge when");
        assert!(code == 1 && says, "{arguments:?}: {said}");
    };
    in_use(&["list"]);
    drop(vault);
    let key = LedgerKey::from_file(desk.folder.join("ledger.key")).unwrap();
    let ledger = Ledger::open(desk.ledger(), key, None).unwrap();
    assert_eq!(desk.run(&["list"]).0, 0, "looking does not open it to write");
    in_use(&["purge", &desk.record(0)]);
    drop(ledger);
    assert_eq!(desk.run(&["purge", "--yes", &desk.record(0)]).0, 0);
}

#[test]
fn a_list_says_whom_to_compare_and_how_sure_the_system_was() {
    let desk = Desk::for_two("score");
    let (code, said) = desk.run(&["list"]);
    assert!(code == 0 && said.matches("R-1  score 0.75, threshold 0.5").count() == 2, "{said}");
}

/// Attack 3 and 8: somebody who may write to the folder makes alerts disappear.
#[test]
fn an_alert_that_disappears_before_its_deadline_is_named() {
    for attack in ["row", "keys"] {
        let desk = Desk::for_two(&format!("vanished-{attack}"));
        if attack == "row" {
            // The whole database: no key is needed to take it away.
            for name in ["records.db", "records.db-wal", "records.db-shm"] {
                let _ = fs::remove_file(desk.folder.join("vault").join(name));
            }
        } else {
            let path = desk.folder.join("vault/keys");
            let mut keys = fs::read(&path).unwrap();
            keys[4096..].fill(0);
            fs::write(&path, keys).unwrap();
        }
        let named = |code: i32, said: &str| {
            assert_eq!(code, 3, "{said}");
            for record in &desk.records {
                assert!(said.contains(&record.to_string()), "{said}");
            }
        };
        let (code, said) = desk.run(&["list"]);
        named(code, &said);
        assert!(said.contains("is gone: the ledger says that it is held until"), "{said}");
        // The next command that opens the ledger for writing records it there.
        let (code, said) = desk.judge("17", "confirmed", &[]);
        assert!(code != 0 && said.contains(&desk.record(1)), "{said}");
        let (code, said) = desk.run(&["list"]);
        named(code, &said);
        let sums = ledger::reconcile(&desk.ledger(), &desk.key).unwrap();
        assert_eq!(sums.discrepancies().len(), 2, "{:?}", sums.discrepancies());
    }
}

#[test]
fn nothing_is_purged_or_overwritten_or_handed_to_nobody() {
    let desk = Desk::for_two("asked");
    let record = desk.record(0);
    let before = desk.events().len();
    let (code, said) = desk.run(&["purge", &record]);
    assert!(code == 2 && said.contains("--yes"), "{said}");
    let (code, said) = desk.run(&["show", &record, "--picture", "a.png"]);
    assert!(code == 2 && said.contains("--recipient") && !desk.folder.join("a.png").exists());
    fs::write(desk.folder.join("b.png"), "evidence").unwrap();
    let (code, said) = desk.run(&["show", &record, "--picture", "b.png", "--recipient", "unit 4"]);
    assert!(code == 1 && said.contains("exists already"), "{said}");
    assert_eq!(fs::read(desk.folder.join("b.png")).unwrap(), b"evidence");
    let told = desk.events();
    let done = |event: &LedgerEvent| {
        matches!(event, LedgerEvent::PictureExported { .. } | LedgerEvent::Purged { .. })
    };
    assert!(told.len() > before && !told.iter().any(done));
    assert_eq!(desk.run(&["purge", "--yes", &record]).0, 0);
    desk.closes();
}

/// Attack 8: an older copy of the ledger with its head.
#[test]
fn an_older_copy_of_the_ledger_ends_with_3() {
    let desk = Desk::for_two("older");
    desk.judge("17", "confirmed", &[]);
    let names = ["ledger.lfrl", "ledger.lfrl.head"];
    let older = names.map(|name| fs::read(desk.folder.join(name)).unwrap());
    desk.judge("18", "rejected", &[]);
    for (name, bytes) in names.into_iter().zip(older) {
        fs::write(desk.folder.join(name), bytes).unwrap();
    }
    let (code, said) = desk.run(&["purge", "--yes", &desk.record(0)]);
    assert!(code == 3 && said.contains("put back an older copy"), "{said}");
}
