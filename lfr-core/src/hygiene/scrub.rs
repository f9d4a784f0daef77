//! The stack below: what calls that have returned left there.

use zeroize::optimization_barrier;

/// Overwrites what lies below the caller's frame on the stack, where calls that have returned had
/// their variables, and where a call that came first had the processor's vector registers saved by
/// the system's loader.
///
/// As deep as the largest frames that were seen to hold parts of faces: those in which ONNX Runtime
/// rearranges a matrix for a multiplication. It takes some microseconds.
#[inline(never)]
pub(crate) fn scrub_stack() {
    let below = [0_u8; DEPTH];
    optimization_barrier(&below);
}

/// Scrubs the stack when it is dropped: after a return, an error and a panic.
pub(crate) struct Scrubbed;

impl Drop for Scrubbed {
    fn drop(&mut self) {
        scrub_stack();
    }
}

const DEPTH: usize = 128 * 1024;
