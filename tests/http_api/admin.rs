//! What operators see and decide about the relay: for them alone, and exactly as it is described.

use relayhouse::creds::ticket::Role;
use relayhouse::net::{ClientAddr, Flow, Transport};
use relayhouse::store::JournalSettings;
use relayhouse::time::UnixTime;
use relayhouse::turn::Event;
use serde_json::json;

use crate::http::{Answer, post, request};
use crate::server::{Server, now};

const CALLS: [(&str, &str); 4] = [
    ("GET", "/api/v1/admin/allocations"),
    ("DELETE", "/api/v1/admin/allocations/1"),
    ("GET", "/api/v1/admin/stats"),
    ("GET", "/api/v1/admin/refusals"),
];

/// An operator's request.
fn ask(server: &Server, key: &str, method: &str, path: &str) -> Answer {
    request(method, path).bearer(key).send(server.address)
}

/// A server and an operator's key.
fn house() -> (Server, String) {
    let server = Server::start();
    let key = server.key("mint,admin");
    (server, key)
}

#[test]
fn only_operators_are_answered() {
    let server = Server::start();
    server.relay.open(1, "alice");
    let open = Server::open();
    let admin = server.key("admin");
    let others = [server.key("mint"), server.key("rooms"), server.creator()];
    let host = server.ticket(Role::Host, Some("r"), now() + 60);
    for (method, path) in CALLS {
        let answer = request(method, path).send(server.address);
        assert_eq!(answer.error(), (401, "unauthorized".into()), "{method} {path}");
        // Open minting opens minting.
        let answer = request(method, path).send(open.address);
        assert_eq!(answer.status, 403, "{method} {path}");
        for other in others.iter().chain([&host]) {
            let answer = request(method, path).bearer(other).send(server.address);
            assert_eq!(answer.error(), (403, "forbidden".into()), "{method} {path}");
        }
    }
    for (method, path) in CALLS {
        let answer = request(method, path).bearer(&admin).send(server.address);
        assert!(answer.status < 300, "{method} {path}: {}", answer.status);
    }
}

#[test]
fn an_allocation_is_described_by_whom_from_where_how_much() {
    let (server, key) = house();
    server.relay.open(7, "alice");
    let answer = ask(&server, &key, "GET", "/api/v1/admin/allocations");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    assert_eq!(
        answer.json(),
        json!({
            "allocations": [{
                "id": "7", "user": "alice", "username": "1800000000:alice",
                "client": "[2001:db8::7]:4000", "transport": "tls", "relayed": ["192.0.2.1:50000"],
                "age": 61, "expiresIn": 540, "permissions": 2, "channels": 1,
                "bytesUp": 1000, "bytesDown": 2000, "packetsUp": 10, "packetsDown": 20,
                "rateUp": 100, "rateDown": 200,
            }],
            "total": 1,
        })
    );
}

#[test]
fn allocations_come_in_pages() {
    let (server, key) = house();
    (1..=5).for_each(|id| server.relay.open(id, if id == 3 { "bob" } else { "alice" }));
    let page = |query: &str| {
        let answer = ask(&server, &key, "GET", &format!("/api/v1/admin/allocations{query}")).json();
        let ids = answer["allocations"].as_array().expect("a list").iter();
        let ids: Vec<_> = ids.map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
        (
            ids.join(" "),
            answer["next"].as_str().unwrap_or_default().to_owned(),
            answer["total"].clone(),
        )
    };
    assert_eq!(page("?limit=2"), ("1 2".into(), "2".into(), json!(5)));
    assert_eq!(page("?limit=2&after=2"), ("3 4".into(), "4".into(), json!(5)));
    assert_eq!(page("?limit=2&after=4"), ("5".into(), String::new(), json!(5)));
    assert_eq!(page("?user=bob"), ("3".into(), String::new(), json!(5)));
}

#[test]
fn a_query_that_is_not_right_is_told_so() {
    let (server, key) = house();
    for query in [
        "allocations?limit=0",
        "allocations?limit=1001",
        "allocations?limit=x",
        "allocations?after=x",
        "allocations?after=%2B1",
        "allocations?before=1",
        "allocations?limit=1&limit=2",
        "refusals?limit=0",
        "refusals?limit=513",
        "refusals?after=1",
    ] {
        let answer = ask(&server, &key, "GET", &format!("/api/v1/admin/{query}"));
        assert_eq!(answer.error(), (400, "bad_field".into()), "{query}");
    }
}

#[test]
fn an_allocation_is_ended_once() {
    let (server, key) = house();
    server.relay.open(7, "alice");
    let end = |id: &str| ask(&server, &key, "DELETE", &format!("/api/v1/admin/allocations/{id}"));
    let answer = end("7");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    for id in ["7", "8", "+8", "x", "99999999999999999999"] {
        assert_eq!(end(id).error(), (404, "no_such_allocation".into()), "{id}");
    }
}

