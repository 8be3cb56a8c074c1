//! What clients of other systems find here: `[dialects]`.

use super::super::read::{self, choice};
use super::Kind::{List, Number, Text};
use super::Reload::Live;
use super::{Key, put};
use crate::api::Dialect;

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "dialects.serve",
        kind: List,
        default: r#"["tunnel", "pairing", "rooms", "meetings", "client-meta", "turn-rest"]"#,
        reload: Live,
        about: "Other systems whose clients find their calls here. Take out what nobody uses: its paths \
                are then 404.",
        apply: |c, v| put(&mut c.dialects.serve, dialects(v)),
    },
    Key {
        name: "dialects.open",
        kind: List,
        default: "[]",
        reload: Live,
        about: "Those of them that serve strangers, as their own documents do. Without, they want a proof \
                like every other call. Whoever finds an open one has relayed traffic for free.",
        apply: |c, v| put(&mut c.dialects.open, dialects(v)),
    },
    Key {
        name: "dialects.client_name",
        kind: Text,
        default: r#""Relayhouse""#,
        reload: Live,
        about: "The `name` in the answers of \"client-meta\": what its clients show people.",
        apply: |c, v| put(&mut c.dialects.client_name, choice::claim(v)),
    },
    Key {
        name: "dialects.client_version",
        kind: Text,
        default: r#""1.0.0""#,
        reload: Live,
        about: "The `version` in them: that of your service, for clients that compare it with theirs.",
        apply: |c, v| put(&mut c.dialects.client_version, choice::claim(v)),
    },
    Key {
        name: "dialects.tunnel_audience",
        kind: Text,
        default: r#""tunnel-worker""#,
        reload: Live,
        about: "The `aud` of the tokens of \"tunnel\". Set it to what your worker checks.",
        apply: |c, v| put(&mut c.dialects.tunnel_audience, choice::claim(v)),
    },
    Key {
        name: "dialects.tunnel_issuer",
        kind: Text,
        default: r#""tunnel-backend""#,
        reload: Live,
        about: "The `iss` of the tokens of \"tunnel\". Set it to what your worker checks.",
        apply: |c, v| put(&mut c.dialects.tunnel_issuer, choice::claim(v)),
    },
    Key {
        name: "dialects.rooms_capacity",
        kind: Number,
        default: "10",
        reload: Live,
        about: "Connections that a room of \"rooms\" holds, unless it was made with another capacity. \
                Everybody sends to everybody, so a large one is heavy for its clients.",
        apply: |c, v| {
            put(&mut c.dialects.rooms_capacity, read::number(v, 1, 128).map(|n| n as u32))
        },
    },
];

fn dialects(node: &super::super::value::Node) -> read::Read<crate::api::Dialects> {
    let choices = Dialect::ALL.map(|dialect| (dialect.name(), dialect));
    let named = read::list(node, |entry| choice::one_of(entry, &choices))?;
    Ok(named.into_iter().collect())
}
