//! What came of a run.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::cost::BUSY;
use super::delay::Delays;
use super::options::Plan;

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
        self.busiest > BUSY && self.server_load().is_none_or(|load| load < BUSY)
    }

    /// One object with all numbers.
    pub(super) fn json(&self) -> Value {
        let micros = |delay: Duration| (delay.as_nanos() as f64 / 100.0).round() / 10.0;
        let delay = |share| micros(self.delays.percentile(share));
        json!({
            "server": self.plan.server,
            "transport": format!("{:?}", self.plan.transport).to_lowercase(),
            "direction": format!("{:?}", self.plan.direction).to_lowercase(),
            "flows": self.plan.flows, "size": self.plan.size, "burst": self.plan.burst, "rate": self.plan.rate,
            "indications": self.plan.indications,
            "seconds": self.took.as_secs_f64(),
            "sent": self.sent, "received": self.received, "lost": self.lost(),
            "packetsPerSecond": self.rate(),
            "delayMicros": { "p50": delay(0.5), "p90": delay(0.9), "p99": delay(0.99), "p999": delay(0.999), "max": micros(self.delays.longest()) },
            "serverNanosPerPacket": self.cost(),
            "serverLoad": self.server_load(),
            "generatorLoad": self.busiest,
            "generatorWasTheLimit": self.is_own_limit(),
        })
    }
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
        Ok(())
    }
}
