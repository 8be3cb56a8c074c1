//! One client's connection: what is left of its last read, and what it has not taken yet.

use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use rustls::ServerConnection;

use super::super::sys::Interest;
use super::door::Place;
use super::outbox::Chain;
use super::{Stream, tls};
use crate::net::{ClientAddr, Flow, Transport};
use crate::stun::frame;
use crate::time::Instant;

/// Up to this many bytes of memory are kept for the next message that comes in pieces.
const KEPT: usize = 2 << 10;

/// Why a connection is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::relay) enum Ended {
    /// The client closed it.
    Closed,
    /// It broke: reset, unreachable, unacknowledged for too long.
    Lost,
    /// What came is neither STUN nor ChannelData, or no TLS.
    Broken,
    /// Nothing came, and it has no allocation.
    Idle,
    /// Another connection has come with its five-tuple.
    Replaced,
}

/// A client's connection.
#[derive(Debug)]
pub(in crate::relay) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) tls: Option<Box<ServerConnection>>,
    /// Its five-tuple.
    pub(in crate::relay) flow: Flow,
    /// What it is watched for.
    pub(in crate::relay) watched: Interest,
    /// The beginning of a message.
    partial: Vec<u8>,
    /// `partial` has not been looked at: it came with the connection.
    early: bool,
    /// What waits for the socket (plain) or for being encrypted (TLS).
    pub(super) backlog: VecDeque<u8>,
    /// The socket took less than it was offered: it says when it takes more.
    pub(super) full: bool,
    /// Reading pauses until the client reads.
    pub(super) paused: bool,
    /// The slot of the peer's connection that its bytes go to, once it is spliced.
    pub(in crate::relay) spliced: Option<u32>,
    /// Reading pauses until the peer reads.
    pub(in crate::relay) stopped: bool,
    /// The client sends nothing any more (of a spliced connection).
    pub(in crate::relay) ended: bool,
    /// What is to be written when the turn ends.
    pub(in crate::relay) pending: Chain,
    /// Whether the shard knows that something is to be written.
    pub(in crate::relay) called: bool,
    /// It is at its end, and only waits to be taken out.
    pub(super) doomed: bool,
    /// When it was opened, or when the last whole message came.
    pub(in crate::relay) heard: Instant,
    /// Whether a whole message has come at all.
    pub(in crate::relay) greeted: bool,
    /// Its place among all connections, for as long as it is open.
    place: Place,
}

/// What one look at a connection brought.
#[derive(Clone, Copy, Debug)]
pub(in crate::relay) struct Received {
    /// Bytes to be cut into messages, from the front of what was read into.
    pub(in crate::relay) len: usize,
    /// The connection is at its end behind them.
    pub(in crate::relay) ended: Option<Ended>,
}

impl Connection {
    /// Takes over a connection that was handed in.
    pub(in crate::relay) fn new(mut stream: Stream, place: Place, now: Instant) -> Self {
        if let Some(session) = &mut stream.tls {
            // A bound of its own would cut a message in two records. Ours is in `send`.
            session.set_buffer_limit(None);
        }
        let transport = if stream.tls.is_some() { Transport::Tls } else { Transport::Tcp };
        Self {
            flow: Flow { transport, local: stream.local, remote: ClientAddr(stream.remote) },
            socket: stream.socket,
            tls: stream.tls,
            watched: Interest::READ,
            partial: stream.early,
            early: true,
            backlog: VecDeque::new(),
            full: false,
            paused: false,
            spliced: None,
            stopped: false,
            ended: false,
            pending: Chain::EMPTY,
            called: false,
            doomed: false,
            heard: now,
            greeted: false,
            place,
        }
    }

