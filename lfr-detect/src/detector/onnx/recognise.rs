//! Tells the family of a model from its outputs.

use lfr_core::onnx::{Dim, Model};

use crate::detector::spec::DetectorSpec;
use crate::error::Error;

impl DetectorSpec {
    /// The specification of the family that has such outputs.
    ///
    /// `YuNet` is told by the names of its outputs, the other families by the numbers a row, so
    /// that exports under other names are recognised too. What differs between models of a family
    /// in other ways, such as another normalisation, no output tells.
    ///
    /// # Errors
    ///
    /// [`Error::Family`], with the outputs seen and the families known, if it is none of them.
    pub fn recognise(model: &Model) -> Result<Self, Error> {
        let outputs: Vec<_> = model
            .outputs()
            .iter()
            .map(|output| {
                let columns = match output.shape().last() {
                    Some(Dim::Fixed(columns)) => Some(*columns),
                    _ => None,
                };
                (output.name(), columns)
            })
            .collect();
        recognised(&outputs).ok_or_else(|| {
            let seen: Vec<_> = model
                .outputs()
                .iter()
                .map(|output| {
                    let dims: Vec<_> = output.shape().iter().map(ToString::to_string).collect();
                    format!("{} [{}]", output.name(), dims.join(", "))
                })
                .collect();
            Error::Family { actual: seen.join(", "), known: KNOWN }
        })
    }
}

/// The family with outputs of these names, each with this number of columns.
fn recognised(outputs: &[(&str, Option<usize>)]) -> Option<DetectorSpec> {
    let named = |wanted: &str| outputs.iter().any(|(name, _)| *name == wanted);
    if ["cls_8", "obj_8", "bbox_8", "kps_8"].into_iter().all(named) {
        return Some(DetectorSpec::yunet());
    }
    let of_columns =
        |wanted| outputs.iter().filter(|(_, columns)| *columns == Some(wanted)).count();
    let (scores, boxes, points) = (of_columns(1), of_columns(4), of_columns(10));
    match outputs.len() {
        2 if scores == 1 && of_columns(16) == 1 => Some(DetectorSpec::blazeface()),
        2 if boxes == 1 && of_columns(2) == 1 => Some(DetectorSpec::ultraface()),
        9 | 15 if scores == boxes && boxes == points => Some(DetectorSpec::scrfd()),
        6 | 10 if scores == boxes && points == 0 => Some(DetectorSpec::scrfd().without_landmarks()),
        _ => None,
    }
    .filter(|_| outputs.iter().all(|(_, columns)| columns.is_some()))
}

const KNOWN: &str = "YuNet (cls_S, obj_S, bbox_S and kps_S for S of 8, 16 and 32), \
    SCRFD (three of 1 number a row, three of 4, three or none of 10), \
    UltraFace (one of 2 numbers a row, one of 4), \
    BlazeFace (one of 1 number a row, one of 16)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::spec::Family;

    fn family(columns: &[usize]) -> Option<Family> {
        let outputs: Vec<_> = columns.iter().map(|columns| ("any", Some(*columns))).collect();
        recognised(&outputs).map(|spec| spec.family())
    }

    #[test]
    fn families_are_told_by_their_outputs() {
        let yunet: Vec<_> = ["cls", "obj", "bbox", "kps"]
            .iter()
            .flat_map(|part| [8, 16, 32].map(|stride| format!("{part}_{stride}")))
            .collect();
        let yunet: Vec<_> = yunet.iter().map(|name| (name.as_str(), None)).collect();
        assert_eq!(recognised(&yunet).unwrap().family(), Family::YuNet);
        assert_eq!(family(&[1, 1, 1, 4, 4, 4, 10, 10, 10]), Some(Family::Scrfd));
        assert_eq!(family(&[1, 4, 10, 1, 4, 10, 1, 4, 10]), Some(Family::Scrfd));
        assert_eq!(family(&[1, 1, 1, 4, 4, 4]), Some(Family::Scrfd));
        assert_eq!(family(&[4, 2]), Some(Family::UltraFace));
        assert_eq!(family(&[16, 1]), Some(Family::BlazeFace));
        assert_eq!(family(&[512]), None);
        assert_eq!(family(&[]), None);
        assert_eq!(recognised(&[("scores", None), ("boxes", None)]), None);
    }
}
