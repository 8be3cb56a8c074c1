//! What came of a flood.

use std::fmt;

use serde_json::{Map, Value, json};

use super::cost::Spent;
use super::delay::{self, Delays};
use super::flood::Codes;
use super::options::{Load, Plan};

/// The numbers of a flood.
pub(super) struct Report {
    pub(super) plan: Plan,
    pub(super) sent: u64,
    pub(super) answered: u64,
    /// Datagrams that did not fit the server's sockets, where that is known.
    pub(super) dropped: Option<u64>,
    pub(super) codes: Codes,
    pub(super) delays: Delays,
    pub(super) spent: Spent,
}

impl Report {
    /// Datagrams that the server has looked at: what it cost is divided by these.
    fn handled(&self) -> u64 {
        match self.dropped {
            Some(dropped) => self.sent.saturating_sub(dropped),
            None => self.answered,
        }
    }

    fn rate(&self, count: u64) -> f64 {
        count as f64 / self.spent.took.as_secs_f64()
    }

    /// The share that was not answered; of junk, that the server did not even look at.
    fn lost(&self) -> f64 {
        let come = if self.plan.load == Load::Junk { self.handled() } else { self.answered };
        if self.sent == 0 { 0.0 } else { 1.0 - come as f64 / self.sent as f64 }
    }

    /// One object with all numbers.
    pub(super) fn json(&self) -> Value {
        let Self { plan, spent, .. } = self;
        let codes = self.codes.iter().map(|(code, count)| (name(*code), (*count).into()));
        json!({
            "server": plan.server, "load": plan.load.name(),
            "flows": plan.flows, "size": (plan.load == Load::Junk).then_some(plan.size), "burst": plan.burst, "rate": plan.rate,
            "seconds": spent.took.as_secs_f64(),
            "sent": self.sent, "answered": self.answered, "handled": self.handled(), "lost": self.lost(),
            "answers": codes.collect::<Map<_, _>>(),
            "packetsPerSecond": self.rate(self.handled()),
            "answersPerSecond": self.rate(self.answered),
            "delayMicros": delay::json(&self.delays),
            "serverNanosPerPacket": spent.each(self.handled()),
            "serverLoad": spent.server_load(),
            "generatorLoad": spent.busiest,
            "generatorWasTheLimit": spent.is_own_limit(),
        })
    }
}

fn name(code: u16) -> String {
    if code == 0 { "success".to_owned() } else { code.to_string() }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self.spent.took.as_secs_f64();
        writeln!(f, "sent      {} datagrams in {took:.1} s", self.sent)?;
        writeln!(f, "handled   {}, {:.0} a second", self.handled(), self.rate(self.handled()))?;
        for (code, count) in &self.codes {
            let (name, rate) = (name(*code), self.rate(*count));
            writeln!(f, "answered  {count} with {name}, {rate:.0} a second")?;
        }
        writeln!(f, "lost      {:.3} %", self.lost() * 100.0)?;
        if self.answered > 0 {
            delay::write(f, &self.delays)?;
        }
        self.spent.write(f, "a datagram", self.spent.each(self.handled()))
    }
}
