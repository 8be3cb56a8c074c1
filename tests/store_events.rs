//! The audit trail and the queues of hooks through the store's door: what is noted is found by room,
//! kind and time, in order, after a crash too; and everything has its bound.

use std::path::Path;
use std::time::Duration;

use relayhouse::store::{
    EventKind, Found, HookId, JournalSettings, MAX_EVENT, MAX_TEXT, MAX_UNWRITTEN, NewEvent,
    Search, Store, TakenBy, second_of,
};

const DAY: u64 = 86_400;
const HOOK: HookId = HookId([7; 8]);

fn kept() -> JournalSettings {
    JournalSettings {
        keep: Duration::from_secs(30 * DAY),
        max_events: 1000,
        max_queue: 100,
        hooks: Vec::new(),
    }
}

fn hooked() -> JournalSettings {
    let hooks = vec![TakenBy { hook: HOOK, kinds: vec![EventKind::Joined] }];
    JournalSettings { hooks, ..kept() }
}

fn open(dir: &Path, settings: JournalSettings) -> Store {
    let store = Store::open(dir).expect("opens");
    store.events().configure(settings);
    store
}

fn joined(room: &str, peer: &str, at: u64) -> NewEvent {
    NewEvent::new(EventKind::Joined, at).room(room).peer(peer).with("role", "guest")
}

fn note(store: &Store, events: impl IntoIterator<Item = NewEvent>) {
    events.into_iter().for_each(|event| store.events().note(event));
    store.events().settle().wait().expect("on the disk");
}

fn find(store: &Store, search: Search) -> Found {
    store.events().find(&search).expect("readable")
}

fn all() -> Search {
    Search { limit: 1000, ..Search::default() }
}

fn peers(found: &Found) -> Vec<&str> {
    found.events.iter().filter_map(|event| event.peer.as_deref()).collect()
}

#[test]
fn events_are_found_by_room_kind_and_time_in_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), kept());
    let left = NewEvent::new(EventKind::Left, 300).room("a").peer("ann").with("reason", "left");
    // One room's name begins with another's.
    note(
        &store,
        [joined("a", "ann", 100), joined("ab", "bob", 200), left, joined("a", "eve", 400)],
    );

    let everything = find(&store, all());
    assert_eq!(peers(&everything), ["ann", "bob", "ann", "eve"]);
    assert_eq!(everything.next, None);
    assert!(everything.events.is_sorted_by_key(|event| event.id));
    assert_eq!(everything.events[2].detail["reason"], "left");

    let room = Some("a".to_owned());
    let of_room = find(&store, Search { room: room.clone(), ..all() });
    assert_eq!(peers(&of_room), ["ann", "ann", "eve"]);
    let kind = Some(EventKind::Joined);
    assert_eq!(peers(&find(&store, Search { kind, ..all() })), ["ann", "bob", "eve"]);
    let both = Search { room, kind, since: Some(150), ..all() };
    assert_eq!(peers(&find(&store, both)), ["eve"]);
    assert_eq!(peers(&find(&store, Search { since: Some(300), ..all() })), ["ann", "eve"]);
}

/// They are not in the index of kinds, which would cost as much as they do.
#[test]
fn ends_of_allocations_are_found_among_others() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), kept());
    let ended = |user: &str| {
        NewEvent::new(EventKind::AllocationEnded, 100).with("username", user).with("age", 7)
    };
    note(&store, [joined("r", "ann", 100), ended("ann"), joined("r", "bob", 100), ended("bob")]);
    let kind = Some(EventKind::AllocationEnded);
    let users = |search: Search| -> Vec<String> {
        let found = find(&store, Search { kind, ..search });
        let user = |event: &relayhouse::store::EventRecord| event.detail["username"].to_string();
        found.events.iter().map(user).collect()
    };
    assert_eq!(users(all()), ["\"ann\"", "\"bob\""]);
    assert_eq!(users(Search { newest: true, limit: 1, ..all() }), ["\"bob\""]);
}

