//! Clients over TCP and TLS: from their sockets to the machine and back.

use std::ops::Range;
use std::os::fd::AsFd;
use std::time::Duration;

use crate::net::Flow;
use crate::packet::{HEADROOM, MIN_BUFFER, Packet};
use crate::stun::frame::{self, Frame};
use crate::stun::{Kind, kind};
use crate::turn::Verdict;

use super::super::content::Content;
use super::super::socket::BATCH;
use super::super::stats::add;
use super::super::stream::{Arrival, Cargo, Connection, Ended};
use super::super::sys::Readiness;
use super::super::token::Token;
use super::{ANSWERS, Shard};

/// A client's first message has to be there after this long.
const GREETING: Duration = Duration::from_secs(10);

/// Slots one look at a connection may fill: the beginning of the longest message and a read behind
/// it take two, what TLS decrypts one more.
const SLOTS: usize = 3;

/// Who has no allocation has no use for longer messages: every request there is fits.
const LONGEST_UNPROVEN: usize = 8 << 10;

/// The most bytes one look at a connection takes off its socket; of who has no allocation as many as
/// one message may have. Each request there costs hashing, and would come by the thousand.
const LARGEST_READ: usize = 64 << 10;

/// The type of a Data indication (RFC 8656 section 11.3).
const DATA_INDICATION: [u8; 2] = [0x00, 0x17];

