//! People, sessions and revoked tokens through the store's door.

use relayhouse::creds::password::PasswordHash;
use relayhouse::store::{
    Imported, MAX_SESSIONS_PER_USER, MAX_USERS, SessionError, SessionId, SessionKind,
    SessionRecord, Store, UserChange, UserError, UserRecord, UserRole,
};

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

/// A hash without the work: the store never computes one.
fn hash(mark: char) -> PasswordHash {
    let (salt, hash) = ("A".repeat(22), format!("{}A", mark.to_string().repeat(42)));
    PasswordHash::try_from(format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${hash}")).unwrap()
}

fn bcrypt() -> PasswordHash {
    let text = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
    PasswordHash::try_from(text.to_owned()).unwrap()
}

fn user(name: &str) -> UserRecord {
    UserRecord {
        name: name.into(),
        role: UserRole::User,
        email: None,
        active: true,
        created: 100,
        password: hash('A'),
    }
}

fn session(id: &str, user: &str, created: u64) -> SessionRecord {
    SessionRecord {
        id: SessionId(id.into()),
        user: user.into(),
        kind: SessionKind::Native,
        created,
        expires: created + 1000,
        sliding: true,
        lifetime: 1000,
        family: [1; 32],
        token: [2; 32],
    }
}

fn with_password(password: PasswordHash) -> UserChange {
    UserChange { password: Some(password), ..UserChange::default() }
}

#[test]
fn people_and_sessions_are_there_after_a_reopen() {
    let (dir, store) = open();
    store.users().add(user("alice")).wait().unwrap();
    store.sessions().start(session("s", "alice", 1), &user("alice")).wait().unwrap();
    store.revoked().add("jti", 500).wait().unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.users().list(), Ok(vec![user("alice")]));
    let found = store.sessions().find(&SessionId("s".into()));
    assert_eq!(found, Ok(Some(session("s", "alice", 1))));
    assert_eq!(store.revoked().contains("jti"), Ok(true));
}

#[test]
fn a_name_is_taken_once_and_there_is_room_for_so_many() {
    let (_dir, store) = open();
    let people = (0..MAX_USERS).map(|n| (format!("user{n}"), with_password(hash('A')))).collect();
    let all = Imported { added: MAX_USERS, updated: 0 };
    assert_eq!(store.users().import(people, false, 1).wait(), Ok(all));
    assert_eq!(store.users().add(user("user1")).wait(), Err(UserError::Exists("user1".into())));
    assert_eq!(store.users().add(user("alice")).wait(), Err(UserError::Full));
    let more = vec![("alice".to_owned(), with_password(hash('A')))];
    assert_eq!(store.users().import(more, true, 1).wait(), Err(UserError::Full));
    assert_eq!(store.users().count(), MAX_USERS);
}

#[test]
fn an_import_is_all_or_nothing() {
    let (_dir, store) = open();
    store.users().add(user("alice")).wait().unwrap();
    let people = || {
        let admin = UserChange { role: Some(UserRole::Admin), ..UserChange::default() };
        vec![("bob".to_owned(), with_password(hash('B'))), ("alice".to_owned(), admin)]
    };
    let refused = store.users().import(people(), false, 7).wait();
    assert_eq!(refused, Err(UserError::Exists("alice".into())));
    let nobody = vec![people()[0].clone(), ("carol".to_owned(), UserChange::default())];
    let refused = store.users().import(nobody, true, 7).wait();
    assert_eq!(refused, Err(UserError::NoPassword("carol".into())));
    assert_eq!(store.users().count(), 1);
    assert_eq!(
        store.users().import(people(), true, 7).wait(),
        Ok(Imported { added: 1, updated: 1 })
    );
    let alice = UserRecord { role: UserRole::Admin, ..user("alice") };
    let bob = UserRecord { created: 7, password: hash('B'), ..user("bob") };
    assert_eq!(store.users().list(), Ok(vec![alice, bob]));
}

