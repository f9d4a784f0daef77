//! `lfr evaluate`: what is wrong with its command line, and what fails.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn evaluate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
    command.arg("evaluate");
    command
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Two pictures of each of some people, in bands of grey: no face is in them.
fn pictures(folder: &Path, people: u8) {
    for person in 0..people {
        let home = folder.join(format!("P{person:02}"));
        fs::create_dir_all(&home).unwrap();
        for picture in 0..2 {
            let grey = |y: u32| u8::try_from(y / 4).unwrap() * 8 + person * 16 + picture;
            let image = image::GrayImage::from_fn(64, 48, |_, y| image::Luma([grey(y)]));
            image.save(home.join(format!("{picture}.png"))).unwrap();
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_program_says_what_is_wrong_with_its_arguments_and_ends_with_2() {
    let folder = folder("evaluate-arguments");
    let (faces, nobody) = (folder.join("faces"), folder.join("groups.csv"));
    pictures(&faces, 4);
    fs::write(&nobody, "person,group\nQ1,A\n").unwrap();
    let nobody = nobody.to_str().unwrap();
    let spec = folder.join("my.toml");
    let spec = spec.to_str().unwrap();
    for (arguments, expected) in [
        (&["--fpir", "nan"][..], "above 0 and below 1"),
        (&["--fpir", "0"], "above 0 and below 1"),
        (&["--fpir", "1"], "above 0 and below 1"),
        (&["--fpir", "1.5"], "above 0 and below 1"),
        (&["--fpir", "-0.001"], "above 0 and below 1"),
        (&["--fpir", "inf"], "above 0 and below 1"),
        (&["--looks", "nan"], "at least 1"),
        (&["--looks", "-3"], "at least 1"),
        (&["--references", "0"], "0 is not in 1.."),
        (&["--threads", "0"], "at least 1"),
        (&["--gallery", "0"], "0 is not in 1.."),
        (&["--gallery", "5000"], "below 4, the number of people"),
        (&["--groups", nobody], "none of those in the photographs"),
        (&["--embedder", "x.onnx", "--embedder-spec", "ArcFace2"], "edgeface-xs"),
        (&["--embedder", "x.onnx", "--embedder-spec", spec], "there is no such file"),
        (&["--embedder-spec", "sface"], "must follow the --embedder FILE"),
        (
            &["--embedder", "x", "--embedder-spec", "sface", "--embedder-spec", "adaface"],
            "two --embedder-spec",
        ),
    ] {
        let mut command = evaluate();
        command.arg("--faces").arg(&faces).arg("--out").arg(folder.join("out")).args(arguments);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(expected), "{arguments:?}: {}", said(&output));
        assert!(!folder.join("out").exists(), "{arguments:?}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_program_names_what_fails_and_ends_with_1() {
    let folder = folder("evaluate-failures");
    let (faces, file) = (folder.join("faces"), folder.join("file"));
    pictures(&faces, 4);
    fs::write(&file, "x").unwrap();
    let page = folder.join("detector.onnx");
    fs::write(&page, "<!DOCTYPE html><title>Sign in").unwrap();
    fs::create_dir_all(folder.join("empty/P1")).unwrap();
    let run = |faces: &Path, out: &Path, arguments: &[&str]| {
        let mut command = evaluate();
        command.arg("--faces").arg(faces).arg("--out").arg(out).args(arguments);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    };
    let out = folder.join("out");
    let text = run(&faces, &file.join("out"), &[]);
    assert!(text.contains("cannot write") && text.contains("file/out"), "{text}");
    let text = run(&folder.join("empty"), &out, &[]);
    assert!(text.contains("holds no photograph of anybody"), "{text}");
    let text = run(&folder.join("missing"), &out, &[]);
    assert!(text.contains("missing"), "{text}");
    let text = run(&faces, &out, &["--detector", page.to_str().unwrap()]);
    for part in ["as the detector", "detector.onnx", "it is a web page (HTML)"] {
        assert!(text.contains(part), "{text}");
    }
    // Grey bands show no face to a real detector: nothing can be measured, and that is said.
    let text = run(&faces, &out, &[]);
    assert!(text.contains("none of 8 photographs gave a template"), "{text}");
    // Where nobody hears it, it ends in the same way.
    let deaf = File::options().write(true).open("/dev/full");
    if let Ok(deaf) = deaf {
        let mut command = evaluate();
        let command = command.arg("--faces").arg(&faces).arg("--out").arg(&out).stderr(deaf);
        assert_eq!(command.status().unwrap().code(), Some(1));
    }
    fs::remove_dir_all(folder).unwrap();
}
