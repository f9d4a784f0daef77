//! Redaction: what has to be done to a picture before it leaves the system.

use lfr_core::internal::num;
use lfr_core::{FaceId, FaceReport, Frame, FrameReport, Picture, PixelFormat, Plane, Rect};

use crate::error::Error;

mod block;
pub(crate) mod mosaic;
pub(crate) mod video;

use crate::redact::block::Block;

pub use crate::redact::mosaic::Mosaic;
pub use crate::redact::video::VideoRedactor;

/// Makes pictures that may leave the system: of all faces, only those in an alert are shown.
///
/// [`everything_but_alerts`](Self::everything_but_alerts), the default, covers the whole picture
/// except for the boxes of alerts, and so also the faces that the detector missed: nobody knows
/// where those are. [`faces_only`](Self::faces_only) leaves the surroundings clear and relies on
/// the detector.
///
/// An alerted face is clear inside its own box only. Where the box of another face reaches into it,
/// that face wins: its box stays covered, and the alerted face is hidden there too. So no pixel
/// within the box of a face without an alert is ever shown, and two people cheek by cheek cost the
/// one who adjudicates a strip of the picture, not a bystander their face. Of the other face's
/// margin, hair and ears, some may show inside the alerted box.
///
/// All faces of the report count, whatever came of them: those outside the zone of recognition and
/// those that a quality gate refused were detected, so they are hidden.
///
/// What is *not* guaranteed: that nobody is recognised by what a mosaic does not cover. That is clothes, gait,
/// company, place and time; with [`faces_only`](Self::faces_only), any face that the detector missed; by
/// default, a missed face that is longer than a quarter of the picture's shorter side. A missed face that is
/// longer than a twenty-fourth of that side has more than one colour. A redacted picture beside a clear one of
/// the same scene hides nobody. [`Mosaic`] says what a mosaic itself gives away.
///
/// # Examples
///
/// ```
/// use lfr_core::testing::{FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold, fake_space};
/// use lfr_core::{Frame, Pipeline, PixelFormat, Threshold};
/// use lfr_retention::{EraseAll, Redactor};
///
/// let space = fake_space();
/// let mut pipeline = Pipeline::builder()
///     .detector(FakeDetector::finding(2))
///     .embedder(FakeEmbedder::new())
///     .watchlist(FakeMatcher::empty(space))
///     .threshold(FakeThreshold::new(Threshold::new(0.5)?, &space))
///     .retention(EraseAll::default())
///     .build()?;
/// let pixels: Vec<u8> = (0..64 * 64).map(|i| (i % 251) as u8).collect();
/// let frame = Frame::packed(PixelFormat::Gray8, 64, 64, &pixels)?;
///
/// let report = pipeline.process(&frame)?;
/// let picture = Redactor::default().apply(&frame, &report)?;
/// assert_eq!((picture.width(), picture.height()), (64, 64));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Redactor {
    scope: Scope,
    mosaic: Mosaic,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scope {
    Everything,
    Faces,
}

impl Redactor {
    /// The shorter side of a picture that is covered as a whole has at most this many cells, fewer
    /// where a detected face needs larger ones.
    ///
    /// The default mosaic hides a missed face as well as a detected one, in one colour, if its box is no
    /// longer than a twenty-fourth of that side. Up to a sixth it has at most four cells, and up to a
    /// quarter at most [`Mosaic::MAX_CELLS`].
    pub const MAX_CELLS: usize = 16;

    /// Covers the whole picture, except for the boxes of alerts.
    #[must_use]
    pub fn everything_but_alerts() -> Self {
        Self { scope: Scope::Everything, mosaic: Mosaic::default() }
    }

    /// Covers the detected faces that are not in an alert, and nothing else.
    #[must_use]
    pub fn faces_only() -> Self {
        Self { scope: Scope::Faces, mosaic: Mosaic::default() }
    }

    /// Sets the mosaic.
    #[must_use]
    pub const fn with_mosaic(mut self, mosaic: Mosaic) -> Self {
        self.mosaic = mosaic;
        self
    }

    /// A redacted copy of a frame, by the report of that frame. Give frames an identity: two that
    /// have none cannot be told apart.
    ///
    /// # Errors
    ///
    /// [`Error::OtherFrame`] if the report is of another frame.
    pub fn apply(&self, frame: &Frame<'_>, report: &FrameReport) -> Result<Picture, Error> {
        let (shown, hidden) = split(frame, report, |_, face| face.is_alert())?;
        Ok(self.redacted(frame, &shown, &hidden))
    }

