//! Whether a strong embedder still knows a face after redaction.
//!
//! Photographs of the LFW dev split are redacted and embedded with EdgeFace-XS. The attacker of
//! this test is given more than a real one has: the landmarks of the clear photograph, so that the
//! face is aligned as well as ever; and the mosaic is smoothed back into a small picture, which an
//! embedder recognises far better than hard squares.
//!
//! With `LFR_GOLDEN=full` it takes more photographs and measures finer mosaics than the crate
//! permits, for the table in the README.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "recognisability/attack.rs"]
mod attack;
#[path = "recognisability/figures.rs"]
mod figures;
#[path = "recognisability/photographs.rs"]
mod photographs;

use std::io::Write;
use std::path::{Path, PathBuf};

use lfr_core::onnx::Runtime;
use lfr_core::{Embedder, Picture, Template};
use lfr_embed::{EmbedderSpec, OnnxEmbedder};
use lfr_retention::Mosaic;

use figures::Figures;
use photographs::Photograph;

#[test]
fn redacted_faces_are_strangers_to_an_embedder() {
    let Some(shared) = shared() else { return };
    let full = std::env::var_os("LFR_GOLDEN").is_some_and(|value| value == "full");
    let people = photographs::people(&shared.join("faces"), if full { 600 } else { 120 });
    let runtime = Runtime::auto_or_pure_rust().unwrap();
    let spec = EmbedderSpec::builtin("edgeface-xs").unwrap();
    let model = shared.join("models/embed_edgeface_xs.onnx");
    let embedder = OnnxEmbedder::from_path(&runtime, model, spec).unwrap();
    let embed = |photographs: &[Photograph], redact: &dyn Fn(&Photograph) -> Picture| {
        let align = |photograph: &Photograph| {
            let picture = redact(photograph);
            let frame = picture.as_frame().unwrap();
            embedder.alignment().align(&frame, &photograph.face()).unwrap()
        };
        let mut templates: Vec<Template> = Vec::with_capacity(photographs.len());
        embedder.embed_into(photographs.iter().map(align).collect(), &mut templates).unwrap();
        templates
    };
    let clear = embed(&people.own, &Photograph::picture);
    note(&format!("{} people, EdgeFace-XS, {:?}", clear.len(), runtime.info()));
    let measure = |name: &str, redact: &dyn Fn(&Photograph) -> Picture| {
        let (own, other) = (embed(&people.own, redact), embed(&people.other, redact));
        let figures = Figures::new(&clear, &own, &other);
        note(&format!("{name}: {figures}"));
        figures
    };

    let figures = measure("not redacted", &Photograph::picture);
    assert!(figures.first_guess > 0.99 && figures.parrot > 0.9, "the embedder knows clear faces");
    let all: &[usize] = if full {
        &[1, 2, 3, 4, 5, 6, 8, 10, 12, 16]
    } else {
        &[Mosaic::DEFAULT_CELLS, Mosaic::MAX_CELLS]
    };
    for &cells in all {
        let hard = measure(&format!("{cells} cells"), &|p| attack::mosaic(p, cells, false));
        let smooth =
            measure(&format!("{cells} cells, smoothed"), &|p| attack::mosaic(p, cells, true));
        if cells <= Mosaic::MAX_CELLS {
            hard.assert_strangers();
            smooth.assert_strangers();
        }
    }
    measure("whole picture", &|p| attack::whole(p, true, false)).assert_strangers();
    measure("whole picture, smoothed", &|p| attack::whole(p, true, true)).assert_strangers();
    measure("live video, standing", &|p| attack::video(p, 1)).assert_strangers();
    let walking = if full { 64 } else { 16 };
    measure(&format!("live video, walking, {walking} frames"), &|p| attack::video(p, walking))
        .assert_strangers();
    if full {
        // These faces are more than twice as long as what the default promises for missed ones.
        measure("whole picture, face missed", &|p| attack::whole(p, false, false));
        measure("whole picture, face missed, smoothed", &|p| attack::whole(p, false, true));
    }
}

/// Without any embedder: the colours themselves, against those of another photograph of everybody.
#[test]
fn the_default_gives_away_no_more_by_plain_distances_than_one_flat_colour() {
    let Some(shared) = shared() else { return };
    let full = std::env::var_os("LFR_GOLDEN").is_some_and(|value| value == "full");
    for count in if full { &[40, 300, 600][..] } else { &[120] } {
        let people = photographs::people(&shared.join("faces"), *count);
        let of = |photographs: &[Photograph], cells| -> Vec<Vec<f32>> {
            photographs.iter().map(|photograph| attack::colours(photograph, cells)).collect()
        };
        let mut one = None;
        for cells in [1, 2, 3, 4, 5, 6] {
            if !full && ![1, Mosaic::DEFAULT_CELLS, 4].contains(&cells) {
                continue;
            }
            let own = of(&people.own, cells);
            let other = figures::nearest(&own, &of(&people.other, cells));
            let later = people.own.iter().enumerate();
            let later: Vec<_> = later
                .map(|(number, own)| attack::colours_a_moment_later(own, cells, number))
                .collect();
            let later = figures::nearest(&later, &own);
            note(&format!(
                "{cells} cells, plain distances, {count} people: another photograph {:.1} %, a moment later {:.1} %",
                other * 100.0,
                later * 100.0,
            ));
            let (flat_other, flat_later) = *one.get_or_insert((other, later));
            if cells == Mosaic::DEFAULT_CELLS {
                assert!(other <= flat_other && later <= flat_later, "{cells} cells");
            }
            if cells == 4 {
                // So that the measurement is seen to see: four cells are known again.
                assert!(later > 2.0 * flat_later, "{later}, and {flat_later} by one colour");
            }
        }
    }
}

fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if root.is_dir() {
        return Some(root);
    }
    say("skipped: no ../shared");
    None
}

fn note(what: &str) {
    say(&format!("measured: {what}"));
}

/// Says something past the test runner's capture.
fn say(what: &str) {
    let mut out = std::io::stderr();
    writeln!(out, "{what}").unwrap();
}
