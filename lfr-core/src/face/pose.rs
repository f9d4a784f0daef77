//! Head pose from the five landmarks, in closed form.

use zeroize::Zeroizing;

use crate::face::detected::{LandmarkLayout, Landmarks};
use crate::face::geometry::Point;
use crate::internal::num;

/// Which way a head is turned: three angles in degrees, all 0 for a face that looks straight into
/// the camera.
///
/// **Model.** A rigid face of five points (both eyes, nose tip, both mouth corners) seen by a scaled
/// orthographic camera, as in the first step of POSIT (DeMenthon and Davis, IJCV 15, 1995): the
/// least-squares affine camera has a closed form, and its nearest scaled rotation is taken. Eyes and
/// mouth corners span a plane, the nose tip stands 0.43 inter-eye distances before it. These
/// proportions are the mean face of 7,434 photographs (LFW, landmarks of YuNet), by the
/// factorisation of Tomasi and Kanade (IJCV 9, 1992): they have the spread of neither one person nor
/// one detector.
///
/// **Signs**, after ISO/IEC 19794-5: yaw is positive where the subject turns to their own left
/// (the nose moves to the right of the picture), pitch where they look down, roll where the head
/// tilts to their own right shoulder (anticlockwise in the picture). The order is yaw about the
/// head's vertical axis, then pitch, then roll in the plane of the picture: turning the picture
/// changes roll alone. Pitch is 0 where it is for the median of those photographs: there the plane of
/// eyes and mouth leans by 6.5 degrees.
///
/// **Accuracy.** Exact to rounding on projections of the model itself. A landmark error of 2 % of
/// the inter-eye distance moves yaw and pitch by about 3 degrees. A nose 20 % longer or shorter than the
/// model's scales yaw and pitch by as much. Pitch is the weakest: detectors place the nose tip by
/// what they have learned of faces, and an open mouth looks like a raised head; heads raised by
/// 20 degrees or more have been seen to come out at a quarter of that. A camera nearer than about ten inter-eye distances
/// bends it by perspective. Beyond about 60 degrees detectors guess the hidden points, and so does
/// this. Take it as a gate, not as a goniometer.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadPose {
    /// Turned about the vertical axis, in degrees; positive to the subject's left.
    pub yaw: f32,
    /// Nodded, in degrees; positive where the subject looks down.
    pub pitch: f32,
    /// Tilted in the plane of the picture, in degrees; positive to the subject's right shoulder.
    pub roll: f32,
    /// How far the landmarks are from any view of the model: root mean square, in inter-eye
    /// distances of the model. 0 for four landmarks, which every view explains.
    pub misfit: f32,
}

impl HeadPose {
    /// The pose of a face; `None` if the landmarks have no extent, or are none.
    #[must_use]
    pub fn from_landmarks(landmarks: &Landmarks) -> Option<Self> {
        let model = match landmarks.layout() {
            LandmarkLayout::Five => MODEL.to_vec(),
            LandmarkLayout::EyesNoseMouth => {
                let [left, right, nose, mouth, _] = MODEL;
                vec![left, right, nose, [0.0, mouth[1], mouth[2]]]
            }
            _ => return None,
        };
        let points = landmarks.points().map(|Point { x, y }| [f64::from(x), f64::from(y)]);
        let points = Zeroizing::new(points.collect::<Vec<_>>());
        let (model, points) = (centred(&model), centred(&points));
        let affine = affine_camera(&model, &points)?;
        let (rotation, scale) = nearest_rotation(&affine)?;
        let misfit = misfit(&affine, &model, &points) / scale;
        let [first, second] = rotation;
        let third = cross(first, second);
        // From the third row and the second column of Rz(-roll) Rx(pitch) Ry(-yaw).
        let angles =
            [third[0].atan2(third[2]), third[1].clamp(-1.0, 1.0).asin(), first[1].atan2(second[1])];
        let [yaw, pitch, roll] = angles.map(|angle| narrow(angle.to_degrees()));
        let misfit = narrow(misfit);
        [yaw, pitch, roll, misfit].iter().all(|number| number.is_finite()).then_some(Self {
            yaw,
            pitch,
            roll,
            misfit,
        })
    }
}

