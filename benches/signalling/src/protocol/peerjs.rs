//! PeerServer (npm's `peer`), the server of PeerJS: clients with names, no rooms; every message has one receiver.

use std::time::Duration;

use super::{Kind, Protocol, Seat, Told, contains};
use crate::options::Options;

pub struct PeerServer;

impl Protocol for PeerServer {
    fn prepare(&self, options: &Options) -> Result<Vec<Seat>, String> {
        // As long as the UUIDs that PeerJS's clients have for names.
        let seat = |number: usize| {
            let name = format!("{number:08x}-0000-4000-8000-000000000000");
            let path = format!("/peerjs?key=peerjs&id={name}&token=t{number}&version=1.5.5");
            Seat { room: number / options.size, path, first: Vec::new(), name }
        };
        Ok((0..options.clients()).map(seat).collect())
    }

    fn told(&self, text: &[u8]) -> Told {
        if contains(text, br#""type":"OPEN""#) {
            return Told::In(None);
        }
        let refused = [&br#""ERROR""#[..], br#""ID-TAKEN""#, br#""LEAVE""#, br#""EXPIRE""#];
        match refused.iter().any(|word| contains(text, word)) {
            true => Told::Refused,
            false => Told::Nothing,
        }
    }

    fn say(&self, _from: &Seat, to: Option<&Seat>, kind: Kind, payload: &str) -> String {
        let to = to.map_or("", |to| to.name.as_str());
        match kind {
            Kind::Offer => format!(
                r#"{{"type":"OFFER","payload":{{"sdp":{{"type":"offer","sdp":"{payload}"}},"type":"data","connectionId":"dc_1"}},"dst":"{to}"}}"#
            ),
            Kind::Candidate => format!(
                r#"{{"type":"CANDIDATE","payload":{{"candidate":{{"candidate":"{payload}","sdpMid":"0","sdpMLineIndex":0}},"type":"data","connectionId":"dc_1"}},"dst":"{to}"}}"#
            ),
        }
    }

    fn broadcasts(&self) -> bool {
        false
    }

    /// As PeerJS's client does.
    fn heartbeat(&self) -> Option<(Duration, &'static str)> {
        Some((Duration::from_secs(5), r#"{"type":"HEARTBEAT"}"#))
    }
}
