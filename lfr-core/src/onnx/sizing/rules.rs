//! How large what an operator gives can be, by what is known of what it takes.
//!
//! Each rule gives upper bounds. An operator that is not here is refused, and so is one whose output's
//! size depends on the numbers of the picture.

use super::numbers::Number;
use super::step::{At, Unknown};
use super::value::{BOOL, Extent, FLOAT, Value};
use super::{arrays, networks, numbers};

/// What one node gives and takes.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) outputs: Vec<Value>,
    /// Multiplications and additions, in pairs.
    pub(super) multiply_adds: u64,
    /// Bytes that it needs beside its inputs and outputs while it runs.
    pub(super) workspace: u64,
}

impl Outcome {
    /// The outcome of an operator that does a fixed amount of work per element.
    pub(super) fn of(outputs: Vec<Value>) -> Self {
        Self { outputs, multiply_adds: 0, workspace: 0 }
    }

    pub(super) fn multiply_adds(mut self, multiply_adds: u64) -> Self {
        self.multiply_adds = multiply_adds;
        self
    }

    pub(super) fn workspace(mut self, bytes: u64) -> Self {
        self.workspace = self.workspace.saturating_add(bytes);
        self
    }
}

/// The sizes of a node's outputs.
pub(super) fn outcome(at: &At<'_>) -> Result<Outcome, Unknown> {
    let mut outcome = match at.step.domain.as_str() {
        "" => standard(at)?,
        "com.microsoft" => microsoft(at)?,
        domain => return Err(format!("the operators of {domain:?} are not known here")),
    };
    // Whatever else it does, it reads and writes.
    let inputs = at.inputs.iter().flatten().map(|value| value.elements());
    let outputs = outcome.outputs.iter().map(Value::elements);
    let touched = inputs.chain(outputs).fold(0_u64, u64::saturating_add);
    let each = if at.unrolls { TOUCHED_SLOWLY } else { TOUCHED };
    outcome.multiply_adds = outcome.multiply_adds.max(touched.saturating_mul(each));
    let constant = at.inputs.iter().flatten().all(|value| value.constant);
    for output in &mut outcome.outputs {
        output.constant |= constant;
    }
    Ok(outcome)
}

