//! What a client is told unasked: a peer that wants to connect (RFC 6062 section 5.3), and what ICMP
//! says about its datagrams (RFC 8656 section 11.5). Indications, which nothing protects or answers.

use std::net::SocketAddr;

use super::command::ConnectionId;
use crate::packet::Packet;
use crate::stun::{
    Class, ConnectionId as ConnectionIdAttribute, Icmp, Method, TransactionId, Writer,
    XorPeerAddress,
};

/// An indication that is not data.
#[derive(Clone, Copy, Debug)]
pub(super) enum Notice {
    /// ConnectionAttempt.
    Attempt {
        /// To be bound.
        connection: ConnectionId,
        /// As the client knows it.
        peer: SocketAddr,
    },
    /// A Data indication without data.
    Icmp {
        /// Where the datagram was sent, as the client knows it.
        peer: SocketAddr,
        /// What came back.
        icmp: Icmp,
    },
}

impl Notice {
    /// Writes the indication into `packet`, in the place of whatever is there.
    pub(super) fn write(&self, id: TransactionId, packet: &mut Packet<'_>) -> Option<()> {
        packet.rewrite(|buffer| self.encode(id, buffer).ok_or(())).ok()
    }

    fn encode(&self, id: TransactionId, buffer: &mut [u8]) -> Option<usize> {
        let method = match self {
            Self::Attempt { .. } => Method::CONNECTION_ATTEMPT,
            Self::Icmp { .. } => Method::DATA,
        };
        let mut writer = Writer::new(buffer, Class::Indication, method, id);
        match *self {
            Self::Attempt { connection, peer } => {
                writer.put(&XorPeerAddress(peer)).put(&ConnectionIdAttribute(connection.0));
            }
            Self::Icmp { peer, icmp } => {
                writer.put(&XorPeerAddress(peer)).put(&icmp);
            }
        }
        writer.finish().ok()
    }
}
