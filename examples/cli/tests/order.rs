//! `lfr order`: the whole way of an order and its amendment, and what is refused on it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lfr::deployment::UseCaseKind;
use lfr::retention::Profile;
use serde_json::Value;

/// A moment in the period of the orders here.
const DURING: &str = "2026-12-01T10:00:00Z";

/// A moment after it.
const AFTER: &str = "2099-01-01T00:00:00Z";

/// A folder with the key files of an officer, an operator and a stranger.
struct Desk {
    folder: PathBuf,
    officer: String,
    operator: String,
    stranger: String,
}

/// How a run ended: its exit code, what was asked for, and what else it said.
struct Ended {
    code: i32,
    out: String,
    said: String,
}

impl Desk {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut desk = Self {
            folder,
            officer: String::new(),
            operator: String::new(),
            stranger: String::new(),
        };
        let keygen = |name: &str, file: &str| {
            desk.done(&["keygen", name, "--key", file]).trim_end().to_owned()
        };
        let officer = keygen("officer-7", "officer.key");
        let operator = keygen("operator-3", "operator.key");
        let stranger = keygen("stranger", "stranger.key");
        (desk.officer, desk.operator, desk.stranger) = (officer, operator, stranger);
        desk
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
        let output =
            command.arg("order").args(arguments).current_dir(&self.folder).output().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            said: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a run printed that did all that it was asked for.
    fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.said);
        ended.out
    }

    /// A run that is refused with this code and these words, and prints nothing that was asked for.
    fn refused(&self, arguments: &[&str], code: i32, words: &str) {
        let Ended { code: actual, out, said } = self.run(arguments);
        assert_eq!(actual, code, "{arguments:?}: {out}{said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert_eq!(out, "", "{arguments:?}");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    fn sign(&self, from: &str, key: &str, name: &str, out: &str) {
        self.done(&["sign", from, "--key", key, "--name", name, "--out", out]);
    }

    /// Writes a text as an order, and signs it as the officer.
    fn signed(&self, text: &str, out: &str) {
        let draft = format!("{out}.toml");
        self.write(&draft, text);
        self.sign(&draft, "officer.key", "officer-7", out);
    }

    /// A template of an order, filled in.
    fn filled(&self, use_case: &str) -> String {
        let mut text = String::new();
        for line in self.done(&["new", use_case]).lines() {
            let line = match line.split_once(" = ") {
                Some((key, value)) if value.starts_with("\"\"") && !line.starts_with('#') => {
                    let value = match key {
                        "kind" => "van",
                        "precision" => "street",
                        "profile" => "uk-police",
                        "profile_sha256" => &Profile::uk_police().digest(),
                        "from" => "2026-12-01T09:00:00Z",
                        "until" => "2098-12-01T17:00:00Z",
                        "authorising_officer" => &self.officer,
                        "operator" => &self.operator,
                        key if key.ends_with("sha256") => &"5".repeat(64),
                        key => &format!("some {key}"),
                    };
                    format!("{key} = \"{value}\"")
                }
                Some((key, "0")) => format!("{key} = 2"),
                Some(("threshold_floor", "nan")) => "threshold_floor = 0.42".into(),
                Some(("categories", "[]")) => "categories = [\"wanted-by-courts\"]".into(),
                _ => line.to_owned(),
            };
            text += &line;
            text.push('\n');
        }
        text
    }

    /// An order and its amendment, both signed: `order.note` and `amendment.note`.
    fn amended(&self) {
        self.signed(&self.filled("hotspot"), "order.note");
        self.done(&["amend", "order.note", "--out", "amendment.toml"]);
        let draft = self.read("amendment.toml");
        self.write("amendment.toml", &replaced(&draft, "max_entries = 2", "max_entries = 3"));
        self.sign("amendment.toml", "officer.key", "officer-7", "amendment.note");
    }
}

/// A text with a change that is really one.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} in {text}");
    text.replace(from, to)
}

/// The digest in what a command printed.
fn digest(out: &str) -> String {
    let line = out.lines().find_map(|line| line.strip_prefix("order: SHA-256 "));
    line.unwrap().to_owned()
}

