//! The configuration: defaults, file, environment and flags, checked together. Whatever is wrong is
//! reported at once, with its place and with what to write instead.

mod checks;
mod dev;
mod effective;
mod follow;
mod keys;
mod nearest;
mod print;
mod problem;
mod read;
pub mod recommended;
mod source;
mod value;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::api::{DialectSettings, PerAddress, SessionSettings};
use crate::creds::Secret;
use crate::hooks::HookAddress;
use crate::relay::Trains;
use crate::store::EventKind;
use crate::turn::{ChannelNumbers, Limits, QuotaLimits};

pub use checks::SHORT_SECRET;
pub use effective::{Change, Effective, Reloaded};
pub use print::defaults_toml;
pub use problem::{Place, Problem, Problems};
pub use read::duration::{format as format_duration, parse as parse_duration};
pub use source::flags::Flag;

pub(super) use source::environment::CONFIG_VARIABLE;

/// Everything an operator decides, checked. The keys of `config.toml`, one to one.
#[derive(Clone, Debug)]
pub struct Config {
    /// `realm`
    pub realm: String,
    /// `data_dir`
    pub data_dir: PathBuf,
    /// `[listen]`
    pub listen: Listen,
    /// `[tls]`
    pub tls: Tls,
    /// `[http]`
    pub http: Http,
    /// `[rooms]`
    pub rooms: Rooms,
    /// `[dialects]`
    pub dialects: DialectSettings,
    /// `[relay]`
    pub relay: Relay,
    /// `[auth]`
    pub auth: Auth,
    /// `[audit]`
    pub audit: Audit,
    /// `[hooks]`
    pub hooks: Hooks,
    /// `[quota]`
    pub quota: QuotaLimits,
    /// `[peers]`
    pub peers: Peers,
    /// `[limits]`
    pub limits: Limits,
    /// `limits.unauthenticated_rate`: answers per second and source; 0 is no limit.
    pub unauthenticated_rate: u32,
    /// `limits.signal_rate`: messages a second that one WebSocket may send for long.
    pub signal_rate: usize,
    /// `limits.signal_burst`: messages it may send at once, on top.
    pub signal_burst: usize,
    /// `limits.stream_connections`: TCP and TLS connections of clients at a time.
    pub stream_connections: usize,
    /// `limits.…_per_address`: connections at a time.
    pub per_address: PerAddress,
    /// `limits.ice_per_minute_…`: credentials a minute.
    pub ice_per_minute: IcePerMinute,
    /// `[log]`
    pub log: Log,
    /// `--dev`: minting is open to everybody, and everything is on loopback.
    pub dev: bool,
}

/// Where STUN and TURN are served.
#[derive(Clone, Debug, Default)]
pub struct Listen {
    /// Over UDP.
    pub udp: Vec<SocketAddr>,
    /// Over TCP, and over TLS too where there is a certificate.
    pub tcp: Vec<SocketAddr>,
    /// Over TLS.
    pub tls: Vec<SocketAddr>,
    /// Proxies that speak the PROXY protocol to the TCP and TLS listeners.
    pub proxy_from: Vec<IpNet>,
}

/// The certificate. Both files, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The chain, in PEM.
    pub certificate: Option<PathBuf>,
    /// The private key, in PEM.
    pub key: Option<PathBuf>,
}

/// The page, the API and signalling.
#[derive(Clone, Debug, Default)]
pub struct Http {
    /// Where they are served.
    pub listen: Vec<SocketAddr>,
    /// Where browsers find the page: no slash at its end.
    pub public_url: Option<String>,
    /// Origins of other sites, as browsers send them; `*` is every one.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
}

/// Rooms that nobody needs any more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rooms {
    /// How long one stays with nobody in it; zero is for ever.
    pub idle: Duration,
    /// How long one stays when nobody in it says anything; zero is for ever.
    pub silence: Duration,
}

/// Relayed addresses.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Local addresses that ports are opened on.
    pub addresses: Vec<AddressChoice>,
    /// Their public names.
    pub external: Vec<External>,
    /// Asked for the public address when `external` is empty.
    pub stun_server: Option<HostPort>,
    /// The ports.
    pub ports: RangeInclusive<u16>,
    /// Threads; 0 is one per core.
    pub workers: usize,
    /// Whether datagrams come and go in trains, unless the kernel is one that gets it wrong.
    pub trains: Trains,
    /// What clients may bind.
    pub channel_numbers: ChannelNumbers,
    /// Where new clients go while this server drains.
    pub alternate_servers: Vec<HostPort>,
    /// Whether RFC 5780 is served where the listeners allow it.
    pub nat_discovery: bool,
}

/// A server elsewhere, by name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A DNS name or an IP address, an IPv6 one without brackets.
    pub host: String,
    /// Its port, never 0.
    pub port: u16,
}

/// As it is written: an IPv6 address in brackets.
impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// One entry of `relay.addresses`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressChoice {
    /// The best of each family that this host has.
    Auto,
    /// This one.
    Ip(IpAddr),
}

/// One entry of `relay.external`: both addresses are of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct External {
    /// What clients and peers see.
    pub public: IpAddr,
    /// The relay address it is a name of; the only one of its family when `None`.
    pub private: Option<IpAddr>,
}

