//! The audit trail and the hooks, as operators ask for them.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Desk, Till};
use crate::app::trail;
use crate::store::{EventKind, MAX_FOUND, Search};

/// What is printed before the details of an event, in this order.
const HEAD: [&str; 5] = ["id", "at", "type", "room", "peer"];

impl Desk {
    pub(super) fn events(
        &self,
        room: Option<String>,
        kind: Option<&str>,
        since: Option<u64>,
        limit: u32,
    ) -> Result<Value, String> {
        let kind = match kind {
            None => None,
            Some(word) => Some(EventKind::from_word(word).ok_or("there is no such type of event")?),
        };
        let limit = usize::try_from(limit).unwrap_or(MAX_FOUND).clamp(1, MAX_FOUND);
        let mut search = Search { room, kind, since, after: None, limit, newest: true };
        let events = self.store()?.events();
        // What is there can be read also when the disk takes nothing more.
        let _ = events.settle().wait();
        let mut found = Vec::new();
        // A search that looked at very many others gives back where to go on.
        loop {
            let part = events.find(&search).map_err(|error| error.to_string())?;
            found.extend(part.events);
            search = Search { after: part.next, limit: limit - found.len(), ..search };
            if search.limit == 0 || search.after.is_none() {
                break;
            }
        }
        found.reverse();
        Ok(json!({ "events": found }))
    }

    pub(super) fn hooks(&self, till: &Till) -> Result<Value, String> {
        let lengths = self.store()?.hooks().lengths();
        let hooks = till.hooks.iter().map(|address| {
            let waiting = lengths.get(&address.id()).copied().unwrap_or_default();
            json!({ "url": address.to_string(), "waiting": waiting })
        });
        Ok(json!({ "hooks": hooks.collect::<Vec<_>>() }))
    }

    pub(super) fn test_hooks(&self, till: &Till) -> Result<Value, String> {
        if till.hooks.is_empty() {
            return Err("hooks.urls is empty: there is nobody to tell".to_owned());
        }
        self.store()?.events().note(trail::now(EventKind::Ping).by("operator"));
        Ok(json!({ "hooks": till.hooks.len() }))
    }
}

impl Till {
    pub(super) fn hook_secret(&self) -> Value {
        let secrets: Vec<_> = self.hook_secrets.iter().map(|secret| secret.expose()).collect();
        json!({ "secrets": secrets })
    }
}

/// One line for each event: when, what, where, who, and the rest by name. Texts from outside are
/// escaped, so that nobody writes a line of their own.
pub(super) fn printed(answer: &Value) -> String {
    let mut text = String::new();
    for event in events_of(answer) {
        let field = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let at = event.get("at").and_then(Value::as_u64).unwrap_or_default();
        let _ = write!(text, "{} {}", date(at), field("type").escape_debug());
        for name in ["room", "peer"] {
            if !field(name).is_empty() {
                let _ = write!(text, " {name}={}", field(name).escape_debug());
            }
        }
        let details = event.as_object().into_iter().flatten();
        for (name, value) in details.filter(|(name, _)| !HEAD.contains(&name.as_str())) {
            let value = match value {
                Value::String(text) => text.escape_debug().to_string(),
                other => other.to_string(),
            };
            let _ = write!(text, " {}={value}", name.escape_debug());
        }
        text.push('\n');
    }
    text
}

/// One JSON object on each line.
pub(super) fn printed_as_json(answer: &Value) -> String {
    events_of(answer).map(|event| format!("{event}\n")).collect()
}

fn events_of(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.get("events").and_then(Value::as_array).into_iter().flatten()
}

/// Unix seconds as a date in UTC (RFC 3339): days to a civil date in eras of 400 years.
fn date(at: u64) -> String {
    let (days, second) = (at / 86_400, at % 86_400);
    // Years begin in March here, so that the day that is sometimes there is the last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year_of_era + next_year;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(date(1_735_689_599), "2024-12-31T23:59:59Z");
        assert_eq!(date(4_107_542_400), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn an_event_is_a_line_that_nobody_can_forge() {
        let event = json!({ "id": 7, "at": 0, "type": "joined", "room": "r\n1970", "peer": "ann",
            "role": "guest", "size": 3 });
        let printed = printed(&json!({ "events": [event] }));
        assert_eq!(
            printed,
            "1970-01-01T00:00:00Z joined room=r\\n1970 peer=ann role=guest size=3\n"
        );
    }
}
