//! Relayhouse's native signalling: docs/signalling.md, with rooms and tickets of docs/api.md.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::{Kind, Protocol, Seat, Told, contains};
use crate::connect::source;
use crate::http::Http;
use crate::options::Options;

/// Requests under way at a time: what they write down shares the disk's flushes.
const AT_ONCE: usize = 16;

pub struct Relayhouse {
    key: String,
}

impl Relayhouse {
    pub fn new(options: &Options) -> Self {
        Self { key: options.key.clone() }
    }

    /// One room's tickets: the host's, and a guest's for each other seat.
    fn room(&self, options: &Options, number: usize) -> Result<Vec<String>, String> {
        // Each address makes few, because one address may make only so many a minute.
        let mut http = Http::open(options.server, source(number * 4), &self.key)?;
        let made = http.post("/api/v1/rooms", &json!({"capacity": options.size.max(2)}))?;
        let room = text(&made["room"]["id"])?;
        let mut tickets = vec![text(&made["ticket"])?];
        while tickets.len() < options.size {
            let path = format!("/api/v1/rooms/{room}/tickets");
            tickets.push(text(&http.post(&path, &json!({"role": "guest"}))?["ticket"])?);
        }
        Ok(tickets)
    }
}

fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| "an answer without a room or a ticket".into())
}

impl Protocol for Relayhouse {
    fn prepare(&self, options: &Options) -> Result<Vec<Seat>, String> {
        let (next, rooms) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let make = || -> Result<(), String> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= options.rooms {
                    return Ok(());
                }
                let tickets = self.room(options, number)?;
                rooms.lock().expect("nobody panics with it").push((number, tickets));
            }
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(make)).collect();
            threads.into_iter().try_for_each(|it| it.join().expect("it does not panic"))
        })?;
        let rooms = rooms.into_inner().expect("nobody panics with it");
        let seat = |room, ticket: String| Seat {
            room,
            path: "/api/v1/signal".into(),
            first: vec![json!({"type": "hello", "token": ticket}).to_string()],
            name: String::new(),
        };
        let seats = |(room, tickets): (usize, Vec<String>)| {
            tickets.into_iter().map(move |ticket| seat(room, ticket))
        };
        Ok(rooms.into_iter().flat_map(seats).collect())
    }

    fn told(&self, text: &[u8]) -> Told {
        if text.starts_with(br#"{"type":"ready""#) {
            let ready: Value = serde_json::from_slice(text).unwrap_or_default();
            return Told::In(ready["peer"].as_str().map(str::to_owned));
        }
        match contains(text, br#""type":"error""#) || contains(text, br#""type":"leave""#) {
            true => Told::Refused,
            false => Told::Nothing,
        }
    }

    fn say(&self, _from: &Seat, to: Option<&Seat>, kind: Kind, payload: &str) -> String {
        let Some(to) = to else {
            return format!(r#"{{"type":"message","data":{{"text":"{payload}"}}}}"#);
        };
        let to = &to.name;
        match kind {
            Kind::Offer => format!(r#"{{"type":"offer","to":"{to}","sdp":"{payload}"}}"#),
            Kind::Candidate => format!(
                r#"{{"type":"candidate","to":"{to}","candidate":{{"candidate":"{payload}","sdpMid":"0","sdpMLineIndex":0}}}}"#
            ),
        }
    }

    fn broadcasts(&self) -> bool {
        true
    }
}
