//! A client's connection and a peer's, spliced: bytes pass both ways as they come, and neither side
//! is read while the other does not take what it was sent (RFC 6062 section 4.4).

use std::ops::Range;

use crate::net::Flow;
use crate::turn::ConnectionId;

use super::super::stream::{Arrival, Ended};
use super::super::sys::Readiness;
use super::super::tcp::Phase;
use super::Shard;

impl Shard<'_> {
    /// From now on bytes pass. What the client has sent too early goes first; what it has not been
    /// told yet (the answer to its request) reaches it before what the peer sends.
    pub(super) fn splice(&mut self, id: ConnectionId, flow: &Flow) {
        let peer_slot = self.peers.slot_of(id);
        let client_slot = self.streams.slot_of(flow);
        let peer = peer_slot.and_then(|slot| Some((slot, self.peers.at(slot)?)));
        let client = client_slot.and_then(|slot| Some((slot, self.streams.at(slot)?)));
        match (peer, client) {
            (Some((peer_slot, peer)), Some((client_slot, client))) => {
                peer.phase = Phase::Spliced(client_slot);
                client.spliced = Some(peer_slot);
                let early = client.take_kept();
                if !early.is_empty() {
                    let sent = peer.send(&early);
                    self.passed_up(peer_slot, early.len(), sent);
                }
                self.watch_splice(peer_slot);
            }
            (Some((peer_slot, _)), None) => {
                self.peers.remove(peer_slot);
                self.relay.handle_connection_closed(self.now, id);
            }
            (None, Some((client_slot, _))) => self.streams.doom(client_slot, Ended::Closed),
            (None, None) => {}
        }
    }

    /// Passes bytes of the shard's memory from a client to its peer.
    pub(super) fn pass_up(&mut self, peer_slot: u32, bytes: Range<usize>) {
        let len = bytes.len();
        if len == 0 {
            return;
        }
        let Some(peer) = self.peers.at(peer_slot) else { return };
        let sent = peer.send(&self.buffers.memory()[bytes]);
        self.passed_up(peer_slot, len, sent);
        self.watch_splice(peer_slot);
    }

    fn passed_up(&mut self, peer_slot: u32, len: usize, sent: std::io::Result<()>) {
        match sent {
            Ok(()) => self.count_splice(peer_slot, len, 0),
            Err(_) => self.end_splice(peer_slot, Ended::Lost),
        }
    }

    /// A peer's connection that is spliced is ready.
    pub(super) fn serve_splice(&mut self, (slot, life): (u32, u32), client: u32, ready: Readiness) {
        let Some(peer) = self.peers.alive(slot, life) else { return };
        if ready.write {
            peer.unblock();
            match peer.send(&[]) {
                Ok(()) => self.watch_splice(slot),
                Err(_) => self.end_splice(slot, Ended::Lost),
            }
        }
        if ready.read {
            self.pass_down((slot, life), client);
        } else if ready.gone {
            self.end_splice(slot, Ended::Lost);
        }
    }

    /// Reads once from a peer and passes it to its client.
    fn pass_down(&mut self, (slot, life): (u32, u32), client: u32) {
        self.make_room(1);
        let first = self.used;
        let Some(peer) = self.peers.alive(slot, life) else { return };
        let (got, ended) = peer.receive(self.buffers.slot(first));
        peer.ended |= ended.is_some();
        if got > 0 {
            let start = self.buffers.start(first);
            self.post_raw(client, start..start + got);
            self.used = first + 1;
            self.count_splice(slot, 0, got);
        } else {
            self.watch_splice(slot);
        }
    }

    fn count_splice(&mut self, slot: u32, up: usize, down: usize) {
        let Some(id) = self.peers.at(slot).map(|peer| peer.id) else { return };
        let pause = self.relay.count_spliced(self.now, id, up as u64, down as u64);
        if !pause.is_zero() {
            self.peers.hold(slot, self.now.mono + pause);
        }
    }

    /// Watches both sides of a splice for what they need now; ends it when one side has ended and
    /// both have all that was read.
    pub(super) fn watch_splice(&mut self, slot: u32) {
        let Some(peer) = self.peers.at(slot) else { return };
        let Phase::Spliced(client) = peer.phase else { return };
        let Some(connection) = self.streams.at(client) else { return };
        let (clogged_up, clogged_down) = (peer.is_clogged(), connection.is_clogged());
        if (peer.ended || connection.ended) && !clogged_up && !clogged_down {
            return self.end_splice(slot, Ended::Closed);
        }
        connection.stopped = clogged_up || peer.held;
        self.watch_stream(client);
        if !self.watch_peer(slot, clogged_down) {
            self.end_splice(slot, Ended::Lost);
        }
    }

    /// Both connections are ended when nothing else is in progress.
    fn end_splice(&mut self, slot: u32, ended: Ended) {
        if let Some(peer) = self.peers.at(slot)
            && let Phase::Spliced(client) = peer.phase
        {
            self.streams.doom(client, ended);
        }
    }

    /// The peer's side of a client's connection is gone.
    pub(super) fn part(&mut self, client: u32) {
        if let Some(connection) = self.streams.at(client) {
            connection.spliced = None;
            self.streams.doom(client, Ended::Closed);
        }
    }

    /// Hands a client's connection over to the shard that has what it asks for; `unread` of the
    /// shard's memory goes along.
    pub(super) fn move_stream(&mut self, slot: u32, shard: u8, unread: Range<usize>) {
        // What it was answered here is written here.
        self.flush();
        let shard = usize::from(shard);
        let Some(connection) = self.streams.at(slot) else { return };
        if connection.is_doomed() {
            // That could not be written: it ends here. Another shard would not know that it has to.
            return;
        }
        let bound_here = self.relay.has_allocation(&connection.flow);
        let Some(control) = self.seat.shards.get(shard) else {
            return self.streams.doom(slot, Ended::Broken);
        };
        if bound_here || shard == self.seat.index {
            return self.streams.doom(slot, Ended::Broken);
        }
        let Some(mut connection) = self.streams.remove(slot) else { return };
        if self.epoll.remove(std::os::fd::AsFd::as_fd(&connection)).is_err() {
            return;
        }
        connection.pack(shard, &self.buffers.memory()[unread]);
        // A shard that has stopped takes nothing: the connection closes.
        let _ = control.deliver(Arrival::Moved(Box::new(connection)));
    }
}
