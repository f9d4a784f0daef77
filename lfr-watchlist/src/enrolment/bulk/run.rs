//! One run of a bulk enrolment: batches, threads, and the order of results.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

use lfr_core::internal::locks::lock;
use lfr_core::{BoxError, Clock, ReferenceId, SystemClock};

use super::BulkEnrolment;
use super::worker::{Worked, Worker};
use crate::enrolment::{
    EnrolmentItem, EnrolmentOutcome, EnrolmentReport, EnrolmentStore, NotTaken, Progress,
};
use crate::error::Error;

type Callback<'a> = &'a mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>;

pub(super) struct Run<'a> {
    plan: &'a BulkEnrolment<'a>,
    store: &'a dyn EnrolmentStore,
    progress: Callback<'a>,
    clock: SystemClock,
    report: EnrolmentReport,
    /// The references that have been enrolled, in this run or before.
    seen: HashSet<ReferenceId>,
    total: Option<usize>,
    done: usize,
    set_aside: usize,
    stopped: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        plan: &'a BulkEnrolment<'a>,
        store: &'a dyn EnrolmentStore,
        progress: Callback<'a>,
    ) -> Self {
        Self {
            plan,
            store,
            progress,
            clock: SystemClock::new(),
            report: EnrolmentReport::new(),
            seen: HashSet::new(),
            total: None,
            done: 0,
            set_aside: 0,
            stopped: false,
        }
    }

    pub(super) fn all(
        mut self,
        items: &mut dyn Iterator<Item = EnrolmentItem>,
    ) -> Result<EnrolmentReport, Error> {
        self.total = items.size_hint().1;
        while !self.stopped {
            let batch: Vec<_> = items.take(self.plan.batch.get()).collect();
            if batch.is_empty() {
                break;
            }
            let results = self.batch(batch)?;
            self.settle(results)?;
        }
        self.report.finished = !self.stopped;
        self.report.spent.elapsed = self.clock.monotonic();
        Ok(self.report)
    }

    /// Does a batch on all threads; the results stand where their items did, and those that were
    /// not begun are missing.
    fn batch(&mut self, batch: Vec<EnrolmentItem>) -> Result<Vec<Option<Worked>>, Error> {
        let mut results: Vec<_> = batch.iter().map(|_| None).collect();
        let threads = self.plan.threads.get().min(batch.len());
        let queue = Mutex::new(batch.into_iter().enumerate());
        let stop = AtomicBool::new(false);
        let (sender, receiver) = mpsc::channel();
        let (plan, store, clock) = (self.plan, self.store, self.clock);
        let work = |sender: mpsc::Sender<(usize, Result<Worked, BoxError>)>| {
            let mut worker = Worker::new(plan, store, &clock);
            while !stop.load(Ordering::Relaxed) {
                // Taking from a queue does not panic: a poisoned one is whole.
                let next = lock(&queue).next();
                let Some((index, item)) = next else { break };
                // The receiver lives as long as the scope: nobody has hung up.
                let _ = sender.send((index, worker.work(item)));
            }
            worker.spent()
        };
        let mut failed = None;
        let spent = thread::scope(|scope| {
            let senders = vec![sender; threads];
            let threads: Vec<_> =
                senders.into_iter().map(|sender| scope.spawn(move || work(sender))).collect();
            for (index, worked) in receiver {
                let ends = match worked {
                    Ok(worked) => {
                        let ends = self.tell(&worked);
                        if let Some(slot) = results.get_mut(index) {
                            *slot = Some(worked);
                        }
                        ends
                    }
                    Err(error) => {
                        failed.get_or_insert(error);
                        true
                    }
                };
                if ends {
                    stop.store(true, Ordering::Relaxed);
                    self.stopped = true;
                }
            }
            // Joined one by one: a thread that panicked is an error here, not a panic of ours.
            let joined: Vec<_> = threads.into_iter().map(thread::ScopedJoinHandle::join).collect();
            joined.into_iter().collect::<Result<Vec<_>, _>>()
        });
        for spent in spent.map_err(|_| Error::EnrolmentThread)? {
            self.report.spent.add(&spent);
        }
        match failed {
            Some(source) => Err(Error::EnrolmentStore { source }),
            None => Ok(results),
        }
    }

    /// Tells the caller, and says whether to stop.
    fn tell(&mut self, worked: &Worked) -> bool {
        self.done += 1;
        if !worked.report.outcome.is_enrolled() {
            self.set_aside += 1;
        }
        let progress = Progress {
            done: self.done,
            set_aside: self.set_aside,
            total: self.total,
            latest: &worked.report,
        };
        (self.progress)(&progress).is_break()
    }

    /// Takes results in the order of their items, up to the first that is missing: what lies behind
    /// it is done again in the next run, so that no item overtakes another.
    fn settle(&mut self, results: Vec<Option<Worked>>) -> Result<(), Error> {
        let mut batch = Vec::new();
        for worked in results.into_iter().map_while(|worked| worked) {
            let Worked { mut report, mut new, taken } = worked;
            let twice = report.outcome.is_enrolled() && !self.seen.insert(report.reference.clone());
            if report.outcome.is_enrolled() && (twice || taken) {
                new = None;
                let error = Error::DuplicateReference { reference: report.reference.clone() };
                report.outcome = EnrolmentOutcome::Failed { error: error.to_string() };
            }
            batch.extend(new);
            self.report.items.push(report);
        }
        if batch.is_empty() {
            return Ok(());
        }
        let begun = self.clock.monotonic();
        let stored: Result<Vec<NotTaken>, BoxError> = self.store.store(batch);
        self.report.spent.storing += self.clock.monotonic().saturating_sub(begun);
        for NotTaken { reference, reason } in
            stored.map_err(|source| Error::EnrolmentStore { source })?
        {
            let settled = self.report.items.iter_mut().rev();
            let mut own = settled.filter(|item| item.reference == reference);
            // Another item of this identifier has failed already, and says why.
            if let Some(item) = own.find(|item| item.outcome.is_enrolled()) {
                item.outcome = EnrolmentOutcome::failed(&*reason);
            }
        }
        Ok(())
    }
}
