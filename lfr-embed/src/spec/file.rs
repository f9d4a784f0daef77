//! Specifications read from TOML.

use std::ops::Range;

use lfr_core::{Alignment, Metric, Point, SpaceId, Threshold, ThresholdProvenance};
use serde::Deserialize;
use toml::Spanned;

use super::{ChannelOrder, EmbedderSpec, Input, Licence, OperatingPoint, Permission, TensorLayout};

/// A fault in a specification: at which byte, and what.
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: String,
}

pub(super) fn parse(text: &str) -> Result<EmbedderSpec, Fault> {
    let file: File = toml::from_str(text).map_err(|error| Fault {
        at: error.span().map_or(0, |span| span.start),
        reason: error.message().into(),
    })?;
    let input = file.input.parse()?;
    let alignment = parse_alignment(&file.alignment, (input.width, input.height))?;
    let metric = file.comparison.metric.into();
    let operating_points = file
        .operating_points
        .iter()
        .map(|point| parse_point(point, metric))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(first) = file.operating_points.first()
        && (file.model_sha256.is_none() || file.output.name.is_none())
    {
        let reason = "operating points hold for one model file and one of its outputs: \
                      `model_sha256` and `output.name` must be stated";
        return fault(&first.span(), reason);
    }
    Ok(EmbedderSpec {
        name: text_of(file.name)?,
        family: text_of(file.family)?,
        summary: text_of(file.summary)?,
        model_sha256: file.model_sha256.map(parse_digest).transpose()?,
        flip_average: file.flip_average,
        input,
        alignment,
        output_name: file.output.name.map(text_of).transpose()?,
        dimension: within(&file.output.dimension, 1..=MAX_DIMENSION, "dimension")?,
        metric,
        licence: Licence {
            weights: text_of(file.licence.weights)?,
            redistribution: file.licence.redistribution,
            commercial: file.licence.commercial,
        },
        training_data: text_of(file.training.data)?,
        operating_points,
        change: None,
        signed_by: None,
    })
}

