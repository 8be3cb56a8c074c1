//! What came of a run.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::bystanders::{RATE, SIZE, Watch, Way};
use super::delay::Delays;
use super::options::Plan;

/// A thread, or a machine, that was on its CPU for this share of the time could not have done more.
const BUSY: f64 = 0.95;

/// A server that was on a CPU for this share of the time was busy: what the kernel did for it in interrupts is
/// not counted as its own.
const SERVER_BUSY: f64 = 0.9;

/// The numbers of a run.
pub(super) struct Report {
    pub(super) plan: Plan,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) took: Duration,
    pub(super) delays: Delays,
    /// The server's time on CPUs.
    pub(super) server: Option<Duration>,
    /// The share of the time that our busiest thread was on a CPU.
    pub(super) busiest: f64,
    /// The share of the time of all our CPUs that our threads were on one.
    pub(super) share: f64,
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
        self.received as f64 / self.took.as_secs_f64()
    }

    /// Nanoseconds of the server's CPUs for each packet that was relayed.
    fn cost(&self) -> Option<f64> {
        let server = self.server?.as_nanos() as f64;
        (self.received > 0).then(|| server / self.received as f64)
    }

    /// The share of one CPU that the server was on.
    fn server_load(&self) -> Option<f64> {
        Some(self.server?.as_secs_f64() / self.took.as_secs_f64())
    }

    /// Whether it was us who could not do more, and not the server.
    fn is_own_limit(&self) -> bool {
        let busy = self.busiest > BUSY || self.share > BUSY;
        busy && self.server_load().is_none_or(|load| load < SERVER_BUSY)
    }

    /// One object with all numbers.
    pub(super) fn json(&self) -> Value {
        let mut report = json!({
            "server": self.plan.server,
            "transport": format!("{:?}", self.plan.transport).to_lowercase(),
            "direction": format!("{:?}", self.plan.direction).to_lowercase(),
            "flows": self.plan.flows, "size": self.plan.size, "burst": self.plan.burst, "singly": self.plan.singly, "rate": self.plan.rate,
            "indications": self.plan.indications,
            "seconds": self.took.as_secs_f64(),
            "sent": self.sent, "received": self.received, "lost": self.lost(),
            "packetsPerSecond": self.rate(),
            "delayMicros": delays(&self.delays),
            "serverNanosPerPacket": self.cost(),
            "serverLoad": self.server_load(),
            "generatorLoad": self.busiest,
            "generatorWasTheLimit": self.is_own_limit(),
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
    let way = |way: &Way| json!({ "sent": way.sent, "received": way.received, "lost": way.lost(), "delayMicros": delays(&way.delays) });
    json!({ "up": way(&watch.up), "down": way(&watch.down) })
}

fn delays(delays: &Delays) -> Value {
    let micros = |delay: Duration| (delay.as_nanos() as f64 / 100.0).round() / 10.0;
    let delay = |share| micros(delays.percentile(share));
    json!({ "p50": delay(0.5), "p90": delay(0.9), "p99": delay(0.99), "p999": delay(0.999), "max": micros(delays.longest()) })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.rate() * self.plan.size as f64 * 8.0;
        writeln!(f, "sent      {} packets in {:.1} s", self.sent, self.took.as_secs_f64())?;
        writeln!(
            f,
            "relayed   {} packets, {:.0} a second, {:.0} Mbit/s",
            self.received,
            self.rate(),
            bits / 1e6
        )?;
        writeln!(f, "lost      {:.3} %", self.lost() * 100.0)?;
        let delay = |share| self.delays.percentile(share).as_nanos() as f64 / 1000.0;
        let longest = self.delays.longest().as_nanos() as f64 / 1000.0;
        writeln!(
            f,
            "delay     median {:.0} µs, p90 {:.0} µs, p99 {:.0} µs, longest {longest:.0} µs",
            delay(0.5),
            delay(0.9),
            delay(0.99)
        )?;
        if let (Some(cost), Some(load)) = (self.cost(), self.server_load()) {
            writeln!(
                f,
                "server    {:.2} µs of CPU a relayed packet, {:.0} % of a CPU",
                cost / 1000.0,
                load * 100.0
            )?;
        }
        writeln!(f, "generator {:.0} % of a CPU in its busiest thread", self.busiest * 100.0)?;
        if self.is_own_limit() {
            writeln!(f, "the generator was the limit: the server could have done more")?;
        }
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
