//! The check of requests on an allocation (RFC 8656 section 5): only its owner, and its owner even
//! when the credential, the secret or the realm are gone.

mod creds_support;

use std::time::Duration;

use creds_support::{Ask, credentials, now, settings};
use relayhouse::creds::{CredentialSettings, Credentials, Denied, Reason, Secret, Verified, rest};
use relayhouse::time::Now;

const HOUR: Duration = Duration::from_secs(3600);

fn changed(change: impl FnOnce(&mut CredentialSettings)) -> Credentials {
    let mut settings = settings();
    change(&mut settings);
    Credentials::new(settings).expect("good settings")
}

/// A minted credential, good for an hour, and the proof that it opened an allocation.
fn owner() -> (Ask, Verified) {
    let credentials = credentials();
    let expires = now().unix.plus(HOUR);
    let minted = rest::mint(&Secret::from("north"), "carol", expires, ':').expect("short");
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    let verified = ask.check(&credentials, now()).expect("a fresh credential");
    (ask, verified)
}

/// The same request with a nonce handed out `later`.
fn renewed(ask: &Ask, credentials: &Credentials, later: Now) -> Ask {
    let nonce = credentials.nonce(later, creds_support::CLIENT).as_bytes().to_vec();
    Ask { nonce: Some(nonce), ..ask.clone() }
}

#[test]
fn the_owner_passes() {
    let (ask, owner) = owner();
    assert_eq!(ask.check_owner(&credentials(), now(), &owner), Ok(()));
}

#[test]
fn the_owner_passes_after_the_credential_expired() {
    let (ask, owner) = owner();
    let later = now().after(2 * HOUR);
    let ask = renewed(&ask, &credentials(), later);
    assert_eq!(ask.check_owner(&credentials(), later, &owner), Ok(()));
}

#[test]
fn strict_expiry_ends_that() {
    let (ask, owner) = owner();
    let strict = changed(|settings| settings.strict_expiry = true);
    let later = now().after(2 * HOUR);
    assert_eq!(ask.check_owner(&strict, now(), &owner), Ok(()));
    let ask = renewed(&ask, &strict, later);
    let expired = Denied::Unauthorized(Reason::Expired(HOUR));
    assert_eq!(ask.check_owner(&strict, later, &owner), Err(expired));
}

#[test]
fn the_owner_passes_after_the_secret_was_rotated_away() {
    let (ask, owner) = owner();
    let rotated = changed(|settings| settings.secrets = vec!["west".into()]);
    assert!(ask.check(&rotated, now()).is_err());
    assert_eq!(ask.check_owner(&rotated, now(), &owner), Ok(()));
}

#[test]
fn the_owner_passes_after_the_realm_was_renamed() {
    let (ask, owner) = owner();
    let renamed = changed(|settings| settings.realm = "example.net".to_owned());
    assert_eq!(ask.check_owner(&renamed, now(), &owner), Ok(()));
    assert_eq!(**owner.realm(), *creds_support::REALM);
}

/// Another username than the one that opened the allocation, however valid: 441.
#[test]
fn another_user_is_told_441() {
    let (_, owner) = owner();
    let credentials = credentials();
    let alice = Ask::new(&credentials, "alice", "wonder:land");
    assert_eq!(alice.check_owner(&credentials, now(), &owner), Err(Denied::WrongUser));
}

#[test]
fn the_owner_with_another_password_is_unauthorized() {
    let (ask, owner) = owner();
    let ask = Ask { password: Some("guess".to_owned()), ..ask };
    let denied = Denied::Unauthorized(Reason::NotTheOwner);
    assert_eq!(ask.check_owner(&credentials(), now(), &owner), Err(denied));
}

#[test]
fn without_integrity_the_owner_is_challenged_too() {
    let (ask, owner) = owner();
    let ask = Ask { password: None, ..ask };
    assert_eq!(ask.check_owner(&credentials(), now(), &owner), Err(Denied::Challenge));
}

#[test]
fn without_a_nonce_the_owner_sends_a_bad_request() {
    let (ask, owner) = owner();
    let ask = Ask { nonce: None, ..ask };
    assert_eq!(ask.check_owner(&credentials(), now(), &owner).unwrap_err().code(), 400);
}

#[test]
fn the_owner_needs_a_fresh_nonce() {
    let (ask, owner) = owner();
    let late = now().after(HOUR + Duration::from_secs(1));
    assert_eq!(ask.check_owner(&credentials(), late, &owner), Err(Denied::StaleNonce));
}
