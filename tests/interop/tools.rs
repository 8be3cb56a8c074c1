//! coturn's own test tools against the server.
//!
//! How many messages go: `-n` times the sessions. One client has two of them (RTP and RTCP; one with
//! `-c`), twice as many when it talks to itself (`-y`); `-m` counts sessions, not clients.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::coturn::Coturn;
use crate::support::credentials::{Credential, unix_now};
use crate::support::server::{Server, Start};
use crate::support::tools::{Peer, Report, stunclient, uclient};
use crate::support::turn_client::TurnClient;

/// A server with the REST secret `north` on both loopback addresses.
fn server() -> Server {
    Start::default().own_relay_ports().with_ipv6().arg("--secret").arg("north").start()
}

/// Ten messages from one client through the server to an echo on `peer`.
fn to_a_peer(server: &Server, peer_ip: &str, args: &[&str]) -> Report {
    let peer = Peer::start(peer_ip);
    let [e, ip, r, port] = peer.args();
    let mut all = vec!["-n", "10", e.as_str(), &ip, &r, &port];
    all.extend(args);
    uclient(server.udp(), &all)
}

#[test]
fn channels_carry_everything() {
    to_a_peer(&server(), "127.0.0.1", &["-u", "ann", "-W", "north"]).expect_all(20);
}

#[test]
fn send_and_data_indications_carry_everything() {
    to_a_peer(&server(), "127.0.0.1", &["-s", "-u", "ann", "-W", "north"]).expect_all(20);
}

#[test]
fn large_messages_pass_over_channels() {
    to_a_peer(&server(), "127.0.0.1", &["-l", "1200", "-u", "ann", "-W", "north"]).expect_all(20);
}

#[test]
fn large_messages_pass_as_indications() {
    let args = ["-s", "-l", "1200", "-u", "ann", "-W", "north"];
    to_a_peer(&server(), "127.0.0.1", &args).expect_all(20);
}

#[test]
fn padded_channel_data_is_understood() {
    let args = ["-D", "-l", "101", "-u", "ann", "-W", "north"];
    to_a_peer(&server(), "127.0.0.1", &args).expect_all(20);
}

#[test]
fn dont_fragment_is_supported() {
    to_a_peer(&server(), "127.0.0.1", &["-g", "-u", "ann", "-W", "north"]).expect_all(20);
}

#[test]
fn repeated_permissions_and_channel_binds_do_no_harm() {
    let mut report = to_a_peer(&server(), "127.0.0.1", &["-G", "-u", "ann", "-W", "north"]);
    // Among them are made-up IPv6 peers (443 on an IPv4 relay), refused ones (403) and channel numbers
    // taken at random, up to one that is reserved (400). What counts is that the call goes on.
    report
        .errors
        .retain(|line| !line.contains("permission error") && !line.contains("bind: error"));
    report.expect_all(20);
}

#[test]
fn an_ipv4_relay_can_be_asked_for() {
    to_a_peer(&server(), "127.0.0.1", &["-X", "-u", "ann", "-W", "north"]).expect_all(20);
}

#[test]
fn both_ends_can_be_relayed_by_this_server() {
    uclient(server().udp(), &["-y", "-n", "10", "-u", "ann", "-W", "north"]).expect_all(40);
}

#[test]
fn both_ends_can_be_relayed_with_indications() {
    uclient(server().udp(), &["-y", "-s", "-n", "10", "-u", "ann", "-W", "north"]).expect_all(40);
}

#[test]
fn many_clients_lose_nothing() {
    let args = ["-m", "30", "-n", "10", "-z", "5", "-u", "ann", "-W", "north"];
    to_a_peer(&server(), "127.0.0.1", &args).expect_all(30 * 10);
}

#[test]
fn many_clients_talk_to_each_other() {
    let args = ["-y", "-m", "20", "-n", "10", "-z", "5", "-u", "ann", "-W", "north"];
    uclient(server().udp(), &args).expect_all(20 * 10);
}

#[test]
fn two_shards_serve_as_one() {
    let start = Start::default().own_relay_ports().arg("--secret").arg("north");
    let server = start.set("relay.workers", "2").start();
    let args = ["-y", "-m", "20", "-n", "10", "-z", "5", "-u", "ann", "-W", "north"];
    uclient(server.udp(), &args).expect_all(20 * 10);
}

#[test]
fn an_ipv6_client_reaches_an_ipv6_peer() {
    let (server, peer) = (server(), Peer::start("::1"));
    let [e, ip, r, port] = peer.args();
    let args = ["-L", "::1", "-x", "-n", "10", "-u", "ann", "-W", "north", &e, &ip, &r, &port];
    uclient(server.udp6(), &args).expect_all(20);
}

#[test]
fn an_ipv6_client_reaches_an_ipv4_peer() {
    let (server, peer) = (server(), Peer::start("127.0.0.1"));
    let [e, ip, r, port] = peer.args();
    let args = ["-L", "::1", "-n", "10", "-u", "ann", "-W", "north", &e, &ip, &r, &port];
    uclient(server.udp6(), &args).expect_all(20);
}