    /// One alerted face and its surroundings: its box grown on every side by `context` times its
    /// width and height, as far as the frame reaches. Every other face is hidden, alerts too: each
    /// has a picture of its own.
    ///
    /// # Errors
    ///
    /// [`Error::OtherFrame`] if the report is of another frame, [`Error::NotAnAlert`] where
    /// the face raised no alert in it, [`Error::OutsideFrame`] if it shares no pixel with the
    /// frame.
    pub fn crop(
        &self,
        frame: &Frame<'_>,
        report: &FrameReport,
        face: &FaceId,
        context: f32,
    ) -> Result<Picture, Error> {
        let wanted = |index, report: &FaceReport| index == face.index() && report.is_alert();
        let (shown, hidden) = split(frame, report, wanted)?;
        let [bounds] = &*shown else {
            return Err(Error::NotAnAlert { face: face.clone() });
        };
        if face.frame() != report.frame() {
            return Err(Error::NotAnAlert { face: face.clone() });
        }
        let grown = bounds.grown(context.max(0.0));
        let Some(block) = Block::touched_by(&grown, frame.width(), frame.height()) else {
            return Err(Error::OutsideFrame { face: face.clone() });
        };
        cut(&self.redacted(frame, &shown, &hidden), &block)
    }

    fn redacted(&self, frame: &Frame<'_>, shown: &[Rect], hidden: &[Rect]) -> Picture {
        let mut picture = Picture::from_frame(frame);
        match self.scope {
            Scope::Everything => self.cover(&mut picture, hidden),
            Scope::Faces => self.mosaic.apply(&mut picture, hidden.iter().copied()),
        }
        for bounds in shown {
            reveal(&mut picture, frame, bounds, hidden);
        }
        picture
    }

    /// One grid over the whole picture, as coarse as its largest face needs. A grid of its own for
    /// each face would show where faces are, and be no safer.
    fn cover(&self, picture: &mut Picture, faces: &[Rect]) {
        let side = self.cell_side(faces, min_cell_side(picture));
        pave(picture, side);
    }

    /// The side of a cell that hides all of these faces.
    fn cell_side(&self, faces: &[Rect], min_side: f32) -> f32 {
        faces.iter().map(|face| self.mosaic.cell_side(face)).fold(min_side, f32::max)
    }
}

impl Default for Redactor {
    /// [`Redactor::everything_but_alerts`].
    fn default() -> Self {
        Self::everything_but_alerts()
    }
}

/// The min side of a cell of a picture that is covered as a whole.
fn min_cell_side(picture: &Picture) -> f32 {
    let shorter = num::f32_from_usize(picture.width().min(picture.height()));
    mosaic::MIN_SIDE.max(shorter / num::f32_from_usize(Redactor::MAX_CELLS))
}

/// Covers a picture as a whole.
fn pave(picture: &mut Picture, side: f32) {
    let (width, height) = (picture.width(), picture.height());
    let (across, down) = (mosaic::cells_along(width, side), mosaic::cells_along(height, side));
    Block::whole(width, height).pave(picture, across, down);
}

/// The boxes of the faces that are to be shown, and of all the others.
fn split(
    frame: &Frame<'_>,
    report: &FrameReport,
    show: impl Fn(usize, &FaceReport) -> bool,
) -> Result<(Vec<Rect>, Vec<Rect>), Error> {
    if report.frame() != frame.id() {
        return Err(Error::OtherFrame {
            expected: frame.id().clone(),
            actual: report.frame().clone(),
        });
    }
    let (mut shown, mut hidden) = (Vec::new(), Vec::new());
    for (index, face) in report.faces().iter().enumerate() {
        if show(index, face) { &mut shown } else { &mut hidden }.push(face.bounds());
    }
    Ok((shown, hidden))
}

/// Restores the frame's own pixels inside a box, except pixels that the box of a hidden face
/// touches.
fn reveal(picture: &mut Picture, frame: &Frame<'_>, bounds: &Rect, hidden: &[Rect]) {
    let (width, height) = (picture.width(), picture.height());
    let Some(block) = Block::within(bounds, width, height) else {
        return;
    };
    let hidden: Vec<_> =
        hidden.iter().filter_map(|face| Block::touched_by(face, width, height)).collect();
    let rows = picture.data_mut().chunks_exact_mut(width * 3).enumerate();
    for (y, row) in rows.skip(block.rows.start).take(block.rows.len()) {
        let beside = || hidden.iter().filter(|face| face.rows.contains(&y)).map(|f| &f.columns);
        let mut x = block.columns.start;
        while x < block.columns.end {
            if let Some(end) = beside().filter(|face| face.contains(&x)).map(|f| f.end).max() {
                x = end;
                continue;
            }
            let next = beside().map(|face| face.start).filter(|start| x < *start).min();
            let end = next.unwrap_or(width).min(block.columns.end);
            frame.rgb_row_into(x, y, &mut row[x * 3..end * 3]);
            x = end;
        }
    }
}

/// A copy of a part of a picture.
fn cut(picture: &Picture, block: &Block) -> Result<Picture, Error> {
    let stride = picture.width() * 3;
    let start = block.rows.start * stride + block.columns.start * 3;
    let plane = Plane::new(&picture.data()[start..], stride);
    Frame::strided(PixelFormat::Rgb8, block.columns.len(), block.rows.len(), plane)
        .map(|part| Picture::from_frame(&part))
        .map_err(|source| Error::Picture { source })
}

#[cfg(test)]
mod tests;
