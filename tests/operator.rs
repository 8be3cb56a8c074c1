//! What an operator asks for beside the daily work: a server that empties itself, addresses that are
//! found out and looked at, numbers of what goes wrong outside.

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use support::credentials::Credential;
use support::http;
use support::server::{BINARY, Server, Start, message};
use support::turn_client::{TurnClient, With};

const SOON: Duration = Duration::from_secs(10);

fn allocated(server: &Server) -> TurnClient {
    let mut client = TurnClient::new(server.udp(), Credential::fresh("north", "ann"));
    client.allocate().unwrap_or_else(|refused| panic!("{refused:?}\n{}", server.text()));
    client
}

fn server() -> Server {
    Start::default().arg("--secret").arg("north").start()
}

/// The value of a number without labels.
fn number(server: &Server, name: &str) -> u64 {
    let page = http::get(&server.url("/metrics"), None).expect(200).body;
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{page}")).parse().expect("a number")
}

fn has_line(server: &Server, text: &str) -> bool {
    server.log().iter().any(|line| message(line).is_some_and(|message| message.contains(text)))
}

// --- drain ----------------------------------------------------------------------------------

#[test]
fn a_drain_lets_what_is_open_live_and_ends_the_server_with_its_last() {
    let mut server = server();
    let (mut one, mut two) = (allocated(&server), allocated(&server));
    let (a, b) = (one.relayed.expect("relayed"), two.relayed.expect("relayed"));
    assert_eq!(number(&server, "relayhouse_draining"), 0);

    server.signal("USR1");
    server.wait_for_line(SOON, "the drain", |line| line.contains("draining: new allocations"));
    assert_eq!(number(&server, "relayhouse_draining"), 1);
    let ready = http::get(&server.url("/readyz"), None).expect(503);
    assert!(ready.body.contains("draining") && ready.body.contains("2 are open"), "{}", ready.body);

    assert!(one.refresh(600).expect("an open allocation is refreshed") >= 600);
    one.bind_channel(0x4000, b).expect("and may still bind channels");
    two.bind_channel(0x4000, a).expect("and may still bind channels");
    one.send_channel(0x4000, b"still here");
    assert_eq!(two.receive_channel(SOON), Some((0x4000, b"still here".to_vec())));

    assert_eq!(one.refresh(0), Ok(0));
    std::thread::sleep(Duration::from_millis(700));
    assert!(server.is_running(), "one is left\n{}", server.text());
    assert_eq!(two.refresh(0), Ok(0));
    assert_eq!(server.wait_for_exit(SOON).code(), Some(0), "{}", server.text());
    server.wait_for_line(SOON, "its last words", |line| line.contains("drained"));
}

/// What a new client is told by a server that drains while somebody else's allocation is open.
fn told_while_draining(start: Start) -> u16 {
    let server = start.arg("--secret").arg("north").start();
    let _open = allocated(&server);
    server.signal("USR1");
    server.wait_for_line(SOON, "the drain", |line| line.contains("draining: new allocations"));
    let deadline = Instant::now() + SOON;
    loop {
        // The shards hear of it a moment later.
        let mut late = TurnClient::new(server.udp(), Credential::fresh("north", "bob"));
        match late.allocate() {
            Err(refused) => return refused.code,
            Ok(_) => late.refresh(0).expect("given back"),
        };
        assert!(Instant::now() < deadline, "{}", server.text());
    }
}

#[test]
fn a_drain_refuses_new_clients() {
    assert_eq!(told_while_draining(Start::default()), 508);
}

#[test]
fn a_drain_sends_new_clients_to_another_server_of_their_family() {
    let elsewhere = |servers| Start::default().set("relay.alternate_server", servers);
    assert_eq!(told_while_draining(elsewhere("192.0.2.7:3478,[2001:db8::7]:3478")), 300);
    assert_eq!(told_while_draining(elsewhere("[2001:db8::7]:3478")), 508);
}

#[test]
fn a_drain_by_command_says_what_is_open() {
    let mut server = server();
    let mut client = allocated(&server);
    let folder = server.data_dir().to_str().expect("UTF-8").to_owned();
    let drain = || support::server::run_to_end(&["drain", "--data-dir", &folder], SOON);
    let (code, stdout, stderr) = drain();
    assert_eq!((code, stdout.contains("1 open")), (Some(0), true), "{stdout}{stderr}");
    assert_eq!(drain().0, Some(0), "asking again does no harm");
    assert_eq!(client.refresh(0), Ok(0));
    assert_eq!(server.wait_for_exit(SOON).code(), Some(0), "{}", server.text());
}

#[test]
fn a_command_that_waits_for_the_drain_returns_with_the_end_of_the_server() {
    let mut server = server();
    let mut client = allocated(&server);
    let folder = server.data_dir().to_str().expect("UTF-8").to_owned();
    let waiting = std::thread::spawn(move || {
        support::server::run_to_end(&["drain", "--wait", "--data-dir", &folder], SOON)
    });
    server.wait_for_line(SOON, "the drain", |line| line.contains("draining: new allocations"));
    std::thread::sleep(Duration::from_millis(600));
    assert!(!waiting.is_finished(), "an allocation is left");
    assert_eq!(client.refresh(0), Ok(0));
    assert_eq!(waiting.join().expect("it ends").0, Some(0));
    assert_eq!(server.wait_for_exit(SOON).code(), Some(0), "{}", server.text());
}

