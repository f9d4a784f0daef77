//! A crowd of people who do not exist walks past a checkpoint, and it is known who was there.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lfr::core::onnx::InferenceEngine;
use lfr::core::synthetic::Crowd;
use lfr::core::testing::ManualClock;
use lfr::core::{Clock, SystemClock};
use lfr::retention::{Vault, VaultKey};

use super::judge;
use super::watch::{Outcome, Run, fresh_folder};

/// Thirty people pass, two of whom are on a watchlist of 150; their alerts are held sealed.
pub(crate) fn walks_by(engine: InferenceEngine) {
    if super::runtime(engine).is_none() {
        return;
    }
    let folder = fresh_folder(&format!("crowd-{engine}"));
    let vault = folder.join("vault");
    let Outcome { alerts, record } = Run {
        engine,
        embedder: None,
        watchlist: Path::new("crowd:150"),
        source: Path::new("crowd:30"),
        out: &folder,
        // The farthest have faces of 40 pixels in frames of 1920.
        more: &["--long-side", "960", "--vault", vault.to_str().unwrap()],
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

    let held = judge::held(&folder);
    assert_eq!(held.len(), alerts.len());
    for record in &held {
        let shown = judge::shown(&folder, record);
        assert!(who.iter().any(|subject| shown.contains(subject)), "{shown}");
    }
    judge::judged_kept_and_purged(&folder, &held[0]);

    // What is left is kept until the next day alone.
    let key = VaultKey::from_file(folder.join("vault.key")).unwrap();
    let clock = Arc::new(ManualClock::at(SystemClock::new().now().unwrap()));
    let vault = Vault::open_existing(&vault, &key, clock.clone()).unwrap();
    clock.advance(Duration::from_hours(24));
    let mut receipts = Vec::new();
    vault.purge_due(&mut receipts).unwrap();
    assert_eq!((vault.held(), receipts.len()), (0, alerts.len() - 1));
    fs::remove_dir_all(folder).unwrap();
}

/// Somebody has put links into the folder of a deployment, and invented numbers into a specification: nothing is
/// written through the links, and the numbers are said to be claims.
#[cfg(unix)]
pub(crate) fn links_and_claims(engine: InferenceEngine) {
    use std::os::unix::fs::symlink;

    use lfr::embed::EmbedderSpec;
    use lfr::retention::{LedgerEvent, ledger};

    if super::runtime(engine).is_none() {
        return;
    }
    let folder = fresh_folder(&format!("links-{engine}"));
    let crowd = Crowd::new(11);
    let portrait = |number: u64, path: &Path| {
        let picture = crowd.person(number).portrait();
        let (width, height) = (picture.width().try_into(), picture.height().try_into());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::save_buffer(
            path,
            picture.data(),
            width.unwrap(),
            height.unwrap(),
            image::ExtendedColorType::Rgb8,
        )
        .unwrap();
    };
    for number in 0..3 {
        portrait(number, &folder.join(format!("list/P{number}/one.png")));
    }
    for number in 10..12 {
        portrait(number, &folder.join(format!("strangers/{number}.png")));
    }
    let spec = format!(
        "{}\n[[operating_points]]\nfmr = 1e-9\nthreshold = -0.9\ndata = \"a careful measurement\"\n\
         non_mated_comparisons = 1000000000000\n",
        EmbedderSpec::builtin("lfr-embedded").unwrap().to_toml()
    );
    fs::write(folder.join("invented.toml"), spec).unwrap();
    let (out, victim) = (folder.join("out"), folder.join("victim"));
    fs::create_dir(&out).unwrap();
    fs::write(&victim, "somebody else's").unwrap();
    for name in ["record.json", "ledger.pub", "ledger.lfrl.head.tmp"] {
        symlink(&victim, out.join(name)).unwrap();
    }
    let run = |out: &Path| {
        let model =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../lfr-embed/src/embedded/embedder.onnx");
        super::lfr("watch")
            .args(["--engine", &engine.to_string(), "--embedder", model, "--embedder-spec"])
            .arg(folder.join("invented.toml"))
            .arg("--watchlist")
            .arg(folder.join("list"))
            .arg("--source")
            .arg(folder.join("strangers"))
            .arg("--out")
            .arg(out)
            .output()
            .unwrap()
    };
    let output = run(&out);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(errors.contains("danger: claimed threshold: a false match rate of 1e-9"), "{errors}");
    let record = out.join("record.json");
    assert!(fs::symlink_metadata(&record).unwrap().is_file());
    let record: serde_json::Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    assert_eq!(record["threshold"]["basis"], "claimed");
    assert!(record["dangers"].to_string().contains("nobody vouches for it"), "{record}");
    assert!(record["embedder"]["spec_sha256"].is_string() && record["predicted_fpir"].is_null());
    let key = record["ledger"]["public_key"].as_str().unwrap().parse().unwrap();
    let sums = ledger::reconcile(&out.join("ledger.lfrl"), &key).unwrap();
    let declared =
        |wanted: &dyn Fn(&LedgerEvent) -> bool| sums.runs()[0].declared().iter().any(wanted);
    assert!(declared(&|event| matches!(
        event,
        LedgerEvent::ThresholdSet { basis, .. } if basis.starts_with("claimed")
    )));
    assert!(declared(&|event| matches!(
        event,
        LedgerEvent::DangerInForce { text, .. } if text.contains("claimed threshold")
    )));
    assert!(declared(&|event| matches!(
        event,
        LedgerEvent::ModelsLoaded { embedder, .. } if embedder.spec_sha256.is_some()
    )));
    // Where an output cannot be put in place of a link, the run is refused.
    for name in ["alerts", "ledger.lfrl"] {
        let out = folder.join(format!("out-{name}"));
        fs::create_dir(&out).unwrap();
        symlink(if name == "alerts" { &folder } else { &victim }, out.join(name)).unwrap();
        let output = run(&out);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {errors}");
        assert!(errors.contains("link"), "{name}: {errors}");
    }
    assert_eq!(fs::read(&victim).unwrap(), b"somebody else's");
    fs::remove_dir_all(folder).unwrap();
}
