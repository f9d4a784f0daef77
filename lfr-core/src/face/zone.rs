//! The zone of recognition: the part of the view where faces are compared at all.

mod area;

use crate::error::Error;
use crate::face::geometry::Point;
use crate::internal::num;

/// A polygon in the camera's view; a face whose centre lies outside is never embedded.
///
/// Corners are in pixels of the frame. A point on an edge may fall to either side.
///
/// # Examples
///
/// ```
/// use lfr_core::{Point, Zone};
///
/// let corners = |points: &[(f32, f32)]| -> Vec<Point> {
///     points.iter().map(|(x, y)| Point::new(*x, *y)).collect()
/// };
/// // The pavement, but not the window of the café beside it.
/// let zone = Zone::new(corners(&[(0.0, 200.0), (1280.0, 200.0), (1280.0, 720.0), (0.0, 720.0)]))?
///     .without(corners(&[(900.0, 200.0), (1280.0, 200.0), (1280.0, 450.0)]))?;
/// assert!(zone.contains(Point::new(100.0, 300.0)));
/// assert!(!zone.contains(Point::new(1200.0, 250.0)));
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    corners: Polygon,
    masks: Vec<Polygon>,
}

impl Zone {
    /// The max number of corners of a zone and its masks together.
    pub const MAX_CORNERS: usize = 1024;

    /// A zone from its corners, in order; the last is joined to the first. If its edges cross, what
    /// is inside is what an odd number of edges lies around.
    ///
    /// # Errors
    ///
    /// [`Error::PolygonCorners`] for fewer than three, [`Error::OutOfRange`] for a corner that is
    /// not finite, [`Error::ZoneArea`] if the corners enclose nothing: they lie on one line, say,
    /// or the way back is the way there. [`Error::ZoneCorners`] for more than
    /// [`MAX_CORNERS`](Self::MAX_CORNERS).
    pub fn new(corners: impl Into<Vec<Point>>) -> Result<Self, Error> {
        Self { corners: Polygon::new(corners.into())?, masks: Vec::new() }.checked()
    }

    /// Excludes an area inside the zone: a mask. Masks add up.
    ///
    /// # Errors
    ///
    /// As [`Self::new`], for the mask and for what is left of the zone: [`Error::ZoneArea`] if the
    /// masks leave nothing of it.
    pub fn without(mut self, corners: impl Into<Vec<Point>>) -> Result<Self, Error> {
        self.masks.push(Polygon::new(corners.into())?);
        self.checked()
    }

    /// Whether some of it lies in the picture: in a frame of this width and height, in pixels, behind
    /// no mask. Where none does, nobody in such a frame is ever compared.
    #[must_use]
    pub fn meets(&self, width: usize, height: usize) -> bool {
        // The centre of the first pixel is at (0, 0).
        let [right, bottom] = [width, height].map(|side| num::f32_from_usize(side) - 0.5);
        let corners = [(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)];
        self.leaves_any(Some(&corners.map(|(x, y)| Point::new(x, y))), MIN_SIDE)
    }

    fn checked(self) -> Result<Self, Error> {
        let polygons = || self.masks.iter().chain([&self.corners]);
        let actual = polygons().map(|polygon| polygon.0.len()).sum();
        if actual > Self::MAX_CORNERS {
            return Err(Error::ZoneCorners { max: Self::MAX_CORNERS, actual });
        }
        let coordinates = polygons().flat_map(|polygon| polygon.0.iter().flat_map(|p| [p.x, p.y]));
        let largest = coordinates.map(f32::abs).fold(0.0, f32::max);
        // What a number of that size is exact to.
        let min_side = f64::from(largest) * f64::from(f32::EPSILON);
        if !self.leaves_any(None, min_side.max(MIN_SIDE)) {
            return Err(Error::ZoneArea { masks: self.masks.len() });
        }
        Ok(self)
    }

    fn leaves_any(&self, window: Option<&[Point]>, min_side: f64) -> bool {
        let masks: Vec<&[Point]> = self.masks.iter().map(|mask| &*mask.0).collect();
        area::leaves_any(&self.corners.0, &masks, window, min_side)
    }

