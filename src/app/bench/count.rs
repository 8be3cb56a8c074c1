//! Threads that count the datagrams that arrive.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use super::cost;
use super::load::{Done, Run};
use super::payload;
use crate::relay::burst;
use crate::relay::watch::Watch;

/// The longest sleep of a thread that has nothing to receive. Blocking instead would have the server pay
/// for waking us.
pub(super) const NAP: Duration = Duration::from_micros(100);

/// Counts what arrives at the peer.
pub(super) fn at_peer(run: &Run, peer: &UdpSocket) -> io::Result<Done> {
    let mut done = Done::default();
    let mut buffer = vec![0; 1 << 16];
    while !run.over.load(Relaxed) {
        if !take(run, peer, &mut buffer, &mut done, |bytes| Some(0..bytes.len())) {
            thread::sleep(NAP);
        }
    }
    done.cpu = cost::of_this_thread();
    Ok(done)
}

/// Counts what arrives at clients.
pub(super) fn at_clients(run: &Run, sockets: Vec<&UdpSocket>) -> io::Result<Done> {
    let mut done = Done::default();
    let mut buffer = vec![0; 1 << 16];
    let mut watch = Watch::over(&sockets)?;
    while !run.over.load(Relaxed) {
        let mut any = false;
        for index in watch.ready()? {
            any |= take(run, sockets[index], &mut buffer, &mut done, payload::of_client);
        }
        if !any {
            thread::sleep(NAP);
        }
    }
    done.cpu = cost::of_this_thread();
    Ok(done)
}

/// Everything that is there; false when nothing was.
fn take(
    run: &Run,
    socket: &UdpSocket,
    buffer: &mut [u8],
    done: &mut Done,
    payload_of: impl Fn(&[u8]) -> Option<std::ops::Range<usize>>,
) -> bool {
    let before = done.received;
    let mut any = false;
    while let Ok((len, each)) = burst::receive_train(socket, buffer) {
        any = true;
        let now = payload::stamp(run.began);
        for message in buffer[..len].chunks(each) {
            let sent = payload_of(message).and_then(|at| payload::read(&message[at]));
            if let Some(sent) = sent {
                done.arrived(now, sent);
            }
        }
    }
    run.arrived.fetch_add(done.received - before, Relaxed);
    any
}
