//! What to measure: the command line, and what it means.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};

use super::junk;
use super::payload::SMALLEST;
use crate::creds::Secret;
use crate::creds::rest;
use crate::time::UnixTime;

/// How long a minted credential lives: longer than any run.
const CREDENTIAL_S: u64 = 86_400;
/// Of a payload, unless it is said.
const SIZE: usize = 1100;
/// Packets at once, unless it is said.
const BURST: u32 = 32;

/// What is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::app) enum Load {
    /// Payloads through allocations.
    Relay,
    /// Allocations, each given back at once; --flows are being opened at a time.
    Allocations,
    /// Allocations that do nothing: what --flows of them cost in memory.
    Idle,
    /// Binding requests from --flows ports.
    Bindings,
    /// Allocate requests without a credential, which are answered 401.
    Challenges,
    /// Allocate requests with a wrong password.
    Guesses,
    /// Datagrams that are no STUN and are never answered.
    Junk,
}

impl Load {
    /// Requests, or junk, of which each is one datagram and makes no allocation.
    pub(super) fn is_flood(self) -> bool {
        matches!(self, Self::Bindings | Self::Challenges | Self::Guesses | Self::Junk)
    }

    /// Whether anybody has to be somebody for it.
    fn has_credential(self) -> bool {
        !matches!(self, Self::Bindings | Self::Challenges | Self::Junk)
    }

    /// Its name on the command line.
    pub(super) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

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
#[command(next_help_heading = "Measuring")]
pub(in crate::app) struct Options {
    /// The server
    #[arg(long, value_name = "HOST:PORT")]
    server: String,
    /// What to ask of it
    #[arg(long, value_enum, default_value = "relay")]
    load: Load,
    /// The secret it shares with applications (use-auth-secret)
    #[arg(long, value_name = "SECRET", conflicts_with_all = ["user", "password"])]
    secret: Option<String>,
    /// A static user
    #[arg(long, value_name = "NAME", requires = "password")]
    user: Option<String>,
    /// The user's password
    #[arg(long, value_name = "PASSWORD", requires = "user")]
    password: Option<String>,
    /// Allocations at once, or ports that a flood comes from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    flows: u32,
    /// More allocations, which stand beside the load and do nothing
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=20_000))]
    beside: u32,
    /// Bytes of a payload or of junk
    #[arg(long, value_name = "BYTES", default_value_t = SIZE)]
    size: usize,
    /// Packets that a flow sends at once
    #[arg(long, value_name = "N", default_value_t = BURST, value_parser = clap::value_parser!(u32).range(1..=1024))]
    burst: u32,
    /// Each packet of a burst with a call of its own, not in trains
    #[arg(long)]
    singly: bool,
    /// Packets (or allocations) per second of all flows together and direction; 0 is as many as go
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
    pub(super) load: Load,
    pub(super) host: String,
    pub(super) username: String,
    pub(super) password: Secret,
    pub(super) flows: usize,
    pub(super) beside: usize,
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
        let smallest = if self.load == Load::Junk { junk::SMALLEST } else { SMALLEST };
        if !(smallest..=1400).contains(&self.size) {
            return Err(format!("--size is between {smallest} and 1400"));
        }
        self.fits_the_load()?;
        let (username, password) = self.credential()?;
        Ok(Plan {
            server,
            load: self.load,
            host: host.trim_matches(['[', ']']).to_owned(),
            username,
            password,
            flows: self.flows as usize,
            beside: self.beside as usize,
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

    /// What a load would not look at is refused, so that nobody believes to have measured it.
    fn fits_the_load(&self) -> Result<(), String> {
        let (load, relays) = (self.load, self.load == Load::Relay);
        let sends = relays || load.is_flood();
        let has_peers = relays || load == Load::Idle;
        let refused = [
            ("--direction", self.direction != Direction::Up && !relays),
            ("--transport", self.transport != Transport::Udp && !relays),
            ("--beside", self.beside != 0 && !relays),
            ("--bystanders", self.bystanders != 0 && !relays),
            ("--singly", self.singly && !relays),
            ("--indications", self.indications && !has_peers),
            ("--channels", self.channels && !has_peers),
            ("--size", self.size != SIZE && !relays && load != Load::Junk),
            ("--burst", self.burst != BURST && !sends),
            ("--rate", self.rate != 0 && load == Load::Idle),
            ("--peer", !self.peer.is_loopback() && !has_peers),
        ];
        let (load, fits) = (load.name(), |refused: &&(&str, bool)| refused.1);
        match refused.iter().find(fits) {
            Some((option, _)) => Err(format!("{option} means nothing to --load {load}")),
            None => Ok(()),
        }
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
            _ if !self.load.has_credential() => Ok((String::new(), Secret::from(String::new()))),
            _ => Err("give --secret, or --user and --password".to_owned()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    /// What these words mean.
    pub(in crate::app::bench) fn plan(words: &str) -> Result<Plan, String> {
        let words = format!("bench --server 127.0.0.1:3478 {words}");
        let line = Line::try_parse_from(words.split_whitespace()).map_err(|e| e.to_string())?;
        line.options.plan()
    }

    #[test]
    fn an_option_that_a_load_does_not_look_at_is_refused() {
        for (words, option) in [
            ("--load bindings --direction down", "--direction"),
            ("--load junk --transport tcp", "--transport"),
            ("--load challenges --size 100", "--size"),
            ("--load allocations --secret s --burst 8", "--burst"),
            ("--load idle --secret s --rate 5", "--rate"),
            ("--load bindings --beside 9", "--beside"),
            ("--load idle --secret s --bystanders 9", "--bystanders"),
            ("--load junk --singly", "--singly"),
        ] {
            let refused = plan(words).expect_err(words);
            assert!(refused.starts_with(&format!("{option} means nothing to --load")), "{refused}");
        }
        for words in [
            "--load junk --size 100 --burst 1 --rate 5 --flows 9",
            "--load idle --secret s --indications --flows 10000",
            "--secret s --direction both --transport tls --beside 10000",
        ] {
            assert!(plan(words).is_ok(), "{words}");
        }
    }

    #[test]
    fn only_a_load_that_authenticates_asks_for_a_credential() {
        for (load, asks) in
            [("bindings", false), ("junk", false), ("guesses", true), ("relay", true)]
        {
            let words = format!("--load {load}");
            assert_eq!(plan(&words).is_err(), asks, "{load}");
        }
    }
}
