//! The end: listeners close at once, and nothing is waited for that was never decided.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::{Tls, binding, tcp};
use crate::support::server::Server;

#[test]
fn undecided_connections_do_not_hold_up_the_end() {
    let mut server = Server::dev();
    let mut half = tcp(server.tls());
    half.write_all(b"\x16\x03\x01\x02\x00").expect("sent");
    let _silent = tcp(server.http_address());
    let mut session = Tls::default().connect(server.tls());
    assert!(binding(&mut session.stream).is_some());
    let began = Instant::now();
    server.signal("TERM");
    let status = server.wait_for_exit(Duration::from_secs(15));
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_secs(8), "it took {:?}", began.elapsed());
    assert!(TcpStream::connect(server.tcp()).is_err(), "nobody listens any more");
}
