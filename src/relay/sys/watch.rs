//! Readiness of many plain sockets: what a load generator needs beside trains.

use std::io;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::Duration;

use super::poll::Epoll;

/// Sockets that one look tells of.
const EVENTS: usize = 512;

/// Tells which of many sockets have something to read, without waiting.
pub struct Watch(Epoll);

impl Watch {
    /// Over `sockets`, which it does not keep open.
    ///
    /// # Errors
    /// The kernel's.
    pub fn over(sockets: &[&UdpSocket]) -> io::Result<Self> {
        let epoll = Epoll::new(EVENTS)?;
        for (index, socket) in sockets.iter().enumerate() {
            epoll.add(socket.as_fd(), index as u64)?;
        }
        Ok(Self(epoll))
    }

    /// The indices of those that have something now; of very many only some.
    ///
    /// # Errors
    /// The kernel's.
    pub fn ready(&mut self) -> io::Result<impl Iterator<Item = usize> + use<'_>> {
        let found = self.0.wait(Some(Duration::ZERO))?;
        Ok((0..found).map(|index| self.0.token(index) as usize))
    }
}
