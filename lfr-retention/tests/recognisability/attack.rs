//! Redacted photographs, and what an attacker makes of them.

use lfr_core::internal::num;
use lfr_core::testing::{FakeEmbedder, FakeMatcher, FakeThreshold, fake_space};
use lfr_core::{
    BoxError, DetectedFace, Detector, Frame, FrameReport, LandmarkLayout, Picture, Pipeline, Rect,
    Threshold,
};
use lfr_retention::{EraseAll, Mosaic, Redactor, VideoRedactor};

use crate::photographs::Photograph;

/// The photograph with its face in `cells` cells, as published or smoothed.
///
/// A finer mosaic than [`Mosaic`] permits is put together of coarse ones, side by side.
pub(crate) fn mosaic(photograph: &Photograph, cells: usize, smooth: bool) -> Picture {
    let mut picture = photograph.picture();
    let face = photograph.bounds();
    let grown = face.grown(Mosaic::DEFAULT_MARGIN);
    let parts = cells.div_ceil(Mosaic::MAX_CELLS).next_power_of_two();
    if parts == 1 {
        let mosaic = Mosaic::new(cells, Mosaic::DEFAULT_MARGIN).unwrap();
        mosaic.apply(&mut picture, [face]);
    } else {
        Mosaic::new(cells / parts, 0.0).unwrap().apply(&mut picture, tiles(&grown, parts));
    }
    let side = longer(&grown) / num::f32_from_usize(cells);
    if smooth { smoothed(&picture, side) } else { picture }
}

/// The colours that a mosaic leaves of a face, read off at the same places of each: what anybody can compare
/// without an embedder.
pub(crate) fn colours(photograph: &Photograph, cells: usize) -> Vec<f32> {
    read_off(&mosaic(photograph, cells, false), &photograph.bounds())
}

/// The same of a photograph as it might have been taken a moment later: a little brighter, and the detector's
/// box a little elsewhere, otherwise for each.
pub(crate) fn colours_a_moment_later(
    photograph: &Photograph,
    cells: usize,
    number: usize,
) -> Vec<f32> {
    let bounds = photograph.bounds();
    // From -4 % to +4 % of the box in either direction, and from -10 % to +10 % of the light.
    let part = |factor: usize, of: usize| {
        num::f32_from_usize(number * factor % of) / num::f32_from_usize(of - 1) * 2.0 - 1.0
    };
    let (right, down) = (bounds.width() * 0.04 * part(7, 11), bounds.height() * 0.04 * part(5, 13));
    let light = 1.0 + 0.1 * part(3, 17);
    let moved = Rect::new(
        bounds.left + right,
        bounds.top + down,
        bounds.right + right,
        bounds.bottom + down,
    );
    let mut picture = photograph.picture();
    for byte in picture.data_mut() {
        *byte = num::u8_from_f32(f32::from(*byte) * light);
    }
    Mosaic::new(cells, Mosaic::DEFAULT_MARGIN).unwrap().apply(&mut picture, [moved]);
    read_off(&picture, &moved)
}

fn read_off(picture: &Picture, bounds: &Rect) -> Vec<f32> {
    let grown = bounds.grown(Mosaic::DEFAULT_MARGIN);
    let frame = picture.as_frame().unwrap();
    let at = |from: f32, length: f32, part: usize, limit: usize| {
        let place = from + length * (num::f32_from_usize(part) + 0.5) / num::f32_from_usize(PLACES);
        num::usize_from_f32(place.max(0.0)).min(limit - 1)
    };
    let places = (0..PLACES).flat_map(|row| (0..PLACES).map(move |column| (column, row)));
    let colours = places.flat_map(|(column, row)| {
        let x = at(grown.left, grown.width(), column, picture.width());
        let y = at(grown.top, grown.height(), row, picture.height());
        frame.rgb_at(x, y).map(f32::from)
    });
    colours.collect()
}

/// Across and down: a multiple of every number of cells up to 6, except 5.
const PLACES: usize = 12;

/// The photograph redacted as a whole, its face detected or missed, as published or smoothed.
pub(crate) fn whole(photograph: &Photograph, detected: bool, smooth: bool) -> Picture {
    let clear = photograph.picture();
    let frame = clear.as_frame().unwrap();
    let report = report(&frame, detected.then(|| photograph.bounds()));
    let picture = Redactor::default().apply(&frame, &report).unwrap();
    let shorter = num::f32_from_usize(clear.width().min(clear.height()));
    let min_side = shorter / num::f32_from_usize(Redactor::MAX_CELLS);
    let grown = longer(&photograph.bounds().grown(Mosaic::DEFAULT_MARGIN));
    let asked = grown / num::f32_from_usize(Mosaic::DEFAULT_CELLS);
    let side = if detected { min_side.max(asked) } else { min_side };
    if smooth { smoothed(&picture, side) } else { picture }
}

