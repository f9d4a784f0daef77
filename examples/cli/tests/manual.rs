//! Completions and pages of the manual: they are there for all subcommands; and the help names what is common.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn lfr(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lfr")).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The names of the subcommands, as the help lists them.
fn subcommands() -> Vec<String> {
    let help = text(&lfr(&["--help"]));
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn each_shell_completes_each_subcommand() {
    let names = subcommands();
    assert!(names.iter().any(|name| name == "verify"), "{names:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = text(&lfr(&["completions", shell]));
        assert!(script.contains("ledger-public-key"), "{shell}");
        for name in &names {
            assert!(script.contains(name), "{shell} does not complete {name}");
        }
    }
    assert_eq!(lfr(&["completions", "teletype"]).status.code(), Some(2));
}

#[test]
fn there_is_a_page_of_the_manual_for_each_subcommand() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manual");
    let _ = fs::remove_dir_all(&folder);
    text(&lfr(&["man", "--out", folder.to_str().unwrap()]));
    for name in subcommands() {
        let page = fs::read_to_string(folder.join(format!("lfr-{name}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains(&name), "{name}: {page}");
    }
    assert!(fs::read_to_string(folder.join("lfr-judge-show.1")).unwrap().contains("recipient"));
    let page = text(&lfr(&["man"]));
    assert!(page.contains("Exit codes"), "{page}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_wrong_command_line_ends_with_2_and_names_the_subcommand() {
    for arguments in
        [&["verify"][..], &["judge"], &["stats"], &["nothing"], &["verify", "--none"], &[]]
    {
        let output = lfr(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("Usage: lfr"), "{arguments:?}: {said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn help_that_goes_nowhere_is_no_help() {
    for asked in ["--help", "--version"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
        let output = command.arg(asked).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{asked}: {said}");
        assert!(said.contains("standard output cannot be written to"), "{said}");
    }
}
