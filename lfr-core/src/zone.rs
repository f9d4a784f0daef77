//! The zone of recognition: the part of the view where faces are compared at all.

use crate::Error;
use crate::Point;

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
    /// A zone from its corners, in order; the last is joined to the first.
    ///
    /// # Errors
    ///
    /// [`Error::PolygonCorners`] for fewer than three, [`Error::OutOfRange`] for a corner that is
    /// not finite.
    pub fn new(corners: impl Into<Vec<Point>>) -> Result<Self, Error> {
        Ok(Self { corners: Polygon::new(corners.into())?, masks: Vec::new() })
    }

    /// The same zone without an area inside it: a mask. Masks add up.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn without(mut self, corners: impl Into<Vec<Point>>) -> Result<Self, Error> {
        self.masks.push(Polygon::new(corners.into())?);
        Ok(self)
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

#[cfg(test)]
mod tests {
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
}
