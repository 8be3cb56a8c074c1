//! Tests of a connection: what the running program says it saw, where a browser says but a code.

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::credentials::Credential;
use support::http;
use support::server::{Server, Start, message};
use support::turn_client::TurnClient;
use support::wire;

const SOON: Duration = Duration::from_secs(10);

/// A test that was begun: its name and its credential.
fn begin(server: &Server) -> (String, Credential) {
    let begun = http::post(&server.url("/api/v1/checks"), None, &serde_json::json!({})).expect(201);
    let servers = begun.json["iceServers"].as_array().expect("a list");
    let turn = servers.iter().find(|server| server["username"].is_string()).expect("TURN");
    let text = |name: &str| turn[name].as_str().expect("a text").to_owned();
    let credential = Credential { username: text("username"), password: text("credential") };
    (begun.text("/check"), credential)
}

/// What is answered on `path`, once `count` things were seen.
fn seen(server: &Server, path: &str, count: usize) -> Value {
    let deadline = Instant::now() + SOON;
    loop {
        let answer = http::get(&server.url(path), None).expect(200).json;
        if answer["seen"].as_array().is_some_and(|seen| seen.len() >= count) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{answer}\n{}", server.text());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn of_check(server: &Server, check: &str, count: usize) -> Value {
    seen(server, &format!("/api/v1/checks/{check}"), count)
}

#[test]
fn a_test_is_told_what_was_opened_refused_and_closed() {
    let server = Server::dev();
    let (check, credential) = begin(&server);
    assert_eq!(of_check(&server, &check, 0)["seen"], serde_json::json!([]));
    let mut client = TurnClient::over(wire::tcp(server.tcp()), credential);
    let relayed = client.allocate().expect("an allocation");
    let private = "10.0.0.1:9".parse().expect("an address");
    assert_eq!(client.permit(private).expect_err("refused").code, 403);
    client.refresh(0).expect("it is given back");

    let answer = of_check(&server, &check, 3);
    assert_eq!(answer["suppressed"], 0);
    let [opened, refused, closed] = [0, 1, 2].map(|n| &answer["seen"][n]);
    for one in [opened, refused, closed] {
        assert_eq!(
            (&one["transport"], &one["client"]),
            (&"tcp".into(), &client.local().to_string().into())
        );
    }
    assert_eq!(
        (&opened["kind"], &opened["relayed"][0]),
        (&"opened".into(), &relayed.to_string().into())
    );
    assert_eq!((&refused["kind"], &refused["code"]), (&"refused".into(), &403.into()));
    assert_eq!(refused["method"], "create_permission");
    assert!(refused["why"].as_str().is_some_and(|why| why.contains("10.0.0.1")), "{refused}");
    assert_eq!((&closed["kind"], &closed["why"]), (&"closed".into(), &"deleted".into()));
}

#[test]
fn a_test_is_told_why_it_was_not_let_in() {
    let server = Start::default().set("quota.allocations_per_user", "1").start();
    let (check, credential) = begin(&server);
    let wrong = Credential { password: "wrong".into(), ..credential.clone() };
    let refused = TurnClient::new(server.udp(), wrong).allocate().expect_err("refused");
    assert_eq!(refused.code, 401);
    let mut first = TurnClient::new(server.udp(), credential.clone());
    first.allocate().expect("the first");
    let refused = TurnClient::new(server.udp(), credential).allocate().expect_err("the second");
    assert_eq!(refused.code, 486);
    let answer = of_check(&server, &check, 3);
    let why = |n: usize| answer["seen"][n]["why"].as_str().unwrap_or_default();
    assert!(why(0).contains("the secret does not match"), "{answer}");
    assert!(why(2).contains("quota.allocations_per_user"), "{answer}");
}

#[test]
fn a_flood_of_others_hides_nothing_from_a_test() {
    let server = Start::default().set("limits.unauthenticated_rate", "0").start();
    let (check, credential) = begin(&server);
    let wrong = Credential { password: "wrong".into(), ..credential };
    for round in 0..5 {
        for stranger in 0..40 {
            let stranger = Credential::fresh("nobody", &format!("stranger-{round}-{stranger}"));
            TurnClient::new(server.udp(), stranger).allocate().expect_err("refused");
        }
        TurnClient::new(server.udp(), wrong.clone()).allocate().expect_err("refused");
    }
    let answer = of_check(&server, &check, 5);
    assert_eq!(answer["seen"].as_array().map(Vec::len), Some(5));
    assert_eq!(answer["suppressed"], 0);
    let told = server.log().iter().filter(|line| message(line) == Some("request refused")).count();
    assert!(told < 205, "it was a flood, and {told} were told");
}

#[test]
fn a_username_that_was_typed_in_is_told_of_to_the_same_address() {
    let server = Start::default().arg("--secret").arg("north").start();
    let late = Credential::expired("north", "ann", Duration::from_secs(40));
    TurnClient::new(server.udp(), late.clone()).allocate().expect_err("it has expired");
    let path = format!("/api/v1/checks?username={}", late.username.replace(':', "%3A"));
    let answer = seen(&server, &path, 1);
    let why = answer["seen"][0]["why"].as_str().expect("a why");
    assert!(why.starts_with("expired 4") && why.ends_with("s ago"), "{why}");
    // From another address of this host.
    let elsewhere = "127.0.0.9:0".parse().expect("an address");
    TurnClient::from(elsewhere, server.udp(), late).allocate().expect_err("it has expired");
    server.wait_for_line(SOON, "the other", |line| line.contains("127.0.0.9"));
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(seen(&server, &path, 1)["seen"].as_array().map(Vec::len), Some(1));
}

/// What the page does to try a relay: it is its own peer. On a server whose relay addresses lie in a
/// range that is refused, as they do behind NAT and in every test on loopback.
#[test]
fn two_allocations_of_one_test_echo_to_each_other() {
    let start = Start::default().closed().arg("--secret").arg("north");
    let server = start.arg("--relay-address").arg("127.0.0.1").start();
    let credential = Credential::fresh("north", "check-x");
    let mut near = TurnClient::new(server.udp(), credential.clone());
    let mut far = TurnClient::over(wire::tcp(server.tcp()), credential);
    let (at_near, at_far) = (near.allocate().expect("one"), far.allocate().expect("another"));
    near.permit(at_far).expect("a live relay port is a peer");
    far.permit(at_near).expect("a live relay port is a peer");
    for number in 0..20_u8 {
        near.send_indication(at_far, &[number; 64]);
        let (from, payload) = far.receive_indication(SOON).expect("it is relayed");
        assert_eq!((from, &*payload), (at_near, &[number; 64][..]));
        far.send_indication(from, &payload);
        let (from, payload) = near.receive_indication(SOON).expect("and comes back");
        assert_eq!((from, &*payload), (at_far, &[number; 64][..]));
    }
}
