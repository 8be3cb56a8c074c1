//! The tasks that deliver: one for each hook, and one that begins them anew when the settings change.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use serde::Deserialize;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use super::lanes::{LONGEST_PAUSE, Lane, Lanes, Turn, pause};
use super::post::{Letter, post, trust};
use super::{Counters, HookAddress, HookSettings, UnixClock, signature};
use crate::store::{HookId, Store, StoreError, second_of};

/// Deliveries to one hook at a time.
const AT_ONCE: usize = 8;
/// Bodies whose numbers are read from the store in one go.
const PAGE: usize = 1000;
/// Before the store is asked again after it failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Between two warnings about one hook.
const WARN_EVERY: Duration = Duration::from_secs(60);

type Settings = watch::Receiver<Option<Arc<HookSettings>>>;

/// Runs the hooks of each settings until the next, or until there are none.
pub(super) async fn supervise(
    store: Store,
    mut changes: Settings,
    counters: Arc<Counters>,
    clock: UnixClock,
) {
    loop {
        let Some(settings) = changes.borrow_and_update().clone() else { return };
        forget_others(&store, &settings).await;
        let trust = match settings.addresses.iter().any(|address| address.tls) {
            true => trust(),
            false => Err("no hook is over HTTPS".to_owned()),
        };
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut bells = Vec::new();
        for address in &settings.addresses {
            let bell = Arc::new(Notify::new());
            bells.push(Arc::clone(&bell));
            let hook = Hook {
                store: store.clone(),
                address: address.clone(),
                settings: Arc::clone(&settings),
                trust: trust.clone(),
                counters: Arc::clone(&counters),
                clock,
            };
            tasks.spawn(run(Arc::new(hook), bell, stopped.clone()));
        }
        // The store has one bell; every hook listens.
        let ring = async {
            loop {
                store.hooks().changed().await;
                bells.iter().for_each(|bell| bell.notify_one());
            }
        };
        tokio::select! {
            never = ring => match never {},
            gone = changes.changed() => if gone.is_err() { return },
        }
        stop.send_replace(true);
        while tasks.join_next().await.is_some() {}
    }
}

/// What waits for a hook that is no more is not delivered to anybody.
async fn forget_others(store: &Store, settings: &HookSettings) {
    let ids = settings.addresses.iter().map(HookAddress::id).collect();
    match store.hooks().keep_only(ids).await {
        Ok(0) => {}
        Ok(gone) => warn!(deliveries = gone, "deliveries to hooks that are no more were dropped"),
        Err(error) => warn!(%error, "deliveries to hooks that are no more could not be dropped"),
    }
}

/// One hook and all it needs.
struct Hook {
    store: Store,
    address: HookAddress,
    settings: Arc<HookSettings>,
    trust: Result<Arc<ClientConfig>, String>,
    counters: Arc<Counters>,
    clock: UnixClock,
}

enum Outcome {
    /// Answered with 2xx.
    Delivered,
    /// It does not wait any more: the queue was full and lost it.
    Gone,
    /// It failed and is too old to be tried again.
    GivenUp(String),
    /// It failed and is tried again after a pause.
    Again(String, Duration),
}

