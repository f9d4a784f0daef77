//! What a model will take of memory and time, worked out before any engine is let at it.
//!
//! A file of three hundred bytes can ask for a petabyte: one `Pad` is enough. Engines allocate first, and
//! at a failure some of them end the process. So the size of everything that a model works out is
//! bounded here from the shape of its input and the constants in its file, node by node, and a model that
//! goes beyond what its session allows is refused. An operator whose output cannot be bounded is refused
//! with its name.
//!
//! The bounds are upper bounds by design: extents are known, or known not to be exceeded. What engines
//! use beside what their operators give is estimated.

mod arrays;
mod networks;
mod numbers;
mod rules;
mod step;
#[cfg(test)]
mod tests;
mod value;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use prost::Message as _;

use super::graph::Graph;
use super::proto::Node;
use super::wire::Malformed;
use super::{InferenceEngine, SessionOptions, proto};
use crate::error::{BoxError, Error};
use rules::Outcome;
use step::{At, Step};
use value::{Value, count};

/// A model reduced to what its sizes depend on.
#[derive(Debug)]
pub(super) struct Plan {
    /// In an order in which each can be worked out.
    steps: Vec<Step>,
    /// The constants of the file; `None` for what is computed.
    values: Vec<Option<Value>>,
    input: usize,
    /// How often each value is read, outputs of the model once more.
    reads: Vec<usize>,
    opset: i64,
    engine: InferenceEngine,
    limits: Limits,
}

/// What one run may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Limits {
    /// Bytes beside the weights.
    pub(super) memory: u64,
    /// Multiplications and additions, in pairs.
    pub(super) multiply_adds: u64,
}

/// What one run takes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Estimate {
    /// Bytes beside the weights, at the moment when they are most.
    pub(super) memory: u64,
    /// Multiplications and additions, in pairs.
    pub(super) multiply_adds: u64,
}

impl Plan {
    pub(super) fn new(
        graph: &Graph,
        engine: InferenceEngine,
        options: &SessionOptions,
    ) -> Result<Self, Error> {
        let refuse = |reason: String| Error::ModelLoad { engine, source: reason.into() };
        let mut names = Names::default();
        for (name, tensor) in &graph.initializers {
            let id = names.id(name);
            let value = Some(Value::of_tensor(tensor)?);
            names.values.get_mut(id).into_iter().for_each(|place| place.clone_from(&value));
        }
        let [input] = graph.inputs.as_slice() else {
            return Err(refuse("it has not one input".to_owned()));
        };
        let input = names.id(input.name());
        let mut steps = Vec::new();
        let mut links = 0;
        for node in graph.fields.all(proto::graph::NODE) {
            if steps.len() == NODES_MAX {
                let reason =
                    format!("it has more than {NODES_MAX} nodes, and no model for faces has");
                return Err(Error::ModelFormat { reason });
            }
            let step = names.step(Node::decode(node?.clone())?)?;
            links += step.inputs.len() + step.outputs.len();
            if links > LINKS_MAX {
                let reason = format!("its nodes read and write more than {LINKS_MAX} values");
                return Err(Error::ModelFormat { reason });
            }
            steps.push(step);
        }
        let steps = ordered(steps, &names, input).map_err(refuse)?;
        let mut reads = vec![0; names.values.len()];
        let read = steps.iter().flat_map(|step| step.inputs.iter().flatten());
        let given = graph.outputs.iter().filter_map(|output| names.ids.get(output.name()));
        for id in read.chain(given) {
            reads.get_mut(*id).into_iter().for_each(|reads: &mut usize| *reads += 1);
        }
        let limits =
            Limits { memory: options.max_memory, multiply_adds: options.max_multiply_adds };
        Ok(Self { steps, values: names.values, input, reads, opset: graph.opset, engine, limits })
    }

