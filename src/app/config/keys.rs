//! The table of keys: names, defaults, what each is for. The configuration file, the environment,
//! `--set`, `--print-config`, `config.toml` and the documentation all come from it.

mod audit;
mod bounds;
mod dialects;
mod people;
mod relay;
mod rooms;
mod service;

use std::sync::LazyLock;
use std::time::Duration;

use super::Config;
use super::read::Read;
use super::value::Node;

/// One key.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// With its section: `relay.ports`.
    pub(super) name: &'static str,
    /// How a text from the environment or a flag becomes a value.
    pub(super) kind: Kind,
    /// The built-in default, as TOML.
    pub(super) default: &'static str,
    /// Whether a reload changes it, or only a restart.
    pub(super) reload: Reload,
    /// What it does and when to touch it: whole sentences.
    pub(super) about: &'static str,
    /// Reads a value into its place.
    pub(super) apply: fn(&mut Config, &Node) -> Read<()>,
}

/// The shape of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// A number, a time or a rate: digits are a number.
    Number,
    /// `true` or `false`.
    Switch,
    /// A list of texts; separated by commas where there is no TOML.
    List,
    /// A list of secrets.
    Secrets,
    /// A table of secrets by name.
    Users,
}

impl Kind {
    /// Whether its values must never be shown.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secrets | Self::Users)
    }
}

/// When a changed value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reload {
    /// At once, with SIGHUP.
    Live,
    /// After a restart.
    Restart,
}

/// The longest bound of anything counted per allocation.
const MANY: usize = 65_535;
const MINUTE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Every key, in the order of `config.toml`: those without a section first.
pub(super) static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let tables: [&[Key]; 7] = [
        service::KEYS,
        rooms::KEYS,
        dialects::KEYS,
        relay::KEYS,
        people::KEYS,
        audit::KEYS,
        bounds::KEYS,
    ];
    tables.concat()
});

fn put<T>(place: &mut T, value: Read<T>) -> Read<()> {
    *place = value?;
    Ok(())
}

impl Key {
    /// The section, empty for the keys at the top, and the name in it.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or(("", self.name))
    }
}

/// Where in [`KEYS`] the key of this name is.
pub(super) fn index_of(name: &str) -> Option<usize> {
    KEYS.iter().position(|key| key.name == name)
}

/// The sections, in order.
pub(super) fn sections() -> impl Iterator<Item = &'static str> {
    let names = KEYS.iter().map(|key| key.parts().0);
    let mut last = "";
    names.filter(move |name| {
        *name != last && {
            last = name;
            true
        }
    })
}
