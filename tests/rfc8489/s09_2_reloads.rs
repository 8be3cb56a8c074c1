//! Section 9.2 across a reload: what was offered holds, and an allocation keeps the terms it was
//! opened on.

use relayhouse::creds::CredentialSettings;
use relayhouse::stun::{Nonce, PasswordAlgorithm, Realm};

use crate::machine::*;
use crate::modern::*;

fn without_sha256() -> CredentialSettings {
    CredentialSettings { sha256: false, ..users_alone() }
}

/// 9.2: where nothing is offered the nonce has no cookie, and everybody works as with RFC 5389.
#[test]
fn the_offer_can_be_switched_off() {
    let mut world = World::new();
    configure(&mut world, without_sha256());
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    assert!(!client.nonce.starts_with(b"obMatJos2"));
    let answer = client.allocate_with(&mut world, |_| {});
    assert!(answer.message().verify_sha1(&client.key()));

    let mut wrong = Client::at("203.0.113.8:4000").named("alice", "wrong");
    let answer = wrong.allocate_with(&mut world, |_| {});
    assert_eq!((answer.code(), offer_of(&answer)), (401, None));
}

/// 9.2.4 step 3: a nonce keeps the word it gave: what it offered may be used until it ends.
#[test]
fn an_offer_holds_as_long_as_its_nonce() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    configure(&mut world, without_sha256());
    assert_eq!(modern.allocate(&mut world).code(), 0);
}

/// 14.12: PASSWORD-ALGORITHM says what the key is, even to a nonce that offered nothing.
#[test]
fn a_named_algorithm_counts_without_an_offer() {
    let mut world = World::new();
    configure(&mut world, without_sha256());
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.key();
    let answer = modern.try_allocate(&mut world, |w| {
        w.put(&PasswordAlgorithm::SHA256).integrity_sha256(&key);
    });
    assert_eq!(answer.code(), 0);
}

/// A 438 on an allocation repeats the offer it was opened with: its key belongs to that.
#[test]
fn an_allocation_keeps_its_offer_when_it_is_switched_off() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    assert_eq!(modern.allocate(&mut world).code(), 0);
    configure(&mut world, without_sha256());
    modern.client.nonce = b"long gone".to_vec();
    let stale = modern.refresh(&mut world, 600);
    assert_eq!((stale.code(), offer_of(&stale)), (438, Some(vec![2, 1])));
    modern.client.nonce = nonce_of(&stale);
    assert_eq!(modern.refresh(&mut world, 600).code(), 0);
}

/// The other way round: who opened without an offer gets none later, and stays with its MD5 key.
#[test]
fn an_allocation_gets_no_offer_when_it_is_switched_on() {
    let mut world = World::new();
    configure(&mut world, without_sha256());
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    configure(&mut world, users_alone());
    client.nonce = b"long gone".to_vec();
    let stale = client.refresh(&mut world, 600);
    assert_eq!((stale.code(), offer_of(&stale)), (438, None));
    assert!(!nonce_of(&stale).starts_with(b"obMatJos2"));
    client.nonce = nonce_of(&stale);
    assert_eq!(client.refresh(&mut world, 600).code(), 0);
}

/// A 401 on an allocation, too, names the realm its key was made in; 401 and 438 are the same in this.
#[test]
fn a_challenge_on_an_allocation_names_the_owners_realm() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    assert_eq!(modern.allocate(&mut world).code(), 0);
    configure(&mut world, CredentialSettings { realm: "renamed.test".into(), ..users_alone() });
    let request = modern.client.bare(relayhouse::stun::Method::REFRESH, |_| {});
    let answer = modern.client.exchange(&mut world, &request);
    assert_eq!(answer.code(), 401);
    assert_eq!(answer.get::<Realm<'_>>().expect("a realm").0, REALM);
    assert!(answer.get::<Nonce<'_>>().is_some());
    modern.client.nonce = nonce_of(&answer);
    assert_eq!(modern.refresh(&mut world, 600).code(), 0);
}

/// RFC 8656 7.2: the same user with a new key, after a reload of the realm, is somebody else on this
/// five-tuple: 437, which a new port mends, and not 401, which nothing would.
#[test]
fn the_same_name_with_a_new_key_finds_the_five_tuple_in_use() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    assert_eq!(modern.allocate(&mut world).code(), 0);
    let mut old_fashioned = modern.client.clone();
    assert_eq!(old_fashioned.allocate_with(&mut world, |_| {}).code(), 437);
}

/// On an allocation the algorithm is the one it was opened with: no request can go below it.
#[test]
fn an_allocation_opened_with_sha256_answers_to_no_md5_key() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    assert_eq!(modern.allocate(&mut world).code(), 0);
    assert_eq!(modern.client.clone().refresh(&mut world, 0).code(), 401);
    assert_eq!(world.relay.allocations(), 1);
}
