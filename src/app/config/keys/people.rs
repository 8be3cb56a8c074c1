//! How long people stay logged in: the end of `[auth]`.

use std::time::Duration;

use super::super::read::{choice, duration};
use super::Kind::{Number, Text};
use super::Reload::Live;
use super::{Key, MINUTE, YEAR, put};

/// The longest life of an access token: it is what a thief has of a session that goes on.
const LONGEST_ACCESS: Duration = Duration::from_secs(24 * 3600);
/// The most that clocks may differ.
const LONGEST_LEEWAY: Duration = Duration::from_secs(300);

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "auth.sessions",
        kind: Text,
        default: r#""sliding""#,
        reload: Live,
        about: "\"sliding\": a session lives on as long as it is used; \"fixed\": people log in again \
                after auth.session_lifetime, whatever they do. Counts for sessions that start.",
        apply: |c, v| {
            let choices = [("sliding", true), ("fixed", false)];
            put(&mut c.auth.sessions.sliding, choice::one_of(v, &choices))
        },
    },
    Key {
        name: "auth.session_lifetime",
        kind: Number,
        default: r#""7d""#,
        reload: Live,
        about: "How long a session lives: from its last use, or from its start (see \
                auth.sessions). Shorten it where computers are shared.",
        apply: |c, v| put(&mut c.auth.sessions.lifetime, duration::between(v, MINUTE, YEAR)),
    },
    Key {
        name: "auth.access_lifetime",
        kind: Number,
        default: r#""15m""#,
        reload: Live,
        about: "How long one access token is good; clients renew it by themselves. Logging out and \
                taking an account away count at once, however long it is.",
        apply: |c, v| {
            let lifetime = duration::between(v, Duration::from_secs(10), LONGEST_ACCESS);
            put(&mut c.auth.sessions.access, lifetime)
        },
    },
    Key {
        name: "auth.leeway",
        kind: Number,
        default: r#""5s""#,
        reload: Live,
        about: "How long after its end a ticket or an access token still passes, for clocks that \
                differ.",
        apply: |c, v| {
            put(&mut c.auth.sessions.leeway, duration::between(v, Duration::ZERO, LONGEST_LEEWAY))
        },
    },
];
