//! Something in the place of a relay: it has the allocations it was given.

use std::sync::Mutex;
use std::time::Duration;

use relayhouse::api::{RelayDoor, RelayStats};
use relayhouse::net::{ClientAddr, Flow, Transport};
use relayhouse::turn::{AllocationId, AllocationView, Counters, Listing, Snapshot};

#[derive(Default)]
pub struct Relay {
    pub allocations: Mutex<Vec<AllocationView>>,
    pub watched: Mutex<Vec<String>>,
    /// Why it does not answer.
    pub silent: Mutex<Option<&'static str>>,
}

impl Relay {
    /// Opens one for `user`.
    pub fn open(&self, id: u64, user: &str) {
        let address = |text: &str| text.parse().expect("an address");
        self.allocations.lock().unwrap().push(AllocationView {
            id: AllocationId(id),
            flow: Flow {
                transport: Transport::Tls,
                local: address("192.0.2.1:443"),
                remote: ClientAddr(address("[2001:db8::7]:4000")),
            },
            user: user.into(),
            username: format!("1800000000:{user}").into(),
            relayed: vec![address("192.0.2.1:50000")],
            age: Duration::from_millis(61_900),
            expires_in: Duration::from_secs(540),
            permissions: 2,
            channels: 1,
            bytes_up: 1000,
            bytes_down: 2000,
            packets_up: 10,
            packets_down: 20,
            rate_up: 100,
            rate_down: 200,
        });
    }

    fn answers(&self) -> Result<(), String> {
        self.silent.lock().unwrap().map_or(Ok(()), |why| Err(why.to_owned()))
    }
}

impl RelayDoor for Relay {
    fn list(
        &self,
        after: AllocationId,
        user: Option<&str>,
        limit: usize,
    ) -> Result<Listing, String> {
        self.answers()?;
        let allocations = self.allocations.lock().unwrap();
        let wanted = allocations.iter().filter(|one| one.id > after);
        let mut wanted: Vec<_> =
            wanted.filter(|one| user.is_none_or(|user| *one.user == *user)).cloned().collect();
        let is_more = wanted.len() > limit;
        wanted.truncate(limit);
        let more_after = wanted.last().map(|last| last.id).filter(|_| is_more);
        Ok(Listing { allocations: wanted, more_after })
    }

    fn end(&self, id: AllocationId) -> Result<bool, String> {
        self.answers()?;
        let mut allocations = self.allocations.lock().unwrap();
        let before = allocations.len();
        allocations.retain(|one| one.id != id);
        Ok(allocations.len() < before)
    }

    fn watch(&self, username: &str, _: Duration) -> Result<(), String> {
        self.answers()?;
        self.watched.lock().unwrap().push(username.to_owned());
        Ok(())
    }

    fn stats(&self) -> RelayStats {
        let allocations = self.allocations.lock().unwrap().len() as u64;
        let machines = Snapshot { allocations, ..Counters::default().snapshot() };
        RelayStats { machines, workers: 2, ..RelayStats::default() }
    }
}
