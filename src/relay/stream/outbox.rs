//! What waits to be written to connections: pieces of the shard's buffers, chained per connection,
//! so that a turn's messages for a client leave with one call.

use super::super::content::Content;

/// No piece.
const NONE: u32 = u32::MAX;

/// The pieces of one connection: first and last in [`Outbox`].
#[derive(Clone, Copy, Debug)]
pub(in crate::relay) struct Chain {
    first: u32,
    last: u32,
}

impl Chain {
    /// Nothing waits.
    pub(in crate::relay) const EMPTY: Self = Self { first: NONE, last: NONE };

    /// Whether nothing waits.
    pub(in crate::relay) fn is_empty(self) -> bool {
        self.first == NONE
    }
}

/// What a message is worth when its client does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::relay) enum Cargo {
    /// Data of a peer: the first to go.
    Data,
    /// An answer to the client: it has some room of its own.
    Answer,
    /// Bytes of a spliced connection: none of them is dropped. Whoever reads them reads no more while
    /// they wait.
    Raw,
}

/// One message.
#[derive(Clone, Debug)]
pub(in crate::relay) struct Piece {
    /// Where it lies in the shard's memory.
    pub(in crate::relay) content: Content,
    /// What it is.
    pub(in crate::relay) cargo: Cargo,
    next: u32,
}

/// All pieces of a turn.
#[derive(Debug, Default)]
pub(in crate::relay) struct Outbox {
    pieces: Vec<Piece>,
    /// Slots of the connections that are to be written to.
    waiting: Vec<u32>,
}

impl Outbox {
    /// The most pieces it is meant to hold: a shard flushes before it puts more in.
    const ENOUGH: usize = 1024;

    /// Whether nothing waits anywhere.
    pub(in crate::relay) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether it is time to write.
    pub(in crate::relay) fn is_full(&self) -> bool {
        self.pieces.len() >= Self::ENOUGH
    }

    /// Puts a message behind what waits in `chain`.
    pub(in crate::relay) fn push(&mut self, chain: &mut Chain, content: Content, cargo: Cargo) {
        let index = self.pieces.len() as u32;
        self.pieces.push(Piece { content, cargo, next: NONE });
        match chain.is_empty() {
            true => chain.first = index,
            false => self.pieces[chain.last as usize].next = index,
        }
        chain.last = index;
    }

    /// The connection in `slot` is to be written to.
    pub(in crate::relay) fn call(&mut self, slot: u32) {
        self.waiting.push(slot);
    }

    /// The next connection to write to.
    pub(in crate::relay) fn next(&mut self) -> Option<u32> {
        self.waiting.pop()
    }

    /// The messages of `chain`, in order.
    pub(in crate::relay) fn pieces(&self, chain: Chain) -> impl Iterator<Item = &Piece> + Clone {
        let first = self.pieces.get(chain.first as usize);
        std::iter::successors(first, |piece| self.pieces.get(piece.next as usize))
    }

    /// Forgets all pieces.
    pub(in crate::relay) fn clear(&mut self) {
        self.pieces.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_two_connections_keep_their_order() {
        let mut outbox = Outbox::default();
        let (mut near, mut far) = (Chain::EMPTY, Chain::EMPTY);
        for start in 0..6 {
            let chain = if start % 2 == 0 { &mut near } else { &mut far };
            outbox.push(chain, Content::at(start, 1), Cargo::Data);
        }
        let starts =
            |chain| outbox.pieces(chain).map(|piece| piece.content.bytes.start).collect::<Vec<_>>();
        assert_eq!(starts(near), [0, 2, 4]);
        assert_eq!(starts(far), [1, 3, 5]);
        assert!(starts(Chain::EMPTY).is_empty());
    }
}