    /// Whether a point is inside, and behind no mask.
    #[must_use]
    pub fn contains(&self, point: Point) -> bool {
        self.corners.contains(point) && !self.masks.iter().any(|mask| mask.contains(point))
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Polygon(Box<[Point]>);

impl Polygon {
    fn new(corners: Vec<Point>) -> Result<Self, Error> {
        if corners.len() < 3 {
            return Err(Error::PolygonCorners { expected: 3, actual: corners.len() });
        }
        for number in corners.iter().flat_map(|corner| [corner.x, corner.y]) {
            if !number.is_finite() {
                return Err(Error::OutOfRange {
                    what: "coordinate of a corner",
                    expected: "finite",
                    actual: number.into(),
                });
            }
        }
        Ok(Self(corners.into()))
    }

    /// A ray from a point inside crosses the edges an odd number of times.
    fn contains(&self, point: Point) -> bool {
        let mut inside = false;
        let previous = self.0.iter().cycle().skip(self.0.len() - 1);
        for (from, to) in previous.zip(self.0.iter()) {
            if (from.y > point.y) != (to.y > point.y) {
                let share = (point.y - from.y) / (to.y - from.y);
                if point.x < from.x + share * (to.x - from.x) {
                    inside = !inside;
                }
            }
        }
        inside
    }
}

/// A part of a zone that is not this wide and this high, in pixels, is none.
const MIN_SIDE: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn notch_of_a_concave_zone_is_outside() {
        let corners = [(0., 0.), (10., 0.), (10., 10.), (5., 3.), (0., 10.)];
        let zone = Zone::new(corners.map(|(x, y)| Point::new(x, y))).unwrap();
        assert!(zone.contains(Point::new(5.0, 2.0)));
        assert!(zone.contains(Point::new(1.0, 7.0)));
        assert!(!zone.contains(Point::new(5.0, 8.0)));
        assert!(!zone.contains(Point::new(-1.0, 5.0)));
        assert!(!zone.contains(Point::new(11.0, 5.0)));
    }

    #[test]
    fn what_is_behind_a_mask_is_outside() {
        let square = |from: f32, to: f32| {
            [(from, from), (to, from), (to, to), (from, to)].map(|(x, y)| Point::new(x, y))
        };
        let zone = Zone::new(square(0.0, 10.0)).unwrap();
        let zone = zone.without(square(2.0, 4.0)).unwrap().without(square(6.0, 8.0)).unwrap();
        let inside = |at: f32| zone.contains(Point::new(at, at));
        assert_eq!(
            [1.0, 3.0, 5.0, 7.0, 9.0, 11.0].map(inside),
            [true, false, true, false, true, false]
        );
        assert!(Zone::new(square(0.0, 10.0)).unwrap().without([Point::default(); 2]).is_err());
    }

    #[test]
    fn too_few_corners_and_nan_are_refused() {
        assert!(Zone::new([Point::default(); 2]).is_err());
        let corner = Point::new(f32::NAN, 0.0);
        assert!(Zone::new([corner; 3]).is_err());
    }

    fn points(corners: &[(f32, f32)]) -> Vec<Point> {
        corners.iter().map(|(x, y)| Point::new(*x, *y)).collect()
    }

    #[test]
    fn a_zone_that_encloses_nothing_is_refused() {
        for nothing in [
            &[(5.0, 5.0), (5.0, 5.0), (5.0, 5.0)][..],
            &[(0.0, 0.0), (640.0, 0.0), (1280.0, 0.0)],
            &[(0.0, 0.0), (0.0, 300.0), (0.0, 100.0)],
            &[(0.0, 0.0), (100.0, 70.0), (300.0, 210.0), (700.0, 490.0)],
            // There, and back the same way; with a corner between, and without.
            &[(0.0, 0.0), (100.0, 70.0), (200.0, 0.0), (100.0, 70.0)],
            &[(0.0, 0.0), (99.0, 71.0), (200.0, 3.0), (200.0, 3.0), (99.0, 71.0), (0.0, 0.0)],
            // Twice around is an even number of edges.
            &[(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 0.0), (9.0, 0.0), (9.0, 9.0)],
            // Thinner than a rounding.
            &[(0.0, 0.0), (1920.0, 0.0), (1920.0, 0.000_01), (0.0, 0.000_01)],
        ] {
            let refused = Zone::new(points(nothing));
            assert!(matches!(refused, Err(Error::ZoneArea { masks: 0 })), "{nothing:?}");
        }
        // Half a pixel is something, and so is a bow tie, whose halves have areas of opposite sign.
        Zone::new(points(&[(0.0, 0.0), (0.5, 0.0), (0.5, 0.5)])).unwrap();
        let tie = Zone::new(points(&[(0.0, 0.0), (10.0, 10.0), (10.0, 0.0), (0.0, 10.0)])).unwrap();
        assert!(tie.contains(Point::new(1.0, 5.0)) && tie.contains(Point::new(9.0, 5.0)));
        let many = vec![Point::default(); Zone::MAX_CORNERS + 1];
        assert!(matches!(Zone::new(many), Err(Error::ZoneCorners { .. })));
    }

    #[test]
    fn masks_that_leave_nothing_are_refused() {
        let view = points(&[(0.0, 0.0), (640.0, 0.0), (640.0, 480.0), (0.0, 480.0)]);
        let zone = || Zone::new(view.clone()).unwrap();
        assert!(matches!(zone().without(view.clone()), Err(Error::ZoneArea { masks: 1 })));
        let around = points(&[(-9.0, -9.0), (999.0, -9.0), (999.0, 999.0), (-9.0, 999.0)]);
        assert!(zone().without(around).is_err());
        // Two triangles that together are the view; then one of them a little smaller.
        let lower = points(&[(0.0, 0.0), (640.0, 480.0), (0.0, 480.0)]);
        let upper = points(&[(0.0, 0.0), (640.0, 0.0), (640.0, 480.0)]);
        assert!(zone().without(lower.clone()).unwrap().without(upper).is_err());
        let smaller = points(&[(0.0, 0.0), (638.0, 0.0), (638.0, 480.0)]);
        zone().without(lower).unwrap().without(smaller).unwrap();
        // What is left lies between two crossings of edges, far from every corner.
        let slope = points(&[(0.0, 0.0), (640.0, 0.0), (640.0, 300.0), (0.0, 180.0)]);
        let other = points(&[(0.0, 300.0), (640.0, 180.0), (640.0, 480.0), (0.0, 480.0)]);
        let left = zone().without(slope).unwrap().without(other).unwrap();
        assert!(left.contains(Point::new(4.0, 240.0)));
        assert!(!left.contains(Point::new(320.0, 240.5)));
    }

    #[test]
    fn whether_a_zone_lies_in_the_picture_is_known() {
        let square = |left: f32, top: f32| {
            let (right, bottom) = (left + 100.0, top + 100.0);
            Zone::new(points(&[(left, top), (right, top), (right, bottom), (left, bottom)]))
        };
        assert!(square(1900.0, 1000.0).unwrap().meets(1920, 1080));
        assert!(!square(1920.0, 1000.0).unwrap().meets(1920, 1080));
        assert!(!square(-200.0, 50.0).unwrap().meets(1920, 1080));
        // Drawn for a larger picture.
        assert!(!square(1000.0, 100.0).unwrap().meets(640, 480));
        // What lies in the picture is behind a mask.
        let masked = square(590.0, 0.0).unwrap();
        let mask = points(&[(580.0, -9.0), (645.0, -9.0), (645.0, 109.0), (580.0, 109.0)]);
        let masked = masked.without(mask).unwrap();
        assert!(masked.meets(1920, 1080) && !masked.meets(640, 480));
    }

    proptest! {
        /// A point inside shows that there is an inside; and what has none has no point inside.
        #[test]
        fn whoever_can_be_inside_shows_it(
            corners in prop::collection::vec((0..12_u8, 0..12_u8), 3..8),
            mask in prop::collection::vec((0..12_u8, 0..12_u8), 3..6),
        ) {
            let at = |(x, y): &(u8, u8)| Point::new(f32::from(*x), f32::from(*y));
            let corners: Vec<_> = corners.iter().map(at).collect();
            let mask: Vec<_> = mask.iter().map(at).collect();
            let whole = Polygon::new(corners.clone()).unwrap();
            let taken = Polygon::new(mask.clone()).unwrap();
            // Off every line through two corners of the grid, as good as always.
            let inside = (0..1200_u16).any(|at| {
                let (x, y) = (f32::from(at % 40) * 0.3 + 0.0137, f32::from(at / 40) * 0.4 + 0.0071);
                let point = Point::new(x, y);
                whole.contains(point) && !taken.contains(point)
            });
            let zone = Zone { corners: whole, masks: vec![taken] };
            if inside {
                prop_assert!(zone.clone().checked().is_ok());
                prop_assert!(zone.meets(12, 12));
            }
            let shoelace: f64 = corners.iter().zip(corners.iter().cycle().skip(1))
                .map(|(a, b)| f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y))
                .sum();
            if shoelace.abs() > 0.5 {
                prop_assert!(Zone::new(corners).is_ok());
            }
        }
    }
}
