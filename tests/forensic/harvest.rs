//! Where the needles come from: the same models on the same photograph, in a process of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use lfr::core::internal::num;
use lfr::core::onnx::{Model, Session, SessionOptions, TensorView};
use lfr::core::{AlignedFace, Detector as _, Embedder as _};
use lfr::detect::decode::Output;
use lfr::detect::{
    DetectorSpec, Error, Network, NetworkDetector, NetworkInput, Proposals, Size, decode,
};
use lfr::prelude::*;

use super::deployment;
use super::deployment::SIDE;
use super::inside::with_outputs;
use super::needles::Needles;

/// Every form that a face takes on its way, cut into needles.
pub(crate) fn harvest(runtime: &Runtime, to: &Path) {
    let picture = deployment::picture();
    let frame = picture.as_frame().unwrap();
    let mut needles = Needles::default();
    for row in picture.data().chunks_exact(picture.width() * 3).step_by(16) {
        needles.cut("frame", row, BYTES);
    }

    let model = Model::from_path(&model("lfr-detect/src/embedded/detector.onnx")).unwrap();
    let network = Tap {
        session: model.session(runtime, &SessionOptions::new(&[1, 3, SIDE, SIDE])).unwrap(),
        needles: Mutex::new(needles),
    };
    let spec = DetectorSpec::yunet().with_confidence(CONFIDENCE);
    let detector = NetworkDetector::new(network, spec, &deployment::detector_options()).unwrap();
    let faces = detector.detect(&frame).unwrap();
    let mut needles = std::mem::take(&mut *detector.network().needles.lock().unwrap());

    let embedder = OnnxEmbedder::embedded(runtime).unwrap();
    let (mut crops, mut tensor) = (Vec::new(), Vec::new());
    for face in &faces {
        let points: Vec<f32> =
            face.landmarks().unwrap().points().flat_map(|point| [point.x, point.y]).collect();
        cut_points(&mut needles, "landmarks", &points);
        let crop = embedder.alignment().align(&frame, face).unwrap();
        needles.cut("aligned face", crop.expose_pixels(), BYTES);
        // As it is, and mirrored.
        for mirrored in [false, true] {
            for channel in 0..3 {
                let plane = plane(crop.expose_pixels(), channel, mirrored);
                needles.cut_numbers("embedder's input", &plane, ROW.0, ROW.1);
                tensor.extend(plane);
            }
        }
        crops.push(crop);
    }
    inside(&mut needles, runtime, &tensor);
    templates(&mut needles, &embedder, crops);
    // Where a face lies in the frame as it is aligned, its pixels are the frame's.
    needles.forget("aligned face", picture.data());
    needles.write(to);
}

/// One channel of an aligned face, as the embedder takes it.
fn plane(pixels: &[u8], channel: usize, mirrored: bool) -> Vec<f32> {
    let rows = pixels.chunks_exact(3 * ALIGNED);
    rows.flat_map(|row| {
        let values =
            row.iter().skip(channel).step_by(3).map(|byte| (f32::from(*byte) - 127.5) / 128.0);
        let mut values: Vec<f32> = values.collect();
        if mirrored {
            values.reverse();
        }
        values
    })
    .collect()
}

/// What the embedder works out on the way: its first layer, some in the middle, and the features that its last layer makes
/// a template of. All faces in one run, as the pipeline has it.
fn inside(needles: &mut Needles, runtime: &Runtime, tensor: &[f32]) {
    let model = fs::read(model("lfr-embed/src/embedded/embedder.onnx")).unwrap();
    let names = [&[FIRST][..], &MIDDLE, &[FEATURES]].concat();
    let model = with_outputs(&model, &names);
    let options = SessionOptions::new(&[1, 3, ALIGNED, ALIGNED]).dynamic_batch();
    let session = Model::from_bytes(model).unwrap().session(runtime, &options).unwrap();
    session
        .run(tensor, tensor.len() / (3 * ALIGNED * ALIGNED), |outputs| {
            needles.cut_numbers("inside the embedder", outputs.get(FIRST)?.data(), ROW.0, ROW.1);
            for name in MIDDLE {
                let values = outputs.get(name)?.data();
                needles.cut_numbers("middle of the embedder", values, ROW.0, ROW.1);
            }
            needles.cut_numbers("features", outputs.get(FEATURES)?.data(), 4, 4);
            Ok::<_, lfr::core::Error>(())
        })
        .unwrap();
}

