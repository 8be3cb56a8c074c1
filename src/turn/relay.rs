//! One shard of the relay: what it owns, and its doors.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::command::{Answer, Command, OpenId};
use super::counters::Counters;
use super::event::{EndReason, Event};
use super::limiter::Limiter;
use super::notice::Notice;
use super::pace::Round;
use super::peer::next_id;
use super::policy::Policy;
use super::random::Random;
use super::refusals::Refusals;
use super::response::Response;
use super::settings::Settings;
use super::shared::Shared;
use super::table::Table;
use super::tcp::Connections;
use super::timers::Timers;
use super::verdict::{DropReason, Route, Verdict};
use super::watched::Watched;
use crate::creds::Credentials;
use crate::net::Flow;
use crate::packet::Packet;
use crate::time::{Instant, Now};

/// Answers, and events of what others can cause at will, that wait for the driver, at most; it
/// empties both after every batch.
pub(super) const MAX_WAITING: usize = 1024;

/// What waits to be sent to a client.
#[derive(Debug)]
enum Waiting {
    Answer(Response),
    Notice(Notice),
}

/// One shard: the machine a thread drives.
#[derive(Debug)]
pub struct Relay {
    pub(super) settings: Arc<Settings>,
    pub(super) credentials: Arc<Credentials>,
    pub(super) policy: Policy,
    pub(super) shared: Arc<Shared>,
    pub(super) table: Table,
    pub(super) timers: Timers,
    /// Slots by the command they wait for.
    pub(super) openings: HashMap<OpenId, usize, FixedState>,
    pub(super) random: Random,
    pub(super) hasher: FixedState,
    pub(super) limiter: Limiter,
    pub(super) counters: Arc<Counters>,
    pub(super) next_open: u64,
    /// When the last reservation this shard made ends: something to wake for, even with no
    /// allocation left.
    pub(super) reserved_until: Option<Instant>,
    pub(super) next_indication: u64,
    commands: VecDeque<Command>,
    answers: VecDeque<(Flow, Waiting)>,
    events: VecDeque<Event>,
    pub(super) refusals: Refusals,
    pub(super) watched: Watched,
    pub(super) round: Round,
    pub(super) connections: Connections,
}

impl Relay {
    /// A shard with nothing open. `seed` is 32 fresh random bytes, different for every shard, and
    /// `shard` its number: 0 for the first.
    pub fn new(
        settings: Arc<Settings>,
        credentials: Arc<Credentials>,
        shared: Arc<Shared>,
        seed: [u8; 32],
        shard: u8,
    ) -> Self {
        shared.enter(shard);
        let counters: Arc<Counters> = Arc::default();
        let mut random = Random::new(seed);
        let hasher = FixedState::with_seed(u64::from_be_bytes(random.bytes()));
        Self {
            policy: Policy::new(&settings),
            table: Table::new(
                settings.relay_addresses.len(),
                settings.ports.clone(),
                hasher.clone(),
            ),
            timers: Timers::new(),
            openings: HashMap::with_hasher(hasher.clone()),
            limiter: Limiter::new(u64::from_be_bytes(random.bytes())),
            next_indication: u64::from_be_bytes(random.bytes()),
            connections: Connections::new(shard, hasher.clone(), Arc::clone(&counters)),
            counters,
            next_open: 0,
            reserved_until: None,
            commands: VecDeque::new(),
            answers: VecDeque::new(),
            events: VecDeque::new(),
            refusals: Refusals::default(),
            watched: Watched::new(hasher.clone()),
            round: Round::START,
            settings,
            credentials,
            shared,
            random,
            hasher,
        }
    }

    /// The shard's numbers, for other threads to read.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// From now on these settings and credentials. What is established keeps what it was given;
    /// relay addresses and the port range stay those of the start.
    pub fn configure(&mut self, settings: Arc<Settings>, credentials: Arc<Credentials>) {
        let mut settings = Arc::unwrap_or_clone(settings);
        settings.relay_addresses.clone_from(&self.settings.relay_addresses);
        settings.ports = self.settings.ports.clone();
        self.policy = Policy::new(&settings);
        self.settings = Arc::new(settings);
        self.credentials = credentials;
    }

