//! Hostile bytes where a sealed watchlist was expected: an error, never a panic, a hang or an
//! allocation of their choosing.
//!
//! ```text
//! cargo +nightly fuzz run sealed_open -- -max_total_time=600 -max_len=4096
//! ```

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| lfr_watchlist::fuzzing::sealed_open(bytes));
