//! The one thread that changes the state: it runs what waits, flushes once, answers all.
//!
//! That is a group commit: however many requests arrive while a flush is under way, the next flush
//! carries all of them. With a single writer a job also needs no locks against other jobs. What was
//! noted in the journal goes along with it, or after [`GATHER`] by itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Change, StoreError, Trees};

/// Changes that may wait for the writer; more are refused with [`StoreError::Busy`].
const QUEUE: usize = 4096;
/// Changes that share one flush at most, so that the first of them need not wait for a flood.
const GROUP: usize = 512;
/// How long an event that was noted waits for others, so that they share a flush.
pub const GATHER: Duration = Duration::from_millis(250);
/// How long to wait before events are written again that could not be written.
const RETRY: Duration = Duration::from_secs(1);

/// Runs one change and gives back how to answer it once the flush is done (or failed).
type Job = Box<dyn FnOnce(&Trees) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

enum Work {
    Change(Job),
    /// The first event since the journal was written was noted.
    Noted,
}

pub(super) struct Writer {
    jobs: Option<SyncSender<Work>>,
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
        let boxed = Work::Change(Box::new(move |trees| {
            // A bug in one job must not end the thread every other change depends on.
            let outcome = catch_unwind(AssertUnwindSafe(|| job(trees)))
                .unwrap_or_else(|_| Err(StoreError::Failed("a change panicked".into()).into()));
            Box::new(move |flushed| {
                // The caller may be gone: its change stands all the same.
                let _ = answer.send(flushed.map_err(E::from).and(outcome));
            })
        }));
        let Some(jobs) = &self.jobs else { return Change::refused(StoreError::Closed.into()) };
        match jobs.try_send(boxed) {
            Ok(()) => Change::sent(answered),
            Err(TrySendError::Full(_)) => Change::refused(StoreError::Busy.into()),
            Err(TrySendError::Disconnected(_)) => Change::refused(StoreError::Closed.into()),
        }
    }

    /// Says that something was noted; never blocks.
    pub(super) fn wake(&self) {
        // When it is full the thread is at work, and writes the journal in each of its turns.
        let _ = self.jobs.as_ref().map(|jobs| jobs.try_send(Work::Noted));
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

fn run(trees: &Trees, waiting: &Receiver<Work>) {
    let mut due: Option<Instant> = None;
    let mut jobs = Vec::new();
    loop {
        let first = match due {
            None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => waiting.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        let over = match first {
            Ok(Work::Noted) => {
                due.get_or_insert_with(|| Instant::now() + GATHER);
                continue;
            }
            Ok(Work::Change(job)) => {
                jobs.push(job);
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        };
        jobs.extend(waiting.try_iter().take(GROUP - 1).filter_map(|work| match work {
            Work::Change(job) => Some(job),
            // It is written in this very turn.
            Work::Noted => None,
        }));
        due = turn(trees, &mut jobs).map(|pause| Instant::now() + pause);
        if over && due.is_none_or(|due| due > Instant::now()) {
            return;
        }
    }
}

/// Runs the jobs, writes the journal, flushes once, answers all. Gives back when to come again for
/// what is left of the journal.
fn turn(trees: &Trees, jobs: &mut Vec<Job>) -> Option<Duration> {
    // Before the jobs: whoever waits for a job finds what was noted before it.
    let written = catch_unwind(AssertUnwindSafe(|| trees.journal.write()))
        .unwrap_or_else(|_| Err(StoreError::Failed("writing events panicked".into())));
    let answers: Vec<Answer> = jobs.drain(..).map(|job| job(trees)).collect();
    let flushed = trees.db.flush().map(drop).map_err(StoreError::from);
    if let Err(error) = &flushed {
        tracing::error!(%error, changes = answers.len(), "flushing the state failed");
    }
    for answer in answers {
        answer(flushed.clone());
    }
    match written {
        Ok(more) => more.then_some(Duration::ZERO),
        Err(error) => {
            tracing::error!(%error, "events could not be written; they wait");
            Some(RETRY)
        }
    }
}
