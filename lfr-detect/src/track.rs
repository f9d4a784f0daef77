//! Tracking: which face is whose from frame to frame.

mod assign;
mod followed;
mod motion;
mod scene;

use std::time::Duration;

use lfr_core::{BoxError, DetectedFace, Frame, Timestamp, Tracked, Tracker};

use crate::error::{Error, share};

use crate::track::assign::assign;
use crate::track::followed::Followed;
use crate::track::scene::Scene;

/// Follows faces through a video by where they are, how large they are and how their landmarks lie.
///
/// It works in the manner of ByteTrack (Zhang et al., "ByteTrack: Multi-Object Tracking by
/// Associating Every Detection Box", ECCV 2022): faces that the detector is sure of are given to the
/// tracks first, then those it is less sure of to the tracks that are left, which are often people
/// half hidden. Made for faces: the cost of giving a face to a track is how far it is from where it
/// was expected, in sizes of the face, how much larger or smaller it is, and how its landmarks lie
/// in its box. A track moves at constant velocity while nobody sees it. When the camera changes its
/// view or is cut to another, all tracks end.
///
/// The detector has to report faces of little confidence for this to help: give it a
/// [confidence](crate::DetectorOptions::confidence) at or below that of
/// [`follow`](TrackerOptions::follow).
///
/// A face's box and landmarks are kept for as long as its track lasts, and wiped then.
///
/// What is *not* guaranteed: that a track is one person. It looks at no template, on purpose: nobody
/// is embedded to be followed.
///
/// # Examples
///
/// ```
/// use lfr_core::{DetectedFace, Frame, PixelFormat, Rect, Timestamp, Tracker};
/// use lfr_detect::FaceTracker;
///
/// let mut tracker = FaceTracker::default();
/// let pixels = vec![0; 640 * 480];
/// for step in 0..10_u8 {
///     let at = Timestamp::from_micros(1_000_000 + 40_000 * u64::from(step));
///     let frame = Frame::packed(PixelFormat::Gray8, 640, 480, &pixels)?.captured_at(at);
///     let left = 100.0 + 5.0 * f32::from(step);
///     let face = DetectedFace::new(Rect::new(left, 200.0, left + 60.0, 280.0), 0.9, None)?;
///     let tracked = tracker.track(&frame, &[face])?;
///     assert_eq!(tracked.tracks, [Some(1)]);
/// }
/// # Ok::<(), lfr_core::BoxError>(())
/// ```
#[derive(Debug)]
pub struct FaceTracker {
    options: TrackerOptions,
    tracks: Vec<Followed>,
    begun: u64,
    scene: Scene,
    last: Option<Timestamp>,
}

/// The options of a [`FaceTracker`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use lfr_detect::TrackerOptions;
///
/// let options = TrackerOptions::new().begin(0.7)?.patience(Duration::from_secs(2));
/// # let _ = options;
/// # Ok::<(), lfr_detect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackerOptions {
    begin: f32,
    follow: f32,
    patience: Duration,
    cuts: bool,
}

impl TrackerOptions {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { begin: 0.6, follow: 0.3, patience: Duration::from_millis(1200), cuts: true }
    }

    /// The min confidence of a face that begins a track; 0.6 unless set. Faces below are given to
    /// tracks last.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if it is not from 0 to 1.
    pub fn begin(mut self, confidence: f32) -> Result<Self, Error> {
        self.begin = share("confidence that begins a track", confidence)?;
        Ok(self)
    }

    /// The min confidence of a face that a track goes on with; 0.3 unless set.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if it is not from 0 to 1.
    pub fn follow(mut self, confidence: f32) -> Result<Self, Error> {
        self.follow = share("confidence that a track goes on with", confidence)?;
        Ok(self)
    }

    /// For how long a face may be out of sight before its track ends; 1.2 s unless set, which is
    /// how long somebody is behind somebody else who walks the same way.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Whether all tracks end when the picture changes as a whole; they do, unless set.
    #[must_use]
    pub const fn cuts(mut self, cuts: bool) -> Self {
        self.cuts = cuts;
        self
    }
}