async fn run(hook: Arc<Hook>, bell: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
    let mut lanes = Lanes::default();
    let mut read_to = 0;
    let mut under_way = JoinSet::new();
    let mut voice = Voice::new(&hook);
    while !*stopped.borrow() {
        let read = hook.read_on(&mut lanes, &mut read_to);
        voice.on_losses(&hook);
        while under_way.len() < AT_ONCE
            && let Some(turn) = lanes.take(Instant::now())
        {
            let hook = Arc::clone(&hook);
            under_way.spawn(async move {
                let outcome = hook.deliver(&turn).await;
                (turn, outcome)
            });
        }
        let due = match read {
            Ok(()) => lanes.next_due().filter(|_| under_way.len() < AT_ONCE),
            Err(_) => Some(Instant::now() + STORE_PAUSE),
        };
        tokio::select! {
            () = bell.notified() => {}
            () = sleep_until(due) => {}
            _ = stopped.changed() => {}
            Some(ended) = under_way.join_next(), if !under_way.is_empty() => {
                // One that panicked is a bug; its lane rests until the next start.
                let Ok((turn, outcome)) = ended else { continue };
                voice.on(&hook, &turn, &outcome);
                match outcome {
                    Outcome::Again(_, pause) => lanes.failed(Instant::now(), &turn.lane, pause),
                    _ => lanes.done(Instant::now(), &turn.lane),
                }
            }
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

impl Hook {
    fn id(&self) -> HookId {
        self.address.id()
    }

    /// Takes what has come into the queue since the last look.
    fn read_on(&self, lanes: &mut Lanes, read_to: &mut u64) -> Result<(), StoreError> {
        let now = Instant::now();
        loop {
            let page = self.store.hooks().waiting(self.id(), *read_to, PAGE)?;
            let last = page.len() < PAGE;
            for queued in page {
                let lane = match queued.room {
                    Some(room) => Lane::Room(room.into()),
                    None => Lane::Alone(queued.id),
                };
                lanes.push(now, lane, queued.id);
                *read_to = queued.id;
            }
            if last {
                break;
            }
        }
        // The queue has a bound, and so has what is remembered of it.
        if lanes.len() as u64 > self.settings.max_queue + PAGE as u64 {
            let oldest = self.store.hooks().oldest(self.id())?;
            lanes.forget_before(now, oldest.unwrap_or(u64::MAX));
        }
        Ok(())
    }

    async fn deliver(&self, turn: &Turn) -> Outcome {
        let body = match self.store.hooks().body(self.id(), turn.id) {
            Ok(Some(body)) => body,
            Ok(None) => return Outcome::Gone,
            Err(error) => return Outcome::Again(error.to_string(), STORE_PAUSE),
        };
        let head = serde_json::from_str::<Head>(&body).unwrap_or_default();
        let letter = Letter {
            id: turn.id,
            kind: &head.kind,
            attempt: turn.failures + 1,
            signature: signature(&self.settings.secrets, (self.clock)(), &body),
            body,
        };
        let answer = post(&self.address, &self.trust, letter, self.settings.timeout).await;
        let (why, wished) = match answer {
            Ok(answer) if answer.status.is_success() => {
                self.counters.delivered.fetch_add(1, Ordering::Relaxed);
                self.remove(turn.id).await;
                return Outcome::Delivered;
            }
            Ok(answer) => (format!("status {}", answer.status.as_u16()), answer.retry_after),
            Err(why) => (why, None),
        };
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        let age = (self.clock)().0.saturating_sub(second_of(turn.id));
        if age >= self.settings.give_up_after.as_secs() {
            self.counters.given_up.fetch_add(1, Ordering::Relaxed);
            self.remove(turn.id).await;
            return Outcome::GivenUp(why);
        }
        let mut chance = [0; 2];
        // Without randomness all pauses are the longest: slower, and no worse.
        let _ = getrandom::fill(&mut chance);
        let wished = wished.unwrap_or_default().min(LONGEST_PAUSE);
        Outcome::Again(why, pause(turn.failures, u16::from_ne_bytes(chance)).max(wished))
    }

    /// Takes a body out of the queue. Where the disk refuses, it is delivered again after a restart.
    async fn remove(&self, id: u64) {
        while let Err(error) = self.store.hooks().remove(self.id(), id).await {
            debug!(%error, "a delivery could not be taken out of its queue");
            if error != StoreError::Busy {
                return;
            }
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }
}

#[derive(Default, Deserialize)]
struct Head {
    #[serde(rename = "type", default)]
    kind: String,
}

/// What the log is told about one hook: enough, and not each attempt.
struct Voice {
    fails: bool,
    warned: Option<Instant>,
    /// Since that was last said.
    given_up: u64,
    warned_of_giving_up: Option<Instant>,
    dropped: u64,
    warned_of_losses: Option<Instant>,
}

impl Voice {
    fn new(hook: &Hook) -> Self {
        let dropped = hook.store.hooks().dropped();
        Self {
            fails: false,
            warned: None,
            given_up: 0,
            warned_of_giving_up: None,
            dropped,
            warned_of_losses: None,
        }
    }

    fn on(&mut self, hook: &Hook, turn: &Turn, outcome: &Outcome) {
        let address = &hook.address;
        let (event, attempt) = (turn.id, turn.failures + 1);
        match outcome {
            Outcome::Delivered if std::mem::take(&mut self.fails) => {
                info!(hook = %address, "the hook takes deliveries again");
            }
            Outcome::Delivered | Outcome::Gone => {}
            Outcome::GivenUp(why) => {
                self.given_up += 1;
                if may_warn(&mut self.warned_of_giving_up) {
                    let deliveries = std::mem::take(&mut self.given_up);
                    warn!(hook = %address, deliveries, event, attempt, why, "deliveries to a hook were given up");
                }
            }
            Outcome::Again(why, pause) => {
                let pause_seconds = pause.as_secs();
                if may_warn(&mut self.warned) {
                    self.fails = true;
                    warn!(hook = %address, event, attempt, why, pause_seconds, "a delivery to a hook failed and is tried again");
                } else {
                    debug!(hook = %address, event, attempt, why, pause_seconds, "a delivery to a hook failed and is tried again");
                }
            }
        }
    }

    /// Says how many deliveries full queues have lost, over all hooks.
    fn on_losses(&mut self, hook: &Hook) {
        let dropped = hook.store.hooks().dropped();
        if dropped > self.dropped && may_warn(&mut self.warned_of_losses) {
            let deliveries = dropped - self.dropped;
            warn!(deliveries, "queues of hooks were full and lost their oldest (hooks.max_queue)");
            self.dropped = dropped;
        }
    }
}

fn may_warn(last: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let may = last.is_none_or(|last| now.duration_since(last) >= WARN_EVERY);
    if may {
        *last = Some(now);
    }
    may
}

#[cfg(test)]
mod tests {
    use std::io::{Result, Write};
    use std::sync::Mutex;

    use super::*;
    use crate::time::UnixTime;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            self.0.lock().expect("nobody panicked").write(bytes)
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    /// A receiver that is gone for good would fill the log with one line for each event there is.
    #[test]
    fn what_is_given_up_is_a_warning_a_minute_and_not_one_each() {
        let folder = tempfile::tempdir().expect("a folder");
        let hook = Hook {
            store: Store::open(folder.path()).expect("opens"),
            address: HookAddress::parse("http://[::1]:1/").expect("an URL"),
            settings: Arc::default(),
            trust: Err(String::new()),
            counters: Arc::default(),
            clock: || UnixTime(0),
        };
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(log, || {
            let mut voice = Voice::new(&hook);
            for id in 1..=100 {
                let turn = Turn { lane: Lane::Alone(id), id, failures: 9 };
                voice.on(&hook, &turn, &Outcome::GivenUp("status 500".into()));
            }
        });
        let text = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("text");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
