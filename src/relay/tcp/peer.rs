//! One TCP connection between a relay and a peer.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use super::super::stream::{Ended, read};
use super::super::sys::Interest;
use crate::turn::ConnectionId;

/// Memory that is kept for the next time a socket is full.
const KEPT: usize = 4 << 10;

/// A connection to a peer.
#[derive(Debug)]
pub(in crate::relay) struct Peer {
    socket: TcpStream,
    /// Its name.
    pub(in crate::relay) id: ConnectionId,
    /// How far it is.
    pub(in crate::relay) phase: Phase,
    /// What it is watched for.
    pub(in crate::relay) watched: Interest,
    /// What waits for its socket. Nothing is read from the client while there is something.
    backlog: VecDeque<u8>,
    /// The socket took less than it was offered: it says when it takes more.
    full: bool,
    /// It sends nothing any more.
    pub(in crate::relay) ended: bool,
    /// Neither side is read until a bandwidth quota allows more.
    pub(in crate::relay) held: bool,
}

/// How far a connection to a peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::relay) enum Phase {
    /// The peer has not answered.
    Connecting,
    /// It is open and waits, unread, for its client.
    Waiting,
    /// It is spliced to the client's connection in this slot.
    Spliced(u32),
}

impl Peer {
    /// A connection that is being opened, or that a peer has opened.
    pub(in crate::relay) fn new(socket: TcpStream, id: ConnectionId, phase: Phase) -> Self {
        let watched = Interest { read: false, write: phase == Phase::Connecting };
        let (backlog, full, ended, held) = (VecDeque::new(), false, false, false);
        Self { socket, id, phase, watched, backlog, full, ended, held }
    }

    /// Whether it could be opened, once it is ready. Asked once.
    pub(in crate::relay) fn is_connected(&self) -> bool {
        matches!(self.socket.take_error(), Ok(None)) && self.socket.peer_addr().is_ok()
    }

    /// Reads what is there: how many bytes, and whether that was the end.
    pub(in crate::relay) fn receive(&self, into: &mut [u8]) -> (usize, Option<Ended>) {
        read(&self.socket, into)
    }

    /// Writes what has waited and then `bytes`; what the socket does not take waits.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(in crate::relay) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut gone = 0;
        while !self.full && self.backlog.len() + bytes.len() > gone {
            let (first, second) = self.backlog.as_slices();
            let slices = [first, second, &bytes[gone..]].map(IoSlice::new);
            let offered = self.backlog.len() + bytes.len() - gone;
            match (&self.socket).write_vectored(&slices) {
                Ok(taken) => {
                    self.full = taken < offered;
                    let old = taken.min(self.backlog.len());
                    self.backlog.drain(..old);
                    gone += taken - old;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.full = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.backlog.extend(&bytes[gone..]);
        if self.backlog.is_empty() && self.backlog.capacity() > KEPT {
            self.backlog = VecDeque::new();
        }
        Ok(())
    }

    /// The socket takes more.
    pub(in crate::relay) fn unblock(&mut self) {
        self.full = false;
    }

    /// Whether it does not take what it was sent.
    pub(in crate::relay) fn is_clogged(&self) -> bool {
        self.full || !self.backlog.is_empty()
    }

    /// What it has to be watched for, where its client's connection is `clogged` or not.
    pub(in crate::relay) fn interest(&self, clogged: bool) -> Interest {
        let spliced = matches!(self.phase, Phase::Spliced(_));
        Interest {
            read: spliced && !clogged && !self.ended && !self.held,
            write: self.full || self.phase == Phase::Connecting,
        }
    }
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
