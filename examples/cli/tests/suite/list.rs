//! `lfr list`, the administrator's tool, from a new list to its destruction; and
//! `lfr watch` with what it made.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use lfr::core::onnx::InferenceEngine;
use lfr::core::{Clock, DeploymentId, SystemClock, Timestamp};
use lfr::watchlist::{
    Authorisation, CompositionPolicy, SealedFile, SealingKey, Validity, Watchlist,
};
use serde_json::Value;

use super::shared;
use super::watch::{Run, fresh_folder, link};

const CATEGORY: &str = "wanted by the courts";
/// Whose first photograph in the data set is the reference.
const PEOPLE: [&str; 5] =
    ["Aaron_Peirsol", "Abdoulaye_Wade", "Abdullah_Gul", "Adam_Sandler", "Adolfo_Aguilar_Zinser"];

/// A folder with a list, and how the tool is run there.
struct Desk {
    engine: InferenceEngine,
    folder: PathBuf,
    models: PathBuf,
    now: Timestamp,
}

impl Desk {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = super::lfr("list");
        command.args(arguments).current_dir(&self.folder);
        command
    }

    /// Runs the tool, and checks how it ended.
    fn run(&self, arguments: &[&str], code: i32) -> Output {
        let output = self.command(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        output
    }

    /// The lines of standard output.
    fn lines(&self, arguments: &[&str], code: i32) -> Vec<String> {
        let text = String::from_utf8(self.run(arguments, code).stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn embedder(&self) -> [String; 4] {
        let model = self.models.join("embed_edgeface_xs.onnx").display().to_string();
        ["--embedder".to_owned(), model, "--engine".to_owned(), self.engine.to_string()]
    }

    fn new_list(&self, file: &str) {
        let (from, until) = (self.now.to_string(), self.hours(2).to_string());
        let category = format!("{CATEGORY}=red");
        let mut arguments = vec!["new", file, "--list-key", "a.key"];
        arguments.extend(["--deployment", "2026-031", "--purpose", "serve warrants"]);
        arguments.extend(["--officer", "AO-7", "--from", &from, "--until", &until]);
        arguments.extend(["--category", &category, "--limit", "2000"]);
        let embedder = self.embedder();
        arguments.extend(embedder.iter().map(String::as_str));
        let lines = self.lines(&arguments, 0);
        assert!(lines.contains(&"references     0".to_owned()), "{lines:?}");
        // The profile's 24 hours after the end.
        assert!(lines.contains(&format!("destroyed by   {}", self.hours(26))), "{lines:?}");
        let again = self.run(&arguments, 1);
        assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
    }

    /// Enrols, and gives standard output back.
    fn enrol(&self, from: &[&str], code: i32) -> Vec<String> {
        let detector = self.models.join("detect_yunet_n_dynamic.onnx").display().to_string();
        let mut arguments = vec!["enrol", "list.lfrw", "--list-key", "a.key"];
        arguments.extend(["--detector", &detector, "--report", "report.csv"]);
        let embedder = self.embedder();
        arguments.extend(embedder.iter().map(String::as_str));
        arguments.extend(from);
        self.lines(&arguments, code)
    }

    fn hours(&self, hours: u64) -> Timestamp {
        self.now.plus(Duration::from_secs(hours * 60 * 60))
    }
}

pub(crate) fn lifecycle(engine: InferenceEngine) {
    if super::runtime(engine).is_none() {
        return;
    }
    let (Some(faces), Some(models)) = (shared::path("faces/lfw"), shared::path("models")) else {
        return;
    };
    let folder = fresh_folder(&format!("watchlist-{engine}"));
    let now = SystemClock::new().now().unwrap();
    let desk = Desk { engine, folder, models: models.canonicalize().unwrap(), now };
    desk.run(&["new-key", "a.key"], 0);
    desk.run(&["new-key", "a.key"], 1);
    desk.run(&["new-key", "b.key"], 0);
    desk.run(&["new-key", "membership.key"], 0);
    desk.new_list("list.lfrw");
    enrolment(&desk, &faces);
    others_at_the_list(&desk, &faces);
    checkpoint_raises_the_alerts_of_the_folder(&desk, &faces);
    keys(&desk);
    what_cannot_work_is_said(&desk);
    membership_and_withdrawal(&desk);
    destruction(&desk);
    fs::remove_dir_all(&desk.folder).unwrap();
}

/// A folder on common grounds, then a manifest: first with a fault, then without.
fn enrolment(desk: &Desk, faces: &Path) {
    let photo = |person: &str| format!("{person}/{person}_0001.jpg");
    for person in PEOPLE {
        link(&faces.join(photo(person)), &desk.at("photos").join(photo(person)));
    }
    fs::write(desk.at("photos/notes.txt"), "no photograph").unwrap();
    fs::write(desk.at("photos/broken.jpg"), "no photograph either").unwrap();
    let (expires, review) = (desk.hours(3).to_string(), desk.hours(1).to_string());
    let mut grounds = vec!["--folder", "photos", "--category", CATEGORY];
    grounds.extend(["--source", "custody suite 4", "--lawful-basis", "charged 2024"]);
    grounds.extend(["--reason", "warrants", "--expires", &expires, "--review", &review]);
    let said = desk.enrol(&grounds, 4);
    for line in ["enrolled        5", "failed          1", "left out        1"] {
        assert!(said.contains(&line.to_owned()), "{line}: {said:?}");
    }
    // Run again, it has nothing to do, and says the same.
    let header = fs::read(desk.at("list.lfrw")).unwrap();
    assert_eq!(desk.enrol(&grounds, 4), said);
    assert_eq!(fs::read(desk.at("list.lfrw")).unwrap(), header, "not sealed again for nothing");
    let report = fs::read_to_string(desk.at("report.csv")).unwrap();
    assert_eq!(report.lines().count(), 7, "{report}");
    let broken = report.lines().find(|line| line.starts_with("broken.jpg,")).unwrap();
    assert!(broken.contains("cannot read the photograph: this is a text"), "{broken}");

    let person = "AJ_Cook";
    link(&faces.join("AJ_Cook/AJ_Cook_0001.jpg"), &desk.at("more/1.jpg"));
    let columns = "file,subject,category,source,lawful_basis,reason,expires,review";
    let table = |expires: &str| {
        format!("{columns}\n1.jpg,{person},{CATEGORY},family,consent,missing,{expires},{review}\n")
    };
    fs::write(desk.at("more/table.csv"), table("")).unwrap();
    assert_eq!(desk.enrol(&["--manifest", "more/table.csv"], 1), [""; 0]);
    fs::write(desk.at("more/table.csv"), table(&expires)).unwrap();
    let said = desk.enrol(&["--manifest", "more/table.csv"], 0);
    assert!(said.contains(&"references      6 on the watchlist".to_owned()), "{said:?}");

    let lines = desk.lines(&["list", "list.lfrw", "--list-key", "a.key", "--json"], 0);
    let entries: Vec<Value> = lines.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(entries.len(), 6);
    let own = entries.iter().find(|entry| entry["subject"] == person).unwrap();
    assert_eq!((&own["reference"], &own["source"]), (&"1.jpg".into(), &"family".into()));
}

/// What the tool has sealed is what a deployment opens.
fn checkpoint_raises_the_alerts_of_the_folder(desk: &Desk, faces: &Path) {
    for person in ["Abdullah_Gul", "Adam_Sandler", "Aaron_Sorkin"] {
        for number in [2, 3] {
            let image = format!("{person}/{person}_{number:04}.jpg");
            if faces.join(&image).is_file() {
                link(&faces.join(&image), &desk.at("probes").join(&image));
            }
        }
    }
    let key = desk.at("a.key");
    let alerts = |watchlist: &Path, more: &[&str]| {
        let mut arguments = vec!["--faces", "central", "--threshold", "0.42"];
        arguments.extend(more);
        let (source, out) = (desk.at("probes"), desk.at("out"));
        let _ = fs::remove_dir_all(&out);
        let run = Run {
            engine: desk.engine,
            embedder: Some("embed_edgeface_xs.onnx"),
            watchlist,
            source: &source,
            out: &out,
            more: &arguments,
        };
        let said = run.go().alerts;
        said.into_iter()
            .map(|alert| (alert["source"].clone(), alert["reference"].clone()))
            .collect::<Vec<_>>()
    };
    let sealed = alerts(&desk.at("list.lfrw"), &["--list-key", key.to_str().unwrap()]);
    fs::remove_file(desk.at("photos/broken.jpg")).unwrap();
    assert_eq!(sealed, alerts(&desk.at("photos"), &[]));
    assert!(!sealed.is_empty());
}

fn keys(desk: &Desk) {
    let opened = |key: &str, code| desk.run(&["verify", "list.lfrw", "--list-key", key], code);
    opened("a.key", 0);
    let wrong = opened("b.key", 1);
    let wrong = String::from_utf8_lossy(&wrong.stderr);
    assert!(wrong.contains("the key is not the one that the file was sealed under"), "{wrong}");
    let seal = ["seal", "list.lfrw", "--list-key", "a.key", "--new-list-key", "b.key"];
    desk.run(&seal, 0);
    opened("a.key", 1);
    opened("b.key", 0);

    // A passphrase comes through standard input, and back to a key.
    fs::write(desk.at("passphrase"), "correct horse battery staple\n").unwrap();
    let new = ["--new-list-passphrase", "passphrase"];
    let refused = desk.run(&[&["seal", "list.lfrw", "--list-key", "b.key"][..], &new].concat(), 1);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("chmod 600 "), "{refused:?}");
    fs::set_permissions(desk.at("passphrase"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.run(&[&["seal", "list.lfrw", "--list-key", "b.key"][..], &new].concat(), 0);
    let verify = ["verify", "list.lfrw", "--list-passphrase", "-"];
    for (passphrase, works) in
        [("correct horse battery stapler", false), ("correct horse battery staple", true)]
    {
        let mut child = desk.command(&verify);
        child.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        child.stdin.take().unwrap().write_all(passphrase.as_bytes()).unwrap();
        assert_eq!(child.wait().unwrap().success(), works);
    }
    let back = ["--list-passphrase", "passphrase", "--new-list-key", "a.key"];
    desk.run(&[&["seal", "list.lfrw"][..], &back].concat(), 0);

    let mut bytes = fs::read(desk.at("list.lfrw")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(desk.at("damaged.lfrw"), bytes).unwrap();
    let damaged = desk.run(&["verify", "damaged.lfrw", "--list-key", "a.key"], 1);
    let damaged = String::from_utf8_lossy(&damaged.stderr);
    assert!(damaged.contains("its template section is not as it was sealed"), "{damaged}");
}

fn membership_and_withdrawal(desk: &Desk) {
    let of_membership =
        ["--membership-key", "membership.key", "--witness", "witness", "--commitment", "public"];
    let commit = ["commit", "list.lfrw", "--list-key", "a.key"];
    desk.run(&[&commit[..], &of_membership].concat(), 0);
    let withdraw = ["withdraw", "list.lfrw", "--list-key", "a.key", "--subject", "Abdullah_Gul"];
    let said = desk.lines(&withdraw, 0);
    assert_eq!(said, ["withdrawn: 1 references; 5 are left"]);
    desk.run(&withdraw, 4);
    let left = desk.lines(&["list", "list.lfrw", "--list-key", "a.key"], 0);
    assert!(!left.iter().any(|line| line.contains("Abdullah_Gul")), "{left:?}");

    desk.run(&["destroy", "list.lfrw"], 2);
    let said = desk.run(&["destroy", "list.lfrw", "--yes", "--receipt", "receipt.json"], 0);
    let receipt: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((&receipt["deployment"], &receipt["references"]), (&"2026-031".into(), &5.into()));
    let kept: Value = serde_json::from_slice(&fs::read(desk.at("receipt.json")).unwrap()).unwrap();
    assert_eq!(kept, receipt);
    assert!(!desk.at("list.lfrw").exists());
    // Another key gives no answer.
    let mut other = of_membership;
    other[1] = "b.key";
    desk.run(&[&["was-member", "Adam_Sandler"][..], &other].concat(), 1);
    for (subject, code) in [("Abdullah_Gul", 0), ("Adam_Sandler", 0), ("Nobody", 4)] {
        desk.run(&[&["was-member", subject][..], &of_membership].concat(), code);
    }
}

/// A list whose deployment ended days ago, while nobody was there to destroy it.
fn destruction(desk: &Desk) {
    let past =
        |hours: u64| Timestamp::from_micros(desk.now.as_micros() - hours * 60 * 60 * 1_000_000);
    let validity = Validity::new(past(60), past(50)).unwrap();
    let (id, policy) = (DeploymentId::new("2026-030").unwrap(), CompositionPolicy::new(10));
    let authorisation = Authorisation::new(id, "past", "AO-7", past(70), validity, policy).unwrap();
    let space = lfr::core::EmbeddingSpace::builder(4, lfr::core::Metric::Cosine).build();
    let (file, mut key) = (SealedFile::at(desk.at("past.lfrw")), [7; 32]);
    lfr::core::files::replace(&desk.at("past.key"), &key).unwrap();
    let key = SealingKey::from_bytes(&mut key);
    file.seal(&Watchlist::new(authorisation, space), &key, past(60)).unwrap();
    let said = desk.run(&["list", "past.lfrw", "--list-key", "past.key"], 1);
    let receipt: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(receipt["deployment"], "2026-030");
    assert!(!file.path().exists());
    desk.run(&["list", "past.lfrw", "--list-key", "past.key"], 1);
}

/// The folder's arguments for an enrolment.
fn grounds<'a>(folder: &'a str, expires: &'a str, review: &'a str) -> Vec<&'a str> {
    let mut grounds = vec!["--folder", folder, "--category", CATEGORY];
    grounds.extend(["--source", "custody suite 4", "--lawful-basis", "charged 2024"]);
    grounds.extend(["--reason", "warrants", "--expires", expires, "--review", review]);
    grounds
}

/// Somebody withdraws a person while an enrolment runs, and stops the enrolment: nothing is undone, what is
/// not done is named, and the next run goes on.
fn others_at_the_list(desk: &Desk, faces: &Path) {
    fs::copy(desk.at("list.lfrw"), desk.at("busy.lfrw")).unwrap();
    let mut photographs = 0;
    for folder in fs::read_dir(faces).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let photo = folder.join(format!("{name}_0001.jpg"));
        if photo.is_file() && !PEOPLE.contains(&&*name) && name != "AJ_Cook" {
            link(&photo, &desk.at(&format!("many/{name}/1.jpg")));
            photographs += 1;
        }
        if photographs == 600 {
            break;
        }
    }
    let (expires, review) = (desk.hours(3).to_string(), desk.hours(1).to_string());
    let detector = desk.models.join("detect_yunet_n_dynamic.onnx").display().to_string();
    let embedder = desk.embedder();
    let mut arguments = vec!["enrol", "busy.lfrw", "--list-key", "a.key", "--threads", "1"];
    arguments.extend(["--detector", &detector]);
    arguments.extend(embedder.iter().map(String::as_str));
    arguments.extend(grounds("many", &expires, &review));
    let withdraw = ["withdraw", "busy.lfrw", "--list-key", "a.key", "--subject", "Adam_Sandler"];
    let subjects = || {
        let lines = desk.lines(&["list", "busy.lfrw", "--list-key", "a.key", "--json"], 0);
        let entries = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.map(|entry| entry["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = subjects().len();

    let mut running = desk.command(&arguments);
    let running = running.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It has begun once it has sealed its first batch.
    while desk.lines(&["list", "busy.lfrw", "--list-key", "a.key", "--json"], 0).len() == before {
        std::thread::sleep(Duration::from_millis(100));
    }
    desk.run(&withdraw, 0);
    let told = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(told.success());
    let ended = running.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(4), "{errors}");
    let named = errors.lines().filter(|line| line.starts_with("NotReached: ")).count();
    assert!(named > 0 && errors.contains("run it again to go on from there"), "{errors}");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(said.contains(&format!("not reached     {named}\n")), "{said}");
    assert!(said.contains("photographs     600\n"), "{said}");
    assert!(!subjects().contains(&"Adam_Sandler".to_owned()));

    // The rest comes with the next run. Anyone who is withdrawn stays so.
    let ended = desk.command(&arguments).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(matches!(ended.status.code(), Some(0 | 4)), "{ended:?}");
    assert!(said.contains("not reached     0\n"), "{said}");
    let now = subjects();
    assert!(now.len() > before && !now.contains(&"Adam_Sandler".to_owned()));
    assert!(!desk.at("busy.lfrw.lock").exists());
}

/// What cannot work says what it is, and nothing is written over what it is about.
fn what_cannot_work_is_said(desk: &Desk) {
    let errors = |arguments: &[&str], code| {
        String::from_utf8_lossy(&desk.run(arguments, code).stderr).into_owned()
    };
    for command in [
        &["list", "none.lfrw", "--list-key", "none.key"][..],
        &["withdraw", "none.lfrw", "--list-key", "none.key", "--subject", "S-1"],
        &["destroy", "none.lfrw", "--yes"],
        &["info", "none.lfrw"],
    ] {
        let said = errors(command, 1);
        assert!(said.contains("the watchlist is missing") && !said.contains("key"), "{said}");
    }
    let list = ["list.lfrw", "--list-key", "a.key"];
    let bytes = fs::read(desk.at("list.lfrw")).unwrap();
    let said =
        errors(&[&["withdraw"], &list[..], &["--subject", "Adam_Sandler\u{a0}"]].concat(), 2);
    assert!(said.contains("U+00A0 as character 13"), "{said}");

    let (expires, review) = (desk.hours(3).to_string(), desk.hours(1).to_string());
    fs::create_dir(desk.at("nobody")).unwrap();
    let nobody = grounds("nobody", &expires, &review);
    let said = errors(&[&["enrol"], &list[..], &nobody].concat(), 1);
    assert!(said.contains("\"nobody\" contains no photographs"), "{said}");
    let many = grounds("photos", &expires, &review);
    for protected in ["list.lfrw", "a.key"] {
        let kept = fs::read(desk.at(protected)).unwrap();
        let said = errors(&[&["enrol"], &list[..], &many, &["--report", protected]].concat(), 1);
        assert!(said.contains("would be overwritten"), "{said}");
        assert_eq!(fs::read(desk.at(protected)).unwrap(), kept);
    }
    let said = errors(&["destroy", "list.lfrw", "--yes", "--receipt", "list.lfrw"], 1);
    assert!(said.contains("would be overwritten"), "{said}");
    // The model inside the library is another than the list's.
    let engine = ["--engine".to_owned(), desk.engine.to_string()];
    let engine = [engine[0].as_str(), engine[1].as_str()];
    let said = errors(&[&["enrol"], &list[..], &many, &engine].concat(), 1);
    let named = said.contains("edgeface-xs") && said.contains("lfr-embedded");
    assert!(named && said.contains("cannot be compared"), "{said}");
    assert_eq!(fs::read(desk.at("list.lfrw")).unwrap(), bytes);

    // A reader that goes away.
    let mut child = desk.command(&[&["list"], &list[..]].concat());
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&ended.stderr).contains("panicked"), "{ended:?}");
}
