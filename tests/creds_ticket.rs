//! Tickets from the outside: what is signed is read back, anything else is refused.

use std::time::Duration;

use proptest::prelude::*;
use relayhouse::creds::ticket::{
    AUDIENCE, Claims, ISSUER, LEEWAY, MAX_TOKEN, Role, TicketError, TicketKey,
};
use relayhouse::time::UnixTime;

const NOW: UnixTime = UnixTime(1_700_000_000);

fn key() -> TicketKey {
    TicketKey::new([42; 32])
}

/// A host's ticket for a room, good for a minute.
fn claims() -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: "peer-1".to_owned(),
        exp: NOW.0 + 60,
        iat: NOW.0,
        jti: "t-1".to_owned(),
        room: Some("blue".to_owned()),
        role: Role::Host,
        name: Some("Zoë \"Z\"".to_owned()),
    }
}

#[test]
fn a_ticket_is_read_back() {
    let creator = Claims { room: None, name: None, role: Role::Creator, ..claims() };
    for claims in [claims(), creator] {
        assert_eq!(key().verify(NOW, &key().sign(&claims)), Ok(claims));
    }
}

#[test]
fn another_key_refuses_it() {
    let other = TicketKey::new([43; 32]);
    assert_eq!(other.verify(NOW, &key().sign(&claims())), Err(TicketError::Signature));
}

#[test]
fn a_ticket_passes_until_its_leeway_is_over() {
    let token = key().sign(&claims());
    let ends = UnixTime(claims().exp).plus(LEEWAY);
    assert!(key().verify(UnixTime(ends.0 - 1), &token).is_ok());
    assert_eq!(key().verify(ends, &token), Err(TicketError::Expired(Duration::from_secs(5))));
}

#[test]
fn the_end_of_time_is_no_overflow() {
    let eternal = Claims { exp: u64::MAX, ..claims() };
    assert!(key().verify(NOW, &key().sign(&eternal)).is_ok());
}

#[test]
fn tickets_of_others_or_for_others_are_refused() {
    let foreign = Claims { iss: "tunnel-backend".to_owned(), ..claims() };
    assert_eq!(key().verify(NOW, &key().sign(&foreign)), Err(TicketError::Issuer));
    let elsewhere = Claims { aud: "tunnel-worker".to_owned(), ..claims() };
    assert_eq!(key().verify(NOW, &key().sign(&elsewhere)), Err(TicketError::Audience));
}

#[test]
fn a_token_over_4096_bytes_is_not_read() {
    let named = |length| Claims { name: Some("x".repeat(length)), ..claims() };
    let fits = key().sign(&named(2800));
    assert!(fits.len() <= MAX_TOKEN);
    assert!(key().verify(NOW, &fits).is_ok());
    assert_eq!(key().verify(NOW, &key().sign(&named(4000))), Err(TicketError::TooLong));
}

#[test]
fn errors_hold_nothing_of_the_token() {
    let error = key().verify(NOW, "eyJzZWNyZXQ.e30.x").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("eyJ"));
}

proptest! {
    #[test]
    fn any_texts_are_read_back(sub: String, name: Option<String>, room: Option<String>) {
        let claims = Claims { sub, name, room, ..claims() };
        let token = key().sign(&claims);
        prop_assume!(token.len() <= MAX_TOKEN);
        prop_assert_eq!(key().verify(NOW, &token), Ok(claims));
    }
}
