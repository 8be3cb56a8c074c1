//! Nothing acknowledged is lost by `kill -9`: a child changes the state and says so over a pipe, is
//! killed at a random moment, and the state is looked at. Many times over, on one folder.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use relayhouse::creds::api_key::Scopes;
use relayhouse::store::{InviteError, InviteRecord, KeyRecord, RoomRecord, Store};

/// Set for the child, with the folder: the same test binary, acting.
const CHILD: &str = "RELAYHOUSE_STORE_KILL_CHILD";
const ROUND: &str = "RELAYHOUSE_STORE_KILL_ROUND";
const ROUNDS: u32 = 60;

#[test]
fn what_was_acknowledged_survives_kill_nine() {
    if let Ok(dir) = std::env::var(CHILD) {
        return act(Path::new(&dir), &std::env::var(ROUND).unwrap());
    }
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = HashSet::new();
    let began = Instant::now();
    for round in 0..ROUNDS {
        let lines = round_of(dir.path(), round);
        assert!(lines.iter().any(|line| line.starts_with("redeem ")), "round {round} did nothing");
        // Lines of this round are looked at in full, those of earlier rounds every tenth time.
        check(dir.path(), &lines);
        acknowledged.extend(lines);
        if round % 10 == 9 {
            check(dir.path(), &acknowledged);
        }
    }
    check(dir.path(), &acknowledged);
    assert!(acknowledged.len() > ROUNDS as usize * 3);
    assert!(began.elapsed() < Duration::from_secs(120), "took {:?}", began.elapsed());
}

/// Starts the child, lets it work for a while, kills it; gives back what it acknowledged.
fn round_of(dir: &Path, round: u32) -> HashSet<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_was_acknowledged_survives_kill_nine", "--nocapture"])
        .env(CHILD, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = HashSet::new();
    let mut take = |line: String| {
        if let Some(fact) = line.strip_prefix("ack ") {
            acknowledged.insert(fact.to_owned());
        }
    };
    // Different rounds are cut at different places: after 30 to 60 facts and up to 5 ms.
    for line in lines.by_ref().take(30 + (round as usize * 7) % 31) {
        take(line.unwrap());
    }
    std::thread::sleep(Duration::from_micros(u64::from(round) * 613 % 5000));
    child.kill().unwrap();
    child.wait().unwrap();
    // What was said before the kill counts, read or not; a half line does not.
    lines.map_while(Result::ok).filter(|line| line.ends_with('.')).for_each(take);
    acknowledged.into_iter().map(|fact| fact.trim_end_matches('.').to_owned()).collect()
}

fn check<'a>(dir: &Path, facts: impl IntoIterator<Item = &'a String>) {
    let store = Store::open(dir).unwrap();
    let mut facts: Vec<_> = facts.into_iter().collect();
    facts.sort();
    for fact in facts {
        let (what, name) = fact.split_once(' ').unwrap();
        match what {
            "room" => assert!(store.rooms().find(name).unwrap().is_some(), "lost {fact}"),
            "key" => assert!(store.keys().find(&hash(name)).unwrap().is_some(), "lost {fact}"),
            "invite" => {
                assert!(store.invites().find(&hash(name)).unwrap().is_some(), "lost {fact}")
            }
            "redeem" => assert_eq!(
                store.invites().redeem(hash(name), 20).wait(),
                Err(InviteError::AlreadyRedeemed),
                "{fact} twice"
            ),
            other => panic!("what is {other}?"),
        }
    }
}

/// The child: several threads, so that flushes are shared, each telling what was acknowledged.
fn act(dir: &Path, round: &str) {
    let store = Store::open(dir).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let store = &store;
            scope
                .spawn(move || (0..50).for_each(|n| step(store, &format!("{round}-{worker}-{n}"))));
        }
    });
    // Alive until killed, so that every round ends the same way.
    std::thread::sleep(Duration::from_secs(30));
}

fn step(store: &Store, name: &str) {
    let room = RoomRecord {
        id: name.into(),
        name: None,
        capacity: 2,
        lobby: false,
        locked: false,
        kicked: Vec::new(),
        owner: None,
        created: 1,
        expires: None,
    };
    store.rooms().create(room).wait().unwrap();
    say("room", name);
    if name.ends_with('5') {
        let key = KeyRecord { id: name.into(), name: None, scopes: Scopes::default(), created: 1 };
        store.keys().add(hash(name), key).wait().unwrap();
        say("key", name);
    }
    let invite = InviteRecord {
        room: name.into(),
        created: 1,
        expires: 1000,
        redeemed: None,
        revoked: None,
    };
    store.invites().create(hash(name), invite).wait().unwrap();
    say("invite", name);
    store.invites().redeem(hash(name), 10).wait().unwrap();
    say("redeem", name);
}

fn say(what: &str, name: &str) {
    let line = format!("ack {what} {name}.\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

fn hash(name: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..name.len()].copy_from_slice(name.as_bytes());
    hash
}
