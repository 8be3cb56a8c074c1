//! A relay, and somebody who accepts connections and hands them over.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use relayhouse::creds::{CredentialSettings, Credentials, Secret};
use relayhouse::relay::{RelayConfig, RelayHandle, Stream, StreamLimits, start};
use relayhouse::turn::{ChannelNumbers, Limits, QuotaLimits, RelayAddress, Settings};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use super::address;
use super::client::{Client, REALM, Wire};

/// Relayed ports are opened here; peers of the tests live on other loopback addresses.
pub const RELAY_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 6));

/// A relay with a TCP port.
pub struct House {
    pub relay: RelayHandle,
    pub listener: TcpListener,
}

fn settings() -> Settings {
    let ipv6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    Settings {
        relay_addresses: vec![
            RelayAddress { local: RELAY_V4, public: RELAY_V4 },
            RelayAddress { local: ipv6, public: ipv6 },
        ],
        ports: 10_000..=29_999,
        channel_numbers: ChannelNumbers::Rfc5766,
        limits: Limits::default(),
        quota: QuotaLimits::default(),
        allow: vec!["127.0.0.0/8".parse().expect("a range"), "::1/128".parse().expect("a range")],
        deny: Vec::new(),
        own_addresses: Vec::new(),
        service_ports: Vec::new(),
        unauthenticated_rate: 0,
        nat_discovery: Vec::new(),
        alternate: Vec::new(),
        draining: false,
    }
}

fn credentials() -> Arc<Credentials> {
    let mut settings = CredentialSettings::new(REALM, [7; 32]);
    settings.users = vec![("alice".to_owned(), Secret::from("wonder".to_owned()))];
    Arc::new(Credentials::new(settings).expect("good settings"))
}

impl House {
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    pub fn with(change: impl FnOnce(&mut RelayConfig)) -> Self {
        Self::at("127.0.0.1:0", change)
    }

    /// Its TCP port is at `here`.
    pub fn at(here: &str, change: impl FnOnce(&mut RelayConfig)) -> Self {
        let mut config = RelayConfig {
            listen: vec![address(here)],
            workers: 2,
            settings: settings(),
            credentials: credentials(),
            streams: StreamLimits::default(),
            trains: Default::default(),
            event_capacity: 4096,
        };
        change(&mut config);
        let relay = start(config).expect("the relay starts");
        let listener = TcpListener::bind(address(here)).expect("a loopback port");
        Self { relay, listener }
    }

    /// Where it listens for UDP.
    pub fn udp(&self) -> SocketAddr {
        self.relay.listening()[0]
    }

    /// Both ends of a new connection; the relay has neither.
    pub fn pair(&self) -> (TcpStream, TcpStream) {
        let server = self.listener.local_addr().expect("bound");
        let near = TcpStream::connect(server).expect("a connection");
        near.set_nodelay(true).expect("an option");
        near.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        let (far, _) = self.listener.accept().expect("it is there");
        (near, far)
    }

    /// What is handed over for a plain connection.
    pub fn stream(far: TcpStream, early: &[u8]) -> Stream {
        let local = far.local_addr().expect("connected");
        let remote = far.peer_addr().expect("connected");
        Stream { socket: far, tls: None, local, remote, early: early.to_vec() }
    }

    /// A connection in the relay's hands, with nothing said.
    pub fn connect(&self) -> TcpStream {
        let (near, far) = self.pair();
        self.relay.streams().hand_over(Self::stream(far, &[])).expect("it is taken");
        near
    }

    /// A client over plain TCP.
    pub fn tcp(&self) -> Client {
        Client::new(Wire::Plain(self.connect()))
    }

    /// A client over TLS.
    pub fn tls(&self) -> Client {
        self.tls_of(rustls::ALL_VERSIONS)
    }

    /// A client over TLS of these versions.
    pub fn tls_of(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> Client {
        self.tls_over(self.pair(), versions)
    }

    /// As [`Self::tls_of`], over a connection of which both ends are here.
    pub fn tls_over(
        &self,
        (mut near, mut far): (TcpStream, TcpStream),
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Client {
        let mut server =
            Box::new(ServerConnection::new(Arc::clone(&IDENTITY.0)).expect("a session"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(Arc::clone(&IDENTITY.1))
            .with_no_client_auth();
        let name = ServerName::try_from("relay.test").expect("a name");
        let mut client = ClientConnection::new(Arc::new(config), name).expect("a session");
        std::thread::scope(|scope| {
            scope.spawn(|| server.complete_io(&mut far).expect("a handshake"));
            client.complete_io(&mut near).expect("a handshake");
        });
        let mut stream = Self::stream(far, &[]);
        stream.tls = Some(server);
        self.relay.streams().hand_over(stream).expect("it is taken");
        Client::new(Wire::Tls(Box::new(rustls::StreamOwned::new(client, near))))
    }

    /// Connections open in the relay.
    pub fn open(&self) -> u64 {
        self.relay.streams().open()
    }
}

type Identity = (Arc<ServerConfig>, Arc<RootCertStore>);

/// A certificate for "relay.test", and who trusts it.
static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    let made =
        rcgen::generate_simple_self_signed(vec!["relay.test".into()]).expect("a certificate");
    let certificate = CertificateDer::from(made.cert);
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("key and certificate fit");
    (Arc::new(config), Arc::new(roots))
});
