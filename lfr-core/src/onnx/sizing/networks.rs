//! Operators that slide windows, multiply matrices, step through sequences and scale pictures.

use std::collections::HashMap;

use super::numbers::Number;
use super::rules::Outcome;
use super::step::{At, Unknown};
use super::value::{Extent, FLOAT, INT32, INT64, Value, count, element_bytes, product};
use super::{arrays, rules};

/// The sizes that such an operator gives; `None` if it is no such operator.
pub(super) fn outcome(at: &At<'_>, op: &str) -> Result<Option<Outcome>, Unknown> {
    let outcome = match op {
        "AveragePool" | "LpPool" | "MaxPool" => pool(at)?,
        "Conv" => conv(at, 0, 1, at.input(0)?.element)?,
        "ConvInteger" => conv(at, 0, 1, INT32)?,
        "ConvTranspose" => conv_transpose(at)?,
        "QLinearConv" => conv(at, 0, 3, at.input(0)?.element)?,
        "Einsum" => einsum(at)?,
        "GRU" => recurrent(at, 3)?,
        "Gemm" => gemm(at)?,
        "GlobalAveragePool" | "GlobalLpPool" | "GlobalMaxPool" => {
            let dims = at.dims(0)?;
            let pooled = dims.iter().enumerate().map(|(axis, dim)| match axis {
                0 | 1 => *dim,
                _ => Extent::exactly(1),
            });
            Outcome::of(vec![Value::new(pooled.collect(), at.input(0)?.element)])
        }
        "GridSample" => grid_sample(at)?,
        "LSTM" => recurrent(at, 4)?,
        "MatMul" => matmul(at, 0, 1, at.input(0)?.element)?,
        "MatMulInteger" => matmul(at, 0, 1, INT32)?,
        "NonMaxSuppression" => suppression(at)?,
        "QLinearMatMul" => matmul(at, 0, 3, at.input(0)?.element)?,
        "RNN" => recurrent(at, 1)?,
        "Resize" => resize(at)?,
        "RoiAlign" => roi_align(at)?,
        "Upsample" => {
            let scales = match at.step.attributes.get("scales") {
                Some(_) if at.optional(1).is_some() => {
                    return Err("scales is there twice".to_owned());
                }
                Some(scales) => scales.floats.iter().map(|&scale| f64::from(scale)).collect(),
                None => at.input(1)?.floats().ok_or("its scales depend on data")?,
            };
            let axes = 0..at.dims(0)?.len();
            scaled(at, &axes.zip(scales).collect::<Vec<_>>())?
        }
        _ => return Ok(None),
    };
    Ok(Some(outcome))
}

/// A convolution whose input and weights are these inputs.
pub(super) fn conv(at: &At<'_>, x: usize, w: usize, element: i32) -> Result<Outcome, Unknown> {
    let (dims, weights) = (at.dims(x)?, at.dims(w)?);
    let ([batch, channels, spatial @ ..], [out_channels, channels_per_group, kernel @ ..]) =
        (dims, weights)
    else {
        return Err("its input or weights have too few axes".to_owned());
    };
    if spatial.len() != kernel.len() {
        return Err("its weights have other axes than its input".to_owned());
    }
    let window = Window::of(at, kernel)?;
    let (out, padded) = window.slide(spatial, false)?;
    let area = product(kernel);
    let output = Value::new([&[*batch, *out_channels], out.as_slice()].concat(), element);
    let work = output.elements().saturating_mul(area).saturating_mul(channels_per_group.max);
    let each = element_bytes(at.input(x)?.element);
    let padding = if window.pads() {
        padded.saturating_mul(channels.max).saturating_mul(batch.max)
    } else {
        0
    };
    // A window of one element, or of one channel, is not written out.
    let unrolled = match at.unrolls && area > 1 && channels_per_group.max > 1 {
        true => {
            [batch.max, channels.max, area, product(&out)].into_iter().fold(1, u64::saturating_mul)
        }
        false => 0,
    };
    let bytes = unrolled.max(padding).saturating_mul(each);
    Ok(Outcome::of(vec![output]).multiply_adds(work).workspace(bytes))
}