#[test]
fn whoever_ends_an_allocation_leaves_a_trail() {
    let (server, key) = house();
    let keep = std::time::Duration::from_secs(60);
    let kept = JournalSettings { keep, max_events: 100, ..JournalSettings::default() };
    server.api.store().events().configure(kept);
    server.relay.open(7, "alice");
    assert_eq!(ask(&server, &key, "DELETE", "/api/v1/admin/allocations/7").status, 204);
    assert_eq!(ask(&server, &key, "DELETE", "/api/v1/admin/allocations/7").status, 404);
    let trail = ask(&server, &key, "GET", "/api/v1/admin/events?type=moderation").json();
    let events = trail["events"].as_array().expect("a list");
    assert_eq!(events.len(), 1, "{trail}");
    assert_eq!((&events[0]["action"], &events[0]["allocation"]), (&json!("end"), &json!("7")));
    assert_eq!(events[0]["by"], "key:mint-admin");
}

#[test]
fn a_relay_that_does_not_answer_is_worth_another_try() {
    let (server, key) = house();
    *server.relay.silent.lock().unwrap() = Some("the relay stops");
    for (method, path) in [CALLS[0], CALLS[1], ("POST", "/api/v1/checks")] {
        let answer = ask(&server, &key, method, path);
        assert_eq!(answer.error(), (503, "unavailable".into()));
        assert_eq!(answer.header("Retry-After"), Some("1"));
    }
    assert_eq!(ask(&server, &key, "GET", "/api/v1/admin/stats").status, 200);
}

#[test]
fn the_numbers_of_all_parts_are_one_object() {
    let (server, key) = house();
    server.relay.open(1, "alice");
    server.room();
    let stats = ask(&server, &key, "GET", "/api/v1/admin/stats").json();
    assert!(stats["uptime"].as_u64().is_some_and(|uptime| uptime < 600), "{stats}");
    assert_eq!(stats["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&stats["relay"]["allocations"], &stats["relay"]["workers"]),
        (&json!(1), &json!(2))
    );
    let refusals = stats["relay"]["refusals"].as_array().expect("a list");
    assert!(refusals.contains(&json!({ "code": 486, "count": 0 })), "{stats}");
    let ended = stats["relay"]["ended"].as_array().expect("a list");
    assert!(ended.contains(&json!({ "reason": "ended", "count": 0 })), "{stats}");
    assert_eq!((&stats["signal"]["rooms"], &stats["signal"]["peers"]), (&json!(1), &json!(0)));
    let answers = stats["http"]["answers"].as_array().expect("a list");
    assert!(answers.contains(&json!({ "status": "2xx", "count": 1 })), "{stats}");
}

#[test]
fn refusals_come_the_newest_first() {
    let (server, key) = house();
    for (at, name) in ["alice", "eve\n"].into_iter().enumerate() {
        server.witness.saw(UnixTime(1_800_000_000 + at as u64), &refused(name));
    }
    let answer = ask(&server, &key, "GET", "/api/v1/admin/refusals").json();
    let refusal = |at: u64, name: &str| {
        json!({
            "at": at, "method": "allocate", "code": 401, "why": "no such user", "username": name,
            "client": "198.51.100.9:4000", "transport": "udp",
        })
    };
    let expected = [refusal(1_800_000_001, "eve\\n"), refusal(1_800_000_000, "alice")];
    assert_eq!(answer, json!({ "refusals": expected }));
    let one = ask(&server, &key, "GET", "/api/v1/admin/refusals?limit=1").json();
    assert_eq!(one["refusals"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_page_elsewhere_may_end_allocations_only_if_it_is_listed() {
    let (server, key) = house();
    server.relay.open(1, "alice");
    let answer = request("DELETE", "/api/v1/admin/allocations/1")
        .bearer(&key)
        .header("Origin", "https://evil.example")
        .send(server.address);
    assert_eq!(answer.error(), (403, "origin_not_allowed".into()));
    let wrong = post("/api/v1/admin/allocations").send(server.address);
    assert_eq!(wrong.error(), (405, "method_not_allowed".into()));
}

fn refused(username: &str) -> Event {
    let address = |text: &str| text.parse().expect("an address");
    Event::Refused {
        flow: Flow {
            transport: Transport::Udp,
            local: address("192.0.2.1:3478"),
            remote: ClientAddr(address("198.51.100.9:4000")),
        },
        method: "allocate",
        code: 401,
        why: "no such user".to_owned(),
        username: Some(username.into()),
        suppressed: 0,
    }
}
