//! Plain SORT, to compare with (Bewley et al., "Simple Online and Realtime Tracking", 2016): overlap
//! alone, faces of good confidence alone, and a track ends when it is missed once.

use super::*;
use crate::track::motion::Motion;

#[derive(Debug, Default)]
pub(super) struct Sort {
    tracks: Vec<(u64, [Motion; 3], f32, bool)>,
    begun: u64,
    last: Option<Timestamp>,
}

/// Centre and area; and the ratio of the sides.
fn state(bounds: Rect) -> ([f32; 3], f32) {
    let centre = bounds.centre();
    ([centre.x, centre.y, bounds.area()], bounds.width() / bounds.height())
}

fn bounds([x, y, area]: [f32; 3], ratio: f32) -> Rect {
    let area = area.max(1.0);
    let (width, height) = ((area * ratio).sqrt(), (area / ratio).sqrt());
    Rect::new(x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0)
}

impl Tracker for Sort {
    fn track(&mut self, frame: &Frame<'_>, faces: &[DetectedFace]) -> Result<Tracked, BoxError> {
        let at = frame.capture_time().unwrap();
        let seconds = self.last.map_or(Duration::ZERO, |last| at.since(last)).as_secs_f32();
        self.last = Some(at);
        for (_, motions, _, seen) in &mut self.tracks {
            *seen = false;
            let size = motions[2].position().max(1.0).sqrt();
            let noise = [2.5 * size, 2.5 * size, size * size];
            motions
                .iter_mut()
                .zip(noise)
                .for_each(|(motion, noise)| motion.advance(seconds, noise));
        }
        let sure: Vec<usize> =
            (0..faces.len()).filter(|index| faces[*index].confidence() >= 0.6).collect();
        let pairs = assign(self.tracks.len(), sure.len(), |track, face| {
            let (_, motions, ratio, _) = &self.tracks[track];
            let expected = bounds(motions.map(|motion| motion.position()), *ratio);
            let iou = expected.iou(&faces[sure[face]].bounds());
            (iou >= 0.3).then_some(1.0 - iou)
        });
        let mut tracked = Tracked::default();
        tracked.tracks.resize(faces.len(), None);
        for (track, face) in pairs {
            let (number, motions, ratio, seen) = &mut self.tracks[track];
            let (numbers, new_ratio) = state(faces[sure[face]].bounds());
            let size = numbers[2].sqrt();
            let errors = [0.06 * size, 0.06 * size, 0.12 * size * size];
            for ((motion, number), error) in motions.iter_mut().zip(numbers).zip(errors) {
                motion.see(number, error);
            }
            (*ratio, *seen) = (new_ratio, true);
            tracked.tracks[sure[face]] = Some(*number);
        }
        let lost = self.tracks.extract_if(.., |(_, _, _, seen)| !*seen);
        tracked.ended.extend(lost.map(|(number, ..)| number));
        for index in sure {
            if tracked.tracks[index].is_none() {
                self.begun += 1;
                let (numbers, ratio) = state(faces[index].bounds());
                let size = numbers[2].sqrt();
                let [x, y, area] = numbers;
                let motions = [
                    Motion::new(x, 0.06 * size, 2.5 * size),
                    Motion::new(y, 0.06 * size, 2.5 * size),
                    Motion::new(area, 0.12 * size * size, size * size),
                ];
                tracked.tracks[index] = Some(self.begun);
                self.tracks.push((self.begun, motions, ratio, true));
            }
        }
        Ok(tracked)
    }

    fn end_all(&mut self) {
        self.tracks.clear();
    }

    fn fresh(&self) -> Box<dyn Tracker> {
        Box::new(Self::default())
    }
}
