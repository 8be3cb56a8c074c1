//! `pairing`: guessing, and bounds.

use std::num::NonZeroU32;

use relayhouse::api::{Dialect, HttpSettings, RateLimits};
use relayhouse::store::{MAX_PENDINGS, PendingRecord};
use serde_json::json;

use crate::house::{call, open_to_strangers, settings};
use crate::server::{Server, now};

#[test]
fn guessing_codes_is_told_to_wait_and_a_right_guess_does_not_get_through() {
    let few = NonZeroU32::new(5).unwrap();
    let rate_limits = RateLimits { join_codes: few, ..RateLimits::default() };
    let server = Server::with(HttpSettings { rate_limits, ..settings(&Dialect::ALL) });
    let offer = json!({ "joinid": "77", "exp": "2099-01-01T00:00:00Z", "client1": "a" });
    assert_eq!(call(&server, "POST", "/api/rooms", None, &offer).status, 201);
    let accept = |code: &str| {
        let body = json!({ "joinid": code, "client2": "b" });
        call(&server, "POST", "/api/rooms/accept", None, &body)
    };
    for guess in 0..5 {
        assert_eq!(accept(&guess.to_string()).status, 404);
    }
    let refused = accept("77");
    assert_eq!((refused.status, refused.json()), (429, json!({ "error": "rate_limited" })));
    let wait: u64 = refused.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
}

#[test]
fn polling_is_bounded_too() {
    let few = NonZeroU32::new(5).unwrap();
    let rate_limits = RateLimits { polls: few, ..RateLimits::default() };
    let server = Server::with(HttpSettings { rate_limits, ..settings(&Dialect::ALL) });
    let check = || {
        let body = json!({ "joinid": "1", "client1": "a" });
        call(&server, "POST", "/api/rooms/check", None, &body)
    };
    assert!((0..5).all(|_| check().status == 404));
    let refused = check();
    assert_eq!((refused.status, refused.json()), (429, json!({ "error": "rate_limited" })));
    assert!(refused.header("Retry-After").is_some());
}

#[test]
fn there_are_only_so_many_codes_and_those_that_are_over_make_place() {
    let server = open_to_strangers();
    let store = server.api.store().clone();
    let pending = |expires| PendingRecord { client1: "a".into(), owner: None, expires, pair: None };
    let far = now() + 1000;
    // As many at once as the store's queue takes.
    for thousand in 0..MAX_PENDINGS / 1000 {
        let offers: Vec<_> = (0..1000)
            .map(|n| format!("{thousand}-{n}"))
            .map(|code| store.pairings().offer(&code, pending(far), now()))
            .collect();
        offers.into_iter().for_each(|offer| offer.wait().unwrap());
    }
    let offer = json!({ "joinid": "new", "exp": "2099-01-01T00:00:00Z", "client1": "b" });
    let refused = call(&server, "POST", "/api/rooms", None, &offer);
    assert_eq!((refused.status, refused.json()), (503, json!({ "error": "too_many_pairings" })));
    assert!(refused.header("Retry-After").is_some());
    store.pairings().offer("new", pending(far + 9999), far).wait().unwrap();
}

#[test]
fn names_and_codes_have_a_length() {
    let server = open_to_strangers();
    let long = "x".repeat(129);
    let exp = "2099-01-01T00:00:00Z";
    for body in [
        json!({ "joinid": long, "exp": exp, "client1": "a" }),
        json!({ "joinid": "1", "exp": exp, "client1": long }),
    ] {
        let refused = call(&server, "POST", "/api/rooms", None, &body);
        assert_eq!((refused.status, refused.json()), (400, json!({ "error": "invalid_field" })));
    }
}
