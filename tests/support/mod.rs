//! What the black-box tests share: the program under test, clients for it, and other people's tools.
//!
//! Nothing here looks inside the library. A test starts the binary, speaks to its ports and reads
//! its log, as an operator would. Each test binary uses its own part of this.
#![allow(dead_code, unreachable_pub)]

pub mod coturn;
pub mod credentials;
pub mod http;
pub mod server;
pub mod tools;
pub mod turn_client;
pub mod wire;

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Two neighbouring UDP ports, the first one even, that were free on `ip` a moment ago.
///
/// For programs that cannot be given port 0. They come from below the ephemeral range, so no
/// socket opened meanwhile is given one by chance; tests side by side start at different places.
pub fn free_port_pair(ip: &str) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..2000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = (std::process::id() as u16).wrapping_mul(37).wrapping_add(step) % 5000;
        let port = 20_000 + place * 2;
        if UdpSocket::bind((ip, port)).is_ok() && UdpSocket::bind((ip, port + 1)).is_ok() {
            return port;
        }
    }
    panic!("no two neighbouring UDP ports are free on {ip} between 20000 and 30000");
}

/// A TCP address on 127.0.0.1 that was free a moment ago, for what cannot be given port 0.
pub fn free_tcp_address() -> SocketAddr {
    let port = free_port_pair("127.0.0.1");
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(listener) => listener.local_addr().expect("bound"),
        Err(_) => free_tcp_address(),
    }
}
