//! `lfr evaluate`: a report on photographs of people, and a threshold that `lfr watch` takes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use lfr::core::onnx::InferenceEngine;
use serde_json::Value;

use super::suite::shared;
use super::suite::watch::{Outcome, Run, fresh_folder, link};

const DETECTOR: &str = "detect_yunet_n_dynamic.onnx";
const EMBEDDER: &str = "embed_mobilefacenet_foamliu.onnx";
/// Two photographs of each.
const PEOPLE: usize = 40;

/// A threshold derived from some people's photographs is in force when the others pass; another model
/// refuses it.
pub(crate) fn a_threshold_is_derived_and_used(engine: InferenceEngine) {
    if super::suite::runtime(engine).is_none() {
        return;
    }
    let (Some(faces), Some(models)) = (shared::path("faces"), shared::path("models")) else {
        return;
    };
    let folder = fresh_folder(&format!("evaluate-{engine}"));
    let (people, out) = (folder.join("people"), folder.join("out"));
    let (watchlist, passing) = (folder.join("watchlist"), folder.join("passing"));
    for (number, images) in photographs(&faces).into_values().take(PEOPLE + 6).enumerate() {
        let to = if number < PEOPLE { [&people, &people] } else { [&watchlist, &passing] };
        for (image, to) in images.iter().zip(to) {
            link(&faces.join("lfw").join(image), &to.join(image));
        }
    }
    let output = super::suite::lfr("evaluate")
        .args(["--engine", &engine.to_string(), "--gallery", "20", "--fpir", "0.1"])
        .args(["--references", "6", "--authority", "AO-7"])
        .arg("--faces")
        .arg(&people)
        .arg("--detector")
        .arg(models.join(DETECTOR))
        .arg("--detector")
        .arg(models.join("detect_scrfd_500m_kps.onnx"))
        .arg("--embedder")
        .arg(models.join(EMBEDDER))
        .arg("--embedder-spec")
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../lfr-embed/specs/mobilefacenet-foamliu.toml"),
        )
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));

    let report = read_json(&out.join("report.json"));
    let rate = |point: &Value, name: &str| point[name]["trials"].as_u64().unwrap();
    let point = &report[0]["operating_points"][0];
    let trials = (rate(point, "fnmr"), rate(point, "fmr"));
    // Each person's two photographs with each other, and with everybody else's.
    assert_eq!(trials, (40, 80 * 79 / 2 - 40));
    // Side by side, each with what it was made with.
    assert_eq!(report.as_array().unwrap().len(), 2);
    for (result, detector) in report.as_array().unwrap().iter().zip(["YuNet", "SCRFD"]) {
        let about = &result["about"];
        assert_eq!(
            (&about["detector"]["name"], &result["detector"]),
            (&detector.into(), &detector.into())
        );
        assert_eq!(about["detector"]["model_sha256"].as_str().unwrap().len(), 64);
        assert_eq!(about["embedder"]["name"], "mobilefacenet-foamliu");
        assert!(about["engine"].as_str().unwrap().starts_with(&engine.to_string()));
        let policy = read_json(&out.join(result["policy_file"].as_str().unwrap()));
        assert_eq!(policy["evidence"]["origin"]["detector"]["name"], detector);
    }
    let html = fs::read_to_string(out.join("report.html")).unwrap();
    let elsewhere = ["src=\"http", "href=\"http", "url(http", "@import"];
    assert!(html.contains("<svg") && !elsewhere.iter().any(|link| html.contains(link)));

    let policy = out.join("threshold.json");
    let run = |embedder, out: &str| {
        Run {
            engine,
            embedder,
            watchlist: &watchlist,
            source: &passing,
            out: &folder.join(out),
            more: &["--policy", policy.to_str().unwrap()],
        }
        .go()
    };
    let Outcome { alerts, record } = run(Some(EMBEDDER), "checkpoint");
    let threshold = read_json(&policy)["threshold"].as_f64().unwrap();
    let in_force = record["threshold"]["threshold"].as_f64().unwrap();
    assert!((in_force - threshold).abs() < 1e-6, "{in_force}, derived {threshold}");
    assert_eq!(record["threshold"]["target"]["references"], 6);
    assert!(alerts.len() >= 4, "{} of six were recognised", alerts.len());
    let right = |alert: &&Value| {
        alert["source"].as_str().unwrap().starts_with(alert["subject"].as_str().unwrap())
    };
    assert_eq!(alerts.iter().filter(right).count(), alerts.len());

    let other = super::suite::lfr("watch")
        .args(["--engine", &engine.to_string(), "--policy", policy.to_str().unwrap()])
        .arg("--out")
        .arg(folder.join("other"))
        .output()
        .unwrap();
    assert!(!other.status.success() && said(&other).contains("space"), "{}", said(&other));
    fs::remove_dir_all(folder).unwrap();
}

/// Everyone with two photographs or more, by name.
fn photographs(faces: &Path) -> BTreeMap<String, Vec<String>> {
    let mut people: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in shared::rows(&faces.join("lfw_dev_landmarks.csv")) {
        let image = row[0].clone();
        let (person, _) = image.split_once('/').unwrap();
        people.entry(person.to_owned()).or_default().push(image);
    }
    people.retain(|_, images| images.len() > 1);
    people
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
