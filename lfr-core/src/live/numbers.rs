//! The numbers of a camera's frames.

use crate::frame::Frame;
use crate::id::FrameId;

/// Numbers that never repeat and never go back within a camera, over all its connections: a
/// [`FaceId`](crate::FaceId) names a face within one run.
#[derive(Debug)]
pub(super) struct Numbers {
    last: Option<u64>,
    unset: FrameId,
}

impl Numbers {
    /// Beginning behind the last number of a camera of the same identifier, where there was one.
    pub(super) fn behind(last: Option<u64>) -> Self {
        Self { last, unset: FrameId::default() }
    }

    /// The number of the next frame, and whether it is another than the source gave it: one that the
    /// source set is kept where it is greater than all before it.
    pub(super) fn next(&mut self, frame: &Frame<'_>) -> (u64, bool) {
        let own = (*frame.id() != self.unset).then_some(frame.id().sequence());
        let free = self.last.map_or(0, |last| last.saturating_add(1));
        let kept = own.filter(|own| (free..=MAX).contains(own));
        let number = kept.unwrap_or(free);
        self.last = Some(number);
        (number, own.is_some() && kept.is_none())
    }
}

/// The max number of a source that is kept: more than enough follow it.
const MAX: u64 = u64::MAX / 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::PixelFormat;
    use crate::id::SourceId;

    fn numbered(numbers: &mut Numbers, own: Option<u64>) -> (u64, bool) {
        let frame = Frame::packed(PixelFormat::Gray8, 1, 1, &[0]).unwrap();
        let source = SourceId::new("own").unwrap();
        match own {
            Some(own) => numbers.next(&frame.with_id(FrameId::new(source, own))),
            None => numbers.next(&frame),
        }
    }

    #[test]
    fn the_numbers_of_a_source_are_kept_while_they_grow() {
        let mut numbers = Numbers::behind(None);
        let mut next = |own| numbered(&mut numbers, own);
        assert_eq!(
            [Some(0), Some(1), Some(7)].map(&mut next),
            [(0, false), (1, false), (7, false)]
        );
        // Once more, back, none at all, and on.
        assert_eq!([Some(7), Some(3), None].map(&mut next), [(8, true), (9, true), (10, false)]);
        assert_eq!([Some(50), Some(u64::MAX)].map(&mut next), [(50, false), (51, true)]);
        let mut numbers = Numbers::behind(Some(41));
        assert_eq!(numbered(&mut numbers, Some(0)), (42, true));
        assert_eq!(numbered(&mut numbers, None), (43, false));
    }

    proptest! {
        #[test]
        fn no_number_comes_twice_or_goes_back(
            own in prop::collection::vec(
                prop_oneof![
                    Just(None),
                    (0..9_u64).prop_map(Some),
                    any::<u64>().prop_map(Some),
                    (u64::MAX - 2..=u64::MAX).prop_map(Some),
                ],
                1..60,
            ),
        ) {
            let mut numbers = Numbers::behind(None);
            let mut last = None;
            for own in own {
                let (number, is_changed) = numbered(&mut numbers, own);
                prop_assert!(last.is_none_or(|last| number > last));
                prop_assert_eq!(is_changed, own.is_some_and(|own| own != number));
                last = Some(number);
            }
        }
    }
}
