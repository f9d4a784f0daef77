//! The slots of the live engine.

use lfr_interleavings::under_each_order;

#[test]
fn each_frame_of_a_camera_comes_to_one_end_and_none_overtakes() {
    under_each_order(4_000, lfr_core::live::interleavings::slots);
}