/// Credentials.
#[derive(Clone, Debug)]
pub struct Auth {
    /// Shared secrets; the first one mints.
    pub secrets: Vec<Secret>,
    /// Static users: name and password.
    pub users: Vec<(String, Secret)>,
    /// How long a minted credential is good.
    pub credential_ttl: Duration,
    /// How long a nonce is good.
    pub nonce_lifetime: Duration,
    /// Between the expiry and the name of a minted username.
    pub username_separator: char,
    /// Whether expiry counts for refreshes too.
    pub strict_expiry: bool,
    /// Whether SHA-256 is offered (RFC 8489).
    pub sha256: bool,
    /// How long people stay logged in.
    pub sessions: SessionSettings,
}

/// The audit trail.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// How long an event is kept; zero: none is.
    pub keep: Duration,
    /// Events kept at most.
    pub max_events: u64,
}

/// Who is told of events.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    /// Where to.
    pub urls: Vec<HookAddress>,
    /// What deliveries are signed with; none: the generated one.
    pub secrets: Vec<Secret>,
    /// What is told.
    pub events: Vec<EventKind>,
    /// How long a delivery may take.
    pub timeout: Duration,
    /// How long a delivery is tried.
    pub give_up_after: Duration,
    /// Deliveries that wait for one of them at most.
    pub max_queue: u64,
}

/// Credentials that the API mints a minute; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IcePerMinute {
    /// For one address, of callers without an API key.
    pub address: u32,
    /// For one API key.
    pub key: u32,
}

/// The peer policy.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    /// Opened.
    pub allow: Vec<IpNet>,
    /// Closed.
    pub deny: Vec<IpNet>,
}

/// The log.
#[derive(Clone, Debug)]
pub struct Log {
    /// For people or for programs.
    pub format: LogFormat,
    /// Directives of [`Targets`](tracing_subscriber::filter::Targets).
    pub level: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text.
    Text,
    /// One JSON object.
    Json,
}

/// Where a configuration comes from; kept for reloads.
#[derive(Clone, Default)]
pub struct Sources {
    /// The file, if one was named.
    pub file: Option<PathBuf>,
    /// The environment of the process.
    pub environment: Vec<(String, String)>,
    /// Named flags.
    pub flags: Vec<Flag>,
    /// The texts of `--set`.
    pub set: Vec<String>,
    /// `--dev`
    pub dev: bool,
}

/// A configuration that can be used, and what should be said about it.
#[derive(Debug)]
pub struct Loaded {
    /// What counts.
    pub config: Config,
    /// The values it was made from, and where each came from.
    pub effective: Effective,
    /// Sentences for the log: files open to others, short secrets.
    pub warnings: Vec<String>,
}

/// Reads every source and checks them together.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let (mut problems, mut warnings) = (Problems::default(), Vec::new());
    let mut effective = Effective::built_in();
    if sources.dev {
        effective.lay(source::defaults::dev());
    }
    if let Some(path) = &sources.file {
        let layer = source::file::read(path, &mut problems);
        if effective::has_secrets(&layer) && source::file::open_to_others(path) {
            let path = path.display();
            warnings.push(format!("{path} holds secrets and is open to every user; chmod 600 it"));
        }
        effective.lay(layer);
    }
    effective.lay(source::environment::read(&sources.environment, &mut problems, &mut warnings));
    effective.lay(source::flags::read(&sources.flags, &sources.set, &mut problems));
    follow::the_flag(&mut effective);
    if sources.dev {
        dev::keep_on_loopback(&mut effective);
    }
    let config = effective.typed(sources.dev, &mut problems);
    problems.into_result()?;
    warnings.extend(checks::warnings(&config));
    Ok(Loaded { config, effective, warnings })
}

/// Parses `text` as a configuration file called `name` over the defaults: no environment, no flags.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn from_text(name: &str, text: &str) -> Result<Config, Problems> {
    let mut problems = Problems::default();
    let mut effective = Effective::built_in();
    effective.lay(source::file::parse(&name.into(), text, &mut problems));
    let config = effective.typed(false, &mut problems);
    problems.into_result().map(|()| config)
}

impl Config {
    /// Nothing decided yet: the table's defaults are laid over it, key by key.
    fn blank(dev: bool) -> Self {
        Self {
            realm: String::new(),
            data_dir: PathBuf::new(),
            listen: Listen::default(),
            tls: Tls::default(),
            http: Http::default(),
            rooms: Rooms::default(),
            dialects: DialectSettings::default(),
            relay: Relay {
                addresses: Vec::new(),
                external: Vec::new(),
                stun_server: None,
                ports: 1..=1,
                workers: 0,
                trains: Trains::default(),
                channel_numbers: ChannelNumbers::default(),
                alternate_servers: Vec::new(),
                nat_discovery: true,
            },
            auth: Auth {
                secrets: Vec::new(),
                users: Vec::new(),
                credential_ttl: Duration::ZERO,
                nonce_lifetime: Duration::ZERO,
                username_separator: ':',
                strict_expiry: false,
                sha256: true,
                sessions: SessionSettings::default(),
            },
            audit: Audit::default(),
            hooks: Hooks::default(),
            quota: QuotaLimits::default(),
            peers: Peers::default(),
            limits: Limits::default(),
            unauthenticated_rate: 0,
            signal_rate: 0,
            signal_burst: 0,
            stream_connections: 0,
            per_address: PerAddress::default(),
            ice_per_minute: IcePerMinute::default(),
            log: Log { format: LogFormat::Text, level: String::new() },
            dev,
        }
    }

    /// The folder that commands and the server meet in.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}
