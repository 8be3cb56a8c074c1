//! One shard of the relay: its doors.

use std::sync::Arc;

use crate::creds::Credentials;
use crate::net::{Flow, PeerAddr, RelayPort};
use crate::packet::Packet;
use crate::time::{Instant, Now};

use super::{
    Answer, Command, Counters, DropReason, EndReason, Event, Route, Settings, Shared, Verdict,
};

/// One shard: the machine a thread drives.
#[derive(Debug)]
pub struct Relay {
    counters: Arc<Counters>,
}

impl Relay {
    /// A shard with nothing open. `seed` is 32 fresh random bytes, different for every shard.
    pub fn new(
        _settings: Arc<Settings>,
        _credentials: Arc<Credentials>,
        _shared: Arc<Shared>,
        _seed: [u8; 32],
    ) -> Self {
        Self { counters: Arc::default() }
    }

    /// The shard's numbers, for other threads to read.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// From now on these settings and credentials. What is established keeps what it was given.
    pub fn configure(&mut self, _settings: Arc<Settings>, _credentials: Arc<Credentials>) {}

    /// A packet from a client.
    pub fn handle_client(&mut self, _now: Now, _flow: Flow, _packet: &mut Packet<'_>) -> Verdict {
        Verdict::Drop(DropReason::Unexpected)
    }

    /// A packet that arrived on a relay socket.
    pub fn handle_peer(
        &mut self,
        _now: Now,
        _port: RelayPort,
        _from: PeerAddr,
        _packet: &mut Packet<'_>,
    ) -> Verdict {
        Verdict::Drop(DropReason::Unexpected)
    }

    /// What became of a command.
    pub fn handle_answer(&mut self, _now: Now, _answer: Answer) {}

    /// Time has passed [`Self::poll_timeout`].
    pub fn handle_timeout(&mut self, _now: Now) {}

    /// Ends every allocation, so that each closes its ports and is reported.
    pub fn end_all(&mut self, _now: Now, _reason: EndReason) {}

    /// The next thing the driver must do.
    pub fn poll_command(&mut self) -> Option<Command> {
        None
    }

    /// The next answer that had to wait, written into `packet`.
    pub fn poll_transmit(&mut self, _packet: &mut Packet<'_>) -> Option<Route> {
        None
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// When [`Self::handle_timeout`] wants to be called next. O(1).
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
