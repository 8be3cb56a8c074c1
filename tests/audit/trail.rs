//! The audit trail.

use std::path::Path;

use serde_json::{Value, json};

use crate::house::{House, PATIENCE, Person};
use crate::support::credentials::{Credential, unix_now};
use crate::support::http;
use crate::support::turn_client::TurnClient;

/// Would be found in any file that held the SDP, a candidate or a message.
const MARKER: &str = "swordfish-8471";

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

#[test]
fn a_call_leaves_who_came_and_went_and_nothing_of_what_was_said() {
    let house = House::with(&[]);
    let began = unix_now();
    let (room, host) = house.room(&json!({"lobby": true}));
    let mut ann = Person::join(&house, &host);
    let mut bob = Person::join(&house, &house.guest(&room, &host));
    ann.say(&json!({"type": "admit", "peer": bob.peer}));
    bob.hear("ready");
    let sdp = format!("v=0\r\ns={MARKER}\r\n");
    for _ in 0..2 {
        ann.say(&json!({"type": "offer", "to": bob.peer, "sdp": sdp}));
        bob.hear("offer");
    }
    let candidate = json!({"candidate": MARKER, "sdpMid": "0"});
    bob.say(&json!({"type": "candidate", "to": ann.peer, "candidate": candidate}));
    ann.hear("candidate");
    bob.say(&json!({"type": "message", "data": MARKER}));
    ann.hear("message");
    bob.say(&json!({"type": "lock"}));
    bob.hear("error");
    let (ann_peer, bob_peer) = (ann.peer.clone(), bob.peer.clone());
    bob.leave();
    ann.leave();

    let events = house.wait_for(&format!("room={room}"), 14);
    let expected = [
        "room_opened",
        "room_made",
        "joined",
        "invite_made",
        "invite_redeemed",
        "waiting",
        "joined",
        "moderation",
        "offer",
        "offer",
        "candidate",
        "error",
        "left",
        "left",
    ];
    // The API and the room speak of the beginning at one time.
    let (mut found, mut wanted) = (kinds(&events), expected.to_vec());
    found[..2].sort_unstable();
    wanted[..2].sort_unstable();
    assert_eq!(found, wanted, "{events:#?}");
    let only = |kind: &str| events.iter().find(|event| event["type"] == kind).expect("there");
    assert_eq!(only("waiting")["peer"], bob_peer);
    let moderation = only("moderation");
    assert_eq!((&moderation["action"], &moderation["peer"]), (&json!("admit"), &json!(bob_peer)));
    assert_eq!(moderation["by"], format!("peer:{ann_peer}"));
    assert_eq!(only("error")["code"], "forbidden");
    assert_eq!(only("left")["reason"], "left");
    assert!(events.iter().all(|event| event["at"].as_u64() >= Some(began)));

    let offers: Vec<_> = events.iter().filter(|event| event["type"] == "offer").collect();
    assert_eq!((&offers[0]["size"], &offers[0]["to"]), (&json!(sdp.len()), &json!(bob_peer)));
    assert_eq!(offers[0]["hash"].as_str().map(str::len), Some(64));
    assert_eq!(offers[0]["hash"], offers[1]["hash"]);
    assert_ne!(offers[0]["hash"], only("candidate")["hash"]);
    // Nobody who guesses what was said finds it without the salt.
    let plain: String = {
        use sha2::Digest;
        sha2::Sha256::digest(sdp.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    assert_ne!(offers[0]["hash"], json!(plain));

    drop(house.server);
    assert!(!is_in_a_file(house.folder.path(), MARKER.as_bytes()));
    assert!(is_in_a_file(house.folder.path(), room.as_bytes()), "the state was not looked at");
}

fn is_in_a_file(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder").flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return is_in_a_file(&path, needle);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

#[test]
fn events_are_asked_for_by_room_type_time_and_page() {
    let house = House::with(&[]);
    let (room, host) = house.room(&json!({}));
    let (other, other_host) = house.room(&json!({}));
    for ticket in [&host, &other_host, &host] {
        Person::join(&house, ticket).leave();
    }
    house.wait_for("type=left", 3);
    assert_eq!(house.wait_for(&format!("room={room}&type=left"), 2).len(), 2);
    assert_eq!(house.wait_for(&format!("room={other}&type=left"), 1).len(), 1);
    let later = unix_now() + 3600;
    assert_eq!(house.events(&format!("since={later}")), json!({"events": []}));

    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = house.events(&format!("type=joined&limit=2{after}"));
        pages.push(page["events"].as_array().expect("a list").len());
        match page["next"].as_u64() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(pages, [2, 1]);
    let newest = house.events("order=newest&limit=1&type=joined");
    assert_eq!(newest["events"][0]["room"], room);

    let ask = |query: &str, proof: Option<&str>| {
        let answer = http::get(&house.server.url(&format!("/api/v1/admin/events{query}")), proof);
        (answer.status, answer.error_code().to_owned())
    };
    let admin = Some(house.admin.as_str());
    for query in ["?type=dance", "?limit=0", "?limit=1001", "?since=yesterday", "?rooms=x"] {
        assert_eq!(ask(query, admin), (400, "bad_field".into()), "{query}");
    }
    assert_eq!(ask("", Some(&host)), (403, "forbidden".into()));
    assert_eq!(ask("", None).0, 403);
}

#[test]
fn events_survive_kill_nine() {
    let mut house = House::with(&[]);
    let (room, host) = house.room(&json!({}));
    let ann = Person::join(&house, &host);
    // Nobody asks: what waits is written by itself, within about a second.
    let written = "relayhouse_audit_events_written_total";
    let deadline = std::time::Instant::now() + PATIENCE;
    while house.metric(written) < 4 {
        assert!(std::time::Instant::now() < deadline, "{}", house.server.text());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    house.kill_and_start();
    let joined = house.wait_for(&format!("room={room}&type=joined"), 1);
    assert_eq!(joined[0]["peer"], ann.peer);
    assert_eq!(house.wait_for("type=server_started", 2).len(), 2);
}

#[test]
fn a_stop_is_in_the_trail_with_all_who_left_by_it() {
    let mut house = House::with(&[]);
    let (room, host) = house.room(&json!({}));
    let _ann = Person::join(&house, &host);
    house.server.signal("TERM");
    house.server.wait_for_exit(PATIENCE);
    let printed = house.command(&["events", "--json"]);
    let events: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(kinds(&events).last(), Some(&"server_stopped"), "{printed}");
    let left = events.iter().find(|event| event["type"] == "left").expect("left");
    assert_eq!((&left["room"], &left["reason"]), (&json!(room), &json!("shutdown")));
}

#[test]
fn operators_read_the_trail_by_command() {
    let house = House::with(&[]);
    let (room, host) = house.room(&json!({}));
    let ann = Person::join(&house, &host);
    let peer = ann.peer.clone();
    ann.leave();
    house.wait_for("type=left", 1);
    let printed = house.command(&["events", "--room", &room, "--type", "joined", "--since", "1h"]);
    let ending = format!("Z joined room={room} peer={peer} role=host\n");
    assert!(printed.ends_with(&ending) && printed.lines().count() == 1, "{printed}");
    assert_eq!(house.command(&["events", "--limit", "2"]).lines().count(), 2);
    // The key of this house was made by command, before there was a server.
    assert_eq!(house.command(&["events", "--type", "key_added"]).lines().count(), 1);
}

/// It need not know the server's settings, which may stand in a file it is not told of.
#[test]
fn a_command_without_a_server_removes_nothing_of_the_trail() {
    let mut house = House::with(&[]);
    let (_, host) = house.room(&json!({}));
    Person::join(&house, &host).leave();
    house.wait_for("type=left", 1);
    house.server.kill();
    house.command(&["keys", "add", "--scope", "mint", "--set", "audit.max_events=1"]);
    let lines = house.command(&["events"]);
    assert!(lines.contains(" joined ") && lines.contains(" left "), "{lines}");
}

#[test]
fn the_end_of_an_allocation_says_what_it_carried() {
    let house = House::with(&[("auth.secrets", "a-secret-of-this-test")]);
    let credential = Credential::fresh("a-secret-of-this-test", "ann");
    let mut client = TurnClient::new(house.server.udp(), credential);
    client.allocate().expect("an allocation");
    client.refresh(0).expect("its end");
    let ended = house.wait_for("type=allocation_ended", 1).remove(0);
    assert!(ended["username"].as_str().is_some_and(|name| name.ends_with(":ann")), "{ended}");
    assert_eq!((&ended["reason"], &ended["transport"]), (&json!("deleted"), &json!("udp")));
    assert_eq!((&ended["bytesUp"], &ended["packetsDown"]), (&json!(0), &json!(0)));
}

#[test]
fn no_trail_is_kept_where_none_is_wanted_and_a_bound_is_one() {
    let house = House::with(&[("audit.keep", "0")]);
    let (_, host) = house.room(&json!({}));
    Person::join(&house, &host).leave();
    assert_eq!(house.events(""), json!({"events": []}));
    let house = House::with(&[("audit.max_events", "5")]);
    let (room, host) = house.room(&json!({}));
    for _ in 0..6 {
        Person::join(&house, &host).leave();
        house.events("");
    }
    let kept = house.metric("relayhouse_audit_events");
    // One turn of the writer may be there on top until the next.
    assert!(kept < 5 + 12, "{kept}");
    assert!(house.events(&format!("room={room}&type=room_made"))["events"] == json!([]));
}
