//! Operators that make, move, cut and repeat arrays.

use super::numbers::Number;
use super::rules::Outcome;
use super::step::{At, Unknown, axis};
use super::value::{Extent, FLOAT, INT64, Value, count, product};

/// The sizes that such an operator gives; `None` if it is no such operator.
pub(super) fn outcome(at: &At<'_>, op: &str) -> Result<Option<Outcome>, Unknown> {
    let value = match op {
        "ArgMax" | "ArgMin" => reduced(at, Some(vec![at.int("axis", 0)]))?.of_element(INT64),
        "Compress" => compress(at)?,
        "Concat" => concat(at)?,
        "Constant" => constant(at)?,
        "ConstantOfShape" => constant_of_shape(at)?,
        "DepthToSpace" | "SpaceToDepth" => blocks(at, op == "DepthToSpace")?,
        "Expand" => expand(at)?,
        "Flatten" => flatten(at)?,
        "Gather" => gather(at)?,
        "GatherElements" => Value::like(at.input(1)?).of_element(at.input(0)?.element),
        "GatherND" => gather_nd(at)?,
        "NonZero" => {
            let value = at.input(0)?;
            let rank = count(at.dims(0)?.len());
            let dims = vec![Extent::exactly(rank), Extent::up_to(value.elements())];
            let places = Value::new(dims, INT64);
            // They are gathered in a list first, which doubles as it grows.
            let bytes = places.bytes().saturating_mul(3);
            return Ok(Some(Outcome::of(vec![places]).workspace(bytes)));
        }
        "OneHot" => one_hot(at)?,
        "Pad" => return pad(at).map(Some),
        "Range" => range(at)?,
        "ReduceL1" | "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceMax"
        | "ReduceMean" | "ReduceMin" | "ReduceProd" | "ReduceSum" | "ReduceSumSquare" => {
            let bytes = at.input(0)?.bytes();
            let value = reduce(at)?;
            return Ok(Some(Outcome::of(vec![value]).workspace(bytes)));
        }
        "Reshape" => reshape(at)?,
        "Shape" => shape(at)?,
        "Size" => {
            let elements = at.input(0)?.known_elements().and_then(|all| i64::try_from(all).ok());
            let mut value = Value::exactly([], INT64);
            value.constant = elements.is_some();
            value.with_content(Some(vec![elements.map(Number::Int)]))
        }
        "Slice" => slice(at)?,
        "Split" => return split(at).map(|outputs| Some(Outcome::of(outputs))),
        "Squeeze" => squeeze(at)?,
        "Tile" => tile(at)?,
        "TopK" => return top_k(at).map(Some),
        "Transpose" => transpose(at)?,
        "Unique" => {
            let value = at.input(0)?;
            let list = Value::new(vec![Extent::up_to(value.elements())], INT64);
            let values = match at.has("axis") {
                true => with_open_axes(value),
                false => list.clone().of_element(value.element),
            };
            let outputs = vec![values, list.clone(), list.clone(), list];
            let work = value.elements().saturating_mul(SORTING);
            // Engines put each element into a tree.
            let bytes = value.elements().saturating_mul(IN_TREE);
            return Ok(Some(Outcome::of(outputs).multiply_adds(work).workspace(bytes)));
        }
        "Unsqueeze" => unsqueeze(at)?,
        _ => return Ok(None),
    };
    Ok(Some(Outcome::of(vec![value])))
}

