//! One shard: a machine, its sockets, and the loop that drives them.
//!
//! A turn of the loop takes at most one batch from every socket that is ready, so that one heavy
//! flow cannot starve the others, and then sends what has come together. The machine's slow side
//! (commands, answers, events) is drained after every batch.

mod icmp;
mod lanes;
mod questions;
mod receive;
mod settle;
mod splice;
mod streams;
mod tcp;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) use receive::fill;

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crate::time::Now;
use crate::turn::{EndReason, Event, Relay, Shared};

use super::batch::{Chain, Outgoing};
use super::buffers::{Buffers, MAX_DATAGRAM};
use super::clock::Clock;
use super::control::{Control, Orders};
use super::listener::Listener;
use super::socket::BATCH;
use super::sockets::RelaySockets;
use super::stream::{Census, Connections, Outbox};
use super::sys::{Epoll, ReceiveBatch};
use super::tcp::{Peers, TcpRelays};
use super::token::Token;

/// Answers that can wait to be sent together, beside the packets of a batch.
const ANSWERS: usize = 16;

/// Letters that are brought together before they are sent: eight whole trains.
const LETTERS: usize = 512;

/// The most ready sockets one turn looks at; the rest comes in the next.
const READY: usize = 256;

/// Later than any socket's memory of turns that never were.
const FIRST_TURN: u64 = 1 << 8;

/// What a shard is given, and what is left of it when it has to start anew.
pub(super) struct Seat {
    /// One socket for each address; their ports are shared with the other shards, and closing one
    /// would send other shards' clients elsewhere: they outlive the machine.
    pub(super) listeners: Vec<Listener>,
    /// The mailbox.
    pub(super) control: Arc<Control>,
    /// The mailboxes of all shards, this one's among them at `index`.
    pub(super) shards: Arc<[Arc<Control>]>,
    /// Which shard this is.
    pub(super) index: usize,
    /// How many connections there are and may be.
    pub(super) census: Arc<Census>,
    /// Whether datagrams travel in trains.
    pub(super) trains: Trains,
    /// What shards share.
    pub(super) shared: Arc<Shared>,
    /// Where events go.
    pub(super) events: SyncSender<Event>,
    /// The clocks.
    pub(super) clock: Clock,
}

/// Whether datagrams of one size travel between us and the kernel as trains, each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trains {
    /// `UDP_GRO`.
    pub receive: bool,
    /// `UDP_SEGMENT`; left off by itself once the kernel or a network card refuses one.
    pub send: bool,
}

impl Default for Trains {
    fn default() -> Self {
        Self { receive: true, send: true }
    }
}

/// One shard at work.
pub(super) struct Shard<'a> {
    /// Before `relay`, so that a shard that ends closes its ports before it gives them back.
    sockets: RelaySockets,
    tcp_relays: TcpRelays,
    peers: Peers,
    streams: Connections,
    relay: Relay,
    seat: &'a mut Seat,
    orders: Arc<Orders>,
    now: Now,
    /// Counts the turns of the loop.
    turn: u64,
    epoll: Epoll,
    buffers: Buffers,
    /// Receive slots and answer slots whose bytes wait to be sent.
    used: usize,
    answers: usize,
    /// Fronts of trains' datagrams that wait with them.
    fronts: usize,
    inbox: ReceiveBatch,
    outgoing: Outgoing,
    outbox: Outbox,
    /// The sockets that something waits for.
    targets: Vec<Target>,
    /// Who fills the listeners' queues.
    crowd: lanes::Crowd,
}

/// A socket to send from.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// The listener at this index.
    Listener(usize),
    /// The relay socket in this slot.
    Relay(u32),
}

