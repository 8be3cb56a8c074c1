//! A client's way to the server: datagrams, a connection, or one over TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use socket2::{Domain, Socket, Type};

use super::options::{Plan, Transport};
use super::wrong;
use crate::relay::burst;
use crate::stun::frame::{self, Frame};

/// How long an answer may take before it is asked for again.
const ANSWER: Duration = Duration::from_millis(500);

/// Bytes of a segment, with the room that timestamps take.
const SEGMENT: u32 = 1460;
/// Bytes a connection's kernel takes beyond what the server has acknowledged.
const SEND_BUFFER: usize = 128 << 10;

/// One of the three.
pub(super) enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>, Vec<u8>),
}

impl Wire {
    /// A new five-tuple to the server.
    pub(super) fn open(plan: &Plan) -> io::Result<Self> {
        if plan.transport == Transport::Udp {
            let any: SocketAddr = match plan.server.is_ipv4() {
                true => ([0, 0, 0, 0], 0).into(),
                false => ([0u16; 8], 0).into(),
            };
            let socket = UdpSocket::bind(any)?;
            socket.connect(plan.server)?;
            socket.set_read_timeout(Some(ANSWER))?;
            burst::prepare(&socket);
            return Ok(Self::Udp(socket));
        }
        let stream = connect(plan.server)?;
        stream.set_read_timeout(Some(ANSWER * 4))?;
        if plan.transport == Transport::Tcp {
            return Ok(Self::Tcp(stream, Vec::new()));
        }
        let name =
            ServerName::try_from(plan.host.clone()).map_err(|error| wrong(error.to_string()))?;
        let mut session =
            ClientConnection::new(tls_config(), name).map_err(|error| wrong(error.to_string()))?;
        // A burst is offered whole, and only once the last has gone.
        session.set_buffer_limit(None);
        Ok(Self::Tls(Box::new(StreamOwned::new(session, stream)), Vec::new()))
    }

    /// Whether a lost message must be sent again.
    pub(super) fn loses(&self) -> bool {
        matches!(self, Self::Udp(_))
    }

    /// Sends one message.
    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send(message).map(drop),
            Self::Tcp(stream, _) => stream.write_all(message),
            Self::Tls(stream, _) => stream.write_all(message).and_then(|()| stream.flush()),
        }
    }

    /// The next message, or a timeout.
    pub(super) fn receive(&mut self) -> io::Result<Vec<u8>> {
        let (stream, kept): (&mut dyn Read, _) = match self {
            Self::Udp(socket) => {
                let mut buffer = vec![0; 65_536];
                let len = socket.recv(&mut buffer)?;
                buffer.truncate(len);
                return Ok(buffer);
            }
            Self::Tcp(stream, kept) => (stream, kept),
            Self::Tls(stream, kept) => (&mut **stream, kept),
        };
        loop {
            match frame::next(kept) {
                Frame::Whole { len, padded } => {
                    let message = kept[..len].to_vec();
                    kept.drain(..padded);
                    return Ok(message);
                }
                Frame::Broken => return Err(wrong("the server sends what is no STUN")),
                Frame::Partial => {
                    let mut buffer = [0; 16_384];
                    match stream.read(&mut buffer)? {
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        len => kept.extend(&buffer[..len]),
                    }
                }
            }
        }
    }
}

/// A connection as over an Ethernet: its segments are no longer than there, since on those of loopback
/// (64 KiB) whoever fills segments before it sends them waits for ever; and what the kernel holds
/// back is little, so that a load without a rate is not a measurement of buffers.
fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
    socket.set_tcp_mss(SEGMENT)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.connect_timeout(&server.into(), Duration::from_secs(5))?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

/// TLS that asks nobody who the server is: what is measured is one's own.
fn tls_config() -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has every version's suites")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(schemes)))
        .with_no_client_auth();
    Arc::new(config)
}

#[derive(Debug)]
struct Anybody(Vec<SignatureScheme>);

impl ServerCertVerifier for Anybody {
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
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
