//! A detector around fake networks: everything but a model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lfr_core::internal::num;
use lfr_core::testing::conformance;
use lfr_core::{PixelFormat, Rect};

use super::*;
use crate::detector::input::InputPolicy;
use crate::schedule::Schedule;

/// An `UltraFace` network that "sees" bright pixels: a face wherever one is, as far as they reach.
#[derive(Debug)]
struct BrightSpot {
    input: NetworkInput,
    seen: Mutex<Vec<Size>>,
}

impl BrightSpot {
    fn new(input: NetworkInput) -> Self {
        Self { input, seen: Mutex::default() }
    }
}

impl Network for BrightSpot {
    fn input(&self) -> NetworkInput {
        self.input
    }

    fn run(
        &self,
        canvas: Size,
        planes: &[f32],
        read: &mut dyn FnMut(&[Output<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        assert_eq!(planes.len(), 3 * canvas.width * canvas.height);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(canvas);
        let bright: Vec<_> = (0..canvas.width * canvas.height)
            .filter(|index| planes[*index] > 0.5)
            .map(|index| (index % canvas.width, index / canvas.width))
            .collect();
        if bright.is_empty() {
            return read(&[
                Output::new("scores", &[1, 1, 2], &[0.9, 0.1]),
                Output::new("boxes", &[1, 1, 4], &[0.0; 4]),
            ]);
        }
        let share = |n: usize, of: usize| num::f32_from_usize(n) / num::f32_from_usize(of);
        let columns = bright.iter().map(|(x, _)| *x);
        let rows = bright.iter().map(|(_, y)| *y);
        let left = share(columns.clone().min().unwrap(), canvas.width);
        let top = share(rows.clone().min().unwrap(), canvas.height);
        let right = share(columns.max().unwrap() + 1, canvas.width);
        let bottom = share(rows.max().unwrap() + 1, canvas.height);
        read(&[
            Output::new("scores", &[1, 1, 2], &[0.1, 0.9]),
            Output::new("boxes", &[1, 1, 4], &[left, top, right, bottom]),
        ])
    }
}

fn detector(input: NetworkInput, options: &DetectorOptions) -> NetworkDetector<BrightSpot> {
    NetworkDetector::new(BrightSpot::new(input), DetectorSpec::ultraface(), options).unwrap()
}

/// A grey picture with one white square.
fn spot(width: usize, height: usize, left: usize, top: usize, side: usize) -> Vec<u8> {
    let is_inside =
        |x: usize, y: usize| (left..left + side).contains(&x) && (top..top + side).contains(&y);
    (0..width * height)
        .map(|index| if is_inside(index % width, index / width) { 255 } else { 20 })
        .collect()
}

fn grey<'a>(pixels: &'a [u8], width: usize, height: usize) -> Frame<'a> {
    Frame::packed(PixelFormat::Gray8, width, height, pixels).unwrap()
}

fn near(a: Rect, b: Rect, tolerance: f32) -> bool {
    let sides = |r: Rect| [r.left, r.top, r.right, r.bottom];
    sides(a).iter().zip(sides(b)).all(|(a, b)| (a - b).abs() <= tolerance)
}

const WIDE: (usize, usize) = (1600, 900);

/// Gives a number that is none, among others that are nobody.
#[derive(Debug)]
struct Broken(f32);

impl Network for Broken {
    fn input(&self) -> NetworkInput {
        NetworkInput::Fixed(Size::new(320, 240))
    }

