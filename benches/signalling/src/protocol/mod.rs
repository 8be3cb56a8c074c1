//! What clients of each server say, so that all servers get the same load in their own words.

mod peerjs;
mod relayhouse;
mod y_webrtc;

use std::time::Duration;

pub use peerjs::PeerServer;
pub use relayhouse::Relayhouse;
pub use y_webrtc::YWebrtc;

use crate::options::Options;

/// Where a client goes and what it says first.
pub struct Seat {
    pub room: usize,
    /// The path of the WebSocket.
    pub path: String,
    /// Said as soon as the WebSocket is open.
    pub first: Vec<String>,
    /// What others call it; empty while the server has not told.
    pub name: String,
}

/// What is passed from peer to peer: what signalling passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Offer,
    Candidate,
}

/// What a text of the server means to the load.
pub enum Told {
    /// The client is in; when it is told its name, that.
    In(Option<String>),
    /// It was refused something, or is thrown out.
    Refused,
    /// Anything else.
    Nothing,
}

/// One server's words.
pub trait Protocol {
    /// Makes what must be there before clients come, and says how each comes.
    fn prepare(&self, options: &Options) -> Result<Vec<Seat>, String>;

    /// What a text that carries no stamp means.
    fn told(&self, text: &[u8]) -> Told;

    /// The message of `from` to `to`, or to everybody in the room. `payload` needs no escaping.
    fn say(&self, from: &Seat, to: Option<&Seat>, kind: Kind, payload: &str) -> String;

    /// Whether one message can reach everybody in a room.
    fn broadcasts(&self) -> bool;

    /// What an idle client says, and how often.
    fn heartbeat(&self) -> Option<(Duration, &'static str)> {
        None
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
