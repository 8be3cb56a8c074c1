//! Clients over TCP and TLS: one thread that writes to and reads from all connections.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::cost;
use super::load::{Done, Run, around, paced};
use super::options::Plan;
use super::payload::{self, Train};
use super::wire::Wire;
use crate::stun::frame::{self, Frame};

/// How long the thread sleeps when no connection has anything.
const NAP: Duration = Duration::from_micros(100);
/// Bytes of one read.
const READ: usize = 64 << 10;

/// A connection that never blocks.
struct Line<'w> {
    wire: &'w mut Wire,
    /// What did not fit yet: the rest of a burst.
    unsent: Vec<u8>,
}

/// Sends (`up`) and counts (`down`) until the end.
pub(super) fn serve(
    plan: &Plan,
    run: &Run,
    wires: &mut [&mut Wire],
    peer: SocketAddr,
    up: bool,
    down: bool,
) -> io::Result<Done> {
    let mut done = Done::default();
    let mut lines = Vec::with_capacity(wires.len());
    for wire in wires {
        socket(wire).set_nonblocking(true)?;
        lines.push(Line { wire, unsent: Vec::new() });
    }
    let mut buffer = vec![0; READ];
    if up {
        let mut train = Train::new(around(plan, peer), plan.size, plan.burst);
        let mut received = Done::default();
        let flows = lines.len();
        done.sent = paced(plan, run, flows, |flow, now| {
            let line = &mut lines[flow];
            if down {
                line.take(run, &mut buffer, &mut received)?;
            }
            line.flush()?;
            if !line.unsent.is_empty() {
                return Ok(0);
            }
            train.stamp(now);
            line.unsent.extend_from_slice(&train.bytes);
            line.flush()?;
            Ok(plan.burst as u64)
        })?;
        (done.received, done.delays) = (received.received, received.delays);
    }
    while !run.over.load(Relaxed) {
        let mut any = false;
        for line in &mut lines {
            line.flush()?;
            any |= down && line.take(run, &mut buffer, &mut done)?;
        }
        if !any {
            std::thread::sleep(NAP);
        }
    }
    done.cpu = cost::of_this_thread();
    Ok(done)
}

fn socket(wire: &Wire) -> &TcpStream {
    match wire {
        Wire::Tcp(stream, _) => stream,
        Wire::Tls(stream, _) => &stream.sock,
        Wire::Udp(_) => unreachable!("only streams come here"),
    }
}

impl Line<'_> {
    /// Writes what waits, as far as it goes.
    fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            let written = match &mut *self.wire {
                Wire::Tcp(stream, _) => stream.write(&self.unsent),
                Wire::Tls(stream, _) => stream.write(&self.unsent),
                Wire::Udp(_) => return Ok(()),
            };
            match written {
                Ok(len) => drop(self.unsent.drain(..len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Counts every message that is there; false when none was.
    fn take(&mut self, run: &Run, buffer: &mut [u8], done: &mut Done) -> io::Result<bool> {
        let mut any = false;
        loop {
            let (read, kept) = match &mut *self.wire {
                Wire::Tcp(stream, kept) => (stream.read(buffer), kept),
                Wire::Tls(stream, kept) => (stream.read(buffer), kept),
                Wire::Udp(_) => return Ok(false),
            };
            match read {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => kept.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(any),
                Err(error) => return Err(error),
            }
            any = true;
            let used = count(kept, payload::stamp(run.began), done);
            kept.drain(..used);
        }
    }
}

/// Counts whole messages at the front of `bytes`; says how many bytes they take.
fn count(bytes: &[u8], now: u64, done: &mut Done) -> usize {
    let mut at = 0;
    while let Frame::Whole { len, padded } = frame::next(&bytes[at..]) {
        let message = &bytes[at..at + len];
        let sent = payload::of_client(message).and_then(|at| payload::read(&message[at]));
        if let Some(sent) = sent {
            done.received += 1;
            done.delays.add(now.saturating_sub(sent));
        }
        at += padded;
    }
    at
}
