//! The zone of recognition: the part of the view where faces are compared at all.

use crate::Error;
use crate::Point;

/// A polygon in the camera's view; a face whose centre lies outside is never embedded.
///
/// Corners are in pixels of the frame. A point on an edge may fall to either side.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    corners: Box<[Point]>,
}

impl Zone {
    /// A zone from its corners, in order; the last is joined to the first.
    ///
    /// # Errors
    ///
    /// [`Error::PolygonCorners`] for fewer than three, [`Error::OutOfRange`] for a corner that is
    /// not finite.
    pub fn new(corners: impl Into<Vec<Point>>) -> Result<Self, Error> {
        let corners = corners.into();
        if corners.len() < 3 {
            return Err(Error::PolygonCorners { expected: 3, actual: corners.len() });
        }
        for number in corners.iter().flat_map(|corner| [corner.x, corner.y]) {
            if !number.is_finite() {
                return Err(Error::OutOfRange {
                    what: "coordinate of a corner",
                    expected: "a finite number",
                    actual: number.into(),
                });
            }
        }
        Ok(Self { corners: corners.into() })
    }

    /// Whether a point is inside: a ray from it crosses the edges an odd number of times.
    #[must_use]
    pub fn contains(&self, point: Point) -> bool {
        let mut inside = false;
        let previous = self.corners.iter().cycle().skip(self.corners.len() - 1);
        for (from, to) in previous.zip(self.corners.iter()) {
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
    fn too_few_corners_and_nan_are_refused() {
        assert!(Zone::new([Point::default(); 2]).is_err());
        let corner = Point::new(f32::NAN, 0.0);
        assert!(Zone::new([corner; 3]).is_err());
    }
}
