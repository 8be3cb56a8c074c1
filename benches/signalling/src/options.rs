//! The command line.

use std::net::SocketAddr;

use clap::{Parser, ValueEnum};

use crate::protocol::{PeerServer, Protocol, Relayhouse, YWebrtc};

/// Loads a signalling server and tells what that cost it.
#[derive(Debug, Parser)]
pub struct Options {
    /// Where the server listens for HTTP.
    #[arg(long)]
    pub server: SocketAddr,
    /// What it speaks.
    #[arg(long, value_enum)]
    pub protocol: Kind,
    /// The server's process: its CPU time and memory are read from /proc.
    #[arg(long)]
    pub server_pid: u32,
    /// An API key of Relayhouse with the scope `rooms`.
    #[arg(long, default_value = "")]
    pub key: String,
    /// Rooms.
    #[arg(long, default_value_t = 1000)]
    pub rooms: usize,
    /// Clients in each of them.
    #[arg(long, default_value_t = 2)]
    pub size: usize,
    /// Everybody holds still for so many seconds first, and what the server needs meanwhile is told.
    #[arg(long)]
    pub idle: Option<u64>,
    /// How long messages are measured; 0 is not at all.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Messages of one client that are under way at a time while the server is saturated.
    #[arg(long, default_value_t = 1)]
    pub window: usize,
    /// Messages a second of all clients together, for the delays at a rate that the server can hold.
    #[arg(long, default_value_t = 0)]
    pub rate: u64,
    /// Each message goes to everybody in the room instead of one peer.
    #[arg(long)]
    pub broadcast: bool,
    /// For programs.
    #[arg(long)]
    pub json: bool,
}

/// Servers that are spoken to.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// This project's own signalling.
    Relayhouse,
    /// PeerServer, npm's `peer`.
    Peerjs,
    /// The signalling server of npm's `y-webrtc`.
    YWebrtc,
}

impl Kind {
    /// What its clients say.
    pub fn words(self, options: &Options) -> Box<dyn Protocol> {
        match self {
            Self::Relayhouse => Box::new(Relayhouse::new(options)),
            Self::Peerjs => Box::new(PeerServer),
            Self::YWebrtc => Box::new(YWebrtc),
        }
    }
}

impl Options {
    pub fn clients(&self) -> usize {
        self.rooms * self.size
    }
}
