//! From the kernel to the machine, and what the machine says at once.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use crate::net::{ClientAddr, Flow, PeerAddr, Transport};
use crate::packet::{HEADROOM, Packet};
use crate::turn::{Route, Verdict};

use super::super::batch::Post;
use super::super::buffers::Buffers;
use super::super::listener;
use super::super::socket::{BATCH, Socket};
use super::super::stats::{Stats, add};
use super::super::sys::{Datagram, ReceiveBatch};
use super::{Shard, Target};

impl Shard<'_> {
    /// One batch from clients.
    pub(super) fn read_listener(&mut self, index: usize) {
        let want = self.seat.listeners[index].socket.want(self.turn);
        self.make_room(want);
        let socket = &mut self.seat.listeners[index].socket;
        let got = fill(&mut self.inbox, socket, &mut self.buffers, self.used, want);
        socket.learn(self.turn, want, got);
        for datagram in 0..got {
            let slot = self.used + datagram;
            let datagram = self.inbox.datagram(datagram);
            let listener = &mut self.seat.listeners[index];
            let stats = &self.seat.control.stats;
            let Some(from) = sender(&datagram, &mut listener.socket, stats) else { continue };
            let Some(local) = listener.destination(&datagram.ancillary) else {
                add(&stats.receive_drops, 1);
                continue;
            };
            let flow = Flow { transport: Transport::Udp, local, remote: ClientAddr(from) };
            let mut packet = Packet::new(self.buffers.slot(slot), HEADROOM, datagram.len);
            let verdict = self.relay.handle_client(self.now, flow, &mut packet);
            let window = (packet.start(), packet.len());
            if let Verdict::Forward(route) = verdict {
                let start = self.buffers.start(slot) + window.0;
                self.post(route, start, window.1, datagram.ancillary.traffic_class);
            }
        }
        self.end_batch(got);
    }

    /// One batch from peers.
    pub(super) fn read_relay(&mut self, slot: u32, life: u32) {
        let Some(relay) = self.sockets.alive(slot, life) else { return };
        let (port, want) = (relay.port, relay.socket.want(self.turn));
        self.make_room(want);
        let Some(relay) = self.sockets.alive(slot, life) else { return };
        let got = fill(&mut self.inbox, &relay.socket, &mut self.buffers, self.used, want);
        relay.socket.learn(self.turn, want, got);
        for datagram in 0..got {
            let buffer = self.used + datagram;
            let datagram = self.inbox.datagram(datagram);
            let Some(relay) = self.sockets.alive(slot, life) else { break };
            let stats = &self.seat.control.stats;
            let Some(from) = sender(&datagram, &mut relay.socket, stats) else { continue };
            let mut packet = Packet::new(self.buffers.slot(buffer), HEADROOM, datagram.len);
            let verdict = self.relay.handle_peer(self.now, port, PeerAddr(from), &mut packet);
            let window = (packet.start(), packet.len());
            if let Verdict::Forward(route) = verdict {
                let start = self.buffers.start(buffer) + window.0;
                self.post(route, start, window.1, datagram.ancillary.traffic_class);
            }
        }
        self.end_batch(got);
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
    fn end_batch(&mut self, got: usize) {
        let waiting = !self.outgoing.is_empty() || !self.outbox.is_empty();
        self.used = if waiting { self.used + got } else { 0 };
        self.settle();
    }

    /// Puts `len` bytes at `start` of the shard's memory into the post, there where `route` says.
    pub(super) fn post(&mut self, route: Route, start: usize, len: usize, traffic_class: u8) {
        if let Route::Client(flow) = route
            && flow.transport.is_stream()
        {
            if !self.post_stream(&flow, start, len) {
                add(&self.seat.control.stats.send_drops, 1);
            }
            return;
        }
        let bytes = start..start + len;
        let found = match route {
            Route::Client(flow) => listener::owner(&self.seat.listeners, flow.local).map(|index| {
                let listener = &mut self.seat.listeners[index];
                let source = listener.source(flow.local);
                let to = flow.remote.0;
                let post = Post { bytes, to, source, traffic_class, dont_fragment: false };
                (Target::Listener(index), &mut listener.socket, post)
            }),
            Route::Peer { from, to, dont_fragment } => {
                self.sockets.slot_of(from).and_then(|slot| {
                    let socket = &mut self.sockets.at(slot)?.socket;
                    let post = Post { bytes, to: to.0, source: None, traffic_class, dont_fragment };
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

/// Receives up to `want` datagrams. An error is either "nothing there" or that of an ICMP message
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
