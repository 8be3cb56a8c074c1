//! The numbers of `/metrics`, in OpenMetrics text. They are read when asked for, and every label
//! has a bounded set of values: no users, no addresses, no rooms.

use std::fmt::{self, Debug};
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::front::FrontSnapshot;
use crate::hooks::HookNumbers;
use crate::store::EventNumbers;
use crate::turn::Snapshot;

/// The relay's numbers at one moment.
#[derive(Clone, Debug, Default)]
pub struct RelayNumbers {
    /// The machines' counters.
    pub machines: Snapshot,
    /// Shards that run.
    pub workers: u64,
    /// Datagrams lost in full socket buffers.
    pub kernel_drops: u64,
    /// Datagrams that could not be sent.
    pub send_drops: u64,
    /// Trains of datagrams the kernel refused.
    pub refused_trains: u64,
    /// Receive queues that clients got for themselves.
    pub lanes: u64,
    /// Messages dropped towards clients over TCP and TLS that do not read.
    pub slow_client_drops: u64,
    /// Connections of clients ended because nothing came.
    pub idle_closes: u64,
    /// Connections of clients ended because of what came.
    pub broken_closes: u64,
    /// Datagrams that came cut or without an address.
    pub receive_drops: u64,
    /// ICMP messages about datagrams to peers.
    pub icmp_errors: u64,
    /// Events nobody fetched in time.
    pub events_lost: u64,
    /// Shards that started anew after a bug.
    pub restarts: u64,
    /// Whether new allocations are refused because the server drains.
    pub draining: bool,
}

/// The numbers of the page, the API and signalling at one moment.
#[derive(Clone, Debug, Default)]
pub struct WebNumbers {
    /// Rooms that are open.
    pub rooms: u64,
    /// WebSockets that are open.
    pub connections: u64,
    /// Credentials minted for callers of the API.
    pub minted: u64,
    /// Credentials refused by a rate limit: of an API key, of an address.
    pub ice_refused: [u64; 2],
    /// Requests answered, by the first digit of their status: index 0 is 1xx.
    pub requests: [u64; 5],
}

/// The numbers of the TCP side at one moment.
#[derive(Clone, Debug, Default)]
pub struct FrontNumbers {
    /// Connections accepted and refused.
    pub connections: FrontSnapshot,
    /// Clients of the relay over TCP and TLS.
    pub streams: u64,
    /// When the certificate in use ends, unix time.
    pub certificate_ends: Option<u64>,
}

/// The numbers of the audit trail and of hooks at one moment.
#[derive(Clone, Debug, Default)]
pub struct TrailNumbers {
    /// Kept, written, lost.
    pub events: EventNumbers,
    /// Delivered, failed, waiting.
    pub hooks: HookNumbers,
}

/// Where the numbers come from.
pub struct Sources {
    /// The relay.
    pub relay: Box<dyn Fn() -> RelayNumbers + Send + Sync>,
    /// The TCP side.
    pub front: Box<dyn Fn() -> FrontNumbers + Send + Sync>,
    /// The rest.
    pub web: Box<dyn Fn() -> WebNumbers + Send + Sync>,
    /// The audit trail and hooks.
    pub trail: Box<dyn Fn() -> TrailNumbers + Send + Sync>,
}

/// Makes the text of `/metrics`.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Registry>);

impl Metrics {
    /// Metrics over `sources`. `started` is the unix time the process began.
    pub fn new(sources: Sources, started: u64) -> Self {
        let mut registry = Registry::with_prefix("relayhouse");
        registry.register_collector(Box::new(Numbers { sources, started }));
        Self(Arc::new(registry))
    }

    /// The text, as `application/openmetrics-text; version=1.0.0`.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = text::encode(&mut text, &self.0);
        text
    }
}

struct Numbers {
    sources: Sources,
    started: u64,
}

impl Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers")
    }
}

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut page = Page(&mut encoder);
        page.about(self.started)?;
        page.relay(&(self.sources.relay)())?;
        page.front(&(self.sources.front)())?;
        page.web(&(self.sources.web)())?;
        page.trail(&(self.sources.trail)())
    }
}

/// The label that a counter has none of.
const PLAIN: &str = "";

