//! The store through its door: what is acknowledged is there after a reopen, invites work once,
//! bounds answer, and a folder that cannot be opened says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use relayhouse::store::{
    INVITE_MEMORY, InviteError, InviteRecord, KeyError, KeyRecord, MAX_INVITES_PER_ROOM, MAX_KEYS,
    OpenError, RoomError, RoomRecord, Store, invite_id,
};

fn room(id: &str) -> RoomRecord {
    RoomRecord {
        id: id.into(),
        name: Some("Tea".into()),
        capacity: 8,
        lobby: false,
        locked: false,
        kicked: Vec::new(),
        owner: None,
        created: 100,
        expires: None,
    }
}

fn invite(room: &str) -> InviteRecord {
    InviteRecord { room: room.into(), created: 100, expires: 1000, redeemed: None, revoked: None }
}

fn with_room(dir: &Path) -> Store {
    let store = Store::open(dir).unwrap();
    store.rooms().create(room("r")).wait().unwrap();
    store
}

#[test]
fn rooms_are_there_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_room(dir.path()));
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.rooms().find("r").unwrap(), Some(room("r")));
    assert_eq!(store.rooms().unexpired(0).unwrap(), [room("r")]);
}

#[test]
fn a_room_id_is_taken_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    assert_eq!(store.rooms().create(room("r")).wait(), Err(RoomError::Exists));
}

#[test]
fn a_change_is_made_to_a_room_that_exists_and_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    let changed = store.rooms().change("r", |room| room.locked = true).wait().unwrap();
    assert_eq!(changed, Some(RoomRecord { locked: true, ..room("r") }));
    assert_eq!(store.rooms().change("other", |room| room.locked = true).wait(), Ok(None));
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert!(store.rooms().find("r").unwrap().unwrap().locked);
    assert_eq!(store.rooms().count(), 1);
}

#[test]
fn rooms_come_in_pages_of_those_that_are_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for (id, owner) in [("a", "ann"), ("b", "bob"), ("c", "ann"), ("d", "ann")] {
        let room = RoomRecord { owner: Some(owner.into()), ..room(id) };
        store.rooms().create(room).wait().unwrap();
    }
    let page = |after: &str| {
        let found = store.rooms().page(after, 2, |room| room.owner.as_deref() == Some("ann"));
        found.unwrap().into_iter().map(|room| room.id).collect::<Vec<_>>()
    };
    assert_eq!(page(""), ["a", "c"]);
    assert_eq!(page("c"), ["d"]);
    assert!(page("d").is_empty());
}

#[test]
fn a_secret_is_made_once_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.secret_or_insert("nonce", || [7; 32]).wait(), Ok([7; 32]));
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.secret_or_insert("nonce", || [8; 32]).wait(), Ok([7; 32]));
    assert_eq!(store.secret_or_insert("ticket", || [9; 32]).wait(), Ok([9; 32]));
}

#[test]
fn a_secret_of_another_length_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.secret_or_insert("nonce", || [7; 32]).wait().unwrap();
    let error = store.secret_or_insert("nonce", || [7; 16]).wait().unwrap_err();
    assert!(error.to_string().contains("32 bytes"), "{error}");
}

#[test]
fn an_invite_is_redeemed_once_also_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    store.invites().create([1; 32], invite("r")).wait().unwrap();
    let used = store.invites().redeem([1; 32], 500).wait().unwrap();
    assert_eq!((used.room.as_str(), used.redeemed), ("r", Some(500)));
    assert_eq!(store.invites().redeem([1; 32], 501).wait(), Err(InviteError::AlreadyRedeemed));
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.invites().redeem([1; 32], 502).wait(), Err(InviteError::AlreadyRedeemed));
}

#[test]
fn of_many_redeems_at_once_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    store.invites().create([1; 32], invite("r")).wait().unwrap();
    let wins: usize = std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| store.invites().redeem([1; 32], 500).wait().is_ok()))
            .collect();
        attempts.into_iter().map(|attempt| usize::from(attempt.join().unwrap())).sum()
    });
    assert_eq!(wins, 1);
}

#[test]
fn an_invite_that_was_taken_back_stays_so_also_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    for n in [1, 2] {
        store.invites().create([n; 32], invite("r")).wait().unwrap();
    }
    let id = invite_id(&[1; 32]);
    let open = |store: &Store| -> Vec<String> {
        store.invites().open("r", 200).unwrap().into_iter().map(|(id, _)| id).collect()
    };
    assert_eq!(open(&store).len(), 2);
    assert_eq!(store.invites().revoke("other", &id, 200).wait(), Err(InviteError::NotFound));
    assert_eq!(store.invites().revoke("r", &id, 200).wait(), Ok(()));
    assert_eq!(store.invites().revoke("r", &id, 201).wait(), Ok(()), "asked for again");
    assert_eq!(open(&store), [invite_id(&[2; 32])]);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.invites().redeem([1; 32], 300).wait(), Err(InviteError::Revoked));
    assert!(store.invites().redeem([2; 32], 300).wait().is_ok());
    let used = store.invites().revoke("r", &invite_id(&[2; 32]), 400).wait();
    assert_eq!(used, Err(InviteError::AlreadyRedeemed));
}

#[test]
fn an_invite_that_was_never_made_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    assert_eq!(store.invites().redeem([9; 32], 500).wait(), Err(InviteError::NotFound));
}

#[test]
fn an_invite_ends_on_the_second_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    store.invites().create([1; 32], invite("r")).wait().unwrap();
    assert_eq!(store.invites().redeem([1; 32], 1000).wait(), Err(InviteError::Expired));
    assert!(store.invites().redeem([1; 32], 999).wait().is_ok());
}

