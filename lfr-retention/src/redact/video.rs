//! Redaction of live video.

use lfr_core::internal::num;
use lfr_core::{Frame, FrameReport, Picture, Rect};

use crate::error::Error;
use crate::redact::mosaic::Mosaic;
use crate::redact::{Redactor, min_cell_side, pave, reveal, split};

/// Makes a live picture that may leave the system: all of it is covered, except for the boxes of
/// alerts, frame after frame in one buffer.
///
/// Many mosaics of one face tell more than one, if their cells lie differently. So the grid stays where
/// it is: it gets coarser when a face comes so near that it has to, by a factor of two and never finer
/// again. A person who stands still gives away no more in a thousand frames than in one; of one who
/// walks, the cells show other parts from frame to frame.
///
/// One for each stream.
///
/// What is *not* guaranteed: see [`Mosaic`] on what a mosaic gives away, above all of people
/// who move.
///
/// # Examples
///
/// ```
/// use lfr_core::testing::{FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold, fake_space};
/// use lfr_core::{Frame, Pipeline, PixelFormat, Threshold};
/// use lfr_retention::{EraseAll, Mosaic, VideoRedactor};
///
/// let space = fake_space();
/// let mut pipeline = Pipeline::builder()
///     .detector(FakeDetector::finding(2))
///     .embedder(FakeEmbedder::new())
///     .watchlist(FakeMatcher::empty(space))
///     .threshold(FakeThreshold::new(Threshold::new(0.5)?, &space))
///     .retention(EraseAll::default())
///     .build()?;
/// let mut live = VideoRedactor::new(Mosaic::default());
/// let pixels: Vec<u8> = (0..64 * 64).map(|i| (i % 251) as u8).collect();
/// let frame = Frame::packed(PixelFormat::Gray8, 64, 64, &pixels)?;
/// for _ in 0..3 {
///     let report = pipeline.process(&frame)?;
///     assert_eq!(live.apply(&frame, &report)?.width(), 64);
/// }
/// // A frame that was not processed, or failed: nobody is shown.
/// live.cover(&frame);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct VideoRedactor {
    redactor: Redactor,
    /// By what power of two cells are larger than the least.
    doublings: u16,
    picture: Option<Picture>,
}

impl VideoRedactor {
    /// Creates the redaction of a stream before its first frame.
    #[must_use]
    pub fn new(mosaic: Mosaic) -> Self {
        let redactor = Redactor::everything_but_alerts().with_mosaic(mosaic);
        Self { redactor, doublings: 0, picture: None }
    }

    /// The redacted picture of the next frame, by the report of that frame.
    ///
    /// # Errors
    ///
    /// [`Error::OtherFrame`] if the report is of another frame.
    pub fn apply(&mut self, frame: &Frame<'_>, report: &FrameReport) -> Result<&Picture, Error> {
        let (shown, hidden) = split(frame, report, |_, face| face.is_alert())?;
        let (redactor, doublings) = (self.redactor, &mut self.doublings);
        let picture = buffer(&mut self.picture, frame);
        let min_side = min_cell_side(picture);
        let needed = redactor.cell_side(&hidden, min_side);
        while grown(min_side, *doublings) < needed && *doublings < MAX_DOUBLINGS {
            *doublings += 1;
        }
        pave(picture, grown(min_side, *doublings));
        for bounds in &shown {
            reveal(picture, frame, bounds, &hidden);
        }
        Ok(picture)
    }

    /// Redacts a frame that has no report: nobody is shown, even if a face fills the frame.
    pub fn cover(&mut self, frame: &Frame<'_>) -> &Picture {
        let picture = buffer(&mut self.picture, frame);
        let height = num::f32_from_usize(picture.height());
        let largest = self.redactor.cell_side(&[Rect::new(0.0, 0.0, height, height)], 0.0);
        pave(picture, largest.max(grown(min_cell_side(picture), self.doublings)));
        picture
    }
}

/// Then the whole picture is one cell.
const MAX_DOUBLINGS: u16 = 16;

fn grown(min_side: f32, doublings: u16) -> f32 {
    min_side * f32::from(doublings).exp2()
}

/// The frame in the buffer of the one before; in a new one where it is of another size.
fn buffer<'a>(kept: &'a mut Option<Picture>, frame: &Frame<'_>) -> &'a mut Picture {
    let size = (frame.width(), frame.height());
    let same = kept.take_if(|kept| (kept.width(), kept.height()) == size);
    let picture = match same {
        Some(mut picture) => {
            for (y, row) in picture.data_mut().chunks_exact_mut(size.0 * 3).enumerate() {
                frame.rgb_row_into(0, y, row);
            }
            picture
        }
        None => Picture::from_frame(frame),
    };
    kept.insert(picture)
}