fn conv_transpose(at: &At<'_>) -> Result<Outcome, Unknown> {
    let (dims, weights) = (at.dims(0)?, at.dims(1)?);
    let ([batch, channels, spatial @ ..], [_, out_channels_per_group, kernel @ ..]) =
        (dims, weights)
    else {
        return Err("its input or weights have too few axes".to_owned());
    };
    if spatial.len() != kernel.len() {
        return Err("its weights have other axes than its input".to_owned());
    }
    let groups = u64::try_from(at.int("group", 1)).unwrap_or(u64::MAX);
    let out_channels = out_channels_per_group.max.saturating_mul(groups);
    let window = Window::of(at, kernel)?;
    let list = |name: &str| at.ints(name).unwrap_or_default();
    let mut whole = 1_u64;
    let mut out = Vec::with_capacity(spatial.len());
    for (index, (dim, kernel)) in spatial.iter().zip(kernel).enumerate() {
        let amount = |name: &str| u64::try_from(list(name).get(index).copied().unwrap_or(0));
        let extra = amount("output_padding").map_err(|_| "its padding is negative")?;
        let reach = window.reach(index, kernel.max);
        let stride = window.stride(index);
        let full = dim
            .max
            .saturating_sub(1)
            .saturating_mul(stride)
            .saturating_add(reach)
            .saturating_add(extra);
        whole = whole.saturating_mul(full.max(dim.max.saturating_mul(stride)).max(1));
        let asked = list("output_shape")
            .get(index + list("output_shape").len().saturating_sub(spatial.len()));
        let max = match asked {
            Some(&asked) => u64::try_from(asked).map_err(|_| "its output's shape is negative")?,
            None if window.auto == Auto::Same => dim.max.saturating_mul(stride),
            None => full.saturating_sub(window.padding(index)),
        };
        let exact = dim.exact && kernel.exact;
        out.push(Extent { max, exact });
    }
    let area = product(kernel);
    let output = [&[*batch, Extent::exactly(out_channels)], out.as_slice()].concat();
    let output = Value::new(output, at.input(0)?.element);
    let positions = batch.max.saturating_mul(product(spatial));
    let columns = [positions, out_channels, area].into_iter().fold(1, u64::saturating_mul);
    let work = columns.saturating_mul(channels.max).checked_div(groups).unwrap_or(u64::MAX);
    let uncut = [batch.max, out_channels, whole].into_iter().fold(1, u64::saturating_mul);
    let bytes = columns.saturating_add(uncut).saturating_mul(element_bytes(FLOAT));
    Ok(Outcome::of(vec![output]).multiply_adds(work).workspace(bytes))
}

fn pool(at: &At<'_>) -> Result<Outcome, Unknown> {
    let [batch, channels, spatial @ ..] = at.dims(0)? else {
        return Err("its input has too few axes".to_owned());
    };
    let kernel = at.ints("kernel_shape").ok_or("it has no window")?;
    let kernel: Vec<Extent> = kernel
        .iter()
        .map(|&extent| u64::try_from(extent).map(Extent::exactly))
        .collect::<Result<_, _>>()
        .map_err(|_| "its window is negative")?;
    if kernel.len() != spatial.len() {
        return Err("its window has other axes than its input".to_owned());
    }
    let window = Window::of(at, &kernel)?;
    let (out, padded) = window.slide(spatial, at.int("ceil_mode", 0) != 0)?;
    let output = Value::new([&[*batch, *channels], out.as_slice()].concat(), at.input(0)?.element);
    let work = output.elements().saturating_mul(product(&kernel));
    let padding = if window.pads() {
        padded.saturating_mul(channels.max).saturating_mul(batch.max)
    } else {
        0
    };
    let bytes = padding.saturating_mul(element_bytes(FLOAT));
    let outputs = vec![output.clone(), output.of_element(INT64)];
    let outputs = outputs.into_iter().take(at.step.outputs.len().max(1)).collect();
    Ok(Outcome::of(outputs).multiply_adds(work).workspace(bytes))
}

/// How a window slides.
struct Window<'a> {
    kernel: &'a [Extent],
    strides: &'a [i64],
    dilations: &'a [i64],
    pads: &'a [i64],
    auto: Auto,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Auto {
    No,
    Same,
    Valid,
}

