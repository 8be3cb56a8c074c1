//! Others beside the load: what they feel of it.
//!
//! Bystanders are clients of the same server, each with a thin flow both ways, as a voice is. They are watched
//! twice, alone and while the load runs; the difference is what one heavy flow does to others.
//!
//! When a packet came is what the kernel noted as it put it into the receiver's queue: this thread shares
//! its core with the load, and what it waits for that core is not the server's delay.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::client::{CHANNEL, Client};
use super::delay::Delays;
use super::options::{Plan, Transport};
use super::payload::{self, Around, Train};
use super::wire::Wire;
use super::wrong;
use crate::relay::burst::{self, Received};

/// Packets of each bystander a second, each way: a voice's.
pub(super) const RATE: u32 = 50;
/// Bytes of each payload.
pub(super) const SIZE: usize = 160;

/// The load is well under way after so long.
const WARMING: Duration = Duration::from_millis(200);
/// How long what is under way may take to arrive.
const LINGER: Duration = Duration::from_millis(300);

/// The bystanders' allocations, each with a peer of its own.
pub(super) struct Bystanders {
    each: Vec<Bystander>,
}

struct Bystander {
    client: UdpSocket,
    peer: UdpSocket,
    relayed: SocketAddr,
}

/// What came of one way.
#[derive(Default)]
pub(super) struct Way {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) delays: Delays,
}

/// What came of a watch.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) up: Way,
    pub(super) down: Way,
}

impl Bystanders {
    /// Opens their allocations. They speak UDP whatever the load speaks.
    ///
    /// # Errors
    /// When the server refuses one.
    pub(super) fn open(plan: &Plan) -> io::Result<Self> {
        let plan = Plan { transport: Transport::Udp, indications: false, ..plan.clone() };
        let one = |number| {
            Bystander::open(&plan).map_err(|error| wrong(format!("bystander {number}: {error}")))
        };
        Ok(Self { each: (1..=plan.bystanders).map(one).collect::<io::Result<_>>()? })
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.each.len()
    }

    /// Watches them alone.
    pub(super) fn alone(&self, time: Duration) -> io::Result<Watch> {
        self.watch(time)
    }

    /// Watches them while a load runs for so long.
    pub(super) fn beside(&self, load: Duration) -> io::Result<Watch> {
        thread::sleep(WARMING);
        self.watch(load.saturating_sub(2 * WARMING))
    }

    fn watch(&self, time: Duration) -> io::Result<Watch> {
        let mut watch = Watch::default();
        let around = Around::Channel { number: CHANNEL, padded: false };
        let (mut up, mut down) =
            (Train::new(around, SIZE, 1), Train::new(Around::Nothing, SIZE, 1));
        let began = Instant::now();
        let gap = Duration::from_secs(1) / RATE / self.each.len().max(1) as u32;
        let mut due = began;
        for one in self.each.iter().cycle() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if began.elapsed() >= time {
                break;
            }
            due += gap;
            up.stamp(since_1970());
            watch.up.sent += u64::from(one.client.send(&up.bytes).is_ok());
            down.stamp(since_1970());
            watch.down.sent += u64::from(one.peer.send_to(&down.bytes, one.relayed).is_ok());
            one.take(&mut watch);
        }
        thread::sleep(LINGER);
        self.each.iter().for_each(|one| one.take(&mut watch));
        Ok(watch)
    }
}

impl Bystander {
    fn open(plan: &Plan) -> io::Result<Self> {
        let peer = UdpSocket::bind(SocketAddr::new(plan.peer, 0))?;
        let mut client = Client::allocate(plan)?;
        client.permit(peer.local_addr()?)?;
        client.bind(peer.local_addr()?)?;
        let Wire::Udp(socket) = client.wire else { return Err(wrong("bystanders speak UDP")) };
        for socket in [&socket, &peer] {
            burst::prepare_for_singles(socket);
        }
        Ok(Self { client: socket, peer, relayed: client.relayed })
    }

    /// Counts everything that is there.
    fn take(&self, watch: &mut Watch) {
        watch.up.take(&self.peer, |bytes| Some(0..bytes.len()));
        watch.down.take(&self.client, payload::of_client);
    }
}

impl Way {
    fn take(
        &mut self,
        socket: &UdpSocket,
        payload_of: impl Fn(&[u8]) -> Option<std::ops::Range<usize>>,
    ) {
        let mut buffer = [0; 2048];
        while let Ok(Received { len, came, .. }) = burst::receive(socket, &mut buffer) {
            let sent = payload_of(&buffer[..len]).and_then(|at| payload::read(&buffer[at]));
            if let Some((sent, came)) = sent.zip(came) {
                self.received += 1;
                self.delays.add((came.as_nanos() as u64).saturating_sub(sent));
            }
        }
    }

    /// The share that was lost.
    pub(super) fn lost(&self) -> f64 {
        match self.sent {
            0 => 0.0,
            sent => 1.0 - self.received as f64 / sent as f64,
        }
    }
}

/// Nanoseconds by the clock that the kernel notes arrivals with.
fn since_1970() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}
