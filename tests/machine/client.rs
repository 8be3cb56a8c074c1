//! A TURN client, which does the credential dance.

use std::net::SocketAddr;

use relayhouse::net::Flow;
use relayhouse::stun::{
    ChannelNumber, Class, Lifetime, Method, Nonce, Realm, RequestedTransport, TransactionId,
    Username, Writer, XorPeerAddress, XorRelayedAddress,
};
use relayhouse::turn::Route;

use super::{REALM, Sent, World, addr, channel_data, udp, write};

/// A TURN client: its five-tuple, its credential and the nonce it was given.
#[derive(Clone, Debug)]
pub struct Client {
    pub flow: Flow,
    pub username: String,
    pub password: String,
    pub nonce: Vec<u8>,
    pub next_id: u64,
}

impl Client {
    /// Alice, at this address, with the static password.
    pub fn at(remote: &str) -> Self {
        let local =
            if remote.starts_with('[') { "[2001:db8:1::1]:3478" } else { "198.51.100.1:3478" };
        Self {
            flow: udp(local, remote),
            username: "alice".into(),
            password: "wonder".into(),
            nonce: Vec::new(),
            next_id: 1,
        }
    }

    pub fn named(mut self, username: &str, password: &str) -> Self {
        self.username = username.into();
        self.password = password.into();
        self
    }

    pub fn key(&self) -> [u8; 16] {
        use md5::{Digest, Md5};
        Md5::digest(format!("{}:{REALM}:{}", self.username, self.password)).into()
    }

    pub fn id(&mut self) -> TransactionId {
        self.next_id += 1;
        let mut id = [0; 12];
        id[4..].copy_from_slice(&self.next_id.to_be_bytes());
        TransactionId(id)
    }

    /// A signed request.
    pub fn request(&mut self, method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let id = self.id();
        self.request_with_id(method, id, fill)
    }

    pub fn request_with_id(
        &mut self,
        method: Method,
        id: TransactionId,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Vec<u8> {
        let key = self.key();
        write(Class::Request, method, id, |writer| {
            fill(writer);
            writer.put(&Username(&self.username)).put(&Realm(REALM)).put(&Nonce(&self.nonce));
            writer.integrity_sha1(&key);
        })
    }

    /// A request without credentials.
    pub fn bare(&mut self, method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let id = self.id();
        write(Class::Request, method, id, fill)
    }

    /// Sends a signed request; the one answer.
    pub fn ask(
        &mut self,
        world: &mut World,
        method: Method,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Sent {
        let request = self.request(method, fill);
        self.exchange(world, &request)
    }

    /// Sends these bytes; the one answer.
    pub fn exchange(&self, world: &mut World, request: &[u8]) -> Sent {
        let mut sent = world.client_sends(self.flow, request);
        assert_eq!(sent.len(), 1, "one answer; dropped: {:?}", world.drops);
        let sent = sent.remove(0);
        assert_eq!(sent.route, Route::Client(self.flow), "answered to where it came from");
        sent
    }

    /// The first contact, which brings the nonce.
    pub fn greet(&mut self, world: &mut World) {
        let request = self.bare(Method::ALLOCATE, |w| {
            w.put(&RequestedTransport(17));
        });
        let challenge = self.exchange(world, &request);
        assert_eq!(challenge.code(), 401);
        self.nonce = challenge.get::<Nonce<'_>>().expect("a nonce").0.to_vec();
    }

    /// Greets if need be, then an Allocate with more attributes.
    pub fn allocate_with(&mut self, world: &mut World, fill: impl FnOnce(&mut Writer<'_>)) -> Sent {
        if self.nonce.is_empty() {
            self.greet(world);
        }
        self.ask(world, Method::ALLOCATE, |writer| {
            writer.put(&RequestedTransport(17));
            fill(writer);
        })
    }

    /// A plain allocation that must succeed: its relayed address.
    pub fn allocate(&mut self, world: &mut World) -> SocketAddr {
        let answer = self.allocate_with(world, |_| {});
        assert_eq!(answer.code(), 0);
        answer.get::<XorRelayedAddress>().expect("a relayed address").0
    }

    pub fn refresh(&mut self, world: &mut World, seconds: u32) -> Sent {
        self.ask(world, Method::REFRESH, |writer| {
            writer.put(&Lifetime(seconds));
        })
    }

    pub fn permit(&mut self, world: &mut World, peer: &str) -> Sent {
        self.ask(world, Method::CREATE_PERMISSION, |writer| {
            writer.put(&XorPeerAddress(addr(peer)));
        })
    }

    pub fn bind(&mut self, world: &mut World, number: u16, peer: &str) -> Sent {
        self.ask(world, Method::CHANNEL_BIND, |writer| {
            writer.put(&ChannelNumber(number)).put(&XorPeerAddress(addr(peer)));
        })
    }

    /// Data in a Send indication.
    pub fn send(&mut self, world: &mut World, peer: &str, data: &[u8]) -> Vec<Sent> {
        let id = self.id();
        let bytes = write(Class::Indication, Method::SEND, id, |writer| {
            writer.put(&XorPeerAddress(addr(peer))).put(&relayhouse::stun::Data(data));
        });
        world.client_sends(self.flow, &bytes)
    }

    /// Data on a channel.
    pub fn send_channel(&self, world: &mut World, number: u16, data: &[u8]) -> Vec<Sent> {
        world.client_sends(self.flow, &channel_data(number, data))
    }
}
