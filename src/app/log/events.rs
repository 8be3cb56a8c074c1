//! What the relay reports, as log lines. Values are fields; texts from outside are recorded as
//! strings, which both formats escape, so that nobody forges a line through a username.

use std::fmt::Write;
use std::net::SocketAddr;

use tracing::{debug, info};

use crate::turn::{Event, Summary};

/// What the lines are filed under: the relay's, whoever writes them.
const TARGET: &str = "relayhouse::relay";

/// Writes one event.
pub fn write(event: &Event) {
    match event {
        Event::AllocationOpened { id, flow, username, secret, relayed, lifetime } => info!(
            target: TARGET,
            allocation = id.0,
            user = &**username,
            secret = secret.map(|id| id.to_string()),
            client = %flow.remote,
            transport = flow.transport.name(),
            server = %flow.local,
            relayed = %joined(relayed),
            lifetime_seconds = lifetime.as_secs(),
            "allocation begins"
        ),
        Event::AllocationClosed(summary) => closed(summary),
        Event::Refused { flow, method, code, why, username, suppressed } => {
            let user = username.as_deref().unwrap_or_default();
            let (client, transport) = (flow.remote, flow.transport.name());
            // A stale nonce or a five-tuple in use is part of normal life; the client tries again.
            if matches!(code, 437 | 438) {
                debug!(target: TARGET, %client, transport, method, code, user, why, suppressed, "request refused");
            } else {
                info!(target: TARGET, %client, transport, method, code, user, why, suppressed, "request refused");
            }
        }
        Event::BandwidthExceeded { id, username } => info!(
            target: TARGET,
            allocation = id.0,
            user = &**username,
            "allocation is over its bandwidth; packets are dropped \
             (quota.bandwidth_per_allocation, quota.bandwidth_per_user or quota.bandwidth allows more)"
        ),
    }
}

fn closed(summary: &Summary) {
    info!(
            target: TARGET,
        allocation = summary.id.0,
        user = &*summary.username,
        client = %summary.flow.remote,
        transport = summary.flow.transport.name(),
        server = %summary.flow.local,
        relayed = %joined(&summary.relayed),
        seconds = summary.age.as_secs(),
        bytes_from_client = summary.bytes_up,
        bytes_to_client = summary.bytes_down,
        packets_from_client = summary.packets_up,
        packets_to_client = summary.packets_down,
        peers = summary.peers,
        reason = summary.reason.name(),
        "allocation ends"
    );
}

/// Addresses with commas between them.
fn joined(addresses: &[SocketAddr]) -> String {
    let mut text = String::new();
    for address in addresses {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{address}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::net::{ClientAddr, Flow, Transport};
    use crate::turn::{AllocationId, EndReason};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("one thread").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(json: bool, event: &Event) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let builder = tracing_subscriber::fmt().with_ansi(false);
        let builder = builder.with_writer(move || writer.clone());
        if json {
            tracing::subscriber::with_default(builder.json().finish(), || write(event));
        } else {
            tracing::subscriber::with_default(builder.finish(), || write(event));
        }
        let bytes = sink.0.lock().expect("one thread").clone();
        String::from_utf8(bytes).expect("the log is text")
    }

    fn flow() -> Flow {
        let address = |text: &str| text.parse().expect("an address");
        Flow {
            transport: Transport::Udp,
            local: address("192.0.2.1:3478"),
            remote: ClientAddr(address("198.51.100.9:4000")),
        }
    }

    fn refused(username: &str) -> Event {
        Event::Refused {
            flow: flow(),
            method: "Allocate",
            code: 401,
            why: "expired 43 s ago".to_owned(),
            username: Some(username.into()),
            suppressed: 7,
        }
    }

    #[test]
    fn a_username_cannot_forge_a_line() {
        let hostile = "eve\n2026-01-01T00:00:00Z  INFO fake \u{1b}[31m";
        for json in [false, true] {
            let line = logged(json, &refused(hostile));
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            assert!(!line.contains('\u{1b}'), "{line:?}");
        }
    }

    #[test]
    fn a_refusal_says_who_what_and_why() {
        let line = logged(true, &refused("alice"));
        let line: serde_json::Value = serde_json::from_str(&line).expect("one JSON object");
        let fields = &line["fields"];
        assert_eq!(fields["client"], "198.51.100.9:4000");
        assert_eq!((&fields["user"], &fields["code"]), (&"alice".into(), &401.into()));
        assert_eq!(fields["why"], "expired 43 s ago");
        assert_eq!(fields["suppressed"], 7);
    }

    #[test]
    fn the_end_of_an_allocation_says_what_it_carried() {
        let line = logged(
            true,
            &Event::AllocationClosed(Box::new(Summary {
                id: AllocationId(7),
                flow: flow(),
                username: "99:alice".into(),
                relayed: vec!["192.0.2.1:50000".parse().expect("an address")],
                age: Duration::from_secs(61),
                bytes_up: 1000,
                bytes_down: 2000,
                packets_up: 10,
                packets_down: 20,
                peers: 2,
                reason: EndReason::Deleted,
            })),
        );
        let line: serde_json::Value = serde_json::from_str(&line).expect("one JSON object");
        let fields = &line["fields"];
        for (field, value) in [
            ("message", serde_json::Value::from("allocation ends")),
            ("allocation", 7.into()),
            ("user", "99:alice".into()),
            ("client", "198.51.100.9:4000".into()),
            ("transport", "udp".into()),
            ("server", "192.0.2.1:3478".into()),
            ("relayed", "192.0.2.1:50000".into()),
            ("seconds", 61.into()),
            ("bytes_from_client", 1000.into()),
            ("bytes_to_client", 2000.into()),
            ("packets_from_client", 10.into()),
            ("packets_to_client", 20.into()),
            ("peers", 2.into()),
            ("reason", "deleted".into()),
        ] {
            assert_eq!(fields[field], value, "{field}");
        }
    }
}
