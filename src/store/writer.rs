//! The one thread that changes the state: it runs what waits, flushes once, answers all.
//!
//! That is a group commit: however many requests arrive while a flush is under way, the next flush
//! carries all of them. With a single writer a job also needs no locks against other jobs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::{Change, StoreError, Trees};

/// Changes that may wait for the writer; more are refused with [`StoreError::Busy`].
const QUEUE: usize = 4096;
/// Changes that share one flush at most, so that the first of them need not wait for a flood.
const GROUP: usize = 512;

/// Runs one change and gives back how to answer it once the flush is done (or failed).
type Job = Box<dyn FnOnce(&Trees) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

pub(super) struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `lock` is held as long as the thread lives.
    pub(super) fn start(trees: Trees, lock: std::fs::File) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || {
            run(&trees, &waiting);
            drop(trees);
            drop(lock);
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Queues `job`; never blocks.
    pub(super) fn submit<T, E>(
        &self,
        job: impl FnOnce(&Trees) -> Result<T, E> + Send + 'static,
    ) -> Change<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let boxed: Job = Box::new(move |trees| {
            // A bug in one job must not end the thread every other change depends on.
            let outcome = catch_unwind(AssertUnwindSafe(|| job(trees)))
                .unwrap_or_else(|_| Err(StoreError::Failed("a change panicked".into()).into()));
            Box::new(move |flushed| {
                // The caller may be gone: its change stands all the same.
                let _ = answer.send(flushed.map_err(E::from).and(outcome));
            })
        });
        let Some(jobs) = &self.jobs else { return Change::refused(StoreError::Closed.into()) };
        match jobs.try_send(boxed) {
            Ok(()) => Change::sent(answered),
            Err(TrySendError::Full(_)) => Change::refused(StoreError::Busy.into()),
            Err(TrySendError::Disconnected(_)) => Change::refused(StoreError::Closed.into()),
        }
    }
}

impl Drop for Writer {
    /// What waits is still written, then the thread ends and the folder is free for others.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(trees: &Trees, waiting: &Receiver<Job>) {
    let mut answers = Vec::new();
    while let Ok(first) = waiting.recv() {
        answers.push(first(trees));
        answers.extend(waiting.try_iter().take(GROUP - 1).map(|job| job(trees)));
        let flushed = trees.db.flush().map(drop).map_err(StoreError::from);
        if let Err(error) = &flushed {
            tracing::error!(%error, changes = answers.len(), "flushing the state failed");
        }
        for answer in answers.drain(..) {
            answer(flushed.clone());
        }
    }
}