#[test]
fn only_what_takes_something_away_ends_sessions() {
    let (_dir, store) = open();
    let users = store.users();
    users.add(user("alice")).wait().unwrap();
    users.add(user("al")).wait().unwrap();
    let mut checked = user("alice");
    let mut count = 0;
    let mut lives_after = |change: UserChange| {
        count += 1;
        let id = SessionId(format!("s{count}"));
        let started = SessionRecord { id: id.clone(), ..session("", "alice", 1) };
        store.sessions().start(started, &checked).wait().unwrap();
        checked = users.change("alice", change).wait().unwrap();
        store.sessions().find(&id).unwrap().is_some()
    };
    // Somebody whose name begins like hers keeps theirs.
    store.sessions().start(session("other", "al", 1), &user("al")).wait().unwrap();
    let none = UserChange::default;
    assert!(lives_after(UserChange { email: Some("a@b".into()), ..none() }));
    assert!(lives_after(UserChange { role: Some(UserRole::User), ..none() }));
    assert!(!lives_after(UserChange { role: Some(UserRole::Admin), ..none() }));
    assert!(!lives_after(with_password(hash('B'))));
    assert!(!lives_after(UserChange { active: Some(false), ..none() }));
    assert_eq!(store.sessions().count(), 1);
    assert_eq!(users.remove("al").wait(), Ok(true));
    assert_eq!(store.sessions().count(), 0);
    assert_eq!(users.remove("al").wait(), Ok(false));
}

#[test]
fn another_hash_of_the_same_password_ends_nothing() {
    let (_dir, store) = open();
    let before = UserRecord { password: bcrypt(), ..user("alice") };
    store.users().add(before.clone()).wait().unwrap();
    store.sessions().start(session("s", "alice", 1), &before).wait().unwrap();
    assert_eq!(store.users().foreign_hash(), Ok(Some(bcrypt())));
    let rehash = |from| store.users().rehash("alice", from, hash('A')).wait();
    assert_eq!(rehash(hash('C')), Ok(false));
    assert_eq!(rehash(bcrypt()), Ok(true));
    assert_eq!(store.users().foreign_hash(), Ok(None));
    assert_eq!(store.sessions().count(), 1);
}

#[test]
fn what_is_over_makes_room_before_what_is_old() {
    let (_dir, store) = open();
    store.users().add(user("alice")).wait().unwrap();
    let start = |id: &str, created| {
        store.sessions().start(session(id, "alice", created), &user("alice")).wait().unwrap();
    };
    start("over", 100);
    (1..MAX_SESSIONS_PER_USER).for_each(|n| start(&format!("s{n:02}"), 2000 + n as u64));
    let is_there = |id: &str| store.sessions().find(&SessionId(id.into())).unwrap().is_some();
    start("new", 2500);
    assert!(!is_there("over") && is_there("s01"));
    start("newer", 2501);
    assert!(!is_there("s01") && is_there("s02"));
    assert_eq!(store.sessions().count(), MAX_SESSIONS_PER_USER);
}

#[test]
fn a_rotation_needs_the_token_that_is_good_now() {
    let (_dir, store) = open();
    store.users().add(user("alice")).wait().unwrap();
    store.sessions().start(session("s", "alice", 1), &user("alice")).wait().unwrap();
    let rotate = |family, shown, next, now| {
        let id = SessionId("s".into());
        store.sessions().rotate(&id, [family; 32], [shown; 32], [next; 32], now).wait()
    };
    assert_eq!(rotate(9, 2, 3, 10), Err(SessionError::Unknown));
    assert_eq!(rotate(1, 2, 3, 10).map(|session| session.expires), Ok(1010));
    assert_eq!(rotate(1, 2, 4, 11), Err(SessionError::Reused("alice".into())));
    assert_eq!(rotate(1, 3, 4, 12), Err(SessionError::Over));
}

#[test]
fn what_is_over_is_swept_out() {
    let (_dir, store) = open();
    store.users().add(user("alice")).wait().unwrap();
    store.sessions().start(session("a", "alice", 1), &user("alice")).wait().unwrap();
    store.sessions().start(session("b", "alice", 500), &user("alice")).wait().unwrap();
    store.revoked().add("old", 900).wait().unwrap();
    store.revoked().add("new", 1500).wait().unwrap();
    let swept = store.sweep(1001).wait().unwrap();
    assert_eq!((swept.sessions, swept.revoked), (1, 1));
    assert_eq!(store.sessions().count(), 1);
    assert_eq!(store.revoked().contains("new"), Ok(true));
    assert_eq!(store.users().remove("alice").wait(), Ok(true));
    assert_eq!(store.sessions().count(), 0);
}
