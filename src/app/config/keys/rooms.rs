//! How long rooms stay: `[rooms]`.

use std::time::Duration;

use super::super::read::duration;
use super::Kind::Number;
use super::Reload::{Live, Restart};
use super::{Key, YEAR, put};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "rooms.idle",
        kind: Number,
        default: r#""1h""#,
        reload: Live,
        about: "How long a room with nobody in it stays, unless it was made to end at a given time; 0 is \
                for ever. Shorter tidies up sooner; longer keeps invites good for who comes late.",
        apply: |c, v| put(&mut c.rooms.idle, duration::between(v, Duration::ZERO, YEAR)),
    },
    Key {
        name: "rooms.silence",
        kind: Number,
        default: "0",
        reload: Restart,
        about: "How long a room with people in it stays when none of their clients says anything, not \
                even a ping; 0 is for ever, because a call that stands needs no signalling. Set it to \
                close what was forgotten.",
        apply: |c, v| put(&mut c.rooms.silence, duration::between(v, Duration::ZERO, YEAR)),
    },
];