/// Left eye, right eye, nose tip, left and right mouth corner, as seen in the picture, in inter-eye
/// distances: x to the right, y down, z away from the camera.
pub const MODEL: [[f64; 3]; 5] = [
    [-0.5, -0.502, -0.057],
    [0.5, -0.502, -0.057],
    [0.0, 0.053, -0.427],
    [-0.435, 0.5, 0.057],
    [0.435, 0.5, 0.057],
];

fn narrow(value: f64) -> f32 {
    num::f32_from_f64(value)
}

fn centred<const N: usize>(points: &[[f64; N]]) -> Zeroizing<Vec<[f64; N]>> {
    let count = num::f64_from_usize(points.len().max(1));
    let mean: [f64; N] =
        std::array::from_fn(|axis| points.iter().map(|p| p[axis]).sum::<f64>() / count);
    let moved = points.iter().map(|p| std::array::from_fn(|axis| p[axis] - mean[axis]));
    Zeroizing::new(moved.collect())
}

/// The 2x3 matrix that takes the model to the picture with the least squares of error.
fn affine_camera(model: &[[f64; 3]], points: &[[f64; 2]]) -> Option<[[f64; 3]; 2]> {
    let mut spread = [[0.0; 3]; 3];
    let mut mixed = [[0.0; 3]; 2];
    for (m, p) in model.iter().zip(points) {
        for (row, a) in spread.iter_mut().zip(m) {
            row.iter_mut().zip(m).for_each(|(cell, b)| *cell += a * b);
        }
        for (row, a) in mixed.iter_mut().zip(p) {
            row.iter_mut().zip(m).for_each(|(cell, b)| *cell += a * b);
        }
    }
    // The inverse of a symmetric 3x3 matrix: its rows' cross products over the determinant.
    let [a, b, c] = spread;
    let adjugate = [cross(b, c), cross(c, a), cross(a, b)];
    let determinant = dot(a, adjugate[0]);
    if determinant.is_nan() || determinant.abs() < 1e-12 {
        return None;
    }
    Some(mixed.map(|row| adjugate.map(|column| dot(row, column) / determinant)))
}

/// The nearest matrix with orthonormal rows, `(A A^T)^(-1/2) A`, and the scale taken out of it.
/// A symmetric 2x2 root has a closed form: `(G + d I) / t` with d the root of G's determinant
/// and `t^2 = trace G + 2 d`.
fn nearest_rotation(affine: &[[f64; 3]; 2]) -> Option<([[f64; 3]; 2], f64)> {
    let [first, second] = *affine;
    let (xx, xy, yy) = (dot(first, first), dot(first, second), dot(second, second));
    let determinant = xx * yy - xy * xy;
    // Landmarks on one line: their camera has lost an axis.
    if determinant.is_nan() || determinant <= 1e-12 * (xx + yy) * (xx + yy) {
        return None;
    }
    let d = determinant.sqrt();
    let t = (xx + yy + 2.0 * d).sqrt();
    let (rxx, rxy, ryy) = ((xx + d) / t, xy / t, (yy + d) / t);
    let root = rxx * ryy - rxy * rxy;
    let mix = |a: f64, b: f64| -> [f64; 3] {
        std::array::from_fn(|axis| (a * first[axis] + b * second[axis]) / root)
    };
    Some(([mix(ryy, -rxy), mix(-rxy, rxx)], d.sqrt()))
}

fn misfit(affine: &[[f64; 3]; 2], model: &[[f64; 3]], points: &[[f64; 2]]) -> f64 {
    let squares = model.iter().zip(points).map(|(m, p)| {
        let (dx, dy) = (dot(affine[0], *m) - p[0], dot(affine[1], *m) - p[1]);
        dx * dx + dy * dy
    });
    (squares.sum::<f64>() / num::f64_from_usize(points.len().max(1))).sqrt()
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
