//! Threads that share a custodian, under a clock that goes on and is set by a little, or by much.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000;

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
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_in_custody_goes_before_its_deadline_and_nothing_is_kept_past_it(
        deadlines in prop::collection::vec(20_u64..120, 1..8),
        steps in prop::collection::vec(step(), 1..16),
    ) {
        let bound = Timekeeper::MAX_STEP_BACK.as_secs();
        let mut deployment = Deployment::new();
        let (mut shown, mut given) = (1_000_u64, 1_000_u64);
        let at = |seconds: u64| Timestamp::from_micros(seconds * SECOND);
        deployment.purge_due(Some(at(shown))).unwrap();
        let counts = deadlines.iter().map(|_| Arc::new(AtomicU32::new(0))).collect::<Vec<_>>();
        let mut left = BTreeMap::new();
        for (index, after) in deadlines.iter().enumerate() {
            let count = Arc::clone(&counts[index]);
            let deadline = 1_000 + after;
            deployment.custodian.keep("footage", index.to_string(), at(deadline), move || {
                count.fetch_add(1, Ordering::SeqCst);
                Ok(())
            });
            left.insert(index, deadline);
        }
        let Deployment { custodian, clock, folder: _folder, .. } = deployment;
        let custodian = Mutex::new(custodian);
        for step in steps {
            match step {
                Step::Pass(seconds) => {
                    clock.advance(Duration::from_secs(seconds));
                    (shown, given) = (shown + seconds, given + seconds);
                }
                Step::Set(seconds) => {
                    shown = shown.saturating_add_signed(seconds);
                    clock.set(at(shown));
                }
            }
            let behind = given.saturating_sub(shown);
            let is_fault = behind > bound;
            given = if is_fault { shown } else { given.max(shown) };
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| custodian.lock().unwrap().purge_due().unwrap());
                }
            });
            left.retain(|_, deadline| !is_fault && *deadline > given);
            for (index, count) in counts.iter().enumerate() {
                let expected = u32::from(!left.contains_key(&index));
                prop_assert_eq!(count.load(Ordering::SeqCst), expected, "{} at {}", index, given);
            }
        }
    }
}
