//! TCP relays and their connections to peers, until those are spliced (RFC 6062).

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;

use crate::net::{PeerAddr, RelayPort};
use crate::turn::{Answer, ConnectionId, OpenFailure, OpenId};

use super::super::sys::{Interest, Readiness};
use super::super::tcp::{self, Accepted, Peer, Phase};
use super::super::token::Token;
use super::Shard;

/// The most peers one look at a relay accepts; others wait for the next turn.
const ACCEPTED: usize = 16;

impl Shard<'_> {
    /// Listens on `port`.
    pub(super) fn open_tcp_relay(&mut self, id: OpenId, port: RelayPort) -> Answer {
        let Some(address) = self.relay_address(port) else {
            return Answer::RelayFailed(id, OpenFailure::Exhausted);
        };
        if self.tcp_relays.contains(port) {
            return Answer::RelayFailed(id, OpenFailure::InUse);
        }
        let (slot, life) = self.tcp_relays.vacancy();
        let opened = tcp::listen(address).and_then(|listener| {
            self.epoll.add(listener.as_fd(), Token::TcpRelay { slot, life }.pack())?;
            Ok(listener)
        });
        match opened {
            Ok(listener) => {
                self.tcp_relays.insert(port, listener);
                Answer::RelayOpened(id)
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                Answer::RelayFailed(id, OpenFailure::InUse)
            }
            Err(_) => Answer::RelayFailed(id, OpenFailure::Exhausted),
        }
    }

    fn relay_address(&self, port: RelayPort) -> Option<SocketAddr> {
        let address = self.orders.settings.relay_addresses.get(usize::from(port.address))?;
        Some(SocketAddr::new(address.local, port.port))
    }

    /// Takes in peers that have connected to a relay.
    pub(super) fn accept_peers(&mut self, slot: u32, life: u32) {
        for _ in 0..ACCEPTED {
            let Some(relay) = self.tcp_relays.alive(slot, life) else { return };
            let port = relay.port;
            match relay.accept() {
                Accepted::Peer(socket, from) => self.keep_peer(port, socket, from),
                Accepted::Nobody => return,
                Accepted::Exhausted => {
                    // It would be ready again at once, and nothing could be done about it.
                    let token = Token::TcpRelay { slot, life }.pack();
                    let rests = Interest { read: false, write: false };
                    if self.epoll.change(relay.as_fd(), token, rests).is_ok() {
                        self.tcp_relays.rest(self.now.mono, slot);
                    }
                    return;
                }
            }
        }
    }

    /// A peer's connection stays open, unread, if the machine wants it.
    fn keep_peer(&mut self, port: RelayPort, socket: TcpStream, from: SocketAddr) {
        if let Some(id) = self.relay.handle_connection(self.now, port, PeerAddr(from))
            && self.add_peer(Peer::new(socket, id, Phase::Waiting)).is_err()
        {
            self.relay.handle_connection_closed(self.now, id);
        }
        self.settle();
    }

    fn add_peer(&mut self, peer: Peer) -> io::Result<()> {
        let (slot, life) = self.peers.vacancy();
        self.epoll.add_for(peer.as_fd(), Token::Peer { slot, life }.pack(), peer.watched)?;
        self.peers.insert(self.now.mono, peer);
        Ok(())
    }

    /// Begins to connect to a peer.
    pub(super) fn connect_peer(&mut self, id: ConnectionId, from: RelayPort, to: PeerAddr) {
        let begun = match self.relay_address(from) {
            Some(local) => tcp::connect(local, to.0),
            None => Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        let added =
            begun.and_then(|socket| self.add_peer(Peer::new(socket, id, Phase::Connecting)));
        if added.is_err() {
            self.relay.handle_answer(self.now, Answer::ConnectFailed(id));
        }
    }

    /// A connection to a peer is ready.
    pub(super) fn serve_peer(&mut self, slot: u32, life: u32, ready: Readiness) {
        let Some(peer) = self.peers.alive(slot, life) else { return };
        let id = peer.id;
        match peer.phase {
            Phase::Connecting if peer.is_connected() => {
                self.peers.connected(slot);
                self.watch_peer(slot, false);
                self.relay.handle_answer(self.now, Answer::Connected(id));
            }
            Phase::Connecting => {
                self.peers.remove(slot);
                self.relay.handle_answer(self.now, Answer::ConnectFailed(id));
            }
            // It is watched for nothing but its failure.
            Phase::Waiting => {
                self.peers.remove(slot);
                self.relay.handle_connection_closed(self.now, id);
            }
            Phase::Spliced(client) => return self.serve_splice((slot, life), client, ready),
        }
        self.settle();
    }

    /// Watches the connection in `slot` for what it needs now, where its client's is `clogged` or
    /// not. Says whether that worked.
    pub(super) fn watch_peer(&mut self, slot: u32, clogged: bool) -> bool {
        let life = self.peers.life(slot);
        let Some(peer) = self.peers.at(slot) else { return false };
        let interest = peer.interest(clogged);
        if interest == peer.watched {
            return true;
        }
        peer.watched = interest;
        self.epoll.change(peer.as_fd(), Token::Peer { slot, life }.pack(), interest).is_ok()
    }

    /// Closes a connection to a peer, and the client's that is spliced to it.
    pub(super) fn close_peer(&mut self, id: ConnectionId) {
        let closed = self.peers.slot_of(id).and_then(|slot| self.peers.remove(slot));
        if let Some(Peer { phase: Phase::Spliced(client), .. }) = closed {
            self.part(client);
        }
    }

    /// What is due without anything coming in.
    pub(super) fn tend_tcp(&mut self) {
        let now = self.now.mono;
        while let Some(slot) = self.peers.unanswered(now) {
            if let Some(peer) = self.peers.remove(slot) {
                self.relay.handle_answer(self.now, Answer::ConnectFailed(peer.id));
                self.settle();
            }
        }
        while let Some(slot) = self.peers.released(now) {
            self.watch_splice(slot);
        }
        while let Some((slot, life, relay)) = self.tcp_relays.rested(now) {
            let token = Token::TcpRelay { slot, life }.pack();
            if self.epoll.change(relay.as_fd(), token, Interest::READ).is_err() {
                self.tcp_relays.rest(now, slot);
            }
        }
    }
}