impl<'a> Shard<'a> {
    /// A shard with a fresh machine. `seed` is 32 fresh random bytes.
    pub(super) fn open(seat: &'a mut Seat, seed: [u8; 32]) -> io::Result<Self> {
        let epoll = Epoll::new(READY)?;
        epoll.add(seat.control.waker.as_fd(), Token::Wake.pack())?;
        for (index, listener) in seat.listeners.iter_mut().enumerate() {
            // What a machine before this one left behind is gone with its buffers.
            listener.socket.pending = Chain::EMPTY;
            if seat.trains.receive {
                listener.socket.receive_trains();
            }
            epoll.add(listener.socket.as_fd(), Token::Listener(index as u16).pack())?;
        }
        let orders = seat.control.orders();
        let mut table_seed = [0; 8];
        getrandom::fill(&mut table_seed).map_err(|error| io::Error::other(error.to_string()))?;
        let table_seed = u64::from_ne_bytes(table_seed);
        let relay = Relay::new(
            Arc::clone(&orders.settings),
            Arc::clone(&orders.credentials),
            Arc::clone(&seat.shared),
            seed,
            seat.index as u8,
        );
        seat.control.count_anew(relay.counters());
        // A ring that the last machine heard but did not answer must not be lost.
        seat.control.waker.wake();
        Ok(Self {
            relay,
            orders,
            now: seat.clock.now(),
            turn: FIRST_TURN,
            epoll,
            sockets: RelaySockets::default(),
            tcp_relays: TcpRelays::new(table_seed),
            peers: Peers::new(table_seed),
            streams: Connections::new(table_seed),
            // One more than a batch: for the request that fits no answer's slot.
            buffers: Buffers::new(BATCH + 1, MAX_DATAGRAM, ANSWERS, LETTERS),
            used: 0,
            answers: 0,
            fronts: 0,
            inbox: ReceiveBatch::new(BATCH),
            outgoing: Outgoing::new(LETTERS, seat.trains.send),
            outbox: Outbox::default(),
            targets: Vec::with_capacity(LETTERS),
            crowd: lanes::Crowd::default(),
            seat,
        })
    }

    /// Works until it is told to stop.
    ///
    /// # Panics
    /// When `epoll` itself fails, which takes a bug: the supervisor starts the shard anew.
    pub(super) fn run(&mut self) {
        loop {
            let ready = self.epoll.wait(self.patience()).expect("epoll over our own sockets");
            self.now = self.seat.clock.now();
            self.turn += 1;
            let mut woken = false;
            for index in 0..ready {
                match Token::unpack(self.epoll.token(index)) {
                    Token::Wake => woken = true,
                    Token::Listener(index) => drop(self.read_listener(usize::from(index))),
                    Token::Relay { slot, life } => {
                        if self.epoll.has_error(index) {
                            self.read_icmp(slot, life);
                        }
                        // Also where only an error is pending: reading clears it.
                        self.read_relay(slot, life);
                    }
                    Token::Stream { slot, life } => {
                        self.serve_stream(slot, life, self.epoll.readiness(index));
                    }
                    Token::TcpRelay { slot, life } => self.accept_peers(slot, life),
                    Token::Peer { slot, life } => {
                        self.serve_peer(slot, life, self.epoll.readiness(index));
                    }
                }
            }
            if self.relay.poll_timeout().is_some_and(|at| at <= self.now.mono) {
                self.relay.handle_timeout(self.now);
                self.settle();
            }
            self.tend_streams();
            self.tend_tcp();
            self.flush();
            if woken && self.obey() == Obeyed::Stopped {
                return;
            }
            self.bury();
        }
    }

    /// How long to wait for a packet: until the machine's next timer, or one of our own.
    fn patience(&self) -> Option<Duration> {
        let machine = self.relay.poll_timeout();
        let own = [self.streams.next_due(), self.peers.next_due(), self.tcp_relays.next_rested()];
        let next = own.into_iter().chain([machine]).flatten().min();
        next.map(|at| at.since(self.now.mono))
    }

    /// Reads the mailbox.
    fn obey(&mut self) -> Obeyed {
        let control = Arc::clone(&self.seat.control);
        control.waker.clear();
        #[cfg(test)]
        if control.fail.swap(false, std::sync::atomic::Ordering::SeqCst) {
            panic!("a test asked for this");
        }
        let orders = control.orders();
        if !Arc::ptr_eq(&orders, &self.orders) {
            let (settings, credentials) = (&orders.settings, &orders.credentials);
            self.relay.configure(Arc::clone(settings), Arc::clone(credentials));
            self.orders = orders;
            self.settle();
            self.flush();
        }
        let Some(deadline) = control.stopping() else {
            self.welcome(control.mailbox.take());
            self.flush();
            self.answer_a_question();
            return Obeyed::Running;
        };
        control.mailbox.close();
        control.questions.close();
        self.relay.end_all(self.now, EndReason::Shutdown);
        self.carry_out_commands();
        self.send_answers();
        self.report_events_until(deadline);
        self.flush();
        for listener in &mut self.seat.listeners {
            listener.socket.note_last_drops(&control.stats.kernel_drops);
        }
        Obeyed::Stopped
    }
}

/// What the mailbox said.
#[derive(PartialEq, Eq)]
enum Obeyed {
    /// Go on.
    Running,
    /// All is ended.
    Stopped,
}
