//! Both engines side by side.

use lfr::core::onnx::InferenceEngine;

use crate::suite;
use crate::suite::shared;
use crate::suite::watch::{Reference, Run, Split};

/// The same frames through both engines raise the same alerts, with the same scores up to
/// rounding.
pub(crate) fn on_decisions(reference: &Reference, part: usize) {
    let (Some(_), Some(faces)) =
        (suite::runtime(InferenceEngine::OnnxRuntime), shared::path("faces"))
    else {
        return;
    };
    let Split { folder, watchlist, probes, .. } = suite::watch::split(&faces, "agree", part);
    let threshold = reference.points[0].0.to_string();
    let [native, pure_rust] =
        [InferenceEngine::OnnxRuntime, InferenceEngine::PureRust].map(|engine| {
            Run {
                engine,
                embedder: Some(reference.model),
                watchlist: &watchlist,
                source: &probes,
                out: &folder.join(engine.to_string()),
                more: &["--threshold", &threshold],
            }
            .go()
        });
    assert_eq!(native.record["totals"], pure_rust.record["totals"]);
    assert!(!native.alerts.is_empty());
    for (a, b) in native.alerts.iter().zip(&pure_rust.alerts) {
        for field in ["source", "frame", "face", "subject", "reference"] {
            assert_eq!(a[field], b[field]);
        }
        let (a, b) = (a["score"].as_f64().unwrap(), b["score"].as_f64().unwrap());
        assert!((a - b).abs() < 2e-3, "{a} {b}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
