//! What a run has to say, for people and for programs.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::load::Measured;
use crate::options::Options;
use crate::usage::{Memory, Spent};

/// From here on a core counts as fully used.
const FULL: f64 = 0.95;

pub struct Report {
    clients: usize,
    of: Map<String, Value>,
}

impl Report {
    pub fn new(options: &Options) -> Self {
        let said = json!({"rooms": options.rooms, "size": options.size, "clients": options.clients(),
            "broadcast": options.broadcast, "window": options.window, "rate": options.rate});
        let of = said.as_object().cloned().unwrap_or_default();
        Self { clients: options.clients(), of }
    }

    /// What holding everybody's connection costs.
    pub fn idle(&mut self, spent: &Spent) {
        self.put("idleBusy", json!(spent.busy()));
    }

    /// At the start, with the rooms made, with everybody in them.
    pub fn memory(&mut self, at_start: &Memory, prepared: &Memory, full: &Memory) {
        let bytes = |kib: u64| kib as f64 * 1024.0 / self.clients as f64;
        let each = |of: fn(&Memory) -> u64| bytes(of(full).saturating_sub(of(prepared)));
        let memory = json!({
            "atStart": kib(at_start), "prepared": kib(prepared), "full": kib(full),
            "residentPerClient": each(|it| it.resident), "proportionalPerClient": each(|it| it.proportional),
            "anonymousPerClient": each(|it| it.anonymous),
            "roomsAnonymousPerClient": bytes(prepared.anonymous.saturating_sub(at_start.anonymous)),
        });
        self.put("memory", memory);
    }

    pub fn saturated(&mut self, measured: &Measured) {
        let mut talk = talk(measured);
        // Whoever has time left did not set the pace.
        let limited = measured.server.busy() < FULL && measured.generator.busy() >= FULL;
        talk["generatorWasTheLimit"] = json!(limited);
        self.put("saturated", talk);
    }

    pub fn paced(&mut self, measured: &Measured) {
        let mut talk = talk(measured);
        talk["lost"] = json!(measured.lost);
        self.put("paced", talk);
    }

    pub fn errors(&mut self, errors: u64, first: Option<&str>) {
        self.put("errors", json!(errors));
        self.put("firstError", json!(first));
    }

    pub fn json(&self) -> Value {
        Value::Object(self.of.clone())
    }

    fn put(&mut self, name: &str, value: Value) {
        self.of.insert(name.into(), value);
    }
}

fn kib(memory: &Memory) -> Value {
    json!({"residentKiB": memory.resident, "proportionalKiB": memory.proportional, "anonymousKiB": memory.anonymous})
}

fn talk(measured: &Measured) -> Value {
    let (server, delivered) = (&measured.server, measured.delivered);
    let percentile = |part: f64| {
        let last = measured.delays.len().checked_sub(1)?;
        measured.delays.get((last as f64 * part) as usize)
    };
    json!({
        "delivered": delivered, "surplus": measured.surplus,
        "deliveredPerSecond": delivered as f64 / server.seconds,
        "serverNanosPerMessage": (delivered > 0).then_some(measured.nanos),
        "serverBusy": server.busy(), "generatorBusy": measured.generator.busy(),
        "delayMicros": {"p50": percentile(0.5), "p99": percentile(0.99), "max": percentile(1.0)},
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |name: &str| self.of.get(name).unwrap_or(&Value::Null);
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        writeln!(f, "{} rooms of {}, {} clients", of("rooms"), of("size"), of("clients"))?;
        let memory = of("memory");
        writeln!(
            f,
            "memory a client: {:.0} bytes of its own pages ({:.0} resident), and {:.0} for its share of the room",
            number(&memory["anonymousPerClient"]),
            number(&memory["residentPerClient"]),
            number(&memory["roomsAnonymousPerClient"]),
        )?;
        if let Some(busy) = of("idleBusy").as_f64() {
            writeln!(f, "idle: {:.2} % of a core", busy * 100.0)?;
        }
        for name in ["saturated", "paced"] {
            let talk = of(name);
            if talk.is_null() {
                continue;
            }
            writeln!(
                f,
                "{name}: {:.0} messages/s, {:.2} µs of the server's CPU each, delay p50 {} µs, p99 {} µs; \
                 server {:.0} % of a core, generator {:.0} %{}",
                number(&talk["deliveredPerSecond"]),
                number(&talk["serverNanosPerMessage"]) / 1000.0,
                talk["delayMicros"]["p50"],
                talk["delayMicros"]["p99"],
                number(&talk["serverBusy"]) * 100.0,
                number(&talk["generatorBusy"]) * 100.0,
                if talk["generatorWasTheLimit"] == true {
                    ": the generator was the limit"
                } else {
                    ""
                },
            )?;
        }
        write!(
            f,
            "errors: {}{}",
            of("errors"),
            of("firstError").as_str().map(|it| format!(" ({it})")).unwrap_or_default()
        )
    }
}
