//! Every bound of the room machine, by name. Reaching one is an answer, never growth.

use std::time::Duration;

/// What the machine accepts and keeps at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubLimits {
    /// Rooms open at once; [`Hub::open`](super::Hub::open) refuses more.
    pub rooms: usize,
    /// The largest capacity a room may have, whatever was asked for.
    pub peers_per_room: usize,
    /// Guests waiting in one lobby.
    pub waiting_per_room: usize,
    /// Kicked peers a room remembers and refuses; the oldest is forgotten first.
    pub kicked_per_room: usize,
    /// Bytes of a whole message on the wire; checked where bytes are still bytes.
    pub message: usize,
    /// Bytes of an SDP.
    pub sdp: usize,
    /// Bytes of a candidate's JSON.
    pub candidate: usize,
    /// Bytes of an application message's JSON.
    pub data: usize,
    /// Nesting of a message's JSON; checked where bytes are still bytes.
    pub depth: usize,
    /// Messages sent to a connection that it has not confirmed; one more and the reader is slow.
    /// An absent peer may miss as many again before it is given up.
    pub queue_messages: usize,
    /// Bytes of unconfirmed messages, counted like [`queue_messages`](Self::queue_messages).
    pub queue_bytes: usize,
    /// How long a dropped peer keeps its place.
    pub resume: Duration,
    /// A room closes when nobody in it has said anything for so long, a ping included; zero is never.
    pub silence: Duration,
    /// Messages a second a connection may send for long.
    pub rate: u32,
    /// Messages it may send at once, on top.
    pub burst: u32,
    /// Bad messages it may send at once; one more is forgiven every [`bad_every`](Self::bad_every).
    pub bad_burst: u32,
    /// How long it takes to forgive one bad message.
    pub bad_every: Duration,
    /// When one that was disconnected for a flood may come back.
    pub flood_pause: Duration,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            rooms: 10_000,
            peers_per_room: 128,
            waiting_per_room: 64,
            kicked_per_room: 256,
            message: 128 * 1024,
            sdp: 64 * 1024,
            candidate: 4 * 1024,
            data: 16 * 1024,
            depth: 32,
            queue_messages: 512,
            queue_bytes: 2 * 1024 * 1024,
            resume: Duration::from_secs(30),
            // A call that stands needs no signalling, so only a configured time ends it.
            silence: Duration::ZERO,
            // A peer that trickles candidates to a full mesh of ten sends some 300 at once.
            rate: 50,
            burst: 500,
            bad_burst: 10,
            bad_every: Duration::from_secs(5),
            flood_pause: Duration::from_secs(10),
        }
    }
}
