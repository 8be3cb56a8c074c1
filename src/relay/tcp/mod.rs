//! TCP relays (RFC 6062): their listening sockets, the connections to peers, and the bytes that pass
//! between those and clients once both are spliced.
//!
//! What a peer sends is not read before its connection is spliced; from then on neither side is read
//! while the other does not take what it was sent: the windows of both connections do the rest.

mod peer;
mod peers;
mod relays;

pub(super) use peer::{Peer, Phase};
pub(super) use peers::Peers;
pub(super) use relays::{Accepted, TcpRelays, connect, listen};
