//! What waits to be sent: letters over the shard's buffers, chained per socket.
//!
//! A turn's packets are collected over all sockets that were ready and then leave with one call
//! per sending socket, in the order they came for that socket: a flow has one sending socket each
//! way, so nobody's packets change places.

use std::net::SocketAddr;

use super::content::Content;
use super::socket::Socket;
use super::sys::{Letter, Name, SendBatch, SendControl};

/// The most datagrams or trains that leave with one call.
const HEADERS: usize = 128;

/// No letter.
const NONE: u16 = u16::MAX;

/// The letters of one socket: first and last in [`Outgoing`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    first: u16,
    last: u16,
}

impl Chain {
    /// Nothing waits.
    pub(super) const EMPTY: Self = Self { first: NONE, last: NONE };

    /// Whether nothing waits.
    pub(super) fn is_empty(self) -> bool {
        self.first == NONE
    }
}

/// A packet to send.
#[derive(Clone, Debug)]
pub(super) struct Post {
    /// Where its bytes lie.
    pub(super) content: Content,
    /// To whom.
    pub(super) to: SocketAddr,
    /// From which address, on a socket bound to a wildcard.
    pub(super) source: Option<SocketAddr>,
    /// DSCP and ECN.
    pub(super) traffic_class: u8,
    /// With the IPv4 don't-fragment bit.
    pub(super) dont_fragment: bool,
}

/// All letters of a turn.
pub(super) struct Outgoing {
    letters: Vec<Letter>,
    next: Vec<u16>,
    order: Vec<u16>,
    capacity: usize,
    sender: SendBatch,
}

impl Outgoing {
    /// Room for `capacity` letters; more grows it. Letters of one size to one receiver leave as
    /// `trains`, if the kernel takes them.
    pub(super) fn new(capacity: usize, trains: bool) -> Self {
        Self {
            letters: Vec::with_capacity(capacity),
            next: Vec::with_capacity(capacity),
            order: Vec::with_capacity(capacity),
            capacity,
            sender: SendBatch::new(HEADERS.min(capacity), trains),
        }
    }

    /// Whether nothing waits anywhere.
    pub(super) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Whether as many letters wait as there was room made for.
    pub(super) fn is_full(&self) -> bool {
        self.letters.len() >= self.capacity
    }

    /// Puts `post` behind what waits for `socket`.
    pub(super) fn push(&mut self, socket: &mut Socket, post: Post) {
        let index = self.letters.len() as u16;
        self.letters.push(Letter {
            to: Name::from(post.to),
            control: SendControl::new(post.source, post.traffic_class, post.to.is_ipv4()),
            content: post.content,
            dont_fragment: post.dont_fragment,
        });
        self.next.push(NONE);
        let chain = &mut socket.pending;
        match chain.is_empty() {
            true => chain.first = index,
            false => self.next[usize::from(chain.last)] = index,
        }
        chain.last = index;
    }

    /// Sends what waits for `socket`. Says how many datagrams the kernel did not take.
    pub(super) fn send(&mut self, socket: &mut Socket, memory: &[u8]) -> u64 {
        let mut lost = 0;
        let mut at = std::mem::replace(&mut socket.pending, Chain::EMPTY).first;
        while at != NONE {
            let dont_fragment = self.letters[usize::from(at)].dont_fragment;
            self.order.clear();
            while at != NONE && self.letters[usize::from(at)].dont_fragment == dont_fragment {
                self.order.push(at);
                at = self.next[usize::from(at)];
            }
            socket.forbid_fragments(dont_fragment);
            let fd = std::os::fd::AsFd::as_fd(&*socket);
            lost += self.sender.send(fd, memory, &self.letters, &self.order);
        }
        lost
    }

    /// How many trains the kernel refused since this was asked last: their letters went alone.
    pub(super) fn take_refused(&mut self) -> u64 {
        self.sender.take_refused()
    }

    /// Forgets all letters. Every socket they were pushed for has been [`Self::send`]t.
    pub(super) fn clear(&mut self) {
        self.letters.clear();
        self.next.clear();
    }
}
