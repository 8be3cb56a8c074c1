//! The listening sockets of TCP relays, and connections that leave from their ports.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::super::slots::Slots;
use super::super::stream::UNHEARD;
use crate::net::RelayPort;
use crate::time::Instant;
use crate::turn::timers::Timers;

/// Peers that wait to be accepted, for each relay.
const BACKLOG: i32 = 32;

/// A relay whose next peer cannot be accepted (no descriptor is left) is looked at again after this.
const RECOVERY: Duration = Duration::from_secs(1);

/// All TCP relays of a shard.
#[derive(Debug)]
pub(in crate::relay) struct TcpRelays {
    slots: Slots<TcpRelay>,
    by_port: HashMap<RelayPort, u32, FixedState>,
    resting: Timers,
}

/// An open TCP relay.
#[derive(Debug)]
pub(in crate::relay) struct TcpRelay {
    /// Which.
    pub(in crate::relay) port: RelayPort,
    listener: TcpListener,
}

/// What came of a look at a relay.
#[derive(Debug)]
pub(in crate::relay) enum Accepted {
    /// A peer.
    Peer(TcpStream, SocketAddr),
    /// Nobody more.
    Nobody,
    /// No descriptor or no memory for one.
    Exhausted,
}

impl TcpRelays {
    /// None. `seed` keeps the table flat.
    pub(in crate::relay) fn new(seed: u64) -> Self {
        Self {
            slots: Slots::default(),
            by_port: HashMap::with_hasher(FixedState::with_seed(seed)),
            resting: Timers::new(),
        }
    }

    /// Whether `port` is open here.
    pub(in crate::relay) fn contains(&self, port: RelayPort) -> bool {
        self.by_port.contains_key(&port)
    }

    /// The relay in `slot`, if it still is in its `life`.
    pub(in crate::relay) fn alive(&mut self, slot: u32, life: u32) -> Option<&mut TcpRelay> {
        self.slots.alive(slot, life)
    }

    /// The slot the next [`Self::insert`] takes, and the life it will have.
    pub(in crate::relay) fn vacancy(&self) -> (u32, u32) {
        self.slots.vacancy()
    }

    /// Puts a listening socket into the [`Self::vacancy`].
    pub(in crate::relay) fn insert(&mut self, port: RelayPort, listener: TcpListener) {
        let slot = self.slots.insert(TcpRelay { port, listener });
        self.by_port.insert(port, slot);
    }

    /// Closes `port`, if it is open.
    pub(in crate::relay) fn close(&mut self, port: RelayPort) {
        let Some(slot) = self.by_port.remove(&port) else { return };
        self.slots.remove(slot);
        self.resting.cancel(slot as usize);
    }

    /// The relay in `slot` is not watched for a while.
    pub(in crate::relay) fn rest(&mut self, now: Instant, slot: u32) {
        self.resting.set(now, slot as usize, now + RECOVERY);
    }

    /// The next relay that has rested, with its slot and life.
    pub(in crate::relay) fn rested(&mut self, now: Instant) -> Option<(u32, u32, &mut TcpRelay)> {
        let slot = self.resting.pop(now)? as u32;
        let life = self.slots.life(slot);
        Some((slot, life, self.slots.at(slot)?))
    }

    /// When [`Self::rested`] has something next.
    pub(in crate::relay) fn next_rested(&self) -> Option<Instant> {
        self.resting.next()
    }
}

impl TcpRelay {
    /// The next peer that has connected.
    pub(in crate::relay) fn accept(&self) -> Accepted {
        loop {
            let (socket, from) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => match error.raw_os_error() {
                    Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                        return Accepted::Exhausted;
                    }
                    Some(libc::EAGAIN) => return Accepted::Nobody,
                    // A peer that is gone already is one less; the next comes at once.
                    Some(libc::ECONNABORTED | libc::EINTR | libc::EPROTO) => continue,
                    _ => return Accepted::Nobody,
                },
            };
            if prepare(&socket).is_ok() {
                return Accepted::Peer(socket, from);
            }
        }
    }
}

impl AsFd for TcpRelay {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// Listens at exactly `address`, which nobody else has.
pub(in crate::relay) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address)?;
    // Connections of an earlier relay on this port may still linger in TIME-WAIT.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    // Now that the port is proven to be nobody else's: only so can connections leave from it.
    socket.set_reuse_port(true)?;
    Ok(socket.into())
}

/// Begins to connect from `local`, where a relay listens, to `peer`.
pub(in crate::relay) fn connect(local: SocketAddr, peer: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket(local)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&local.into())?;
    match socket.connect(&peer.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    let socket = socket.into();
    prepare(&socket)?;
    Ok(socket)
}

fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    SockRef::from(socket).set_tcp_user_timeout(Some(UNHEARD))
}

fn socket(local: SocketAddr) -> io::Result<Socket> {
    let kind = Type::STREAM.nonblocking();
    let socket = Socket::new(Domain::for_address(local), kind, Some(Protocol::TCP))?;
    if local.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    fn free(ip: &str) -> SocketAddr {
        let any = SocketAddr::new(ip.parse().expect("an address"), 0);
        let probe = TcpListener::bind(any).expect("a loopback port");
        probe.local_addr().expect("bound")
    }

    #[test]
    fn connections_leave_from_the_port_that_is_listened_on() {
        for ip in ["127.0.0.1", "::1"] {
            let here = free(ip);
            let relay = TcpRelay {
                port: RelayPort { address: 0, port: here.port() },
                listener: listen(here).expect("it is free"),
            };
            for _ in 0..2 {
                let peer = TcpListener::bind(free(ip)).expect("a loopback port");
                let out = connect(here, peer.local_addr().expect("bound")).expect("it begins");
                let (mut accepted, from) = peer.accept().expect("it is there");
                assert_eq!(from, here);
                accepted.write_all(b"x").expect("written");
                out.set_nonblocking(false).expect("an option");
                let mut byte = [0];
                (&out).read_exact(&mut byte).expect("it is connected");
            }
            assert!(matches!(relay.accept(), Accepted::Nobody));
            let caller = TcpStream::connect(here).expect("it listens");
            let from = loop {
                if let Accepted::Peer(_, from) = relay.accept() {
                    break from;
                }
            };
            assert_eq!(from, caller.local_addr().expect("bound"));
        }
    }

    #[test]
    fn a_port_that_somebody_has_is_refused() {
        let here = free("127.0.0.1");
        let _first = listen(here).expect("it is free");
        let again = listen(here).expect_err("it is taken");
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
        let other = TcpListener::bind(free("127.0.0.1")).expect("a loopback port");
        let taken = listen(other.local_addr().expect("bound")).expect_err("it is taken");
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    }
}