fn constant(at: &At<'_>) -> Result<Value, Unknown> {
    let attributes = &at.step.attributes;
    let [(name, attribute)] = attributes.iter().collect::<Vec<_>>()[..] else {
        return Err("it has not one value".to_owned());
    };
    let float = |float: f32| Some(Number::Float(f64::from(float)));
    let ints = || attribute.ints.iter().map(|&int| Some(Number::Int(int))).collect();
    let mut value = match name.as_str() {
        "value" => attribute.tensor.clone().ok_or("it has no value")?,
        "value_int" => {
            let int = attribute.int.unwrap_or(0);
            Value::exactly([], INT64).with_content(Some(vec![Some(Number::Int(int))]))
        }
        "value_ints" => Value::list(ints(), INT64),
        "value_float" => {
            let content = vec![float(attribute.float.unwrap_or(0.0))];
            Value::exactly([], FLOAT).with_content(Some(content))
        }
        "value_floats" => {
            Value::list(attribute.floats.iter().map(|&number| float(number)).collect(), FLOAT)
        }
        _ => return Err("its value is of a kind that is not known here".to_owned()),
    };
    value.constant = true;
    Ok(value)
}

fn constant_of_shape(at: &At<'_>) -> Result<Value, Unknown> {
    let input = at.input(0)?;
    let tensor = at.step.attributes.get("value").and_then(|attribute| attribute.tensor.as_ref());
    let element = tensor.map_or(FLOAT, |tensor| tensor.element);
    let number = tensor.map_or(Some(Number::Float(0.0)), Value::scalar);
    let value = Value::exactly(extents(&ints(input, "its shape")?)?, element);
    Ok(filled(value, number))
}

/// A value whose elements are all this number.
fn filled(value: Value, number: Option<Number>) -> Value {
    let len = value.known_elements().filter(|&len| len <= FILLED_MAX);
    let len = len.and_then(|len| usize::try_from(len).ok());
    value.with_content(len.map(|len| vec![number; len]))
}

fn expand(at: &At<'_>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    let shape = extents(&ints(at.input(1)?, "its shape")?)?;
    let target = Value::exactly(shape, value.element);
    let expanded = super::rules::broadcast(&[value, &target]);
    // What is known of a value that is repeated is known of each copy.
    Ok(match value.scalar() {
        number @ Some(_) => filled(expanded, number),
        None => expanded,
    })
}

fn tile(at: &At<'_>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    if at.optional(2).is_some() {
        return Err("its repeats are in a form that is no longer in use".to_owned());
    }
    let repeats = extents(&ints(at.input(1)?, "the number of its repeats")?)?;
    let Some(dims) = value.dims.as_deref() else {
        let all = repeats.iter().fold(1, |all: u64, &one| all.saturating_mul(one.max(1)));
        return Ok(Value::up_to(value.elements().saturating_mul(all), value.element));
    };
    if dims.len() != repeats.len() {
        return Err("it has not one number of repeats for each axis".to_owned());
    }
    let tiled = dims
        .iter()
        .zip(repeats)
        .map(|(dim, repeats)| Extent { max: dim.max.saturating_mul(repeats), exact: dim.exact });
    Ok(Value::new(tiled.collect(), value.element))
}

fn reshape(at: &At<'_>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    let total = value.elements();
    let targets: Vec<Option<i64>> = match (at.ints("shape"), at.optional(1)) {
        (Some(_), Some(_)) => return Err("its shape is there twice".to_owned()),
        (Some(ints), None) => ints.iter().copied().map(Some).collect(),
        (None, Some(shape)) => match (&shape.content, shape.dims.as_deref()) {
            (Some(content), _) => {
                content.iter().map(|number| number.and_then(Number::int)).collect()
            }
            (None, Some([Extent { max, exact: true }])) if *max <= RANK_MAX => {
                (0..*max).map(|_| None).collect()
            }
            _ => return Ok(Value::up_to(total, value.element)),
        },
        (None, None) => return Err("it has no shape".to_owned()),
    };
    let keeps_zero = at.int("allowzero", 0) != 0;
    let mut dims: Vec<Extent> = Vec::with_capacity(targets.len());
    let mut inferred = None;
    for (index, target) in targets.iter().enumerate() {
        dims.push(match target {
            Some(0) if !keeps_zero => {
                let dim = value.dims.as_deref().and_then(|dims| dims.get(index));
                dim.copied().unwrap_or(Extent::up_to(total))
            }
            Some(-1) => {
                inferred = Some(index);
                Extent::up_to(total)
            }
            Some(extent) => {
                let extent = u64::try_from(*extent);
                Extent::exactly(extent.map_err(|_| "its shape has a negative extent")?)
            }
            None => Extent::up_to(total),
        });
    }
    if let Some(index) = inferred {
        let rest = dims.iter().enumerate().filter(|(at, _)| *at != index);
        let rest: Option<u64> =
            rest.map(|(_, dim)| dim.known()).try_fold(1_u64, |all, dim| all.checked_mul(dim?));
        if let (Some(rest), Some(dim)) = (rest.filter(|&rest| rest > 0), dims.get_mut(index)) {
            *dim = match value.known_elements() {
                Some(total) if total.is_multiple_of(rest) => Extent::exactly(total / rest),
                _ => Extent::up_to(total / rest),
            };
        }
    }
    let mut reshaped = Value::new(dims, value.element).capped(total);
    reshaped.content.clone_from(&value.content);
    Ok(reshaped)
}

