//! Clients over TCP and TLS, over real sockets of this host.

mod calls;
mod client;
mod framing;
mod house;
mod life;
mod limits;
mod tcp;
mod trains;

use std::net::SocketAddr;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Waits for what another thread is about to do.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("not within ten seconds: {what}");
}
