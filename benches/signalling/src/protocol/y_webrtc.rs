//! The signalling server of npm's `y-webrtc`: topics that clients subscribe to; every message goes to all of
//! a topic, its sender included, and the clients pass over what is for another.

use super::{Kind, Protocol, Seat, Told, contains};
use crate::options::Options;

pub struct YWebrtc;

impl Protocol for YWebrtc {
    fn prepare(&self, options: &Options) -> Result<Vec<Seat>, String> {
        let seat = |number: usize| {
            let room = number / options.size;
            // A subscription is not answered, a ping behind it is.
            let first = vec![
                format!(r#"{{"type":"subscribe","topics":["room-{room}"]}}"#),
                r#"{"type":"ping"}"#.into(),
            ];
            let name = format!("{number:08x}-0000-4000-8000-000000000000");
            Seat { room, path: "/".into(), first, name }
        };
        Ok((0..options.clients()).map(seat).collect())
    }

    fn told(&self, text: &[u8]) -> Told {
        if contains(text, br#""type":"pong""#) { Told::In(None) } else { Told::Nothing }
    }

    fn say(&self, from: &Seat, to: Option<&Seat>, kind: Kind, payload: &str) -> String {
        let (room, from) = (from.room, &from.name);
        let to = to.map_or("", |to| to.name.as_str());
        let signal = match kind {
            Kind::Offer => format!(r#"{{"type":"offer","sdp":"{payload}"}}"#),
            Kind::Candidate => format!(
                r#"{{"type":"candidate","candidate":{{"candidate":"{payload}","sdpMid":"0","sdpMLineIndex":0}}}}"#
            ),
        };
        format!(
            r#"{{"type":"publish","topic":"room-{room}","data":{{"to":"{to}","from":"{from}","type":"signal","token":0,"signal":{signal}}}}}"#
        )
    }

    fn broadcasts(&self) -> bool {
        true
    }
}
