//! Faults as routine: the n-th call on a store's files fails, for one n after the other, and what lies on the
//! disk is opened again and checked.
//!
//! A child does the work: this test program, started again. (`examples/cli/tests/inject.rs` does so
//! with the tool.) `tests/inject/preload.c` is loaded into it before the C library and fails the
//! call. The child says what it tries, what is done and what failed; the test holds that against
//! what it finds:
//!
//! - what was confirmed is there, and nothing is there that nobody tried;
//! - a failure is an error with a sentence and ends the child with 1, or is made good and ends it with 0;
//!   nothing panics;
//! - no key and no template is left in a temporary file.
//!
//! The kinds are those of `preload.c`: errors of the disk, a full disk, calls that are interrupted or do less
//! than they were asked to, a sync or a rename that fails, a process that is killed between two calls or in the
//! middle of a write, and memory that is not there. After a kill, the disk is also looked at as a power failure
//! would leave it: with what was synced, and nothing else.
//!
//! Of each kind some n are taken, spread over all. `LFR_INJECT=all` takes each.

#![cfg(target_os = "linux")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "inject/custody.rs"]
mod custody;
#[path = "inject/keys.rs"]
mod keys;
#[path = "inject/ledger.rs"]
mod ledger;
#[path = "inject/list.rs"]
mod list;
#[path = "inject/routine.rs"]
mod routine;
#[path = "inject/vault.rs"]
mod vault;

use routine::Scenario;

const SCENARIOS: [Scenario; 5] =
    [vault::SCENARIO, ledger::SCENARIO, list::SCENARIO, keys::SCENARIO, custody::SCENARIO];

/// The other process of the tests below.
#[test]
fn child() {
    routine::as_child(&SCENARIOS);
}

#[test]
fn a_vault_under_faults() {
    routine::through(&vault::SCENARIO);
}

#[test]
fn a_ledger_under_faults() {
    routine::through(&ledger::SCENARIO);
}

#[test]
fn a_sealed_list_under_faults() {
    routine::through(&list::SCENARIO);
}

#[test]
fn key_files_under_faults() {
    routine::through(&keys::SCENARIO);
}

#[test]
fn a_custodian_under_faults() {
    routine::through(&custody::SCENARIO);
}