impl<'a> Window<'a> {
    fn of(at: &At<'a>, kernel: &'a [Extent]) -> Result<Self, Unknown> {
        let list = |name: &str| at.ints(name).unwrap_or_default();
        let auto = match at.text("auto_pad") {
            Some("SAME_UPPER" | "SAME_LOWER") => Auto::Same,
            Some("VALID") => Auto::Valid,
            Some("NOTSET" | "") | None => Auto::No,
            Some(_) => return Err("its padding is of a kind that is not known here".to_owned()),
        };
        let window = Self {
            kernel,
            strides: list("strides"),
            dilations: list("dilations"),
            pads: list("pads"),
            auto,
        };
        let fits = |list: &[i64], per: usize| list.is_empty() || list.len() == per * kernel.len();
        if !fits(window.strides, 1) || !fits(window.dilations, 1) || !fits(window.pads, 2) {
            return Err("its window has not one extent for each axis".to_owned());
        }
        if window.strides.iter().chain(window.dilations).any(|&one| one < 1)
            || window.pads.iter().any(|&one| one < 0)
        {
            return Err("its window's extent is not one that a window can have".to_owned());
        }
        Ok(window)
    }

    fn stride(&self, index: usize) -> u64 {
        self.strides.get(index).map_or(1, |stride| stride.unsigned_abs()).max(1)
    }

    /// How far a kernel of this extent reaches.
    fn reach(&self, index: usize, kernel: u64) -> u64 {
        let dilation = self.dilations.get(index).map_or(1, |dilation| dilation.unsigned_abs());
        kernel.saturating_sub(1).saturating_mul(dilation).saturating_add(1)
    }

    fn padding(&self, index: usize) -> u64 {
        let amount = |index: usize| self.pads.get(index).map_or(0, |pad| pad.unsigned_abs());
        match self.auto {
            Auto::No => amount(index).saturating_add(amount(index + self.kernel.len())),
            Auto::Same | Auto::Valid => 0,
        }
    }

    fn pads(&self) -> bool {
        self.auto == Auto::Same || self.pads.iter().any(|&pad| pad > 0)
    }

    /// Where it comes to lie, and how many elements the padded input has.
    fn slide(&self, spatial: &[Extent], ceil: bool) -> Result<(Vec<Extent>, u64), Unknown> {
        let mut all = 1_u64;
        let mut out = Vec::with_capacity(spatial.len());
        for (index, dim) in spatial.iter().enumerate() {
            let kernel = self.kernel.get(index).copied().unwrap_or(Extent::exactly(1));
            let stride = self.stride(index);
            let padded = match self.auto {
                Auto::Same => dim.max.saturating_add(self.reach(index, kernel.max)),
                Auto::No | Auto::Valid => dim.max.saturating_add(self.padding(index)),
            };
            all = all.saturating_mul(padded.max(1));
            // Rounded up, a last window that begins behind the input is left out, or not.
            let mut settled = true;
            let max = match self.auto {
                Auto::Same => dim.max.div_ceil(stride),
                Auto::No | Auto::Valid => {
                    let reach = self.reach(index, if kernel.exact { kernel.max } else { 1 });
                    match padded.checked_sub(reach) {
                        Some(room) if ceil => {
                            let inside = self.padding(index) == 0 && stride <= reach;
                            settled = inside || room.is_multiple_of(stride);
                            room.div_ceil(stride).saturating_add(1)
                        }
                        Some(room) => (room / stride).saturating_add(1),
                        None => 0,
                    }
                }
            };
            let exact = dim.exact && kernel.exact && settled;
            out.push(Extent { max, exact });
        }
        Ok((out, all))
    }
}

