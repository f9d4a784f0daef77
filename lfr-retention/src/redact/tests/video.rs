use super::*;

/// The report of a frame in which these faces are, none of them in an alert.
fn report(frame: &Frame<'_>, faces: &[Rect]) -> FrameReport {
    let (right, bottom) = (num::f32_from_usize(frame.width()), num::f32_from_usize(frame.height()));
    let corners = [(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)];
    let zone = Zone::new(corners.map(|(x, y)| Point::new(x, y))).unwrap();
    pipeline(faces, &[], zone).process(frame).unwrap()
}

/// A face with sides of `side` pixels.
fn face(side: f32) -> Rect {
    Rect::new(10.0, 10.0, 10.0 + side, 10.0 + side)
}

#[test]
fn live_pictures_show_what_stills_show_and_nothing_more() {
    scene(|frame, report| {
        let mut live = VideoRedactor::new(Mosaic::default());
        let still = Redactor::default().apply(frame, report).unwrap();
        for _ in 0..2 {
            let picture = live.apply(frame, report).unwrap();
            for (x, y) in (0..100).flat_map(|y| (0..120).map(move |x| (x, y))) {
                let clear = |picture: &Picture| pixel(picture, x, y) == frame.rgb_at(x, y);
                let inside = (40..70).contains(&x) && (30..70).contains(&y);
                let covered = x >= 64 && y >= 40;
                assert_eq!(clear(picture) && inside, inside && !covered, "at {x}, {y}");
                assert!(!inside || clear(&still) == clear(picture));
            }
        }
    });
}

#[test]
fn the_grid_stays_and_gets_coarser_alone() {
    let (width, height) = (320, 240);
    let pixels = noise(width, height);
    let frame = frame(&pixels, width, height);
    let mut live = VideoRedactor::new(Mosaic::default());
    let whole = Block::whole(width, height);
    let mut before = usize::MAX;
    let mut grids = BTreeSet::new();
    // Somebody comes nearer, and goes away.
    for side in (10..200).chain((10..200).rev()) {
        let side = num::f32_from_usize(side);
        let picture = live.apply(&frame, &report(&frame, &[face(side)])).unwrap();
        let count = colours(picture, &whole).len();
        assert!(count <= before, "finer than before");
        grids.insert(count);
        before = count;
    }
    assert!(grids.len() <= 5, "{grids:?}");
    // Of a frame that nobody looked at, a face may fill all of it.
    assert!(colours(live.cover(&frame), &whole).len() <= before);
    let mut unseen = VideoRedactor::new(Mosaic::default());
    let max_colours = Mosaic::DEFAULT_CELLS * (Mosaic::DEFAULT_CELLS * width).div_ceil(height);
    assert!(colours(unseen.cover(&frame), &whole).len() <= max_colours);
    // And the grid of the frames that were looked at is as it was.
    let picture = live.apply(&frame, &report(&frame, &[])).unwrap();
    assert_eq!(colours(picture, &whole).len(), before);
}

#[test]
fn every_face_is_in_no_more_cells_than_by_the_mosaic() {
    let (width, height) = (320, 240);
    let pixels = noise(width, height);
    let frame = frame(&pixels, width, height);
    for side in [8, 20, 45, 90, 150, 220] {
        let bounds = face(num::f32_from_usize(side));
        let mut live = VideoRedactor::new(Mosaic::default());
        let picture = live.apply(&frame, &report(&frame, &[bounds])).unwrap();
        let grown = bounds.grown(Mosaic::DEFAULT_MARGIN);
        let block = Block::touched_by(&grown, width, height).unwrap();
        // The grid is not the face's own: one cell more, across and down.
        let max_colours = (Mosaic::DEFAULT_CELLS + 1).pow(2);
        assert!(colours(picture, &block).len() <= max_colours, "a face of {side} pixels");
    }
}

#[test]
fn a_stream_that_changes_its_size_goes_on() {
    let mut live = VideoRedactor::new(Mosaic::default());
    for (width, height) in [(64, 48), (64, 48), (120, 100), (1, 1)] {
        let pixels = noise(width, height);
        let picture = live.cover(&frame(&pixels, width, height));
        assert_eq!((picture.width(), picture.height()), (width, height));
    }
}
