//! The REST secrets of the data folder, as they count now; what they are used for; and their end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::MissedTickBehavior;
use tracing::{error, info, warn};

use crate::app::clock;
use crate::creds::{SecretId, SharedSecret};
use crate::store::{Change, SecretRecord, SecretUse, Store, StoreError};
use crate::time::UnixTime;
use crate::turn::Event;

use super::reload;
use super::server::Server;

/// Between two writes of what one secret was used for.
const WRITE_EVERY: u64 = 60;
/// Between two looks whether a secret has ended. The check of a credential needs none to be exact.
const LOOK: Duration = Duration::from_secs(5);

/// The secrets, the one that mints first; shared by all who ask. Empty where there is no store.
#[derive(Clone, Debug, Default)]
pub struct Ring(Arc<ArcSwap<Vec<SecretRecord>>>);

impl Ring {
    /// These.
    pub(super) fn new(secrets: Vec<SecretRecord>) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(secrets)))
    }

    /// As the check of credentials wants them.
    pub(super) fn shared(&self) -> Vec<SharedSecret> {
        let records = self.0.load();
        let shared = records.iter().map(|record| SharedSecret {
            secret: record.secret.clone(),
            until: record.until.map(UnixTime),
        });
        shared.collect()
    }
}

/// Reads the secrets again after a change, and lets relay and API have them. Blocks.
pub(super) fn changed(server: &Server, store: &Store) {
    reload::configure(server, || match store.secrets().list() {
        Ok(secrets) => server.kept.ring.0.store(Arc::new(secrets)),
        Err(error) => error!(%error, "the secrets stay as they were"),
    });
}

/// What secrets were used for: counted here, and stored now and then.
#[derive(Debug)]
pub(super) struct Uses {
    store: Store,
    tallies: Mutex<BTreeMap<SecretId, Tally>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    what: SecretUse,
    /// When it was stored last.
    stored: u64,
    /// Whether there is anything new since.
    new: bool,
}

impl Uses {
    /// Goes on where the last run ended.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let tally = |(id, what)| (id, Tally { what, ..Tally::default() });
        let tallies = store.secrets().uses()?.into_iter().map(tally).collect();
        Ok(Self { store: store.clone(), tallies: Mutex::new(tallies) })
    }

    /// An allocation that opens is a use of its secret.
    pub(super) fn follow(&self, event: &Event) {
        let Event::AllocationOpened { secret: Some(secret), .. } = event else { return };
        let now = clock::unix().0;
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = tallies.entry(*secret).or_default();
        tally.what = SecretUse { last: now, count: tally.what.count.saturating_add(1) };
        tally.new = true;
        drop(tallies);
        drop(self.write_due(now));
    }

    /// Stores what has not been stored for a while.
    fn write_due(&self, now: u64) -> Option<Change<(), StoreError>> {
        self.write(now, |tally| tally.stored.saturating_add(WRITE_EVERY) <= now)
    }

    /// Stores everything. Blocks.
    pub(super) fn write_all(&self) {
        let written = self.write(clock::unix().0, |_| true).map(Change::wait);
        if let Some(Err(error)) = written {
            warn!(%error, "when secrets were last used could not be stored");
        }
    }

    fn write(&self, now: u64, due: impl Fn(&Tally) -> bool) -> Option<Change<(), StoreError>> {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let mut uses = Vec::new();
        for (id, tally) in tallies.iter_mut().filter(|(_, tally)| tally.new && due(tally)) {
            (tally.new, tally.stored) = (false, now);
            uses.push((*id, tally.what));
        }
        drop(tallies);
        (!uses.is_empty()).then(|| self.store.secrets().note(uses, now))
    }
}

/// Says in the log when a secret ends, forgets it some time later, and stores what secrets are used
/// for. Ends with the program.
pub(super) async fn watch(server: Arc<Server>, store: Store, uses: Arc<Uses>) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: BTreeSet<SecretId> = ended(&server, clock::unix().0).collect();
    loop {
        look.tick().await;
        let now = clock::unix().0;
        if let Some(change) = uses.write_due(now)
            && let Err(error) = change.await
        {
            warn!(%error, "when secrets were last used could not be stored");
        }
        for secret in ended(&server, now).filter(|id| told.insert(*id)) {
            info!(%secret, "a secret has ended: credentials made with it open nothing any more");
        }
        let ring = server.kept.ring.0.load_full();
        if ring.iter().any(|record| record.is_forgotten(now)) {
            forget(&server, &store, now).await;
        }
    }
}

fn ended(server: &Server, now: u64) -> impl Iterator<Item = SecretId> {
    let ring = server.kept.ring.0.load_full();
    let over = ring.iter().filter(|record| record.is_over(now));
    over.map(|record| record.secret.id()).collect::<Vec<_>>().into_iter()
}

async fn forget(server: &Arc<Server>, store: &Store, now: u64) {
    match store.secrets().sweep(now).await {
        Ok(gone) => gone.iter().for_each(|secret| info!(%secret, "an ended secret is forgotten")),
        Err(error) => return warn!(%error, "ended secrets could not be forgotten"),
    }
    let (server, store) = (Arc::clone(server), store.clone());
    let again = tokio::task::spawn_blocking(move || changed(&server, &store));
    if again.await.is_err() {
        warn!("the end of a secret ended in a bug; it is refused all the same");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creds::Secret;
    use crate::net::{ClientAddr, Flow, Transport};
    use crate::turn::AllocationId;

    fn opened() -> Event {
        let at = |port| ([192, 0, 2, 1], port).into();
        let flow = Flow { transport: Transport::Udp, local: at(1), remote: ClientAddr(at(2)) };
        let secret = Some(Secret::from("north").id());
        let (username, lifetime) = ("99:alice".into(), Duration::from_secs(600));
        let relayed = Vec::new();
        Event::AllocationOpened { id: AllocationId(1), flow, username, secret, relayed, lifetime }
    }

    /// What is on the disk; every change before this one is written first.
    fn stored(store: &Store) -> u64 {
        store.probe_writable().wait().expect("written");
        let uses = store.secrets().uses().expect("readable");
        uses.get(&Secret::from("north").id()).map_or(0, |what| what.count)
    }

    #[test]
    fn uses_are_written_once_a_minute_and_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let uses = Uses::load(&store).expect("loads");
        for _ in 0..3 {
            uses.follow(&opened());
        }
        assert_eq!(stored(&store), 1, "the first at once");
        drop(uses.write_due(clock::unix().0 + WRITE_EVERY - 5));
        assert_eq!(stored(&store), 1);
        drop(uses.write_due(clock::unix().0 + WRITE_EVERY));
        assert_eq!(stored(&store), 3, "the others a minute later");
        uses.follow(&opened());
        uses.write_all();
        assert_eq!(stored(&store), 4);
    }
}