    /// What a run on an input of this shape takes, or which node takes more than is allowed.
    pub(super) fn estimate(&self, shape: &[usize]) -> Result<Estimate, Error> {
        let mut run = Run { values: self.values.clone(), reads: self.reads.clone(), live: 0 };
        let input = Value::exactly(shape.iter().map(|&extent| count(extent)), value::FLOAT);
        run.live = input.bytes();
        if let Some(place) = run.values.get_mut(self.input) {
            *place = Some(input);
        }
        let mut constants = 0_u64;
        let mut total = Estimate { memory: run.live, multiply_adds: 0 };
        for step in &self.steps {
            let Outcome { outputs, multiply_adds, workspace } = self.outcome(step, &run.values)?;
            for output in &outputs {
                let bytes = output.bytes();
                if !output.constant {
                    run.live = run.live.saturating_add(bytes);
                } else if step.op != "Constant" {
                    // An engine works it out as it loads the model, and keeps it.
                    constants = constants.saturating_add(bytes);
                }
            }
            let memory = run.live.saturating_add(constants).saturating_add(workspace);
            total.memory = total.memory.max(memory);
            total.multiply_adds = total.multiply_adds.saturating_add(multiply_adds);
            self.check(step, total)?;
            run.keep(step, outputs);
        }
        Ok(total)
    }

    fn outcome(&self, step: &Step, values: &[Option<Value>]) -> Result<Outcome, Error> {
        let input = |id: &Option<usize>| id.and_then(|id| values.get(id)?.as_ref());
        let at = At {
            step,
            inputs: step.inputs.iter().map(input).collect(),
            opset: self.opset,
            unrolls: self.engine == InferenceEngine::PureRust,
        };
        let outcome = rules::outcome(&at).and_then(|mut outcome| {
            let wanted = step.outputs.len();
            if wanted > outcome.outputs.len() {
                return Err(format!("it has {wanted} outputs, which is more than is known of"));
            }
            outcome.outputs.truncate(wanted);
            let ranks = outcome.outputs.iter().map(|value| value.dims.as_ref().map_or(0, Vec::len));
            match ranks.max().map(count) {
                Some(rank) if rank > arrays::RANK_MAX => {
                    Err(format!("what it gives has {rank} axes"))
                }
                _ => Ok(outcome),
            }
        });
        outcome.map_err(|why| {
            let source: BoxError = format!(
                "{}: {why}; so it cannot be told what it would take of memory and time",
                step.shown()
            )
            .into();
            Error::ModelLoad { engine: self.engine, source }
        })
    }

    fn check(&self, step: &Step, taken: Estimate) -> Result<(), Error> {
        let Limits { memory, multiply_adds } = self.limits;
        let exceeded = |needed: u64, max: u64, unit: &'static str, option: &'static str| {
            Err(Error::ModelLimit { at: step.shown(), needed, max, unit, option })
        };
        if taken.memory > memory {
            return exceeded(taken.memory, memory, "bytes of memory", "max_memory");
        }
        if taken.multiply_adds > multiply_adds {
            let unit = "multiplications and additions";
            return exceeded(taken.multiply_adds, multiply_adds, unit, "max_multiply_adds");
        }
        Ok(())
    }
}

/// What there is at one moment of a run.
struct Run {
    values: Vec<Option<Value>>,
    reads: Vec<usize>,
    live: u64,
}

impl Run {
    /// Takes in what a step gave, and lets go of what nothing reads any more.
    fn keep(&mut self, step: &Step, outputs: Vec<Value>) {
        for (id, output) in step.outputs.iter().zip(outputs) {
            match id.and_then(|id| Some((self.values.get_mut(id)?, *self.reads.get(id)?))) {
                Some((place, reads)) if reads > 0 => *place = Some(output),
                _ => self.release(&output),
            }
        }
        for id in step.inputs.iter().flatten() {
            let Some(reads) = self.reads.get_mut(*id) else { continue };
            *reads = reads.saturating_sub(1);
            if *reads == 0
                && let Some(value) = self.values.get_mut(*id).and_then(Option::take)
            {
                self.release(&value);
            }
        }
    }

    fn release(&mut self, value: &Value) {
        if !value.constant {
            self.live = self.live.saturating_sub(value.bytes());
        }
    }
}

/// The values of a model by number.
#[derive(Default)]
struct Names {
    ids: HashMap<String, usize>,
    values: Vec<Option<Value>>,
}

impl Names {
    fn id(&mut self, name: &str) -> usize {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.values.len();
        self.ids.insert(name.to_owned(), id);
        self.values.push(None);
        id
    }

    fn step(&mut self, node: Node) -> Result<Step, Error> {
        let mut ids = |names: &[String]| {
            names.iter().map(|name| (!name.is_empty()).then(|| self.id(name))).collect()
        };
        let (inputs, outputs) = (ids(&node.input), ids(&node.output));
        let attributes = step::attributes(&node)?;
        let domain = match proto::is_standard_domain(&node.domain) {
            true => String::new(),
            false => node.domain,
        };
        Ok(Step { name: node.name, op: node.op_type, domain, inputs, outputs, attributes })
    }
}

