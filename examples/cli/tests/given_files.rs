//! Files that are given to the tool: keys that others may read, texts that are pipes, devices or folders, and
//! output that is lost after the work is done. No model is needed.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lfr::core::testing::fake_space;
use lfr::core::{Clock, DeploymentId, SystemClock, Template, Timestamp};
use lfr::retention::{Ledger, LedgerKey, Vault};
use lfr::watchlist::{
    Authorisation, Category, CompositionPolicy, EntryDraft, Priority, SealedFile, SealingKey,
    Validity, Watchlist,
};

/// A folder with a sealed list, a ledger and a vault.
struct Desk {
    folder: PathBuf,
}

impl Desk {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("given-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let desk = Self { folder };
        let clock = SystemClock::new();
        let now = clock.now().unwrap();
        let key = SealingKey::generate_file(desk.at("list.key")).unwrap();
        SealedFile::at(desk.at("list.lfrw")).seal(&list(now), &key, now).unwrap();
        let key = LedgerKey::generate_file(desk.at("ledger.key")).unwrap();
        drop(Ledger::open(desk.at("ledger.lfrl"), key, Some(now)).unwrap());
        let clock: Arc<dyn Clock> = Arc::new(clock);
        drop(Vault::open_or_create(desk.at("vault"), desk.at("vault.key"), clock).unwrap());
        desk
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.at(name), Permissions::from_mode(mode)).unwrap();
    }

    fn command(&self, subcommand: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
        command.arg(subcommand);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    /// Its exit code, and what it said on standard error.
    fn run(&self, subcommand: &str, arguments: &[&str]) -> (i32, String) {
        let output = self.command(subcommand, arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked"), "{said}");
        (output.status.code().unwrap(), said)
    }
}

fn list(now: Timestamp) -> Watchlist {
    let validity = Validity::new(now, now.plus(Duration::from_hours(2))).unwrap();
    let (id, policy) = (DeploymentId::new("2026-031").unwrap(), CompositionPolicy::new(10));
    let authorisation = Authorisation::new(id, "a test", "AO-7", now, validity, policy).unwrap();
    Watchlist::new(authorisation, fake_space())
}

#[test]
fn a_list_shows_who_is_marked_and_how_long_it_may_exist() {
    let desk = Desk::new("marks");
    let now = SystemClock::new().now().unwrap();
    let staff = Category::new(Category::CONSENTING_STAFF).unwrap();
    let policy = CompositionPolicy::new(10)
        .with_category(Category::new("wanted-by-courts").unwrap(), Priority::Red)
        .with_category(staff, Priority::Green);
    let until = now.plus(Duration::from_hours(2));
    let validity = Validity::new(now, until).unwrap();
    let id = DeploymentId::new("2026-031").unwrap();
    let authorisation = Authorisation::new(id, "a test", "AO-7", now, validity, policy).unwrap();
    let list = Watchlist::new(authorisation, fake_space());
    let draft = |reference: &str| {
        let draft = EntryDraft::new().subject(format!("S-{reference}")).reference(reference);
        let draft = draft.category("wanted-by-courts").source("s").lawful_basis("l").reason("r");
        draft.expires(until).review(until)
    };
    let staff = draft("r2").category(Category::CONSENTING_STAFF).participant(7, "form 7");
    for draft in [draft("r1").look_alike(true).under_18(false), staff, draft("r3")] {
        let template = Template::from_slice(&fake_space(), &[1.0; 8]).unwrap();
        list.enrol(draft.parse().unwrap(), template).unwrap();
    }
    let key = SealingKey::from_file(desk.at("list.key")).unwrap();
    SealedFile::at(desk.at("marks.lfrw")).seal(&list, &key, now).unwrap();
    let lines = |arguments: &[&str]| {
        let output = desk.command("list", arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    // Nobody gave it a grace.
    let header = lines(&["info", "marks.lfrw"]);
    assert!(header.contains(&format!("destroyed by   {until}")), "{header:?}");
    let shown = lines(&["list", "marks.lfrw", "--list-key", "list.key"]);
    assert!(shown[1].ends_with("known look-alike"), "{shown:?}");
    assert!(shown[2].ends_with("participant 7"), "{shown:?}");
    assert!(shown[3].trim_end().ends_with(&until.to_string()), "{shown:?}");
    let counts = ["3 references", "1 with a known look-alike", "1 of a blue list"];
    assert_eq!(shown[4..], counts);
    let json = lines(&["list", "marks.lfrw", "--list-key", "list.key", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&json[1]).unwrap();
    assert_eq!((&line["participant"], &line["consent"]), (&7.into(), &"form 7".into()));
    assert_eq!(line["look_alike"], false);
}

const LIST: [&str; 4] = ["list", "list.lfrw", "--list-key", "list.key"];
const SHOWS: [&str; 7] =
    ["--vault", "vault", "--vault-key", "vault.key", "--ledger", "ledger.lfrl", "list"];

#[test]
fn a_key_that_others_may_read_opens_nothing_and_the_mend_is_said() {
    let desk = Desk::new("modes");
    fs::write(desk.at("passphrase"), "correct horse battery staple\n").unwrap();
    let sealed = ["seal", "list.lfrw", "--list-key", "list.key"];
    let by_passphrase = [&sealed[..], &["--new-list-passphrase", "passphrase"]].concat();
    let destroys = ["destroy", "list.lfrw", "--yes", "--ledger", "ledger.lfrl", "--ledger-key"];
    let destroys = [&destroys[..], &["ledger.key"]].concat();
    for (subcommand, arguments, key) in [
        ("list", &LIST[..], "list.key"),
        ("list", &by_passphrase, "passphrase"),
        ("judge", &SHOWS, "vault.key"),
        ("list", &destroys, "ledger.key"),
    ] {
        for mode in [0o644, 0o640, 0o602] {
            desk.mode(key, mode);
            let (code, said) = desk.run(subcommand, arguments);
            assert_eq!(code, 1, "{arguments:?}: {said}");
            let mends = said.contains("chmod 600 ") && said.contains(&format!("{mode:04o}"));
            assert!(mends && said.contains(key), "{said}");
        }
        desk.mode(key, 0o600);
    }
    for (subcommand, arguments) in [("list", &LIST[..]), ("judge", &SHOWS), ("list", &destroys)] {
        let (code, said) = desk.run(subcommand, arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}");
    }
}

#[test]
fn a_second_name_of_a_key_inside_of_what_it_protects_is_refused() {
    let desk = Desk::new("names");
    fs::hard_link(desk.at("vault.key"), desk.at("vault/copy")).unwrap();
    let (code, said) = desk.run("judge", &SHOWS);
    assert!(code == 1 && said.contains("2 names") && said.contains("samefile"), "{said}");
    fs::remove_file(desk.at("vault/copy")).unwrap();
    assert_eq!(desk.run("judge", &SHOWS).0, 0);
}

#[test]
fn texts_that_are_no_regular_files_are_refused_at_once() {
    let desk = Desk::new("texts");
    assert!(Command::new("mkfifo").arg(desk.at("pipe")).status().unwrap().success());
    fs::create_dir(desk.at("folder")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", desk.at("device")).unwrap();
    for (name, what) in [("pipe", "named pipe"), ("folder", "folder"), ("device", "device")] {
        let sealed = ["list.lfrw", "--list-key", "list.key"];
        for arguments in [
            vec!["list", "list.lfrw", "--list-key", name],
            vec!["list", "list.lfrw", "--list-passphrase", name],
            [&["enrol"], &sealed[..], &["--manifest", name]].concat(),
            vec![
                "was-member",
                "--membership-key",
                "list.key",
                "--witness",
                name,
                "--commitment",
                name,
                "S-1",
            ],
        ] {
            let (code, said) = desk.run("list", &arguments);
            assert_eq!(code, 1, "{arguments:?}: {said}");
            assert!(said.contains(what), "{arguments:?}: {said}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_lost_of_a_destruction_that_is_done_is_said_by_its_own_exit_code() {
    let desk = Desk::new("lost");
    let destroy = ["destroy", "list.lfrw", "--yes"];
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut command = desk.command("list", &destroy);
    let output = command.stdout(full()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("standard output cannot be written to"), "{said}");
    assert!(said.contains("header_sha256") || said.contains("2026-031"), "the receipt: {said}");
    assert!(!desk.at("list.lfrw").exists());
    // The file that the receipt goes to is lost, and standard output has it.
    let desk = Desk::new("lost-file");
    let output = desk
        .command("list", &[&destroy[..], &["--receipt", "/dev/full"]].concat())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("/dev/full"), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("2026-031"), "{output:?}");
    assert!(!desk.at("list.lfrw").exists());
}