#[test]
fn pages_follow_each_other_both_ways_and_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), kept());
    note(&store, (0..5).map(|n| joined("r", &n.to_string(), 100)));
    for newest in [false, true] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = find(&store, Search { limit: 2, after, newest, ..Search::default() });
            seen.extend(peers(&page).into_iter().map(str::to_owned));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let order = if newest { ["4", "3", "2", "1", "0"] } else { ["0", "1", "2", "3", "4"] };
        assert_eq!(seen, order);
    }
}

#[test]
fn a_clock_that_goes_back_loses_and_reorders_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), kept());
    note(
        &store,
        [joined("r", "first", 900), joined("r", "second", 100), joined("r", "third", 900)],
    );
    assert_eq!(peers(&find(&store, all())), ["first", "second", "third"]);
    let late = find(&store, Search { since: Some(500), ..all() });
    assert_eq!(peers(&late), ["first", "third"]);
}

#[test]
fn an_event_is_on_the_disk_soon_without_being_asked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), kept());
    store.events().note(joined("r", "ann", 100));
    for _ in 0..500 {
        if store.events().numbers().written == 1 {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("not written within ten seconds");
}

#[test]
fn numbers_go_on_after_a_reopen() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), kept());
    note(&store, [joined("r", "before", 900)]);
    drop(store);
    let store = open(dir.path(), kept());
    assert_eq!(store.events().numbers().kept, 1);
    note(&store, [joined("r", "after", 100)]);
    assert_eq!(peers(&find(&store, all())), ["before", "after"]);
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), JournalSettings { max_events: 3, ..kept() });
    for n in 0..6 {
        note(&store, [joined("r", &n.to_string(), 100 + n)]);
    }
    let by_room = Search { room: Some("r".into()), ..all() };
    let by_kind = Search { kind: Some(EventKind::Joined), ..all() };
    for search in [all(), by_room, by_kind] {
        assert_eq!(peers(&find(&store, search)), ["3", "4", "5"]);
    }
    assert_eq!(store.events().numbers().kept, 3);
}

#[test]
fn what_a_client_can_cause_at_will_washes_nothing_else_away() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), JournalSettings { max_events: 80, ..kept() });
    note(&store, [joined("r", "ann", 100)]);
    for n in 0..200 {
        let kind = if n % 2 == 0 { EventKind::Candidate } else { EventKind::Error };
        note(&store, [NewEvent::new(kind, 101 + n).room("r").peer("eve")]);
    }
    let kind = |kind| find(&store, Search { kind: Some(kind), ..all() }).events;
    assert_eq!(kind(EventKind::Joined).len(), 1);
    // The newest of each, an eighth of all.
    let seconds: Vec<_> = kind(EventKind::Candidate).iter().map(|event| event.at).collect();
    assert_eq!(seconds, (0..10).map(|n| 281 + 2 * n).collect::<Vec<_>>());
    assert_eq!(kind(EventKind::Error).len(), 10);
    assert_eq!(store.events().numbers().kept, 21);
    let of_room = Search { room: Some("r".into()), ..all() };
    assert_eq!(find(&store, of_room).events.len(), 21);
}

#[test]
fn guessing_passwords_washes_nothing_away() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), JournalSettings { max_events: 80, ..kept() });
    note(&store, [joined("r", "ann", 100)]);
    note(&store, (0..500).map(|n| NewEvent::new(EventKind::LoginRefused, 101 + n)));
    let kind = |kind| Search { kind: Some(kind), ..all() };
    assert_eq!(peers(&find(&store, kind(EventKind::Joined))), ["ann"]);
    assert_eq!(find(&store, kind(EventKind::LoginRefused)).events.len(), 10);
}