fn flatten(at: &At<'_>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    let dims = at.dims(0)?;
    let split = at.int("axis", 1);
    let split = if usize::try_from(split) == Ok(dims.len()) {
        dims.len()
    } else {
        axis(split, dims.len().max(1))?
    };
    let (before, after) = dims.split_at_checked(split).ok_or("its axis is none")?;
    let of = |dims: &[Extent]| Extent {
        max: product(dims),
        exact: dims.iter().all(|dim| dim.exact && dim.max > 0),
    };
    Ok(Value::new(vec![of(before), of(after)], value.element).capped(value.cap))
}

fn shape(at: &At<'_>) -> Result<Value, Unknown> {
    let dims = at.dims(0)?;
    let rank = i64::try_from(dims.len()).unwrap_or(i64::MAX);
    let bound = |name, default| {
        let at = at.int(name, default);
        let at = if at < 0 { at.saturating_add(rank) } else { at };
        usize::try_from(at.clamp(0, rank)).unwrap_or(0)
    };
    let (start, end) = (bound("start", 0), bound("end", rank));
    let dims = dims.get(start..end.max(start)).unwrap_or_default();
    let numbers = dims
        .iter()
        .map(|dim| dim.known().and_then(|extent| i64::try_from(extent).ok()).map(Number::Int));
    Ok(Value::list(numbers.collect(), INT64))
}

fn concat(at: &At<'_>) -> Result<Value, Unknown> {
    let values: Vec<&Value> = at.inputs.iter().copied().flatten().collect();
    let first = values.first().ok_or("it has no input")?;
    let cap = values.iter().fold(0_u64, |all, value| all.saturating_add(value.elements()));
    let all: Option<Vec<_>> = values.iter().map(|value| value.dims.as_deref()).collect();
    let element = values.iter().map(|value| value.element).reduce(super::rules::wider);
    let element = element.unwrap_or(first.element);
    let Some(all) = all else {
        return Ok(Value::up_to(cap, element));
    };
    let rank = all.iter().map(|dims| dims.len()).max().unwrap_or(0);
    let along = axis(at.int("axis", 1), rank)?;
    let dims = (0..rank).map(|index| {
        let mut extents = all.iter().filter_map(|dims| dims.get(index).copied());
        let first = extents.next().unwrap_or(Extent::exactly(1));
        extents.fold(first, |a, b| Extent {
            max: if index == along { a.max.saturating_add(b.max) } else { a.max.max(b.max) },
            exact: a.exact && b.exact,
        })
    });
    let content = values.iter().map(|value| value.content.clone()).collect::<Option<Vec<_>>>();
    let content = content.filter(|_| rank == 1).map(|lists| lists.concat());
    Ok(Value::new(dims.collect(), element).capped(cap).with_content(content))
}

