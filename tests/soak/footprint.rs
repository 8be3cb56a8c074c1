//! What a process holds, read from `/proc`: file descriptors, UDP sockets, threads and memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

/// What a process holds at one moment.
#[derive(Clone, Debug)]
pub struct Footprint {
    /// Open file descriptors by what they are: `socket`, `anon_inode:[eventpoll]`, a file's path.
    pub descriptors: BTreeMap<String, usize>,
    /// Bound UDP sockets by port. Shards share a port.
    pub udp: BTreeMap<u16, usize>,
    pub threads: usize,
    /// Resident memory.
    pub kib: u64,
}

impl Footprint {
    /// Of a running process of this user.
    pub fn of(pid: u32) -> Self {
        let (mut descriptors, mut inodes) = (BTreeMap::new(), BTreeSet::new());
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs").flatten() {
            // One that was closed meanwhile does not count.
            let Ok(target) = fs::read_link(entry.path()) else { continue };
            let target = target.to_string_lossy();
            let (kind, number) = target.split_once(":[").unwrap_or((&target, ""));
            if kind == "socket" {
                inodes.insert(number.trim_end_matches(']').to_owned());
            }
            let kind = if kind == "anon_inode" { &target } else { kind };
            *descriptors.entry(kind.to_owned()).or_default() += 1;
        }
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let digits = line.and_then(|line| line.split_whitespace().next());
            digits.and_then(|digits| digits.parse().ok()).expect("a number")
        };
        let udp = udp_ports(pid, &inodes);
        let (threads, kib) = (number("Threads:") as usize, number("VmRSS:"));
        Self { descriptors, udp, threads, kib }
    }

    /// What `self` holds that `start` did not, in words; memory and threads apart.
    pub fn beyond(&self, start: &Self) -> Option<String> {
        let mut words = String::new();
        for (kind, count) in &self.descriptors {
            let before = start.descriptors.get(kind).copied().unwrap_or(0);
            if *count > before {
                let _ = writeln!(words, "{count} descriptors of kind {kind}, {before} before");
            }
        }
        for (port, count) in &self.udp {
            let before = start.udp.get(port).copied().unwrap_or(0);
            if *count > before {
                let _ = writeln!(words, "{count} UDP sockets on port {port}, {before} before");
            }
        }
        (!words.is_empty()).then_some(words)
    }
}

/// The ports of UDP sockets with one of these inodes.
fn udp_ports(pid: u32, inodes: &BTreeSet<String>) -> BTreeMap<u16, usize> {
    let mut ports = BTreeMap::new();
    for table in ["udp", "udp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let (local, inode) = (columns[1], columns[9]);
            if inodes.contains(inode) {
                let port = local.rsplit(':').next().expect("a port");
                let port = u16::from_str_radix(port, 16).expect("hexadecimal");
                *ports.entry(port).or_default() += 1;
            }
        }
    }
    ports
}
