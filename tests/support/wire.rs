//! How a client's messages travel: datagrams, or a byte stream with TURN's framing, plain or in TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

/// Whole messages, STUN or ChannelData, both ways.
pub trait Wire: Send {
    /// Sends one message; whether it is padded is the wire's affair.
    fn send(&mut self, message: &[u8]);

    /// The next whole message (padding taken off), or `None` at the deadline or the end of a stream.
    fn receive(&mut self, deadline: Instant) -> Option<Vec<u8>>;

    /// The own address.
    fn local(&self) -> SocketAddr;
}

/// Loopback of the same family as `server`.
pub fn loopback(server: SocketAddr) -> IpAddr {
    match server {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// A connected UDP socket on `local`.
pub fn udp(local: SocketAddr, server: SocketAddr) -> Box<dyn Wire> {
    let socket = UdpSocket::bind(local).expect("a port");
    socket.connect(server).expect("a loopback server");
    Box::new(socket)
}

/// A TCP connection.
pub fn tcp(server: SocketAddr) -> Box<dyn Wire> {
    Box::new(Framed { stream: connect(server), buffer: Vec::new() })
}

/// A TLS connection that takes any certificate and sends no server name, as Chromium does for addresses.
pub fn tls(server: SocketAddr) -> Box<dyn Wire> {
    Box::new(Framed { stream: in_tls(connect(server)), buffer: Vec::new() })
}

fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server)
        .unwrap_or_else(|error| panic!("{server} takes no connection: {error}"));
    stream.set_nodelay(true).expect("an option");
    stream
}

/// A TLS session over a connection; the handshake happens with the first bytes.
pub fn in_tls<S: Read + Write>(stream: S) -> StreamOwned<ClientConnection, S> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let verifier = Arc::new(Anyone(ring::default_provider()));
    let mut config =
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.enable_sni = false;
    let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let session = ClientConnection::new(Arc::new(config), name).expect("a session");
    StreamOwned::new(session, stream)
}

impl Wire for UdpSocket {
    fn send(&mut self, message: &[u8]) {
        UdpSocket::send(self, message).expect("sent");
    }

    fn receive(&mut self, deadline: Instant) -> Option<Vec<u8>> {
        self.set_read_timeout(Some(left(deadline))).expect("a timeout");
        let mut buffer = vec![0; 65_536];
        let length = self.recv(&mut buffer).ok()?;
        buffer.truncate(length);
        Some(buffer)
    }

    fn local(&self) -> SocketAddr {
        self.local_addr().expect("bound")
    }
}

/// A stream that can be given a read timeout, however deep its socket lies.
trait Patient: Read + Write + Send {
    fn socket(&self) -> &TcpStream;
}

impl Patient for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Patient for StreamOwned<ClientConnection, TcpStream> {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

struct Framed<S> {
    stream: S,
    /// What came and is no whole message yet.
    buffer: Vec<u8>,
}

impl<S: Patient> Wire for Framed<S> {
    fn send(&mut self, message: &[u8]) {
        let mut framed = message.to_vec();
        framed.resize(message.len().next_multiple_of(4), 0);
        self.stream.write_all(&framed).expect("written");
        self.stream.flush().expect("written");
    }

    fn receive(&mut self, deadline: Instant) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = whole(&self.buffer) {
                let padded = length.next_multiple_of(4);
                let mut message: Vec<u8> = self.buffer.drain(..padded).collect();
                message.truncate(length);
                return Some(message);
            }
            if Instant::now() >= deadline {
                return None;
            }
            self.stream.socket().set_read_timeout(Some(left(deadline))).expect("a timeout");
            let mut bytes = [0; 16_384];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(length) => self.buffer.extend(&bytes[..length]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return None,
            }
        }
    }

    fn local(&self) -> SocketAddr {
        self.stream.socket().local_addr().expect("connected")
    }
}

/// The length of the message at the front, without padding, once all of it and its padding is there.
fn whole(buffer: &[u8]) -> Option<usize> {
    let [first, _, high, low, ..] = *buffer else { return None };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let length = if first < 4 { 20 + length } else { 4 + length };
    assert!(first < 4 || (64..128).contains(&first), "neither STUN nor ChannelData: {first:#x}");
    (buffer.len() >= length.next_multiple_of(4)).then_some(length)
}

/// Time to the deadline, never zero, which sockets would take for "for ever".
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// Believes every certificate, but still checks that the server holds its key.
#[derive(Debug)]
struct Anyone(CryptoProvider);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
