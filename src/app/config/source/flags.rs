//! The command line: `--set key=value` and the named flags, which are keys under another name.

use super::{Layer, from_text, unknown_key};
use crate::app::config::keys::{KEYS, Kind, index_of};
use crate::app::config::problem::{Place, Problems};
use crate::app::config::value::{Node, Value};

/// A named flag that was given.
#[derive(Clone)]
pub struct Flag {
    /// As typed: `--listen`.
    pub name: &'static str,
    /// The key it stands for.
    pub key: &'static str,
    /// What was given, once or more often.
    pub values: Vec<String>,
}

/// Named flags and the texts of `--set`, which may not name the same key.
pub(in crate::app::config) fn read(
    named: &[Flag],
    set: &[String],
    problems: &mut Problems,
) -> Layer {
    let mut layer = Layer::new();
    for flag in named.iter().filter(|flag| !flag.values.is_empty()) {
        let place = Place::Flag(flag.name.into());
        let index = index_of(flag.key).expect("a flag names a key of the table");
        match joined(KEYS[index].kind, &flag.values, &place) {
            Ok(node) => drop(layer.insert(index, node)),
            Err(what) => problems.push(place, Some(flag.key), what),
        }
    }
    for text in set {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), value),
            None => (text.as_str(), ""),
        };
        let place = Place::Flag(format!("--set {name}").into());
        let Some(index) = index_of(name) else {
            problems.push(place, None, unknown_key(name));
            continue;
        };
        if !text.contains('=') {
            problems.push(place, None, format!("has no value; write --set {name}=VALUE"));
            continue;
        }
        if let Some(Node { place: Place::Flag(other), .. }) = layer.get(&index)
            && !other.starts_with("--set")
        {
            problems.push(place, None, format!("is also given by {other}; keep one of the two"));
            continue;
        }
        match from_text(KEYS[index].kind, value, &place) {
            Ok(node) => drop(layer.insert(index, node)),
            Err(what) => problems.push(place, None, what),
        }
    }
    layer
}

/// The values of a flag as one: lists grow, of anything else the last one counts.
fn joined(kind: Kind, values: &[String], place: &Place) -> Result<Node, String> {
    // A secret is taken as it is: it may hold a comma.
    if kind == Kind::Secrets {
        let items = values.iter().map(|text| Node::new(Value::Text(text.clone()), place.clone()));
        return Ok(Node::new(Value::List(items.collect()), place.clone()));
    }
    let mut items = Vec::new();
    for text in values {
        let node = from_text(kind, text, place)?;
        match node.value {
            Value::List(more) => items.extend(more),
            _ => items = vec![node],
        }
    }
    match (kind, items.pop()) {
        (Kind::List, last) => {
            items.extend(last);
            Ok(Node::new(Value::List(items), place.clone()))
        }
        (_, Some(node)) => Ok(node),
        (_, None) => Err("has no value".to_owned()),
    }
}
