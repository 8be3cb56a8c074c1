//! Where values come from. Each source gives a [`Layer`]; a later layer hides an earlier one, key
//! by key.

pub(super) mod defaults;
pub(super) mod environment;
pub(super) mod file;
pub(super) mod flags;

use std::collections::BTreeMap;

use super::keys::{KEYS, Kind};
use super::nearest::nearest;
use super::problem::Place;
use super::value::{Node, Value};

/// Values by their key's index in [`KEYS`].
pub(super) type Layer = BTreeMap<usize, Node>;

/// A text from the environment or the command line as the value that `kind` wants. A text that
/// looks like TOML must be TOML.
fn from_text(kind: Kind, text: &str, place: &Place) -> Result<Node, String> {
    let trimmed = text.trim();
    let node = |value| Ok(Node::new(value, place.clone()));
    let plain = |text: &str| Node::new(Value::Text(text.to_owned()), place.clone());
    match kind {
        Kind::Text => node(Value::Text(text.to_owned())),
        Kind::Number => match trimmed.parse() {
            Ok(number) => node(Value::Integer(number)),
            Err(_) => node(Value::Text(trimmed.to_owned())),
        },
        Kind::Switch => match trimmed {
            "true" => node(Value::Boolean(true)),
            "false" => node(Value::Boolean(false)),
            _ => Err("expected true or false".to_owned()),
        },
        Kind::List | Kind::Secrets if is_toml_list(kind, trimmed) => toml(trimmed, place),
        Kind::List | Kind::Secrets => {
            let parts = trimmed.split(',').map(str::trim).filter(|part| !part.is_empty());
            node(Value::List(parts.map(plain).collect()))
        }
        Kind::Users if trimmed.starts_with('{') || trimmed.is_empty() => {
            toml(if trimmed.is_empty() { "{}" } else { trimmed }, place)
        }
        Kind::Users => toml(&format!("{{ {trimmed} }}"), place),
    }
}

/// `["a", "b"]` is TOML; `[::]:3478` is an address, and so is `[::]:3478,[::1]:3479`.
fn is_toml_list(kind: Kind, text: &str) -> bool {
    let Some(inner) = text.strip_prefix('[') else { return false };
    let first = inner.trim_start().chars().next();
    let quoted = matches!(first, Some('"' | '\'' | ']') | None);
    quoted && (kind == Kind::Secrets || text.ends_with(']'))
}

fn toml(text: &str, place: &Place) -> Result<Node, String> {
    match toml::de::DeValue::parse(text) {
        Ok(value) => Ok(Node::from_toml(&value, &|_| place.clone())),
        Err(error) => Err(format!("is no TOML: {}", error.message())),
    }
}

/// The answer to a key that does not exist: the nearest one that does.
fn unknown_key(name: &str) -> String {
    let (section, last) = name.rsplit_once('.').unwrap_or(("", name));
    let all = || KEYS.iter().map(|key| key.name);
    // A right name in the wrong section is more likely meant than a similar one elsewhere.
    let moved = || all().find(|key| key.rsplit('.').next() == Some(last));
    let near = all().filter(|key| key.rsplit_once('.').map_or("", |(of, _)| of) == section);
    match nearest(name, near).or_else(moved).or_else(|| nearest(name, all())) {
        Some(known) => format!("unknown key; did you mean `{known}`?"),
        None => "unknown key; `config.toml` has them all".to_owned(),
    }
}