#[test]
fn an_ipv4_client_reaches_an_ipv6_peer() {
    to_a_peer(&server(), "::1", &["-x", "-u", "ann", "-W", "north"]).expect_all(20);
}

#[test]
fn one_allocation_can_have_both_families() {
    uclient(server().udp(), &["-y", "-Z", "-n", "10", "-u", "ann", "-W", "north"]).expect_all(20);
}

#[test]
fn a_bare_timestamp_is_a_user() {
    to_a_peer(&server(), "127.0.0.1", &["-W", "north"]).expect_all(20);
}

#[test]
fn each_of_several_secrets_works() {
    let server =
        Start::default().own_relay_ports().set("auth.secrets", r#"["north","south"]"#).start();
    for secret in ["north", "south"] {
        uclient(server.udp(), &["-y", "-c", "-n", "3", "-u", "ann", "-W", secret]).expect_all(6);
    }
    uclient(server.udp(), &["-y", "-u", "ann", "-W", "west"]).expect_refused();
}

#[test]
fn a_static_user_works_beside_a_secret() {
    let users = r#"{ ann = "open sesame" }"#;
    let start = Start::default().own_relay_ports().arg("--secret").arg("north");
    let server = start.set("auth.users", users).start();
    let ann = ["-y", "-c", "-n", "3", "-u", "ann", "-w", "open sesame"];
    uclient(server.udp(), &ann).expect_all(6);
    uclient(server.udp(), &["-y", "-c", "-n", "3", "-u", "bob", "-W", "north"]).expect_all(6);
    uclient(server.udp(), &["-y", "-u", "ann", "-w", "open simsim"]).expect_refused();
}

#[test]
fn a_wrong_password_is_refused() {
    let server = server();
    let mut good = Credential::fresh("north", "ann");
    good.password.replace_range(0..1, if good.password.starts_with('A') { "B" } else { "A" });
    uclient(server.udp(), &["-y", "-u", &good.username, "-w", &good.password]).expect_refused();
}

#[test]
fn an_unknown_user_is_refused() {
    uclient(server().udp(), &["-y", "-u", "nobody", "-w", "nothing"]).expect_refused();
}

#[test]
fn an_expired_credential_is_refused_and_the_log_says_so() {
    let server = server();
    let old = Credential::expired("north", "ann", Duration::from_secs(43));
    uclient(server.udp(), &["-y", "-u", &old.username, "-w", &old.password]).expect_refused();
    server.wait_for_line(Duration::from_secs(5), "expiry", |line| line.contains("expired 4"));
}

#[test]
fn refusals_of_credentials_are_401s() {
    let server = server();
    let code = |credential: Credential| {
        TurnClient::new(server.udp(), credential).allocate().expect_err("refused").code
    };
    assert_eq!(code(Credential::expired("north", "ann", Duration::from_secs(5))), 401);
    assert_eq!(code(Credential::fresh("south", "ann")), 401);
    assert_eq!(code(Credential::of_user("nobody", "nothing")), 401);
}

#[test]
fn an_allocation_outlives_its_credential() {
    let server = server();
    let soon = Credential::signed("north", &format!("{}:ann", unix_now() + 2));
    let mut client = TurnClient::new(server.udp(), soon.clone());
    client.allocate().expect("allocated while it is good");
    std::thread::sleep(Duration::from_millis(3100));
    assert_eq!(TurnClient::new(server.udp(), soon).allocate().expect_err("over").code, 401);
    assert!(client.refresh(600).expect("refreshed") >= 600);
    client.permit(SocketAddr::from(([127, 0, 0, 1], 9))).expect("permissions go on");
}

#[test]
fn no_secret_or_password_is_ever_logged() {
    let server =
        Start::default().arg("--secret").arg("north-star-secret").set("log.level", "trace");
    let server = server.set("auth.users", r#"{ ann = "open-sesame-word" }"#).start();
    uclient(server.udp(), &["-y", "-c", "-n", "3", "-u", "ann", "-w", "open-sesame-word"])
        .expect_all(6);
    uclient(server.udp(), &["-y", "-u", "ann", "-w", "wrong"]).expect_refused();
    let text = server.text();
    assert!(!text.contains("north-star-secret") && !text.contains("open-sesame-word"), "{text}");
}

#[test]
fn stunclient_learns_its_address() {
    assert!(stunclient(server().udp()).starts_with("127.0.0.1:"));
}

#[test]
fn coturn_and_we_relay_to_each_other() {
    // What leaves coturn's relay towards ours is a plain UDP peer for both of them.
    let (ours, coturn) = (server(), Coturn::with_secret("south"));
    crate::turn_crate::relays_meet(
        (ours.udp(), Credential::fresh("north", "ann")),
        (coturn.udp(), Credential::fresh("south", "bob")),
    );
}
