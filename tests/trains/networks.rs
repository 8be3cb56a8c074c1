//! Three hosts in network namespaces of their own: a client, the relay, a peer, with a cable from the relay
//! to each of the others.

use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A host, by the letter its namespace's name ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    Client,
    Relay,
    Peer,
}

/// The hosts; gone with their cables when it is dropped.
pub struct Networks {
    name: String,
}

/// The relay's address towards clients.
pub const SERVER: [u8; 4] = [10, 77, 1, 1];
pub const CLIENT: [u8; 4] = [10, 77, 1, 2];
/// The relay's address towards peers.
pub const RELAY: [u8; 4] = [10, 77, 2, 1];
pub const PEER: [u8; 4] = [10, 77, 2, 2];

impl Networks {
    /// Lays the cables, with these MTUs.
    pub fn new(mtu_to_client: u32, mtu_to_peer: u32) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let networks = Self { name: format!("rh{}-{number}", std::process::id()) };
        for host in [Host::Client, Host::Relay, Host::Peer] {
            let name = networks.of(host);
            ip(&["netns", "add", &name]);
            ip(&["-n", &name, "link", "set", "lo", "up"]);
        }
        networks.cable(Host::Client, mtu_to_client, [SERVER, CLIENT]);
        networks.cable(Host::Peer, mtu_to_peer, [RELAY, PEER]);
        networks
    }

    fn cable(&self, to: Host, mtu: u32, addresses: [[u8; 4]; 2]) {
        let (relay, other, mtu) = (self.of(Host::Relay), self.of(to), mtu.to_string());
        let names = match to {
            Host::Client => ["up0", "down0"],
            _ => ["up1", "down1"],
        };
        let [near, far] = names;
        ip(&[
            "-n", &relay, "link", "add", near, "mtu", &mtu, "type", "veth", "peer", "name", far,
            "mtu", &mtu, "netns", &other,
        ]);
        for (name, link, address) in [(&relay, near, addresses[0]), (&other, far, addresses[1])] {
            let address = format!("{}/24", IpAddr::from(address));
            ip(&["-n", name, "addr", "add", &address, "dev", link]);
            ip(&["-n", name, "link", "set", link, "up"]);
        }
    }

    /// The name of a host's namespace.
    pub fn of(&self, host: Host) -> String {
        let letter = match host {
            Host::Client => 'c',
            Host::Relay => 'r',
            Host::Peer => 'p',
        };
        format!("{}{letter}", self.name)
    }

    /// Does something on `host`. A socket made there stays there.
    pub fn on<T: Send>(&self, host: Host, act: impl FnOnce() -> T + Send) -> T {
        let file = File::open(format!("/run/netns/{}", self.of(host))).expect("it was made");
        std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                let network = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(file.as_fd(), network).expect("root may enter it");
                act()
            });
            there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for host in [Host::Client, Host::Relay, Host::Peer] {
            let _ = Command::new("ip").args(["netns", "del", &self.of(host)]).status();
        }
    }
}

/// An address of a host, any port.
pub fn at(address: [u8; 4]) -> SocketAddr {
    (address, 0).into()
}

/// Runs `ip`, which must work: a machine without network namespaces cannot run these tests.
fn ip(words: &[&str]) {
    let done = Command::new("ip").args(words).output();
    let done = done.unwrap_or_else(|error| {
        panic!("`ip` is needed by this test and cannot be started ({error}); it is in Debian's package `iproute2`")
    });
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "network namespaces are needed by this test, and root who may make them: `ip {}` says {said}",
        words.join(" ")
    );
}