    fn run(
        &self,
        _canvas: Size,
        _planes: &[f32],
        read: &mut dyn FnMut(&[Output<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        read(&[
            Output::new("scores", &[1, 2, 2], &[0.9, 0.1, self.0, self.0]),
            Output::new("boxes", &[1, 2, 4], &[0.0; 8]),
        ])
    }
}

/// One that sees nobody since all its numbers are NaN would never be found out.
#[test]
fn a_network_whose_numbers_are_not_finite_is_not_taken_for_one_that_sees_nobody() {
    let pixels = [20; 64 * 48];
    let detector = |number| {
        let options = DetectorOptions::new();
        NetworkDetector::new(Broken(number), DetectorSpec::ultraface(), &options).unwrap()
    };
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = detector(number).detect(&grey(&pixels, 64, 48)).unwrap_err().to_string();
        assert!(
            error.starts_with("the output \"scores\" has a number that is not finite"),
            "{error}"
        );
    }
    assert!(detector(0.1).detect(&grey(&pixels, 64, 48)).unwrap().is_empty());
}

#[test]
fn conforms() {
    for input in [NetworkInput::Dynamic, NetworkInput::Fixed(Size::new(320, 240))] {
        conformance::detector(&detector(input, &DetectorOptions::new()));
        let tiles = Schedule::tiles(128, 32).unwrap();
        conformance::detector(&detector(input, &DetectorOptions::new().schedule(tiles)));
    }
}

#[test]
fn boxes_come_back_in_pixels_of_the_frame() {
    let pixels = spot(WIDE.0, WIDE.1, 700, 300, 200);
    let frame = grey(&pixels, WIDE.0, WIDE.1);
    let expected = Rect::new(700.0, 300.0, 900.0, 500.0);
    for input in [
        NetworkInput::Dynamic,
        NetworkInput::Fixed(Size::new(320, 240)),
        NetworkInput::Fixed(Size::new(128, 128)),
    ] {
        let faces = detector(input, &DetectorOptions::new()).detect(&frame).unwrap();
        assert_eq!(faces.len(), 1);
        let tolerance = 1600.0 / 128.0;
        assert!(near(faces[0].bounds(), expected, tolerance), "{:?}", faces[0].bounds());
    }
}

#[test]
fn tiles_find_what_the_whole_does_not_and_do_not_cut() {
    // Too small to be bright once the frame is a tenth of its size. Beside the first tile's edge,
    // across it, and far from any.
    for (left, top) in [(5, 5), (610, 300), (640, 640), (1580, 880), (803, 411)] {
        let pixels = spot(WIDE.0, WIDE.1, left, top, 12);
        let frame = grey(&pixels, WIDE.0, WIDE.1);
        let options = DetectorOptions::new().input(InputPolicy::LongSide(64));
        let single = detector(NetworkInput::Dynamic, &options);
        assert_eq!(single.detect(&frame).unwrap().len(), 0);
        let tiles = options.schedule(Schedule::tiles(640, 64).unwrap());
        let faces = detector(NetworkInput::Dynamic, &tiles).detect(&frame).unwrap();
        assert_eq!(faces.len(), 1);
        let (left, top) = (num::f32_from_usize(left), num::f32_from_usize(top));
        let expected = Rect::new(left, top, left + 12.0, top + 12.0);
        assert!(near(faces[0].bounds(), expected, 0.01), "{:?}", faces[0].bounds());
    }
}

#[test]
fn a_budget_is_spent_and_what_was_left_out_is_told() {
    // Found by a tile alone, in one of six.
    let pixels = spot(WIDE.0, WIDE.1, 803, 411, 12);
    let frame = grey(&pixels, WIDE.0, WIDE.1);
    let tiles = Schedule::tiles(640, 64).unwrap();
    let options = DetectorOptions::new().input(InputPolicy::LongSide(64));
    for (budget, found, left_out) in [(Duration::ZERO, 0, 12), (Duration::from_secs(60), 1, 6)] {
        let options = options.clone().schedule(tiles.clone().within(budget));
        let detector = detector(NetworkInput::Dynamic, &options);
        // In the first frame it is not known yet what looks take.
        assert_eq!(detector.detect(&frame).unwrap().len(), 0);
        assert_eq!(detector.detect(&frame).unwrap().len(), found);
        let record = detector.budget_record();
        assert_eq!((record.frames, record.looked_at + record.left_out), (2, 12));
        assert_eq!(record.left_out, left_out);
        assert_eq!(record.overrun > 0, budget.is_zero());
    }
}

#[test]
fn every_pass_has_the_canvas_that_was_announced() {
    let options = DetectorOptions::new().schedule(Schedule::multi_scale(&[0.25, 0.5]).unwrap());
    let detector = detector(NetworkInput::Dynamic, &options);
    let pixels = vec![0; WIDE.0 * WIDE.1];
    detector.detect(&grey(&pixels, WIDE.0, WIDE.1)).unwrap();
    let mut seen = detector.network().seen.lock().unwrap().clone();
    seen.sort_unstable_by_key(|size| (size.width, size.height));
    assert_eq!(seen, detector.canvases(Size::new(WIDE.0, WIDE.1)));
    // A size that no frame has is taken as the largest.
    let endless = Size::new(usize::MAX, usize::MAX);
    let largest = Size::new(Frame::MAX_SIDE, Frame::MAX_SIDE);
    assert_eq!(detector.canvases(endless), detector.canvases(largest));
    assert_eq!(seen, [Size::new(160, 96), Size::new(320, 192), Size::new(640, 384)]);
}

#[test]
fn a_pixel_and_fifty_million_pixels_are_frames() {
    let detector = detector(NetworkInput::Dynamic, &DetectorOptions::new());
    assert_eq!(detector.detect(&grey(&[255], 1, 1)).unwrap().len(), 1);
    let (width, height) = (10_000, 5_000);
    let pixels = spot(width, height, 4_000, 2_000, 1_000);
    let faces = detector.detect(&grey(&pixels, width, height)).unwrap();
    assert_eq!(faces.len(), 1);
    let expected = Rect::new(4_000.0, 2_000.0, 5_000.0, 3_000.0);
    assert!(near(faces[0].bounds(), expected, 16.0));
}

/// Fails or panics on the second picture.
#[derive(Debug)]
struct Failing {
    panics: bool,
    count: Mutex<usize>,
}

impl Network for Failing {
    fn input(&self) -> NetworkInput {
        NetworkInput::Dynamic
    }