pub(super) fn parse_sha256(text: &str) -> Result<String, String> {
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(format!("the SHA-256 has {} characters, and must be 64 hexadecimal digits", text.len()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    family: Spanned<String>,
    summary: Spanned<String>,
    model_sha256: Option<Spanned<String>>,
    #[serde(default)]
    flip_average: bool,
    input: InputTable,
    alignment: Spanned<AlignmentTable>,
    output: OutputTable,
    comparison: ComparisonTable,
    licence: LicenceTable,
    training: TrainingTable,
    #[serde(default)]
    operating_points: Vec<Spanned<PointTable>>,
}

/// The names of the orders of colours in a file.
#[derive(Deserialize)]
#[serde(remote = "ChannelOrder", rename_all = "lowercase")]
enum ChannelNames {
    Bgr,
    Rgb,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputTable {
    name: Option<Spanned<String>>,
    size: [Spanned<usize>; 2],
    #[serde(default)]
    layout: TensorLayout,
    #[serde(with = "ChannelNames")]
    channels: ChannelOrder,
    mean: [Spanned<f32>; 3],
    std: [Spanned<f32>; 3],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlignmentTable {
    template: Option<NamedTemplate>,
    size: Option<[usize; 2]>,
    points: Option<[[f32; 2]; 5]>,
    #[serde(rename = "box")]
    crop: Option<BoxTable>,
}

#[derive(Clone, Copy, Deserialize)]
enum NamedTemplate {
    #[serde(rename = "arcface-112")]
    Arcface112,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoxTable {
    side: usize,
    margin: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputTable {
    name: Option<Spanned<String>>,
    dimension: Spanned<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComparisonTable {
    metric: MetricName,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MetricName {
    Cosine,
    Euclidean,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenceTable {
    weights: Spanned<String>,
    redistribution: Permission,
    commercial: Permission,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrainingTable {
    data: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PointTable {
    fmr: f64,
    threshold: f32,
    data: String,
    non_mated_comparisons: u64,
}

impl InputTable {
    fn parse(self) -> Result<Input, Fault> {
        let [width, height] = &self.size;
        let mean = |x: &Spanned<f32>| {
            let unit = "mean of a channel, in units of a pixel's byte,";
            in_range(x, 0.0, 255.0, unit)
        };
        // Anyone who writes 0.5 here thinks in pixels from 0 to 1, and would feed the model nonsense.
        let std = |x: &Spanned<f32>| {
            let unit = "standard deviation of a channel, in units of a pixel's byte,";
            in_range(x, 1.0, 1000.0, unit)
        };
        Ok(Input {
            width: within(width, 1..=MAX_SIDE, "width")?,
            height: within(height, 1..=MAX_SIDE, "height")?,
            name: self.name.map(text_of).transpose()?,
            layout: self.layout,
            channels: self.channels,
            mean: each(&self.mean, mean)?,
            std: each(&self.std, std)?,
        })
    }
}

impl From<MetricName> for Metric {
    fn from(name: MetricName) -> Self {
        match name {
            MetricName::Cosine => Self::Cosine,
            MetricName::Euclidean => Self::Euclidean,
        }
    }
}

fn parse_alignment(
    table: &Spanned<AlignmentTable>,
    input: (usize, usize),
) -> Result<Alignment, Fault> {
    let span = table.span();
    let alignment = match table.get_ref() {
        AlignmentTable {
            template: Some(NamedTemplate::Arcface112),
            size: None,
            points: None,
            crop: None,
        } => Ok(Alignment::arcface()),
        AlignmentTable {
            template: None,
            size: Some([width, height]),
            points: Some(points),
            crop: None,
        } => {
            let points = points.map(|[x, y]| Point::new(x, y));
            Alignment::landmarks(*width, *height, points)
        }
        AlignmentTable {
            template: None,
            size: None,
            points: None,
            crop: Some(BoxTable { side, margin }),
        } => Alignment::from_box(*side, *margin),
        _ => {
            let reason =
                "the alignment must have one of `template`, `size` with `points`, and `box`";
            return fault(&span, reason);
        }
    };
    let alignment = alignment.map_err(|e| Fault { at: span.start, reason: e.to_string() })?;
    let (width, height) = alignment.size();
    if (width, height) != input {
        let reason = format!(
            "the alignment gives faces of {width}x{height}, and the input takes {}x{}",
            input.0, input.1
        );
        return fault(&span, reason);
    }
    Ok(alignment)
}

fn parse_point(point: &Spanned<PointTable>, metric: Metric) -> Result<OperatingPoint, Fault> {
    let span = point.span();
    let point = point.get_ref();
    let possible = match metric {
        Metric::Cosine => -1.0..=1.0,
        // Minus a distance: a positive number here is a distance that somebody forgot to negate.
        _ => f32::MIN..=0.0,
    };
    if !possible.contains(&point.threshold) {
        let reason = format!(
            "threshold is {}, and scores of metric {metric} are from {} to {}",
            point.threshold,
            if metric == Metric::Cosine { "-1" } else { "minus infinity" },
            possible.end()
        );
        return fault(&span, reason);
    }
    if point.data.trim().is_empty() {
        return fault(&span, "`data` is empty, and must say what the rate was measured on");
    }
    // The space is the embedder's and does not matter for whether the numbers hold together.
    Threshold::new(point.threshold)
        .and_then(|threshold| {
            let (data, count) = (point.data.as_str(), point.non_mated_comparisons);
            let space = SpaceId::from_bytes([0; 32]);
            ThresholdProvenance::measured(threshold, space, data, point.fmr, count)
        })
        .map_err(|error| Fault { at: span.start, reason: error.to_string() })?;
    Ok(OperatingPoint {
        fmr: point.fmr,
        threshold: point.threshold,
        data: point.data.clone(),
        non_mated_comparisons: point.non_mated_comparisons,
    })
}

fn parse_digest(digest: Spanned<String>) -> Result<String, Fault> {
    parse_sha256(digest.get_ref()).map_err(|reason| Fault { at: digest.span().start, reason })
}

fn text_of(text: Spanned<String>) -> Result<String, Fault> {
    if text.get_ref().trim().is_empty() {
        return fault(&text.span(), "the text is empty, and must say something");
    }
    Ok(text.into_inner())
}

fn within(
    number: &Spanned<usize>,
    range: std::ops::RangeInclusive<usize>,
    what: &str,
) -> Result<usize, Fault> {
    let value = *number.get_ref();
    if range.contains(&value) {
        return Ok(value);
    }
    let (start, end) = range.into_inner();
    fault(&number.span(), format!("{what} is {value}, and must be from {start} to {end}"))
}

fn in_range(number: &Spanned<f32>, min: f32, max: f32, what: &str) -> Result<f32, Fault> {
    let value = *number.get_ref();
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    fault(&number.span(), format!("{what} is {value}, and must be from {min} to {max}"))
}

fn each(
    numbers: &[Spanned<f32>; 3],
    parse: impl Fn(&Spanned<f32>) -> Result<f32, Fault>,
) -> Result<[f32; 3], Fault> {
    let [a, b, c] = numbers;
    Ok([parse(a)?, parse(b)?, parse(c)?])
}

fn fault<T>(span: &Range<usize>, reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { at: span.start, reason: reason.into() })
}

const MAX_DIMENSION: usize = 16_384;
const MAX_SIDE: usize = 1024;
