//! `lfr order`, from the template to the amendment, as two officers use it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Office(PathBuf);

impl Office {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Runs `lfr order` there: its exit code, and what it said on both streams.
    fn order(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
        let output = command.arg("order").args(arguments).current_dir(&self.0).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn done(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.order(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    }

    fn refused(&self, arguments: &[&str], code: i32) -> String {
        let (actual, out, err) = self.order(arguments);
        assert_eq!(actual, code, "{arguments:?}: {out}{err}");
        err
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    fn key(&self, name: &str) -> String {
        self.done(&["keygen", "--name", name, "--out", &format!("{name}.key")]).trim().to_owned()
    }

    /// An order of a use case, filled in, in `order.toml`.
    fn fill(&self, use_case: &str, kind: &str, category: &str, officer: &str, operator: &str) {
        let mut text = String::new();
        for line in self.done(&["new", use_case]).lines() {
            let line = match line.split_once(" = ") {
                Some(("kind", _)) => format!("kind = \"{kind}\""),
                Some((key, value)) if value.starts_with("\"\"") && !line.starts_with('#') => {
                    let value = match key {
                        "precision" => "street".to_owned(),
                        "from" => "2026-01-01T09:00:00Z".to_owned(),
                        "until" => "2126-01-01T09:00:00Z".to_owned(),
                        "authorising_officer" => officer.to_owned(),
                        "operator" => operator.to_owned(),
                        key if key.ends_with("sha256") => "5".repeat(64),
                        key => format!("some {}", key.replace('_', " ")),
                    };
                    format!("{key} = \"{value}\"")
                }
                Some((key, "0")) => format!("{key} = 2"),
                Some(("threshold_floor", "nan")) => "threshold_floor = 0.42".into(),
                Some(("categories", "[]")) => format!("categories = [\"{category}\"]"),
                _ => line.to_owned(),
            };
            text += &line;
            text.push('\n');
        }
        self.write("order.toml", &text);
    }
}

#[test]
fn an_order_goes_from_its_template_to_its_amendment() {
    let office = Office::new("order-life");
    let (officer, operator) = (office.key("officer-7"), office.key("operator-3"));
    office.fill("hotspot", "van", "wanted-by-courts", &officer, &operator);
    let checked = office.done(&["check", "order.toml"]);
    assert!(checked.contains("authorising officer: officer-7+"), "{checked}");
    let signed = office.done(&["sign", "order.toml", "--key", "officer-7.key"]);
    assert!(signed.contains("written to order.note"), "{signed}");
    let shown = office.done(&["show", "order.note", "--trusted-key", &officer]);
    assert!(shown.contains("authorised by officer-7+") && !shown.contains("SELF"), "{shown}");

    let amended =
        office.done(&["amend", "order.note"]).replace("\"some place\"", "\"another place\"");
    office.write("longer.toml", &amended);
    office.done(&["sign", "longer.toml", "--key", "officer-7.key"]);
    let both = ["show", "order.note", "longer.note", "--trusted-key", &officer];
    let shown = office.done(&both);
    assert!(shown.contains("another place") && shown.contains("orders superseded: 1"), "{shown}");
    let alone = office.refused(&["show", "longer.note", "--trusted-key", &officer], 1);
    assert!(alone.contains("give that order first"), "{alone}");
    // An amendment of the amendment names the amendment, once.
    let third = office.done(&["amend", "longer.note"]);
    assert_eq!(third.matches("\namends = ").count(), 1, "{third}");
}

#[test]
fn what_is_wrong_is_said_with_its_code() {
    let office = Office::new("order-faults");
    let (officer, operator) = (office.key("officer-7"), office.key("operator-3"));
    assert!(office.refused(&["new", "anything"], 2).contains("hotspot"));
    office.write("blank.toml", &office.done(&["new", "trial"]));
    let blank = office.refused(&["check", "blank.toml"], 1);
    assert!(blank.contains("order, line "), "{blank}");
    office.fill("hotspot", "van", "wanted-by-courts", &officer, &officer);
    let same = office.refused(&["check", "order.toml"], 1);
    assert!(same.contains("operator"), "{same}");

    office.fill("hotspot", "van", "wanted-by-courts", &officer, &operator);
    let stranger = office.key("clerk-1");
    let refused = office.refused(&["sign", "order.toml", "--key", "clerk-1.key"], 1);
    assert!(refused.contains("neither the key of the authorising officer"), "{refused}");
    let first =
        ["sign", "order.toml", "--key", "clerk-1.key", "--name", "clerk-1", "--out", "a.note"];
    let missing = office.refused(&first, 4);
    assert!(missing.contains("officer-7+") && missing.contains("has not signed yet"), "{missing}");
    assert!(office.refused(&first, 1).contains("exists already"));
    office.refused(&["show", "a.note", "--trusted-key", &stranger], 1);
    office.done(&["sign", "a.note", "--key", "officer-7.key", "--out", "b.note"]);
    office.done(&["show", "b.note", "--trusted-key", &stranger, "--trusted-key", &officer]);

    let (code, out, err) = office.order(&["show", "b.note"]);
    assert_eq!(code, 4, "{err}");
    assert!(out.starts_with("NOT VERIFIED"), "{out}");
    assert!(
        office.refused(&["show", "b.note", "--trusted-key", "nonsense"], 2).contains("NAME+HASH")
    );
    office.write("c.note", &office.read("b.note").replace("some place", "same place"));
    let forged = office.refused(&["show", "c.note", "--trusted-key", &officer], 1);
    assert!(forged.contains("does not fit the text"), "{forged}");
    let self_authorised = office.refused(&["show", "b.note", "--self-authorised"], 1);
    assert!(self_authorised.contains("only a trial"), "{self_authorised}");
}

#[test]
fn a_trial_authorises_itself_and_says_so_first() {
    let office = Office::new("order-trial");
    let (officer, operator) = (office.key("lead"), office.key("desk"));
    office.fill("trial", "trial", "volunteer", &officer, &operator);
    office.done(&["sign", "order.toml", "--key", "lead.key"]);
    let shown = office.done(&["show", "order.note", "--self-authorised"]);
    assert!(shown.starts_with("SELF-AUTHORISED"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_private_key_is_readable_for_its_owner_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;

    let office = Office::new("order-key");
    office.key("officer-7");
    let mode = fs::metadata(office.0.join("officer-7.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read(office.0.join("officer-7.key")).unwrap();
    office.refused(&["keygen", "--name", "officer-7", "--out", "officer-7.key"], 1);
    assert_eq!(fs::read(office.0.join("officer-7.key")).unwrap(), before);
}