    /// Reads what is there. `plain` takes the messages and has room for the longest and a read;
    /// `cipher` is for what TLS has to decrypt. No more than `most` bytes are taken off the socket.
    pub(in crate::relay) fn receive(
        &mut self,
        plain: &mut [u8],
        cipher: &mut [u8],
        most: usize,
    ) -> Received {
        let held = self.partial.len();
        if std::mem::take(&mut self.early) && held > 0 {
            // What came with it comes first, and alone: there may be much of it.
            plain[..held].copy_from_slice(&self.partial);
            self.partial.clear();
            return Received { len: held, ended: None };
        }
        let fresh = &mut plain[held..];
        let (got, ended) = match &mut self.tls {
            None => {
                let room = fresh.len().min(most);
                read(&self.socket, &mut fresh[..room])
            }
            Some(session) => {
                let room = cipher.len().min(most);
                tls::receive(session, &self.socket, fresh, &mut cipher[..room])
            }
        };
        let fresh = &fresh[..got];
        if got == 0 {
            return Received { len: 0, ended };
        }
        // A long message that comes in small pieces is not moved about for each of them.
        if frame::expected(&self.partial).is_some_and(|whole| held + got < whole) {
            self.partial.extend_from_slice(fresh);
            return Received { len: 0, ended };
        }
        plain[..held].copy_from_slice(&self.partial);
        self.partial.clear();
        Received { len: held + got, ended }
    }

    /// Keeps the beginning of a message until the rest of it comes.
    pub(in crate::relay) fn keep(&mut self, rest: &[u8]) {
        debug_assert!(self.partial.is_empty(), "what was kept has been looked at");
        let whole = frame::expected(rest).unwrap_or(KEPT).max(rest.len());
        if whole <= KEPT {
            if self.partial.capacity() > KEPT {
                self.partial = Vec::new();
            }
            if !rest.is_empty() {
                self.partial.reserve_exact(KEPT);
            }
        } else {
            self.partial.reserve_exact(whole);
        }
        self.partial.extend_from_slice(rest);
    }

    /// The socket takes more.
    pub(in crate::relay) fn unblock(&mut self) {
        self.full = false;
    }

    /// What it has to be watched for now.
    pub(in crate::relay) fn interest(&self) -> Interest {
        Interest { read: !self.paused && !self.stopped && !self.ended, write: self.full }
    }

    /// Whether it only waits to be taken out.
    pub(in crate::relay) fn is_doomed(&self) -> bool {
        self.doomed
    }

    /// Whether it has not taken all that it was sent.
    pub(in crate::relay) fn is_clogged(&self) -> bool {
        self.full || !self.backlog.is_empty() || !self.pending.is_empty()
    }

    /// Takes what was kept of a message: it is none.
    pub(in crate::relay) fn take_kept(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.partial)
    }

    /// Makes it ready to go on in another shard, which reads `unread` first. Nothing of it is in
    /// this shard's outbox.
    pub(in crate::relay) fn pack(&mut self, shard: usize, unread: &[u8]) {
        debug_assert!(self.pending.is_empty() && self.partial.is_empty());
        self.partial.extend_from_slice(unread);
        (self.early, self.watched) = (true, Interest::READ);
        // What it has not taken is tried again there.
        (self.full, self.called) = (false, false);
        self.place.move_to(shard);
    }

    /// Says goodbye as far as TLS has a word for it and the socket takes it.
    pub(in crate::relay) fn farewell(&mut self) {
        if let Some(session) = &mut self.tls {
            session.send_close_notify();
            // It is at its end either way.
            let _ = tls::push(session, &self.socket);
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Reads once: how many bytes, and whether that was the end.
pub(in crate::relay) fn read(mut socket: &TcpStream, into: &mut [u8]) -> (usize, Option<Ended>) {
    match io::Read::read(&mut socket, into) {
        Ok(0) => (0, Some(Ended::Closed)),
        Ok(got) => (got, None),
        Err(error) if is_passing(&error) => (0, None),
        Err(_) => (0, Some(Ended::Lost)),
    }
}

/// Whether the same may work later.
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
