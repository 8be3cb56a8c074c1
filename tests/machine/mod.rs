//! A relay without sockets: the machine at its doors, with a clock that moves only when told.
//!
//! [`World`] plays the driver (it opens every socket asked for, unless told not to); [`Client`]
//! plays a TURN client that does the credential dance.

#![allow(dead_code, reason = "every test binary uses its own part")]

mod client;
mod streams;
mod world;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use relayhouse::creds::{CredentialSettings, Credentials, Secret};
use relayhouse::net::{ClientAddr, Flow, PeerAddr, RelayPort, Transport};
use relayhouse::stun::{Attribute, Class, ErrorCode, Message, Method, TransactionId, Writer};
use relayhouse::turn::{ChannelNumbers, Limits, QuotaLimits, RelayAddress, Route, Settings};

pub use client::Client;
#[allow(unused_imports, reason = "every test binary uses its own part")]
pub use streams::named;
#[allow(unused_imports, reason = "every test binary uses its own part")]
pub use world::{Peers, Tie, World};

pub const REALM: &str = "relay.test";
pub const SECRET: &str = "north";
pub const START: u64 = 1_800_000_000;

pub fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub fn addr(text: &str) -> SocketAddr {
    text.parse().expect("an address and port")
}

/// One IPv4 and one IPv6 relay address, both public.
pub fn settings() -> Settings {
    let relay = |text| RelayAddress { local: ip(text), public: ip(text) };
    Settings {
        relay_addresses: vec![relay("198.51.100.1"), relay("2001:db8:1::1")],
        ports: 50_000..=50_999,
        channel_numbers: ChannelNumbers::Rfc5766,
        limits: Limits::default(),
        quota: QuotaLimits::default(),
        allow: Vec::new(),
        deny: vec!["10.0.0.0/8".parse().expect("net"), "127.0.0.0/8".parse().expect("net")],
        own_addresses: vec![ip("198.51.100.1"), ip("2001:db8:1::1")],
        service_ports: vec![addr("198.51.100.1:3478")],
        unauthenticated_rate: 0,
        nat_discovery: Vec::new(),
        alternate: Vec::new(),
        draining: false,
    }
}

pub fn credentials() -> Credentials {
    let secret = |text: &str| Secret::from(text.to_owned());
    Credentials::new(CredentialSettings {
        realm: REALM.into(),
        secrets: vec!["old".into(), SECRET.into()],
        users: vec![("alice".into(), secret("wonder")), ("bob".into(), secret("builder"))],
        separator: ':',
        sha256: true,
        strict_expiry: false,
        nonce_lifetime: Duration::from_secs(3600),
        nonce_key: [7; 32],
    })
    .expect("good settings")
}

/// A datagram that left the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub route: Route,
    pub bytes: Vec<u8>,
}

impl Sent {
    /// It as a STUN message, for asserting on attributes.
    pub fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).expect("the machine writes well-formed STUN")
    }

    /// The code of an error response; 0 for a success.
    pub fn code(&self) -> u16 {
        let message = self.message();
        match message.class() {
            Class::Success => 0,
            Class::Error => {
                let error = message.get::<ErrorCode<'_>>().expect("well-formed");
                error.expect("an error response says which").code
            }
            other => panic!("not a response: {other:?}"),
        }
    }

    pub fn get<'a, T: Attribute<'a>>(&'a self) -> Option<T> {
        self.message().get::<T>().expect("well-formed")
    }
}

pub fn udp(local: &str, remote: &str) -> Flow {
    Flow { transport: Transport::Udp, local: addr(local), remote: ClientAddr(addr(remote)) }
}

pub fn channel_data(number: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = relayhouse::stun::channel_data::header(number, data.len()).to_vec();
    bytes.extend_from_slice(data);
    bytes
}

pub fn write(
    class: Class,
    method: Method,
    id: TransactionId,
    fill: impl FnOnce(&mut Writer<'_>),
) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let mut writer = Writer::new(&mut bytes, class, method, id);
    fill(&mut writer);
    let len = writer.finish().expect("it fits");
    bytes.truncate(len);
    bytes
}

/// The relay port behind a relayed address of [`settings`].
pub fn port_of(relayed: SocketAddr) -> RelayPort {
    RelayPort { address: u8::from(relayed.is_ipv6()), port: relayed.port() }
}

/// What a client is owed for data to a peer.
pub fn to_peer(relayed: SocketAddr, peer: &str, bytes: &[u8]) -> Sent {
    let to = PeerAddr(addr(peer));
    let route = Route::Peer { from: port_of(relayed), to, dont_fragment: false };
    Sent { route, bytes: bytes.to_vec() }
}
