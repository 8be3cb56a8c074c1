//! Sessions: what keeps them alive, what ends them, and which tokens are refused.

use std::time::Duration;

use relayhouse::api::signal::Surroundings;
use relayhouse::api::{HttpSettings, SessionSettings};
use relayhouse::creds::access::{AUDIENCE, AccessClaims, ISSUER, UserRole};
use relayhouse::creds::password::PasswordHash;
use relayhouse::creds::ticket::{Role, TicketKey};
use relayhouse::store::{MAX_SESSIONS_PER_USER, SessionKind};
use relayhouse::time::UnixTime;
use serde_json::{Value, json};

use crate::http::{Answer, get, post};
use crate::server::{PASSWORD, Server, claims, login, now};

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap()
}

fn me(server: &Server, session: &Value) -> u16 {
    get("/api/v1/auth/me").bearer(text(session, "accessToken")).send(server.address).status
}

fn refresh(server: &Server, token: &str) -> Answer {
    let body = json!({"refreshToken": token});
    post("/api/v1/auth/refresh").json(&body).send(server.address)
}

fn refreshed(server: &Server, session: &Value) -> Value {
    let answer = refresh(server, text(session, "refreshToken"));
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

const OVER: fn() -> (u16, String) = || (401, "session_over".into());

fn with_alice(settings: HttpSettings) -> Server {
    let server = Server::with(settings);
    server.user("alice", UserRole::User);
    server
}

fn start() -> Server {
    with_alice(HttpSettings::default())
}

#[test]
fn a_refresh_gives_new_tokens_of_the_same_session() {
    let server = start();
    let first = server.login("alice");
    let next = refreshed(&server, &first);
    assert_ne!(next["refreshToken"], first["refreshToken"]);
    assert_ne!(next["accessToken"], first["accessToken"]);
    assert_eq!(next["user"], first["user"]);
    assert_eq!([me(&server, &first), me(&server, &next)], [200, 200]);
    let fourth = refreshed(&server, &refreshed(&server, &next));
    assert_eq!(me(&server, &fourth), 200);
    assert_eq!(server.api.store().sessions().count(), 1);
}

#[test]
fn an_old_refresh_token_ends_the_session_for_thief_and_owner() {
    let server = start();
    let other = server.login("alice");
    let first = server.login("alice");
    let next = refreshed(&server, &first);
    let answer = refresh(&server, text(&first, "refreshToken"));
    assert_eq!(answer.error(), OVER());
    assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer realm=\"relayhouse\""));
    assert_eq!(refresh(&server, text(&next, "refreshToken")).error(), OVER());
    assert_eq!([me(&server, &first), me(&server, &next)], [401, 401]);
    assert_eq!(me(&server, &other), 200);
}

