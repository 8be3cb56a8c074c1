//! Counters of the HTTP side.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

/// What the HTTP side counts. Labels are bounded: five classes of status, nothing of the client's.
#[derive(Debug, Default)]
pub(super) struct HttpNumbers {
    responses: [AtomicU64; 5],
    connections: AtomicU64,
    accepted: AtomicU64,
    minted: AtomicU64,
    ice_refused: [AtomicU64; 2],
}

/// Whose rate limit refused a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IceRefused {
    /// That of an API key.
    Key,
    /// That of an address.
    Address,
}

/// The numbers of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpSnapshot {
    /// Answers by class of status: 1xx, 2xx, 3xx, 4xx, 5xx.
    pub responses: [u64; 5],
    /// HTTP connections now.
    pub connections: u64,
    /// TCP connections accepted so far.
    pub accepted: u64,
    /// WebSocket connections now; they are no longer among [`connections`](Self::connections).
    pub websockets: u64,
    /// Credentials made for the relay by `GET /api/v1/ice` and its like.
    pub minted: u64,
    /// Those that were refused because too many were asked for: by one API key, from one address.
    pub ice_refused: [u64; 2],
    /// Rooms stored now.
    pub rooms: u64,
    /// Password hashes computed for logins.
    pub password_hashes: u64,
}

impl HttpNumbers {
    /// All that is counted here, each read on its own.
    pub(super) fn snapshot(&self) -> HttpSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        HttpSnapshot {
            responses: self.responses.each_ref().map(read),
            connections: read(&self.connections),
            accepted: read(&self.accepted),
            minted: read(&self.minted),
            ice_refused: self.ice_refused.each_ref().map(read),
            ..HttpSnapshot::default()
        }
    }

    pub(super) fn count_response(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = class.checked_sub(1).and_then(|class| self.responses.get(class)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count_ice(&self, minted: bool, by: IceRefused) {
        let counter = if minted { &self.minted } else { &self.ice_refused[by as usize] };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_opened(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