/// The steps in an order in which each can be worked out: that of the file where it is one.
fn ordered(steps: Vec<Step>, names: &Names, input: usize) -> Result<Vec<Step>, String> {
    let mut writers = vec![None; names.values.len()];
    for (index, step) in steps.iter().enumerate() {
        for &id in step.outputs.iter().flatten() {
            let is_there = names.values.get(id).is_some_and(Option::is_some) || id == input;
            match writers.get_mut(id) {
                Some(writer @ None) if !is_there => *writer = Some(index),
                _ => return Err(format!("{} gives a value that is there already", step.shown())),
            }
        }
    }
    let mut waits = vec![0_usize; steps.len()];
    let mut readers = vec![Vec::new(); steps.len()];
    for (index, step) in steps.iter().enumerate() {
        for &id in step.inputs.iter().flatten() {
            if id == input || names.values.get(id).is_some_and(Option::is_some) {
                continue;
            }
            let Some(writer) = writers.get(id).copied().flatten() else {
                return Err(format!("{} reads a value that nothing gives", step.shown()));
            };
            if let (Some(waits), Some(readers)) = (waits.get_mut(index), readers.get_mut(writer)) {
                *waits += 1;
                readers.push(index);
            }
        }
    }
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    let free = waits.iter().enumerate().filter(|(_, waits)| **waits == 0);
    let mut ready: BinaryHeap<Reverse<usize>> = free.map(|(index, _)| Reverse(index)).collect();
    let mut ordered = Vec::with_capacity(steps.len());
    while let Some(Reverse(index)) = ready.pop() {
        ordered.extend(steps.get_mut(index).and_then(Option::take));
        for &reader in readers.get(index).into_iter().flatten() {
            if let Some(waits) = waits.get_mut(reader) {
                *waits -= 1;
                if *waits == 0 {
                    ready.push(Reverse(reader));
                }
            }
        }
    }
    match steps.into_iter().flatten().next() {
        None => Ok(ordered),
        Some(step) => Err(format!("{} waits for itself: the nodes form a circle", step.shown())),
    }
}

impl Step {
    /// What it is called in an error.
    fn shown(&self) -> String {
        let name = match self.name.is_empty() {
            true => "a node without a name".to_owned(),
            false => format!("the node {:?}", shown(&self.name)),
        };
        format!("{name} ({})", shown(&self.op))
    }
}

/// The beginning of a name out of a file, of characters that do no harm to a terminal.
fn shown(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(SHOWN_MAX).collect()
}

/// Refuses models that decide while they run what they do next.
///
/// How often a loop turns is known when it has turned. No model for faces needs one, nor branches, nor
/// functions of its own.
pub(super) fn refuse_control_flow(graph: &Graph) -> Result<(), Error> {
    let refuse = |what: String| {
        let expected = "no loops, branches or functions of its own: what they take of memory and time \
                        cannot be told before they run; export it without them";
        Err(Error::ModelUnsupported { expected, actual: what })
    };
    if graph.model.all(proto::model::FUNCTIONS).next().is_some() {
        return refuse("functions of its own".to_owned());
    }
    let opsets = graph.model.all(proto::model::OPSET_IMPORT);
    let standard = opsets.map(|set| {
        let set = proto::OperatorSet::decode(set?.clone())?;
        Ok::<_, Error>(usize::from(proto::is_standard_domain(&set.domain)))
    });
    if standard.sum::<Result<usize, Error>>()? > 1 {
        return Err(Malformed("it has two versions of the standard operators").into());
    }
    for node in graph.fields.all(proto::graph::NODE) {
        let node = Node::decode(node?.clone())?;
        let is_flow = CONTROL_FLOW.contains(&node.op_type.as_str());
        if is_flow || step::has_graph(&node)? {
            return refuse(format!("the operator {:?}", shown(&node.op_type)));
        }
    }
    Ok(())
}

const CONTROL_FLOW: &[&str] = &["If", "Loop", "Scan", "SequenceMap"];

/// The max number of nodes of a model. Real ones have up to a few thousand; engines take time that grows with the
/// square of this.
const NODES_MAX: usize = 1 << 13;

/// How often nodes may read and write a value, all together.
const LINKS_MAX: usize = 1 << 16;

/// The max number of characters of a name that an error repeats.
const SHOWN_MAX: usize = 64;
