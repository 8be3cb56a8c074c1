//! A TURN client over a byte stream, just clever enough for one call.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use md5::{Digest, Md5};
use relayhouse::stun::frame::{self, Frame};
use relayhouse::stun::{
    Attribute, ChannelNumber, Class, ConnectionId, Data, ErrorCode, Lifetime, Message, Method,
    Nonce, Realm, RequestedAddressFamily, RequestedTransport, TransactionId, Username, Writer,
    XorMappedAddress, XorPeerAddress, XorRelayedAddress, channel_data,
};
use rustls::{ClientConnection, StreamOwned};

pub const REALM: &str = "relay.test";
/// The channel of every test.
pub const CHANNEL: u16 = 0x4001;

/// What a client speaks over.
pub enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Udp(UdpSocket),
}

impl Wire {
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.sock,
            Self::Udp(_) => panic!("no stream"),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            Self::Tls(stream) => stream.read(into),
            // A datagram with its padding, as a stream would have it.
            Self::Udp(socket) => {
                let got = socket.recv(into)?;
                let padded = got.next_multiple_of(4);
                into[got..padded].fill(0);
                Ok(padded)
            }
        }
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(from),
            Self::Tls(stream) => stream.write(from),
            Self::Udp(socket) => socket.send(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
            Self::Udp(_) => Ok(()),
        }
    }
}

/// A client and, once it has one, its allocation.
pub struct Client {
    pub wire: Wire,
    read: Vec<u8>,
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
    pub fn new(wire: Wire) -> Self {
        Self { wire, read: Vec::new(), nonce: Vec::new(), requests: 0 }
    }

    /// One that sends datagrams, to `server`.
    pub fn over_udp(server: SocketAddr) -> Self {
        let socket = peer("127.0.0.1:0");
        socket.connect(server).expect("a route");
        Self::new(Wire::Udp(socket))
    }

    pub fn local(&self) -> SocketAddr {
        self.wire.socket().local_addr().expect("connected")
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.wire.write_all(bytes).expect("written");
        self.wire.flush().expect("written");
    }

    /// The next frame, without its padding, which has to be zero.
    pub fn receive(&mut self) -> Vec<u8> {
        self.try_receive().expect("a frame")
    }

