//! Keys with a handful of words to choose from, and short texts with rules of their own.

use super::{Read, duration::shown, fault, parsed};
use crate::app::config::nearest::nearest;
use crate::app::config::value::Node;

/// One of `choices`.
pub(in crate::app::config) fn one_of<T: Copy>(node: &Node, choices: &[(&str, T)]) -> Read<T> {
    parsed(node, |text| {
        let known = choices.iter().find(|(word, _)| *word == text);
        known.map(|(_, value)| *value).ok_or_else(|| unknown(text, choices.iter().map(|(w, _)| *w)))
    })
}

fn unknown<'a>(text: &str, words: impl Iterator<Item = &'a str> + Clone) -> String {
    let all: Vec<_> = words.clone().map(|word| format!("\"{word}\"")).collect();
    match nearest(text, words) {
        Some(word) => format!("`{}` is unknown; did you mean \"{word}\"?", shown(text)),
        None => format!("`{}` is unknown; write {}", shown(text), all.join(" or ")),
    }
}

/// A realm (RFC 8489 section 14.9): 1 to 127 characters that need no quoting.
pub(in crate::app::config) fn realm(node: &Node) -> Read<String> {
    parsed(node, |text| {
        let plain = |c: char| !c.is_control() && c != '"' && c != '\\';
        if text.is_empty() {
            Err("is empty; write your domain".to_owned())
        } else if text.chars().count() > 127 || !text.chars().all(plain) {
            Err("is at most 127 characters, without quotes and backslashes".to_owned())
        } else {
            Ok(text.to_owned())
        }
    })
}

/// A claim of a token (RFC 7519): 1 to 256 characters.
pub(in crate::app::config) fn claim(node: &Node) -> Read<String> {
    parsed(node, |text| match text {
        "" => Err("is empty; write a name".to_owned()),
        text if text.len() > 256 || text.chars().any(char::is_control) => {
            Err("is at most 256 characters, none of them a control character".to_owned())
        }
        text => Ok(text.to_owned()),
    })
}

/// What parts a REST username: one character that is no digit.
pub(in crate::app::config) fn separator(node: &Node) -> Read<char> {
    let text = super::text(node)?;
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) if !one.is_ascii_digit() && !one.is_control() => Ok(one),
        _ => fault(node, format!("`{}` is not one character; write \":\"", shown(text))),
    }
}

/// A level, or levels by module: `info` or `info,relayhouse::relay=debug`.
pub(in crate::app::config) fn log_level(node: &Node) -> Read<String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    parsed(node, |text| {
        for directive in text.split(',') {
            let level = directive.rsplit('=').next().unwrap_or_default().trim();
            if !LEVELS.contains(&level) {
                return Err(unknown(level, LEVELS.into_iter()));
            }
        }
        match text.parse::<tracing_subscriber::filter::Targets>() {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(format!("`{}` is no log level; write \"info\"", shown(text))),
        }
    })
}

/// A file, or none.
pub(in crate::app::config) fn file(node: &Node) -> Read<Option<std::path::PathBuf>> {
    parsed(node, |text| match text {
        "" => Ok(None),
        text if text.contains('\0') => Err("has a NUL character in it".to_owned()),
        text => Ok(Some(text.into())),
    })
}

/// A directory.
pub(in crate::app::config) fn directory(node: &Node) -> Read<std::path::PathBuf> {
    parsed(node, |text| match text {
        "" => Err("is empty; write a folder".to_owned()),
        text if text.contains('\0') => Err("has a NUL character in it".to_owned()),
        text => Ok(text.into()),
    })
}
