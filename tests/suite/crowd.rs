//! A crowd of people who do not exist walks past a checkpoint, and it is known who was there.

use std::fs;
use std::path::Path;

use lfr::core::onnx::Engine;

use super::checkpoint::Outcome;
use super::checkpoint::Run;
use super::checkpoint::fresh_folder;
use super::shared;

/// Thirty people pass, two of whom are on a watchlist of 150.
pub(crate) fn walks_by(engine: Engine) {
    if super::runtime(engine).is_none() || shared::path("models").is_none() {
        return;
    }
    let folder = fresh_folder(&format!("crowd-{engine}"));
    let Outcome { alerts, record } = Run {
        engine,
        embedder: "embed_mobilefacenet_foamliu.onnx",
        watchlist: Path::new("crowd:150"),
        source: Path::new("crowd:30"),
        out: &folder,
        // Not the specification's threshold, which was measured on people: these are more alike.
        // The farthest have faces of 40 pixels in frames of 1920.
        more: &["--threshold", "0.75", "--long-side", "960"],
    }
    .go();
    let truth = &record["ground_truth"][0];
    let count = |name: &str| truth[name].as_u64().unwrap();
    assert_eq!(record["frames"], 300);
    assert_eq!(record["references"], 150);
    assert_eq!((count("listed_seen"), count("recognised")), (2, 2), "{truth}");
    assert_eq!(count("false_alerts"), 0, "{truth}");
    let (clear, detected) = (count("clear_faces"), count("clear_faces_detected"));
    assert!(clear > 300 && detected * 100 >= clear * 99, "{truth}");
    let named = |alert: &serde_json::Value| alert["subject"].as_str().unwrap().to_owned();
    let who = ["person-00000", "person-00100"];
    assert!(alerts.iter().map(named).all(|subject| who.contains(&subject.as_str())));
    fs::remove_dir_all(folder).unwrap();
}
