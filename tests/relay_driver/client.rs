//! A TURN client over a real socket, just clever enough for one call.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use md5::{Digest, Md5};
use relayhouse::stun::{
    ChannelNumber, Class, Data, ErrorCode, Lifetime, Message, Method, Nonce, Realm,
    RequestedTransport, TransactionId, Username, Writer, XorMappedAddress, XorPeerAddress,
    XorRelayedAddress, channel_data,
};

pub const REALM: &str = "relay.test";

/// A client and, once it has one, its allocation.
pub struct Client {
    pub socket: UdpSocket,
    pub server: SocketAddr,
    username: String,
    password: String,
    nonce: Vec<u8>,
    requests: u32,
}

/// An answer's class, error code and the addresses in it.
#[derive(Debug)]
pub struct Answer {
    pub class: Class,
    pub code: Option<u16>,
    pub mapped: Option<SocketAddr>,
    pub relayed: Option<SocketAddr>,
}

impl Client {
    /// At an address of its own, talking to `server`.
    pub fn new(server: SocketAddr) -> Self {
        Self::at(if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }, server)
    }

    /// At the address `here`, talking to `server`.
    pub fn at(here: &str, server: SocketAddr) -> Self {
        let (username, password) = ("alice".into(), "wonder".into());
        let nonce = Vec::new();
        Self { socket: socket(here), server, username, password, nonce, requests: 0 }
    }

    pub fn named(mut self, username: &str, password: &str) -> Self {
        (self.username, self.password) = (username.into(), password.into());
        self
    }

    pub fn binding(&mut self) -> Answer {
        self.exchange(Method::BINDING, |_| ())
    }

    /// The credential dance, and the relayed address.
    pub fn allocate(&mut self) -> Result<SocketAddr, u16> {
        let ask = |writer: &mut Writer<'_>| {
            writer.put(&RequestedTransport(17));
        };
        let challenge = self.exchange(Method::ALLOCATE, ask);
        assert_eq!(challenge.code, Some(401), "a stranger is challenged");
        let answer = self.exchange(Method::ALLOCATE, ask);
        answer.relayed.ok_or(answer.code.unwrap_or(0))
    }

    pub fn refresh(&mut self, seconds: u32) -> Class {
        self.exchange(Method::REFRESH, |writer| {
            writer.put(&Lifetime(seconds));
        })
        .class
    }

    pub fn permit(&mut self, peer: SocketAddr) -> Class {
        self.exchange(Method::CREATE_PERMISSION, |writer| {
            writer.put(&XorPeerAddress(peer));
        })
        .class
    }

    pub fn bind(&mut self, number: u16, peer: SocketAddr) -> Class {
        self.exchange(Method::CHANNEL_BIND, |writer| {
            writer.put(&ChannelNumber(number)).put(&XorPeerAddress(peer));
        })
        .class
    }

    /// ChannelData to the server.
    pub fn send_channel(&self, number: u16, payload: &[u8]) {
        let mut bytes = channel_data::header(number, payload.len()).to_vec();
        bytes.extend_from_slice(payload);
        self.socket.send_to(&bytes, self.server).expect("sent");
    }

    /// The payload of the next ChannelData.
    pub fn receive_channel(&self, number: u16) -> Vec<u8> {
        let bytes = self.receive();
        let (found, len) = channel_data::parse(&bytes).expect("ChannelData");
        assert_eq!(found, number);
        bytes[channel_data::HEADER..][..len].to_vec()
    }

    /// A Send indication to the server.
    pub fn send_indication(&mut self, peer: SocketAddr, payload: &[u8]) {
        let mut buffer = vec![0; payload.len() + 200];
        let mut writer = Writer::new(&mut buffer, Class::Indication, Method::SEND, self.next_id());
        writer.put(&XorPeerAddress(peer)).put(&Data(payload));
        let len = writer.finish().expect("it fits");
        self.socket.send_to(&buffer[..len], self.server).expect("sent");
    }

    /// Peer and payload of the next Data indication.
    pub fn receive_indication(&self) -> (SocketAddr, Vec<u8>) {
        data_indication(&self.receive())
    }

    /// The next datagram, which has to come from where this client sends to.
    fn receive(&self) -> Vec<u8> {
        let mut buffer = vec![0; 65_536];
        let (len, from) = self.socket.recv_from(&mut buffer).expect("something arrives");
        assert_eq!(from, self.server, "answers come from the address that was asked");
        buffer.truncate(len);
        buffer
    }

    fn exchange(&mut self, method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Answer {
        let id = self.next_id();
        let mut buffer = [0; 1024];
        let mut writer = Writer::new(&mut buffer, Class::Request, method, id);
        fill(&mut writer);
        if !self.nonce.is_empty() {
            writer.put(&Username(&self.username)).put(&Realm(REALM)).put(&Nonce(&self.nonce));
            let credential = format!("{}:{REALM}:{}", self.username, self.password);
            writer.integrity_sha1(&Md5::digest(credential));
        }
        let len = writer.finish().expect("it fits");
        self.socket.send_to(&buffer[..len], self.server).expect("sent");

        let bytes = self.receive();
        let message = Message::parse(&bytes).expect("STUN");
        assert_eq!(message.transaction_id(), id);
        if let Ok(Some(Nonce(nonce))) = message.get::<Nonce<'_>>() {
            self.nonce = nonce.to_vec();
        }
        let code = message.get::<ErrorCode<'_>>().expect("well-formed").map(|error| error.code);
        let mapped = message.get::<XorMappedAddress>().expect("well-formed").map(|found| found.0);
        let relayed = message.get::<XorRelayedAddress>().expect("well-formed").map(|found| found.0);
        Answer { class: message.class(), code, mapped, relayed }
    }

    fn next_id(&mut self) -> TransactionId {
        self.requests += 1;
        let mut id = [7; 12];
        id[..4].copy_from_slice(&self.requests.to_be_bytes());
        TransactionId(id)
    }
}

/// Peer and payload of a Data indication.
pub fn data_indication(bytes: &[u8]) -> (SocketAddr, Vec<u8>) {
    let message = Message::parse(bytes).expect("STUN");
    assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
    let peer = message.get::<XorPeerAddress>().expect("well-formed").expect("a peer").0;
    let data = message.get::<Data<'_>>().expect("well-formed").expect("data").0;
    (peer, data.to_vec())
}

/// A plain socket that does not wait for ever.
pub fn socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("a loopback socket");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    socket
}