struct Page<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Page<'_, '_> {
    fn about(&mut self, started: u64) -> fmt::Result {
        self.gauge(
            "start_time",
            "When the process began, unix time",
            Some(Unit::Seconds),
            started,
        )?;
        let help = "The version that runs";
        let mut metric = self.0.encode_descriptor("build", help, None, MetricType::Info)?;
        metric.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])
    }

    fn relay(&mut self, relay: &RelayNumbers) -> fmt::Result {
        let machines = &relay.machines;
        self.gauge("allocations", "Allocations open now", None, machines.allocations)?;
        let help = "Allocations opened";
        self.counter("allocations_opened", help, None, machines.allocations_total)?;
        let ended = machines.allocations_ended.iter();
        let ended = ended.map(|(why, count)| (why.name().to_owned(), *count));
        self.family("allocations_ended", "Allocations ended, by reason", None, "reason", ended)?;
        let code = |(code, count): &(u16, u64)| match code {
            0 => ("other".to_owned(), *count),
            code => (code.to_string(), *count),
        };
        let help = "Allocate requests refused, by STUN error code";
        let refused = machines.allocations_refused.iter().map(code);
        self.family("allocations_refused", help, None, "code", refused)?;
        let help = "Requests on allocations refused, by STUN error code";
        let refused = machines.requests_refused.iter().map(code);
        self.family("requests_refused", help, None, "code", refused)?;
        let help = "Requests whose credentials did not hold";
        self.counter("authentication_failures", help, None, machines.authentication_failures)?;
        self.counter("bindings", "Binding requests answered", None, machines.bindings)?;
        let help = "TCP connections to peers there are now";
        self.gauge("peer_connections", help, None, machines.connections)?;
        let help = "TCP connections to peers that clients have bound";
        self.counter("peer_connections_bound", help, None, machines.connections_total)?;
        let both = |up, down| [("to_peer".to_owned(), up), ("to_client".to_owned(), down)];
        let packets = both(machines.packets_up, machines.packets_down);
        self.family("relayed_packets", "Packets relayed", None, "direction", packets)?;
        let bytes = both(machines.bytes_up, machines.bytes_down);
        let help = "Payload bytes relayed";
        self.family("relayed", help, Some(Unit::Bytes), "direction", bytes)?;
        let drops = machines.drops.iter().map(|(why, count)| (why.name().to_owned(), *count));
        self.family("dropped_packets", "Packets not relayed, by reason", None, "reason", drops)?;
        let sockets = [
            ("kernel_buffer".to_owned(), relay.kernel_drops),
            ("send_failed".to_owned(), relay.send_drops),
            ("slow_client".to_owned(), relay.slow_client_drops),
            ("receive_failed".to_owned(), relay.receive_drops),
        ];
        let help = "Datagrams lost at the relay's sockets; kernel_buffer: a full receive buffer";
        self.family("socket_drops", help, None, "reason", sockets)?;
        let closed =
            [("idle".to_owned(), relay.idle_closes), ("broken".to_owned(), relay.broken_closes)];
        let help = "Connections of clients that were ended here";
        self.family("streams_ended", help, None, "reason", closed)?;
        let help = "Trains of datagrams that the kernel refused; they left one by one, and later ones are \
                    shorter or none";
        self.counter("refused_trains", help, None, relay.refused_trains)?;
        let help =
            "Clients that got a receive queue of their own because they filled the one all share";
        self.counter("lanes", help, None, relay.lanes)?;
        let help = "ICMP errors about datagrams to peers";
        self.counter("icmp_errors", help, None, relay.icmp_errors)?;
        let help = "1 while new allocations are refused because the server drains";
        self.gauge("draining", help, None, u64::from(relay.draining))?;
        let help = "Events that were not logged because too many came at once";
        self.counter("events_lost", help, None, relay.events_lost)?;
        self.gauge("relay_workers", "Threads that relay packets", None, relay.workers)?;
        let help = "Relay threads that started anew after a bug; worth a report";
        self.counter("relay_worker_restarts", help, None, relay.restarts)
    }

    fn front(&mut self, front: &FrontNumbers) -> fmt::Result {
        let FrontSnapshot { accepted, refused } = &front.connections;
        let help = "Clients of the relay over TCP and TLS now";
        self.gauge("stream_connections", help, None, front.streams)?;
        self.counter("tcp_accepted", "TCP connections accepted", None, *accepted)?;
        let refused = refused.iter().map(|(reason, count)| ((*reason).to_owned(), *count));
        let help = "TCP connections closed before they came to the relay or to HTTP, by reason";
        self.family("tcp_refused", help, None, "reason", refused)?;
        let help = "When the TLS certificate in use ends, unix time";
        let end = front.certificate_ends;
        end.map_or(Ok(()), |end| self.gauge("certificate_end", help, Some(Unit::Seconds), end))
    }

    fn web(&mut self, web: &WebNumbers) -> fmt::Result {
        self.gauge("rooms", "Rooms open now", None, web.rooms)?;
        self.gauge("connections", "Signalling connections open now", None, web.connections)?;
        let help = "Credentials minted for callers of the API";
        self.counter("ice_minted", help, None, web.minted)?;
        let [key, address] = web.ice_refused;
        let refused = [("key".to_owned(), key), ("address".to_owned(), address)];
        let help = "Credentials not minted because one API key or address asked too often";
        self.family("ice_refused", help, None, "by", refused)?;
        let requests = web.requests.iter().zip(1..);
        let requests = requests.map(|(count, class)| (format!("{class}xx"), *count));
        self.family("http_requests", "HTTP requests answered, by status", None, "status", requests)
    }

    fn trail(&mut self, trail: &TrailNumbers) -> fmt::Result {
        let TrailNumbers { events, hooks } = trail;
        self.gauge("audit_events", "Events in the audit trail now", None, events.kept)?;
        let help = "Events written to the audit trail or to the queues of hooks";
        self.counter("audit_events_written", help, None, events.written)?;
        let help = "Events that were lost because too many came at once";
        self.counter("audit_events_lost", help, None, events.lost)?;
        let outcomes = [
            ("delivered".to_owned(), hooks.delivered),
            ("failed".to_owned(), hooks.failed),
            ("given_up".to_owned(), hooks.given_up),
            ("dropped".to_owned(), hooks.dropped),
        ];
        let help = "Attempts to deliver to hooks, and deliveries that were given up or dropped";
        self.family("hook_deliveries", help, None, "outcome", outcomes)?;
        self.gauge("hook_queue", "Deliveries that wait for hooks", None, hooks.waiting)?;
        let help = "How long the oldest of them waits";
        self.gauge("hook_queue_age", help, Some(Unit::Seconds), hooks.oldest.as_secs())
    }

    fn gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, value: u64) -> fmt::Result {
        let unit = unit.as_ref();
        let mut metric = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        // Gauges are signed in this crate; none of ours comes near the end.
        metric.encode_gauge(&i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn counter(&mut self, name: &str, help: &str, unit: Option<Unit>, value: u64) -> fmt::Result {
        self.family(name, help, unit, PLAIN, [(String::new(), value)])
    }

    fn family(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        label: &'static str,
        values: impl IntoIterator<Item = (String, u64)>,
    ) -> fmt::Result {
        let unit = unit.as_ref();
        let mut metric = self.0.encode_descriptor(name, help, unit, MetricType::Counter)?;
        for (value, count) in values {
            if label == PLAIN {
                metric.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            } else {
                let labels = [(label, value)];
                metric
                    .encode_family(&labels)?
                    .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered() -> String {
        let relay = || RelayNumbers {
            machines: crate::turn::Counters::default().snapshot(),
            kernel_drops: 3,
            ..RelayNumbers::default()
        };
        let web = || WebNumbers { rooms: 2, requests: [0, 5, 0, 1, 0], ..WebNumbers::default() };
        let front = || FrontNumbers {
            connections: FrontSnapshot { accepted: 4, refused: vec![("tls", 1)] },
            certificate_ends: Some(9),
            ..FrontNumbers::default()
        };
        let hooks = HookNumbers { given_up: 6, ..HookNumbers::default() };
        let trail = move || TrailNumbers { hooks: hooks.clone(), ..TrailNumbers::default() };
        let (relay, front, web) = (Box::new(relay), Box::new(front), Box::new(web));
        Metrics::new(Sources { relay, front, web, trail: Box::new(trail) }, 7).render()
    }

    #[test]
    fn every_number_has_its_name_unit_and_label() {
        let text = rendered();
        for line in [
            "relayhouse_start_time_seconds 7",
            "relayhouse_allocations 0",
            "relayhouse_allocations_opened_total 0",
            "relayhouse_allocations_ended_total{reason=\"ended\"} 0",
            "relayhouse_allocations_refused_total{code=\"486\"} 0",
            "relayhouse_requests_refused_total{code=\"403\"} 0",
            "relayhouse_relayed_bytes_total{direction=\"to_peer\"} 0",
            "relayhouse_dropped_packets_total{reason=\"malformed\"} 0",
            "relayhouse_socket_drops_total{reason=\"kernel_buffer\"} 3",
            "relayhouse_refused_trains_total 0",
            "relayhouse_lanes_total 0",
            "relayhouse_icmp_errors_total 0",
            "relayhouse_draining 0",
            "relayhouse_stream_connections 0",
            "relayhouse_tcp_accepted_total 4",
            "relayhouse_tcp_refused_total{reason=\"tls\"} 1",
            "relayhouse_certificate_end_seconds 9",
            "relayhouse_rooms 2",
            "relayhouse_ice_minted_total 0",
            "relayhouse_ice_refused_total{by=\"address\"} 0",
            "relayhouse_http_requests_total{status=\"2xx\"} 5",
            "relayhouse_audit_events_lost_total 0",
            "relayhouse_hook_deliveries_total{outcome=\"given_up\"} 6",
            "relayhouse_hook_queue_age_seconds 0",
        ] {
            assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_dashboard_asks_for_nothing_else() {
        let board = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/grafana.json");
        let board = std::fs::read_to_string(board).expect("the dashboard");
        serde_json::from_str::<serde_json::Value>(&board).expect("JSON");
        let rendered = rendered();
        let names: Vec<_> =
            rendered.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
        let in_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let asked: Vec<_> =
            board.match_indices("relayhouse_").map(|(at, _)| &board[at..]).collect();
        assert!(asked.len() > 15, "a board of all that counts");
        for rest in asked {
            let name = &rest[..rest.find(|c| !in_name(c)).expect("it is quoted")];
            assert!(names.contains(&name), "{name} is on the dashboard only");
        }
    }

    #[test]
    fn the_text_is_ended_as_openmetrics_wants() {
        assert!(rendered().ends_with("# EOF\n"));
    }

    #[test]
    fn the_operating_manual_has_every_number() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operating.md");
        let docs = std::fs::read_to_string(docs).expect("the page");
        for line in rendered().lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = line.split(' ').next().expect("a name");
            assert!(docs.contains(&format!("`{name}")), "{name} is not in docs/operating.md");
        }
    }
}
