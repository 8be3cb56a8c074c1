//! The environment: `RELAYHOUSE_RELAY__PORTS=…` for `relay.ports`, and `RELAYHOUSE_…_FILE` for a
//! file that holds the value.

use std::path::Path;

use super::file::{open_to_others, text_of};
use super::{Layer, from_text, unknown_key};
use crate::app::config::keys::{KEYS, Key, Kind};
use crate::app::config::nearest::nearest;
use crate::app::config::problem::{Place, Problems};
use crate::app::config::value::{Node, Value};

/// What every variable of ours begins with.
pub(in crate::app::config) const PREFIX: &str = "RELAYHOUSE_";
/// Names the configuration file, as `--config` does.
pub(in crate::app) const CONFIG_VARIABLE: &str = "RELAYHOUSE_CONFIG";

/// The variable of a key.
pub(in crate::app::config) fn variable(key: &Key) -> String {
    format!("{PREFIX}{}", key.name.replace('.', "__").to_ascii_uppercase())
}

/// Takes what is ours from `variables`. Files that others may read are named in `warnings`.
pub(in crate::app::config) fn read(
    variables: &[(String, String)],
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Layer {
    let mut layer = Layer::new();
    for (name, value) in variables {
        if !name.starts_with(PREFIX) || name == CONFIG_VARIABLE || is_service_link(name) {
            continue;
        }
        let place = Place::Variable(name.as_str().into());
        let Some((index, from_file)) = key_of(name) else {
            problems.push(place, None, unknown_variable(name));
            continue;
        };
        let key = &KEYS[index];
        let text = match from_file {
            false => Ok(value.clone()),
            true => text_of(Path::new(value)).map_err(|what| format!("{value}: {what}")),
        };
        if from_file && key.kind.is_secret() && open_to_others(Path::new(value)) {
            warnings.push(format!("{value} holds secrets and is open to every user; chmod 600 it"));
        }
        let node = text.and_then(|text| match from_file {
            true => from_file_text(key.kind, &text, &place),
            false => from_text(key.kind, &text, &place),
        });
        match node {
            Ok(node) => {
                if layer.insert(index, node).is_some() {
                    let what = "is given directly and by a file; keep one of the two variables";
                    problems.push(place, Some(key.name), what);
                }
            }
            Err(what) => problems.push(place, Some(key.name), what),
        }
    }
    layer
}

/// A file may hold one secret per line; a comma is part of it.
fn from_file_text(kind: Kind, text: &str, place: &Place) -> Result<Node, String> {
    let text = text.trim_end_matches(['\r', '\n']);
    if kind != Kind::Secrets || text.starts_with('[') {
        return from_text(kind, text, place);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secret = |line: &str| Node::new(Value::Text(line.to_owned()), place.clone());
    Ok(Node::new(Value::List(lines.map(secret).collect()), place.clone()))
}

/// The key of a variable, and whether its value is the name of a file.
fn key_of(name: &str) -> Option<(usize, bool)> {
    let find = |name: &str| KEYS.iter().position(|key| variable(key) == name);
    let in_file = || name.strip_suffix("_FILE").and_then(find).map(|index| (index, true));
    find(name).map(|index| (index, false)).or_else(in_file)
}

fn unknown_variable(name: &str) -> String {
    let bare = name.strip_suffix("_FILE").unwrap_or(name);
    let known: Vec<_> = KEYS.iter().map(variable).collect();
    // Lower case on both sides: that is what `nearest` compares.
    let lower: Vec<_> = known.iter().map(|name| name.to_ascii_lowercase()).collect();
    if let Some(near) = nearest(bare, lower.iter().map(String::as_str)) {
        let file = if bare == name { "" } else { "_FILE" };
        return format!("unknown variable; did you mean {}{file}?", near.to_ascii_uppercase());
    }
    let key = bare[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
    unknown_key(&key).replace("key", "variable")
}

/// What Kubernetes and old Docker links put into the environment next to a service of our name.
fn is_service_link(name: &str) -> bool {
    let rest = &name[PREFIX.len()..];
    let link = ["SERVICE_HOST", "SERVICE_PORT", "PORT"];
    link.iter().any(|word| rest == *word || rest.starts_with(&format!("{word}_")))
}
