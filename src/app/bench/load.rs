//! The load itself: threads that send, threads that count, and a clock.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::client::CHANNEL;
use super::cost;
use super::delay::Delays;
use super::flow::Flows;
use super::options::{Direction, Plan, Transport};
use super::payload::{self, Around, Train};
use super::report::Report;
use super::stream;
use super::wire::Wire;
use crate::relay::burst;

/// How long what is under way may take to arrive after the last packet was sent.
pub(super) const LINGER: Duration = Duration::from_millis(300);
/// A pause shorter than this is not worth sleeping.
const WORTH_SLEEPING: Duration = Duration::from_micros(60);
/// The longest sleep of a thread that has nothing to receive.
pub(super) const NAP: Duration = Duration::from_micros(100);

/// What the threads share.
pub(super) struct Run {
    pub(super) began: Instant,
    /// No more is sent from then on.
    pub(super) until: Instant,
    /// No more is awaited.
    pub(super) over: AtomicBool,
}

/// What one thread did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) delays: Delays,
    /// Time on a CPU.
    pub(super) cpu: Duration,
}

/// Runs the load over open flows.
pub(super) fn run(plan: &Plan, flows: Flows) -> io::Result<Report> {
    let began = Instant::now();
    let run = Run { began, until: began + plan.time, over: AtomicBool::new(false) };
    let server_before = plan.server_pid.and_then(cost::of_process);
    let (up, down) = (plan.direction != Direction::Down, plan.direction != Direction::Up);
    let Flows { mut clients, peer } = flows;
    peer.set_nonblocking(true)?;
    let relayed: Vec<_> = clients.iter().map(|client| client.relayed).collect();
    let mut wires: Vec<_> = clients.iter_mut().map(|client| &mut client.wire).collect();
    let address = peer.local_addr()?;
    let done = thread::scope(|scope| -> io::Result<Vec<Done>> {
        let mut threads = Vec::new();
        if up {
            threads.push(scope.spawn(|| count_at_peer(&run, &peer)));
        }
        if down {
            threads.push(scope.spawn(|| send_from_peer(plan, &run, &peer, &relayed)));
        }
        // Clients send and receive on the same sockets: over streams in one thread.
        if plan.transport == Transport::Udp {
            let sockets: Vec<_> = wires.iter().filter_map(|wire| udp(wire)).collect();
            if down {
                let sockets = sockets.clone();
                threads.push(scope.spawn(|| count_at_clients(&run, sockets)));
            }
            if up {
                threads.push(scope.spawn(|| send_from_clients(plan, &run, sockets, address)));
            }
            return gather(&run, threads);
        }
        let streams = scope.spawn(|| stream::serve(plan, &run, &mut wires, address, up, down));
        threads.push(streams);
        gather(&run, threads)
    })?;
    let server = plan.server_pid.and_then(cost::of_process).zip(server_before);
    let took = plan.time;
    let busiest = done.iter().map(|done| done.cpu.as_secs_f64() / took.as_secs_f64());
    let mut report = Report {
        plan: plan.clone(),
        sent: done.iter().map(|done| done.sent).sum(),
        received: done.iter().map(|done| done.received).sum(),
        took,
        delays: Delays::default(),
        server: server.map(|(after, before)| after.saturating_sub(before)),
        busiest: busiest.fold(0.0, f64::max),
    };
    done.iter().for_each(|done| report.delays.merge(&done.delays));
    Ok(report)
}

/// Waits for the end, and for every thread.
pub(super) fn gather(
    run: &Run,
    threads: Vec<thread::ScopedJoinHandle<'_, io::Result<Done>>>,
) -> io::Result<Vec<Done>> {
    thread::sleep(run.until.saturating_duration_since(Instant::now()) + LINGER);
    run.over.store(true, Relaxed);
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a bug"))))
        .collect()
}

fn udp<'w>(wire: &'w &mut Wire) -> Option<&'w UdpSocket> {
    match wire {
        Wire::Udp(socket) => Some(socket),
        _ => None,
    }
}

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

fn send_from_clients(
    plan: &Plan,
    run: &Run,
    sockets: Vec<&UdpSocket>,
    peer: SocketAddr,
) -> io::Result<Done> {
    let mut train = Train::new(around(plan, peer), plan.size, plan.burst);
    let sent = paced(plan, run, sockets.len(), |flow, now| {
        train.stamp(now);
        let went = burst::send_train(sockets[flow], &train.bytes, train.message, None);
        counted(went, plan.burst)
    })?;
    Ok(Done { sent, cpu: cost::of_this_thread(), ..Done::default() })
}

fn send_from_peer(
    plan: &Plan,
    run: &Run,
    peer: &UdpSocket,
    relayed: &[SocketAddr],
) -> io::Result<Done> {
    let mut train = Train::new(Around::Nothing, plan.size, plan.burst);
    let sent = paced(plan, run, relayed.len(), |flow, now| {
        train.stamp(now);
        let went = burst::send_train(peer, &train.bytes, train.message, Some(relayed[flow]));
        counted(went, plan.burst)
    })?;
    Ok(Done { sent, cpu: cost::of_this_thread(), ..Done::default() })
}

/// A full buffer is the generator's own loss: nothing was sent.
pub(super) fn counted(went: io::Result<()>, burst: usize) -> io::Result<u64> {
    match went {
        Ok(()) => Ok(burst as u64),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        // What ICMP says about an earlier one.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(0),
        Err(error) => Err(error),
    }
}

fn count_at_peer(run: &Run, peer: &UdpSocket) -> io::Result<Done> {
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

fn count_at_clients(run: &Run, sockets: Vec<&UdpSocket>) -> io::Result<Done> {
    let mut done = Done::default();
    let mut buffer = vec![0; 1 << 16];
    while !run.over.load(Relaxed) {
        let mut any = false;
        for socket in &sockets {
            any |= take(run, socket, &mut buffer, &mut done, payload::of_client);
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
    let mut any = false;
    while let Ok((len, each)) = burst::receive_train(socket, buffer) {
        any = true;
        let now = payload::stamp(run.began);
        for message in buffer[..len].chunks(each) {
            let sent = payload_of(message).and_then(|at| payload::read(&message[at]));
            if let Some(sent) = sent {
                done.received += 1;
                done.delays.add(now.saturating_sub(sent));
            }
        }
    }
    any
}