#[test]
fn an_invite_needs_a_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    let made = store.invites().create([1; 32], invite("elsewhere")).wait();
    assert_eq!(made, Err(InviteError::NoRoom));
}

#[test]
fn deleting_a_room_takes_its_invites_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    store.rooms().create(room("r2")).wait().unwrap();
    store.invites().create([1; 32], invite("r")).wait().unwrap();
    store.invites().create([2; 32], invite("r2")).wait().unwrap();
    assert_eq!(store.rooms().delete("r").wait(), Ok(true));
    assert_eq!(store.rooms().delete("r").wait(), Ok(false));
    assert_eq!(store.invites().redeem([1; 32], 500).wait(), Err(InviteError::NotFound));
    assert!(store.invites().redeem([2; 32], 500).wait().is_ok());
}

#[test]
fn a_room_has_a_bounded_number_of_open_invites() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    let hash = |n: usize| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        hash
    };
    let made: Vec<_> =
        (0..MAX_INVITES_PER_ROOM).map(|n| store.invites().create(hash(n), invite("r"))).collect();
    assert!(made.into_iter().all(|made| made.wait().is_ok()));
    let next = hash(MAX_INVITES_PER_ROOM);
    assert_eq!(store.invites().create(next, invite("r")).wait(), Err(InviteError::Full));
    // A used one makes place.
    store.invites().redeem(hash(0), 500).wait().unwrap();
    assert_eq!(store.invites().create(next, invite("r")).wait(), Ok(()));
    assert_eq!(store.invites().count(), MAX_INVITES_PER_ROOM);
}

#[test]
fn a_sweep_removes_what_is_over_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_room(dir.path());
    let short = RoomRecord { expires: Some(2000), ..room("short") };
    store.rooms().create(short).wait().unwrap();
    store.invites().create([1; 32], invite("r")).wait().unwrap();
    store.invites().create([2; 32], invite("short")).wait().unwrap();

    assert_eq!(store.sweep(1999).wait().unwrap(), Default::default());
    let swept = store.sweep(2000).wait().unwrap();
    assert_eq!((swept.rooms, swept.invites), (vec!["short".to_owned()], 0));
    // Over, but remembered: the answer is "expired", not "unknown".
    assert_eq!(store.invites().redeem([1; 32], 2000).wait(), Err(InviteError::Expired));
    let late = 1000 + INVITE_MEMORY.as_secs();
    assert_eq!(store.sweep(late).wait().unwrap().invites, 1);
    assert_eq!(store.invites().redeem([1; 32], late).wait(), Err(InviteError::NotFound));
    assert_eq!(store.rooms().count(), 1);
}

#[test]
fn keys_are_found_by_hash_listed_and_revoked_by_id() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let key = |id: &str, created| KeyRecord {
        id: id.into(),
        name: None,
        scopes: "mint".parse().unwrap(),
        created,
    };
    store.keys().add([1; 32], key("b", 2)).wait().unwrap();
    store.keys().add([2; 32], key("a", 1)).wait().unwrap();
    assert_eq!(store.keys().add([3; 32], key("a", 3)).wait(), Err(KeyError::Exists));
    assert_eq!(store.keys().add([1; 32], key("c", 3)).wait(), Err(KeyError::Exists));
    assert_eq!(store.keys().find(&[1; 32]).unwrap(), Some(key("b", 2)));
    let ids: Vec<_> = store.keys().list().unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(store.keys().revoke("b").wait(), Ok(true));
    assert_eq!(store.keys().revoke("b").wait(), Ok(false));
    assert_eq!(store.keys().find(&[1; 32]).unwrap(), None);
}

#[test]
fn the_number_of_keys_has_a_bound() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let add = |n: usize| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        let scopes = "mint".parse().unwrap();
        store.keys().add(hash, KeyRecord { id: n.to_string(), name: None, scopes, created: 1 })
    };
    let added: Vec<_> = (0..MAX_KEYS).map(add).collect();
    assert!(added.into_iter().all(|added| added.wait().is_ok()));
    assert_eq!(add(MAX_KEYS).wait(), Err(KeyError::Full));
    assert_eq!(store.keys().revoke("7").wait(), Ok(true));
    assert_eq!(add(MAX_KEYS).wait(), Ok(()));
}

#[test]
fn the_probe_writes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.probe_writable().wait(), Ok(()));
    assert_eq!(store.probe_writable().wait(), Ok(()));
}

#[test]
fn others_can_read_neither_folder_nor_files() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    drop(Store::open(&data).unwrap());
    let _store = Store::open(&data).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("lock")), 0o600);
    let mut files = 0;
    for entry in fs::read_dir(data.join("state")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
        files += 1;
    }
    assert!(files >= 2);
}

#[test]
fn a_shared_folder_keeps_its_mode_and_the_state_in_it_is_shut() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let _store = Store::open(dir.path()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(dir.path()), 0o755);
    assert_eq!(mode(&dir.path().join("state")), 0o700);
}

#[test]
fn a_second_opener_is_told_who_holds_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let _store = Store::open(dir.path()).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Locked { pid: Some(pid), .. } if pid == std::process::id()));
    assert!(error.to_string().contains("in use by another running instance"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&file.join("data")).unwrap_err();
    assert!(matches!(error, OpenError::Unwritable { .. }));
    let sentence = error.to_string();
    assert!(sentence.contains("data_dir") && !sentence.contains('\n'), "{sentence}");
}

#[test]
fn a_torn_snapshot_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_room(dir.path()));
    drop(Store::open(dir.path()).unwrap());
    let state = dir.path().join("state");
    let snapshots: Vec<_> = fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap."))
        .collect();
    assert!(!snapshots.is_empty());
    for snapshot in &snapshots {
        fs::write(snapshot, b"torn").unwrap();
    }
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.rooms().find("r").unwrap(), Some(room("r")));
}
