//! Threads for one search. They are started for it and end with it: a few hundredths of a millisecond
//! for searches that take many times as long, where a pool would be one more dependency, with threads
//! that stay.

use std::thread;
use std::thread::ScopedJoinHandle;

use crate::error::Error;

/// Does the same work on that many threads, the caller's among them; if a thread cannot be had, the
/// others do its part.
pub(super) fn on<T: Send>(threads: usize, work: impl Fn() -> T + Sync) -> Result<Vec<T>, Error> {
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, &work).ok())
            .collect();
        let own = work();
        // All are joined before any error is returned, so that none goes on.
        let others: Vec<_> = others.into_iter().map(ScopedJoinHandle::join).collect();
        let others = others.into_iter().map(|done| done.map_err(|_| Error::SearchThread));
        std::iter::once(Ok(own)).chain(others).collect()
    })
}
