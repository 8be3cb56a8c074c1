//! A client whose bytes are the test's own: over TCP or TLS, behind a proxy or not.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
};
use stun::agent::TransactionId;
use stun::message::{BINDING_REQUEST, Getter, Message};
use stun::xoraddr::XorMappedAddress;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// Anything that bytes go through both ways.
pub trait Pipe: Read + Write {}
impl<T: Read + Write> Pipe for T {}

/// A connection that gives up on answers after a while.
pub fn tcp(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).expect("a listener");
    stream.set_read_timeout(Some(ANSWER)).expect("a timeout");
    stream.set_write_timeout(Some(ANSWER)).expect("a timeout");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// Versions of TLS that a client may know.
pub static BOTH: [&rustls::SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
pub static OLD: [&rustls::SupportedProtocolVersion; 1] = [&TLS12];
pub static NEW: [&rustls::SupportedProtocolVersion; 1] = [&TLS13];

/// How a client speaks TLS. The default is 1.3 or 1.2, with ALPN and a server name of nobody's.
#[derive(Clone)]
pub struct Tls {
    pub versions: &'static [&'static rustls::SupportedProtocolVersion],
    pub alpn: &'static [&'static str],
    /// Whether the server's name is sent.
    pub sni: bool,
    /// Bytes of each write of the handshake.
    pub chunk: usize,
}

impl Default for Tls {
    fn default() -> Self {
        Self { versions: &BOTH, alpn: &[], sni: true, chunk: usize::MAX }
    }
}

/// A TLS session, and the certificate it saw.
pub struct Session<S: Read + Write> {
    pub stream: StreamOwned<ClientConnection, S>,
    pub certificate: Vec<u8>,
}

impl Tls {
    /// A session with whoever listens there, whatever certificate it has.
    pub fn connect(&self, server: SocketAddr) -> Session<TcpStream> {
        self.over(tcp(server)).expect("a TLS session")
    }

    /// A session over what is connected already.
    pub fn over<S: Read + Write>(&self, mut stream: S) -> io::Result<Session<S>> {
        let seen = Arc::new(Anybody::default());
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_protocol_versions(self.versions).expect("versions");
        let mut config = config
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&seen) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config.enable_sni = self.sni;
        let name = ServerName::try_from("nobody.example").expect("a name");
        let mut session = ClientConnection::new(Arc::new(config), name).expect("a session");
        while session.is_handshaking() {
            let mut out = Vec::new();
            while session.wants_write() {
                session.write_tls(&mut out).expect("a vector takes everything");
            }
            for chunk in out.chunks(self.chunk) {
                stream.write_all(chunk)?;
            }
            if session.is_handshaking() {
                if session.read_tls(&mut stream)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                session.process_new_packets().map_err(io::Error::other)?;
            }
        }
        let mut stream = StreamOwned::new(session, stream);
        stream.flush()?;
        let certificate = seen.0.lock().expect("nobody panics").clone();
        Ok(Session { stream, certificate })
    }
}

/// Takes every certificate and remembers it.
#[derive(Debug, Default)]
struct Anybody(Mutex<Vec<u8>>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().expect("nobody panics") = own.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, own, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, own, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A Binding request, as bytes.
pub fn binding_request() -> Message {
    let mut request = Message::new();
    request.build(&[Box::new(TransactionId::new()), Box::new(BINDING_REQUEST)]).expect("built");
    request
}

/// Asks for the own address; `None` when the connection ends instead.
pub fn binding(stream: &mut impl Pipe) -> Option<SocketAddr> {
    let request = binding_request();
    stream.write_all(&request.raw).ok()?;
    stream.flush().ok()?;
    binding_answer(stream, &request)
}

/// The answer to a Binding request: the address the server sees.
pub fn binding_answer(stream: &mut impl Pipe, request: &Message) -> Option<SocketAddr> {
    let mut bytes = vec![0; 20];
    stream.read_exact(&mut bytes).ok()?;
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    bytes.resize(20 + length, 0);
    stream.read_exact(&mut bytes[20..]).expect("a whole message");
    let mut answer = Message::new();
    answer.unmarshal_binary(&bytes).expect("a STUN message");
    assert_eq!(answer.transaction_id, request.transaction_id, "somebody else's answer");
    let mut address = XorMappedAddress::default();
    address.get_from(&answer).expect("XOR-MAPPED-ADDRESS");
    Some(SocketAddr::new(address.ip, address.port))
}

/// The status of `GET /healthz`; `None` when the connection ends instead.
pub fn health(stream: &mut impl Pipe) -> Option<u16> {
    let answer = http(stream, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    answer.split(' ').nth(1)?.parse().ok()
}

/// A request's whole answer; `None` when the connection ends without one.
pub fn http(stream: &mut impl Pipe, request: &str) -> Option<String> {
    stream.write_all(request.as_bytes()).ok()?;
    stream.flush().ok()?;
    let mut answer = Vec::new();
    // An end without TLS' own is an end.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).expect("text");
    (!answer.is_empty()).then_some(answer)
}

/// Whether the connection ends, without a byte, within the time that an answer may take.
#[track_caller]
pub fn assert_closed(stream: &mut impl Read) {
    let mut byte = [0];
    match stream.read(&mut byte) {
        Ok(0) => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        other => panic!("the connection did not end: {other:?} {byte:?}"),
    }
}
