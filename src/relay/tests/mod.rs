//! The driver over real sockets of this host, below the public doors.

mod datagrams;
mod fragments;
mod icmp;
mod restart;

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use super::batch::{Outgoing, Post};
use super::buffers::{Buffers, MAX_DATAGRAM};
use super::content::Content;
use super::socket::{BATCH, Sharing, Socket};
use super::sys::{Datagram, ReceiveBatch};

/// One socket with buffers and batches around it, as a shard has.
struct Bench {
    socket: Socket,
    port: u16,
    buffers: Buffers,
    inbox: ReceiveBatch,
    outgoing: Outgoing,
}

impl Bench {
    fn bind(address: &str) -> Self {
        Self::with_room(address, MAX_DATAGRAM)
    }

    fn with_room(address: &str, room: usize) -> Self {
        let address: SocketAddr = address.parse().expect("an address");
        let socket = Socket::bind(address, Sharing::Exclusive).expect("a loopback socket");
        let port = socket.local().expect("it is bound").port();
        let buffers = Buffers::new(BATCH, room, 0, 0);
        let (inbox, outgoing) = (ReceiveBatch::new(BATCH), Outgoing::new(BATCH, true));
        Self { socket, port, buffers, inbox, outgoing }
    }

    /// Everything that is there now, up to a batch. Loopback delivers before `send` returns.
    fn receive(&mut self) -> Vec<(Datagram, Vec<u8>)> {
        let got = self
            .inbox
            .receive(self.socket.as_fd(), &mut self.buffers, 0, BATCH)
            .expect("something is there");
        let each = (0..got).map(|index| {
            let datagram = self.inbox.datagram(index);
            (datagram, self.buffers.room(index)[..datagram.len].to_vec())
        });
        each.collect()
    }

    /// Puts `payload` into `slot` and the post.
    fn post(&mut self, slot: usize, payload: &[u8], to: SocketAddr) -> PostBuilder<'_> {
        self.buffers.room(slot)[..payload.len()].copy_from_slice(payload);
        let start = self.buffers.start(slot) + crate::packet::HEADROOM;
        let content = Content::at(start, payload.len());
        let post = Post { content, to, source: None, traffic_class: 0, dont_fragment: false };
        PostBuilder { bench: self, post }
    }

    /// Sends what was posted; says how many datagrams were lost.
    fn flush(&mut self) -> u64 {
        let lost = self.outgoing.send(&mut self.socket, self.buffers.memory());
        self.outgoing.clear();
        lost
    }
}

/// A post to be refined and then put into the chain.
struct PostBuilder<'a> {
    bench: &'a mut Bench,
    post: Post,
}

impl PostBuilder<'_> {
    fn source(mut self, source: SocketAddr) -> Self {
        self.post.source = Some(source);
        self
    }

    fn traffic_class(mut self, class: u8) -> Self {
        self.post.traffic_class = class;
        self
    }

    fn dont_fragment(mut self) -> Self {
        self.post.dont_fragment = true;
        self
    }

    fn put(self) {
        self.bench.outgoing.push(&mut self.bench.socket, self.post);
    }
}

/// An IPv4 socket below UDP, which needs a right that not every machine gives: where that is
/// missing, `tested` is said to be left out.
fn raw(protocol: socket2::Protocol, tested: &str) -> Option<socket2::Socket> {
    let (domain, kind) = (socket2::Domain::IPV4, socket2::Type::RAW);
    match socket2::Socket::new(domain, kind, Some(protocol)) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            assert!(std::env::var_os("CI").is_none(), "raw sockets need CAP_NET_RAW here");
            eprintln!("NOT TESTED: {tested}, for raw sockets need CAP_NET_RAW");
            None
        }
        socket => Some(socket.expect("a raw socket")),
    }
}

/// A plain socket at the other end.
pub(super) fn peer(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("a loopback socket");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    socket
}

pub(super) fn address_of(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("it is bound")
}