#[test]
fn a_drain_without_allocations_ends_the_server_at_once() {
    let mut server = server();
    server.signal("USR1");
    assert_eq!(server.wait_for_exit(SOON).code(), Some(0), "{}", server.text());
}

#[test]
fn a_reload_does_not_end_a_drain() {
    let mut server = server();
    let mut client = allocated(&server);
    server.signal("USR1");
    server.wait_for_line(SOON, "the drain", |line| line.contains("draining: new allocations"));
    server.signal("HUP");
    server.wait_for_line(SOON, "the reload", |line| line.contains("configuration reloaded"));
    assert_eq!(number(&server, "relayhouse_draining"), 1);
    assert_eq!(client.refresh(0), Ok(0));
    assert_eq!(server.wait_for_exit(SOON).code(), Some(0), "{}", server.text());
}

#[test]
fn a_drain_where_no_server_runs_is_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let (code, _, stderr) = support::server::run_to_end(&["drain", "--data-dir", path], SOON);
    assert_eq!(code, Some(1));
    assert_eq!(stderr.trim(), format!("error: no server runs on the data folder {path}"));
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "and no state is made for it");
}

// --- addresses ------------------------------------------------------------------------------

/// A STUN server that sees everybody as `public`.
fn stun_server(public: &'static str) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let mut request = [0; 1500];
        while let Ok((_, from)) = socket.recv_from(&mut request) {
            let SocketAddr::V4(said) =
                SocketAddr::new(public.parse().expect("an address"), from.port())
            else {
                panic!("IPv4")
            };
            // A success response with XOR-MAPPED-ADDRESS, written as RFC 8489 draws it.
            let mut answer = vec![0x01, 0x01, 0, 12];
            answer.extend(&request[4..20]);
            answer.extend([0x00, 0x20, 0, 8, 0, 1]);
            answer.extend((said.port() ^ 0x2112).to_be_bytes());
            answer.extend((u32::from(*said.ip()) ^ 0x2112_A442).to_be_bytes());
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

/// Not `--dev`, which would keep everything on loopback.
fn closed() -> Start {
    let start = Start::default().closed().arg("--secret").arg("north-star-of-the-tests");
    start.set("relay.addresses", "127.0.0.1")
}

#[test]
fn the_public_address_is_found_out_and_told_to_clients() {
    let stun = stun_server("198.51.100.7");
    let server = closed().set("relay.stun_server", &stun.to_string()).start();
    assert!(has_line(&server, "public address found"), "{}", server.text());
    assert!(server.text().contains("198.51.100.7 (127.0.0.1 here)"), "{}", server.text());
    let credential = Credential::fresh("north-star-of-the-tests", "ann");
    let mut client = TurnClient::new(server.udp(), credential);
    let relayed = client.allocate().expect("allocated");
    assert_eq!(relayed.ip().to_string(), "198.51.100.7");
}

#[test]
fn a_public_address_that_is_written_down_is_not_asked_for() {
    let stun = stun_server("198.51.100.7");
    let server = closed().set("relay.stun_server", &stun.to_string());
    let server = server.set("relay.external", "203.0.113.9").start();
    assert!(!has_line(&server, "public address found"), "{}", server.text());
    assert!(server.text().contains("203.0.113.9 (127.0.0.1 here)"), "{}", server.text());
}

#[test]
fn every_pair_of_a_public_and_a_private_address_is_told_under_its_public_name() {
    let server = closed()
        .set("relay.addresses", "127.0.0.1,127.0.0.2,::1")
        .set("relay.external", "203.0.113.9/127.0.0.1,203.0.113.10/127.0.0.2,2001:db8::9/::1")
        .start();
    assert!(server.text().contains("203.0.113.9 (127.0.0.1 here)"), "{}", server.text());
    assert!(server.text().contains("203.0.113.10 (127.0.0.2 here)"), "{}", server.text());
    assert!(server.text().contains("2001:db8::9 (::1 here)"), "{}", server.text());
    let credential = Credential::fresh("north-star-of-the-tests", "ann");
    let mut client = TurnClient::new(server.udp(), credential);
    // ADDITIONAL-ADDRESS-FAMILY: IPv6.
    let both = With::Value(stun::attributes::AttrType(0x8000), vec![2, 0, 0, 0]);
    let relayed = client.allocate_with(&[both]).expect("allocated").relayed;
    let names: Vec<_> = relayed.iter().map(|one| one.ip().to_string()).collect();
    assert_eq!(names, ["203.0.113.9", "2001:db8::9"]);
}

#[test]
fn a_stun_server_that_does_not_answer_is_a_warning_and_no_more() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("it is bound").to_string();
    let server = closed().set("relay.stun_server", &address).start();
    let log = server.log();
    let why = log.iter().find_map(|line| {
        let found = message(line).is_some_and(|text| text.contains("was not found out"));
        found.then(|| (line["level"].clone(), line["fields"]["why"].clone()))
    });
    let (level, why) = why.unwrap_or_else(|| panic!("no word\n{}", server.text()));
    assert_eq!(level, "WARN");
    assert!(why.as_str().expect("a text").contains("3 requests"), "{why}");
}

#[test]
fn a_relay_that_nobody_outside_reaches_is_warned_about_at_the_start() {
    let server = closed().start();
    assert!(has_line(&server, "only programs on this host can use"), "{}", server.text());
    let dev = Server::dev();
    assert!(!has_line(&dev, "only programs on this host can use"), "{}", dev.text());
    assert!(has_line(&dev, "these are the addresses that peers will see"), "{}", dev.text());
}

// --- outside --------------------------------------------------------------------------------

#[test]
fn closed_ports_of_peers_are_told_to_the_client_and_counted() {
    let server = server();
    let mut client = allocated(&server);
    let closed = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    client.bind_channel(0x4000, closed.expect("a port")).expect("bound");
    let deadline = Instant::now() + SOON;
    while number(&server, "relayhouse_icmp_errors_total") == 0 {
        assert!(Instant::now() < deadline, "{}", server.text());
        client.send_channel(0x4000, b"anybody there?");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(client.receive_icmp(SOON), Some((3, 3)), "{}", server.text());
    assert!(client.refresh(600).is_ok());
}

#[test]
fn nat_discovery_is_served_where_two_addresses_share_two_ports() {
    let (low, high) = two_free_ports();
    let at = |ip: [u8; 4], port| SocketAddr::from((ip, port));
    let (one, two) = ([127, 0, 0, 1], [127, 0, 0, 2]);
    let four = [at(one, low), at(one, high), at(two, low), at(two, high)];
    let server = Start::default().listen(&four).start();
    assert!(has_line(&server, "NAT behaviour discovery"), "{}", server.text());

    // From another address, another port, both, none: the answer comes from where it was asked to.
    let changes = [(0, four[0]), (2, four[1]), (4, four[2]), (6, four[3])];
    for (change, expected) in changes {
        let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
        client.set_read_timeout(Some(SOON)).expect("a timeout");
        // A Binding request with CHANGE-REQUEST, written as RFC 5780 section 7.2 draws it.
        let mut request = vec![0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42];
        request.extend(b"discover-nat");
        request.extend([0x00, 0x03, 0, 4, 0, 0, 0, change]);
        client.send_to(&request, four[0]).expect("sent");
        let mut answer = [0; 1500];
        let (len, from) = client.recv_from(&mut answer).expect("an answer");
        assert_eq!((from, &answer[..2]), (expected, &[0x01, 0x01][..]), "{change}");
        // OTHER-ADDRESS of the listener that was asked.
        let mut other = vec![0x80, 0x2C, 0, 8, 0, 1];
        other.extend(high.to_be_bytes());
        other.extend(two);
        assert!(answer[..len].windows(12).any(|part| part == other), "{:?}", &answer[..len]);
    }
}

/// Two ports that were free on both addresses a moment ago.
fn two_free_ports() -> (u16, u16) {
    loop {
        let pair = [0; 2].map(|_| UdpSocket::bind("127.0.0.1:0").expect("a port"));
        let ports = pair.map(|socket| socket.local_addr().expect("it is bound").port());
        if ports.iter().all(|port| UdpSocket::bind(("127.0.0.2", *port)).is_ok()) {
            return (ports[0], ports[1]);
        }
    }
}

#[test]
fn without_nat_discovery_a_change_is_not_understood() {
    let (low, high) = two_free_ports();
    let at = |ip: [u8; 4], port| SocketAddr::from((ip, port));
    let (one, two) = ([127, 0, 0, 1], [127, 0, 0, 2]);
    let four = [at(one, low), at(one, high), at(two, low), at(two, high)];
    let server = Start::default().listen(&four).set("relay.nat_discovery", "false").start();
    assert!(!has_line(&server, "NAT behaviour discovery"), "{}", server.text());
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    client.set_read_timeout(Some(SOON)).expect("a timeout");
    let mut request = vec![0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42];
    request.extend(b"discover-nat");
    request.extend([0x00, 0x03, 0, 4, 0, 0, 0, 6]);
    client.send_to(&request, four[0]).expect("sent");
    let mut answer = [0; 1500];
    let (len, from) = client.recv_from(&mut answer).expect("an answer");
    assert_eq!((from, &answer[..2]), (four[0], &[0x01, 0x11][..]));
    let code = [0x00, 0x09].as_slice();
    let at = answer[..len].windows(2).position(|part| part == code).expect("ERROR-CODE");
    assert_eq!(answer[at + 6..at + 8], [4, 20]);
}

#[test]
fn the_command_is_in_the_help() {
    let help = std::process::Command::new(BINARY).arg("--help").output().expect("it runs");
    assert!(String::from_utf8_lossy(&help.stdout).contains("drain"));
}
