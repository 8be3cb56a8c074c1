//! What becomes of connections, counted.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::proxy::Malformed;
use crate::relay;

/// How often an operator is told the same.
const EACH: Duration = Duration::from_secs(60);

/// Why a connection was closed before it came to anybody.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("too many undecided connections of its source")]
    Crowded,
    #[error("nothing was decided in time")]
    Late,
    #[error("a trusted proxy did not say who its client is: {0}")]
    Proxy(#[from] Malformed),
    #[error("TLS: {0}")]
    Tls(io::Error),
    #[error("its first byte, {0:#04x}, is of nothing that is served here")]
    Unknown(u8),
    #[error("{0}")]
    Relay(#[from] relay::Refused),
    #[error("the HTTP side takes no more connections")]
    Http,
    #[error("it ended")]
    Ended,
    #[error("it broke off: {0}")]
    Broken(#[from] io::Error),
}

impl Refusal {
    /// The words of [`FrontSnapshot::refused`], by index.
    const REASONS: [&'static str; 7] =
        ["crowded", "late", "proxy", "tls", "unknown", "full", "ended"];

    /// Whether it is for an operator to change: a bound that was reached.
    pub(super) fn is_bound(&self) -> bool {
        matches!(self, Self::Relay(relay::Refused::Full) | Self::Http)
    }

    fn index(&self) -> usize {
        match self {
            Self::Crowded => 0,
            Self::Late => 1,
            Self::Proxy(_) => 2,
            Self::Tls(_) => 3,
            Self::Unknown(_) => 4,
            Self::Relay(_) | Self::Http => 5,
            Self::Ended | Self::Broken(_) => 6,
        }
    }
}

/// The counters themselves.
#[derive(Debug, Default)]
pub struct Numbers {
    accepted: AtomicU64,
    refused: [AtomicU64; 7],
    /// Words about a bound that is reached.
    pub(super) of_bounds: Words,
    /// Words about accepting that fails.
    pub(super) of_accepting: Words,
}

/// Words that an operator should read, but not over and over.
#[derive(Debug, Default)]
pub(super) struct Words(Mutex<Option<Instant>>);

impl Words {
    /// Whether it is time to say them: they have not been said for a while.
    pub(super) fn are_due(&self) -> bool {
        let (now, mut said) =
            (Instant::now(), self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let due = said.is_none_or(|last| now.duration_since(last) >= EACH);
        if due {
            *said = Some(now);
        }
        due
    }
}

/// The numbers of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontSnapshot {
    /// Connections accepted so far.
    pub accepted: u64,
    /// Connections closed before they came to the relay or to HTTP, by reason: `crowded`, `late`,
    /// `proxy`, `tls`, `unknown`, `full`, `ended`.
    pub refused: Vec<(&'static str, u64)>,
}

impl Numbers {
    pub(super) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    pub(super) fn count(&self, refusal: &Refusal) {
        self.refused[refusal.index()].fetch_add(1, Relaxed);
    }

    /// All of them, each read on its own.
    pub fn snapshot(&self) -> FrontSnapshot {
        let refused = Refusal::REASONS.into_iter().zip(&self.refused);
        FrontSnapshot {
            accepted: self.accepted.load(Relaxed),
            refused: refused.map(|(reason, count)| (reason, count.load(Relaxed))).collect(),
        }
    }
}
