//! What is sent: a time, whose it is, and filling; as ChannelData, as an indication, or plain.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use crate::stun::{
    AttributeType, Class, Data, Message, Method, TransactionId, Writer, XorPeerAddress,
    channel_data,
};

/// The smallest payload: time and mark.
pub(super) const SMALLEST: usize = 16;

/// The most datagrams of a train, and the most bytes of all of them.
const MOST: usize = 64;
const LONGEST: usize = 65_000;

/// Marks our own, among whatever else may arrive.
const MARK: u32 = 0x5248_4245;

/// Nanoseconds since the run began.
pub(super) fn stamp(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// A train of equal messages that each carry a payload of `size` bytes.
pub(super) struct Train {
    /// All messages, one behind the other.
    pub(super) bytes: Vec<u8>,
    /// Of each.
    pub(super) message: usize,
    /// Where in a message its payload is.
    payload: usize,
}

/// What is around a payload.
#[derive(Clone, Copy, Debug)]
pub(super) enum Around {
    /// Nothing: what peers send.
    Nothing,
    /// A channel's header, padded on streams.
    Channel { number: u16, padded: bool },
    /// A Send indication.
    Indication(SocketAddr),
}

impl Train {
    /// A train of `count` messages.
    pub(super) fn new(around: Around, size: usize, count: usize) -> Self {
        let mut payload = vec![0x55; size];
        payload[8..12].copy_from_slice(&MARK.to_be_bytes());
        let (message, at) = match around {
            Around::Nothing => (payload, 0),
            Around::Channel { number, padded } => {
                let mut message = channel_data::header(number, size).to_vec();
                message.extend(payload);
                if padded {
                    message.resize(message.len().next_multiple_of(4), 0);
                }
                (message, channel_data::HEADER)
            }
            Around::Indication(peer) => {
                let mut message = vec![0; size + 128];
                let id = TransactionId([7; 12]);
                let mut out = Writer::new(&mut message, Class::Indication, Method::SEND, id);
                out.put(&XorPeerAddress(peer)).put(&Data(&payload));
                let len = out.finish().expect("it fits");
                message.truncate(len);
                let data =
                    Message::parse(&message).ok().and_then(|m| m.range_of(AttributeType::DATA));
                let at = data.expect("it was put in").start;
                (message, at)
            }
        };
        Self { bytes: message.repeat(count), message: message.len(), payload: at }
    }

    /// All bytes, cut into what one call sends: trains as long as the kernel takes them, or each message
    /// `singly`.
    pub(super) fn calls(&self, singly: bool) -> impl Iterator<Item = &[u8]> {
        let most = if singly { 1 } else { MOST.min(LONGEST / self.message) };
        self.bytes.chunks(most.max(1) * self.message)
    }

    /// Writes the time into every message.
    pub(super) fn stamp(&mut self, now: u64) {
        for message in self.bytes.chunks_mut(self.message) {
            message[self.payload..self.payload + 8].copy_from_slice(&now.to_be_bytes());
        }
    }
}

/// When a payload was sent, if it is one of ours.
pub(super) fn read(payload: &[u8]) -> Option<u64> {
    let mark = u32::from_be_bytes(payload.get(8..12)?.try_into().ok()?);
    (mark == MARK).then(|| u64::from_be_bytes(payload[..8].try_into().expect("eight bytes")))
}

/// Where the payload is in what a client received: ChannelData or a Data indication.
pub(super) fn of_client(message: &[u8]) -> Option<Range<usize>> {
    if let Some((_, len)) = channel_data::parse(message) {
        return Some(channel_data::HEADER..channel_data::HEADER + len);
    }
    let parsed = Message::parse(message).ok()?;
    parsed.range_of(AttributeType::DATA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_train_carries_its_time_in_each_message() {
        let peer = "127.0.0.1:9".parse().expect("an address");
        for around in [Around::Channel { number: 0x4000, padded: true }, Around::Indication(peer)] {
            let mut train = Train::new(around, 101, 3);
            train.stamp(77);
            assert_eq!(train.bytes.len(), 3 * train.message);
            for message in train.bytes.chunks(train.message) {
                // An indication goes to the server; what comes back has the same attributes.
                let at = of_client(message).expect("a payload");
                assert_eq!(at.len(), 101);
                assert_eq!(read(&message[at]), Some(77));
            }
        }
        assert_eq!(read(&[0; 16]), None);
    }

    #[test]
    fn a_long_burst_is_several_trains() {
        let calls = |size, count, singly| {
            let burst = Train::new(Around::Nothing, size, count);
            burst.calls(singly).map(|call| call.len() / size).collect::<Vec<_>>()
        };
        assert_eq!(calls(100, 130, false), [64, 64, 2]);
        assert_eq!(calls(1300, 64, false), [50, 14], "a train has a length");
        assert_eq!(calls(100, 3, true), [1, 1, 1]);
    }
}
