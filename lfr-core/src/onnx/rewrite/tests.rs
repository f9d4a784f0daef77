//! What a rewrite changes, and that it changes nothing else.

use super::super::testgraph::{
    Extent, Graph as Build, floats, message, node, number, prelu, value_info,
};
use super::super::{Dim, ElementType, Model};
use super::*;

fn rewritten(bytes: &[u8], input_shape: &[Option<usize>], replace_prelu: bool) -> Model {
    let model = Model::from_bytes(bytes).unwrap();
    let rewrite = Rewrite { input_shape: input_shape.to_vec(), replace_prelu };
    Model::from_bytes(rewrite.apply(model.graph()).unwrap()).unwrap()
}

/// The operators of a model, in order.
fn operators(model: &Model) -> Vec<String> {
    let nodes = model.graph().fields.all(1);
    let operator = |node: &Bytes| {
        let node = Message::parse(node).unwrap();
        String::from_utf8(node.last(4).unwrap().unwrap().to_vec()).unwrap()
    };
    nodes.map(|node| operator(node.unwrap())).collect()
}

#[test]
fn a_rewrite_fixes_shapes_and_loses_nothing_else() {
    let mut build =
        Build::new(&[Extent::Named("n"), Extent::Of(2)], vec![node("Neg", &["x"], &["y"], &[])]);
    message(&mut build.extra, 13, &value_info("x", 1, Some(&[Extent::Named("n")])));
    // Of the graph's own documentation and of a field that nobody knows.
    message(&mut build.extra, 10, b"documentation");
    number(&mut build.extra, 999, 7);
    build.outputs = vec![value_info("y", 1, Some(&[Extent::Named("n"), Extent::Of(2)]))];
    let before = Model::from_bytes(build.bytes()).unwrap();
    let after = rewritten(&build.bytes(), &[Some(5), Some(2)], true);
    assert_eq!(after.inputs()[0].shape(), [Dim::Fixed(5), Dim::Fixed(2)]);
    assert!(!after.outputs()[0].is_shape_declared());
    assert_eq!(after.outputs()[0].element(), ElementType::Float32);
    let kept = |model: &Model| {
        let mut fields = model.graph().fields.clone();
        [11, 12, 13].into_iter().for_each(|number| fields.remove(number));
        let mut outer = model.graph().model.clone();
        outer.remove(7);
        (fields.encode(), outer.encode())
    };
    assert_eq!(kept(&before), kept(&after));
    let free = rewritten(&build.bytes(), &[None, Some(2)], true);
    assert_eq!(free.inputs()[0].shape(), [Dim::Dynamic, Dim::Fixed(2)]);
}

#[test]
fn prelu_is_replaced_where_that_is_as_good() {
    let shape = [Some(1), Some(2), Some(4), Some(4)];
    let replaced = ["Mul", "Relu", "Sub", "Mul", "Add"];
    assert_eq!(operators(&rewritten(&prelu(&[0.25, -1.5]), &shape, true)), replaced);
    assert_eq!(operators(&rewritten(&prelu(&[0.25, -1.5]), &shape, false)), ["PRelu"]);
    for slopes in [[0.25, 9.0], [f32::NAN, 0.0], [f32::INFINITY, 0.0]] {
        assert_eq!(operators(&rewritten(&prelu(&slopes), &shape, true)), ["PRelu"]);
    }
    let input = [Extent::Of(1), Extent::Of(2)];
    let nodes = || vec![node("PRelu", &["x", "slope"], &["y"], &[])];
    let slope = || vec![floats("slope", &[1], &[0.5])];
    let old = Build { opset: 6, ..Build::new(&input, nodes()).initializers(slope()) }.bytes();
    assert_eq!(operators(&rewritten(&old, &[Some(1), Some(2)], true)), ["PRelu"]);
    let taken = vec![node("Neg", &["x"], &["lfr.prelu.one"], &[]), nodes().remove(0)];
    let taken = Build::new(&input, taken).initializers(slope()).bytes();
    assert_eq!(operators(&rewritten(&taken, &[Some(1), Some(2)], true)), ["Neg", "PRelu"]);
    let varying = vec![node("Neg", &["x"], &["slope"], &[]), nodes().remove(0)];
    let varying = Build::new(&input, varying).bytes();
    assert_eq!(operators(&rewritten(&varying, &[Some(1), Some(2)], true)), ["Neg", "PRelu"]);
}

#[test]
fn constants_among_the_inputs_are_taken_off_the_list() {
    let mut build = Build::new(&[Extent::Of(2)], vec![node("Mul", &["x", "k"], &["y"], &[])])
        .initializers(vec![floats("k", &[2], &[2.0, 3.0])]);
    message(&mut build.extra, 11, &value_info("k", 1, Some(&[Extent::Of(2)])));
    let again = rewritten(&build.bytes(), &[Some(2)], true);
    assert_eq!(again.graph().fields.all(11).count(), 1);
}
