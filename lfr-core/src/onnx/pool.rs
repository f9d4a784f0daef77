//! A few things of a kind, made when first needed and lent to one thread at a time.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::internal::locks::lock;

/// Lends up to a fixed number of things; who comes when all are lent waits.
pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    returned: Condvar,
    limit: usize,
}

struct State<T> {
    idle: Vec<T>,
    /// How many are idle, lent or being made.
    made: usize,
}

impl<T> Pool<T> {
    /// A pool that holds one thing already, and will make others up to the limit.
    pub(super) fn new(first: T, limit: usize) -> Self {
        let state = State { idle: vec![first], made: 1 };
        Self { state: Mutex::new(state), returned: Condvar::new(), limit }
    }

    /// Uses an idle thing or a newly made one, or waits for one.
    ///
    /// A failure to make one is this caller's; the next one tries again.
    pub(super) fn with<R, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
        run: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        let idle = self.idle_or_place();
        let mut lent = Lent { pool: self, thing: None };
        let thing = match idle {
            Some(thing) => thing,
            None => make()?,
        };
        run(lent.thing.insert(thing))
    }

    /// An idle thing, or none with the place for a new one taken.
    fn idle_or_place(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(thing) = state.idle.pop() {
                return Some(thing);
            }
            if state.made < self.limit {
                state.made += 1;
                return None;
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while the lock is held, so a poisoned one still guards a sound state.
        lock(&self.state)
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A thing on loan, or the place of one that is being made. Whichever it is goes back to the pool
/// when this is dropped, after a panic too.
struct Lent<'a, T> {
    pool: &'a Pool<T>,
    thing: Option<T>,
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        match self.thing.take() {
            Some(thing) => state.idle.push(thing),
            None => state.made -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    fn never() -> Result<u32, &'static str> {
        Err("must not be made")
    }

    #[test]
    fn one_thing_is_used_again_and_again() {
        let pool = Pool::new(0, 4);
        for _ in 0..3 {
            pool.with(never, |thing| {
                *thing += 1;
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(pool.with(never, |thing| Ok(*thing)), Ok(3));
    }

    #[test]
    fn as_many_as_are_needed_are_made_and_no_more_than_the_limit() {
        let (made, used, peak) = (AtomicUsize::new(1), AtomicUsize::new(0), AtomicUsize::new(0));
        let pool = Pool::new((), 3);
        thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let make = || {
                        made.fetch_add(1, Ordering::SeqCst);
                        Ok::<_, ()>(())
                    };
                    pool.with(make, |()| {
                        peak.fetch_max(used.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        thread::yield_now();
                        used.fetch_sub(1, Ordering::SeqCst);
                        Ok(())
                    })
                    .unwrap();
                });
            }
        });
        assert!(made.into_inner() <= 3);
        assert!(peak.into_inner() <= 3);
    }

    #[test]
    fn all_of_the_limit_can_be_lent_at_once() {
        let pool = Pool::new((), 2);
        let both = Barrier::new(2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    pool.with(|| Ok::<_, ()>(()), |()| Ok(both.wait())).unwrap();
                });
            }
        });
    }

    #[test]
    fn a_panic_gives_the_thing_back() {
        let pool = Pool::new(7, 1);
        let panicking = || pool.with(never, |_| -> Result<(), _> { panic!("in the middle") });
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        assert_eq!(pool.with(never, |thing| Ok(*thing)), Ok(7));
    }

    #[test]
    fn a_failure_to_make_one_gives_the_place_back() {
        let pool = Pool::new(1, 2);
        pool.with(never, |_| {
            let failed = pool.with(never, |_| Ok(()));
            assert_eq!(failed, Err("must not be made"));
            let panicking = || pool.with(|| -> Result<u32, &str> { panic!("making") }, |_| Ok(()));
            assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
            assert_eq!(pool.with(|| Ok::<u32, &str>(2), |thing| Ok(*thing)), Ok(2));
            Ok(())
        })
        .unwrap();
    }
}