#[test]
fn of_two_refreshes_at_once_one_counts() {
    let server = start();
    let session = server.login("alice");
    let token = text(&session, "refreshToken");
    let statuses = std::thread::scope(|scope| {
        let asked: Vec<_> =
            (0..4).map(|_| scope.spawn(|| refresh(&server, token).status)).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
}

/// A stranger may know the name of a session, which stands in every access token.
#[test]
fn a_made_up_refresh_token_ends_nobodys_session() {
    let server = start();
    let session = server.login("alice");
    let good = text(&session, "refreshToken");
    let made_up = format!("{}{}", &good[..27], "A".repeat(good.len() - 27));
    for token in [made_up.as_str(), "", "rt_", "nonsense", text(&session, "accessToken")] {
        assert_eq!(refresh(&server, token).error(), OVER(), "{token}");
    }
    assert_eq!(me(&server, &refreshed(&server, &session)), 200);
}

#[test]
fn a_logout_ends_this_session_and_no_other() {
    let server = start();
    let (one, other) = (server.login("alice"), server.login("alice"));
    let logout =
        || post("/api/v1/auth/logout").bearer(text(&one, "accessToken")).send(server.address);
    assert_eq!(logout().status, 204);
    assert_eq!(logout().error(), (401, "invalid_token".into()));
    assert_eq!(me(&server, &one), 401);
    assert_eq!(refresh(&server, text(&one, "refreshToken")).error(), OVER());
    assert_eq!(me(&server, &refreshed(&server, &other)), 200);
}

#[test]
fn another_password_role_and_the_end_of_an_account_end_its_sessions_at_once() {
    let server = Server::start();
    let users = || server.api.store().users();
    let hash = PasswordHash::new("another horse", [3; 16]).unwrap();
    type End<'a> = Box<dyn Fn() + 'a>;
    let ends: [(&str, End<'_>); 4] = [
        ("anna", Box::new(|| drop(users().set_password("anna", hash.clone()).wait().unwrap()))),
        ("bert", Box::new(|| drop(users().set_role("bert", UserRole::Admin).wait().unwrap()))),
        ("cleo", Box::new(|| drop(users().set_active("cleo", false).wait().unwrap()))),
        ("dora", Box::new(|| assert!(users().remove("dora").wait().unwrap()))),
    ];
    for (name, end) in ends {
        server.user(name, UserRole::User);
        let session = server.login(name);
        assert_eq!(me(&server, &session), 200);
        end();
        assert_eq!(me(&server, &session), 401, "{name}");
        assert_eq!(refresh(&server, text(&session, "refreshToken")).error(), OVER(), "{name}");
    }
    assert_eq!(login("anna", PASSWORD).send(server.address).status, 401);
    assert_eq!(login("anna", "another horse").send(server.address).status, 200);
    assert_eq!(server.login("bert")["user"]["role"], "admin");
}

#[test]
fn an_access_token_ends_and_the_session_goes_on() {
    let server = start();
    let session = server.login("alice");
    server.wait(15 * 60 + 10);
    assert_eq!(me(&server, &session), 401);
    assert_eq!(me(&server, &refreshed(&server, &session)), 200);
}

#[test]
fn a_sliding_session_lives_as_long_as_it_is_used() {
    let server = start();
    let mut session = server.login("alice");
    for _ in 0..4 {
        server.wait(6 * 86_400);
        session = refreshed(&server, &session);
    }
    server.wait(8 * 86_400);
    assert_eq!(refresh(&server, text(&session, "refreshToken")).error(), OVER());
}

#[test]
fn a_fixed_session_ends_however_it_is_used() {
    let sessions = SessionSettings { sliding: false, ..SessionSettings::default() };
    let server = with_alice(HttpSettings { sessions, ..HttpSettings::default() });
    let first = server.login("alice");
    server.wait(7 * 86_400 - 60);
    let next = refreshed(&server, &first);
    assert_eq!(next["refreshExpiresAt"], first["refreshExpiresAt"]);
    // No access token outlives its session.
    assert_eq!(next["expiresAt"], first["refreshExpiresAt"]);
    server.wait(120);
    assert_eq!(me(&server, &next), 401);
    assert_eq!(refresh(&server, text(&next, "refreshToken")).error(), OVER());
}

#[test]
fn the_oldest_session_ends_when_there_are_too_many() {
    let server = start();
    let oldest = server.login("alice");
    server.wait(1);
    let second = server.login("alice");
    server.wait(1);
    let user = server.api.store().users().find("alice").unwrap().unwrap();
    for _ in 0..MAX_SESSIONS_PER_USER - 1 {
        server.run(server.api.start_session(&user, SessionKind::Native)).unwrap();
    }
    assert_eq!([me(&server, &oldest), me(&server, &second)], [401, 200]);
    assert_eq!(server.api.store().sessions().count(), MAX_SESSIONS_PER_USER);
}

#[test]
fn a_session_starts_only_for_who_was_checked() {
    let server = start();
    let checked = server.api.store().users().find("alice").unwrap().unwrap();
    let hash = PasswordHash::new("another horse", [3; 16]).unwrap();
    server.api.store().users().set_password("alice", hash).wait().unwrap();
    let refused = server.run(server.api.start_session(&checked, SessionKind::Native)).unwrap_err();
    assert_eq!(refused.code(), relayhouse::api::Code::InvalidLogin);
}

#[test]
fn an_opaque_session_lives_on_while_it_is_used() {
    let server = start();
    let user = server.api.store().users().find("alice").unwrap().unwrap();
    let started = server.run(server.api.start_session(&user, SessionKind::Meetings)).unwrap();
    assert_eq!(started.token.len(), 64);
    for _ in 0..5 {
        server.wait(280);
        let (user, _) = server.api.opaque_session(&started.token).unwrap();
        assert_eq!(user.name, "alice");
        // The store has heard of it before the next question.
        server.run(server.api.store().probe_writable()).unwrap();
    }
    server.wait(5 * 60 + 31);
    assert!(server.api.opaque_session(&started.token).is_err());
    assert!(server.api.opaque_session(&"a".repeat(64)).is_err());
    // Nor is it anything to the native calls.
    assert_eq!(refresh(&server, &started.token).error(), OVER());
}

fn access(server: &Server, session: &Value) -> AccessClaims {
    let token = text(session, "accessToken");
    server.api.tickets().verify_access(Duration::ZERO, UnixTime(now()), token).unwrap()
}

#[test]
fn forged_expired_and_foreign_access_tokens_are_refused() {
    let server = start();
    server.user("mallory", UserRole::User);
    let good = access(&server, &server.login("alice"));
    let mallory = access(&server, &server.login("mallory"));
    let key = server.api.tickets();
    let signed = key.sign_access(&good);
    let payload = signed.split('.').nth(1).unwrap();
    let status = |token: &str| get("/api/v1/auth/me").bearer(token).send(server.address);
    assert_eq!(status(&signed).status, 200);
    let changed = |change: fn(&mut AccessClaims)| {
        let mut claims = good.clone();
        change(&mut claims);
        key.sign_access(&claims)
    };
    for (what, token) in [
        ("another key", TicketKey::new([8; 32]).sign_access(&good)),
        ("no algorithm", format!("eyJhbGciOiJub25lIn0.{payload}.")),
        // {"alg":"HS256","kid":"../../../dev/null"}, as signed with an empty key somewhere.
        ("a kid", {
            let header = "eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uLy4uL2Rldi9udWxsIn0";
            format!("{header}.{payload}.{}", signed.rsplit('.').next().unwrap())
        }),
        ("another issuer", changed(|claims| claims.iss = "elsewhere".into())),
        ("another audience", changed(|claims| claims.aud = "elsewhere".into())),
        ("the audience of tickets", changed(|claims| claims.aud = "relayhouse".into())),
        ("expired", changed(|claims| claims.exp = 1000)),
        ("no such session", changed(|claims| claims.sid = "x".into())),
        ("nobody", changed(|claims| claims.sub = "nobody".into())),
        (
            "somebody else's session",
            key.sign_access(&AccessClaims { sid: mallory.sid, ..good.clone() }),
        ),
        ("a changed role without a signature", {
            let admin = AccessClaims { role: UserRole::Admin, ..good.clone() };
            let payload = key.sign_access(&admin);
            let payload = payload.split('.').nth(1).unwrap();
            let (header, signature) =
                (signed.split('.').next().unwrap(), signed.rsplit('.').next().unwrap());
            format!("{header}.{payload}.{signature}")
        }),
    ] {
        assert_eq!(status(&token).error(), (401, "invalid_token".into()), "{what}");
    }
    assert_eq!((good.iss.as_str(), good.aud.as_str()), (ISSUER, AUDIENCE));
}

/// What counts is what somebody may do now, not what a token says.
#[test]
fn the_role_in_a_token_gives_no_rights() {
    let server = start();
    let claims = access(&server, &server.login("alice"));
    let admin = server.api.tickets().sign_access(&AccessClaims { role: UserRole::Admin, ..claims });
    let me = get("/api/v1/auth/me").bearer(&admin).send(server.address).json();
    assert_eq!(me["user"]["role"], "user");
}

#[test]
fn the_leeway_is_the_configured_one() {
    let sessions =
        SessionSettings { leeway: Duration::from_secs(60), ..SessionSettings::default() };
    let server = with_alice(HttpSettings { sessions, ..HttpSettings::default() });
    let session = server.login("alice");
    let ticket = server.ticket(Role::Creator, None, now() + 900);
    let ice = || get("/api/v1/ice").bearer(&ticket).send(server.address).status;
    server.wait(15 * 60 + 30);
    assert_eq!([me(&server, &session), ice()], [200, 200]);
    server.wait(40);
    assert_eq!([me(&server, &session), ice()], [401, 401]);
}

#[test]
fn a_revoked_ticket_is_refused_over_http_and_in_a_hello_until_it_would_have_expired() {
    let server = Server::start();
    let claims = claims(Role::Creator, None, now() + 600);
    let ticket = server.api.tickets().sign(&claims);
    let hello = || server.api.verify(server.api.now().unix, &ticket).is_ok();
    let ice = || get("/api/v1/ice").bearer(&ticket).send(server.address).status;
    assert!(hello() && ice() == 200);
    server.run(server.api.revoke_ticket(&claims)).unwrap();
    assert!(!hello() && ice() == 401);
    let sweep = || server.api.store().sweep(server.api.now().unix.0).wait().unwrap().revoked;
    assert_eq!(sweep(), 0);
    server.wait(700);
    assert_eq!(sweep(), 1);
    assert!(!hello());
}

#[test]
fn an_access_token_opens_no_room() {
    let server = start();
    let session = server.login("alice");
    let verified = server.api.verify(UnixTime(now()), text(&session, "accessToken"));
    assert!(verified.is_err());
}
