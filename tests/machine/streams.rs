//! Clients over TCP, and what they do with TCP relays (RFC 6062).

use std::net::SocketAddr;

use relayhouse::net::Transport;
use relayhouse::stun::{
    ConnectionId as ConnectionIdAttribute, Method, RequestedTransport, Writer, XorPeerAddress,
    XorRelayedAddress,
};
use relayhouse::turn::ConnectionId;

use super::{Client, Sent, World, addr};

impl Client {
    /// As [`Client::at`], over TCP.
    pub fn over_tcp(remote: &str) -> Self {
        let mut client = Self::at(remote);
        client.flow.transport = Transport::Tcp;
        client
    }

    /// Another connection of the same client, from this address.
    pub fn second_connection(&self, remote: &str) -> Self {
        let mut second = self.clone();
        second.flow.remote.0 = addr(remote);
        second
    }

    /// Greets if need be, then an Allocate for a TCP relay with more attributes.
    pub fn allocate_tcp_with(
        &mut self,
        world: &mut World,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Sent {
        if self.nonce.is_empty() {
            self.greet(world);
        }
        self.ask(world, Method::ALLOCATE, |writer| {
            writer.put(&RequestedTransport(6));
            fill(writer);
        })
    }

    /// A TCP allocation that must succeed: its relayed address.
    pub fn allocate_tcp(&mut self, world: &mut World) -> SocketAddr {
        let answer = self.allocate_tcp_with(world, |_| {});
        assert_eq!(answer.code(), 0);
        answer.get::<XorRelayedAddress>().expect("a relayed address").0
    }

    /// A Connect and its answer.
    pub fn connect(&mut self, world: &mut World, peer: &str) -> Sent {
        self.ask(world, Method::CONNECT, |writer| {
            writer.put(&XorPeerAddress(addr(peer)));
        })
    }

    /// A Connect that must succeed: the connection.
    pub fn connected(&mut self, world: &mut World, peer: &str) -> ConnectionId {
        let answer = self.connect(world, peer);
        assert_eq!(answer.code(), 0);
        named(&answer)
    }

    /// A Connect that is not answered now.
    pub fn connect_in_vain(&mut self, world: &mut World, peer: &str) {
        let request = self.request(Method::CONNECT, |writer| {
            writer.put(&XorPeerAddress(addr(peer)));
        });
        assert_eq!(world.client_sends(self.flow, &request), []);
    }

    /// A ConnectionBind on this connection, and its answer.
    pub fn bind_connection(&mut self, world: &mut World, id: ConnectionId) -> Sent {
        self.ask(world, Method::CONNECTION_BIND, |writer| {
            writer.put(&ConnectionIdAttribute(id.0));
        })
    }
}

/// CONNECTION-ID.
pub fn named(sent: &Sent) -> ConnectionId {
    let id = sent.get::<ConnectionIdAttribute>().expect("CONNECTION-ID");
    ConnectionId(id.0)
}
