//! Threads that send datagrams, and when.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use super::client::CHANNEL;
use super::cost;
use super::load::{Done, Run};
use super::options::{Plan, Transport};
use super::payload::{self, Around, Train};
use super::window::Window;
use crate::relay::burst;

/// A pause shorter than this is not worth sleeping.
const WORTH_SLEEPING: Duration = Duration::from_micros(60);

/// What clients put around their payloads.
pub(super) fn around(plan: &Plan, peer: SocketAddr) -> Around {
    match plan.indications {
        true => Around::Indication(peer),
        false => Around::Channel { number: CHANNEL, padded: plan.transport != Transport::Udp },
    }
}

/// Calls `send` with one flow after the other, at the wanted rate, until the end. `send` says how many
/// packets went.
pub(super) fn paced(
    plan: &Plan,
    run: &Run,
    flows: usize,
    mut send: impl FnMut(usize, u64) -> io::Result<u64>,
) -> io::Result<u64> {
    let gap = match plan.rate {
        0 => Duration::ZERO,
        rate => Duration::from_nanos(1_000_000_000 * plan.burst as u64 / rate),
    };
    let (mut sent, mut due) = (0, run.began);
    for flow in (0..flows).cycle() {
        let now = Instant::now();
        if now >= run.until {
            break;
        }
        let early = due.saturating_duration_since(now);
        if early > WORTH_SLEEPING {
            thread::sleep(early);
        }
        due += gap;
        sent += send(flow, payload::stamp(run.began))?;
    }
    Ok(sent)
}

pub(super) fn from_clients(
    plan: &Plan,
    run: &Run,
    sockets: Vec<&UdpSocket>,
    peer: SocketAddr,
) -> io::Result<Done> {
    let mut train = Train::new(around(plan, peer), plan.size, plan.burst);
    let sent = paced(plan, run, sockets.len(), |flow, now| {
        train.stamp(now);
        send(plan, sockets[flow], &train, None)
    })?;
    Ok(Done { sent, cpu: cost::of_this_thread(), ..Done::default() })
}

pub(super) fn from_peer(
    plan: &Plan,
    run: &Run,
    peer: &UdpSocket,
    relayed: &[SocketAddr],
) -> io::Result<Done> {
    let mut train = Train::new(Around::Nothing, plan.size, plan.burst);
    let mut window = (plan.transport != Transport::Udp && plan.rate == 0)
        .then(|| Window::new(relayed.len(), plan.burst));
    let sent = paced(plan, run, relayed.len(), |flow, mut now| {
        if let Some(window) = &mut window {
            window.make_room(run, plan.burst as u64);
            now = payload::stamp(run.began);
        }
        train.stamp(now);
        send(plan, peer, &train, Some(relayed[flow]))
    })?;
    Ok(Done { sent, cpu: cost::of_this_thread(), ..Done::default() })
}

/// Sends single packets to one relayed address after the other, [`burst::MOST`] with each call: whoever asks
/// the kernel anew for each is outrun by a server that does not.
pub(super) fn singles_from_peer(
    plan: &Plan,
    run: &Run,
    peer: &UdpSocket,
    relayed: &[SocketAddr],
) -> io::Result<Done> {
    let mut train = Train::new(Around::Nothing, plan.size, 1);
    let groups: Vec<_> = relayed.chunks(burst::MOST).collect();
    let sent = paced(plan, run, groups.len(), |group, now| {
        train.stamp(now);
        let to_all = groups[group].iter().map(|to| (train.bytes.as_slice(), Some(*to)));
        singly_counted(burst::send_each(peer, to_all))
    })?;
    Ok(Done { sent, cpu: cost::of_this_thread(), ..Done::default() })
}

/// Sends a burst; says how many packets went.
fn send(plan: &Plan, from: &UdpSocket, train: &Train, to: Option<SocketAddr>) -> io::Result<u64> {
    let mut sent = 0;
    for bytes in train.calls(plan.singly) {
        let went = burst::send_train(from, bytes, train.message, to);
        sent += counted(went, bytes.len() / train.message)?;
    }
    Ok(sent)
}

/// As [`counted`], of datagrams of which each may have gone.
pub(super) fn singly_counted(went: io::Result<usize>) -> io::Result<u64> {
    match went {
        Ok(went) => Ok(went as u64),
        Err(error) => counted(Err(error), 0),
    }
}

/// A full buffer is the generator's own loss: nothing was sent.
fn counted(went: io::Result<()>, burst: usize) -> io::Result<u64> {
    match went {
        Ok(()) => Ok(burst as u64),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        // What ICMP says about an earlier one.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(0),
        Err(error) => Err(error),
    }
}
