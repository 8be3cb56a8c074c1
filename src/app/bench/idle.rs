//! Allocations that stand and do nothing: what each costs the server in memory, or as company for
//! another load.

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cost;
use super::count::NAP;
use super::crowd::Crowd;
use super::options::Plan;
use super::session::Step;
use super::wrong;

/// How many are being opened at a time: no server's buffer is flooded by them.
const AT_ONCE: usize = 64;
/// A server may finish writing about the allocations before its memory is read.
const SETTLES: Duration = Duration::from_secs(1);

/// Allocations that stand until this is dropped; each has a permission and, unless indications are
/// wanted, a channel.
pub(super) struct Standing {
    _crowd: Crowd,
    /// Whom they may talk to.
    _peer: UdpSocket,
}

/// Opens `count` allocations that do nothing.
///
/// # Errors
/// When one is refused or unheard.
pub(super) fn stand(plan: &Plan, count: usize) -> io::Result<Standing> {
    let peer = UdpSocket::bind(SocketAddr::new(plan.peer, 0))?;
    let address = peer.local_addr()?;
    let mut steps = vec![Step::Open, Step::Permit(address)];
    if !plan.indications {
        steps.push(Step::Bind(address));
    }
    let mut crowd = Crowd::gather(plan, count, &steps)?;
    let mut begun = 0;
    while begun < count || crowd.waiting() > 0 {
        while begun < count && crowd.waiting() < AT_ONCE {
            crowd.begin(begun);
            begun += 1;
        }
        if !crowd.turn() {
            thread::sleep(NAP);
        }
        if let Some(failed) = crowd.finished().into_iter().find(|index| !crowd.is_done(*index)) {
            let code = crowd.tally.refused.keys().next();
            let said = code.map_or("no answer".to_owned(), |code| format!("refused with {code}"));
            return Err(wrong(format!("allocation {}: {said}", failed + 1)));
        }
    }
    Ok(Standing { _crowd: crowd, _peer: peer })
}

/// What came of it.
pub(super) struct Report {
    plan: Plan,
    opening: Duration,
    /// The server's own memory before and after.
    memory: Option<(u64, u64)>,
    /// The share of one CPU that the server was on while they stood.
    load: Option<f64>,
}

/// Opens the plan's allocations and looks at the server before, after, and while they stand.
pub(super) fn run(plan: &Plan) -> io::Result<Report> {
    let before = plan.server_pid.and_then(cost::memory_of_process);
    let began = Instant::now();
    let _standing = stand(plan, plan.flows)?;
    let opening = began.elapsed();
    thread::sleep(SETTLES);
    let after = plan.server_pid.and_then(cost::memory_of_process);
    let at_first = plan.server_pid.and_then(cost::of_process);
    thread::sleep(plan.time);
    let at_last = plan.server_pid.and_then(cost::of_process);
    let server = at_last.zip(at_first).map(|(last, first)| last.saturating_sub(first));
    let load = server.map(|server| server.as_secs_f64() / plan.time.as_secs_f64());
    Ok(Report { plan: plan.clone(), opening, memory: before.zip(after), load })
}

impl Report {
    fn each(&self) -> Option<f64> {
        let (before, after) = self.memory?;
        Some((after as f64 - before as f64) / self.plan.flows as f64)
    }

    /// One object with all numbers.
    pub(super) fn json(&self) -> Value {
        let plan = &self.plan;
        json!({
            "server": plan.server, "load": plan.load.name(), "flows": plan.flows, "indications": plan.indications,
            "seconds": plan.time.as_secs_f64(), "openingSeconds": self.opening.as_secs_f64(),
            "serverBytesBefore": self.memory.map(|(before, _)| before),
            "serverBytesAfter": self.memory.map(|(_, after)| after),
            "serverBytesPerAllocation": self.each(),
            "serverLoad": self.load,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.plan.flows;
        writeln!(f, "opened    {count} allocations in {:.1} s", self.opening.as_secs_f64())?;
        if let (Some((before, after)), Some(each)) = (self.memory, self.each()) {
            let kib = |bytes: u64| bytes / 1024;
            writeln!(
                f,
                "memory    {} KiB before, {} KiB after, {each:.0} bytes an allocation",
                kib(before),
                kib(after)
            )?;
        }
        if let Some(load) = self.load {
            writeln!(f, "server    {:.2} % of a CPU while they stand", load * 100.0)?;
        }
        Ok(())
    }
}
