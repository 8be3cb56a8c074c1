//! The load itself: threads that send, threads that count, and a clock.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::cost::Spent;
use super::delay::Delays;
use super::flow::Flows;
use super::options::{Direction, Plan, Transport};
use super::report::Report;
use super::wire::Wire;
use super::{cost, count, payload, send, stream};
use crate::app::clock;

/// How long what is under way may take to arrive after the last packet was sent.
pub(super) const LINGER: Duration = Duration::from_millis(300);
/// How often that is waited for while more arrives: connections hold much that is under way.
const LINGERS: u32 = 30;

/// What the threads share.
pub(super) struct Run {
    pub(super) began: Instant,
    /// The same by the clock the kernel notes arrivals with.
    began_at: Duration,
    /// No more is sent from then on.
    pub(super) until: Instant,
    /// No more is awaited.
    pub(super) over: AtomicBool,
    /// Packets that have arrived anywhere.
    pub(super) arrived: AtomicU64,
}

impl Run {
    /// One that begins at `began` and lasts `time`.
    pub(super) fn begins(began: Instant, time: Duration) -> Self {
        let (over, arrived) = (AtomicBool::new(false), AtomicU64::new(0));
        let began_at = clock::since_1970().saturating_sub(began.elapsed());
        Self { began, began_at, until: began + time, over, arrived }
    }

    /// Nanoseconds from the beginning until something `came`; until now where nobody noted when.
    pub(super) fn moment(&self, came: Option<Duration>) -> u64 {
        match came {
            Some(came) => came.saturating_sub(self.began_at).as_nanos() as u64,
            None => payload::stamp(self.began),
        }
    }
}

/// What one thread did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) delays: Delays,
    /// When the last one arrived, in nanoseconds since the run began.
    pub(super) last: u64,
    /// Time on a CPU.
    pub(super) cpu: Duration,
}

impl Done {
    /// A packet that was sent at `sent` has arrived.
    pub(super) fn arrived(&mut self, now: u64, sent: u64) {
        self.received += 1;
        self.delays.add(now.saturating_sub(sent));
        self.last = now;
    }
}

/// Runs the load over open flows.
pub(super) fn run(plan: &Plan, flows: Flows) -> io::Result<Report> {
    let began = Instant::now();
    let run = Run::begins(began, plan.time);
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
            threads.push(scope.spawn(|| count::at_peer(&run, &peer)));
        }
        if down {
            let send = match plan.as_many_singles_as_go() {
                true => send::singles_from_peer,
                false => send::from_peer,
            };
            let (run, peer, relayed) = (&run, &peer, &relayed);
            threads.push(scope.spawn(move || send(plan, run, peer, relayed)));
        }
        // Clients send and receive on the same sockets: over streams in one thread.
        if plan.transport == Transport::Udp {
            let sockets: Vec<_> = wires.iter().filter_map(|wire| udp(wire)).collect();
            if down {
                let sockets = sockets.clone();
                threads.push(scope.spawn(|| count::at_clients(&run, sockets)));
            }
            if up {
                threads.push(scope.spawn(|| send::from_clients(plan, &run, sockets, address)));
            }
            return gather(plan, &run, threads);
        }
        let streams = scope.spawn(|| stream::serve(plan, &run, &mut wires, address, up, down));
        threads.push(streams);
        gather(plan, &run, threads)
    })?;
    let server = plan.server_pid.and_then(cost::of_process).zip(server_before);
    let last = done.iter().map(|done| done.last).max().unwrap_or(0);
    let took = plan.time.max(Duration::from_nanos(last));
    let mut report = Report {
        plan: plan.clone(),
        sent: done.iter().map(|done| done.sent).sum(),
        received: done.iter().map(|done| done.received).sum(),
        delays: Delays::default(),
        spent: Spent::new(took, server, done.iter().map(|done| done.cpu)),
        bystanders: None,
    };
    done.iter().for_each(|done| report.delays.merge(&done.delays));
    Ok(report)
}

/// Waits for the end, and for every thread.
pub(super) fn gather(
    plan: &Plan,
    run: &Run,
    threads: Vec<thread::ScopedJoinHandle<'_, io::Result<Done>>>,
) -> io::Result<Vec<Done>> {
    thread::sleep(run.until.saturating_duration_since(Instant::now()) + LINGER);
    if plan.transport != Transport::Udp {
        let mut before = None;
        for _ in 0..LINGERS {
            let arrived = run.arrived.load(Relaxed);
            if before.replace(arrived) == Some(arrived) {
                break;
            }
            thread::sleep(LINGER);
        }
    }
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