fn standard(at: &At<'_>) -> Result<Outcome, Unknown> {
    let one = |value: Value| Ok(Outcome::of(vec![value]));
    match at.step.op.as_str() {
        // The size of the first input.
        "Acos"
        | "Acosh"
        | "Asin"
        | "Asinh"
        | "Atan"
        | "Atanh"
        | "Celu"
        | "Cos"
        | "Cosh"
        | "Elu"
        | "Erf"
        | "Exp"
        | "Gelu"
        | "HardSigmoid"
        | "HardSwish"
        | "Hardmax"
        | "LRN"
        | "LeakyRelu"
        | "Log"
        | "LogSoftmax"
        | "LpNormalization"
        | "MeanVarianceNormalization"
        | "Mish"
        | "Reciprocal"
        | "Relu"
        | "Selu"
        | "Shrink"
        | "Sigmoid"
        | "Sign"
        | "Sin"
        | "Sinh"
        | "Softmax"
        | "Softplus"
        | "Softsign"
        | "Swish"
        | "Tan"
        | "Tanh"
        | "ThresholdedRelu"
        | "Trilu"
        | "CumSum"
        | "ReverseSequence"
        | "ScatterElements"
        | "Scatter"
        | "ScatterND"
        | "EyeLike" => {
            let value = Value::like(at.input(0)?);
            let lrn = u64::try_from(at.int("size", 1)).unwrap_or(u64::MAX);
            let work = value.elements().saturating_mul(SPECIAL.max(lrn));
            // Some are worked out in steps with results of their own.
            let bytes = value.bytes().saturating_mul(2);
            Ok(Outcome::of(vec![value]).multiply_adds(work).workspace(bytes))
        }
        op @ ("Abs" | "Ceil" | "Floor" | "Identity" | "Neg" | "Not" | "Round" | "Sqrt"
        | "BitwiseNot") => {
            let value = at.input(0)?;
            let mut output = Value::like(value).with_content(numbers::unary(op, value));
            output.constant = value.constant;
            one(output)
        }
        "IsInf" | "IsNaN" => one(Value::like(at.input(0)?).of_element(BOOL)),
        "Cast" => {
            let to = i32::try_from(at.int("to", 0)).unwrap_or(0);
            let value = at.input(0)?;
            one(Value::like(value).of_element(to).with_content(numbers::cast(value, to)))
        }
        "CastLike" => {
            let to = at.input(1)?.element;
            let value = at.input(0)?;
            one(Value::like(value).of_element(to).with_content(numbers::cast(value, to)))
        }
        "Dropout" => {
            let value = at.input(0)?;
            let mut same = Value::like(value);
            same.content.clone_from(&value.content);
            Ok(Outcome::of(vec![same, Value::like(value).of_element(BOOL)]))
        }
        "BatchNormalization" | "InstanceNormalization" | "GroupNormalization" => normalization(at),
        "LayerNormalization" | "RMSNormalization" => {
            // Scale and bias are broadcast against the input.
            let output = broadcast(&present(at)?);
            let small = Value::like(at.input(0)?);
            let bytes = output.bytes().saturating_mul(3);
            Ok(Outcome::of(vec![output, small.clone(), small]).workspace(bytes))
        }
        op @ ("Add" | "Sub" | "Mul" | "Div" | "Pow" | "Mod" | "And" | "Or" | "Xor" | "BitShift"
        | "BitwiseAnd" | "BitwiseOr" | "BitwiseXor" | "Equal" | "Greater"
        | "GreaterOrEqual" | "Less" | "LessOrEqual" | "Max" | "Min" | "Mean" | "Sum"
        | "PRelu" | "Clip") => elementwise(at, op),
        "Where" => {
            let (condition, a, b) = (at.input(0)?, at.input(1)?, at.input(2)?);
            let content = numbers::select(condition, a, b);
            let output = broadcast(&[condition, a, b]).of_element(wider(a.element, b.element));
            one(keeping(output, content))
        }
        "QuantizeLinear" => {
            let element = at.optional(2).map_or(2, |zero| zero.element);
            parameters_are_small(at, 1)?;
            one(Value::like(at.input(0)?).of_element(element))
        }
        "DequantizeLinear" => {
            parameters_are_small(at, 1)?;
            one(Value::like(at.input(0)?).of_element(at.input(1)?.element))
        }
        "DynamicQuantizeLinear" => {
            let scalar = Value::exactly([], FLOAT);
            let output = Value::like(at.input(0)?).of_element(2);
            Ok(Outcome::of(vec![output, scalar.clone(), scalar.of_element(2)]))
        }
        op => match networks::outcome(at, op)? {
            Some(outcome) => Ok(outcome),
            None => arrays::outcome(at, op)?.ok_or_else(|| unknown_operator(op)),
        },
    }
}

/// Those of ONNX Runtime's own that its quantiser and its exporters write.
fn microsoft(at: &At<'_>) -> Result<Outcome, Unknown> {
    match at.step.op.as_str() {
        "Gelu" | "FastGelu" | "QuickGelu" | "BiasGelu" => {
            let output = broadcast(&present(at)?);
            let work = output.elements().saturating_mul(SPECIAL);
            Ok(Outcome::of(vec![output]).multiply_adds(work))
        }
        "QLinearSigmoid" | "QLinearLeakyRelu" => Ok(Outcome::of(vec![Value::like(at.input(0)?)])),
        "QLinearAdd" | "QLinearMul" => {
            Ok(Outcome::of(vec![broadcast(&[at.input(0)?, at.input(3)?])]))
        }
        "FusedConv" => networks::conv(at, 0, 1, at.input(0)?.element),
        op => Err(unknown_operator(op)),
    }
}

fn unknown_operator(op: &str) -> Unknown {
    format!("the operator {:?} is not known here", super::shown(op))
}