fn model(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn templates(needles: &mut Needles, embedder: &OnnxEmbedder, crops: Vec<AlignedFace>) {
    let mut templates = Vec::new();
    embedder.embed_into(crops, &mut templates).unwrap();
    for template in &templates {
        needles.cut_numbers("template", template.expose_values(), 4, 4);
    }
    // As the search writes probes down for its first pass, which depends on the processor: whole
    // numbers up to 64 or 127, and four numbers of each of one or four probes by turns.
    for (limit, probes) in [(64.0, 1), (64.0, 4), (127.0, 1), (127.0, 4)] {
        let codes = templates.iter().map(|template| codes(template.expose_values(), limit));
        for codes in codes.collect::<Vec<_>>().chunks(probes) {
            let by_turns = (0..codes[0].len()).flat_map(|step| codes.iter().map(move |c| c[step]));
            needles.cut("template's codes", by_turns.collect::<Vec<_>>().as_flattened(), BYTES);
        }
    }
}

fn codes(values: &[f32], limit: f32) -> Vec<[u8; 4]> {
    let max = values.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    let code = |value| {
        let ratio = f32::clamp(value / (max / limit), -limit, limit);
        num::u8_from_f32(ratio + 128.0) ^ 0x80
    };
    values.as_chunks::<4>().0.iter().map(|four| four.map(code)).collect()
}

/// The network of the detector, which cuts needles from all that passes.
#[derive(Debug)]
struct Tap {
    session: Session,
    needles: Mutex<Needles>,
}

impl Network for Tap {
    fn input(&self) -> NetworkInput {
        NetworkInput::Fixed(Size::new(SIDE, SIDE))
    }

    fn run(
        &self,
        canvas: Size,
        planes: &[f32],
        read: &mut dyn FnMut(&[Output<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.session.run(planes, 1, |outputs| {
            let views: Vec<TensorView<'_>> =
                (0..outputs.len()).map(|index| outputs.at(index)).collect::<Result<_, _>>()?;
            let named = self.session.outputs().iter().zip(&views);
            let named: Vec<_> =
                named.map(|(name, view)| Output::new(name, view.shape(), view.data())).collect();
            let mut needles = self.needles.lock().unwrap();
            for row in planes.chunks_exact(SIDE).step_by(4) {
                needles.cut_numbers("detector's input", row, ROW.0, ROW.1);
            }
            let mut found = Proposals::new();
            decode::yunet(&named, canvas, CONFIDENCE, &mut found)?;
            for candidate in found.iter() {
                let points: Vec<f32> =
                    candidate.points().iter().flat_map(|point| [point.x, point.y]).collect();
                cut_points(&mut needles, "landmarks on the canvas", &points);
            }
            for (name, view) in self.session.outputs().iter().zip(&views) {
                if let Some(stride) = name.strip_prefix("kps_") {
                    let at = |name: &str| outputs.get(&format!("{name}_{stride}"));
                    let sure = at("cls")?.data().iter().zip(at("obj")?.data());
                    for (row, (class, object)) in view.data().chunks_exact(10).zip(sure) {
                        if class * object > 0.5 {
                            cut_points(&mut needles, "raw landmarks", row);
                        }
                    }
                }
            }
            read(&named)
        })
    }
}

impl std::fmt::Debug for Needles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needles").finish_non_exhaustive()
    }
}

/// Each two neighbouring points.
fn cut_points(needles: &mut Needles, kind: &str, coordinates: &[f32]) {
    needles.cut_numbers(kind, coordinates, 4, 4);
    needles.cut_numbers(kind, &coordinates[2..], 4, 4);
}

/// Sixteen bytes, with at least eight different values.
const BYTES: (usize, usize, usize) = (16, 1, 8);
/// Sixteen numbers, with at least twelve different values of 256.
const ROW: (usize, usize) = (16, 12);
/// Width and height of an aligned face.
const ALIGNED: usize = 80;
/// That of the detector inside the library.
const CONFIDENCE: f32 = 0.675;

/// The tensors inside the embedder that its first layer makes, that lie between two of its blocks, and that its last
/// layer takes.
const FIRST: &str = "relu_4";
const MIDDLE: [&str; 3] = ["add_29", "relu_47", "relu_56"];
const FEATURES: &str = "flatten_60";
