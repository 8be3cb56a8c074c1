//! Floods: requests that cost a server an answer and make nothing, and datagrams that are not even that.

use std::collections::BTreeMap;
use std::io;
use std::net::UdpSocket;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Instant;

use super::client::Client;
use super::cost::{self, Spent};
use super::count::NAP;
use super::crowd;
use super::delay::Delays;
use super::flood_report::Report;
use super::identity::Identity;
use super::load::{self, Done, Run};
use super::options::{Load, Plan};
use super::send::{paced, singly_counted};
use super::volley::{self, Volley};
use super::wire::Wire;
use crate::relay::burst;
use crate::stun::{Class, ErrorCode, Message};

/// Volleys of junk: enough of them that no two datagrams of a second are alike.
const JUNK: u64 = 64;

/// Answers by their code; 0 is success.
pub(super) type Codes = BTreeMap<u16, u64>;

/// Floods the server from the plan's ports, and counts its answers.
pub(super) fn run(plan: &Plan) -> io::Result<Report> {
    let (sockets, volleys) = open(plan)?;
    let drops_before = cost::drops_on(plan.server.port());
    let server_before = plan.server_pid.and_then(cost::of_process);
    let began = Instant::now();
    let run = Run::begins(began, plan.time);
    let mut codes = Codes::new();
    let done = thread::scope(|scope| {
        let counting = scope.spawn(|| Ok(count(&run, &sockets, &mut codes)));
        let sending = scope.spawn(|| send(plan, &run, &sockets, volleys));
        load::gather(plan, &run, vec![counting, sending])
    })?;
    let server = plan.server_pid.and_then(cost::of_process).zip(server_before);
    let mut report = Report {
        plan: plan.clone(),
        sent: done.iter().map(|done| done.sent).sum(),
        answered: done.iter().map(|done| done.received).sum(),
        // Of sockets on this machine, which the server's need not be.
        dropped: server.map(|_| cost::drops_on(plan.server.port()).saturating_sub(drops_before)),
        codes,
        delays: Delays::default(),
        spent: Spent::new(plan.time, server, done.iter().map(|done| done.cpu)),
    };
    done.iter().for_each(|done| report.delays.merge(&done.delays));
    Ok(report)
}

/// A socket for each flow, and what is sent from all, or from each its own.
fn open(plan: &Plan) -> io::Result<(Vec<UdpSocket>, Vec<Volley>)> {
    if plan.load == Load::Guesses {
        // Another server's nonce may be good for one port alone: each asks for its own.
        return (0..plan.flows).map(|_| guesser(plan)).collect();
    }
    let sockets = (0..plan.flows)
        .map(|number| crowd::socket(plan.server, number))
        .collect::<io::Result<Vec<_>>>()?;
    sockets.iter().for_each(burst::prepare);
    let volleys = match plan.load {
        Load::Junk => (0..JUNK).map(|seed| Volley::junk(plan, seed)).collect(),
        Load::Bindings => vec![Volley::bindings(plan)?],
        _ => vec![Volley::allocates(plan, &Identity::new(plan))?],
    };
    Ok((sockets, volleys))
}

fn guesser(plan: &Plan) -> io::Result<(UdpSocket, Volley)> {
    let (wire, mut identity) = Client::meet(plan)?.into_parts();
    identity.spoil();
    let Wire::Udp(socket) = wire else { return Err(io::ErrorKind::Unsupported.into()) };
    socket.set_nonblocking(true)?;
    Ok((socket, Volley::allocates(plan, &identity)?))
}

fn send(
    plan: &Plan,
    run: &Run,
    sockets: &[UdpSocket],
    mut volleys: Vec<Volley>,
) -> io::Result<Done> {
    let (count, mut turn) = (volleys.len(), 0);
    let sent = paced(plan, run, sockets.len(), |flow, now| {
        let of_each = plan.load == Load::Guesses;
        let volley = &mut volleys[if of_each { flow } else { turn % count }];
        turn += 1;
        volley.stamp(now);
        // Not as trains: each comes from somebody else, where somebody means it.
        let calls = volley.bytes.chunks(volley.message * burst::MOST);
        let sent = calls.map(|call| {
            let datagrams = call.chunks(volley.message).map(|bytes| (bytes, None));
            singly_counted(burst::send_each(&sockets[flow], datagrams))
        });
        sent.sum()
    })?;
    Ok(Done { sent, cpu: cost::of_this_thread(), ..Done::default() })
}

fn count(run: &Run, sockets: &[UdpSocket], codes: &mut Codes) -> Done {
    let mut done = Done::default();
    let mut buffer = vec![0; 1 << 16];
    while !run.over.load(Relaxed) {
        let mut any = false;
        for socket in sockets {
            while let Ok(got) = burst::receive(socket, &mut buffer) {
                any = true;
                let now = run.moment(got.came);
                let answers = buffer[..got.len].chunks(got.each);
                answers.for_each(|answer| hear(answer, now, &mut done, codes));
            }
        }
        if !any {
            thread::sleep(NAP);
        }
    }
    done.cpu = cost::of_this_thread();
    done
}

fn hear(answer: &[u8], now: u64, done: &mut Done, codes: &mut Codes) {
    let Ok(message) = Message::parse(answer) else { return };
    let Some(sent) = volley::sent_at(&message) else { return };
    let code = match message.class() {
        Class::Error => message.get::<ErrorCode<'_>>().ok().flatten().map_or(0, |error| error.code),
        _ => 0,
    };
    *codes.entry(code).or_default() += 1;
    done.received += 1;
    done.delays.add(now.saturating_sub(sent));
}