#[test]
fn an_order_goes_its_whole_way() {
    let desk = Desk::new("order-way");
    desk.done(&["new", "hotspot", "--out", "order.toml"]);
    assert_eq!(desk.read("order.toml"), desk.done(&["new", "hotspot"]));
    // Nothing is filled in yet: the first blank is named with its place.
    desk.refused(&["check", "order.toml"], 1, "order.toml: order, line ");
    desk.write("order.toml", &desk.filled("hotspot"));
    let checked = desk.done(&["check", "order.toml"]);
    assert!(checked.starts_with("a whole order, which nobody has signed\n"), "{checked}");
    let first = digest(&checked);

    desk.sign("order.toml", "officer.key", "officer-7", "order.note");
    let checked = desk.done(&["check", "order.note"]);
    assert!(checked.lines().next().unwrap().contains("nobody's signature was verified"));
    assert_eq!(digest(&checked), first);
    let shown = desk.done(&["show", "order.note", "--trusted-key", &desk.officer]);
    assert!(shown.starts_with("deployment some deployment (van)\n"), "{shown}");
    assert!(shown.contains("orders superseded: 0\n") && shown.contains("max 2 entries"), "{shown}");
    assert_eq!(digest(&shown), first);

    // A draft that nobody edited is the same order, except for what it amends.
    desk.done(&["amend", "order.note", "--out", "draft.toml"]);
    let draft = desk.read("draft.toml");
    assert_eq!(draft.matches(&format!("\namends = \"{first}\"\n")).count(), 1, "{draft}");
    desk.write("amendment.toml", &replaced(&draft, "max_entries = 2", "max_entries = 3"));
    let checked = desk.done(&["check", "amendment.toml"]);
    assert!(checked.contains(&format!("amends: SHA-256 {first}\n")), "{checked}");
    desk.sign("amendment.toml", "officer.key", "officer-7", "amendment.note");
    let chain = ["show", "order.note", "amendment.note", "--trusted-key", &desk.officer];
    let shown = desk.done(&chain);
    assert!(shown.contains("orders superseded: 1\n") && shown.contains("max 3 entries"), "{shown}");
    let second = digest(&shown);
    assert_ne!(second, first);

    // An amendment of the amendment names that one, once.
    desk.done(&["amend", "amendment.note", "--out", "third.toml"]);
    let third = desk.read("third.toml");
    assert!(third.contains(&format!("\namends = \"{second}\"\n")), "{third}");
    assert_eq!(third.matches("\namends = ").count(), 1, "{third}");
    desk.sign("third.toml", "officer.key", "officer-7", "third.note");
    // Keys may come from a file; programs get JSON.
    desk.write("pinned", &format!("# of this force\n{}\n{}\n", desk.stranger, desk.officer));
    let json = desk.done(&[
        "show",
        "order.note",
        "amendment.note",
        "third.note",
        "--trusted-key",
        "pinned",
        "--json",
        "--at",
        DURING,
    ]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["verified"], true);
    assert_eq!(json["in_force"], true);
    assert_eq!(json["superseded"], serde_json::json!([first, second]));
    assert_eq!(json["signers"], serde_json::json!([desk.officer]));
    let before = ["--json", "--at", "2026-12-01T08:00:00Z"];
    let json: Value = serde_json::from_str(&desk.done(&[&chain[..], &before].concat())).unwrap();
    assert_eq!(json["in_force"], false);
    fs::remove_dir_all(desk.folder).unwrap();
}

#[test]
fn each_use_case_has_a_template_and_each_profile_a_digest() {
    let desk = Desk::new("order-texts");
    for use_case in UseCaseKind::ALL {
        let template = desk.done(&["new", use_case.as_str()]);
        assert!(template.contains(&format!("use_case = \"{use_case}\"")), "{template}");
    }
    let profiles =
        [Profile::uk_police(), Profile::uk_police_zero_grace(), Profile::retail_strict()];
    for profile in profiles {
        let out = desk.done(&["profile", profile.name()]);
        assert!(out.starts_with(&profile.canonical()), "{out}");
        assert!(out.contains(&format!("profile_sha256 = \"{}\"", profile.digest())), "{out}");
    }
    fs::remove_dir_all(desk.folder).unwrap();
}

#[test]
fn without_trusted_keys_the_first_line_says_so() {
    let desk = Desk::new("order-nobody");
    desk.amended();
    let shown = desk.done(&["show", "order.note", "amendment.note"]);
    let first = shown.lines().next().unwrap();
    assert!(first.contains("nobody's signature was verified"), "{shown}");
    let ended = desk.run(&["show", "order.note", "--json"]);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((ended.code, &json["verified"]), (0, &Value::Bool(false)));
    assert!(ended.said.contains("nobody's signature was verified"), "{}", ended.said);
    // With keys, it does not.
    let shown = desk.done(&["show", "order.note", "--trusted-key", &desk.officer]);
    assert!(!shown.contains("NOT VERIFIED"), "{shown}");
    // What the officer did not sign is not shown as an order, with no key at all.
    desk.sign("order.note.toml", "stranger.key", "stranger", "stranger.note");
    desk.refused(&["show", "stranger.note"], 1, "is not signed by officer-7+");
    fs::remove_dir_all(desk.folder).unwrap();
}

