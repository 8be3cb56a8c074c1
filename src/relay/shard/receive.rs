//! From the kernel to the machine, and what the machine says at once.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use crate::net::{ClientAddr, Flow, PeerAddr, RelayPort, Transport};
use crate::packet::{HEADROOM, Packet};
use crate::turn::{Route, Verdict};

use super::super::batch::Post;
use super::super::buffers::Buffers;
use super::super::content::Content;
use super::super::listener;
use super::super::socket::{BATCH, Socket};
use super::super::stats::{Stats, add};
use super::super::sys::{Datagram, ReceiveBatch};
use super::{LETTERS, Shard, Target};

impl Shard<'_> {
    /// One batch from clients; says whether it was all there was.
    pub(super) fn read_listener(&mut self, index: usize) -> bool {
        if !self.may_read(index) {
            return false;
        }
        let want = self.seat.listeners[index].socket.want(self.turn);
        self.make_room(want);
        let first = self.used;
        let socket = &mut self.seat.listeners[index].socket;
        let got = fill(&mut self.inbox, socket, &mut self.buffers, first, want);
        let (mut packets, mut sample) = (0, None);
        for arrival in 0..got {
            let slot = first + arrival;
            let datagram = self.inbox.datagram(arrival);
            packets += datagram.packets();
            let listener = &mut self.seat.listeners[index];
            let stats = &self.seat.control.stats;
            let Some(from) = sender(&datagram, &mut listener.socket, stats) else { continue };
            let Some(local) = listener.destination(&datagram.ancillary) else {
                add(&stats.receive_drops, 1);
                continue;
            };
            let flow = Flow { transport: Transport::Udp, local, remote: ClientAddr(from) };
            if listener.is_stranger(from) && !self.is_ours(&flow) {
                add(&self.seat.control.stats.receive_drops, 1);
                continue;
            }
            if arrival == got / 2 {
                sample = Some(flow);
            }
            if datagram.packets() > 1 {
                self.train_from_client(flow, slot, &datagram);
                continue;
            }
            let mut packet = Packet::new(self.buffers.slot(slot), HEADROOM, datagram.len);
            let verdict = self.relay.handle_client(self.now, flow, &mut packet);
            let window = (packet.start(), packet.len());
            if let Verdict::Forward(route) = verdict {
                let start = self.buffers.start(slot) + window.0;
                self.post(route, Content::at(start, window.1), datagram.ancillary.traffic_class);
            }
        }
        self.seat.listeners[index].socket.learn(self.turn, want, got, packets);
        self.end_batch(first, got);
        self.poll_crowd(index, got >= want && packets >= BATCH, sample);
        got < want
    }

    /// Many datagrams of one client, one behind the other in `slot`. There is no room around them: what
    /// is for peers leaves from where it lies, what is to be answered is moved.
    fn train_from_client(&mut self, flow: Flow, slot: usize, train: &Datagram) {
        let start = self.buffers.start(slot) + HEADROOM;
        for (at, len) in train.each() {
            // Over UDP nothing is handed to another shard.
            let _ = self.message(flow, start + at, len, train.ancillary.traffic_class);
        }
    }

    /// One batch from peers.
    pub(super) fn read_relay(&mut self, slot: u32, life: u32) {
        let Some(relay) = self.sockets.alive(slot, life) else { return };
        let (port, want) = (relay.port, relay.socket.want(self.turn));
        self.make_room(want);
        let first = self.used;
        let Some(relay) = self.sockets.alive(slot, life) else { return };
        let got = fill(&mut self.inbox, &relay.socket, &mut self.buffers, first, want);
        let mut packets = 0;
        for arrival in 0..got {
            let buffer = first + arrival;
            let datagram = self.inbox.datagram(arrival);
            packets += datagram.packets();
            let Some(relay) = self.sockets.alive(slot, life) else { break };
            let stats = &self.seat.control.stats;
            let Some(from) = sender(&datagram, &mut relay.socket, stats) else { continue };
            if datagram.packets() > 1 {
                self.train_from_peer(port, PeerAddr(from), buffer, &datagram);
                continue;
            }
            let mut packet = Packet::new(self.buffers.slot(buffer), HEADROOM, datagram.len);
            let verdict = self.relay.handle_peer(self.now, port, PeerAddr(from), &mut packet);
            let window = (packet.start(), packet.len());
            if let Verdict::Forward(route) = verdict {
                let start = self.buffers.start(buffer) + window.0;
                self.post(route, Content::at(start, window.1), datagram.ancillary.traffic_class);
            }
        }
        if let Some(relay) = self.sockets.alive(slot, life) {
            relay.socket.learn(self.turn, want, got, packets);
        }
        self.end_batch(first, got);
    }

    /// Many datagrams of one peer, one behind the other in `buffer`. The machine puts a header in front
    /// of each, where another one's end is: it is given a front elsewhere, with room behind it in place
    /// of the payload, of which it reads nothing but the length.
    fn train_from_peer(
        &mut self,
        port: RelayPort,
        from: PeerAddr,
        buffer: usize,
        train: &Datagram,
    ) {
        let start = self.buffers.start(buffer) + HEADROOM;
        for (at, len) in train.each() {
            if self.outgoing.is_full() || self.fronts == LETTERS {
                self.flush();
            }
            let front = self.buffers.front_start(self.fronts);
            let mut packet = Packet::new(self.buffers.front(self.fronts), HEADROOM, len);
            let verdict = self.relay.handle_peer(self.now, port, from, &mut packet);
            let window = (packet.start(), packet.len());
            if let Verdict::Forward(route) = verdict {
                let bytes = start + at..start + at + len;
                let pad = (window.1 - (HEADROOM - window.0) - len) as u8;
                let content = Content { front: front + window.0..front + HEADROOM, bytes, pad };
                self.fronts += 1;
                self.post(route, content, train.ancillary.traffic_class);
            }
        }
    }

    /// Sees to it that `want` receive slots are free: what waits in them is sent first.
    pub(super) fn make_room(&mut self, want: usize) {
        if self.used + want > BATCH {
            self.flush();
            self.now = self.seat.clock.now();
        }
    }

    /// The slots of a batch stay taken while anything waits to be sent; the machine's slow side is
    /// served.
    fn end_batch(&mut self, first: usize, got: usize) {
        let waiting = !self.outgoing.is_empty() || !self.outbox.is_empty();
        self.used = if waiting { first + got } else { 0 };
        self.settle();
    }

    /// Puts `content` into the post, there where `route` says.
    pub(super) fn post(&mut self, route: Route, content: Content, traffic_class: u8) {
        if let Route::Client(flow) = route
            && flow.transport.is_stream()
        {
            if !self.post_stream(&flow, content) {
                add(&self.seat.control.stats.send_drops, 1);
            }
            return;
        }
        let found = match route {
            Route::Client(flow) => listener::owner(&self.seat.listeners, flow.local).map(|index| {
                let listener = &mut self.seat.listeners[index];
                let source = listener.source(flow.local);
                let to = flow.remote.0;
                let dont_fragment = false;
                let post = Post { content, to, source, traffic_class, dont_fragment };
                (Target::Listener(index), &mut listener.socket, post)
            }),
            Route::Peer { from, to, dont_fragment } => {
                self.sockets.slot_of(from).and_then(|slot| {
                    let socket = &mut self.sockets.at(slot)?.socket;
                    let (to, source) = (to.0, None);
                    let post = Post { content, to, source, traffic_class, dont_fragment };
                    Some((Target::Relay(slot), socket, post))
                })
            }
        };
        match found {
            Some((target, socket, post)) => {
                if socket.pending.is_empty() {
                    self.targets.push(target);
                }
                self.outgoing.push(socket, post);
            }
            None => add(&self.seat.control.stats.send_drops, 1),
        }
    }
}

/// Receives up to `want` datagrams or trains. An error is either "nothing there" or that of an ICMP message
/// about something sent, which is cleared by being returned: what is there comes with another try.
pub(in crate::relay) fn fill(
    inbox: &mut ReceiveBatch,
    socket: &Socket,
    buffers: &mut Buffers,
    first: usize,
    want: usize,
) -> usize {
    match inbox.receive(socket.as_fd(), buffers, first, want) {
        Ok(got) => got,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        Err(_) => inbox.receive(socket.as_fd(), buffers, first, want).unwrap_or(0),
    }
}

/// Who sent `datagram`, if it is whole; notes the kernel's drop counter that came with it.
fn sender(datagram: &Datagram, socket: &mut Socket, stats: &Stats) -> Option<SocketAddr> {
    if let Some(drops) = datagram.ancillary.drops {
        socket.note_drops(drops, &stats.kernel_drops);
    }
    if datagram.truncated || datagram.from.is_none() {
        add(&stats.receive_drops, 1);
        return None;
    }
    datagram.from
}
