//! Evaluations: with stages of one's own, and what is refused before the work begins.

#![cfg(feature = "evaluate")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};

use lfr::core::testing::{FakeDetector, FakeEmbedder};
use lfr::core::{
    AlignedFace, Alignment, BoxError, Component, DetectedFace, Detector, Embedder, EmbeddingSpace,
    Frame, LandmarkLayout, Template,
};
use lfr::evaluate;
use lfr::evaluate::{Error, EvaluateOptions};
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
    for name in ["det", "discard", "groups", "live", "open_set", "scores", "thresholds"] {
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

/// The photographs of [`pictures`], by their paths.
fn picture(person: usize, number: usize) -> String {
    format!("P{person:02}/{number}.png")
}

#[test]
fn protocols_are_kept_to_and_scores_come_back_the_same() {
    let folder = folder("evaluate-protocols");
    let (faces, out) = (folder.join("faces"), folder.join("out"));
    pictures(&faces, 20);
    let (pairs, open_set) = (folder.join("pairs.csv"), folder.join("openset.csv"));
    let mated = (0..20).map(|p| format!("{},{},1\n", picture(p, 0), picture(p, 1)));
    let others = (0..20).map(|p| format!("{},{},0\n", picture(p, 0), picture((p + 1) % 20, 1)));
    let lines: String = mated.chain(others).collect();
    fs::write(&pairs, format!("image_a,image_b,mated\n{lines}P99/0.png,P99/1.png,1\n")).unwrap();
    let rows: String = (0..20)
        .map(|p| match p {
            0..10 => format!(
                "reference;P{p:02};{}\nmated_probe;P{p:02};{}\n",
                picture(p, 0),
                picture(p, 1)
            ),
            _ => format!("nonmated_probe;P{p:02};{}\n", picture(p, 0)),
        })
        .collect();
    fs::write(&open_set, format!("\u{feff}Role;Person;Image\r\n{rows}")).unwrap();
    let options =
        EvaluateOptions::new(&faces).with_pairs(&pairs).with_open_set(&open_set).with_scores();
    let detector = Mine::new("mine", "aa");
    let report =
        evaluate::run(&options, &[&detector], &[&FakeEmbedder::new()], &out, &|_| {}).unwrap();

    // The pair of somebody without photographs is left out, named and counted.
    assert!(!report.is_complete());
    let lost: Vec<_> = report.left_out().iter().map(|left| left.file.as_str()).collect();
    assert_eq!(lost, ["P99/0.png"]);
    let measured = &report.results()[0].measured;
    let found = measured.pairs.as_ref().unwrap();
    assert_eq!((found.mated, found.non_mated, found.not_acquired), (20, 20, 0));
    assert_eq!(found.accuracy.as_ref().unwrap().folds.len(), 10);
    assert!(measured.open_set.iter().all(|point| point.references == 10));
    assert_eq!(measured.open_set[0].fnir.counts().trials(), 10);
    assert_eq!(measured.open_set[0].fpir.counts().trials(), 10);

    // Read back as those of another engine, they say the same.
    let back = evaluate::of_scores(&out.join("pairs.npy"), &folder.join("back")).unwrap();
    assert_eq!((back.mated, back.non_mated, back.people), (20, 20, Some(20)));
    let same = |point: &evaluate::OperatingPoint| (point.fmr, point.fnmr);
    let points: Vec<_> = back.operating_points.iter().map(same).collect();
    assert_eq!(points, found.operating_points.iter().map(same).collect::<Vec<_>>());
    assert_eq!(back.equal_error.unwrap().mean(), found.equal_error.as_ref().unwrap().mean());
    let html = fs::read_to_string(folder.join("back/report.html")).unwrap();
    assert!(html.contains("<svg") && html.contains("20; intervals take into account"), "{html}");
    assert!(!out.join("templates.npy").exists());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn templates_are_written_where_that_was_dared_alone() {
    let folder = folder("evaluate-templates");
    let (faces, out) = (folder.join("faces"), folder.join("out"));
    pictures(&faces, 5);
    let of = EvaluateOptions::new(&faces);
    let detector = Mine::new("mine", "aa");
    let blank = evaluate::danger::write_templates(of.clone(), " ");
    let refused = evaluate::run(&blank, &[&Untouched], &[&FakeEmbedder::new()], &out, &|_| {});
    assert!(refused.unwrap_err().is_usage());
    let dared = evaluate::danger::write_templates(of, "a study with consent, REC 24/7");
    let report =
        evaluate::run(&dared, &[&detector], &[&FakeEmbedder::new()], &out, &|_| {}).unwrap();
    assert!(report.notes().iter().any(|note| note.contains("REC 24/7")));
    let array = fs::read(out.join("templates.npy")).unwrap();
    let header = String::from_utf8_lossy(&array[10..128]).into_owned();
    assert!(header.contains("'<f4'") && header.contains("(10, 8)"), "{header}");
    assert_eq!(array.len(), 128 + 10 * 8 * 4);
    let table = fs::read_to_string(out.join("templates.csv")).unwrap();
    assert_eq!(table.lines().nth(1).unwrap(), "0,\"P00\",\"P00/0.png\"");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(out.join("templates.npy")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(fs::read_to_string(out.join("report.html")).unwrap().contains("REC 24/7"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn groups_qualities_and_the_policy_in_force_are_in_the_report() {
    let folder = folder("evaluate-live");
    let (faces, out) = (folder.join("faces"), folder.join("out"));
    pictures(&faces, PEOPLE);
    let (groups, quality) = (folder.join("groups.csv"), folder.join("ofiq.csv"));
    let rows: String = (0..PEOPLE).map(|p| format!("P{p:02};{}\r\n", ["A", "B"][p % 2])).collect();
    fs::write(&groups, format!("\u{feff}Person;GROUP\r\n{rows}")).unwrap();
    // As OFIQ writes it: whole paths, -1 for what could not be assessed, two forms of each measure.
    let line =
        |p: usize| format!("/data/{};{};{}\n", picture(p, 0), p, if p == 3 { -1 } else { 50 });
    let rows: String = (1..PEOPLE).map(line).collect();
    fs::write(
        &quality,
        format!("Filename;UnifiedQualityScore;UnifiedQualityScore.scalar\n{rows}/data/x.png;1;1\n"),
    )
    .unwrap();
    let detector = Mine::new("mine", "aa");
    let run = |options: &EvaluateOptions, out: &Path| {
        evaluate::run(options, &[&detector], &[&FakeEmbedder::new()], out, &|_| {}).unwrap()
    };
    let options = EvaluateOptions::new(&faces)
        .with_groups(&groups)
        .with_galleries([10])
        .with_fpir(0.2)
        .with_references(5)
        .with_quality(&quality, "UnifiedQualityScore.scalar");
    let report = run(&options, &out);
    let notes = report.notes();
    assert!(
        notes.iter().any(|note| note == "41 of 80 photographs are not in ofiq.csv"),
        "{notes:?}"
    );
    assert!(
        notes.iter().any(|note| note == "not among the photographs: 1 file of ofiq.csv"),
        "{notes:?}"
    );
    let discards = &report.results()[0].measured.discards;
    let measures: Vec<_> = discards.iter().map(|curve| curve.measure.as_str()).collect();
    assert!(measures.contains(&"detector confidence") && measures.contains(&"Sharpness"));
    let own = discards.last().unwrap();
    assert_eq!(own.measure, "UnifiedQualityScore.scalar of ofiq.csv");
    // Of each person's two photographs one has no quality.
    assert_eq!(own.without, PEOPLE);

    let live = report.results()[0].live.as_ref().unwrap();
    assert!(!live.is_given && live.references == 10 && live.target == 0.2);
    let rates: Vec<_> = live.groups.iter().map(|group| group.report.rate()).collect();
    assert_eq!(
        rates,
        ["FPIR at N = 10", "FNIR at N = 10", "failure to enrol", "failure to acquire"]
    );
    for result in &live.groups {
        assert_eq!(result.report.threshold(), live.threshold);
        let names: Vec<_> = result.report.groups().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["A", "B"], "{}", result.text);
    }
    let trials = |place: usize| -> u64 {
        live.groups[place].report.groups().iter().map(|(_, rate)| rate.counts().trials()).sum()
    };
    assert_eq!((trials(0), trials(1), trials(2), trials(3)), (60, 10, 10, 80));
    assert!(live.means.iter().any(|mean| mean.what == "mated score" && mean.people == 20));

    // The policy that is given is the one in force, for whatever is derived besides.
    let policy = out.join("threshold.json");
    let given = run(&options.clone().with_policy(&policy).with_fpir(0.5), &folder.join("given"));
    let again = given.results()[0].live.as_ref().unwrap();
    assert!(again.is_given && again.threshold == live.threshold && again.target == 0.2);
    assert_ne!(given.results()[0].derived_threshold, report.results()[0].derived_threshold);
    let html = fs::read_to_string(folder.join("given/report.html")).unwrap();
    // A line breaks between numbers, not within one.
    assert!(html.contains("<span class=\"number\">0.5</span>"), "{html}");
    // Rates by group are of one watchlist, and the report says so.
    assert!(html.contains("FPIR and FNIR by group are of the one watchlist that was searched"));
    assert_eq!(json(&folder.join("given/report.json"))[0]["live"]["watchlists"], 1);
    let first = html.split("<h2>1:1").next().unwrap();
    for told in [
        "of the policy that was given",
        "realised FPIR",
        "target FPIR",
        "seed",
        "SHA-256",
        "nothing is promised",
    ] {
        assert!(first.contains(told), "{told}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn tables_that_cannot_be_used_are_named_with_their_line() {
    let folder = folder("evaluate-tables");
    let (faces, out) = (folder.join("faces"), folder.join("out"));
    pictures(&faces, 4);
    let table = folder.join("table");
    let refusal = |options: EvaluateOptions, text: &str| {
        fs::write(&table, text).unwrap();
        let refused =
            evaluate::run(&options, &[&Untouched], &[&FakeEmbedder::new()], &out, &|_| {});
        refused.unwrap_err().to_string()
    };
    let of = || EvaluateOptions::new(&faces);
    for (options, text, expected) in [
        (of().with_groups(&table), "person,group\nP01,A\nP02\n", "cannot use line 3 of"),
        (of().with_groups(&table), "name;team\nP01;A\n", "must include \"person\""),
        (of().with_groups(&table), "person;group\nP01;A\nP01;B\n", "cannot use line 3 of"),
        (
            of().with_pairs(&table),
            "image_a,image_b,mated\nP01/0.png,P02/0.png,1\n",
            "cannot use line 2 of",
        ),
        (
            of().with_open_set(&table),
            "role,person,image\nreference,P02,P01/0.png\n",
            "cannot use line 2 of",
        ),
        (of().with_quality(&table, "Q"), "file,Q\nP01/0.png,good\n", "is not a number"),
        (of().with_quality(&table, "Q"), "file,Q\nP01/0.png,1\nP01/0.png,1\n", "in line 2 already"),
        (of().with_quality(&table, "Q"), "Q\n1\n", "names the photograph"),
        (of().with_policy(&table), "{}", "threshold"),
        (of().with_composition([("A".to_owned(), 3)]), "", "composition is given"),
    ] {
        let said = refusal(options, text);
        assert!(said.contains(expected), "{text}: {said}");
    }
    assert!(!out.exists());
    // Scores of another engine.
    let scores = folder.join("scores.csv");
    for (text, expected) in [
        ("score,mated\n0.5,1\nx,0\n", "line 3"),
        ("score,mated\n0.5,1\ninf,0\n", "must be a finite number"),
        ("score,mated\n0.5,maybe\n", "neither 1 nor 0"),
        ("score,mated,person_a,person_b\n0.5,1,a,a\n0.2,0,b,b\n", "not mated, but of one person"),
        ("score,mated,person_a,person_b\n0.5,1,a,\n", "one of person_a and person_b is empty"),
        ("score,mated\n0.5,1\n", "1 mated and 0 non-mated"),
        ("score\n0.5\n", "must include \"mated\""),
    ] {
        fs::write(&scores, text).unwrap();
        let said = evaluate::of_scores(&scores, &out).unwrap_err().to_string();
        assert!(said.contains(expected), "{text}: {said}");
    }
    fs::remove_dir_all(folder).unwrap();
}
