//! A value of the configuration before anybody knows what it means: its shape and where it stands.
//!
//! No `Debug`: a value may be a secret.

use toml::Spanned;
use toml::de::DeValue;

use super::problem::Place;

/// The shapes TOML has and a key can want.
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// Something no key wants: a fraction, a date, a number beyond 64 bits.
    Other(&'static str),
}

/// A value and where it was written.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// Equal when the values are; it does not matter where they were written.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    pub(super) fn new(value: Value, place: Place) -> Self {
        Self { value, place }
    }

    /// From a parsed document; `locate` turns a byte offset into a place.
    pub(super) fn from_toml(value: &Spanned<DeValue<'_>>, locate: &dyn Fn(usize) -> Place) -> Self {
        let place = locate(value.span().start);
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Value::Integer(number),
                    Err(_) => Value::Other("a number that is too large"),
                }
            }
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Array(items) => {
                Value::List(items.iter().map(|item| Self::from_toml(item, locate)).collect())
            }
            DeValue::Table(entries) => Value::Table(
                entries
                    .iter()
                    .map(|(key, value)| (key.get_ref().to_string(), Self::from_toml(value, locate)))
                    .collect(),
            ),
            DeValue::Float(_) => Value::Other("a fraction"),
            DeValue::Datetime(_) => Value::Other("a date"),
        };
        Self { value, place }
    }

    /// The value as TOML, on one line. With `redact`, no text of it is shown.
    pub(super) fn to_toml(&self, redact: bool) -> String {
        match &self.value {
            Value::Text(_) if redact => quoted("[redacted]"),
            Value::Text(text) => quoted(text),
            Value::Integer(number) => number.to_string(),
            Value::Boolean(value) => value.to_string(),
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(|item| item.to_toml(redact)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Table(entries) if entries.is_empty() => "{}".to_owned(),
            Value::Table(entries) => {
                let entry = |(key, value): &(String, Self)| {
                    format!("{} = {}", quoted_key(key), value.to_toml(redact))
                };
                format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            Value::Other(what) => quoted(what),
        }
    }
}

impl Value {
    /// What the operator wrote, by its shape.
    pub(super) fn shape(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Boolean(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(what) => what,
        }
    }
}

/// `text` as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// `key` as TOML writes it: bare when it may be.
fn quoted_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { quoted(key) }
}