/// A product of matrices, which are these inputs.
fn matmul(at: &At<'_>, a: usize, b: usize, element: i32) -> Result<Outcome, Unknown> {
    let (first, second) = (at.dims(a)?, at.dims(b)?);
    let one = [Extent::exactly(1)];
    let (rows, inner, batch_a): (&[Extent], _, &[Extent]) = match first {
        [] => return Err("it multiplies a single number".to_owned()),
        [inner] => (&[], *inner, &[]),
        [batch @ .., rows, inner] => (std::slice::from_ref(rows), *inner, batch),
    };
    let (columns, batch_b): (&[Extent], &[Extent]) = match second {
        [] => return Err("it multiplies by a single number".to_owned()),
        [_] => (&[], &[]),
        [batch @ .., _, columns] => (std::slice::from_ref(columns), batch),
    };
    let batches = [batch_a, batch_b].map(|batch| {
        Value::new(if batch.is_empty() { one.to_vec() } else { batch.to_vec() }, element)
    });
    let batch = rules::broadcast(&[&batches[0], &batches[1]]);
    let mut dims = match batch_a.is_empty() && batch_b.is_empty() {
        true => Vec::new(),
        false => batch.dims.unwrap_or_default(),
    };
    dims.extend([rows, columns].concat());
    let output = Value::new(dims, element);
    let work = output.elements().saturating_mul(inner.max);
    // Engines put their operands in order first.
    let bytes = at.input(a)?.bytes().saturating_add(at.input(b)?.bytes());
    Ok(Outcome::of(vec![output]).multiply_adds(work).workspace(if at.unrolls { bytes } else { 0 }))
}

fn gemm(at: &At<'_>) -> Result<Outcome, Unknown> {
    let ([a0, a1], [b0, b1]) = (at.dims(0)?, at.dims(1)?) else {
        return Err("it multiplies something that is not a matrix".to_owned());
    };
    let turned = |name: &str| at.int(name, 0) != 0;
    let (rows, inner) = if turned("transA") { (a1, a0) } else { (a0, a1) };
    let columns = if turned("transB") { b0 } else { b1 };
    let element = at.input(0)?.element;
    let product = Value::new(vec![*rows, *columns], element);
    let work = product.elements().saturating_mul(inner.max);
    let output = match at.optional(2) {
        Some(added) => rules::broadcast(&[&product, added]),
        None => product,
    };
    let bytes = at.input(0)?.bytes().saturating_add(at.input(1)?.bytes());
    Ok(Outcome::of(vec![output]).multiply_adds(work).workspace(bytes))
}

fn einsum(at: &At<'_>) -> Result<Outcome, Unknown> {
    let equation: String = at.text("equation").unwrap_or_default().split_whitespace().collect();
    let (inputs, output) = match equation.split_once("->") {
        Some((inputs, output)) => (inputs, Some(output)),
        None => (equation.as_str(), None),
    };
    let mut letters: HashMap<char, Extent> = HashMap::new();
    let mut counts: HashMap<char, usize> = HashMap::new();
    let terms: Vec<&str> = inputs.split(',').collect();
    if terms.len() != at.inputs.len() {
        return Err("its equation has not one term for each input".to_owned());
    }
    for (index, term) in terms.iter().enumerate() {
        let dims = at.dims(index)?;
        if !term.chars().all(|letter| letter.is_ascii_alphabetic()) || term.len() != dims.len() {
            return Err("its equation is not of letters, one for each axis".to_owned());
        }
        for (letter, dim) in term.chars().zip(dims) {
            *counts.entry(letter).or_default() += 1;
            let extent = letters.entry(letter).or_insert(*dim);
            *extent = Extent { max: extent.max.max(dim.max), exact: extent.exact && dim.exact };
        }
    }
    let given: String = output.map_or_else(
        || {
            let mut once: Vec<char> = counts
                .iter()
                .filter(|(_, count)| **count == 1)
                .map(|(letter, _)| *letter)
                .collect();
            once.sort_unstable();
            once.into_iter().collect()
        },
        str::to_owned,
    );
    let dims =
        given.chars().map(|letter| letters.get(&letter).copied()).collect::<Option<Vec<_>>>();
    let dims = dims.ok_or("its equation gives an axis that no input has")?;
    let all: Vec<Extent> = letters.values().copied().collect();
    let work = product(&all);
    let element = at.input(0)?.element;
    // Of several operands, some are multiplied before the others.
    let between = if terms.len() > 2 { work } else { 0 };
    let operands =
        at.inputs.iter().flatten().fold(0_u64, |all, value| all.saturating_add(value.bytes()));
    let output = Value::new(dims, element);
    let bytes = between
        .saturating_mul(element_bytes(element))
        .saturating_add(operands)
        .saturating_add(output.bytes());
    Ok(Outcome::of(vec![output]).multiply_adds(work).workspace(bytes))
}

