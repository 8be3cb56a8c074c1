//! The ring of REST secrets in the store: one mints, older ones have an end, and all of it is there
//! after a reopen.

use std::path::Path;
use std::time::Duration;

use relayhouse::creds::{Secret, SecretId};
use relayhouse::store::{
    MAX_SECRETS, SECRET_MEMORY, SecretError, SecretOrigin, SecretRecord, SecretUse, Store,
    USE_MEMORY,
};

const OVERLAP: Duration = Duration::from_secs(50);

fn made(text: &str, created: u64) -> SecretRecord {
    let secret = Secret::from(text);
    SecretRecord { secret, origin: SecretOrigin::Generated, created, until: None }
}

fn id(text: &str) -> SecretId {
    Secret::from(text).id()
}

/// With the secret "one".
fn opened(dir: &Path) -> Store {
    let store = Store::open(dir).unwrap();
    store.secrets().list_or_insert(made("one", 100)).wait().unwrap();
    store
}

/// Every secret and its end.
fn ring(store: &Store) -> Vec<(String, Option<u64>)> {
    let ring = store.secrets().list().unwrap();
    ring.into_iter().map(|record| (record.secret.expose().to_owned(), record.until)).collect()
}

#[test]
fn the_first_secret_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    drop(opened(dir.path()));
    let store = Store::open(dir.path()).unwrap();
    let secrets = store.secrets().list_or_insert(made("two", 200)).wait().unwrap();
    assert_eq!(secrets, [made("one", 100)]);
}

#[test]
fn the_secret_of_a_folder_without_a_ring_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.secret_or_insert("rest", || [7; 32]).wait().unwrap();
    store.secrets().list_or_insert(made("one", 100)).wait().unwrap();
    assert_eq!(ring(&store), [("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc".into(), None)]);
}

#[test]
fn a_rotation_puts_the_new_one_first_and_ends_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    store.secrets().rotate(made("two", 200), OVERLAP).wait().unwrap();
    store.secrets().rotate(made("three", 210), OVERLAP).wait().unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let expected = [("three", None), ("two", Some(260)), ("one", Some(250))];
    assert_eq!(ring(&store), expected.map(|(text, until)| (text.to_owned(), until)));
}

#[test]
fn without_an_overlap_a_secret_is_over_in_the_very_second() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    store.secrets().rotate(made("two", 200), Duration::ZERO).wait().unwrap();
    let before = store.secrets().list().unwrap().pop().unwrap();
    assert!(before.is_over(200));
}

#[test]
fn an_added_secret_neither_mints_nor_ends_with_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    let added = SecretRecord { origin: SecretOrigin::Added, ..made("theirs", 150) };
    store.secrets().accept(added.clone()).wait().unwrap();
    let again = store.secrets().accept(added).wait();
    assert_eq!(again, Err(SecretError::Exists(id("theirs"))));
    store.secrets().rotate(made("two", 200), OVERLAP).wait().unwrap();
    let expected = [("two", None), ("one", Some(250)), ("theirs", None)];
    assert_eq!(ring(&store), expected.map(|(text, until)| (text.to_owned(), until)));
}

#[test]
fn the_one_that_mints_cannot_be_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    assert_eq!(store.secrets().remove(id("one")).wait(), Err(SecretError::Mints(id("one"))));
    store.secrets().rotate(made("two", 200), OVERLAP).wait().unwrap();
    assert_eq!(store.secrets().remove(id("one")).wait(), Ok(()));
    assert_eq!(store.secrets().remove(id("one")).wait(), Err(SecretError::NotThere(id("one"))));
    assert_eq!(ring(&store), [("two".into(), None)]);
}

#[test]
fn an_ended_secret_is_forgotten_a_day_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    store.secrets().rotate(made("two", 200), OVERLAP).wait().unwrap();
    let end = 250 + SECRET_MEMORY.as_secs();
    assert_eq!(store.secrets().sweep(end).wait(), Ok(Vec::new()));
    assert_eq!(store.secrets().sweep(end + 1).wait(), Ok(vec![id("one")]));
    assert_eq!(ring(&store), [("two".into(), None)]);
}

#[test]
fn there_are_so_many_secrets_at_most_and_ended_ones_make_way() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    for n in 1..MAX_SECRETS {
        store.secrets().rotate(made(&n.to_string(), 200), OVERLAP).wait().unwrap();
    }
    let late = |now| store.secrets().rotate(made("late", now), OVERLAP).wait();
    assert_eq!(late(250), Err(SecretError::Full));
    assert_eq!(late(251), Ok(()));
    assert_eq!(ring(&store).len(), 2);
}

#[test]
fn uses_are_remembered_until_nobody_can_want_to_know() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    let once = SecretUse { last: 300, count: 1 };
    store.secrets().note(vec![(id("one"), once)], 300).wait().unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.secrets().uses().unwrap()[&id("one")], once);
    let late = 301 + USE_MEMORY.as_secs();
    let other = SecretUse { last: late, count: 2 };
    store.secrets().note(vec![(id("two"), other)], late).wait().unwrap();
    let uses: Vec<_> = store.secrets().uses().unwrap().into_iter().collect();
    assert_eq!(uses, [(id("two"), other)]);
}

#[test]
fn no_debug_output_shows_a_secret() {
    assert!(!format!("{:?}", made("hidden", 1)).contains("hidden"));
}
