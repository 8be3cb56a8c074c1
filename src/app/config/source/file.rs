//! The configuration file: TOML, every syntax error and every unknown key at once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::{Layer, unknown_key};
use crate::app::config::keys::{KEYS, index_of, sections};
use crate::app::config::nearest::nearest;
use crate::app::config::problem::{Place, Problems};
use crate::app::config::value::Node;

/// The longest file that is read: far above any sensible one.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Reads and parses `path`.
pub(in crate::app::config) fn read(path: &Path, problems: &mut Problems) -> Layer {
    let name: Arc<str> = path.display().to_string().into();
    match text_of(path) {
        Ok(text) => parse(&name, &text, problems),
        Err(what) => {
            problems.push(Place::Whole(name), None, what);
            Layer::new()
        }
    }
}

/// The text of a file that holds configuration, or why it cannot be had.
pub(super) fn text_of(path: &Path) -> Result<String, String> {
    let explain = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file; check the path".to_owned(),
        std::io::ErrorKind::PermissionDenied => {
            "may not be read by this user; change its owner or mode".to_owned()
        }
        std::io::ErrorKind::InvalidData => "is not UTF-8 text".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    let meta = fs::metadata(path).map_err(explain)?;
    if meta.is_dir() {
        return Err("is a folder, not a file".to_owned());
    }
    if meta.len() > LARGEST {
        return Err(format!("is larger than {LARGEST} bytes"));
    }
    fs::read_to_string(path).map_err(explain)
}

/// Whether users who are neither owner nor in the group may read or write `path`.
pub(in crate::app::config) fn open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o007 != 0)
}

/// Parses `text` as the file called `name`.
pub(in crate::app::config) fn parse(name: &Arc<str>, text: &str, problems: &mut Problems) -> Layer {
    let locate = |offset: usize| locate(name, text, offset);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = locate(error.span().map_or(0, |span| span.start));
        // The message alone: the whole error quotes the line, which may hold a secret.
        problems.push(place, None, error.message());
    }
    let mut layer = Layer::new();
    let mut take = |key: String, place: Place, value: Node| match index_of(&key) {
        Some(index) => drop(layer.insert(index, value)),
        // What follows a syntax error may have lost its section: one complaint is enough.
        None if !errors.is_empty() => {}
        None => problems.push(place, Some(&key), unknown_key(&key)),
    };
    let mut lost = Vec::new();
    for (key, value) in table.get_ref() {
        let (name, place) = (key.get_ref().as_ref(), locate(key.span().start));
        match value.get_ref() {
            DeValue::Table(entries) if sections().any(|section| section == name) => {
                for (inner, value) in entries {
                    let full = format!("{name}.{}", inner.get_ref());
                    take(full, locate(inner.span().start), Node::from_toml(value, &locate));
                }
            }
            DeValue::Table(_) if index_of(name).is_none() => lost.push((name.to_owned(), place)),
            _ if sections().any(|section| section == name) => {
                lost.push((name.to_owned(), place));
            }
            _ => take(name.to_owned(), place, Node::from_toml(value, &locate)),
        }
    }
    for (name, place) in lost {
        let what = unknown_section(&name);
        problems.push(place, Some(&name), what);
    }
    layer
}

fn unknown_section(name: &str) -> String {
    if sections().any(|section| section == name) {
        return format!("is a section; write [{name}] and its keys below");
    }
    let key = KEYS.iter().find(|key| key.parts().1 == name);
    match (nearest(name, sections()), key) {
        (Some(section), _) => format!("unknown section; did you mean [{section}]?"),
        (None, Some(key)) => format!("unknown section; did you mean the key `{}`?", key.name),
        (None, None) => {
            let all: Vec<_> = sections().map(|section| format!("[{section}]")).collect();
            format!("unknown section; there are {}", all.join(" "))
        }
    }
}

/// The place of a byte offset.
fn locate(name: &Arc<str>, text: &str, offset: usize) -> Place {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place::File {
        name: Arc::clone(name),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}
