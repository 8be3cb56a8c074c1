//! Clients over TCP and TLS: one thread that writes to and reads from all connections.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

use super::cost;
use super::load::{Done, Run};
use super::options::Plan;
use super::payload::{self, Train};
use super::send::{around, paced};
use super::wire::Wire;
use crate::stun::frame::{self, Frame};

/// How long a thread sleeps that can do nothing.
const NAP: Duration = Duration::from_micros(50);
/// Bytes of one read.
const READ: usize = 64 << 10;

/// A connection that never blocks.
struct Line<'w> {
    wire: &'w mut Wire,
    /// What did not fit yet of a burst over plain TCP; over TLS it waits in the session.
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
    let mut lines = Vec::with_capacity(wires.len());
    for wire in wires {
        socket(wire).set_nonblocking(true)?;
        lines.push(Line { wire, unsent: Vec::new() });
    }
    let (mut sent, mut done, mut buffer) = (0, Done::default(), vec![0; READ]);
    if up {
        let mut train = Train::new(around(plan, peer), plan.size, plan.burst);
        let (flows, mut behind) = (lines.len(), 0);
        sent = paced(plan, run, flows, |flow, now| {
            let line = &mut lines[flow];
            if down {
                line.take(run, &mut buffer, &mut done)?;
            }
            line.flush()?;
            if line.is_behind() {
                behind += 1;
                if behind >= flows {
                    // Nobody takes anything: whoever should must not be kept from it.
                    thread::sleep(NAP);
                    behind = 0;
                }
                return Ok(0);
            }
            behind = 0;
            train.stamp(now);
            line.offer(&train)?;
            line.flush()?;
            Ok(plan.burst as u64)
        })?;
    }
    while !run.over.load(Relaxed) {
        let mut any = false;
        for line in &mut lines {
            line.flush()?;
            any |= down && line.take(run, &mut buffer, &mut done)?;
        }
        if !any {
            thread::sleep(NAP);
        }
    }
    Ok(Done { sent, cpu: cost::of_this_thread(), ..done })
}

fn socket(wire: &Wire) -> &TcpStream {
    match wire {
        Wire::Tcp(stream, _) => stream,
        Wire::Tls(stream, _) => &stream.sock,
        Wire::Udp(_) => unreachable!("only streams come here"),
    }
}

impl Line<'_> {
    /// Takes a burst. Over TLS each message is a record of its own, as every client's is that sends
    /// packets when they come.
    fn offer(&mut self, train: &Train) -> io::Result<()> {
        match &mut *self.wire {
            Wire::Tcp(..) => self.unsent.extend_from_slice(&train.bytes),
            Wire::Tls(stream, _) => {
                for message in train.bytes.chunks(train.message) {
                    stream.conn.writer().write_all(message)?;
                }
            }
            Wire::Udp(_) => {}
        }
        Ok(())
    }

    /// Whether something waits that was offered before.
    fn is_behind(&self) -> bool {
        match &*self.wire {
            Wire::Tls(stream, _) => stream.conn.wants_write(),
            _ => !self.unsent.is_empty(),
        }
    }

    /// Writes what waits, as far as it goes.
    fn flush(&mut self) -> io::Result<()> {
        while self.is_behind() {
            let written = match &mut *self.wire {
                Wire::Tcp(stream, _) => stream.write(&self.unsent),
                Wire::Tls(stream, _) => stream.conn.write_tls(&mut stream.sock),
                Wire::Udp(_) => return Ok(()),
            };
            match written {
                Ok(len) => drop(self.unsent.drain(..len.min(self.unsent.len()))),
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
                Wire::Tcp(stream, kept) => (read(stream, buffer, kept), kept),
                Wire::Tls(stream, kept) => (decrypt(stream, buffer, kept), kept),
                Wire::Udp(_) => return Ok(false),
            };
            match read {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(any),
                Err(error) => return Err(error),
            }
            any = true;
            let used = count(kept, run, done);
            kept.drain(..used);
        }
    }
}

/// Reads once.
fn read(mut socket: &TcpStream, buffer: &mut [u8], kept: &mut Vec<u8>) -> io::Result<()> {
    match socket.read(buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        len => {
            kept.extend_from_slice(&buffer[..len]);
            Ok(())
        }
    }
}

/// Reads once, as much as from a plain connection (the session alone would take 4 KiB), and decrypts it.
fn decrypt(
    stream: &mut StreamOwned<ClientConnection, TcpStream>,
    buffer: &mut [u8],
    kept: &mut Vec<u8>,
) -> io::Result<()> {
    let mut unread = match stream.sock.read(buffer)? {
        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
        len => &buffer[..len],
    };
    while !unread.is_empty() {
        stream.conn.read_tls(&mut unread)?;
        let state = stream.conn.process_new_packets().map_err(io::Error::other)?;
        let before = kept.len();
        kept.resize(before + state.plaintext_bytes_to_read(), 0);
        stream.conn.reader().read_exact(&mut kept[before..])?;
    }
    Ok(())
}

/// Counts whole messages at the front of `bytes`; says how many bytes they take.
fn count(bytes: &[u8], run: &Run, done: &mut Done) -> usize {
    let (before, now) = (done.received, payload::stamp(run.began));
    let mut at = 0;
    while let Frame::Whole { len, padded } = frame::next(&bytes[at..]) {
        let message = &bytes[at..at + len];
        let sent = payload::of_client(message).and_then(|at| payload::read(&message[at]));
        if let Some(sent) = sent {
            done.arrived(now, sent);
        }
        at += padded;
    }
    run.arrived.fetch_add(done.received - before, Relaxed);
    at
}
