//! The embedded pages, health and metrics.

use crate::http::{get, request};
use crate::server::Server;

#[test]
fn pages_are_served_with_headers_that_shut_others_out() {
    let server = Server::start();
    for page in ["/", "/admin", "/test"] {
        let answer = get(page).send(server.address);
        assert_eq!(answer.status, 200, "{page}");
        assert_eq!(answer.header("Content-Type"), Some("text/html; charset=utf-8"));
        assert!(answer.body.starts_with(b"<!"));
        let policy = answer.header("Content-Security-Policy").unwrap();
        for part in ["default-src 'self'", "connect-src 'self' ws: wss:", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(answer.header("Referrer-Policy"), Some("no-referrer"));
        let permissions = answer.header("Permissions-Policy").unwrap();
        assert!(permissions.contains("camera=(self), microphone=(self)"), "{permissions}");
    }
}

#[test]
fn assets_have_their_types() {
    let server = Server::start();
    for (path, kind) in [
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/session/api.js", "text/javascript; charset=utf-8"),
        ("/assets/base.css", "text/css; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
    ] {
        let answer = get(path).send(server.address);
        assert_eq!((answer.status, answer.header("Content-Type")), (200, Some(kind)), "{path}");
    }
}

#[test]
fn the_sdk_and_its_parts_may_be_read_by_pages_of_every_origin_and_nothing_else() {
    let server = Server::start();
    for (path, kind) in [
        ("/sdk.js", "text/javascript; charset=utf-8"),
        ("/sdk.d.ts", "application/typescript; charset=utf-8"),
        ("/assets/session/call.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = get(path).header("Origin", "https://elsewhere.example").send(server.address);
        assert_eq!((answer.status, answer.header("Content-Type")), (200, Some(kind)), "{path}");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"), "{path}");
    }
    for path in ["/", "/assets/app.js", "/assets/ui/dom.js", "/healthz"] {
        let answer = get(path).header("Origin", "https://elsewhere.example").send(server.address);
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None, "{path}");
    }
}

#[test]
fn an_unchanged_page_is_not_sent_again() {
    let server = Server::start();
    let tag = get("/").send(server.address).header("ETag").unwrap().to_owned();
    for asked in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
        let answer = get("/").header("If-None-Match", &asked).send(server.address);
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{asked}");
        assert_eq!(answer.header("ETag"), Some(tag.as_str()));
    }
    let changed = get("/").header("If-None-Match", "\"other\"").send(server.address);
    assert_eq!(changed.status, 200);
}

#[test]
fn nothing_outside_of_the_pages_is_served() {
    let server = Server::start();
    for path in [
        "/assets/../index.html",
        "/assets/../../Cargo.toml",
        "/assets/%2e%2e/%2e%2e/Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/..%5c..%5cCargo.toml",
        "/assets//etc/passwd",
        "/assets/%2fetc/passwd",
        "/assets/",
        "/Cargo.toml",
    ] {
        assert_eq!(get(path).send(server.address).error().0, 404, "{path}");
    }
}

#[test]
fn a_head_request_gets_the_head_alone() {
    let answer = request("HEAD", "/").send(Server::start().address);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[test]
fn a_living_server_says_so() {
    let answer = get("/healthz").send(Server::start().address);
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"ok\n".as_slice()));
}

#[test]
fn metrics_come_from_the_application() {
    let answer = get("/metrics").send(Server::start().address);
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"# EOF\n".as_slice()));
    assert!(answer.header("Content-Type").unwrap().starts_with("application/openmetrics-text"));
}

#[test]
fn answers_are_counted_by_class() {
    let server = Server::start();
    get("/healthz").send(server.address);
    get("/nothing").send(server.address);
    get("/nothing").send(server.address);
    let numbers = server.api.snapshot();
    assert_eq!(numbers.responses, [0, 1, 0, 2, 0]);
    assert_eq!(numbers.accepted, 3);
}

#[test]
fn every_answer_carries_the_headers_that_shut_others_out() {
    let server = Server::start();
    let tag = get("/").send(server.address).header("ETag").unwrap().to_owned();
    let preflight = request("OPTIONS", "/api/v1/rooms")
        .header("Origin", &format!("http://{}", server.address))
        .header("Access-Control-Request-Method", "POST");
    for (asked, status) in [
        (get("/"), 200),
        (get("/").header("If-None-Match", &tag), 304),
        (get("/assets/app.js"), 200),
        (get("/api/openapi.json"), 200),
        (get("/healthz"), 200),
        (get("/metrics"), 200),
        (preflight, 204),
        (get("/api/v1/rooms"), 401),
        (request("POST", "/api/v1/rooms").header("Origin", "https://evil.example"), 403),
        (get("/nothing"), 404),
        (request("DELETE", "/"), 405),
        (get("/api/v1/signal"), 426),
    ] {
        let answer = asked.send(server.address);
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"), "{status}");
        assert_eq!(answer.header("Referrer-Policy"), Some("no-referrer"), "{status}");
        assert_eq!(answer.header("X-Frame-Options"), Some("DENY"), "{status}");
        assert_eq!(answer.header("Cross-Origin-Resource-Policy"), Some("same-origin"), "{status}");
        let policy = answer.header("Content-Security-Policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{status}: {policy}");
        assert!(answer.header("Cache-Control").is_some(), "{status}");
    }
}
