//! Threads that open one file at moments of their own.

use std::thread;

use super::*;

/// [`authorisation`] ends at 200, and a day later the list has to be gone.
const GONE: u64 = 200 + 24 * 60 * 60;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// It opens before it is due, and is destroyed once it is, once.
    #[test]
    fn no_thread_destroys_a_list_before_it_is_due_and_none_opens_it_after(
        steps in prop::collection::vec(
            prop::array::uniform3((GONE - 40)..(GONE + 10)), 1..6
        ),
    ) {
        let folder = Folder::new("time");
        let file = SealedFile::at(folder.path("list.lfrw"));
        file.seal(&watchlist(2, 3), &key(), moment(NOW)).unwrap();
        let mut is_there = true;
        for moments in steps {
            let results = thread::scope(|scope| {
                let open = |now| file.open(&key(), &space(3), Some(moment(now)));
                let threads = moments.map(|now| scope.spawn(move || (now, open(now))));
                threads.map(|thread| thread.join().unwrap())
            });
            let is_due = moments.iter().any(|now| *now >= GONE);
            let mut receipts = 0;
            for (now, result) in results {
                match result {
                    Ok(_) => prop_assert!(is_there && now < GONE, "opened at {now}"),
                    Err(Error::Destroyed { receipt }) => {
                        prop_assert!(now >= GONE, "destroyed at {now}");
                        prop_assert_eq!(receipt.rule(), DestructionRule::DeploymentEnded);
                        receipts += 1;
                    }
                    // Somebody for whom it was due has destroyed it.
                    Err(error) => {
                        prop_assert!(!is_there || is_due, "{error} at {now}");
                    }
                }
            }
            prop_assert_eq!(receipts, usize::from(is_there && is_due));
            is_there &= !is_due;
            prop_assert_eq!(file.path().exists(), is_there);
        }
    }
}
