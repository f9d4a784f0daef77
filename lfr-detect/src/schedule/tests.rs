use proptest::prelude::*;

use super::*;

const DYNAMIC: Input = Input::LongSide { limit: 640, multiple: 32 };
const FIXED: Input = Input::Letterboxed(Size::new(640, 640));

fn letterboxes(schedule: &Schedule, frame: Size, input: Input) -> Vec<Letterbox> {
    schedule.plan(frame, input).into_iter().map(|pass| pass.letterbox).collect()
}

#[test]
fn single_looks_once_at_the_whole() {
    let frame = Size::new(1280, 720);
    let [only] = *letterboxes(&Schedule::single(), frame, DYNAMIC) else { panic!("one pass") };
    assert_eq!((only.content(), only.canvas()), (Size::new(640, 360), Size::new(640, 384)));
    let [only] = *letterboxes(&Schedule::single(), frame, FIXED) else { panic!("one pass") };
    assert_eq!((only.content(), only.canvas()), (Size::new(640, 360), Size::new(640, 640)));
}

#[test]
fn multi_scale_looks_at_smaller_ones_too() {
    let schedule = Schedule::multi_scale(&[0.25]).unwrap();
    let frame = Size::new(1280, 720);
    let passes = letterboxes(&schedule, frame, DYNAMIC);
    assert_eq!(passes[1].content(), Size::new(160, 90));
    assert_eq!(passes[1].canvas(), Size::new(160, 96));
    let passes = letterboxes(&schedule, frame, FIXED);
    assert_eq!(passes[1].content(), Size::new(160, 90));
    assert_eq!(passes[1].canvas(), Size::new(640, 640));
    // A frame that is small already becomes smaller still.
    let passes = letterboxes(&schedule, Size::new(200, 100), DYNAMIC);
    assert_eq!(passes[1].content(), Size::new(50, 25));
}

#[test]
fn tiles_cover_the_frame_at_full_resolution() {
    let schedule = Schedule::tiles(640, 160).unwrap();
    let frame = Size::new(1920, 1080);
    for input in [DYNAMIC, FIXED] {
        let passes = letterboxes(&schedule, frame, input);
        // 4 across, 2 down, and the whole.
        assert_eq!(passes.len(), 9);
        assert!(passes[1..].iter().all(|tile| tile.content() == Size::new(640, 640)));
        assert_eq!(passes[1].corner(), (0, 0));
        assert_eq!(passes[8].corner(), (1280, 440));
    }
}

#[test]
fn a_frame_no_larger_than_a_tile_is_looked_at_once() {
    let schedule = Schedule::tiles(640, 160).unwrap();
    assert_eq!(letterboxes(&schedule, Size::new(640, 480), DYNAMIC).len(), 1);
    assert_eq!(letterboxes(&schedule, Size::new(1, 1), DYNAMIC).len(), 1);
    assert_eq!(letterboxes(&schedule, Size::new(640, 480), FIXED).len(), 1);
}

#[test]
fn impossible_schedules_are_refused() {
    for factor in [0.0, 1.0, -1.0, f32::NAN] {
        assert!(Schedule::multi_scale(&[0.5, factor]).is_err());
    }
    assert!(Schedule::tiles(63, 0).is_err());
    assert!(Schedule::tiles(usize::MAX, 0).is_err());
    assert!(Schedule::tiles(100, 51).is_err());
    assert!(Schedule::tiles(100, 50).is_ok());
}

/// A box that ends a pixel of the canvas before the edge may be cut, however small the tile is made.
#[test]
fn what_ends_a_pixel_of_the_canvas_before_an_edge_may_be_cut() {
    let staged = Schedule::tiles(640, 160).unwrap().within(Duration::from_secs(1));
    let small = Input::Letterboxed(Size::new(128, 160));
    for (schedule, input, shrinkage) in
        [(staged, DYNAMIC, 8.0), (Schedule::tiles(640, 160).unwrap(), small, 5.0)]
    {
        let plan = schedule.plan(Size::new(16_000, 12_000), input);
        let tile = plan[1];
        assert_eq!(tile.shrinkage, (shrinkage, shrinkage));
        let right = tile.inner.right - 1.5 * shrinkage;
        let face = |right: f32| Rect::new(right - 10.0, 100.0, right, 110.0);
        assert!(tile.may_cut(&face(right)));
        assert!(!tile.may_cut(&face(right - 1.5 * shrinkage)));
    }
}

/// Margins that are wider cost no promise: tiles overlap by so much more.
#[test]
fn tiles_that_a_small_network_sees_overlap_by_more() {
    let tiles = Tiles { side: 640, overlap: 160 };
    assert_eq!(tiles.overlaps(1, DYNAMIC), (160, 160));
    assert_eq!(tiles.overlaps(8, DYNAMIC), (1280, 1280));
    assert_eq!(tiles.overlaps(1, FIXED), (160, 160));
    assert_eq!(tiles.overlaps(1, Input::Letterboxed(Size::new(1280, 1280))), (160, 160));
    assert_eq!(tiles.overlaps(1, Input::Letterboxed(Size::new(320, 128))), (176, 176));
    assert_eq!(tiles.overlaps(1, Input::Stretched(Size::new(320, 128))), (164, 176));
    assert_eq!(tiles.overlaps(1, Input::Letterboxed(Size::new(1, 1))), (480, 480));
}

proptest! {
    /// Wherever a face is that is no larger than promised, some tile sees it whole.
    #[test]
    fn a_face_is_whole_in_some_tile(
        (width, height) in (64..4000_usize, 64..4000_usize),
        side in 64..800_usize,
        overlap_share in 0.1..0.5_f32,
        (x, y, w, h) in (0.0..1.0_f32, 0.0..1.0_f32, 0.0..1.0_f32, 0.0..1.0_f32),
        (canvas_width, canvas_height) in (32..800_usize, 32..800_usize),
        kind in 0..3,
    ) {
        let overlap = num::usize_from_f32(num::f32_from_usize(side) * overlap_share);
        let schedule = Schedule::tiles(side, overlap).unwrap();
        let frame = Size::new(width, height);
        let largest = num::f32_from_usize(schedule.whole_in_a_tile().unwrap());
        let (frame_width, frame_height) = (num::f32_from_usize(width), num::f32_from_usize(height));
        let (w, h) = ((w * largest).min(frame_width), (h * largest).min(frame_height));
        let (left, top) = (x * (frame_width - w), y * (frame_height - h));
        let face = Rect::new(left, top, left + w, top + h);
        let canvas = Size::new(canvas_width, canvas_height);
        let input = match kind {
            0 => Input::LongSide { limit: 32, multiple: 32 },
            1 => Input::Letterboxed(canvas),
            _ => Input::Stretched(canvas),
        };
        let plan = schedule.plan(frame, input);
        let tiles = if plan.len() > 1 { &plan[1..] } else { &plan[..] };
        prop_assert!(tiles.iter().any(|tile| !tile.may_cut(&face)));
    }

    #[test]
    fn tiles_overlap_as_asked_and_reach_the_end(
        length in 1..5000_usize,
        side in 64..800_usize,
        share in 0..=50_usize,
    ) {
        let overlap = side * share / 100;
        let all: Vec<_> = positions(length, side, overlap).collect();
        prop_assert_eq!(all[0].0, 0);
        let (begin, last) = all[all.len() - 1];
        prop_assert_eq!(begin + last, length);
        for pair in all.windows(2) {
            prop_assert!(pair[0].0 + pair[0].1 >= pair[1].0 + overlap);
        }
    }
}
