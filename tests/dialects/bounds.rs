//! What dialects write down or give out is as bounded as the native calls.

use std::num::NonZeroU32;

use relayhouse::api::{HttpSettings, RateLimits};
use relayhouse::store::UserRole;
use serde_json::json;

use crate::http::{get, post, request};
use crate::rooms::{add, token};
use crate::server::Server;
use crate::tunnel::text;

#[test]
fn whatever_is_written_down_or_given_out_is_bounded() {
    let server = Server::with(HttpSettings {
        rate_limits: RateLimits { changes: NonZeroU32::MIN, ..RateLimits::default() },
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..HttpSettings::default()
    });
    server.stop_clocks();
    add(&server, "alice", UserRole::User);
    let alice = token(&server, "alice");
    let host = get("/token?role=host&roomID=r").bearer(&alice).send(server.address).json();
    let calls = [
        (get("/token").bearer(text(&host, "token")), 200),
        (post("/invite").bearer(text(&host, "token")), 201),
        (post("/auth/refresh").bearer(&alice), 200),
        (request("DELETE", "/api/rooms").bearer(&alice).json(&json!({"roomid": "none"})), 200),
        (post("/api/user/purge").bearer(&alice).json(&json!({"deviceId": "none"})), 200),
    ];
    for (n, (call, usual)) in calls.into_iter().enumerate() {
        let call = call.header("X-Forwarded-For", &format!("192.0.2.{n}"));
        assert_eq!(call.clone().send(server.address).status, usual, "{n}");
        let refused = call.send(server.address);
        assert_eq!((refused.status, refused.header("Retry-After").is_some()), (429, true), "{n}");
    }
}
