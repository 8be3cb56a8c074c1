//! How far a sender may be ahead of what has arrived.
//!
//! A peer's datagrams go into a client's connection as fast as the client reads, and no server keeps
//! what it does not take: a peer that sends as fast as it can measures how cheaply packets are thrown
//! away. One that keeps a few bursts of each flow under way measures how fast they are relayed.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use super::load::Run;

/// Bursts of each flow that are under way at once.
const BURSTS: usize = 8;
/// What has not arrived after this long without any arrival is lost.
const GIVEN_UP: Duration = Duration::from_millis(20);
/// How long to wait before looking again.
const NAP: Duration = Duration::from_micros(50);

/// What is under way.
pub(super) struct Window {
    most: u64,
    sent: u64,
    lost: u64,
    /// How many had arrived at the last look that saw a change, and when that was.
    arrived: u64,
    changed: Instant,
}

impl Window {
    /// Nothing is under way, and no more than a few bursts of each flow will be.
    pub(super) fn new(flows: usize, burst: usize) -> Self {
        let most = (flows * burst * BURSTS) as u64;
        Self { most, sent: 0, lost: 0, arrived: 0, changed: Instant::now() }
    }

    /// Waits until another `packets` fit, or the end of the run.
    pub(super) fn make_room(&mut self, run: &Run, packets: u64) {
        loop {
            let (arrived, now) = (run.arrived.load(Relaxed), Instant::now());
            if arrived != self.arrived {
                (self.arrived, self.changed) = (arrived, now);
            }
            if now - self.changed > GIVEN_UP {
                (self.lost, self.changed) = (self.sent.saturating_sub(arrived), now);
            }
            let under_way = self.sent.saturating_sub(self.lost + arrived);
            if under_way + packets <= self.most || now >= run.until {
                break;
            }
            thread::sleep(NAP);
        }
        self.sent += packets;
    }
}