    /// The next frame; an error when the connection is at its end.
    pub fn try_receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match frame::next(&self.read) {
                Frame::Whole { len, padded } => {
                    let mut frame: Vec<u8> = self.read.drain(..padded).collect();
                    assert!(frame[len..].iter().all(|byte| *byte == 0), "padding is zero");
                    frame.truncate(len);
                    return Ok(frame);
                }
                Frame::Partial => {
                    let mut buffer = [0; 16_384];
                    let got = self.wire.read(&mut buffer)?;
                    if got == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.read.extend_from_slice(&buffer[..got]);
                }
                Frame::Broken => panic!("the server sends frames"),
            }
        }
    }

    /// Whether the server has closed the connection, within ten seconds.
    pub fn is_closed(&mut self) -> bool {
        loop {
            match self.try_receive() {
                Ok(_) => {}
                Err(error) => {
                    let waiting = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
                    return !waiting.contains(&error.kind());
                }
            }
        }
    }

    pub fn binding(&mut self) -> Answer {
        self.exchange(Method::BINDING, |_| ())
    }

    /// The credential dance, and the relayed address.
    pub fn allocate(&mut self) -> Result<SocketAddr, u16> {
        self.allocate_with(|_| ())
    }

    /// As [`Self::allocate`], of an IPv6 address.
    pub fn allocate_v6(&mut self) -> Result<SocketAddr, u16> {
        self.allocate_with(|writer| put(writer, &RequestedAddressFamily(2)))
    }

    /// As [`Self::allocate`], of an address that relays TCP.
    pub fn allocate_tcp(&mut self) -> Result<SocketAddr, u16> {
        self.allocate_as(6, |_| ())
    }

    /// As [`Self::allocate_tcp`], of an IPv6 address.
    pub fn allocate_tcp_v6(&mut self) -> Result<SocketAddr, u16> {
        self.allocate_as(6, |writer| put(writer, &RequestedAddressFamily(2)))
    }

    /// Asks for a connection to `peer`: its name, or an error code.
    pub fn connect(&mut self, peer: SocketAddr) -> Result<ConnectionId, u16> {
        let request = self.request(Method::CONNECT, |writer| put(writer, &XorPeerAddress(peer)));
        self.send(&request);
        let bytes = self.receive();
        let message = Message::parse(&bytes).expect("STUN");
        match message.get::<ErrorCode<'_>>().expect("well-formed") {
            Some(error) => Err(error.code),
            None => Ok(message.get().expect("well-formed").expect("a name")),
        }
    }

    /// The next ConnectionAttempt: the connection's name, and the peer.
    pub fn attempted(&mut self) -> (ConnectionId, SocketAddr) {
        let bytes = self.receive();
        let message = Message::parse(&bytes).expect("STUN");
        let kind = (message.class(), message.method());
        assert_eq!(kind, (Class::Indication, Method::CONNECTION_ATTEMPT));
        let XorPeerAddress(peer) = message.get().expect("well-formed").expect("a peer");
        (message.get().expect("well-formed").expect("a name"), peer)
    }

    /// Makes this the other half of a connection to a peer: its wire, and what came over it already.
    pub fn bind_connection(mut self, id: ConnectionId, first: &[u8]) -> (Wire, Vec<u8>) {
        let ask = |writer: &mut Writer<'_>| put(writer, &id);
        assert_eq!(self.exchange(Method::CONNECTION_BIND, ask).code, Some(401));
        let mut bytes = self.request(Method::CONNECTION_BIND, ask);
        bytes.extend_from_slice(first);
        self.send(&bytes);
        assert_eq!(self.answer().class, Class::Success);
        (self.wire, self.read)
    }

    fn allocate_with(&mut self, more: impl Fn(&mut Writer<'_>)) -> Result<SocketAddr, u16> {
        self.allocate_as(17, more)
    }

    fn allocate_as(
        &mut self,
        protocol: u8,
        more: impl Fn(&mut Writer<'_>),
    ) -> Result<SocketAddr, u16> {
        let ask = |writer: &mut Writer<'_>| {
            put(writer, &RequestedTransport(protocol));
            more(writer);
        };
        let mut answer = self.exchange(Method::ALLOCATE, ask);
        if answer.code == Some(401) {
            answer = self.exchange(Method::ALLOCATE, ask);
        }
        answer.relayed.ok_or(answer.code.unwrap_or(0))
    }

    pub fn refresh(&mut self, seconds: u32) -> Class {
        self.exchange(Method::REFRESH, |writer| put(writer, &Lifetime(seconds))).class
    }

    pub fn permit(&mut self, peer: SocketAddr) -> Class {
        self.exchange(Method::CREATE_PERMISSION, |writer| put(writer, &XorPeerAddress(peer))).class
    }

    pub fn bind(&mut self, peer: SocketAddr) -> Class {
        let ask = |writer: &mut Writer<'_>| {
            put(writer, &ChannelNumber(CHANNEL));
            put(writer, &XorPeerAddress(peer));
        };
        self.exchange(Method::CHANNEL_BIND, ask).class
    }

    /// ChannelData to the server.
    pub fn send_channel(&mut self, payload: &[u8]) {
        self.send(&channel(payload));
    }

    /// The payload of the next ChannelData.
    pub fn receive_channel(&mut self) -> Vec<u8> {
        let bytes = self.receive();
        let (found, len) = channel_data::parse(&bytes).expect("ChannelData");
        assert_eq!(found, CHANNEL);
        bytes[channel_data::HEADER..][..len].to_vec()
    }

    /// A Send indication to the server.
    pub fn send_indication(&mut self, peer: SocketAddr, payload: &[u8]) {
        let mut buffer = vec![0; payload.len() + 200];
        let mut writer = Writer::new(&mut buffer, Class::Indication, Method::SEND, self.next_id());
        writer.put(&XorPeerAddress(peer)).put(&Data(payload));
        let len = writer.finish().expect("it fits");
        self.send(&buffer[..len]);
    }

    /// The next Data indication.
    pub fn receive_indication(&mut self) -> (SocketAddr, Vec<u8>) {
        let bytes = self.receive();
        let message = Message::parse(&bytes).expect("STUN");
        assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
        let XorPeerAddress(peer) = message.get().expect("well-formed").expect("a peer");
        let Data(data) = message.get().expect("well-formed").expect("data");
        (peer, data.to_vec())
    }

    /// A request, signed as far as the client can.
    pub fn request(&mut self, method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let id = self.next_id();
        let mut buffer = vec![0; 16_384];
        let mut writer = Writer::new(&mut buffer, Class::Request, method, id);
        fill(&mut writer);
        if !self.nonce.is_empty() {
            writer.put(&Username("alice")).put(&Realm(REALM)).put(&Nonce(&self.nonce));
            writer.integrity_sha1(&Md5::digest(format!("alice:{REALM}:wonder")));
        }
        let len = writer.finish().expect("it fits");
        buffer.truncate(len);
        buffer
    }

    pub fn exchange(&mut self, method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Answer {
        let request = self.request(method, fill);
        self.send(&request);
        self.answer()
    }

    /// The next answer.
    pub fn answer(&mut self) -> Answer {
        let bytes = self.receive();
        let message = Message::parse(&bytes).expect("STUN");
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

fn put<'a>(writer: &mut Writer<'_>, attribute: &impl Attribute<'a>) {
    writer.put(attribute);
}

/// ChannelData, padded.
pub fn channel(payload: &[u8]) -> Vec<u8> {
    let mut bytes = channel_data::header(CHANNEL, payload.len()).to_vec();
    bytes.extend_from_slice(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A Binding request.
pub fn binding() -> Vec<u8> {
    let mut buffer = [0; 64];
    let writer = Writer::new(&mut buffer, Class::Request, Method::BINDING, TransactionId([9; 12]));
    let len = writer.finish().expect("it fits");
    buffer[..len].to_vec()
}

/// A plain UDP socket that does not wait for ever.
pub fn peer(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("a loopback socket");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    socket
}

/// The next datagram, and from whom.
pub fn datagram(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (len, from) = socket.recv_from(&mut buffer).expect("something arrives");
    buffer.truncate(len);
    (buffer, from)
}

/// `client`, made to call a fresh peer.
pub fn call(mut client: Client) -> (Client, UdpSocket, SocketAddr) {
    let relayed = client.allocate().expect("an allocation");
    let peer = peer("127.0.0.1:0");
    assert_eq!(client.bind(peer.local_addr().expect("bound")), Class::Success);
    (client, peer, relayed)
}
