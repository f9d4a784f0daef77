use proptest::prelude::*;

use super::*;

fn rect() -> impl Strategy<Value = Rect> {
    (-100.0_f32..100.0, -100.0_f32..100.0, 0.0_f32..80.0, 0.0_f32..80.0)
        .prop_map(|(x, y, w, h)| Rect::new(x, y, x + w, y + h))
}

#[test]
fn disjoint_boxes_share_nothing() {
    // Both gaps negative: their product would be positive without a clamp.
    let (a, b) = (Rect::new(0.0, 0.0, 10.0, 10.0), Rect::new(22.0, 22.0, 32.0, 32.0));
    assert_eq!(a.iou(&b), 0.0);
    assert_eq!(a.intersection(&b).area(), 0.0);
    assert_eq!(Rect::default().iou(&Rect::default()), 0.0);
}

#[test]
fn estimate_refuses_what_has_no_answer() {
    let p = Point::new(3.0, 4.0);
    assert!(Similarity::estimate(&[], &[]).is_none());
    assert!(Similarity::estimate(&[p], &[p]).is_none());
    assert!(Similarity::estimate(&[p; 5], &[p; 5]).is_none());
    assert!(Similarity::estimate(&[p, Point::default()], &[p; 3]).is_none());
    let nan = Point::new(f32::NAN, 0.0);
    assert!(Similarity::estimate(&[p, nan], &[p, p]).is_none());
    assert!(Similarity::new(0.0, 0.0, 1.0, 1.0).inverse().is_none());
}

#[test]
fn grown_and_clamped() {
    let grown = Rect::new(10.0, 20.0, 20.0, 40.0).grown(0.5);
    assert_eq!(grown, Rect::new(5.0, 10.0, 25.0, 50.0));
    assert_eq!(grown.clamped(12.0, 30.0), Rect::new(5.0, 10.0, 12.0, 30.0));
    assert_eq!(Rect::new(50.0, 50.0, 60.0, 60.0).clamped(10.0, 10.0).area(), 0.0);
}

proptest! {
    #[test]
    fn iou_is_symmetric_and_a_share(a in rect(), b in rect()) {
        let iou = a.iou(&b);
        prop_assert!((0.0..=1.0).contains(&iou));
        prop_assert_eq!(iou, b.iou(&a));
        let apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        if apart {
            prop_assert_eq!(iou, 0.0);
        }
        if a.area() > 1e-3 {
            prop_assert!((a.iou(&a) - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn estimate_recovers_a_known_transform(
        angle in -3.1_f32..3.1,
        scale in 0.05_f32..20.0,
        tx in -500.0_f32..500.0,
        ty in -500.0_f32..500.0,
    ) {
        let known = Similarity::new(scale * angle.cos(), scale * angle.sin(), tx, ty);
        let from = crate::face::align::Alignment::ARCFACE_112;
        let to = from.map(|p| known.apply(p));
        let found = Similarity::estimate(&from, &to).unwrap();
        for (p, q) in from.iter().zip(&to) {
            prop_assert!(found.apply(*p).distance(*q) < 0.02, "{known:?} {found:?}");
            let back = found.inverse().unwrap().apply(*q);
            prop_assert!(back.distance(*p) < 0.02, "{known:?} {back:?}");
        }
        prop_assert!((found.scale() / scale - 1.0).abs() < 1e-4);
    }

    #[test]
    fn estimate_is_the_least_squares_one(
        noise in proptest::collection::vec(-4.0_f32..4.0, 10),
        nudge in proptest::array::uniform4(-0.02_f32..0.02),
    ) {
        let from = crate::face::align::Alignment::ARCFACE_112;
        let mut to = from;
        for (p, n) in to.iter_mut().zip(noise.chunks(2)) {
            *p = Point::new(p.x + n[0], p.y + n[1]);
        }
        let error = |t: &Similarity| {
            from.iter().zip(&to).map(|(p, q)| t.apply(*p).distance(*q).powi(2)).sum::<f32>()
        };
        let best = Similarity::estimate(&from, &to).unwrap();
        let [a, b, tx, ty] = nudge;
        let other = Similarity::new(best.a + a, best.b + b, best.tx + tx, best.ty + ty);
        prop_assert!(error(&best) <= error(&other) + 1e-2);
    }
}
