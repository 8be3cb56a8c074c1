//! The `turn` crate's client against the server: allocations, permissions, channels, Send and Data
//! indications and the end of an allocation, driven by code that shares nothing with ours.
//!
//! That client sends indications until its channel is bound, and channel data from then on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;
use turn::client::{Client, ClientConfig};
use webrtc_util::Conn;

use crate::support::coturn::Coturn;
use crate::support::credentials::Credential;
use crate::support::http;
use crate::support::server::{Server, Start};

const ANSWER: Duration = Duration::from_secs(5);

fn server() -> Server {
    Start::default().arg("--secret").arg("north").start()
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let limited = async { timeout(Duration::from_secs(30), test).await.expect("done within 30 s") };
    runtime.expect("a runtime").block_on(limited);
}

async fn client(server: SocketAddr, credential: &Credential) -> Client {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let config = ClientConfig {
        stun_serv_addr: server.to_string(),
        turn_serv_addr: server.to_string(),
        username: credential.username.clone(),
        password: credential.password.clone(),
        realm: String::new(),
        software: String::new(),
        rto_in_ms: 0,
        conn: Arc::new(socket),
        vnet: None,
    };
    let client = Client::new(config).await.expect("a client");
    client.listen().await.expect("listening");
    client
}

/// What opens a way and may be lost.
const KNOCK: &[u8] = b"knock";

async fn receive(from: &(impl Conn + ?Sized)) -> (Vec<u8>, SocketAddr) {
    loop {
        let mut buffer = vec![0; 2000];
        let received = timeout(ANSWER, from.recv_from(&mut buffer)).await;
        let (length, peer) = received.expect("something arrives within 5 s").expect("received");
        if &buffer[..length] != KNOCK {
            buffer.truncate(length);
            return (buffer, peer);
        }
    }
}

/// Two relayed addresses, each on a server of its own or on the same, exchange packets both ways:
/// first as indications, later over channels.
pub fn relays_meet(left: (SocketAddr, Credential), right: (SocketAddr, Credential)) {
    run(async {
        let (one, two) = (client(left.0, &left.1).await, client(right.0, &right.1).await);
        let a = one.allocate().await.expect("allocated on the left");
        let b = two.allocate().await.expect("allocated on the right");
        let a_address = a.local_addr().expect("relayed");
        let b_address = b.local_addr().expect("relayed");
        // The first packet opens the left side for the right one. Whether the right side is open by
        // the time it gets there is a matter of luck.
        a.send_to(KNOCK, b_address).await.expect("sent");
        for round in 0..20_u8 {
            let text = [round; 100];
            b.send_to(&text, a_address).await.expect("sent");
            assert_eq!(receive(&a).await, (text.to_vec(), b_address), "round {round}");
            a.send_to(&text, b_address).await.expect("sent");
            assert_eq!(receive(&b).await, (text.to_vec(), a_address), "round {round}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        one.close().await.expect("closed");
        two.close().await.expect("closed");
    });
}

#[test]
fn two_allocations_of_one_server_talk() {
    let server = server();
    let of = |name| (server.udp(), Credential::fresh("north", name));
    relays_meet(of("ann"), of("bob"));
}

#[test]
fn two_allocations_on_two_shards_talk() {
    let server = Start::default().arg("--secret").arg("north").set("relay.workers", "2").start();
    let of = |name| (server.udp(), Credential::fresh("north", name));
    for _ in 0..4 {
        relays_meet(of("ann"), of("bob")); // fresh ports each time, so all pairings of shards come up
    }
}

#[test]
fn the_same_steps_pass_against_coturn() {
    let coturn = Coturn::with_secret("north");
    let of = |name| (coturn.udp(), Credential::fresh("north", name));
    relays_meet(of("ann"), of("bob"));
}

#[test]
fn a_plain_udp_peer_is_reached_and_answers() {
    let server = server();
    run(async {
        let client = client(server.udp(), &Credential::fresh("north", "ann")).await;
        let relay = client.allocate().await.expect("allocated");
        let relayed = relay.local_addr().expect("relayed");
        let peer = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let peer_address = peer.local_addr().expect("bound");
        for round in 0..20_u8 {
            let text = vec![round; usize::from(round) * 61];
            relay.send_to(&text, peer_address).await.expect("sent");
            let mut buffer = vec![0; 2000];
            let got = timeout(ANSWER, peer.recv_from(&mut buffer)).await.expect("arrives");
            let (length, from) = got.expect("received");
            assert_eq!((&buffer[..length], from), (&text[..], relayed), "round {round}");
            peer.send_to(&buffer[..length], relayed).await.expect("sent");
            assert_eq!(receive(&relay).await, (text, peer_address), "round {round}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        client.close().await.expect("closed");
    });
}

#[test]
fn a_peer_without_permission_is_not_let_in() {
    let server = server();
    run(async {
        let client = client(server.udp(), &Credential::fresh("north", "ann")).await;
        let relay = client.allocate().await.expect("allocated");
        let relayed = relay.local_addr().expect("relayed");
        let stranger = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        stranger.send_to(b"let me in", relayed).await.expect("sent");
        let mut buffer = [0; 100];
        let got = timeout(Duration::from_millis(500), relay.recv_from(&mut buffer)).await;
        assert!(got.is_err(), "a stranger's packet came through");
    });
}

#[test]
fn the_reflexive_address_is_the_sockets_own() {
    let server = server();
    run(async {
        let client = client(server.udp(), &Credential::fresh("north", "ann")).await;
        let mapped = client.send_binding_request().await.expect("answered");
        assert!(mapped.ip().is_loopback() && mapped.port() != 0, "{mapped}");
    });
}

#[test]
fn a_wrong_password_is_refused() {
    let server = server();
    run(async {
        let client = client(server.udp(), &Credential::fresh("south", "ann")).await;
        let error = client.allocate().await.err().expect("refused").to_string();
        assert!(error.contains("401"), "{error}");
    });
}

#[test]
fn closing_the_relay_deletes_the_allocation() {
    let server = server();
    let now = || {
        let text = http::get(&server.url("/metrics"), None).expect(200).body;
        let lines: Vec<String> =
            text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        allocations_now(&lines).unwrap_or_else(|| panic!("no gauge of allocations in:\n{text}"))
    };
    run(async {
        assert_eq!(now(), 0.0);
        let client = client(server.udp(), &Credential::fresh("north", "ann")).await;
        let relay = client.allocate().await.expect("allocated");
        until(|| now() == 1.0).await;
        relay.close().await.expect("closed");
        until(|| now() == 0.0).await;
    });
}

/// The gauge of open allocations: the one sample named so that is neither a total nor a refusal.
fn allocations_now(samples: &[String]) -> Option<f64> {
    let wanted = |line: &&String| {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        name.ends_with("allocations") || name.ends_with("allocations_now")
    };
    samples.iter().find(wanted)?.split_whitespace().last()?.parse().ok()
}

async fn until(mut condition: impl FnMut() -> bool) {
    for _ in 0..100 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("what should have become true within 5 s did not");
}
