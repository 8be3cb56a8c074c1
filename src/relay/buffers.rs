//! The memory of one shard's packets: slots that are touched only as far as packets fill them.

use crate::packet::{HEADROOM, MIN_BUFFER, TAILROOM};

/// The largest datagram: what a 16-bit length can say.
pub(super) const MAX_DATAGRAM: usize = 65_536;

/// Slots of 64 KiB that all begin alike in memory would fall into the same few cache sets. This
/// many bytes between them (25 cache lines) spread the first 1,500 bytes of 64 slots evenly.
const STAGGER: usize = 1600 - HEADROOM - TAILROOM;

/// Equal slots, each with headroom in front and tail behind.
pub(super) struct Buffers {
    memory: Box<[u8]>,
    room: usize,
    stride: usize,
    /// Where the small slots begin that answers are written into.
    answers: usize,
    /// Where the fronts of a train's datagrams begin.
    fronts: usize,
}

impl Buffers {
    /// `slots` slots for datagrams of up to `room` bytes, `answers` slots for answers and `fronts` for
    /// what goes in front of a train's datagrams. Fresh memory of the kernel: 4 MiB of it cost what the
    /// packets really fill.
    pub(super) fn new(slots: usize, room: usize, answers: usize, fronts: usize) -> Self {
        let stride = HEADROOM + room + TAILROOM + STAGGER;
        let answers_at = slots * stride;
        let fronts_at = answers_at + answers * MIN_BUFFER;
        let shadow = room + TAILROOM;
        let memory = vec![0; fronts_at + fronts * HEADROOM + shadow].into_boxed_slice();
        Self { memory, room, stride, answers: answers_at, fronts: fronts_at }
    }

    /// Where the datagram of `slot` is received.
    pub(super) fn room(&mut self, slot: usize) -> &mut [u8] {
        let start = self.start(slot) + HEADROOM;
        &mut self.memory[start..start + self.room]
    }

    /// All of `slot`: headroom, datagram, tail.
    pub(super) fn slot(&mut self, slot: usize) -> &mut [u8] {
        let start = self.start(slot);
        &mut self.memory[start..start + HEADROOM + self.room + TAILROOM]
    }

    /// All of `count` slots from `slot` on, as one piece.
    pub(super) fn span(&mut self, slot: usize, count: usize) -> &mut [u8] {
        let start = self.start(slot);
        &mut self.memory[start..start + count * self.stride]
    }

    /// How many slots `len` bytes from the beginning of one reach into.
    pub(super) fn slots(&self, len: usize) -> usize {
        len.div_ceil(self.stride)
    }

    /// Where `slot` begins in [`Self::memory`].
    pub(super) fn start(&self, slot: usize) -> usize {
        slot * self.stride
    }

    /// All of answer slot `index`.
    pub(super) fn answer(&mut self, index: usize) -> &mut [u8] {
        let start = self.answer_start(index);
        &mut self.memory[start..start + MIN_BUFFER]
    }

    /// Where answer slot `index` begins in [`Self::memory`].
    pub(super) fn answer_start(&self, index: usize) -> usize {
        self.answers + index * MIN_BUFFER
    }

    /// Where the front at `index` is, for a datagram of a train: [`HEADROOM`] bytes to write into, and
    /// behind them as many as the datagram has, which stand in for it and mean nothing. Fronts before
    /// this one are not touched by what is done with it, those behind it are.
    pub(super) fn front(&mut self, index: usize) -> &mut [u8] {
        let start = self.front_start(index);
        &mut self.memory[start..]
    }

    /// Where the front at `index` begins in [`Self::memory`].
    pub(super) fn front_start(&self, index: usize) -> usize {
        self.fronts + index * HEADROOM
    }

    /// Everything, to change in place.
    pub(super) fn memory_mut(&mut self) -> &mut [u8] {
        &mut self.memory
    }

    /// Everything, to send from.
    pub(super) fn memory(&self) -> &[u8] {
        &self.memory
    }
}
