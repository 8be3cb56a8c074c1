//! Who is connected, and the end of it: over HTTP and by command, on the running program.

mod support;

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::credentials::Credential;
use support::http;
use support::server::{BINARY, Server, Start, clean_environment};
use support::turn_client::TurnClient;
use support::wire;

const SOON: Duration = Duration::from_secs(10);

fn server() -> Server {
    Start::default().arg("--secret").arg("north").start()
}

fn client(server: &Server, name: &str) -> TurnClient {
    let mut client = TurnClient::new(server.udp(), Credential::fresh("north", name));
    client.allocate().unwrap_or_else(|refused| panic!("{refused:?}\n{}", server.text()));
    client
}

/// Runs a command beside the server, on its data folder; exit code, stdout and stderr.
fn command(server: &Server, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(BINARY);
    clean_environment(&mut command);
    command.args(args).arg("--data-dir").arg(server.data_dir());
    let output = command.output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A server and an operator's key.
struct House {
    server: Server,
    key: String,
}

fn house() -> House {
    let server = server();
    let key = key(&server, "admin");
    House { server, key }
}

fn key(server: &Server, scope: &str) -> String {
    let (code, key, error) = command(server, &["keys", "add", "--scope", scope]);
    assert_eq!(code, Some(0), "{error}");
    key.trim().to_owned()
}

impl House {
    fn admin(&self, what: &str) -> Value {
        let url = self.server.url(&format!("/api/v1/admin/{what}"));
        http::get(&url, Some(&self.key)).expect(200).json
    }

    fn list(&self, query: &str) -> Value {
        self.admin(&format!("allocations{query}"))
    }

    fn end(&self, id: &str) -> http::Answer {
        http::delete(&self.server.url(&format!("/api/v1/admin/allocations/{id}")), Some(&self.key))
    }
}

fn ids(page: &Value) -> Vec<String> {
    let all = page["allocations"].as_array().expect("a list").iter();
    all.map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn an_operator_sees_who_relays_what_and_ends_it() {
    let house = house();
    let server = &house.server;
    let (mut ann, mut bob) = (client(server, "ann"), client(server, "bob"));
    let (at_ann, at_bob) = (ann.relayed.expect("relayed"), bob.relayed.expect("relayed"));
    ann.bind_channel(0x4000, at_bob).expect("a channel");
    bob.bind_channel(0x4000, at_ann).expect("a channel");
    for _ in 0..10 {
        ann.send_channel(0x4000, &[7; 100]);
        bob.receive_channel(SOON).expect("it is relayed");
    }
    let page = house.list("");
    assert_eq!((&page["total"], page.get("next")), (&2.into(), None));
    let seen = &page["allocations"][0];
    assert_eq!((&seen["user"], &seen["transport"]), (&"ann".into(), &"udp".into()));
    assert!(seen["username"].as_str().is_some_and(|name| name.ends_with(":ann")), "{seen}");
    assert_eq!(seen["client"], ann.local().to_string());
    assert_eq!(seen["relayed"][0], at_ann.to_string());
    assert_eq!((&seen["permissions"], &seen["channels"]), (&1.into(), &1.into()));
    assert_eq!((&seen["bytesUp"], &seen["packetsUp"]), (&1000.into(), &10.into()));
    assert!(seen["rateUp"].as_u64().is_some_and(|rate| rate > 0), "{seen}");
    assert_eq!(page["allocations"][1]["bytesDown"], 1000);

    let id = seen["id"].as_str().expect("an id");
    house.end(id).expect(204);
    assert_eq!(house.end(id).expect(404).error_code(), "no_such_allocation");
    assert_eq!(ids(&house.list("")).len(), 1);
    assert_eq!(ann.refresh(600).expect_err("it is gone").code, 437);
    assert!(bob.refresh(600).is_ok(), "the other lives on");
    server.wait_for_line(SOON, "its end", |line| {
        line.contains("allocation ends") && line.contains("\"reason\":\"ended\"")
    });
    let metrics = http::get(&server.url("/metrics"), None).expect(200).body;
    assert!(
        metrics.contains("relayhouse_allocations_ended_total{reason=\"ended\"} 1"),
        "{metrics}"
    );
    let stats = house.admin("stats");
    assert_eq!(
        (&stats["relay"]["allocations"], &stats["relay"]["bytesUp"]),
        (&1.into(), &1000.into())
    );
}

#[test]
fn pages_over_all_shards_hold_every_allocation_once() {
    let house = house();
    let server = &house.server;
    let clients: Vec<_> = (0..60).map(|n| client(server, &format!("user{}", n % 3))).collect();
    let (mut found, mut query) = (Vec::new(), "?limit=7".to_owned());
    loop {
        let page = house.list(&query);
        found.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => query = format!("?limit=7&after={next}"),
            None => break,
        }
    }
    assert_eq!(found.len(), clients.len());
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), clients.len());
    assert_eq!(ids(&house.list("?user=user1")).len(), 20);
}

