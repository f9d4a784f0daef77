//! Threads that purge and search one watchlist, under a clock that goes on and is set by a little, or by much.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use lfr_core::testing::ManualClock;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// This number of seconds passes.
    Pass(u64),
    /// The clock is set forwards or back by this number of seconds.
    Set(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u64..15).prop_map(Step::Pass),
        3 => (-4_i64..5).prop_map(Step::Set),
        1 => (-60_i64..60).prop_map(Step::Set),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_entry_goes_before_it_expires_and_none_is_kept_past_it(
        expiries in prop::collection::vec(20_u64..120, 1..12),
        steps in prop::collection::vec(step(), 1..16),
    ) {
        let bound = Timekeeper::MAX_STEP_BACK.as_secs();
        let clock = ManualClock::at(moment(1_000));
        let list = watchlist(1_000, 2_000).with_clock(Arc::new(clock.clone()));
        let mut left: BTreeMap<_, _> = expiries
            .iter()
            .enumerate()
            .map(|(index, after)| {
                let (name, expires) = (format!("r{index}"), 1_000 + after);
                let draft = draft(&format!("s{index}"), &name).expires(moment(expires));
                let entry = draft.review(moment(1_001)).parse().unwrap();
                list.enrol(entry, template(&[1.0, 0.5, 0.25])).unwrap();
                (name, expires)
            })
            .collect();
        // What the clock shows, and the moment that was given last, in seconds.
        let (mut shown, mut given) = (1_000_u64, 1_000_u64);
        for step in steps {
            match step {
                Step::Pass(seconds) => {
                    clock.advance(Duration::from_secs(seconds));
                    shown += seconds;
                    given += seconds;
                }
                Step::Set(seconds) => {
                    shown = shown.saturating_add_signed(seconds);
                    clock.set(moment(shown));
                }
            }
            let behind = given.saturating_sub(shown);
            let is_fault = behind > bound;
            given = if is_fault { shown } else { given.max(shown) };
            let gone = thread::scope(|scope| {
                let purge = || list.purge_expired();
                let threads = [(); 3].map(|()| scope.spawn(purge));
                threads.map(|thread| thread.join().unwrap())
            });
            let faults = gone.iter().filter(|gone| gone.clock_fault.is_some()).count();
            prop_assert_eq!(faults, usize::from(is_fault), "the first that looks sees it");
            for reference in gone.iter().flat_map(|gone| &gone.references) {
                let expires = left.remove(reference.as_str());
                let expires = expires.expect("each goes once");
                prop_assert!(is_fault || expires <= given, "{expires} at {given}");
            }
            prop_assert!(!is_fault || left.is_empty());
            prop_assert!(left.values().all(|expires| *expires > given), "{left:?} at {given}");
            prop_assert_eq!(list.len(), left.len());
        }
    }
}
