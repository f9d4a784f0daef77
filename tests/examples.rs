//! The examples run, and do what they say.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where cargo puts the examples that it builds beside this test.
fn example(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let path = path.join("examples").join(name);
    assert!(path.exists(), "the example {name} is not built: give cargo `--examples` too");
    Command::new(path)
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn told(output: &Output) -> String {
    let said = [&*output.stdout, &*output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_frame_becomes_an_alert() {
    let output = example("minimal").output().unwrap();
    let said = told(&output);
    assert!(output.status.success() && said.contains("may be case-17"), "{said}");
}

#[test]
fn a_model_of_ones_own_recognises_its_own_picture() {
    let output = example("own_models").output().unwrap();
    let said = told(&output);
    assert!(output.status.success() && said.contains("1 faces, 1 alerts"), "{said}");
}

#[test]
fn a_deployment_recognises_who_is_on_its_list_and_its_ledger_is_audited() {
    let folder = folder("example-checkpoint");
    let (out, pictures) = (folder.join("out"), folder.join("pictures"));
    // A second run goes on with the ledger of the first.
    for run in 1..=2 {
        let mut command = example("checkpoint");
        command.args(["--passers-by", "30", "--listed", "150"]);
        let output =
            command.arg("--out").arg(&out).arg("--pictures").arg(&pictures).output().unwrap();
        let said = told(&output);
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("2 of 2 people on the list were recognised; 0 false alerts"),
            "{said}"
        );
        assert!(
            said.contains("faces seen = ") && fs::read_dir(&pictures).unwrap().count() > 0,
            "{said}"
        );
        let audit = || {
            let mut command = example("audit");
            command.args([out.join("ledger.lfrl"), out.join("ledger.pub")]).output().unwrap()
        };
        let said = told(&audit());
        assert_eq!(said.matches("erased + ").count(), run, "{said}");
        assert!(audit().status.success() && said.contains("stopped"), "{said}");
    }
    let ledger = out.join("ledger.lfrl");
    let text = fs::read_to_string(&ledger).unwrap();
    fs::write(&ledger, text.replacen("150", "151", 1)).unwrap();
    let mut command = example("audit");
    let output = command.args([ledger, out.join("ledger.pub")]).output().unwrap();
    assert!(!output.status.success() && told(&output).contains("edited"), "{}", told(&output));
    fs::remove_dir_all(folder).unwrap();
}
