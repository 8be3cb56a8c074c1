//! Hooks: what is delivered, in which order, how often, and that nobody waits for it.

use std::net::TcpListener;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::house::{House, PATIENCE, Person};
use crate::receiver::{Delivery, Receiver};
use crate::support::credentials::unix_now;

/// The settings of a house that tells `receiver`.
fn telling(receiver: &Receiver) -> [(&'static str, String); 1] {
    [("hooks.urls", receiver.url())]
}

fn house(settings: &[(&str, String)]) -> House {
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    House::with(&settings)
}

/// What docs/hooks.md tells receivers to compute.
fn signed(secret: &str, at: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("{at}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_room<'a>(heard: &'a [Delivery], room: &str) -> Vec<(&'a str, u16)> {
    let of_room = heard.iter().filter(|delivery| delivery.room() == room);
    of_room.map(|delivery| (delivery.kind(), delivery.status)).collect()
}

#[test]
fn a_delivery_says_what_happened_and_is_signed_with_every_secret() {
    let receiver = Receiver::new();
    let secrets = ("hooks.secrets", "the-first-long-secret,the-second-long-secret".to_owned());
    let house = house(&[telling(&receiver)[0].clone(), secrets]);
    let (room, host) = house.room(&json!({}));
    let ann = Person::join(&house, &host);
    let peer = ann.peer.clone();
    ann.leave();

    let heard = receiver.wait_for(2);
    assert_eq!(of_room(&heard, &room), [("joined", 204), ("left", 204)]);
    let joined = &heard[0];
    assert_eq!(joined.path, "/hook?token=swordfish");
    assert_eq!((&joined.body["peer"], &joined.body["role"]), (&json!(peer), &json!("host")));
    let header = |name: &str| joined.headers[name].as_str();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!((header("relayhouse-event"), header("relayhouse-attempt")), ("joined", "1"));
    assert_eq!(header("relayhouse-id"), joined.body["id"].to_string());
    // It is the event of the audit trail.
    assert_eq!(house.wait_for("type=joined", 1)[0], joined.body);

    let parts: Vec<_> = header("relayhouse-signature").split(',').collect();
    let at = parts[0].strip_prefix("t=").expect("the time first");
    assert!(at.parse::<u64>().expect("seconds").abs_diff(unix_now()) < 300);
    for (part, secret) in parts[1..].iter().zip(["the-first-long-secret", "the-second-long-secret"])
    {
        assert_eq!(*part, format!("v1={}", signed(secret, at, &joined.text)));
    }
    assert_eq!(parts.len(), 3);
}

#[test]
fn the_generated_secret_signs_a_ping_by_command_and_is_printed_by_one() {
    let receiver = Receiver::new();
    let house = house(&telling(&receiver));
    assert!(house.command(&["hooks", "test"]).contains("1 hooks"));
    let ping = receiver.wait_for(1).remove(0);
    assert_eq!(ping.kind(), "ping");
    let secret = house.command(&["hooks", "secret"]);
    let signature = ping.headers["relayhouse-signature"].clone();
    let at = signature[2..].split(',').next().expect("the time");
    let expected = format!("t={at},v1={}", signed(secret.trim(), at, &ping.text));
    assert_eq!(signature, expected);
}

#[test]
fn a_room_whose_delivery_fails_keeps_its_order_and_holds_up_no_other() {
    // Everything of the first room there is fails twice.
    let failing: Mutex<Option<(String, u32)>> = Mutex::default();
    let receiver = Receiver::deciding(move |delivery| {
        let mut failing = failing.lock().expect("whole");
        let (room, failures) = failing.get_or_insert_with(|| (delivery.room().to_owned(), 0));
        if room == delivery.room() && *failures < 2 {
            *failures += 1;
            return 500;
        }
        200
    });
    let house = house(&telling(&receiver));
    let (first, host) = house.room(&json!({}));
    Person::join(&house, &host).leave();
    receiver.wait_for(1);
    let (second, host) = house.room(&json!({}));
    Person::join(&house, &host).leave();

    let heard = receiver.wait_until(|heard| {
        of_room(heard, &first).contains(&("left", 200))
            && of_room(heard, &second).contains(&("left", 200))
    });
    let in_first = [("joined", 500), ("joined", 500), ("joined", 200), ("left", 200)];
    assert_eq!(of_room(&heard, &first), in_first);
    assert_eq!(of_room(&heard, &second), [("joined", 200), ("left", 200)]);
    let tries: Vec<_> =
        heard.iter().filter(|it| it.room() == first && it.kind() == "joined").collect();
    let attempts: Vec<_> =
        tries.iter().map(|it| it.headers["relayhouse-attempt"].as_str()).collect();
    assert_eq!(attempts, ["1", "2", "3"]);
    assert!(tries.iter().all(|it| it.body == tries[0].body), "the same event under the same id");
    let deadline = Instant::now() + PATIENCE;
    while house.metric("relayhouse_hook_queue") > 0 {
        assert!(Instant::now() < deadline, "{}", house.command(&["hooks", "list"]));
        std::thread::sleep(Duration::from_millis(50));
    }
    let outcomes = ["delivered", "failed"].map(|outcome| {
        house.metric(&format!("relayhouse_hook_deliveries_total{{outcome=\"{outcome}\"}}"))
    });
    assert_eq!(outcomes, [4, 2]);
}

#[test]
fn what_waits_survives_kill_nine_and_is_delivered_then() {
    // Nobody is there; the port is ours again later.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let mut house = house(&[("hooks.urls", format!("http://{address}/"))]);
    let (room, host) = house.room(&json!({}));
    Person::join(&house, &host).leave();
    let left = house.wait_for("type=left", 1);
    house.server.kill();
    let listener = TcpListener::bind(address).expect("still free");
    let receiver = Receiver::on(listener, |_| 200);
    house.kill_and_start();
    let heard = receiver.wait_until(|heard| of_room(heard, &room).len() >= 2);
    assert_eq!(of_room(&heard, &room)[..2], [("joined", 200), ("left", 200)]);
    assert!(heard.iter().any(|delivery| delivery.body == left[0]));
}

#[test]
fn a_receiver_that_is_silent_keeps_nobody_waiting() {
    let receiver = Receiver::deciding(|_| 0);
    let house = house(&telling(&receiver));
    let (_, host) = house.room(&json!({}));
    for _ in 0..20 {
        let mut ann = Person::join(&house, &host);
        ann.say(&json!({"type": "ping"}));
        ann.hear("pong");
        ann.leave();
    }
    // All of one room: the first is under way, the others stand behind it.
    house.wait_for("type=left", 20);
    assert_eq!(receiver.wait_for(1).len(), 1);
    assert_eq!(house.metric("relayhouse_hook_queue"), 40);
}

#[test]
fn a_full_queue_loses_its_oldest_and_says_so() {
    let receiver = Receiver::deciding(|_| 503);
    let settings = [telling(&receiver)[0].clone(), ("hooks.max_queue", "3".to_owned())];
    let house = house(&settings);
    let (_, host) = house.room(&json!({}));
    for n in 1..=4 {
        Person::join(&house, &host).leave();
        house.wait_for("type=left", n);
    }
    // The bound is looked at with each event that comes, before it is put in.
    let waiting = house.metric("relayhouse_hook_queue");
    assert!(waiting <= 3, "{waiting}");
    let dropped = house.metric("relayhouse_hook_deliveries_total{outcome=\"dropped\"}");
    assert_eq!(dropped + waiting, 8);
    house.server.wait_for_line(PATIENCE, "losses", |line| line.contains("lost their oldest"));
    let list = house.command(&["hooks", "list"]);
    assert!(list.contains(&format!("{waiting} ")) && list.contains("http://127.0.0.1"), "{list}");
}

#[test]
fn only_what_was_asked_for_is_told_and_what_is_secret_in_an_url_stays_so() {
    let receiver = Receiver::deciding(|_| 500);
    let events = ("hooks.events", "moderation".to_owned());
    let house = house(&[telling(&receiver)[0].clone(), events]);
    let (room, host) = house.room(&json!({}));
    let mut ann = Person::join(&house, &host);
    ann.say(&json!({"type": "lock"}));
    ann.hear("room");
    assert_eq!(of_room(&receiver.wait_for(1), &room), [("moderation", 500)]);
    house.server.wait_for_line(PATIENCE, "the failure", |line| line.contains("tried again"));
    assert!(!house.server.text().contains("swordfish"), "{}", house.server.text());
    let set = format!("hooks.urls={}", receiver.url());
    let printed = house.command(&["--print-config", "--set", &set]);
    assert!(printed.contains("urls = [\"[redacted]\"]") && !printed.contains("swordfish"));
}

#[test]
fn a_hook_that_is_no_more_is_forgotten_with_what_waited_for_it() {
    let receiver = Receiver::deciding(|_| 500);
    let mut house = house(&telling(&receiver));
    let (_, host) = house.room(&json!({}));
    Person::join(&house, &host).leave();
    house.wait_for("type=left", 1);
    assert_eq!(house.metric("relayhouse_hook_queue"), 2);
    house.forget_settings();
    house.kill_and_start();
    let deadline = Instant::now() + PATIENCE;
    while house.metric("relayhouse_hook_queue") > 0 {
        assert!(Instant::now() < deadline, "{}", house.server.text());
        std::thread::sleep(Duration::from_millis(50));
    }
}