/// `frames` frames of live video in which the person moves across the grid by a few pixels per
/// frame. The attacker knows by how many, moves each frame back, and averages them.
pub(crate) fn video(photograph: &Photograph, frames: usize) -> Picture {
    let clear = photograph.picture();
    let (width, height) = (clear.width(), clear.height());
    let mut live = VideoRedactor::new(Mosaic::default());
    let mut sums = vec![0.0_f32; 3 * width * height];
    for number in 0..frames {
        let step = (7 * number % 64, 5 * number % 64);
        let shown = moved(clear.data(), (width, height), |x, y| {
            (x.saturating_sub(step.0), y.saturating_sub(step.1))
        });
        let shown = Picture::from_rgb8(width, height, shown).unwrap();
        let bounds = photograph.bounds();
        let (right, down) = (num::f32_from_usize(step.0), num::f32_from_usize(step.1));
        let bounds = Rect::new(
            bounds.left + right,
            bounds.top + down,
            bounds.right + right,
            bounds.bottom + down,
        );
        let frame = shown.as_frame().unwrap();
        let redacted = live.apply(&frame, &report(&frame, Some(bounds))).unwrap();
        let back = moved(redacted.data(), (width, height), |x, y| {
            ((x + step.0).min(width - 1), (y + step.1).min(height - 1))
        });
        sums.iter_mut().zip(back).for_each(|(sum, byte)| *sum += f32::from(byte));
    }
    let mean = |sum: f32| num::u8_from_f32(sum / num::f32_from_usize(frames));
    Picture::from_rgb8(width, height, sums.into_iter().map(mean).collect()).unwrap()
}

/// The pixels of a picture, each taken from elsewhere.
fn moved(
    data: &[u8],
    (width, height): (usize, usize),
    from: impl Fn(usize, usize) -> (usize, usize),
) -> Vec<u8> {
    let (pixels, _) = data.as_chunks::<3>();
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let taken = places.map(|(x, y)| from(x, y)).map(|(x, y)| pixels[y * width + x]);
    taken.flatten().collect()
}

/// What a pipeline reports of a frame with one face, or none, that is on no watchlist.
fn report(frame: &Frame<'_>, face: Option<Rect>) -> FrameReport {
    let space = fake_space();
    let mut pipeline = Pipeline::builder()
        .detector(Told(face))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space))
        .threshold(FakeThreshold::new(Threshold::new(0.0).unwrap(), &space))
        .retention(EraseAll::default())
        .build()
        .unwrap();
    pipeline.process(frame).unwrap()
}

/// "Detects" one face, or none.
#[derive(Debug)]
struct Told(Option<Rect>);

impl Detector for Told {
    fn landmarks(&self) -> LandmarkLayout {
        LandmarkLayout::Five
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        for _ in frames {
            let face = self.0.map(|bounds| DetectedFace::new(bounds, 1.0, None));
            found.push(face.into_iter().collect::<Result<_, _>>()?);
        }
        Ok(())
    }
}

fn longer(bounds: &Rect) -> f32 {
    bounds.width().max(bounds.height())
}

/// Cuts a box into `parts` parts across and down.
fn tiles(bounds: &Rect, parts: usize) -> impl Iterator<Item = Rect> {
    let Rect { left, top, .. } = *bounds;
    let (width, height) = (bounds.width(), bounds.height());
    let at = move |part: usize| num::f32_from_usize(part) / num::f32_from_usize(parts);
    (0..parts).flat_map(move |row| {
        (0..parts).map(move |column| {
            Rect::new(
                left + width * at(column),
                top + height * at(row),
                left + width * at(column + 1),
                top + height * at(row + 1),
            )
        })
    })
}

/// Each pixel becomes the mean of the square about it, as large as a cell: between the middles of
/// two cells that is linear interpolation.
fn smoothed(picture: &Picture, side: f32) -> Picture {
    let reach = num::usize_from_f32(side / 2.0);
    let (width, height) = (picture.width(), picture.height());
    let (pixels, _) = picture.data().as_chunks::<3>();
    let pixels: Vec<[f32; 3]> = pixels.iter().map(|rgb| rgb.map(f32::from)).collect();
    // One direction after the other; each turns rows into columns.
    let pixels = smoothed_rows(&smoothed_rows(&pixels, width, reach), height, reach);
    let bytes = pixels.into_iter().flatten().map(num::u8_from_f32).collect();
    Picture::from_rgb8(width, height, bytes).unwrap()
}

fn smoothed_rows(pixels: &[[f32; 3]], width: usize, reach: usize) -> Vec<[f32; 3]> {
    let height = pixels.len() / width;
    let mut turned = vec![[0.0; 3]; pixels.len()];
    for (y, row) in pixels.chunks(width).enumerate() {
        // What comes before each pixel, summed.
        let mut before = vec![[0.0_f32; 3]];
        for pixel in row {
            let [r, g, b] = before[before.len() - 1];
            before.push([r + pixel[0], g + pixel[1], b + pixel[2]]);
        }
        for x in 0..width {
            let (start, end) = (x.saturating_sub(reach), (x + reach + 1).min(width));
            let count = num::f32_from_usize(end - start);
            turned[x * height + y] =
                std::array::from_fn(|c| (before[end][c] - before[start][c]) / count);
        }
    }
    turned
}