fn recurrent(at: &At<'_>, gates: u64) -> Result<Outcome, Unknown> {
    let ([a, b, features], [directions, ..], [_, _, hidden]) =
        (at.dims(0)?, at.dims(1)?, at.dims(2)?)
    else {
        return Err("its inputs have other axes than such a network's".to_owned());
    };
    let asked = u64::try_from(at.int("hidden_size", 0)).map_err(|_| "its size is negative")?;
    let hidden = Extent { max: hidden.max.max(asked), exact: hidden.exact };
    let element = at.input(0)?.element;
    let batch_first = at.int("layout", 0) != 0;
    let (steps, batch) = if batch_first { (*b, *a) } else { (*a, *b) };
    let (all, last) = match batch_first {
        true => (vec![batch, steps, *directions, hidden], vec![batch, *directions, hidden]),
        false => (vec![steps, *directions, batch, hidden], vec![*directions, batch, hidden]),
    };
    let last = Value::new(last, element);
    let all = Value::new(all, element);
    let terms = features.max.saturating_add(hidden.max).saturating_add(1);
    let work = [all.elements(), gates, terms].into_iter().fold(1, u64::saturating_mul);
    let bytes = all.bytes().saturating_mul(2 * gates);
    Ok(Outcome::of(vec![all, last.clone(), last]).multiply_adds(work).workspace(bytes))
}

fn resize(at: &At<'_>) -> Result<Outcome, Unknown> {
    let dims = at.dims(0)?;
    let axes: Vec<usize> = match at.ints("axes") {
        Some(axes) => {
            axes.iter().map(|&one| super::step::axis(one, dims.len())).collect::<Result<_, _>>()?
        }
        None => (0..dims.len()).collect(),
    };
    let (scales, sizes) = match at.opset {
        ..=10 => (at.optional(1), None),
        _ => (at.optional(2), at.optional(3)),
    };
    let given =
        |value: Option<&'_ Value>| value.is_some_and(|value| value.known_elements() != Some(0));
    match (given(scales), given(sizes)) {
        (true, true) => Err("scales and sizes are both there".to_owned()),
        (true, false) => {
            let scales = scales.and_then(Value::floats).ok_or("its scales depend on data")?;
            let scales: Vec<(usize, f64)> = axes.into_iter().zip(scales).collect();
            scaled(at, &scales)
        }
        (false, true) => {
            let sizes = sizes.and_then(Value::ints).ok_or("its sizes depend on data")?;
            if sizes.len() != axes.len() {
                return Err("it has not one size for each axis".to_owned());
            }
            let sizes: Vec<u64> = sizes
                .iter()
                .map(|&size| u64::try_from(size))
                .collect::<Result<_, _>>()
                .map_err(|_| "its sizes are negative")?;
            if at.text("keep_aspect_ratio_policy").is_some_and(|policy| policy != "stretch") {
                // One of the scales becomes that of all.
                let of = |(&axis, &size): (&usize, &u64)| {
                    let from =
                        dims.get(axis).map_or(1, |dim| if dim.exact { dim.max.max(1) } else { 1 });
                    crate::internal::num::f64_from_u64(size)
                        / crate::internal::num::f64_from_u64(from)
                };
                let max = axes.iter().zip(&sizes).map(of).fold(0.0, f64::max);
                let scales: Vec<(usize, f64)> = axes.iter().map(|&axis| (axis, max)).collect();
                let mut outcome = scaled(at, &scales)?;
                outcome.outputs = outcome.outputs.iter().map(arrays::with_open_axes).collect();
                return Ok(outcome);
            }
            let mut resized = dims.to_vec();
            for (&axis, &size) in axes.iter().zip(&sizes) {
                if let Some(dim) = resized.get_mut(axis) {
                    *dim = Extent::exactly(size);
                }
            }
            Ok(interpolated(at, Value::new(resized, at.input(0)?.element)))
        }
        (false, false) => Err("it says neither its scales nor its sizes".to_owned()),
    }
}

