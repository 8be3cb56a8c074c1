//! What is remembered of what happened, and who is told: `[audit]` and `[hooks]`.

use std::time::Duration;

use super::super::read::{self, duration, hook, secret};
use super::Kind::{List, Number, Secrets};
use super::Reload::Live;
use super::{Key, MINUTE, YEAR, put};

/// The longest a delivery may take.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);
/// The longest a delivery is tried.
const LONGEST_TRIED: Duration = Duration::from_secs(14 * 86_400);

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "audit.keep",
        kind: Number,
        default: r#""30d""#,
        reload: Live,
        about: "How long the audit trail remembers who joined, who left, what went wrong and who decided \
                what; 0 keeps no trail. Shorten it to what your rules on personal data allow.",
        apply: |c, v| put(&mut c.audit.keep, duration::between(v, Duration::ZERO, YEAR * 10)),
    },
    Key {
        name: "audit.max_events",
        kind: Number,
        default: "200000",
        reload: Live,
        about: "Events in the audit trail at most; the oldest go first. One takes about half a kilobyte on \
                the disk, 2 kB at most. Raise it if the trail ends before audit.keep does.",
        apply: |c, v| put(&mut c.audit.max_events, read::number(v, 1, 1_000_000_000)),
    },
    Key {
        name: "hooks.urls",
        kind: Secrets,
        default: "[]",
        reload: Live,
        about: "Where events are sent as they happen, signed, by POST: such as \
                \"https://app.example.org/hooks/calls\". They are kept like secrets, because many have \
                one in them. docs/hooks.md says how to receive them.",
        apply: |c, v| put(&mut c.hooks.urls, hook::addresses(v)),
    },
    Key {
        name: "hooks.secrets",
        kind: Secrets,
        default: "[]",
        reload: Live,
        about: "Secrets that deliveries are signed with; each of them signs. To rotate, add the new one, \
                change the receiver over, drop the old one. None: one is made and kept in data_dir, \
                and `relayhouse hooks secret` prints it.",
        apply: |c, v| put(&mut c.hooks.secrets, secret::list(v)),
    },
    Key {
        name: "hooks.events",
        kind: List,
        default: r#"["joined", "left", "error", "room_closed", "allocation_ended"]"#,
        reload: Live,
        about: "The types of events that are sent: any of the audit trail's (docs/audit.md).",
        apply: |c, v| put(&mut c.hooks.events, hook::kinds(v)),
    },
    Key {
        name: "hooks.timeout",
        kind: Number,
        default: r#""10s""#,
        reload: Live,
        about: "How long a receiver may take to answer a delivery before it counts as failed.",
        apply: |c, v| {
            put(&mut c.hooks.timeout, duration::between(v, Duration::from_secs(1), LONGEST_TIMEOUT))
        },
    },
    Key {
        name: "hooks.give_up_after",
        kind: Number,
        default: r#""24h""#,
        reload: Live,
        about: "How long a delivery that fails is tried again. Later events of its room wait behind it, \
                those of other rooms do not.",
        apply: |c, v| put(&mut c.hooks.give_up_after, duration::between(v, MINUTE, LONGEST_TRIED)),
    },
    Key {
        name: "hooks.max_queue",
        kind: Number,
        default: "10000",
        reload: Live,
        about: "Deliveries that wait for one URL at most; the oldest are dropped first. Raise it to live \
                through longer outages of a receiver.",
        apply: |c, v| put(&mut c.hooks.max_queue, read::number(v, 1, 1_000_000)),
    },
];
