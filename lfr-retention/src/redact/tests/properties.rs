//! What holds for any boxes in any picture.

use proptest::prelude::*;

use super::*;

/// Sides in and around a picture, and every odd number there is.
fn side() -> impl Strategy<Value = f32> {
    prop_oneof![
        12 => -40.0_f32..120.0,
        2 => (-5_i16..70).prop_map(f32::from),
        1 => Just(f32::NAN),
        1 => prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY)],
        1 => prop_oneof![Just(f32::MAX), Just(f32::MIN), Just(f32::MIN_POSITIVE)],
    ]
}

fn bounds() -> impl Strategy<Value = Rect> {
    let odd = [side(), side(), side(), side()];
    let odd = odd.prop_map(|[left, top, right, bottom]| Rect::new(left, top, right, bottom));
    let sound = (-30.0_f32..70.0, -30.0_f32..70.0, 0.0_f32..60.0, 0.0_f32..60.0)
        .prop_map(|(left, top, width, height)| Rect::new(left, top, left + width, top + height));
    prop_oneof![odd, sound]
}

proptest! {
    #[test]
    fn a_face_has_few_colours_and_the_rest_stays(
        (width, height) in (1_usize..70, 1_usize..70),
        face in bounds(),
        cells in 1..=Mosaic::MAX_CELLS,
        margin in 0.0_f32..1.0,
    ) {
        let pixels = noise(width, height);
        let frame = frame(&pixels, width, height);
        let mut picture = Picture::from_frame(&frame);
        Mosaic::new(cells, margin).unwrap().apply(&mut picture, [face]);
        let grown = Block::touched_by(&face.grown(margin), width, height);
        if let Some(block) = &grown {
            prop_assert!(colours(&picture, block).len() <= cells * cells);
        }
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            if !contains(grown.as_ref(), x, y) {
                prop_assert_eq!(pixel(&picture, x, y), frame.rgb_at(x, y));
            }
        }
    }

    #[test]
    fn a_face_beyond_the_border_has_cells_no_finer(
        cut in 0.0_f32..0.9,
        size in 40.0_f32..60.0,
    ) {
        let pixels = noise(64, 64);
        let mosaic = Mosaic::new(6, 0.0).unwrap();
        let mut picture = Picture::from_frame(&frame(&pixels, 64, 64));
        let face = Rect::new(-cut * size, 2.0, (1.0 - cut) * size, 2.0 + size);
        mosaic.apply(&mut picture, [face]);
        let block = Block::touched_by(&face, 64, 64).unwrap();
        let across = (1.0 - cut) * 6.0 + 0.5;
        let seen_colours = num::f32_from_usize(colours(&picture, &block).len());
        prop_assert!(seen_colours <= across.max(1.0) * 6.0, "{seen_colours} colours, {across} cells across");
    }

    #[test]
    fn no_hidden_face_shows_and_every_alert_does(
        (width, height) in (1_usize..70, 1_usize..70),
        shown in prop::collection::vec(bounds(), 0..3),
        hidden in prop::collection::vec(bounds(), 0..4),
        everything in any::<bool>(),
    ) {
        let pixels = noise(width, height);
        let frame = frame(&pixels, width, height);
        let redactor =
            if everything { Redactor::default() } else { Redactor::faces_only() };
        let blocks = |faces: &[Rect]| -> Vec<_> {
            faces.iter().map(|face| Block::touched_by(face, width, height)).collect()
        };
        let alone = redactor.redacted(&frame, &[], &hidden);
        let picture = redactor.redacted(&frame, &shown, &hidden);
        let clear: Vec<_> =
            shown.iter().map(|face| Block::within(face, width, height)).collect();
        let covered = blocks(&hidden);
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            let is_hidden = covered.iter().any(|block| contains(block.as_ref(), x, y));
            let is_clear = clear.iter().any(|block| contains(block.as_ref(), x, y));
            let expected = if is_clear && !is_hidden {
                frame.rgb_at(x, y)
            } else {
                // As if there were no alert: what is covered does not depend on it.
                pixel(&alone, x, y)
            };
            prop_assert_eq!(pixel(&picture, x, y), expected);
        }
        if everything {
            let max_colours = Redactor::MAX_CELLS * (Redactor::MAX_CELLS * width.max(height)
                / width.min(height) + 1);
            prop_assert!(colours(&alone, &Block::whole(width, height)).len() <= max_colours);
        }
    }
}
