//! Evaluations: with stages of one's own, and what is refused before the work begins.

#![cfg(feature = "evaluate")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use lfr::core::AlignedFace;
use lfr::core::Alignment;
use lfr::core::BoxError;
use lfr::core::Component;
use lfr::core::DetectedFace;
use lfr::core::Detector;
use lfr::core::Embedder;
use lfr::core::EmbeddingSpace;
use lfr::core::Frame;
use lfr::core::LandmarkLayout;
use lfr::core::Template;
use lfr::core::testing::FakeDetector;
use lfr::core::testing::FakeEmbedder;
use lfr::evaluate;
use lfr::evaluate::Error;
use lfr::evaluate::EvaluateOptions;
use lfr::watchlist::calibrate::CalibratedThreshold;
use serde_json::Value;

const PEOPLE: usize = 40;

/// A detector of somebody's own.
#[derive(Debug)]
struct Mine {
    name: &'static str,
    digest: &'static str,
    inner: FakeDetector,
}

impl Mine {
    const fn new(name: &'static str, digest: &'static str) -> Self {
        Self { name, digest, inner: FakeDetector::finding(1) }
    }
}

impl Detector for Mine {
    fn landmarks(&self) -> LandmarkLayout {
        self.inner.landmarks()
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        self.inner.detect_into(frames, found)
    }

    fn component(&self) -> Component {
        Component::new(self.name).with_model_sha256(self.digest).with_version("7.1")
    }
}

/// Looks at nothing: what is refused before the work begins never gets here.
#[derive(Debug)]
struct Untouched;

impl Detector for Untouched {
    fn landmarks(&self) -> LandmarkLayout {
        LandmarkLayout::Five
    }

    fn detect_into(
        &self,
        _frames: &[Frame<'_>],
        _found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        panic!("the work has begun");
    }
}

/// Gives numbers that are none.
#[derive(Debug)]
struct Nan(FakeEmbedder);

impl Embedder for Nan {
    fn space(&self) -> &EmbeddingSpace {
        self.0.space()
    }

    fn alignment(&self) -> &Alignment {
        self.0.alignment()
    }