#[test]
fn what_is_older_than_it_is_kept_for_goes() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), kept());
    let now = 100 * DAY;
    note(&store, [joined("r", "old", 69 * DAY), joined("r", "young", 71 * DAY)]);
    assert_eq!(store.sweep(now).wait().expect("swept").events, 1);
    assert_eq!(peers(&find(&store, all())), ["young"]);
    // Off: what is there goes too, and nothing more comes.
    store.events().configure(JournalSettings { keep: Duration::ZERO, ..kept() });
    assert_eq!(store.sweep(now).wait().expect("swept").events, 1);
    note(&store, [joined("r", "unseen", now)]);
    assert_eq!(find(&store, all()).events, []);
}

#[test]
fn what_is_lost_is_counted_in_its_place() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), JournalSettings { max_events: 1_000_000, ..kept() });
    // Faster than any disk: more than may wait.
    let noted = MAX_UNWRITTEN as u64 * 3;
    for n in 0..noted {
        store.events().note(NewEvent::new(EventKind::Waiting, 100 + n / 1000));
    }
    store.events().settle().wait().expect("on the disk");
    let numbers = store.events().numbers();
    assert!(numbers.lost > 0, "nothing was too fast for the disk");
    let kind = Some(EventKind::Lost);
    let said = find(&store, Search { kind, ..all() });
    let said: u64 = said.events.iter().filter_map(|event| event.detail["count"].as_u64()).sum();
    assert_eq!(said, numbers.lost);
    let lost_events = find(&store, Search { kind, ..all() }).events.len() as u64;
    assert_eq!(numbers.written - lost_events + numbers.lost, noted);
}

#[test]
fn an_event_has_a_size() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), kept());
    let long = "ü".repeat(5000);
    let mut event = joined(&long, &long, 100);
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        event = event.with(name, long.as_str());
    }
    note(&store, [event]);
    let found = find(&store, Search { room: Some(long), ..all() });
    let event = &found.events[0];
    assert_eq!(event.detail["cut"], true);
    assert!(event.peer.as_ref().is_some_and(|peer| peer.len() <= MAX_TEXT));
    assert!(serde_json::to_vec(event).expect("JSON").len() <= MAX_EVENT);
}

#[test]
fn a_hook_gets_its_kinds_in_order_and_keeps_them_over_a_reopen() {
    let dir = tempfile::tempdir().expect("a folder");
    // Also where there is no trail.
    let store = open(dir.path(), JournalSettings { keep: Duration::ZERO, ..hooked() });
    let other = NewEvent::new(EventKind::Left, 100).room("r");
    note(&store, [joined("r", "ann", 100), other, joined("s", "bob", 200)]);
    drop(store);
    let store = open(dir.path(), hooked());
    let waiting = store.hooks().waiting(HOOK, 0, 10).expect("readable");
    let rooms: Vec<_> = waiting.iter().map(|queued| queued.room.as_deref()).collect();
    assert_eq!(rooms, [Some("r"), Some("s")]);
    assert_eq!(second_of(waiting[1].id), 200);
    let body = store.hooks().body(HOOK, waiting[0].id).expect("readable").expect("waits");
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&body["type"], &body["peer"]), (&"joined".into(), &"ann".into()));
    assert_eq!(body["id"], waiting[0].id);
    assert!(store.hooks().remove(HOOK, waiting[0].id).wait().expect("removed"));
    assert_eq!(store.hooks().oldest(HOOK).expect("readable"), Some(waiting[1].id));
    assert_eq!(store.hooks().lengths()[&HOOK], 1);
    assert_eq!(store.hooks().keep_only(Vec::new()).wait(), Ok(1));
    assert_eq!(store.hooks().oldest(HOOK).expect("readable"), None);
}

#[test]
fn a_full_queue_loses_its_oldest_and_counts_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path(), JournalSettings { max_queue: 2, ..hooked() });
    for n in 0..5 {
        note(&store, [joined("r", &n.to_string(), 100 + n)]);
    }
    let waiting = store.hooks().waiting(HOOK, 0, 10).expect("readable");
    let seconds: Vec<_> = waiting.iter().map(|queued| second_of(queued.id)).collect();
    assert_eq!(seconds, [103, 104]);
    assert_eq!(store.hooks().dropped(), 3);
}