#[test]
fn an_allocation_over_tcp_ends_too_and_its_connection_may_open_another() {
    let house = house();
    let server = &house.server;
    let credential = Credential::fresh("north", "ann");
    let mut client = TurnClient::over(wire::tcp(server.tcp()), credential);
    client.allocate().expect("an allocation");
    let page = house.list("");
    assert_eq!(page["allocations"][0]["transport"], "tcp");
    house.end(&ids(&page)[0]).expect(204);
    client.allocate().expect("the five-tuple is free");
}

#[test]
fn without_a_key_for_it_nobody_sees_anything() {
    let server = Start::default().closed().start();
    let urls = ["allocations", "refusals", "stats"].map(|what| format!("/api/v1/admin/{what}"));
    let (admin, mint) = (key(&server, "admin"), key(&server, "mint"));
    for url in urls.map(|path| server.url(&path)) {
        http::get(&url, None).expect(401);
        http::get(&url, Some(&mint)).expect(403);
        http::get(&url, Some(&admin)).expect(200);
    }
}

#[test]
fn the_same_by_command() {
    let server = server();
    let (code, none, _) = command(&server, &["allocations"]);
    assert_eq!((code, &*none), (Some(0), "no allocation is open\n"));
    let (mut ann, _bob) = (client(&server, "ann"), client(&server, "bob"));

    let (_, table, _) = command(&server, &["allocations"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    let local = ann.local().to_string();
    assert!(lines[1].contains("ann") && lines[1].contains(&local), "{table}");
    let (_, array, _) = command(&server, &["allocations", "--json", "--user", "ann"]);
    let array: Value = serde_json::from_str(&array).expect("JSON");
    assert_eq!((&array[0]["user"], array.get(1)), (&"ann".into(), None));

    let id = array[0]["id"].as_str().expect("an id");
    let (code, said, _) = command(&server, &["allocations", "end", id]);
    assert_eq!((code, said), (Some(0), format!("ended {id}\n")));
    assert_eq!(ann.refresh(600).expect_err("it is gone").code, 437);
    let (code, _, error) = command(&server, &["allocations", "end", id]);
    assert_eq!(code, Some(1));
    assert!(error.contains("there is no allocation"), "{error}");

    let (_, events, _) = command(&server, &["events", "--type", "moderation", "--json"]);
    let event: Value = serde_json::from_str(&events).expect("one decision, one line");
    assert_eq!((&event["action"], &event["by"]), (&"end".into(), &"operator".into()));
    assert_eq!(event["allocation"], id);
}

#[test]
fn the_command_needs_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(BINARY);
    clean_environment(&mut command);
    let command = command.args(["allocations", "--data-dir"]).arg(folder.path().join("data"));
    let output = command.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("no server runs"), "{error}");
}

#[test]
fn refusals_say_what_was_wrong() {
    let house = house();
    let server = &house.server;
    let late = Credential::expired("north", "ann", Duration::from_secs(40));
    TurnClient::new(server.udp(), late).allocate().expect_err("it has expired");
    let wrong = Credential::fresh("south", "bob");
    TurnClient::new(server.udp(), wrong).allocate().expect_err("another secret's");
    let deadline = Instant::now() + SOON;
    let refusals = loop {
        let answer = house.admin("refusals");
        let refusals = answer["refusals"].as_array().expect("a list").clone();
        if refusals.len() == 2 {
            break refusals;
        }
        assert!(Instant::now() < deadline, "{answer}\n{}", server.text());
    };
    let whys: Vec<_> = refusals.iter().map(|one| one["why"].as_str().expect("a why")).collect();
    assert!(whys[0].contains("the secret does not match"), "the newest first: {whys:?}");
    assert!(whys[1].starts_with("expired 4"), "{whys:?}");
    assert_eq!((&refusals[0]["code"], &refusals[0]["method"]), (&401.into(), &"allocate".into()));
    assert!(refusals[0]["username"].as_str().is_some_and(|name| name.ends_with(":bob")));
}