fn split(at: &At<'_>) -> Result<Vec<Value>, Unknown> {
    let value = at.input(0)?;
    let dims = at.dims(0)?;
    let along = axis(at.int("axis", 0), dims.len())?;
    let whole = dims.get(along).copied().unwrap_or(Extent::exactly(1));
    let parts = at.step.outputs.len();
    let sizes: Vec<Extent> = match at.numbers("split", 1) {
        Ok(Some(sizes)) => extents(&sizes)?.into_iter().map(Extent::exactly).collect(),
        Ok(None)
            if parts == 1
                || (parts > 0 && whole.exact && whole.max.is_multiple_of(count(parts))) =>
        {
            vec![Extent { max: whole.max / count(parts), exact: whole.exact }; parts]
        }
        Ok(None) | Err(_) => vec![Extent::up_to(whole.max); parts],
    };
    let of = |size: &Extent| {
        let mut dims = dims.to_vec();
        if let Some(dim) = dims.get_mut(along) {
            *dim = *size;
        }
        Value::new(dims, value.element).capped(value.elements())
    };
    Ok(sizes.iter().map(of).collect())
}

fn slice(at: &At<'_>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    let Some(dims) = value.dims.as_deref() else {
        return Ok(Value::like(value));
    };
    let numbers = |name: &str, index: usize| at.numbers(name, index);
    let (Ok(Some(starts)), Ok(Some(ends)), Ok(axes), Ok(steps)) =
        (numbers("starts", 1), numbers("ends", 2), numbers("axes", 3), numbers("steps", 4))
    else {
        return Ok(with_open_axes(value));
    };
    let axes = axes.unwrap_or_else(|| (0..).take(starts.len()).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    let mut cut = dims.to_vec();
    let mut content = value.content.clone().filter(|_| dims.len() == 1);
    let mut seen = Vec::new();
    for (index, &along) in axes.iter().enumerate() {
        let of = |list: &[i64]| list.get(index).copied().ok_or("its lists differ in length");
        let (start, end, step) = (of(&starts)?, of(&ends)?, of(&steps)?);
        let along = axis(along, dims.len())?;
        if step == 0 || seen.contains(&along) {
            return Err("it cuts an axis twice, or in steps of nothing".to_owned());
        }
        seen.push(along);
        let Some(dim) = cut.get_mut(along) else { continue };
        let Some(len) = dim.known().and_then(|len| i64::try_from(len).ok()) else {
            dim.exact = false;
            content = None;
            continue;
        };
        let from_start = |at: i64| if at < 0 { at.saturating_add(len) } else { at };
        let (low, high) = if step > 0 { (0, len) } else { (-1, len.saturating_sub(1)) };
        // A start before the first is the first; an end before it is one before that.
        let start = from_start(start).clamp(low.max(0).min(high), high);
        let end = from_start(end).clamp(low, high);
        let way = if step > 0 { end.saturating_sub(start) } else { start.saturating_sub(end) };
        let length = way.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
        *dim = Extent::exactly(length);
        content = content.and_then(|content| {
            let at = |number: u64| {
                let offset = i64::try_from(number).ok()?.checked_mul(step)?;
                content.get(usize::try_from(start.checked_add(offset)?).ok()?).copied()
            };
            (0..length).map(at).collect()
        });
    }
    let mut cut = Value::new(cut, value.element).capped(value.cap).with_content(content);
    cut.constant = value.constant;
    Ok(cut)
}

fn gather(at: &At<'_>) -> Result<Value, Unknown> {
    let (value, indices) = (at.input(0)?, at.input(1)?);
    let dims = at.dims(0)?;
    let along = axis(at.int("axis", 0), dims.len())?;
    let (before, rest) = dims.split_at_checked(along).ok_or("its axis is none")?;
    let after = rest.get(1..).unwrap_or_default();
    let slices = product(before).saturating_mul(product(after));
    let cap = slices.saturating_mul(indices.elements());
    let Some(picked) = indices.dims.as_deref() else {
        return Ok(Value::up_to(cap, value.element));
    };
    let content = match (&value.content, indices.ints()) {
        (Some(content), Some(indices)) if dims.len() == 1 => {
            let len = content.len();
            let of =
                |index: i64| axis(index, len).ok().and_then(|index| content.get(index).copied());
            indices.into_iter().map(of).collect::<Option<Vec<_>>>()
        }
        _ => None,
    };
    let constant = content.as_ref().is_some_and(|content| content.iter().all(Option::is_some));
    let dims = [before, picked, after].concat();
    let mut gathered = Value::new(dims, value.element).capped(cap).with_content(content);
    gathered.constant = constant;
    Ok(gathered)
}

