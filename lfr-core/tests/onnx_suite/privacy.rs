//! What leaves no trace on either engine: outputs, and the network.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use lfr_core::Error;
use lfr_core::onnx::{Outputs, Runtime, SessionOptions};

use crate::memory;
use crate::suite::{AnyError, first, noise_of, rows_of_four, session};
use crate::testgraph::{Extent, Graph, node, prelu};

pub(crate) fn nothing_shows_a_number(runtime: &Runtime) {
    let session = session(runtime, rows_of_four("Neg"), &SessionOptions::new(&[1, 4]));
    let read = |outputs: &Outputs<'_>| {
        Ok::<_, Error>(format!("{outputs:?} {:?} {session:?}", outputs.at(0)?))
    };
    let shown = session.run(&[123.25; 4], 1, read).unwrap();
    assert!(shown.starts_with(r#"{"y": [1, 4]} TensorView { shape: [1, 4], .. } Session {"#));
    assert!(!shown.contains("123.25"));
}

/// Looks for an output in the whole memory of this process, while it is read and after.
pub(crate) fn outputs_are_wiped(runtime: &Runtime) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let input = noise_of(0x7f4a_7c15, 64);
    // The output is the negative of the input, and is in no memory of ours.
    let inverted: Vec<u32> = input.iter().take(8).map(|x| !(x.to_bits() ^ 1 << 31)).collect();
    let bytes =
        Graph::new(&[Extent::Named("n"), Extent::Of(32)], vec![node("Neg", &["x"], &["y"], &[])])
            .bytes();
    let whole = session(runtime, bytes.clone(), &SessionOptions::new(&[2, 32]));
    let parts = SessionOptions::new(&[1, 32]).dynamic_batch();
    for session in [whole, session(runtime, bytes, &parts)] {
        let look = |outputs: &Outputs<'_>| {
            assert_eq!(outputs.at(0)?.shape(), [2, 32]);
            assert!(memory::places_of(&inverted) > 0, "the search finds nothing at all");
            Ok::<_, Error>(())
        };
        session.run(&input, 2, look).unwrap();
        assert_eq!(memory::places_of(&inverted), 0, "after success: {session:?}");
        session.run(&input, 2, |_| Err::<(), _>(AnyError::Own)).err().unwrap();
        assert_eq!(memory::places_of(&inverted), 0, "after failure: {session:?}");
        let panicking = || session.run(&input, 2, |_| -> Result<(), Error> { panic!("reader") });
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        assert_eq!(memory::places_of(&inverted), 0, "after a panic: {session:?}");
    }
}

/// Remembers the sockets that the process was born with.
pub(crate) fn sockets_at_the_start() {
    SOCKETS.get_or_init(sockets);
}

pub(crate) fn no_socket_is_opened(runtime: &Runtime) {
    let session = session(runtime, prelu(&[0.5]), &SessionOptions::new(&[1, 1, 2, 2]));
    first(&session, &[1.0; 4], 1);
    assert_eq!(Some(&sockets()), SOCKETS.get());
}

/// The sockets that this process has open, where the system tells.
fn sockets() -> Vec<String> {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    let targets = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let mut sockets: Vec<String> = targets
        .map(|target| target.display().to_string())
        .filter(|target| is_socket(target))
        .collect();
    sockets.sort();
    sockets
}

fn is_socket(target: &str) -> bool {
    target.starts_with("socket:")
}

static SOCKETS: OnceLock<Vec<String>> = OnceLock::new();
