//! Writing to a connection: everything of a turn at once, and what is not taken waits, within its
//! bound.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use super::outbox::{Cargo, Outbox};
use super::{Connection, tls};
use crate::stun::frame;

/// The most pieces one call writes.
const GATHERED: usize = 64;

/// The most of them that have waited: where there may be more, what is new waits as well.
const WAITED: usize = GATHERED / 2;

/// Answers have this much room beyond what data of peers may take.
const ANSWER_ROOM: usize = 8 << 10;

/// So many bytes beyond that bound and the client's next requests wait until it reads.
const PAUSE: usize = ANSWER_ROOM / 2;

/// Memory that is kept for the next time a socket is full.
const KEPT: usize = 4 << 10;

impl Connection {
    /// Writes what has waited, then the pieces of this turn, which lie in `memory`. What the socket
    /// does not take is kept, up to `bound` bytes; says how many messages were dropped over it.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(in crate::relay) fn send(
        &mut self,
        memory: &[u8],
        outbox: &Outbox,
        bound: usize,
    ) -> io::Result<u64> {
        let pieces =
            outbox.pieces(std::mem::replace(&mut self.pending, super::outbox::Chain::EMPTY));
        let mut rest = pieces.map(|piece| (&memory[piece.bytes.clone()], piece.cargo)).peekable();
        // Bytes of the first piece that are gone.
        let mut gone = 0;
        while !self.full {
            let waits = self.tls.as_ref().is_some_and(|session| session.wants_write());
            if self.backlog.is_empty() && rest.peek().is_none() && !waits {
                break;
            }
            let mut slices = [IoSlice::new(&[]); GATHERED];
            let by_message = self.tls.is_some() && self.spliced.is_none();
            let mut count = gather(&mut self.backlog, by_message, &mut slices);
            let mut skipped = gone;
            // Behind all that has waited, or not at all.
            let room = if count < WAITED { GATHERED - count } else { 0 };
            for (bytes, _) in rest.clone().take(room) {
                slices[count] = IoSlice::new(&bytes[std::mem::take(&mut skipped)..]);
                count += 1;
            }
            let offered: usize = slices[..count].iter().map(|slice| slice.len()).sum();
            let (taken, full) = match &mut self.tls {
                Some(session) => tls::send(session, &self.socket, &slices[..count])?,
                None => write(&self.socket, &slices[..count], offered)?,
            };
            self.full = full;
            let old = taken.min(self.backlog.len());
            self.backlog.drain(..old);
            gone += taken - old;
            while let Some((bytes, _)) = rest.peek()
                && bytes.len() <= gone
            {
                gone -= bytes.len();
                rest.next();
            }
        }
        Ok(self.queue(rest, gone, bound))
    }

    /// Keeps what was not taken: the rest of a message that is on its way whatever it takes, others
    /// as long as there is room.
    fn queue<'m>(
        &mut self,
        rest: impl Iterator<Item = (&'m [u8], Cargo)>,
        mut gone: usize,
        bound: usize,
    ) -> u64 {
        let mut dropped = 0;
        for (bytes, cargo) in rest {
            let room = match cargo {
                Cargo::Data => bound,
                Cargo::Answer => bound + ANSWER_ROOM,
                Cargo::Raw => usize::MAX,
            };
            match gone > 0 || self.backlog.len() + bytes.len() <= room {
                true => self.backlog.extend(&bytes[std::mem::take(&mut gone)..]),
                false => dropped += 1,
            }
        }
        if self.backlog.is_empty() && self.backlog.capacity() > KEPT {
            self.backlog = Default::default();
        }
        let most = if self.paused { bound } else { bound + PAUSE };
        // The two ways of a spliced connection do not wait for each other.
        self.paused = self.spliced.is_none() && self.backlog.len() > most;
        dropped
    }
}

/// What has waited, as a few slices: message by message, or as it lies.
fn gather<'b>(
    backlog: &'b mut VecDeque<u8>,
    by_message: bool,
    slices: &mut [IoSlice<'b>; GATHERED],
) -> usize {
    if !by_message {
        let (first, second) = backlog.as_slices();
        (slices[0], slices[1]) = (IoSlice::new(first), IoSlice::new(second));
        return 2;
    }
    let mut waiting: &[u8] = backlog.make_contiguous();
    let mut count = 0;
    while !waiting.is_empty() && count < WAITED {
        // Where a message was cut, its rest is as good as one.
        let len = frame::expected(waiting).map_or(waiting.len(), |len| len.min(waiting.len()));
        let (message, behind) = waiting.split_at(len);
        slices[count] = IoSlice::new(message);
        (waiting, count) = (behind, count + 1);
    }
    count
}

/// Writes once: how many bytes went, and whether the socket is full.
fn write(
    mut socket: &std::net::TcpStream,
    slices: &[IoSlice<'_>],
    offered: usize,
) -> io::Result<(usize, bool)> {
    match socket.write_vectored(slices) {
        Ok(taken) => Ok((taken, taken < offered)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok((0, false)),
        Err(error) if super::connection::is_passing(&error) => Ok((0, true)),
        Err(error) => Err(error),
    }
}