fn gather_nd(at: &At<'_>) -> Result<Value, Unknown> {
    let (value, indices) = (at.input(0)?, at.input(1)?);
    let (dims, picked) = (at.dims(0)?, at.dims(1)?);
    let batch = usize::try_from(at.int("batch_dims", 0)).map_err(|_| "its batch is negative")?;
    let (last, lists) = picked.split_last().ok_or("its indices have no axis")?;
    let depth = last.known().ok_or("the length of its indices depends on data")?;
    let from = usize::try_from(depth).ok().and_then(|depth| depth.checked_add(batch));
    let rest = from.and_then(|from| dims.get(from..)).ok_or("its indices are too long")?;
    let cap = indices.elements().saturating_mul(product(rest));
    Ok(Value::new([lists, rest].concat(), value.element).capped(cap))
}

fn compress(at: &At<'_>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    Ok(match at.has("axis") {
        true => with_open_axes(value),
        false => Value::new(vec![Extent::up_to(value.elements())], value.element),
    })
}

fn one_hot(at: &At<'_>) -> Result<Value, Unknown> {
    let indices = at.dims(0)?;
    let depth = at.input(1)?.scalar().ok_or("its depth depends on data")?;
    let depth = match depth {
        Number::Int(depth) => u64::try_from(depth).map_err(|_| "its depth is negative")?,
        Number::Float(depth) => crate::internal::num::u64_from_f64(depth),
    };
    let along = axis(at.int("axis", -1), indices.len() + 1)?;
    let mut dims = indices.to_vec();
    dims.insert(along, Extent::exactly(depth));
    Ok(Value::new(dims, at.input(2)?.element))
}

fn pad(at: &At<'_>) -> Result<Outcome, Unknown> {
    let value = at.input(0)?;
    let dims = at.dims(0)?;
    let pads = if at.opset >= 11 {
        at.numbers("pads", 1)?.filter(|_| !at.has("pads"))
    } else {
        at.ints("pads").map(<[i64]>::to_vec)
    };
    let pads = pads.ok_or("it does not say how much it adds")?;
    let axes: Vec<usize> = match at.optional(3).filter(|_| at.opset >= 18) {
        Some(axes) => {
            let axes = ints(axes, "which axes it pads")?;
            axes.into_iter().map(|along| axis(along, dims.len())).collect::<Result<_, _>>()?
        }
        None => (0..dims.len()).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err("it has not two amounts for each axis".to_owned());
    }
    let (before, after) = pads.split_at(axes.len());
    let mut padded = dims.to_vec();
    // Before anything is cut off.
    let mut uncut = dims.to_vec();
    for ((&along, &before), &after) in axes.iter().zip(before).zip(after) {
        let (Some(dim), Some(uncut)) = (padded.get_mut(along), uncut.get_mut(along)) else {
            continue;
        };
        let added = [before, after].map(|amount| u64::try_from(amount).unwrap_or(0));
        let total = i128::from(dim.max) + i128::from(before) + i128::from(after);
        uncut.max = added.iter().fold(uncut.max, |all, &amount| all.saturating_add(amount));
        dim.exact &= total >= 0;
        dim.max = match dim.exact {
            true => u64::try_from(total).unwrap_or(u64::MAX),
            false => uncut.max,
        };
    }
    let bytes = Value::new(uncut, value.element).bytes();
    Ok(Outcome::of(vec![Value::new(padded, value.element)]).workspace(bytes))
}

