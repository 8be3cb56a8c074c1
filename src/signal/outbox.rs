//! What a peer was sent and has not confirmed, kept to be replayed when it resumes.

use std::collections::VecDeque;

use super::{HubLimits, ServerMessage};

/// Added to a payload's bytes for everything around it.
const OVERHEAD: usize = 128;

/// Numbered messages, oldest first. Never longer than three times the limits: two while its peer is
/// absent, and one more sent after it came back.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<(u64, ServerMessage)>,
    bytes: usize,
    /// The last number given.
    last: u64,
    /// The last number confirmed.
    confirmed: u64,
    /// What the present connection was sent on arrival: a replay does not make a reader slow.
    replayed: u64,
    /// Bytes sent since then and not confirmed.
    fresh_bytes: usize,
}

/// Whether somebody reads what is put in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Present,
    Absent,
}

impl Outbox {
    /// Whether one more message fits.
    pub(super) fn has_room(&self, reader: Reader, limits: &HubLimits) -> bool {
        match reader {
            Reader::Present => {
                let fresh = self.last - self.confirmed.max(self.replayed);
                fresh < limits.queue_messages as u64 && self.fresh_bytes < limits.queue_bytes
            }
            Reader::Absent => {
                self.queue.len() < limits.queue_messages.saturating_mul(2)
                    && self.bytes < limits.queue_bytes.saturating_mul(2)
            }
        }
    }

    /// Keeps `message` and gives it the next number.
    pub(super) fn push(&mut self, message: ServerMessage) -> u64 {
        self.last += 1;
        self.bytes += weight(&message);
        self.fresh_bytes += weight(&message);
        self.queue.push_back((self.last, message));
        self.last
    }

    /// Forgets everything up to `seq`. A number that was never given confirms nothing.
    pub(super) fn confirm(&mut self, seq: u64) {
        if seq > self.last {
            return;
        }
        while let Some((number, message)) = self.queue.front()
            && *number <= seq
        {
            self.bytes -= weight(message);
            if *number > self.replayed {
                self.fresh_bytes -= weight(message);
            }
            self.confirmed = *number;
            self.queue.pop_front();
        }
    }

    /// Whether everything after `seq` is still here.
    pub(super) fn reaches_back_to(&self, seq: u64) -> bool {
        (self.confirmed..=self.last).contains(&seq)
    }

    /// A new connection reads from here on; what is unconfirmed is replayed to it.
    pub(super) fn begin_replay(&mut self) {
        self.replayed = self.last;
        self.fresh_bytes = 0;
    }

    /// What is not confirmed, oldest first.
    pub(super) fn unconfirmed(&self) -> impl DoubleEndedIterator<Item = &(u64, ServerMessage)> {
        self.queue.iter()
    }
}

fn weight(message: &ServerMessage) -> usize {
    match message {
        ServerMessage::Signal { payload, .. } => payload.len() + OVERHEAD,
        _ => OVERHEAD,
    }
}
