//! The configuration as text: `--print-config`, and the generated parts of `config.toml` and
//! `docs/configuration.md`.

use std::fmt::Write;

use super::keys::KEYS;
#[cfg(test)]
use super::keys::Reload;
use super::problem::Place;
#[cfg(test)]
use super::source::environment::variable;
use super::{Effective, value::quoted};

impl Effective {
    /// The effective configuration as TOML. Secrets are redacted; what is not a default says where
    /// it comes from.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for (index, node) in self.values() {
            let key = &KEYS[index];
            let (of, name) = key.parts();
            if of != section {
                section = of;
                let _ = write!(text, "\n[{section}]\n");
            }
            let _ = write!(text, "{name} = {}", node.to_toml(key.kind.is_secret()));
            match &node.place {
                Place::Default => {}
                place => drop(write!(text, "  # {}", quoted(&place.to_string()).trim_matches('"'))),
            }
            text.push('\n');
        }
        text
    }
}

/// `config.toml`: every key at its default, with its sentences above.
pub fn defaults_toml() -> String {
    let mut text = String::from(concat!(
        "# Every key of relayhouse at its default. Copy what you change into a file of your own and\n",
        "# start `relayhouse --config FILE`; `relayhouse --config FILE --check` finds mistakes.\n",
        "# docs/configuration.md explains the environment, the flags and what a reload can change.\n",
    ));
    let mut section = "";
    for key in KEYS.iter() {
        let (of, name) = key.parts();
        if of != section {
            section = of;
            let _ = write!(text, "\n[{section}]");
        }
        text.push('\n');
        for line in wrapped(key.about, 96) {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(text, "{name} = {}", key.default);
    }
    text
}

/// The table of keys in `docs/configuration.md`.
#[cfg(test)]
fn markdown_table() -> String {
    let mut text = String::from(
        "| key | default | reload | what, and when to touch it |\n|---|---|---|---|\n",
    );
    for key in KEYS.iter() {
        let reload = match key.reload {
            Reload::Live => "yes",
            Reload::Restart => "restart",
        };
        let (name, default, about) = (key.name, key.default, key.about.replace('|', "\\|"));
        let _ = writeln!(
            text,
            "| `{name}`<br>`{}` | `{default}` | {reload} | {about} |",
            variable(key)
        );
    }
    text
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("one line at least");
        if last.len() + word.len() + 1 > width && !last.is_empty() {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::{Sources, from_text, load};

    /// Compares a generated text with the file; `UPDATE_FILES=1` writes it instead.
    fn matches_file(path: &str, generated: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        if std::env::var_os("UPDATE_FILES").is_some() {
            std::fs::write(&path, generated).expect("a file that can be written");
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        let hint = "is not what the table of keys says; run the test with UPDATE_FILES=1";
        assert!(there == generated, "{} {hint}", path.display());
    }

    #[test]
    fn config_toml_is_the_built_in_defaults() {
        matches_file("config.toml", &defaults_toml());
        let file = from_text("config.toml", &defaults_toml()).expect("the shipped file is right");
        let built_in = from_text("nothing", "").expect("defaults are right");
        assert_eq!(format!("{file:?}"), format!("{built_in:?}"));
    }

    #[test]
    fn the_documentation_has_the_table_of_keys() {
        let path = "docs/configuration.md";
        let docs = std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR")));
        let docs = docs.expect("the page");
        let (begin, end) = ("<!-- keys: begin -->\n", "<!-- keys: end -->");
        let (head, rest) = docs.split_once(begin).expect("where the table begins");
        let (_, tail) = rest.split_once(end).expect("where the table ends");
        matches_file(path, &format!("{head}{begin}{}{end}{tail}", markdown_table()));
    }

    #[test]
    fn what_is_printed_can_be_read_again() {
        let set = vec!["relay.ports=50000-50010".to_owned(), "realm=\"x # y".to_owned()];
        let set = set.into_iter().filter(|text| !text.contains('"')).collect();
        let printed =
            load(&Sources { set, ..Sources::default() }).expect("good").effective.to_toml();
        let again = from_text("printed", &printed).expect("what we print is right");
        assert_eq!(again.relay.ports, 50000..=50010);
    }

    #[test]
    fn secrets_are_redacted_and_origins_named() {
        let set = vec!["auth.secrets=north-star".into(), "auth.users=alice=\"swordfish\"".into()];
        let printed =
            load(&Sources { set, ..Sources::default() }).expect("good").effective.to_toml();
        assert!(!printed.contains("north-star") && !printed.contains("swordfish"), "{printed}");
        assert!(printed.contains("secrets = [\"[redacted]\"]  # --set auth.secrets"), "{printed}");
        assert!(printed.contains("{ alice = \"[redacted]\" }"), "{printed}");
    }
}