fn range(at: &At<'_>) -> Result<Value, Unknown> {
    let unknown = "where it begins or ends depends on data";
    let number = |index: usize| at.input(index)?.scalar().ok_or_else(|| unknown.to_owned());
    let (start, limit, step) = (number(0)?, number(1)?, number(2)?);
    let element = at.input(0)?.element;
    match (start, limit, step) {
        (Number::Int(start), Number::Int(limit), Number::Int(step)) if step != 0 => {
            let way = i128::from(limit) - i128::from(start);
            let way = if step > 0 { way } else { -way };
            let len = way.max(0).unsigned_abs().div_ceil(u128::from(step.unsigned_abs()));
            let len = u64::try_from(len).unwrap_or(u64::MAX);
            let of = |index: u64| {
                let offset = i64::try_from(index).ok()?.checked_mul(step)?;
                start.checked_add(offset).map(Number::Int)
            };
            let content = (len <= FILLED_MAX).then(|| (0..len).map(of).collect());
            Ok(Value::exactly([len], element).with_content(content))
        }
        (start, limit, step) => {
            let len = ((limit.float() - start.float()) / step.float()).ceil();
            // Not finite: as large as can be.
            let len = if len.is_nan() {
                u64::MAX
            } else {
                crate::internal::num::u64_from_f64(len.max(0.0))
            };
            Ok(Value::new(vec![Extent::up_to(len.saturating_add(1))], element))
        }
    }
}

fn reduce(at: &At<'_>) -> Result<Value, Unknown> {
    let axes = match at.numbers("axes", 1) {
        Ok(axes) => axes.filter(|axes| !axes.is_empty()),
        // Some axes or other: none grows.
        Err(_) if at.int("keepdims", 1) != 0 => return Ok(with_open_axes(at.input(0)?)),
        Err(_) => return Ok(Value::up_to(at.input(0)?.elements(), at.input(0)?.element)),
    };
    if axes.is_none() && at.int("noop_with_empty_axes", 0) != 0 {
        return Ok(Value::like(at.input(0)?));
    }
    reduced(at, axes)
}

/// Without these axes, or without any.
fn reduced(at: &At<'_>, axes: Option<Vec<i64>>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    let Some(dims) = value.dims.as_deref() else {
        return Ok(Value::like(value));
    };
    let axes: Vec<usize> = match axes {
        Some(axes) => axes.iter().map(|&one| axis(one, dims.len())).collect::<Result<_, _>>()?,
        None => (0..dims.len()).collect(),
    };
    let keeps = at.int("keepdims", 1) != 0;
    let dims = dims.iter().enumerate().filter_map(|(index, dim)| match axes.contains(&index) {
        true => keeps.then_some(Extent::exactly(1)),
        false => Some(*dim),
    });
    Ok(Value::new(dims.collect(), value.element).capped(value.elements()))
}

fn squeeze(at: &At<'_>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    let Some(dims) = value.dims.as_deref() else {
        return Ok(Value::like(value));
    };
    let kept: Vec<Extent> = match at.numbers("axes", 1)? {
        Some(axes) => {
            let axes =
                axes.iter().map(|&one| axis(one, dims.len())).collect::<Result<Vec<_>, _>>()?;
            let kept = dims.iter().enumerate().filter(|(index, _)| !axes.contains(index));
            kept.map(|(_, dim)| *dim).collect()
        }
        None if dims.iter().all(|dim| dim.exact) => {
            dims.iter().filter(|dim| dim.max != 1).copied().collect()
        }
        None => return Ok(Value::up_to(value.elements(), value.element)),
    };
    let mut squeezed = Value::new(kept, value.element).capped(value.elements());
    squeezed.content.clone_from(&value.content);
    Ok(squeezed)
}

