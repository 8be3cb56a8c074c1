//! How many allocations a second a server opens: each is asked for as a client does it, first without
//! a credential, and given back at once.

use std::fmt;
use std::io;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use super::cost::{self, Spent};
use super::count::NAP;
use super::crowd::{Crowd, Tally};
use super::delay;
use super::load::LINGER;
use super::options::Plan;
use super::session::Step;

/// What came of it.
pub(super) struct Report {
    plan: Plan,
    tally: Tally,
    spent: Spent,
}

/// Opens and gives back as many as go, or as the plan's rate says.
pub(super) fn run(plan: &Plan) -> io::Result<Report> {
    let mut crowd = Crowd::gather(plan, plan.flows, &[Step::Open, Step::GiveBack])?;
    let (before, own) = (plan.server_pid.and_then(cost::of_process), cost::of_this_thread());
    let began = Instant::now();
    let mut idle: Vec<usize> = (0..plan.flows).collect();
    let mut begun = 0;
    while began.elapsed() < plan.time {
        let may = match plan.rate {
            0 => usize::MAX,
            rate => ((began.elapsed().as_secs_f64() * rate as f64) as u64 - begun) as usize,
        };
        for index in idle.drain(idle.len().saturating_sub(may)..) {
            crowd.begin(index);
            begun += 1;
        }
        if !crowd.turn() {
            thread::sleep(NAP);
        }
        for index in crowd.finished() {
            crowd.renew(index)?;
            idle.push(index);
        }
    }
    let took = began.elapsed();
    let own = cost::of_this_thread().saturating_sub(own);
    // What is under way is given back, so that the server is left as it was; it costs the server, so it counts.
    while crowd.waiting() > 0 && began.elapsed() < took + LINGER {
        if !crowd.turn() {
            thread::sleep(NAP);
        }
    }
    let server = plan.server_pid.and_then(cost::of_process).zip(before);
    let spent = Spent::new(took, server, std::iter::once(own));
    Ok(Report { plan: plan.clone(), tally: crowd.tally, spent })
}

impl Report {
    fn rate(&self) -> f64 {
        self.tally.opened as f64 / self.spent.took.as_secs_f64()
    }

    /// Nanoseconds of the server's CPUs for each allocation, from the first request to its end.
    fn cost(&self) -> Option<f64> {
        self.spent.each(self.tally.opened)
    }

    /// One object with all numbers.
    pub(super) fn json(&self) -> Value {
        let Self { plan, tally, spent } = self;
        json!({
            "server": plan.server, "load": plan.load.name(), "flows": plan.flows, "rate": plan.rate,
            "seconds": spent.took.as_secs_f64(),
            "opened": tally.opened, "refused": tally.refused, "unanswered": tally.unheard, "repeated": tally.repeated,
            "allocationsPerSecond": self.rate(),
            "delayMicros": delay::json(&tally.delays),
            "serverNanosPerAllocation": self.cost(),
            "serverLoad": spent.server_load(),
            "generatorLoad": spent.busiest,
            "generatorWasTheLimit": spent.is_own_limit(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tally, spent, .. } = self;
        let took = spent.took.as_secs_f64();
        writeln!(
            f,
            "opened    {} allocations in {took:.1} s, {:.0} a second",
            tally.opened,
            self.rate()
        )?;
        for (code, count) in &tally.refused {
            writeln!(f, "refused   {count} with {code}")?;
        }
        writeln!(
            f,
            "unheard   {} given up, {} requests sent again",
            tally.unheard, tally.repeated
        )?;
        delay::write(f, &tally.delays)?;
        spent.write(f, "an allocation", self.cost())
    }
}