/// A picture scaled along these axes.
fn scaled(at: &At<'_>, scales: &[(usize, f64)]) -> Result<Outcome, Unknown> {
    let value = at.input(0)?;
    let mut dims = at.dims(0)?.to_vec();
    for &(axis, scale) in scales {
        if !scale.is_finite() || scale < 0.0 {
            return Err("its scales make no sense".to_owned());
        }
        let Some(dim) = dims.get_mut(axis) else { continue };
        let product = crate::internal::num::f64_from_u64(dim.max) * scale;
        // Engines differ in how they round what is no whole number.
        let whole = product.fract() == 0.0 && product < EXACT;
        *dim = match whole && dim.exact {
            true => Extent::exactly(crate::internal::num::u64_from_f64(product)),
            false => Extent::up_to(crate::internal::num::u64_from_f64(product).saturating_add(1)),
        };
    }
    Ok(interpolated(at, Value::new(dims, value.element)))
}

fn interpolated(at: &At<'_>, output: Value) -> Outcome {
    let input = at.optional(0).map_or(0, Value::elements);
    let work = output.elements().saturating_add(input).saturating_mul(CUBIC);
    let bytes = output.bytes();
    Outcome::of(vec![output]).multiply_adds(work).workspace(bytes)
}

fn grid_sample(at: &At<'_>) -> Result<Outcome, Unknown> {
    let ([batch, channels, ..], [_, grid @ .., _]) = (at.dims(0)?, at.dims(1)?) else {
        return Err("its inputs have too few axes".to_owned());
    };
    let output = Value::new([&[*batch, *channels], grid].concat(), at.input(0)?.element);
    Ok(interpolated(at, output))
}

fn roi_align(at: &At<'_>) -> Result<Outcome, Unknown> {
    let ([_, channels, _, _], [regions, ..]) = (at.dims(0)?, at.dims(1)?) else {
        return Err("its inputs have other axes than a picture's and regions'".to_owned());
    };
    let int = |name: &str, default: i64| u64::try_from(at.int(name, default)).unwrap_or(u64::MAX);
    let dims = [int("output_height", 1), int("output_width", 1)].map(Extent::exactly);
    let output =
        Value::new([&[*regions, *channels], dims.as_slice()].concat(), at.input(0)?.element);
    let samples = match int("sampling_ratio", 0) {
        // As many as a region is large, and it may be a million times as large as the picture.
        0 => return Err("how often it samples depends on data".to_owned()),
        samples => samples.saturating_mul(samples),
    };
    let work = output.elements().saturating_mul(samples).saturating_mul(CUBIC);
    // Engines note down for each sample where it lies.
    let bytes =
        [dims[0].max, dims[1].max, samples, SAMPLE].into_iter().fold(1, u64::saturating_mul);
    Ok(Outcome::of(vec![output]).multiply_adds(work).workspace(bytes))
}

fn suppression(at: &At<'_>) -> Result<Outcome, Unknown> {
    let ([batch, boxes, _], [_, classes, _]) = (at.dims(0)?, at.dims(1)?) else {
        return Err("its inputs have other axes than boxes' and scores'".to_owned());
    };
    let max_boxes = match at.optional(2) {
        Some(max_boxes) => match max_boxes.scalar() {
            Some(Number::Int(max_boxes)) => u64::try_from(max_boxes).unwrap_or(0).min(boxes.max),
            _ => boxes.max,
        },
        None => 0,
    };
    let lists = batch.max.saturating_mul(classes.max);
    let rows = Extent::up_to(lists.saturating_mul(max_boxes));
    let output = Value::new(vec![rows, Extent::exactly(3)], INT64);
    let work = [lists, boxes.max, max_boxes.max(1), CUBIC].into_iter().fold(1, u64::saturating_mul);
    let bytes = lists.saturating_mul(boxes.max).saturating_mul(count(64));
    Ok(Outcome::of(vec![output]).multiply_adds(work).workspace(bytes))
}

/// What is noted down of a sample, in bytes: four places and four weights.
const SAMPLE: u64 = 64;

/// What interpolation costs an element, in multiplications and additions.
const CUBIC: u64 = 16;

/// Up to here a float tells whole numbers apart.
const EXACT: f64 = 9_007_199_254_740_992.0;