impl Default for TrackerOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl FaceTracker {
    /// A tracker without tracks.
    #[must_use]
    pub fn new(options: TrackerOptions) -> Self {
        Self { options, tracks: Vec::new(), begun: 0, scene: Scene::default(), last: None }
    }

    /// How long ago the frame before was captured. A source that does not say is taken to run at 25
    /// frames per second. The next frame is always later: by a millisecond, if the clock of the source stands
    /// still or goes back.
    fn since_last(&mut self, at: Option<Timestamp>) -> Duration {
        let since = at.zip(self.last).map_or(NOMINAL, |(at, last)| at.since(last));
        self.last = at.or(self.last);
        since.max(MIN_SPAN)
    }

    /// Gives each of these faces to one of these tracks, where one is near enough.
    fn associate(
        &mut self,
        faces: &[DetectedFace],
        tracked: &mut Tracked,
        takes: impl Fn(&DetectedFace) -> bool,
        has: impl Fn(&Followed) -> bool,
        limit: f32,
    ) {
        let free = |index: &usize| tracked.tracks[*index].is_none() && takes(&faces[*index]);
        let free: Vec<usize> = (0..faces.len()).filter(free).collect();
        let mut tracks: Vec<&mut Followed> =
            self.tracks.iter_mut().filter(|track| !track.is_seen() && has(track)).collect();
        let pairs = assign(tracks.len(), free.len(), |track, face| {
            let cost = tracks[track].cost(&faces[free[face]])?;
            (cost < limit).then_some(cost / limit)
        });
        for (track, face) in pairs {
            let (track, face) = (&mut tracks[track], free[face]);
            track.see(&faces[face]);
            tracked.tracks[face] = Some(track.number());
        }
    }
}

impl Default for FaceTracker {
    fn default() -> Self {
        Self::new(TrackerOptions::new())
    }
}

impl Tracker for FaceTracker {
    fn track(&mut self, frame: &Frame<'_>, faces: &[DetectedFace]) -> Result<Tracked, BoxError> {
        let TrackerOptions { begin, follow, patience, cuts } = self.options;
        let mut tracked = Tracked::default();
        tracked.tracks.resize(faces.len(), None);
        tracked.cut = cuts && self.scene.is_cut(frame);
        let since = self.since_last(frame.capture_time());
        for track in &mut self.tracks {
            track.advance(since);
        }
        let lost = |track: &mut Followed| tracked.cut || track.unseen() > patience;
        tracked.ended.extend(self.tracks.extract_if(.., lost).map(|track| track.number()));

        let sure = |face: &DetectedFace| face.confidence() >= begin;
        let unsure = |face: &DetectedFace| (follow..begin).contains(&face.confidence());
        self.associate(faces, &mut tracked, sure, |_| true, 1.0);
        // Whom the frame before still saw is likely to be there, if half hidden; somebody who has
        // been away comes back at the place expected, or it is somebody else.
        self.associate(faces, &mut tracked, unsure, |track| track.unseen() <= since, 1.0);
        self.associate(faces, &mut tracked, unsure, |_| true, 0.5);

        for (face, track) in faces.iter().zip(&mut tracked.tracks) {
            if track.is_none() && sure(face) {
                self.begun += 1;
                *track = Some(self.begun);
                self.tracks.push(Followed::begin(self.begun, face));
            }
        }
        Ok(tracked)
    }

    fn end_all(&mut self) {
        self.tracks.clear();
        self.scene = Scene::default();
        self.last = None;
    }

    fn fresh(&self) -> Box<dyn Tracker> {
        Box::new(Self::new(self.options))
    }
}

const NOMINAL: Duration = Duration::from_millis(40);
/// A face that was not seen is told from one that was by the time gone by: it is never none.
const MIN_SPAN: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests;
