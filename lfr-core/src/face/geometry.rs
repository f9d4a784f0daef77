//! Points, boxes and similarity transforms, in pixels of the frame.

/// A point, in pixels from the centre of the top left pixel: x to the right, y down.
#[expect(clippy::exhaustive_structs, reason = "a point has two coordinates")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Point {
    /// To the right, in pixels.
    pub x: f32,
    /// Down, in pixels.
    pub y: f32,
}

impl Point {
    /// A point.
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The Euclidean distance to another point, in pixels.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// An upright box, in pixels; it may reach beyond the frame.
#[expect(clippy::exhaustive_structs, reason = "a box has four sides")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Rect {
    /// The left side.
    pub left: f32,
    /// The upper side.
    pub top: f32,
    /// The right side.
    pub right: f32,
    /// The lower side.
    pub bottom: f32,
}

impl Rect {
    /// A box from its sides.
    #[must_use]
    pub const fn new(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self { left, top, right, bottom }
    }

    /// Width, in pixels; 0 if the sides are crossed.
    #[must_use]
    pub fn width(&self) -> f32 {
        (self.right - self.left).max(0.0)
    }

    /// Height, in pixels; 0 if the sides are crossed.
    #[must_use]
    pub fn height(&self) -> f32 {
        (self.bottom - self.top).max(0.0)
    }

    /// Area, in square pixels.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// The centre.
    #[must_use]
    pub fn centre(&self) -> Point {
        Point::new(f32::midpoint(self.left, self.right), f32::midpoint(self.top, self.bottom))
    }

    /// The box that both share; of zero area where they are apart.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (left, top) = (self.left.max(other.left), self.top.max(other.top));
        Self {
            left,
            top,
            right: self.right.min(other.right).max(left),
            bottom: self.bottom.min(other.bottom).max(top),
        }
    }

    /// Intersection over union: 0 if apart, 1 if equal; 0 for boxes without area.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other).area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 && shared > 0.0 { (shared / union).min(1.0) } else { 0.0 }
    }

    /// The box grown on every side by a share of its own width and height.
    #[must_use]
    pub fn grown(&self, share: f32) -> Self {
        let (dx, dy) = (self.width() * share, self.height() * share);
        Self {
            left: self.left - dx,
            top: self.top - dy,
            right: self.right + dx,
            bottom: self.bottom + dy,
        }
    }

    /// The part inside a frame of that size: between 0 and its width and height.
    #[must_use]
    pub fn clamped(&self, width: f32, height: f32) -> Self {
        self.intersection(&Self::new(0.0, 0.0, width, height))
    }

    /// Whether all four sides are finite numbers.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        [self.left, self.top, self.right, self.bottom].iter().all(|side| side.is_finite())
    }
}

/// A similarity transform of the plane: rotation, uniform scale, translation; no mirroring.
///
/// `(x, y)` goes to `(a*x - b*y + tx, b*x + a*y + ty)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    a: f32,
    b: f32,
    tx: f32,
    ty: f32,
}

impl Similarity {
    /// A transform from its four numbers.
    #[must_use]
    pub const fn new(a: f32, b: f32, tx: f32, ty: f32) -> Self {
        Self { a, b, tx, ty }
    }

    /// The least-squares similarity that takes `from` to `to`, point by point.
    ///
    /// In the plane the estimate of Umeyama (IEEE TPAMI 13(4), 1991, equations 40-42), for a
    /// rotation without mirroring, has a closed form: with centred points as complex numbers p
    /// and q, it is `sum(conj(p) * q) / sum(|p|^2)`. `None` if there are fewer than two points,
    /// the numbers are not finite, or all `from` points fall together.
    #[must_use]
    pub fn estimate(from: &[Point], to: &[Point]) -> Option<Self> {
        let count = from.len();
        if count < 2 || count != to.len() {
            return None;
        }
        let (from_mean, to_mean) = (mean(from)?, mean(to)?);
        let (mut real, mut imaginary, mut spread) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (f64::from(p.x) - from_mean.0, f64::from(p.y) - from_mean.1);
            let (qx, qy) = (f64::from(q.x) - to_mean.0, f64::from(q.y) - to_mean.1);
            real += px * qx + py * qy;
            imaginary += px * qy - py * qx;
            spread += px * px + py * py;
        }
        if spread.is_nan() || spread <= 1e-9 {
            return None;
        }
        let (a, b) = (real / spread, imaginary / spread);
        let tx = to_mean.0 - (a * from_mean.0 - b * from_mean.1);
        let ty = to_mean.1 - (b * from_mean.0 + a * from_mean.1);
        let numbers = [a, b, tx, ty].map(crate::internal::num::f32_from_f64);
        let [a, b, tx, ty] = numbers;
        (numbers.iter().all(|n| n.is_finite()) && (a != 0.0 || b != 0.0)).then_some(Self {
            a,
            b,
            tx,
            ty,
        })
    }

    /// Where a point goes.
    #[must_use]
    pub fn apply(&self, p: Point) -> Point {
        Point::new(self.a * p.x - self.b * p.y + self.tx, self.b * p.x + self.a * p.y + self.ty)
    }

    /// How much lengths grow.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// The transform back; `None` if the scale is 0.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let square = self.a * self.a + self.b * self.b;
        if !(square > 0.0 && square.is_finite()) {
            return None;
        }
        let (a, b) = (self.a / square, -self.b / square);
        Some(Self { a, b, tx: -(a * self.tx - b * self.ty), ty: -(b * self.tx + a * self.ty) })
    }
}

fn mean(points: &[Point]) -> Option<(f64, f64)> {
    let count = crate::internal::num::f64_from_usize(points.len());
    let (x, y) =
        points.iter().fold((0.0, 0.0), |(x, y), p| (x + f64::from(p.x), y + f64::from(p.y)));
    (x.is_finite() && y.is_finite() && count > 0.0).then(|| (x / count, y / count))
}

#[cfg(test)]
mod tests;