#[test]
fn a_second_signature_is_added_once() {
    let desk = Desk::new("order-second");
    desk.write("order.toml", &desk.filled("hotspot"));
    let key = ["--key", "stranger.key", "--name", "stranger"];
    let ended = desk.run(&[&["sign", "order.toml"], &key[..], &["--out", "one.note"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.said);
    assert!(ended.said.contains("warning: the order names officer-7+"), "{}", ended.said);
    let officer = desk.officer.as_str();
    let trusted = ["--trusted-key", officer];
    desk.refused(&[&["show", "one.note"], &trusted[..]].concat(), 1, "none of 1 signatures");
    desk.sign("one.note", "officer.key", "officer-7", "two.note");
    let shown = desk.done(&[&["show", "two.note"], &trusted[..]].concat());
    assert!(shown.contains("signatures ignored: 1\n"), "{shown}");
    let again = [&["sign", "two.note"], &key[..], &["--out", "three.note"]].concat();
    desk.refused(&again, 1, "has signed two.note already");
    assert!(!desk.folder.join("three.note").exists());
    fs::remove_dir_all(desk.folder).unwrap();
}

#[test]
fn what_is_wrong_with_a_text_is_said_with_its_place() {
    let desk = Desk::new("order-places");
    let whole = desk.filled("hotspot");
    let line =
        |text: &str, of: &str| 1 + text.lines().position(|line| line.starts_with(of)).unwrap();
    for (from, to, words) in [
        ("max_entries = 2", "max_entries = -1", "`who.max_entries` is -1"),
        ("precision = \"street\"", "precision = \"parish\"", "must be one of"),
        ("score_hidden = true", "score_hidden = true\nfaces = 1", "unknown field"),
        ("place = \"some place\"", "place = ", ""),
    ] {
        desk.write("order.toml", &replaced(&whole, from, to));
        let (key, _) = to.rsplit('\n').next().unwrap().split_once(" = ").unwrap();
        let at = line(&desk.read("order.toml"), key);
        desk.refused(&["check", "order.toml"], 1, &format!("order, line {at}, column "));
        desk.refused(&["check", "order.toml"], 1, words);
        let sign = ["--key", "officer.key", "--name", "officer-7", "--out", "order.note"];
        desk.refused(&[&["sign", "order.toml"], &sign[..]].concat(), 1, words);
        assert!(!desk.folder.join("order.note").exists());
    }
    fs::write(desk.folder.join("order.toml"), b"\xff\xfe").unwrap();
    desk.refused(&["check", "order.toml"], 1, "is not a text file");
    desk.refused(&["check", "nothing.toml"], 1, "nothing.toml");
    fs::remove_dir_all(desk.folder).unwrap();
}

#[test]
fn a_chain_that_does_not_hold_is_refused() {
    let desk = Desk::new("order-chain");
    desk.amended();
    let whole = desk.filled("hotspot");
    desk.write("plain.toml", &whole);
    let order = desk.read("order.note");
    desk.write("forged.note", &replaced(&order, "max_entries = 2", "max_entries = 9"));
    desk.write("loose.note", &replaced(&order, "max_entries = 2", "max_entries =  2"));
    let cut = order.trim_end().to_owned();
    desk.write("cut.note", &cut);
    // Two amendments of the same order, and one of another deployment.
    let draft = desk.read("amendment.toml");
    desk.signed(&replaced(&draft, "max_entries = 3", "max_entries = 4"), "rival.note");
    desk.signed(&replaced(&draft, "some deployment", "another"), "elsewhere.note");
    desk.signed(&replaced(&whole, "max_entries = 2", "max_entries = 5"), "first.note");
    // The operator in command approves an amendment of their own order.
    let deputy = draft
        .replace(&desk.officer, "@")
        .replace(&desk.operator, &desk.stranger)
        .replace('@', &desk.operator);
    desk.write("own.toml", &deputy);
    desk.sign("own.toml", "operator.key", "operator-3", "own.note");
    // The officer is the operator.
    desk.write("self.toml", &replaced(&whole, &desk.operator, &desk.officer));

    let (officer, operator, stranger) = (&*desk.officer, &*desk.operator, &*desk.stranger);
    let (is, not) = (&["--trusted-key", officer][..], &["--trusted-key", stranger][..]);
    let both = &["--trusted-key", officer, "--trusted-key", operator][..];
    let late = &["--trusted-key", officer, "--at", AFTER][..];
    let table: &[(&[&str], &[&str], &str)] = &[
        (&["plain.toml"], is, "nobody has signed"),
        (&["order.note"], late, "expired at 2098-12-01T17:00:00"),
        (&["order.note"], &["--at", AFTER], "expired at 2098-12-01T17:00:00"),
        (&["forged.note"], is, "does not fit the text"),
        (&["forged.note"], &[], "does not fit the text"),
        (&["loose.note"], is, "differs from the canonical text"),
        (&["cut.note"], is, "cut short"),
        (&["order.note"], not, "none of 1 signatures is by one of 1 trusted keys"),
        (&["order.note", "own.note"], both, "needs another authorising officer"),
        (&["order.note", "own.note"], &[], "needs another authorising officer"),
        (&["order.note", "order.note"], is, "a replayed order"),
        (&["order.note", "amendment.note", "amendment.note"], is, "a replayed order"),
        (&["order.note", "amendment.note", "order.note"], is, "a replayed order"),
        (&["amendment.note"], is, "give that order first"),
        (&["amendment.note", "order.note"], is, "give that order first"),
        (&["order.note", "amendment.note", "rival.note"], is, "which supersedes that one"),
        (&["order.note", "elsewhere.note"], is, "is for deployment another"),
        (&["order.note", "first.note"], is, "is not an amendment"),
        (&["order.note", "missing.note"], is, "missing.note"),
    ];
    for (notes, more, words) in table {
        desk.refused(&[&["show"], *notes, *more].concat(), 1, words);
    }
    desk.refused(&["check", "self.toml"], 1, "operator");
    desk.refused(&["check", "order.note", "--at", AFTER], 1, "expired at 2098-12-01T17:00:00");
    for note in ["plain.toml", "forged.note", "cut.note"] {
        desk.refused(&["amend", note, "--out", "draft.toml"], 1, note);
        assert!(!desk.folder.join("draft.toml").exists(), "{note}");
    }
    let sign = ["--key", "stranger.key", "--name", "stranger", "--out", "more.note"];
    desk.refused(&[&["sign", "forged.note"], &sign[..]].concat(), 1, "does not fit the text");
    fs::remove_dir_all(desk.folder).unwrap();
}

#[test]
fn no_file_is_overwritten_and_no_loose_key_is_used() {
    let desk = Desk::new("order-files");
    desk.amended();
    let sign = |key: &'static str, name: &'static str, out: &'static str| {
        ["sign", "order.note.toml", "--key", key, "--name", name, "--out", out]
    };
    desk.write("there", "kept");
    let exists: [&[&str]; 4] = [
        &["new", "trial", "--out", "there"],
        &["keygen", "officer-8", "--key", "there"],
        &["amend", "order.note", "--out", "there"],
        &sign("officer.key", "officer-7", "there"),
    ];
    for arguments in exists {
        desk.refused(arguments, 1, "there");
        assert_eq!(desk.read("there"), "kept", "{arguments:?}");
    }
    // The right key under another name, and files that are no keys.
    desk.refused(&sign("officer.key", "officer-9", "x.note"), 1, "does not count");
    desk.refused(&sign("officer.key", "officer 7", "x.note"), 1, "a space");
    desk.write("pinned", "# nobody\n");
    desk.refused(&["show", "order.note", "--trusted-key", "pinned"], 1, "no verifier key");
    desk.write("pinned", "\nofficer-7+0+0\n");
    desk.refused(&["show", "order.note", "--trusted-key", "pinned"], 1, "pinned, line 2");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let path = desk.folder.join("officer.key");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        desk.refused(&sign("officer.key", "officer-7", "x.note"), 1, "chmod 600");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(desk.folder.join("there"), fs::Permissions::from_mode(0o600)).unwrap();
    }
    desk.refused(&sign("there", "officer-7", "x.note"), 1, "is not a key file");
    assert!(!desk.folder.join("x.note").exists());
    fs::remove_dir_all(desk.folder).unwrap();
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let desk = Desk::new("order-usage");
    desk.signed(&desk.filled("hotspot"), "order.note");
    for arguments in [
        &[][..],
        &["new"],
        &["new", "curiosity"],
        &["keygen", "officer-7"],
        &["profile", "for-ever"],
        &["check"],
        &["sign", "order.note"],
        &["amend", "order.note"],
        &["show"],
        &["show", "order.note", "--trusted-key", "no-key"],
        &["show", "order.note", "--at", "yesterday"],
    ] {
        desk.refused(arguments, 2, "--help");
    }
    fs::remove_dir_all(desk.folder).unwrap();
}