impl Shard<'_> {
    /// Takes in the connections that were handed to this shard.
    pub(super) fn welcome(&mut self, arrivals: Vec<Arrival>) {
        for arrival in arrivals {
            let connection = match arrival {
                Arrival::New(stream, place) => Connection::new(stream, place, self.now.mono),
                Arrival::Moved(connection) => *connection,
            };
            // The kernel knows no two connections of one five-tuple. Where a proxy names the
            // client, the older one is a leftover.
            if let Some(older) = self.streams.slot_of(&connection.flow) {
                self.end_stream(older, Ended::Replaced);
            }
            let (slot, life) = self.streams.vacancy();
            let token = Token::Stream { slot, life }.pack();
            if self.epoll.add(connection.as_fd(), token).is_err() {
                continue;
            }
            self.streams.insert(connection);
            self.streams.look_again(self.now.mono, slot, self.first_look());
            // What has not been written where it came from is tried again here.
            self.call(slot);
            // What it brought along, and then what its TLS session holds, which no socket tells.
            self.read_stream(slot, life);
            self.read_stream(slot, life);
        }
        self.settle();
    }

    fn first_look(&self) -> Duration {
        GREETING.min(self.seat.census.limits().idle)
    }

    /// A connection is ready.
    pub(super) fn serve_stream(&mut self, slot: u32, life: u32, ready: Readiness) {
        if ready.write
            && let Some(connection) = self.streams.alive(slot, life)
        {
            connection.unblock();
            self.call(slot);
        }
        if ready.read {
            self.read_stream(slot, life);
        } else if ready.gone && self.streams.alive(slot, life).is_some() {
            self.streams.doom(slot, Ended::Lost);
        }
    }

    /// One batch from a client.
    fn read_stream(&mut self, slot: u32, life: u32) {
        self.make_room(SLOTS);
        let first = self.used;
        let span = self.buffers.span(first, SLOTS);
        let (plain, cipher) = span.split_at_mut(span.len() / SLOTS * (SLOTS - 1));
        let alive = self.streams.alive(slot, life);
        let Some(connection) = alive.filter(|connection| !connection.is_doomed()) else { return };
        let flow = connection.flow;
        let proven = connection.spliced.is_some() || self.relay.has_allocation(&flow);
        let most = if proven { LARGEST_READ } else { LONGEST_UNPROVEN };
        let received = connection.receive(plain, cipher, most);
        if flow.transport == crate::net::Transport::Tls {
            // Reading may bring forth something to send: an alert, a key update.
            self.call(slot);
        }
        let mut ended = received.ended;
        if received.len > 0 {
            let start = self.buffers.start(first);
            let bytes = start..start + received.len;
            if let Err(reason) = self.take(slot, life, flow, bytes) {
                ended = Some(reason);
            }
            let filled = first + self.buffers.slots(received.len);
            let waiting = !self.outgoing.is_empty() || !self.outbox.is_empty();
            self.used = if waiting { filled } else { 0 };
            self.settle();
        }
        if let Some(ended) = ended {
            self.stream_ended(slot, life, ended);
        }
    }

    /// Nothing more comes from a client. What it sent to a peer still goes there.
    fn stream_ended(&mut self, slot: u32, life: u32, ended: Ended) {
        let Some(connection) = self.streams.alive(slot, life) else { return };
        match connection.spliced {
            Some(peer) if ended != Ended::Broken => {
                connection.ended = true;
                self.watch_splice(peer);
            }
            _ => self.streams.doom(slot, ended),
        }
    }

    /// What a client sent, in the shard's memory: messages, up to where a peer's bytes begin.
    fn take(
        &mut self,
        slot: u32,
        life: u32,
        flow: Flow,
        mut bytes: Range<usize>,
    ) -> Result<(), Ended> {
        let spliced = |shard: &mut Self| shard.streams.alive(slot, life)?.spliced;
        if spliced(self).is_none() {
            match self.messages((slot, life), flow, bytes.clone()) {
                Cut::Rest(at) => bytes.start = at,
                Cut::Elsewhere(at, shard) => {
                    bytes.start = at;
                    self.move_stream(slot, shard, bytes);
                    return Ok(());
                }
                Cut::Broken => return Err(Ended::Broken),
            }
        }
        match spliced(self) {
            Some(peer) => self.pass_up(peer, bytes),
            None => {
                if let Some(connection) = self.streams.alive(slot, life) {
                    connection.keep(&self.buffers.memory()[bytes]);
                }
            }
        }
        Ok(())
    }

    /// Gives every whole message in `bytes` of the shard's memory to the machine.
    fn messages(&mut self, (slot, life): (u32, u32), flow: Flow, mut bytes: Range<usize>) -> Cut {
        let first = bytes.start;
        loop {
            let unread = &self.buffers.memory()[bytes.clone()];
            match frame::next(unread) {
                Frame::Whole { len, padded } => {
                    if let Some(shard) = self.message(flow, bytes.start, len, 0) {
                        return Cut::Elsewhere(bytes.start, shard);
                    }
                    bytes.start += padded;
                    let connection = self.streams.alive(slot, life);
                    if connection.is_none_or(|connection| connection.spliced.is_some()) {
                        break;
                    }
                }
                Frame::Partial => {
                    let long = frame::expected(unread).is_some_and(|len| len > LONGEST_UNPROVEN);
                    if long && !self.relay.has_allocation(&flow) {
                        return Cut::Broken;
                    }
                    break;
                }
                Frame::Broken => return Cut::Broken,
            }
        }
        if bytes.start > first
            && let Some(connection) = self.streams.alive(slot, life)
        {
            (connection.heard, connection.greeted) = (self.now.mono, true);
        }
        Cut::Rest(bytes.start)
    }

    /// One message, `len` bytes at `start` of the shard's memory, with others around it. Says which
    /// shard it is for, when that is another.
    pub(super) fn message(
        &mut self,
        flow: Flow,
        start: usize,
        len: usize,
        traffic_class: u8,
    ) -> Option<u8> {
        if self.outgoing.is_full() || self.outbox.is_full() || self.answers == ANSWERS {
            self.flush();
        }
        if is_request(&self.buffers.memory()[start..]) {
            return self.request(flow, start, len);
        }
        // It goes on as it lies here, or nowhere.
        let window = &mut self.buffers.memory_mut()[start..start + len];
        let mut packet = Packet::new(window, 0, len);
        let verdict = self.relay.handle_client(self.now, flow, &mut packet);
        let (from, len) = (start + packet.start(), packet.len());
        if let Verdict::Forward(route) = verdict {
            self.post(route, Content::at(from, len), traffic_class);
        }
        None
    }

    /// A message that is answered in its own place: it is moved to where there is room around it.
    fn request(&mut self, flow: Flow, start: usize, len: usize) -> Option<u8> {
        let short = len <= MIN_BUFFER - HEADROOM;
        let place = match short {
            true => self.buffers.answer_start(self.answers),
            // No client sends such; behind all receive slots is one for it.
            false => self.buffers.start(BATCH),
        };
        let room = if short { MIN_BUFFER } else { self.buffers.slot(BATCH).len() };
        let memory = self.buffers.memory_mut();
        memory.copy_within(start..start + len, place + HEADROOM);
        let mut packet = Packet::new(&mut memory[place..place + room], HEADROOM, len);
        let verdict = self.relay.handle_client(self.now, flow, &mut packet);
        let (from, len) = (place + packet.start(), packet.len());
        match verdict {
            Verdict::Forward(route) => {
                self.answers += usize::from(short);
                self.post(route, Content::at(from, len), 0);
            }
            Verdict::Elsewhere(shard) => return Some(shard),
            Verdict::Taken | Verdict::Drop(_) => {}
        }
        if !short {
            self.flush();
        }
        self.settle();
        None
    }

    /// Puts a message for the client with this five-tuple into its connection's post. Says whether
    /// there is one.
    pub(super) fn post_stream(&mut self, flow: &Flow, content: Content) -> bool {
        let Some(slot) = self.streams.slot_of(flow) else { return false };
        let head = content.head(self.buffers.memory());
        let is_data = head.starts_with(&DATA_INDICATION)
            || head.first().is_some_and(|first| kind(*first) == Kind::ChannelData);
        let cargo = if is_data { Cargo::Data } else { Cargo::Answer };
        let Some(connection) = self.streams.at(slot) else { return false };
        self.outbox.push(&mut connection.pending, content, cargo);
        self.call(slot);
        true
    }

    /// Puts bytes for a spliced connection into its post.
    pub(super) fn post_raw(&mut self, slot: u32, bytes: Range<usize>) {
        let Some(connection) = self.streams.at(slot) else { return };
        let content = Content::at(bytes.start, bytes.len());
        self.outbox.push(&mut connection.pending, content, Cargo::Raw);
        self.call(slot);
    }

    /// The connection in `slot` is written to when the turn ends.
    pub(super) fn call(&mut self, slot: u32) {
        if let Some(connection) = self.streams.at(slot)
            && !std::mem::replace(&mut connection.called, true)
        {
            self.outbox.call(slot);
        }
    }

    /// Writes what waits for connections.
    pub(super) fn flush_streams(&mut self) {
        let bound = self.seat.census.limits().write_queue;
        let mut dropped = 0;
        while let Some(slot) = self.outbox.next() {
            let Some(connection) = self.streams.at(slot) else { continue };
            connection.called = false;
            match connection.send(self.buffers.memory(), &self.outbox, bound) {
                Ok(over) => dropped += over,
                Err(_) => {
                    self.streams.doom(slot, Ended::Lost);
                    continue;
                }
            }
            match connection.spliced {
                Some(peer) => self.watch_splice(peer),
                None => self.watch_stream(slot),
            }
        }
        self.outbox.clear();
        if dropped > 0 {
            add(&self.seat.control.stats.slow_client_drops, dropped);
        }
    }

    /// Watches the connection in `slot` for what it needs now.
    pub(super) fn watch_stream(&mut self, slot: u32) {
        let life = self.streams.life(slot);
        let Some(connection) = self.streams.at(slot) else { return };
        let interest = connection.interest();
        if interest != connection.watched {
            connection.watched = interest;
            let token = Token::Stream { slot, life }.pack();
            if self.epoll.change(connection.as_fd(), token, interest).is_err() {
                self.streams.doom(slot, Ended::Lost);
            }
        }
    }

    /// Looks at the connections whose time has come.
    pub(super) fn tend_streams(&mut self) {
        let idle = self.seat.census.limits().idle;
        while let Some(slot) = self.streams.due(self.now.mono) {
            let Some(connection) = self.streams.at(slot) else { continue };
            if connection.spliced.is_some() || self.relay.has_allocation(&connection.flow) {
                // As long as what it is for, and then as if it had just spoken.
                connection.heard = self.now.mono;
            }
            let patience = if connection.greeted { idle } else { GREETING.min(idle) };
            let silent = self.now.mono.since(connection.heard);
            match patience.checked_sub(silent).filter(|left| !left.is_zero()) {
                Some(left) => self.streams.look_again(self.now.mono, slot, left),
                None => self.streams.doom(slot, Ended::Idle),
            }
        }
    }

    /// Ends the connections that are at their end, and what they had with them.
    pub(super) fn bury(&mut self) {
        while let Some((slot, ended)) = self.streams.next_doomed() {
            // Whom it answered last is written to first.
            self.flush();
            self.end_stream(slot, ended);
            self.settle();
            self.flush();
        }
    }

    fn end_stream(&mut self, slot: u32, ended: Ended) {
        let Some(mut connection) = self.streams.remove(slot) else { return };
        let stats = &self.seat.control.stats;
        match ended {
            Ended::Idle => add(&stats.idle_closes, 1),
            Ended::Broken => add(&stats.broken_closes, 1),
            Ended::Closed | Ended::Lost | Ended::Replaced => {}
        }
        if let Some(peer) = connection.spliced.and_then(|peer| self.peers.remove(peer)) {
            self.relay.handle_connection_closed(self.now, peer.id);
        }
        self.relay.handle_closed(self.now, connection.flow);
        connection.farewell();
    }
}

/// What was found in a client's bytes.
enum Cut {
    /// Messages, and from there on the beginning of another, or what is for a peer.
    Rest(usize),
    /// From there on it is for that shard.
    Elsewhere(usize, u8),
    /// What is no message.
    Broken,
}

/// Whether a message may be answered: a STUN message that is no indication (RFC 8489 section 5).
fn is_request(bytes: &[u8]) -> bool {
    match bytes {
        [high, low, ..] if kind(*high) == Kind::Stun => [*high & 0x01, *low & 0x10] != [0, 0x10],
        _ => false,
    }
}
