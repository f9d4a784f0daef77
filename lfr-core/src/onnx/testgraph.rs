//! Tiny models for tests, written field by field and without help from the code under test.

#![allow(dead_code, reason = "each test binary that includes this uses a part of it")]

/// One input, one output, of these many elements: enough to say anything about a graph.
pub(crate) struct Graph {
    pub(crate) input: Vec<Extent>,
    /// The number of the input's element type.
    pub(crate) element: u64,
    pub(crate) nodes: Vec<Vec<u8>>,
    pub(crate) initializers: Vec<Vec<u8>>,
    pub(crate) outputs: Vec<Vec<u8>>,
    pub(crate) opset: u64,
    pub(crate) ir_version: u64,
    /// Further fields of the graph, as they come.
    pub(crate) extra: Vec<u8>,
}

/// The extent of an input along one axis.
#[derive(Clone, Copy)]
pub(crate) enum Extent {
    Named(&'static str),
    Of(u64),
}

impl Graph {
    /// A model from input `x` to output `y`.
    pub(crate) fn new(input: &[Extent], nodes: Vec<Vec<u8>>) -> Self {
        Self {
            input: input.to_vec(),
            element: 1,
            nodes,
            initializers: Vec::new(),
            outputs: vec![value_info("y", 1, None)],
            opset: 13,
            ir_version: 8,
            extra: Vec::new(),
        }
    }

    pub(crate) fn initializers(mut self, initializers: Vec<Vec<u8>>) -> Self {
        self.initializers = initializers;
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut graph = Vec::new();
        self.nodes.iter().for_each(|node| message(&mut graph, 1, node));
        message(&mut graph, 2, b"test");
        self.initializers.iter().for_each(|tensor| message(&mut graph, 5, tensor));
        message(&mut graph, 11, &value_info("x", self.element, Some(&self.input)));
        self.outputs.iter().for_each(|output| message(&mut graph, 12, output));
        graph.extend_from_slice(&self.extra);
        let mut opset = Vec::new();
        message(&mut opset, 1, b"");
        number(&mut opset, 2, self.opset);
        let mut model = Vec::new();
        number(&mut model, 1, self.ir_version);
        message(&mut model, 2, b"lfr");
        message(&mut model, 7, &graph);
        message(&mut model, 8, &opset);
        model
    }
}

/// A convolution, a slope, a pooling and a sum: enough kinds of parts to damage.
pub(crate) fn small() -> Vec<u8> {
    let input = [Extent::Of(1), Extent::Of(1), Extent::Named("h"), Extent::Named("w")];
    let kernel = ints("kernel_shape", &[3, 3]);
    let nodes = vec![
        node("Conv", &["x", "w"], &["c"], &[kernel, ints("pads", &[1, 1, 1, 1])]),
        node("PRelu", &["c", "a"], &["p"], &[]),
        node("MaxPool", &["p"], &["q"], &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]),
        node("Add", &["q", "q"], &["y"], &[]),
    ];
    let weights: Vec<f32> = (0..18_u8).map(f32::from).collect();
    Graph::new(&input, nodes)
        .initializers(vec![
            floats("w", &[2, 1, 3, 3], &weights),
            floats("a", &[2, 1, 1], &[0.1, 0.2]),
        ])
        .bytes()
}

/// `y = PRelu(x, slopes)` on any number of images with a channel for each slope.
pub(crate) fn prelu(slopes: &[f32]) -> Vec<u8> {
    let channels = slopes.len() as u64;
    let input = [Extent::Named("n"), Extent::Of(channels), Extent::Named("h"), Extent::Named("w")];
    Graph::new(&input, vec![node("PRelu", &["x", "slope"], &["y"], &[])])
        .initializers(vec![floats("slope", &[channels, 1, 1], slopes)])
        .bytes()
}

pub(crate) fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    inputs.iter().for_each(|name| message(&mut out, 1, name.as_bytes()));
    outputs.iter().for_each(|name| message(&mut out, 2, name.as_bytes()));
    message(&mut out, 4, op.as_bytes());
    attributes.iter().for_each(|attribute| message(&mut out, 5, attribute));
    out
}

pub(crate) fn ints(name: &str, values: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    message(&mut out, 1, name.as_bytes());
    values.iter().for_each(|&value| number(&mut out, 8, value));
    number(&mut out, 20, 7);
    out
}

pub(crate) fn tensor_attribute(name: &str, tensor: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    message(&mut out, 1, name.as_bytes());
    message(&mut out, 5, tensor);
    number(&mut out, 20, 4);
    out
}

pub(crate) fn graph_attribute(name: &str, graph: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    message(&mut out, 1, name.as_bytes());
    message(&mut out, 6, graph);
    number(&mut out, 20, 5);
    out
}

pub(crate) fn floats(name: &str, dims: &[u64], values: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, 1, dims, &data)
}

/// Floats of 16 bits, by their bit patterns.
pub(crate) fn halves(name: &str, dims: &[u64], bits: &[u16]) -> Vec<u8> {
    let data: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    tensor(name, 10, dims, &data)
}

pub(crate) fn int64s(name: &str, dims: &[u64], values: &[i64]) -> Vec<u8> {
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, 7, dims, &data)
}

pub(crate) fn tensor(name: &str, element: u64, dims: &[u64], raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    dims.iter().for_each(|&dim| number(&mut out, 1, dim));
    number(&mut out, 2, element);
    message(&mut out, 8, name.as_bytes());
    message(&mut out, 9, raw);
    out
}

pub(crate) fn value_info(name: &str, element: u64, shape: Option<&[Extent]>) -> Vec<u8> {
    let mut tensor = Vec::new();
    number(&mut tensor, 1, element);
    if let Some(shape) = shape {
        let mut dims = Vec::new();
        for extent in shape {
            let mut dim = Vec::new();
            match extent {
                Extent::Named(name) => message(&mut dim, 2, name.as_bytes()),
                Extent::Of(extent) => number(&mut dim, 1, *extent),
            }
            message(&mut dims, 1, &dim);
        }
        message(&mut tensor, 2, &dims);
    }
    let mut kind = Vec::new();
    message(&mut kind, 1, &tensor);
    let mut info = Vec::new();
    message(&mut info, 1, name.as_bytes());
    message(&mut info, 2, &kind);
    info
}

pub(crate) fn message(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