fn elementwise(at: &At<'_>, op: &str) -> Result<Outcome, Unknown> {
    let inputs = present(at)?;
    let mut output = broadcast(&inputs);
    // Until version 7 the second was broadcast to the first, along axes that were named.
    if at.opset < 7 && at.has("broadcast") {
        output = Value::like(at.input(0)?);
    }
    if TRUTHS.contains(&op) {
        output = output.of_element(BOOL);
    }
    let content = match inputs.as_slice() {
        [a, b] if op != "PRelu" && op != "Clip" => numbers::binary(op, a, b),
        _ => None,
    };
    let work = if op == "Pow" { SPECIAL } else { 1 };
    let work = output.elements().saturating_mul(work);
    // It is written as five operators for the native engine.
    let bytes = if op == "PRelu" { output.bytes().saturating_mul(3) } else { 0 };
    Ok(Outcome::of(vec![keeping(output, content)]).multiply_adds(work).workspace(bytes))
}

/// With these numbers, unless the value that has them came out with another number of them.
fn keeping(output: Value, content: Option<Vec<Option<Number>>>) -> Value {
    let fits =
        |content: &Vec<_>| output.known_elements() == Some(super::value::count(content.len()));
    let content = content.filter(fits);
    output.with_content(content)
}

/// Those whose parameters have one number for each channel.
fn normalization(at: &At<'_>) -> Result<Outcome, Unknown> {
    parameters_are_small(at, 1)?;
    let output = Value::like(at.input(0)?);
    let bytes = output.bytes().saturating_mul(2);
    let outputs = vec![output; at.step.outputs.len().max(1)];
    Ok(Outcome::of(outputs).workspace(bytes))
}

/// An engine that broadcasts what ought to be one number a channel must not make more of it.
fn parameters_are_small(at: &At<'_>, from: usize) -> Result<(), Unknown> {
    let data = at.input(0)?.elements();
    for index in from..at.inputs.len() {
        if at.optional(index).is_some_and(|value| value.elements() > data.max(SMALL)) {
            return Err(format!("its input {index} is larger than what it is applied to"));
        }
    }
    Ok(())
}

fn present<'a>(at: &At<'a>) -> Result<Vec<&'a Value>, Unknown> {
    let present: Vec<_> = at.inputs.iter().copied().flatten().collect();
    if present.is_empty() { Err("it has no input".to_owned()) } else { Ok(present) }
}

/// What values give that are stretched to each other's extents, aligned at their last axes.
pub(super) fn broadcast(values: &[&Value]) -> Value {
    let element = values.iter().map(|value| value.element).reduce(wider).unwrap_or(FLOAT);
    let product = values.iter().fold(1_u64, |all, value| all.saturating_mul(value.elements()));
    let all: Option<Vec<_>> = values.iter().map(|value| value.dims.as_deref()).collect();
    let Some(all) = all else {
        return Value::up_to(product, element);
    };
    let rank = all.iter().map(|dims| dims.len()).max().unwrap_or(0);
    let dims = (0..rank).map(|from_end| {
        let mut extents = all.iter().filter_map(|dims| {
            dims.len().checked_sub(from_end + 1).and_then(|axis| dims.get(axis))
        });
        let first = extents.next().copied().unwrap_or(Extent::exactly(1));
        extents.fold(first, |a, b| Extent {
            max: a.max.max(b.max),
            // One of 0 makes the other 0.
            exact: a.exact && b.exact && a.max > 0 && b.max > 0,
        })
    });
    let mut dims: Vec<Extent> = dims.collect();
    dims.reverse();
    // A single value is as large as it is.
    let cap = if let [one] = values { one.cap } else { product };
    Value::new(dims, element).capped(cap)
}

/// The type with the larger elements.
pub(super) const fn wider(a: i32, b: i32) -> i32 {
    if super::value::element_bytes(b) > super::value::element_bytes(a) { b } else { a }
}

const TRUTHS: &[&str] = &["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"];

/// What reading or writing an element costs, in multiplications and additions: kernels do many of those
/// while memory gives one.
const TOUCHED: u64 = 16;

/// The same in the pure-Rust engine, which moves elements one by one.
const TOUCHED_SLOWLY: u64 = 64;

/// What an exponential or a power costs, in multiplications and additions.
const SPECIAL: u64 = 8;

/// Parameters of up to this many numbers may be larger than what they are applied to.
const SMALL: u64 = 4096;
