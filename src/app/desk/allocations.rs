//! Open allocations, as `relayhouse allocations` prints them: a table, or a JSON array.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use crate::app::config::format_duration;

/// A list that is printed page by page.
#[derive(Debug)]
pub struct List {
    json: bool,
    printed: usize,
}

/// Where the next page begins, if there is one.
pub fn next(page: &Value) -> Option<u64> {
    page.get("next")?.as_str()?.parse().ok()
}

impl List {
    /// Nothing printed yet.
    pub fn new(json: bool) -> Self {
        Self { json, printed: 0 }
    }

    /// The text of one page.
    pub fn page(&mut self, page: &Value) -> String {
        let mut text = String::new();
        let allocations = page.get("allocations").and_then(Value::as_array);
        for allocation in allocations.into_iter().flatten() {
            // Writing into a string does not fail.
            let _ = match (self.json, self.printed) {
                (true, 0) => write!(text, "[\n  {allocation}"),
                (true, _) => write!(text, ",\n  {allocation}"),
                (false, 0) => write!(text, "{}{}", row(HEAD), line(allocation)),
                (false, _) => write!(text, "{}", line(allocation)),
            };
            self.printed += 1;
        }
        text
    }

    /// What comes behind the last page.
    pub fn end(&self) -> &'static str {
        match (self.json, self.printed) {
            (true, 0) => "[]\n",
            (true, _) => "\n]\n",
            (false, 0) => "no allocation is open\n",
            (false, _) => "",
        }
    }
}

/// The columns: what a line has in each, and the words above them.
type Columns<'a> = [&'a str; 9];

const HEAD: Columns<'_> =
    ["id", "user", "client", "via", "relayed", "age", "ends in", "up", "down"];

fn row([id, user, client, via, relayed, age, ends_in, up, down]: Columns<'_>) -> String {
    format!(
        "{id:<9} {user:<21} {client:<23} {via:<4} {relayed:<23} {age:<9} {ends_in:<9} {up:<11} {down}\n"
    )
}

fn line(allocation: &Value) -> String {
    let text = |name: &str| allocation.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| allocation.get(name).and_then(Value::as_u64).unwrap_or_default();
    let time = |name: &str| format_duration(Duration::from_secs(number(name)));
    let relayed = allocation.get("relayed").and_then(Value::as_array).into_iter().flatten();
    let relayed: Vec<_> = relayed.filter_map(Value::as_str).collect();
    row([
        text("id"),
        // A name is the client's own text.
        &text("user").escape_debug().to_string(),
        text("client"),
        text("transport"),
        &relayed.join(","),
        &time("age"),
        &time("expiresIn"),
        &rate(number("rateUp")),
        &rate(number("rateDown")),
    ])
}

/// Bytes a second in as many bits as people count them.
fn rate(bytes: u64) -> String {
    match bytes.saturating_mul(8) {
        bits if bits < 1000 => format!("{bits} bit/s"),
        bits if bits < 1_000_000 => format!("{} kbit/s", bits / 1000),
        bits => format!("{}.{} Mbit/s", bits / 1_000_000, bits / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(next: Option<&str>, ids: &[u64]) -> Value {
        let one = |id: &u64| {
            json!({
                "id": id.to_string(), "user": "eve\n\u{1b}[31m", "client": "198.51.100.9:4000",
                "transport": "udp", "relayed": ["192.0.2.1:50000"], "age": 61, "expiresIn": 540,
                "rateUp": 250_000, "rateDown": 10,
            })
        };
        json!({ "allocations": ids.iter().map(one).collect::<Vec<_>>(), "total": 9, "next": next })
    }

    #[test]
    fn pages_make_one_table_and_a_name_cannot_forge_a_line() {
        let mut list = List::new(false);
        let text =
            list.page(&page(Some("2"), &[1, 2])) + &list.page(&page(None, &[3])) + list.end();
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(!text.contains('\u{1b}'));
        assert!(text.contains("2.0 Mbit/s") && text.contains("80 bit/s"), "{text}");
        assert_eq!(next(&page(Some("2"), &[])), Some(2));
        assert_eq!(next(&page(None, &[])), None);
    }

    #[test]
    fn pages_make_one_json_array() {
        let mut list = List::new(true);
        let text =
            list.page(&page(Some("2"), &[1, 2])) + &list.page(&page(None, &[3])) + list.end();
        let array: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(array.as_array().map(Vec::len), Some(3));
        assert_eq!(List::new(true).end(), "[]\n");
    }
}
