//! `GET /api/v1/admin/stats`: the numbers a dashboard draws, in one object. Those that only grow count
//! from the start of the server.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::errors::{ApiError, ErrorBody};
use crate::api::{Api, Client, HttpSnapshot, NO_STORE, RelayStats};
use crate::signal::HubStats;

/// The server in numbers.
#[derive(Serialize, ToSchema)]
struct Stats {
    /// Seconds since the server began to serve.
    uptime: u64,
    version: &'static str,
    relay: Relay,
    signal: Signal,
    http: Http,
}

/// The relay. Up is from clients to peers; bytes are payload.
#[derive(Serialize, ToSchema)]
#[schema(as = RelayStats)]
#[serde(rename_all = "camelCase")]
struct Relay {
    /// Open now.
    allocations: u64,
    /// Opened so far.
    allocations_total: u64,
    packets_up: u64,
    packets_down: u64,
    bytes_up: u64,
    bytes_down: u64,
    /// STUN Binding requests answered.
    bindings: u64,
    /// Requests whose credentials did not hold.
    authentication_failures: u64,
    /// TCP connections to peers now.
    peer_connections: u64,
    /// Allocations that ended, by reason.
    ended: Vec<ByReason>,
    /// Requests refused, by STUN error code; 0 is any other code. First contacts, which are told 401
    /// and come again with a credential, are none.
    refusals: Vec<ByCode>,
    /// Packets not relayed, by reason.
    drops: Vec<ByReason>,
    /// Whether new allocations are refused because the server drains.
    draining: bool,
    /// Threads that relay.
    workers: u64,
    /// Threads that started anew after a bug.
    restarts: u64,
    /// Events that were not told because too many came at once.
    events_lost: u64,
}

#[derive(Serialize, ToSchema)]
struct ByCode {
    code: u16,
    count: u64,
}

#[derive(Serialize, ToSchema)]
struct ByReason {
    reason: &'static str,
    count: u64,
}

/// Rooms and who is in them.
#[derive(Serialize, ToSchema)]
#[schema(as = SignalStats)]
struct Signal {
    rooms: usize,
    /// Those whose connection broke and who may still resume included.
    peers: usize,
    /// Of the peers, those.
    away: usize,
    /// Guests in lobbies.
    waiting: usize,
    connections: usize,
    /// Messages passed on so far.
    relayed: u64,
    /// Errors told to clients so far.
    errors: u64,
    /// Peers that resumed so far.
    resumed: u64,
}

/// The HTTP side.
#[derive(Serialize, ToSchema)]
#[schema(as = HttpStats)]
struct Http {
    /// Connections now.
    connections: u64,
    /// Connections so far.
    accepted: u64,
    /// WebSockets now.
    websockets: u64,
    /// Answers so far, by class of status.
    answers: Vec<ByStatus>,
}

#[derive(Serialize, ToSchema)]
struct ByStatus {
    /// `1xx` to `5xx`.
    status: String,
    count: u64,
}

/// The server in numbers.
#[utoipa::path(
    get,
    path = "/api/v1/admin/stats",
    tag = "admin",
    responses(
        (status = 200, body = Stats),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn stats(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    api.caller(&headers, client)?.may_admin()?;
    let stats = Stats {
        uptime: api.now().mono.since(api.started).as_secs(),
        version: env!("CARGO_PKG_VERSION"),
        relay: api.relay.stats().into(),
        signal: api.hub().stats().await.into(),
        http: api.snapshot().into(),
    };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(stats)).into_response())
}

impl From<RelayStats> for Relay {
    fn from(stats: RelayStats) -> Self {
        let RelayStats { machines, workers, restarts, events_lost, draining } = stats;
        let ended = machines.allocations_ended.into_iter();
        let others = machines.requests_refused.into_iter().map(|(_, count)| count);
        let refusals = machines.allocations_refused.into_iter().zip(others);
        let drops = machines.drops.into_iter();
        Self {
            allocations: machines.allocations,
            allocations_total: machines.allocations_total,
            packets_up: machines.packets_up,
            packets_down: machines.packets_down,
            bytes_up: machines.bytes_up,
            bytes_down: machines.bytes_down,
            bindings: machines.bindings,
            authentication_failures: machines.authentication_failures,
            peer_connections: machines.connections,
            ended: ended.map(|(why, count)| ByReason { reason: why.name(), count }).collect(),
            refusals: refusals
                .map(|((code, one), other)| ByCode { code, count: one + other })
                .collect(),
            drops: drops.map(|(why, count)| ByReason { reason: why.name(), count }).collect(),
            draining,
            workers,
            restarts,
            events_lost,
        }
    }
}

impl From<HubStats> for Signal {
    fn from(stats: HubStats) -> Self {
        Self {
            rooms: stats.rooms,
            peers: stats.peers,
            away: stats.away,
            waiting: stats.waiting,
            connections: stats.connections,
            relayed: stats.relayed,
            errors: stats.errors,
            resumed: stats.resumed,
        }
    }
}

impl From<HttpSnapshot> for Http {
    fn from(numbers: HttpSnapshot) -> Self {
        let answers = numbers.responses.into_iter().zip(1..);
        Self {
            connections: numbers.connections,
            accepted: numbers.accepted,
            websockets: numbers.websockets,
            answers: answers
                .map(|(count, class)| ByStatus { status: format!("{class}xx"), count })
                .collect(),
        }
    }
}