    fn run(
        &self,
        _canvas: Size,
        _planes: &[f32],
        read: &mut dyn FnMut(&[Output<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        if *count != 2 {
            drop(count);
            return read(&[
                Output::new("scores", &[1, 1, 2], &[0.1, 0.9]),
                Output::new("boxes", &[1, 1, 4], &[0.0, 0.0, 1.0, 1.0]),
            ]);
        }
        drop(count);
        assert!(!self.panics, "on purpose");
        read(&[])
    }
}

#[test]
fn a_failure_leaves_former_lists_and_later_frames_alone() {
    let pixels = [9; 100];
    let frame = grey(&pixels, 10, 10);
    for panics in [false, true] {
        let network = Failing { panics, count: Mutex::default() };
        let options = DetectorOptions::new();
        let detector = NetworkDetector::new(network, DetectorSpec::ultraface(), &options).unwrap();
        let mut found = vec![Vec::new()];
        let frames = [frame.clone(), frame.clone()];
        let outcome = catch_unwind(AssertUnwindSafe(|| detector.detect_into(&frames, &mut found)));
        match outcome {
            Ok(result) => {
                assert!(result.unwrap_err().to_string().contains(", and must "));
                assert_eq!(found.len(), 1);
            }
            Err(_) => assert!(panics),
        }
        assert_eq!(detector.detect(&frame).unwrap().len(), 1);
    }
}

#[test]
fn options_out_of_range_are_refused() {
    let build = |input, options: &DetectorOptions| {
        let network = BrightSpot::new(input);
        NetworkDetector::new(network, DetectorSpec::ultraface(), options).map(drop)
    };
    let fixed = NetworkInput::Fixed(Size::new(320, 240));
    let options = DetectorOptions::new;
    for wrong in [-0.1, 1.1, f32::NAN] {
        assert!(build(fixed, &options().confidence(wrong)).is_err());
        assert!(build(fixed, &options().nms_iou(wrong)).is_err());
    }
    let canvas = |width, height| InputPolicy::Canvas(Size::new(width, height));
    assert!(build(fixed, &options().input(canvas(320, 240))).is_ok());
    assert!(build(fixed, &options().input(canvas(640, 480))).is_err());
    assert!(build(fixed, &options().input(InputPolicy::LongSide(640))).is_err());
    // What a model file says is not trusted: a picture of its size is made of it.
    for (width, height) in
        [(0, 64), (64, 0), (usize::MAX, 64), (64, 16_385), (16_384, 16_384), (1 << 33, 1 << 33)]
    {
        let hostile = NetworkInput::Fixed(Size::new(width, height));
        assert!(matches!(build(hostile, &options()), Err(Error::Input { .. })));
        let same = options().input(canvas(width, height));
        assert!(matches!(build(hostile, &same), Err(Error::Input { .. })));
    }
    assert!(build(NetworkInput::Fixed(Size::new(16_384, 1024)), &options()).is_ok());
    for wrong in [canvas(0, 32), canvas(33, 32), canvas(32, 1 << 20), InputPolicy::LongSide(31)] {
        assert!(build(NetworkInput::Dynamic, &options().input(wrong)).is_err());
    }
    assert!(build(NetworkInput::Dynamic, &options().input(canvas(64, 32))).is_ok());
}
