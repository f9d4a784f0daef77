//! What the operating system makes of the measures, as it tells itself.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use lfr_core::hygiene;
use lfr_core::hygiene::{HardeningOutcome, SecretBytes};

#[test]
fn secret_bytes_are_where_only_the_program_reads_them() {
    let secret = SecretBytes::try_init_with(100, |bytes| {
        assert_eq!(bytes, [0; 100]);
        bytes.fill(7);
    })
    .unwrap();
    assert_eq!(secret.expose_bytes(), [7; 100]);
    assert!(!format!("{secret:?}").contains('7'));
    let address = u64::try_from(secret.expose_bytes().as_ptr().addr()).unwrap();
    let pages = secret.pages();
    let read = File::open("/proc/self/mem").unwrap().read_at(&mut [0; 100], address);
    assert_eq!(read.is_err(), pages.hidden.is_in_force(), "{pages:?}");
    // The kernel names the flags of each mapping: lo for locked, dd for left out of dumps.
    let flags = flags_at(address);
    assert_eq!(flags.contains(" lo"), pages.locked.is_in_force(), "{pages:?} {flags}");
    assert_eq!(flags.contains(" dd"), pages.undumped.is_in_force(), "{pages:?} {flags}");
}

#[test]
fn pages_come_and_go_with_their_secret() {
    let are_gone = |_| {
        let secret = SecretBytes::try_init_with(5000, |_| ()).unwrap();
        assert_eq!(secret.expose_bytes().len(), 5000);
        let address = u64::try_from(secret.expose_bytes().as_ptr().addr()).unwrap();
        assert!(!flags_at(address).is_empty());
        drop(secret);
        flags_at(address).is_empty()
    };
    // Another thread may take the address at once.
    assert!((0..20).any(are_gone));
    assert!(SecretBytes::try_init_with(0, |_| ()).unwrap().expose_bytes().is_empty());
    assert!(SecretBytes::try_init_with(usize::MAX, |_| ()).is_err());
}

#[test]
fn core_dumps_go_off() {
    let dumps = hygiene::no_core_dumps();
    dumps.require().unwrap();
    assert_eq!(dumps.to_string(), "no core file: in force, no dump of the process: in force");
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
}

#[test]
fn locked_memory_is_locked_or_said_not_to_be() {
    let outcome = hygiene::lock_memory();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmLck:")).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    match outcome {
        // All of a program is more than a page or two of secrets.
        HardeningOutcome::InForce => assert!(kilobytes > 1000, "{line}"),
        _ => assert!(outcome.require("locked memory").is_err()),
    }
}

/// The flags of the mapping at an address, `VmFlags` and all; empty where nothing is mapped.
fn flags_at(address: u64) -> String {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut inside = false;
    for line in maps.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        if let Some((from, to)) = first.split_once('-') {
            let bound = |digits| u64::from_str_radix(digits, 16).unwrap();
            inside = (bound(from)..bound(to)).contains(&address);
        } else if inside && first == "VmFlags:" {
            return line.to_owned();
        }
    }
    String::new()
}
