//! Threads that count the datagrams that arrive.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use super::cost;
use super::load::{Done, Run};
use super::payload;
use crate::relay::burst;

/// The longest sleep of a thread that has nothing to receive. Blocking instead would have the server pay
/// for waking us.
pub(super) const NAP: Duration = Duration::from_micros(100);

/// So many sockets are looked at again and again.
const FEW: usize = 100;
/// For so many times as long as a look at all of more took, there is none: what waits in their queues does not
/// overflow meanwhile.
const REST: u32 = 4;
const LONGEST_REST: Duration = Duration::from_millis(20);

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

/// Counts what arrives at clients. With many of them a look at each costs more than what is found, and being told
/// who has something would cost the server: so they are looked at less often.
pub(super) fn at_clients(run: &Run, sockets: Vec<&UdpSocket>) -> io::Result<Done> {
    let mut done = Done::default();
    let mut buffer = vec![0; 1 << 16];
    while !run.over.load(Relaxed) {
        let began = Instant::now();
        let mut any = false;
        for socket in &sockets {
            any |= take(run, socket, &mut buffer, &mut done, payload::of_client);
        }
        if sockets.len() > FEW {
            thread::sleep((began.elapsed() * REST).clamp(NAP, LONGEST_REST));
        } else if !any {
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
    while let Ok(got) = burst::receive(socket, buffer) {
        any = true;
        let now = run.moment(got.came);
        for message in buffer[..got.len].chunks(got.each) {
            let sent = payload_of(message).and_then(|at| payload::read(&message[at]));
            if let Some(sent) = sent {
                done.arrived(now, sent);
            }
        }
    }
    run.arrived.fetch_add(done.received - before, Relaxed);
    any
}
