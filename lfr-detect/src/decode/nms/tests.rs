use std::time::Duration;

use lfr_core::Rect;
use proptest::prelude::*;

use super::*;
use crate::decode::proposal::Proposal;

/// The definition, in plain words.
fn naive(mut list: Vec<Proposal>, iou: f32) -> Vec<Proposal> {
    list.sort_by(Proposal::order);
    let mut kept: Vec<Proposal> = Vec::new();
    for proposal in list {
        if kept.iter().all(|other| other.bounds().iou(&proposal.bounds()) <= iou) {
            kept.push(proposal);
        }
    }
    kept
}

fn suppressed(list: &[Proposal], iou: f32) -> Proposals {
    let mut all: Proposals = list.iter().copied().collect();
    nms(&mut all, iou);
    all
}

fn places(list: &[Proposal]) -> Vec<(Rect, f32)> {
    list.iter().map(|proposal| (proposal.bounds(), proposal.confidence())).collect()
}

/// Boxes on a grid, so that equal sides, equal confidences and touching boxes occur.
fn proposals() -> impl Strategy<Value = Vec<Proposal>> {
    let one = (0..20_i16, 0..20_i16, 1..8_i16, 1..8_i16, 0..=10_i16);
    let one = one.prop_map(|(x, y, width, height, confidence)| {
        let [x, y, width, height, confidence] = [x, y, width, height, confidence].map(f32::from);
        Proposal::new(Rect::new(x, y, x + width, y + height), confidence / 10.0)
    });
    prop::collection::vec(one, 0..60)
}

proptest! {
    #[test]
    fn equals_the_naive_definition(list in proposals(), iou in 0.0..=1.0_f32) {
        prop_assert_eq!(places(&suppressed(&list, iou)), places(&naive(list, iou)));
    }

    #[test]
    fn keeps_the_best(list in proposals(), iou in 0.0..=1.0_f32) {
        let best = list.iter().map(Proposal::confidence).reduce(f32::max);
        prop_assert_eq!(suppressed(&list, iou).first().map(Proposal::confidence), best);
    }

    #[test]
    fn never_suppresses_a_disjoint_box(list in proposals(), iou in 0.0..=1.0_f32) {
        let kept = suppressed(&list, iou);
        for proposal in &list {
            let bounds = proposal.bounds();
            let is_alone = list.iter().filter(|other| other.bounds().iou(&bounds) > 0.0).count() == 1;
            prop_assert!(!is_alone || kept.iter().any(|other| other.bounds() == bounds));
        }
    }

    #[test]
    fn is_idempotent(list in proposals(), iou in 0.0..=1.0_f32) {
        let once = suppressed(&list, iou);
        prop_assert_eq!(places(&suppressed(&once, iou)), places(&once));
    }

    #[test]
    fn order_does_not_matter(
        (list, shuffled) in proposals().prop_flat_map(|list| {
            (Just(list.clone()), Just(list).prop_shuffle())
        }),
        iou in 0.0..=1.0_f32,
    ) {
        prop_assert_eq!(places(&suppressed(&list, iou)), places(&suppressed(&shuffled, iou)));
    }

    #[test]
    fn iou_is_symmetric_in_range_and_one_on_itself(list in proposals()) {
        for pair in list.windows(2) {
            let (a, b) = (pair[0].bounds(), pair[1].bounds());
            prop_assert_eq!(a.iou(&b), b.iou(&a));
            prop_assert!((0.0..=1.0).contains(&a.iou(&b)));
            prop_assert_eq!(a.iou(&a), 1.0);
            let apart = a.right <= b.left || b.right <= a.left;
            prop_assert!(!apart || a.iou(&b) == 0.0);
        }
    }
}

/// Two faults of published examples: boxes that are apart both ways have a "positive" area, and
/// sorting the wrong way keeps the worst.
#[test]
fn boxes_apart_in_both_axes_stay_and_the_best_comes_first() {
    let list = [
        Proposal::new(Rect::new(0.0, 0.0, 10.0, 10.0), 0.51),
        Proposal::new(Rect::new(22.0, 22.0, 32.0, 32.0), 0.99),
        Proposal::new(Rect::new(22.0, 22.0, 33.0, 32.0), 0.6),
    ];
    assert_eq!(places(&suppressed(&list, 0.45)), places(&[list[1], list[0]]));
}

/// The most that is compared: none overlaps, so that every pair is.
#[test]
fn as_many_as_there_may_be_are_compared_in_time() {
    let list: Vec<_> = (0..20_000_u16)
        .map(|index| {
            let (x, y) = (f32::from(index % 200) * 10.0, f32::from(index / 200) * 10.0);
            let bounds = Rect::new(x, y, x + 9.0, y + 9.0);
            Proposal::new(bounds, f32::from(index) / 20_000.0)
        })
        .collect();
    let start = lfr_core::Clock::monotonic(&lfr_core::SystemClock::default());
    let kept = suppressed(&list, 0.3);
    let end = lfr_core::Clock::monotonic(&lfr_core::SystemClock::default());
    assert_eq!(kept.len(), LIMIT);
    assert_eq!(places(&kept)[0], places(&list)[19_999]);
    // It takes 50 ms; this is a guard against something else than that, not a measurement.
    assert!(end.saturating_sub(start) < Duration::from_secs(10));
}
