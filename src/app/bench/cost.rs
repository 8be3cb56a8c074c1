//! What a process and our own threads cost: time on a CPU, as the scheduler counts it, and memory.

use std::fmt;
use std::fs;
use std::num::NonZero;
use std::thread;
use std::time::Duration;

/// A thread, or all of them together, that was on a CPU for this share of the time could not have done more.
const BUSY: f64 = 0.95;

/// A server that was on a CPU for this share of the time was busy: what the kernel does for it in interrupts
/// is not counted as its own.
const SERVER_BUSY: f64 = 0.9;

/// What a run took of whom.
pub(super) struct Spent {
    pub(super) took: Duration,
    /// The server's time on CPUs.
    pub(super) server: Option<Duration>,
    /// The share of the time that our busiest thread was on a CPU.
    pub(super) busiest: f64,
    /// The share of the time of all our CPUs that our threads were on one.
    all: f64,
}

impl Spent {
    /// `server` is what it had spent after and before; `own` what each of our threads spent meanwhile.
    pub(super) fn new(
        took: Duration,
        server: Option<(Duration, Duration)>,
        own: impl Iterator<Item = Duration>,
    ) -> Self {
        let loads: Vec<_> = own.map(|cpu| cpu.as_secs_f64() / took.as_secs_f64()).collect();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            took,
            server: server.map(|(after, before)| after.saturating_sub(before)),
            busiest: loads.iter().copied().fold(0.0, f64::max),
            all: loads.iter().sum::<f64>() / cores as f64,
        }
    }

    /// Nanoseconds of the server's CPUs for each of `count`.
    pub(super) fn each(&self, count: u64) -> Option<f64> {
        let server = self.server?.as_nanos() as f64;
        (count > 0).then(|| server / count as f64)
    }

    /// The share of one CPU that the server was on.
    pub(super) fn server_load(&self) -> Option<f64> {
        Some(self.server?.as_secs_f64() / self.took.as_secs_f64())
    }

    /// Whether it was us who could not do more, and not the server.
    pub(super) fn is_own_limit(&self) -> bool {
        let busy = self.busiest > BUSY || self.all > BUSY;
        busy && self.server_load().is_none_or(|load| load < SERVER_BUSY)
    }

    /// The lines about it; `cost` is in nanoseconds for each of `what`.
    pub(super) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        what: &str,
        cost: Option<f64>,
    ) -> fmt::Result {
        if let (Some(cost), Some(load)) = (cost, self.server_load()) {
            let (cost, load) = (cost / 1000.0, load * 100.0);
            writeln!(f, "server    {cost:.2} µs of CPU {what}, {load:.0} % of a CPU")?;
        }
        writeln!(f, "generator {:.0} % of a CPU in its busiest thread", self.busiest * 100.0)?;
        if self.is_own_limit() {
            writeln!(f, "the generator was the limit: the server could have done more")?;
        }
        Ok(())
    }
}

/// Time on a CPU of all threads of a process, user and kernel (`/proc/<pid>/task/*/schedstat`). Threads
/// that have ended are not in it.
pub(super) fn of_process(pid: u32) -> Option<Duration> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let times =
        tasks.filter_map(|task| read(&format!("{}/schedstat", task.ok()?.path().display())));
    Some(times.sum())
}

/// Time on a CPU of this thread.
pub(super) fn of_this_thread() -> Duration {
    read("/proc/thread-self/schedstat").unwrap_or_default()
}

fn read(path: &str) -> Option<Duration> {
    let text = fs::read_to_string(path).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// Bytes of memory that are a process's own (`RssAnon`): neither files it maps nor what the kernel keeps for
/// its sockets.
pub(super) fn memory_of_process(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Datagrams that the kernel dropped so far on this machine's UDP sockets of `port`, because they were full.
pub(super) fn drops_on(port: u16) -> u64 {
    let tables = ["/proc/net/udp", "/proc/net/udp6"].map(fs::read_to_string);
    let of_table =
        |table: &String| -> u64 { table.lines().filter_map(|line| drops_in(line, port)).sum() };
    tables.iter().flatten().map(of_table).sum()
}

/// The last column of a line, where the second one is a local address with this port.
fn drops_in(line: &str, port: u16) -> Option<u64> {
    let mut words = line.split_whitespace();
    let (_, of_socket) = words.nth(1)?.rsplit_once(':')?;
    let is_its = u16::from_str_radix(of_socket, 16) == Ok(port);
    is_its.then(|| words.next_back()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_those_of_the_port_alone() {
        let line = "  391: 0100007F:0D96 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21071 2 0000000000000000 17";
        assert_eq!(drops_in(line, 3478), Some(17));
        assert_eq!(drops_in(line, 3479), None);
        assert_eq!(drops_in("  sl  local_address rem_address   st tx_queue rx_queue", 3478), None);
    }

    #[test]
    fn a_process_has_memory_of_its_own() {
        assert!(memory_of_process(std::process::id()).is_some_and(|bytes| bytes > 100_000));
    }
}
