//! What to measure: the command line, and what it means.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};

use super::payload::SMALLEST;
use crate::creds::Secret;
use crate::creds::rest;
use crate::time::UnixTime;

/// How long a minted credential lives: longer than any run.
const CREDENTIAL_S: u64 = 86_400;

/// Which way payloads go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::app) enum Direction {
    /// From clients to the peer.
    Up,
    /// From the peer to clients.
    Down,
    /// Both at once.
    Both,
}

/// What clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::app) enum Transport {
    /// Datagrams.
    Udp,
    /// A connection each.
    Tcp,
    /// A connection over TLS each; the certificate is not looked at.
    Tls,
}

/// Measures any TURN server
#[derive(Args, Clone, Debug)]
pub(in crate::app) struct Options {
    /// The server
    #[arg(long, value_name = "HOST:PORT")]
    server: String,
    /// The secret it shares with applications (use-auth-secret)
    #[arg(long, value_name = "SECRET", conflicts_with_all = ["user", "password"])]
    secret: Option<String>,
    /// A static user
    #[arg(long, value_name = "NAME", requires = "password")]
    user: Option<String>,
    /// The user's password
    #[arg(long, value_name = "PASSWORD", requires = "user")]
    password: Option<String>,
    /// Allocations at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    flows: u32,
    /// Bytes of a payload
    #[arg(long, value_name = "BYTES", default_value_t = 1100)]
    size: usize,
    /// Packets that a flow sends at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    burst: u32,
    /// Each packet of a burst with a call of its own, not in trains
    #[arg(long)]
    singly: bool,
    /// Packets per second of all flows together and direction; 0 is as many as go
    #[arg(long, value_name = "N", default_value_t = 0)]
    rate: u64,
    /// Which way
    #[arg(long, value_enum, default_value = "up")]
    direction: Direction,
    /// What clients speak
    #[arg(long, value_enum, default_value = "udp")]
    transport: Transport,
    /// Send over channels (the default)
    #[arg(long, conflicts_with = "indications")]
    channels: bool,
    /// Send in indications
    #[arg(long)]
    indications: bool,
    /// Where the peer is bound: the server must be allowed to relay there
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    peer: std::net::IpAddr,
    /// For how long
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    seconds: u64,
    /// Others beside the load, each with 50 packets of 160 bytes a second both ways: says what delay and
    /// loss they have alone, and then while the load runs
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1000))]
    bystanders: u32,
    /// The server's process, on this machine: says what a packet costs it
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Print a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// What is measured, checked.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) server: SocketAddr,
    pub(super) host: String,
    pub(super) username: String,
    pub(super) password: Secret,
    pub(super) flows: usize,
    pub(super) size: usize,
    pub(super) burst: usize,
    pub(super) singly: bool,
    pub(super) rate: u64,
    pub(super) direction: Direction,
    pub(super) transport: Transport,
    pub(super) indications: bool,
    pub(super) peer: std::net::IpAddr,
    pub(super) time: Duration,
    pub(super) bystanders: usize,
    pub(super) server_pid: Option<u32>,
}

impl Plan {
    /// Whether single packets go as fast as they can, over UDP and not one call each.
    pub(super) fn as_many_singles_as_go(&self) -> bool {
        self.rate == 0 && self.burst == 1 && self.transport == Transport::Udp && !self.singly
    }
}

impl Options {
    /// What is meant.
    ///
    /// # Errors
    /// A sentence that says what does not fit.
    pub(super) fn plan(&self) -> Result<Plan, String> {
        let server =
            self.server.to_socket_addrs().map_err(|error| format!("{}: {error}", self.server))?;
        let server =
            server.into_iter().next().ok_or_else(|| format!("{}: no address", self.server))?;
        let host = self.server.rsplit_once(':').map_or(self.server.as_str(), |(host, _)| host);
        if !(SMALLEST..=1400).contains(&self.size) {
            return Err(format!("--size is between {SMALLEST} and 1400"));
        }
        let (username, password) = self.credential()?;
        Ok(Plan {
            server,
            host: host.trim_matches(['[', ']']).to_owned(),
            username,
            password,
            flows: self.flows as usize,
            size: self.size,
            burst: self.burst as usize,
            singly: self.singly,
            rate: self.rate,
            direction: self.direction,
            transport: self.transport,
            indications: self.indications,
            peer: self.peer,
            time: Duration::from_secs(self.seconds.clamp(1, 3600)),
            bystanders: self.bystanders as usize,
            server_pid: self.server_pid,
        })
    }

    fn credential(&self) -> Result<(String, Secret), String> {
        match (&self.secret, &self.user, &self.password) {
            (Some(secret), ..) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let expires = UnixTime(now.as_secs() + CREDENTIAL_S);
                let made = rest::mint(&Secret::from(secret.clone()), "bench", expires, ':');
                let made = made.map_err(|error| error.to_string())?;
                Ok((made.username, Secret::from(made.credential)))
            }
            (None, Some(user), Some(password)) => {
                Ok((user.clone(), Secret::from(password.clone())))
            }
            _ => Err("give --secret, or --user and --password".to_owned()),
        }
    }
}
