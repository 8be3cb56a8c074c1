//! Rooms, lobby and the messages between peers, as a machine.
//!
//! Sans-IO: connections are numbers, time is an argument, what to send comes out of
//! [`Hub::poll_send`]. The machine knows no JSON but the payloads it passes on unread, checks no
//! ticket (an [`Admission`] is what a verified ticket says) and never meets `turn`.
//!
//! | file | thought |
//! |---|---|
//! | `hub` | the doors |
//! | `join`, `relay`, `moderate`, `part` | coming in, talking, deciding, going |
//! | `room`, `member`, `outbox` | what is kept |
//! | `message`, `reason`, `event`, `ids`, `limits` | the words |
//! | `effects`, `timers`, `bucket`, `token`, `digest` | the tools |

mod bucket;
mod digest;
mod effects;
mod event;
mod hub;
mod ids;
mod join;
mod limits;
mod member;
mod message;
mod moderate;
mod outbox;
mod part;
mod reason;
mod relay;
mod room;
mod timers;
mod token;

#[cfg(test)]
mod tests;

pub use bucket::Bucket;
pub use event::{Actor, Event, HubStats};
pub use hub::{Gone, Hub};
pub use ids::{ConnId, PeerId, RefId, Role, RoomId};
pub use limits::HubLimits;
pub use message::{
    Action, Admission, Body, ClientMessage, Hello, Leave, Moderation, Outgoing, PeerInfo, Presence,
    Ready, RoomView, ServerMessage, SignalKind, WaitingInfo,
};
pub use reason::{CloseReason, ErrorCode, LeaveReason, LeftReason};
pub use room::RoomSpec;
pub use token::ResumeToken;
