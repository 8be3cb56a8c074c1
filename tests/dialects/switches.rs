//! Dialects that are switched off.

use relayhouse::api::{Dialect, DialectSettings, Dialects, HttpSettings};

use crate::http::{get, request};
use crate::server::Server;

fn without(dialect: Dialect) -> HttpSettings {
    let serve: Dialects = Dialect::ALL.into_iter().filter(|one| *one != dialect).collect();
    let dialects = DialectSettings { serve, open: Dialects::all(), ..Default::default() };
    HttpSettings { dialects, ..HttpSettings::default() }
}

#[test]
fn without_tunnel_there_is_nothing_on_its_paths() {
    let server = Server::with(without(Dialect::Tunnel));
    for (method, path) in [
        ("GET", "/token?role=host"),
        ("POST", "/token"),
        ("GET", "/turn"),
        ("GET", "/api/turn"),
        ("POST", "/invite"),
        ("GET", "/ws?token=x"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/admin/rooms"),
        ("GET", "/admin/events"),
        ("POST", "/admin/rooms/r/lock"),
    ] {
        let answer = request(method, path).send(server.address);
        assert_eq!(answer.error(), (404, "not_found".into()), "{method} {path}");
    }
    assert_eq!(get("/health").send(server.address).status, 200, "the others are served");
}

#[test]
fn without_rooms_there_is_nothing_on_its_paths() {
    let server = Server::with(without(Dialect::Rooms));
    for (method, path) in [
        ("POST", "/auth/login"),
        ("POST", "/auth/token"),
        ("GET", "/auth/me"),
        ("POST", "/auth/refresh"),
        ("POST", "/auth/logout"),
        ("GET", "/auth/turn-credentials"),
        ("POST", "/api/rooms/r/info"),
        ("GET", "/api/rooms/r/info"),
        ("GET", "/health"),
        ("GET", "/ws/r"),
    ] {
        let answer = request(method, path).send(server.address);
        assert_eq!(answer.error(), (404, "not_found".into()), "{method} {path}");
    }
    let listed = get("/api/rooms").send(server.address);
    assert_ne!(listed.status, 200);
    assert_eq!(get("/turn").send(server.address).status, 200, "the others are served");
}

#[test]
fn a_reload_switches_them() {
    let server = Server::start();
    assert_eq!(get("/health").send(server.address).status, 200);
    server.api.reconfigure(without(Dialect::Rooms), crate::server::minter());
    assert_eq!(get("/health").send(server.address).status, 404);
}