    /// What became of a command.
    pub fn handle_answer(&mut self, now: Now, answer: Answer) {
        match answer {
            Answer::RelayOpened(id) => self.relay_opened(now, id),
            Answer::RelayFailed(id, failure) => self.relay_failed(now, id, failure),
            Answer::Connected(id) => self.connected(now, id),
            Answer::ConnectFailed(id) => self.connect_failed(id),
        }
    }

    /// Time has passed [`Self::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Now) {
        self.shared.reservations.expire(now.mono);
        self.reserved_until = self.reserved_until.filter(|until| now.mono < *until);
        while let Some(slot) = self.timers.pop(now.mono) {
            self.tend(now, slot);
        }
        self.read_paces(now);
    }

    /// Ends every allocation, so that each closes its ports and is reported.
    pub fn end_all(&mut self, now: Now, reason: EndReason) {
        for slot in self.table.slots() {
            self.end(now, slot, reason);
        }
    }

    /// The client's connection is gone, and what it had allocated with it (RFC 8656 section 5: an
    /// allocation over a stream lives no longer than the stream), or the connection to a peer that
    /// it was spliced to.
    pub fn handle_closed(&mut self, now: Now, flow: Flow) {
        match self.table.slot_of(&flow) {
            Some(slot) => self.end(now, slot, EndReason::Disconnected),
            None => self.unsplice(&flow),
        }
    }

    /// The next thing the driver must do.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// The next answer that had to wait, written into `packet`.
    pub fn poll_transmit(&mut self, packet: &mut Packet<'_>) -> Option<Route> {
        loop {
            let (flow, waiting) = self.answers.pop_front()?;
            let written = match waiting {
                Waiting::Answer(response) => response.write(&self.credentials, packet),
                Waiting::Notice(notice) => notice.write(next_id(&mut self.next_indication), packet),
            };
            match written {
                Some(()) => return Some(Route::Client(flow)),
                // Too small a buffer loses one answer, not those behind it.
                None => self.counters.dropped(DropReason::Overloaded),
            }
        }
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called next. O(1).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let reserved = self.reserved_until.filter(|_| !self.shared.reservations.is_empty());
        [self.timers.next(), reserved].into_iter().flatten().min()
    }

    /// Allocations of this shard, open or being opened.
    pub fn allocations(&self) -> usize {
        self.table.len()
    }

    /// Whether `flow` has an allocation, open or being opened.
    pub fn has_allocation(&self, flow: &Flow) -> bool {
        self.table.slot_of(flow).is_some()
    }

    pub(super) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    pub(super) fn drop_packet(&self, reason: DropReason) -> Verdict {
        self.counters.dropped(reason);
        Verdict::Drop(reason)
    }

    pub(super) fn command(&mut self, command: Command) {
        self.commands.push_back(command);
    }

    pub(super) fn answer_later(&mut self, flow: Flow, response: Response) {
        self.transmit_later(flow, Waiting::Answer(response));
    }

    pub(super) fn notify(&mut self, flow: Flow, notice: Notice) {
        self.transmit_later(flow, Waiting::Notice(notice));
    }

    fn transmit_later(&mut self, flow: Flow, waiting: Waiting) {
        match self.answers.len() < MAX_WAITING {
            true => self.answers.push_back((flow, waiting)),
            false => self.counters.dropped(DropReason::Overloaded),
        }
    }

    /// Tells how an allocation begins or ends. None is left out: usage is accounted for by these, and
    /// between two polls there are no more of them than packets and allocations.
    pub(super) fn record(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Tells what hostile packets can cause: left out when too much of it waits already.
    pub(super) fn report(&mut self, event: Event) {
        if self.events.len() < MAX_WAITING {
            self.events.push_back(event);
        }
    }
}
