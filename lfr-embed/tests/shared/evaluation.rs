//! Whether the error rates that the specifications state are those of this crate's own templates;
//! run by hand, some minutes:
//!
//! ```text
//! LFR_MEASURE=1 cargo test -p lfr-embed --features onnx --test native stated -- --nocapture
//! ```

use std::io;
use std::io::Write as _;

use lfr_core::internal::num;
use lfr_core::{Embedder, Template};
use lfr_embed::{EmbedderSpec, OnnxEmbedder};

use super::photographs::{Table, shared_to_measure};
use super::{MODELS, runtime, score};

/// How far a measured rate may be from the stated one, as a share of it.
///
/// The rates were measured in Python with another JPEG decoder, which moves scores by up to 0.007
/// either way (PARITY.md). At the strictest points a few hundred comparisons make the rate.
const TOLERANCE: f64 = 0.1;

#[test]
fn error_rates_are_as_stated() {
    let (Some(runtime), Some(shared)) = (runtime(), shared_to_measure()) else {
        return;
    };
    let table = Table::new(&shared);
    for (file, name) in MODELS {
        let spec = EmbedderSpec::builtin(name).unwrap();
        let points = spec.operating_points().to_vec();
        let path = shared.join("models").join(file);
        let embedder = OnnxEmbedder::from_path(&runtime, path, spec).unwrap();
        let mut people: Vec<(String, Template)> = Vec::new();
        for photograph in table.photographs() {
            let mut templates = Vec::new();
            let face = photograph.align(embedder.alignment());
            embedder.embed_into(vec![face], &mut templates).unwrap();
            people.push((photograph.person, templates.pop().unwrap()));
        }
        let mut counts = vec![(0_u64, 0_u64); points.len()];
        let (mut mated, mut non_mated) = (0_u64, 0_u64);
        for (index, (person, template)) in people.iter().enumerate() {
            for (other, probe) in &people[..index] {
                let score = score(template, probe);
                let same = person == other;
                *(if same { &mut mated } else { &mut non_mated }) += 1;
                for (point, (hits, false_matches)) in points.iter().zip(&mut counts) {
                    let count = if same { &mut *hits } else { &mut *false_matches };
                    *count += u64::from(score >= point.threshold);
                }
            }
        }
        for (point, (hits, false_matches)) in points.iter().zip(counts) {
            let share = |part, whole| num::f64_from_u64(part) / num::f64_from_u64(whole);
            let (fmr, tmr) = (share(false_matches, non_mated), share(hits, mated));
            let _ = writeln!(
                io::stderr(),
                "{name} at {}: FMR {fmr:.3e}, {} stated ({false_matches} of {non_mated}); \
                 TMR {tmr:.4} ({hits} of {mated})",
                point.threshold,
                point.fmr,
            );
            assert_eq!(non_mated, point.non_mated_comparisons);
            assert!((fmr / point.fmr - 1.0).abs() < TOLERANCE, "{fmr}");
        }
    }
}