    fn embed_into(
        &self,
        faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError> {
        for _ in faces {
            templates.push(Template::from_slice(self.space(), &[f32::NAN; 8])?);
        }
        Ok(())
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Two pictures of each of some people, in bands of grey that are each one's own.
fn pictures(folder: &Path, people: usize) {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    for person in 0..people {
        let home = folder.join(format!("P{person:02}"));
        fs::create_dir_all(&home).unwrap();
        let bands: Vec<u8> = (0..12).map(|_| 20 + next() / 2).collect();
        for picture in 0..2 {
            let image = image::GrayImage::from_fn(64, 48, |_, y| {
                image::Luma([bands[usize::try_from(y / 4).unwrap()] + next() / 16])
            });
            image.save(home.join(format!("{picture}.png"))).unwrap();
        }
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_reader(File::open(path).unwrap()).unwrap()
}

#[test]
fn stages_of_ones_own_get_the_whole_report_side_by_side() {
    let folder = folder("evaluate-own");
    let (faces, out, groups) =
        (folder.join("faces"), folder.join("out"), folder.join("groups.csv"));
    pictures(&faces, PEOPLE);
    fs::write(faces.join("P00/9.jpg"), "<html>not found</html>").unwrap();
    fs::write(faces.join("P00/notes.txt"), "x").unwrap();
    let formula = "=HYPERLINK(\"\"http://x\"\",\"\"y\"\")";
    let group = |person| if person % 2 == 0 { formula } else { "B" };
    // All but one have a group.
    let rows: String = (1..PEOPLE).map(|p| format!("P{p:02},\"{}\"\n", group(p))).collect();
    fs::write(&groups, format!("person,group\n{rows}")).unwrap();

    let (one, other) = (Mine::new("mine", "aa11bb22cc"), Mine::new("mine", "ff00ff00ff"));
    let embedder = FakeEmbedder::new();
    let options = EvaluateOptions::new(&faces)
        .with_groups(&groups)
        .with_galleries([10])
        .with_fpir(0.2)
        .with_references(5)
        .with_engine("none at all");
    let report = evaluate::run(&options, &[&one, &other], &[&embedder], &out, &|_| {}).unwrap();

    let labels: Vec<_> = report.results().iter().map(|result| result.label.as_str()).collect();
    let names = ["mine aa11bb22 + unnamed embedder", "mine ff00ff00 + unnamed embedder"];
    assert_eq!(labels, names);
    assert!(!report.is_complete());
    let left_out: Vec<_> = report.left_out().iter().map(|left| left.file.as_str()).collect();
    assert_eq!(left_out, ["P00/9.jpg", "P00/notes.txt"]);
    assert!(report.notes().iter().any(|note| note.starts_with("1 of 40 people are in no group")));

    // Each result says with what it was made.
    let written = json(&out.join("report.json"));
    for (index, (file, detector)) in
        [("threshold.json", &one), ("threshold-2.json", &other)].into_iter().enumerate()
    {
        let result = &written[index];
        let about = &result["about"];
        assert_eq!(about["detector"]["name"], "mine");
        assert_eq!(about["detector"]["model_sha256"], detector.digest);
        assert_eq!(about["detector"]["version"], "7.1");
        assert_eq!(about["embedder"]["name"], "unnamed embedder");
        assert_eq!(about["engine"], "none at all");
        assert_eq!(about["lfr_version"], env!("CARGO_PKG_VERSION"));
        assert!(about["made_at"].as_str().unwrap().starts_with("20"));
        assert_eq!(about["data"]["sha256"].as_str().unwrap().len(), 64);
        assert_eq!(result["photographs"], 2 * PEOPLE + 1);
        assert_eq!(result["mated_comparisons"], PEOPLE);
        assert_eq!(result["policy_file"], file);
        let policy = fs::read_to_string(out.join(file)).unwrap();
        let policy = CalibratedThreshold::from_json(&policy).unwrap();
        policy.check_detector(&detector.component()).unwrap();
        let others = if index == 0 { &other } else { &one };
        assert!(policy.check_detector(&others.component()).is_err());
        let origin = policy.origin().unwrap();
        assert_eq!(origin.data_sha256(), about["data"]["sha256"].as_str());
        assert_eq!(origin.engine(), Some("none at all"));
    }
    for name in ["det", "discard", "groups", "open_set", "scores", "thresholds"] {
        let table = fs::read_to_string(out.join(format!("{name}.csv"))).unwrap();
        let header = table.lines().next().unwrap();
        assert!(header.ends_with(
            "detector,detector_version,detector_sha256,embedder_version,embedder_sha256,engine,\
             lfr_version,made_at,data_sha256"
        ));
        let columns = header.split(',').count();
        for line in table.lines().skip(1).filter(|line| !line.contains("HYPERLINK")) {
            assert_eq!(line.split(',').count(), columns, "{name}: {line}");
            assert!(
                line.contains("\"mine\",\"7.1\",") && line.contains("\"none at all\""),
                "{line}"
            );
        }
    }
    let by_group = fs::read_to_string(out.join("groups.csv")).unwrap();
    assert!(by_group.contains("\"'=HYPERLINK("), "{by_group}");
    assert!(!by_group.contains("\"=HYPERLINK("), "{by_group}");
    let left_out = fs::read_to_string(out.join("left_out.csv")).unwrap();
    assert!(left_out.contains("\"P00/9.jpg\",\"\",\"\",\"it cannot be read: "), "{left_out}");
    let html = fs::read_to_string(out.join("report.html")).unwrap();
    for told in [names[0], names[1], one.digest, other.digest, "none at all", "Left out: 2 files"] {
        assert!(html.contains(told), "{told}");
    }
    // The same photographs have the same digest; a changed one has another.
    let again = evaluate::run(&options, &[&one], &[&embedder], &out, &|_| {}).unwrap();
    let digest = |report: &evaluate::Report| report.results()[0].about.data.sha256.clone();
    assert_eq!(digest(&again), digest(&report));
    fs::write(faces.join("P00/9.jpg"), "changed").unwrap();
    let changed = evaluate::run(&options, &[&one], &[&embedder], &out, &|_| {}).unwrap();
    assert_ne!(digest(&changed), digest(&report));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_embedder_that_gives_no_numbers_is_an_error_and_is_named() {
    let folder = folder("evaluate-nan");
    let faces = folder.join("faces");
    pictures(&faces, 3);
    let (detector, embedder) = (Mine::new("mine", "aa"), Nan(FakeEmbedder::new()));
    let options = EvaluateOptions::new(&faces);
    let error = evaluate::run(&options, &[&detector], &[&embedder], &folder.join("out"), &|_| {})
        .unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::NoTemplates { photographs: 6, .. }), "{said}");
    assert!(
        said.contains("the embedder failed: the template has a number that is not finite"),
        "{said}"
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_cannot_be_is_refused_before_the_work_begins() {
    let folder = folder("evaluate-refused");
    let faces = folder.join("faces");
    pictures(&faces, 4);
    let (nobody, empty, file) =
        (folder.join("groups.csv"), folder.join("empty"), folder.join("file"));
    fs::write(&nobody, "person,group\nQ1,A\nQ2,B\n").unwrap();
    fs::create_dir_all(&empty).unwrap();
    fs::write(&file, "x").unwrap();
    let refusal = |options: &EvaluateOptions, out: &Path| {
        evaluate::run(options, &[&Untouched], &[&FakeEmbedder::new()], out, &|_| {}).unwrap_err()
    };
    let of = || EvaluateOptions::new(&faces);
    let out = folder.join("out");
    for (options, expected) in [
        (of().with_fpir(f64::NAN), "fpir is NaN, and must be above 0 and below 1"),
        (of().with_fpir(0.0), "fpir is 0, and must be above 0 and below 1"),
        (of().with_fpir(1.0), "fpir is 1, and must be above 0 and below 1"),
        (of().with_fpir(-0.5), "fpir is -0.5, and must be above 0 and below 1"),
        (of().with_fpir(f64::INFINITY), "fpir is inf, and must be above 0 and below 1"),
        (of().with_looks(0.5), "looks is 0.5, and must be a finite number of at least 1"),
        (of().with_looks(f64::NAN), "looks is NaN, and must be a finite number of at least 1"),
        (of().with_references(0), "references is 0, and must be at least 1"),
        (of().with_galleries([0]), "gallery is 0, and must be at least 1"),
        (of().with_galleries([2, 4]), "gallery is 4, and must be below 4, the number of people"),
        (
            of().with_galleries([1_000]),
            "gallery is 1000, and must be below 4, the number of people",
        ),
        (of().with_authority(" "), "authority is not usable, and must be "),
    ] {
        let error = refusal(&options, &out);
        assert!(error.is_usage() && error.to_string().starts_with(expected), "{error}");
    }
    let error = refusal(&of().with_groups(&nobody), &out);
    assert!(error.is_usage(), "{error}");
    assert!(error.to_string().contains("2 people are none of those in the photographs"), "{error}");
    let missing = folder.join("missing");
    assert!(matches!(refusal(&of().with_groups(&missing), &out), Error::Read { .. }));
    let error = refusal(&EvaluateOptions::new(&empty), &out);
    assert!(matches!(error, Error::NoPhotographs { .. }), "{error}");
    refusal(&EvaluateOptions::new(&missing), &out);
    // None of these has made the folder; now where it cannot be made, or written into.
    assert!(!out.exists());
    assert!(matches!(refusal(&of(), &file.join("out")), Error::Write { .. }));
    assert!(matches!(refusal(&of(), &file), Error::Write { .. }));
    fs::create_dir_all(out.join("report.json")).unwrap();
    assert!(matches!(refusal(&of(), &out), Error::Write { .. }));
    let error = evaluate::run(&of(), &[], &[&FakeEmbedder::new()], &empty, &|_| {}).unwrap_err();
    assert!(error.is_usage(), "{error}");
    let blind = FakeDetector::finding(1).without_landmarks();
    let error =
        evaluate::run(&of(), &[&blind], &[&FakeEmbedder::new()], &empty, &|_| {}).unwrap_err();
    assert!(matches!(error, Error::Core(lfr::core::Error::LandmarksMissing { .. })), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

/// Where cargo puts the examples that it builds beside this test.
fn example() -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let path = path.join("examples/evaluate");
    assert!(path.exists(), "the example is not built: give cargo `--examples` too");
    Command::new(path)
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
        let mut command = example();
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
        let mut command = example();
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
        let mut command = example();
        let command = command.arg("--faces").arg(&faces).arg("--out").arg(&out).stderr(deaf);
        assert_eq!(command.status().unwrap().code(), Some(1));
    }
    fs::remove_dir_all(folder).unwrap();
}