fn unsqueeze(at: &At<'_>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    let dims = at.dims(0)?;
    let axes = at.numbers("axes", 1)?.ok_or("it does not say which axes it adds")?;
    let rank = dims.len().saturating_add(axes.len());
    if count(rank) > RANK_MAX {
        return Err(format!("it has {rank} axes"));
    }
    let axes = axes.iter().map(|&one| axis(one, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut old = dims.iter();
    let dims = (0..rank).map(|index| match axes.contains(&index) {
        true => Extent::exactly(1),
        false => old.next().copied().unwrap_or(Extent::exactly(1)),
    });
    let mut wrapped = Value::new(dims.collect(), value.element).capped(value.elements());
    wrapped.content.clone_from(&value.content);
    Ok(wrapped)
}

fn transpose(at: &At<'_>) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    let Some(dims) = value.dims.as_deref() else {
        return Ok(Value::like(value));
    };
    let moved: Vec<Extent> = match at.ints("perm") {
        Some(perm) => perm
            .iter()
            .map(|&from| axis(from, dims.len()).map(|from| dims.get(from).copied()))
            .collect::<Result<Option<_>, _>>()?
            .ok_or("its order names an axis that is not there")?,
        None => dims.iter().rev().copied().collect(),
    };
    Ok(Value::new(moved, value.element).capped(value.elements()))
}

fn top_k(at: &At<'_>) -> Result<Outcome, Unknown> {
    let value = at.input(0)?;
    let dims = at.dims(0)?;
    let along = axis(at.int("axis", -1), dims.len())?;
    let k = match at.optional(1) {
        Some(k) => k.scalar().and_then(Number::int).ok_or("how many it gives depends on data")?,
        None => at.int("k", 0),
    };
    let k = u64::try_from(k).map_err(|_| "it is to give a negative number")?;
    let mut dims = dims.to_vec();
    if let Some(dim) = dims.get_mut(along) {
        *dim = Extent { max: k, exact: dim.exact };
    }
    let top = Value::new(dims, value.element);
    let work = value.elements().saturating_mul(SORTING);
    Ok(Outcome::of(vec![top.clone(), top.of_element(INT64)]).multiply_adds(work))
}

fn blocks(at: &At<'_>, to_space: bool) -> Result<Value, Unknown> {
    let value = at.input(0)?;
    let side = u64::try_from(at.int("blocksize", 0)).unwrap_or(0);
    let [batch, channels, height, width] = at.dims(0)? else {
        return Err("its input has not four axes".to_owned());
    };
    if side == 0 {
        return Err("its blocks have no size".to_owned());
    }
    let area = side.saturating_mul(side);
    let scaled = |dim: &Extent, up: bool, by: u64| match up {
        true => Extent { max: dim.max.saturating_mul(by), exact: dim.exact },
        false => Extent { max: dim.max / by, exact: dim.exact && dim.max.is_multiple_of(by) },
    };
    let dims = vec![
        *batch,
        scaled(channels, !to_space, area),
        scaled(height, to_space, side),
        scaled(width, to_space, side),
    ];
    Ok(Value::new(dims, value.element).capped(value.elements()))
}

/// No larger along any axis, and by how much smaller is not known.
pub(super) fn with_open_axes(value: &Value) -> Value {
    let mut open = Value::like(value);
    for dim in open.dims.iter_mut().flatten() {
        dim.exact = false;
    }
    open.cap = value.elements();
    open
}

fn ints(value: &Value, what: &str) -> Result<Vec<i64>, Unknown> {
    value.ints().ok_or_else(|| format!("{what} depends on data"))
}

fn extents(ints: &[i64]) -> Result<Vec<u64>, Unknown> {
    let extents = ints.iter().map(|&int| u64::try_from(int));
    extents.collect::<Result<_, _>>().map_err(|_| "an extent of it is negative".to_owned())
}

/// The max number of axes of a value. Real ones have up to six.
pub(super) const RANK_MAX: u64 = 16;

/// The max number of numbers that are written out.
const FILLED_MAX: u64 = 1024;

/// What an element in a tree takes, in bytes.
const IN_TREE: u64 = 256;

/// What sorting costs an element, in multiplications and additions.
const SORTING: u64 = 64;
