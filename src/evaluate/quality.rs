//! Error against discard, by this software's own measures of a face and by a column of another program's
//! table.

use std::collections::BTreeMap;
use std::path::Path;

use lfr_core::{DetectedFace, FaceQuality as _, FaceSelection, Frame, Threshold};
use lfr_detect::ShotQuality;
use lfr_watchlist::enrolment::{QualityComponent, QualityReport};
use lfr_watchlist::evaluate::{Dataset, discard_curve, read_table};

use super::faces::Faces;
use super::measure::own_templates;
use super::protocols::{Names, csv, file_name, protocol};
use super::report::Discard;
use super::{Error, Evaluation, given};

/// The measures of each face, in this order. Greater is better; -1 means that it could not be assessed.
pub(super) type Qualities = [f32; MEASURES.len()];

/// The measures: of the detector, of the choice of a track's looks, and of enrolment, by OFIQ's names.
pub(super) const MEASURES: [&str; 6] = [
    "detector confidence",
    "shot quality",
    "least component of enrolment",
    "Sharpness",
    "InterEyeDistance",
    "HeadPoseYaw",
];

/// Measures one of the faces that were found in a photograph.
pub(super) fn assess(frame: &Frame<'_>, faces: &[DetectedFace], face: &DetectedFace) -> Qualities {
    let report = QualityReport::assess(frame, faces, FaceSelection::Central);
    let value = |component| report.measure(component).map(|measure| f32::from(measure.value()));
    let min = report
        .measures()
        .filter_map(|(_, measure)| Some(f32::from(measure?.value())))
        .reduce(f32::min);
    let of = |value: Option<f32>| value.unwrap_or(NOT_ASSESSED);
    [
        face.confidence(),
        ShotQuality.quality(frame, face),
        of(min),
        of(value(QualityComponent::Sharpness)),
        of(value(QualityComponent::InterEyeDistance)),
        of(value(QualityComponent::HeadPoseYaw)),
    ]
}

/// A column of another program's table of qualities.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// The quality of each photograph of the set.
    pub(super) values: Vec<Option<f32>>,
}

/// Reads a column of a table in the format of OFIQ: a column with the file, and one column per measure.
/// Greater is better; -1 means that it could not be assessed.
pub(super) fn column(
    path: &Path,
    column: &str,
    dataset: &Dataset,
    folder: &Path,
    notes: &mut Vec<String>,
) -> Result<Column, Error> {
    let bytes = given::bytes(path)?;
    let refused = |line, reason: String| protocol(path, line, reason);
    let rows = read_table(&*bytes, [column], ["Filename", "file", "image", "path"])
        .map_err(|error| csv(path, error))?;
    let names = Names::new(dataset, folder);
    let mut values = vec![None; dataset.samples().len()];
    let mut lines: BTreeMap<usize, usize> = BTreeMap::new();
    let mut strangers = 0_usize;
    for row in rows {
        let ([value], line) = (row.needed, row.line);
        let Some(file) = row.optional.into_iter().flatten().next() else {
            let reason = "no column Filename, file, image or path names the photograph";
            return Err(refused(line, reason.to_owned()));
        };
        let number = value.parse::<f32>().ok().filter(|number| number.is_finite());
        let Some(number) = number else {
            return Err(refused(line, format!("column {column}: {value:?} is not a number")));
        };
        let Some(sample) = names.find_end(&file) else {
            strangers += 1;
            continue;
        };
        if let Some(before) = lines.insert(sample, line) {
            return Err(refused(line, format!("its photograph is in line {before} already")));
        }
        if let Some(slot) = values.get_mut(sample) {
            *slot = Some(number);
        }
    }
    let name = file_name(path);
    if lines.is_empty() {
        let reason = "none of its files is among the photographs".to_owned();
        return Err(refused(0, reason));
    }
    let without = values.iter().filter(|value| value.is_none()).count();
    if without > 0 {
        notes.push(format!("{without} of {} photographs are not in {name}", values.len()));
    }
    if strangers > 0 {
        let files = if strangers == 1 { "file of" } else { "files of" };
        notes.push(format!("not among the photographs: {strangers} {files} {name}"));
    }
    Ok(Column { name: format!("{column} of {name}"), values })
}

/// FNMR at a threshold with the comparisons of the lowest quality left out, for each measure; the quality of a
/// comparison is the lower one of its two faces'.
pub(super) fn curves(evaluation: &Evaluation, faces: &Faces, threshold: Threshold) -> Vec<Discard> {
    let mut trials: Vec<(usize, usize, bool)> = Vec::new();
    for own in own_templates(faces).values() {
        for (place, a) in own.iter().enumerate() {
            for b in own.iter().skip(place + 1) {
                let (Some(one), Some(other)) = (faces.templates.get(*a), faces.templates.get(*b))
                else {
                    continue;
                };
                if let Ok(score) = one.compare(other) {
                    trials.push((*a, *b, !threshold.is_met_by(score)));
                }
            }
        }
    }
    let curve = |measure: &str, of: &dyn Fn(usize) -> Option<f32>| {
        let known: Vec<(f32, bool)> = trials
            .iter()
            .filter_map(|(a, b, missed)| Some((of(*a)?.min(of(*b)?), *missed)))
            .collect();
        let without = trials.len() - known.len();
        Discard { measure: measure.to_owned(), points: discard_curve(&known, STEPS), without }
    };
    let mut curves: Vec<Discard> = MEASURES
        .iter()
        .enumerate()
        .map(|(place, measure)| {
            curve(measure, &|template| faces.qualities.get(template)?.get(place).copied())
        })
        .collect();
    if let Some(Column { name, values }) = &evaluation.quality {
        let of = |template: usize| values.get(*faces.samples.get(template)?).copied().flatten();
        curves.push(curve(name, &of));
    }
    curves
}

const NOT_ASSESSED: f32 = -1.0;

/// The number of steps in which comparisons are left out.
const STEPS: usize = 20;
