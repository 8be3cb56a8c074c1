//! Writing to a connection: everything of a turn at once, and what is not taken waits, within its
//! bound.

use std::io::{self, IoSlice, Write};
use std::iter::Peekable;

use super::super::content::Content;
use super::outbox::{Cargo, Chain, Outbox, Piece};
use super::{Connection, tls};
use crate::stun::frame;

/// The most slices one call writes: a whole train of 64, each with its header and its padding.
const GATHERED: usize = 64 * Content::PIECES;

/// Once so many bytes are encrypted they are written before others are.
const ENCRYPTED: usize = 64 << 10;

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
        let pieces = outbox.pieces(std::mem::replace(&mut self.pending, Chain::EMPTY));
        let mut rest = Rest { pieces: pieces.peekable(), memory, gone: 0 };
        match self.tls.is_some() {
            true => self.encrypt(&mut rest)?,
            false => self.write(&mut rest)?,
        }
        Ok(self.queue(rest, bound))
    }

    /// Writes until all is gone or the socket is full.
    fn write<'m>(&mut self, rest: &mut Rest<'m, impl Pieces<'m>>) -> io::Result<()> {
        while !self.full {
            if self.backlog.is_empty() && rest.is_empty() {
                break;
            }
            let (first, second) = self.backlog.as_slices();
            let waiting = [first, second].into_iter().chain(rest.slices());
            let mut slices = [IoSlice::new(&[]); GATHERED];
            let (mut count, mut offered) = (0, 0);
            for (slice, bytes) in slices.iter_mut().zip(waiting.filter(|bytes| !bytes.is_empty())) {
                *slice = IoSlice::new(bytes);
                (count, offered) = (count + 1, offered + bytes.len());
            }
            let taken = match (&self.socket).write_vectored(&slices[..count]) {
                Ok(taken) => taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if super::connection::is_passing(&error) => 0,
                Err(error) => return Err(error),
            };
            self.full = taken < offered;
            let old = taken.min(self.backlog.len());
            self.backlog.drain(..old);
            rest.advance(taken - old);
        }
        Ok(())
    }

    /// Encrypts and writes until all is gone or the socket is full.
    fn encrypt<'m>(&mut self, rest: &mut Rest<'m, impl Pieces<'m>>) -> io::Result<()> {
        let Some(session) = &mut self.tls else { return Ok(()) };
        while !self.full {
            // What is encrypted waits in memory: nothing is, before what was has gone.
            self.full = tls::push(session, &self.socket)?;
            if self.full || (self.backlog.is_empty() && rest.is_empty()) {
                break;
            }
            let waiting: &[u8] = self.backlog.make_contiguous();
            let mut done = 0;
            while done < waiting.len().min(ENCRYPTED) {
                let unsent = &waiting[done..];
                // The bytes of a splice are no messages: they go as they lie.
                let len = if self.spliced.is_some() { ENCRYPTED } else { message_len(unsent) };
                let message = &unsent[..len.min(unsent.len())];
                tls::encrypt(session, [message, &[], &[]])?;
                done += message.len();
            }
            self.backlog.drain(..done);
            while done < ENCRYPTED
                && let Some(message) = rest.next()
            {
                tls::encrypt(session, message)?;
                done += message.iter().map(|piece| piece.len()).sum::<usize>();
            }
        }
        Ok(())
    }

    /// Keeps what was not taken: the rest of a message that is on its way whatever it takes, others
    /// as long as there is room.
    fn queue<'m>(&mut self, rest: Rest<'m, impl Pieces<'m>>, bound: usize) -> u64 {
        let (mut dropped, mut gone) = (0, rest.gone);
        for piece in rest.pieces {
            let room = match piece.cargo {
                Cargo::Data => bound,
                Cargo::Answer => bound + ANSWER_ROOM,
                Cargo::Raw => usize::MAX,
            };
            if gone == 0 && self.backlog.len() + piece.content.len() > room {
                dropped += 1;
                continue;
            }
            for bytes in without(&mut gone, piece.content.pieces(rest.memory)) {
                self.backlog.extend(bytes);
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

/// Messages of a turn, in order.
trait Pieces<'m>: Iterator<Item = &'m Piece> + Clone {}
impl<'m, I: Iterator<Item = &'m Piece> + Clone> Pieces<'m> for I {}

/// What has not gone yet of a turn's messages.
struct Rest<'m, I: Pieces<'m>> {
    pieces: Peekable<I>,
    /// Where they lie.
    memory: &'m [u8],
    /// Bytes of the first that are gone.
    gone: usize,
}

impl<'m, I: Pieces<'m>> Rest<'m, I> {
    fn is_empty(&mut self) -> bool {
        self.pieces.peek().is_none()
    }

    /// All of it.
    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let (memory, mut gone) = (self.memory, self.gone);
        let pieces = self.pieces.clone();
        pieces.flat_map(move |piece| without(&mut gone, piece.content.pieces(memory)))
    }

    /// Takes the first message out. Nothing of it is gone.
    fn next(&mut self) -> Option<[&'m [u8]; Content::PIECES]> {
        debug_assert_eq!(self.gone, 0, "messages go whole or in part");
        Some(self.pieces.next()?.content.pieces(self.memory))
    }

    /// So many bytes more have gone.
    fn advance(&mut self, taken: usize) {
        self.gone += taken;
        while let Some(piece) = self.pieces.peek()
            && piece.content.len() <= self.gone
        {
            self.gone -= piece.content.len();
            self.pieces.next();
        }
    }
}

/// `pieces` without the first `gone` bytes of all; what is left of `gone` is for what follows.
fn without<'m>(
    gone: &mut usize,
    pieces: [&'m [u8]; Content::PIECES],
) -> [&'m [u8]; Content::PIECES] {
    pieces.map(|bytes| {
        let cut = bytes.len().min(*gone);
        *gone -= cut;
        &bytes[cut..]
    })
}

/// How long the first message in `waiting` is.
fn message_len(waiting: &[u8]) -> usize {
    frame::expected(waiting).unwrap_or(waiting.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_gone_begins_behind_what_has_wherever_that_was_cut() {
        let memory: Vec<u8> = (0..=99).collect();
        let mut outbox = Outbox::default();
        let mut chain = Chain::EMPTY;
        // With header and padding, with neither, and with a header alone.
        for (front, bytes, pad) in [(90..94, 0..5, 3), (0..0, 20..40, 0), (94..98, 40..40, 0)] {
            outbox.push(&mut chain, Content { front, bytes, pad }, Cargo::Data);
        }
        let rest = || Rest { pieces: outbox.pieces(chain).peekable(), memory: &memory, gone: 0 };
        let whole: Vec<u8> = rest().slices().flatten().copied().collect();
        assert_eq!(whole[..12], [90, 91, 92, 93, 0, 1, 2, 3, 4, 0, 0, 0]);
        assert_eq!(whole.len(), 36);
        for gone in 0..=whole.len() {
            for more in 0..=whole.len() - gone {
                let mut rest = rest();
                rest.advance(gone);
                rest.advance(more);
                let left: Vec<u8> = rest.slices().flatten().copied().collect();
                assert_eq!(left, whole[gone + more..], "{gone} and {more} bytes are gone");
                assert_eq!(rest.is_empty(), left.is_empty());
            }
        }
    }
}
