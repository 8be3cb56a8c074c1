//! What is to be sent: ranges of a shard's memory, so that a payload stays where the kernel put it.

use std::ops::Range;

/// The padding of an attribute or of ChannelData in a stream (RFC 8489 section 14).
const MAX_PAD: usize = 3;

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// What goes in front of `bytes` and lies elsewhere; often nothing.
    pub(super) front: Range<usize>,
    /// Where its bytes lie.
    pub(super) bytes: Range<usize>,
    /// Zero bytes behind them.
    pub(super) pad: u8,
}

impl Content {
    /// The pieces one message is made of, at most.
    pub(super) const PIECES: usize = 3;

    /// `len` bytes at `start`.
    pub(super) fn at(start: usize, len: usize) -> Self {
        Self { front: 0..0, bytes: start..start + len, pad: 0 }
    }

    /// How many bytes it is.
    pub(super) fn len(&self) -> usize {
        self.front.len() + self.bytes.len() + usize::from(self.pad)
    }

    /// Its first piece: the header is there, if it has one.
    pub(super) fn head<'m>(&self, memory: &'m [u8]) -> &'m [u8] {
        let first = if self.front.is_empty() { &self.bytes } else { &self.front };
        &memory[first.clone()]
    }

    /// Its pieces in `memory`, in order; some may have no bytes.
    pub(super) fn pieces<'m>(&self, memory: &'m [u8]) -> [&'m [u8]; Self::PIECES] {
        const ZEROS: &[u8] = &[0; MAX_PAD];
        let pad = &ZEROS[..usize::from(self.pad).min(MAX_PAD)];
        [&memory[self.front.clone()], &memory[self.bytes.clone()], pad]
    }
}
