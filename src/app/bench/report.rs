//! What came of a run.

use std::fmt;

use serde_json::{Value, json};

use super::bystanders::{RATE, SIZE, Watch, Way};
use super::cost::Spent;
use super::delay::{self, Delays};
use super::options::Plan;

/// The numbers of a run.
pub(super) struct Report {
    pub(super) plan: Plan,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) delays: Delays,
    pub(super) spent: Spent,
    /// What others felt, if there were any.
    pub(super) bystanders: Option<Felt>,
}

/// What bystanders felt of the load.
pub(super) struct Felt {
    pub(super) count: usize,
    pub(super) alone: Watch,
    pub(super) beside: Watch,
}

impl Report {
    fn lost(&self) -> f64 {
        match self.sent {
            0 => 0.0,
            sent => 1.0 - self.received as f64 / sent as f64,
        }
    }

    fn rate(&self) -> f64 {
        self.received as f64 / self.spent.took.as_secs_f64()
    }

    /// One object with all numbers.
    pub(super) fn json(&self) -> Value {
        let mut report = json!({
            "server": self.plan.server,
            "transport": format!("{:?}", self.plan.transport).to_lowercase(),
            "direction": format!("{:?}", self.plan.direction).to_lowercase(),
            "flows": self.plan.flows, "size": self.plan.size, "burst": self.plan.burst, "singly": self.plan.singly, "rate": self.plan.rate,
            "indications": self.plan.indications,
            "seconds": self.spent.took.as_secs_f64(),
            "sent": self.sent, "received": self.received, "lost": self.lost(),
            "packetsPerSecond": self.rate(),
            "delayMicros": delay::json(&self.delays),
            "serverNanosPerPacket": self.spent.each(self.received),
            "serverLoad": self.spent.server_load(),
            "generatorLoad": self.spent.busiest,
            "generatorWasTheLimit": self.spent.is_own_limit(),
        });
        if let Some(felt) = &self.bystanders {
            report["bystanders"] = json!({
                "flows": felt.count, "size": SIZE, "rateOfEach": RATE,
                "alone": watched(&felt.alone), "beside": watched(&felt.beside),
            });
        }
        report
    }
}

fn watched(watch: &Watch) -> Value {
    let way = |way: &Way| json!({ "sent": way.sent, "received": way.received, "lost": way.lost(), "delayMicros": delay::json(&way.delays) });
    json!({ "up": way(&watch.up), "down": way(&watch.down) })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.rate() * self.plan.size as f64 * 8.0;
        writeln!(f, "sent      {} packets in {:.1} s", self.sent, self.spent.took.as_secs_f64())?;
        writeln!(
            f,
            "relayed   {} packets, {:.0} a second, {:.0} Mbit/s",
            self.received,
            self.rate(),
            bits / 1e6
        )?;
        writeln!(f, "lost      {:.3} %", self.lost() * 100.0)?;
        delay::write(f, &self.delays)?;
        self.spent.write(f, "a relayed packet", self.spent.each(self.received))?;
        self.bystanders.as_ref().map_or(Ok(()), |felt| write!(f, "{felt}"))
    }
}

impl fmt::Display for Felt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} bystanders, each {RATE} packets of {SIZE} bytes a second both ways",
            self.count
        )?;
        for (when, watch) in [("alone", &self.alone), ("beside the load", &self.beside)] {
            for (name, way) in [("up", &watch.up), ("down", &watch.down)] {
                let delay = |share| way.delays.percentile(share).as_nanos() as f64 / 1000.0;
                writeln!(
                    f,
                    "  {when:<15} {name:<4}  median {:.0} µs, p99 {:.0} µs, p99.9 {:.0} µs, lost {:.3} %",
                    delay(0.5),
                    delay(0.99),
                    delay(0.999),
                    way.lost() * 100.0
                )?;
            }
        }
        Ok(())
    }
}
