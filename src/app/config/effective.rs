//! The values that count, after every source has been laid over the defaults, and where each came
//! from. A reload compares two of these.

use std::fmt;

use super::keys::{KEYS, Reload, index_of};
use super::problem::Problems;
use super::source::{Layer, defaults};
use super::value::Node;
use super::{Config, Place, checks};

/// One value for every key of the table.
#[derive(Clone)]
pub struct Effective(Vec<Node>);

/// Names only: a value may be a secret.
impl fmt::Debug for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(KEYS.iter().map(|key| key.name)).finish()
    }
}

/// What a reload did to one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It counts from now on.
    Applied(&'static str),
    /// It counts after a restart.
    NeedsRestart(&'static str),
}

impl Effective {
    /// The built-in defaults.
    pub(super) fn built_in() -> Self {
        Self(defaults::built_in().into_values().collect())
    }

    /// Puts `layer` over what there is.
    pub(super) fn lay(&mut self, layer: Layer) {
        for (index, node) in layer {
            self.0[index] = node;
        }
    }

    /// The value of a key.
    pub(super) fn value_mut(&mut self, name: &str) -> &mut Node {
        &mut self.0[index_of(name).expect("a key of the table")]
    }

    /// Where the value of a key came from.
    ///
    /// # Panics
    /// When there is no such key: a bug.
    pub fn place(&self, name: &str) -> &Place {
        &self.0[index_of(name).expect("a key of the table")].place
    }

    /// Each key's index and value.
    pub(super) fn values(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.0.iter().enumerate()
    }

    /// Reads every value into its type; what is wrong goes to `problems`.
    pub(super) fn typed(&self, dev: bool, problems: &mut Problems) -> Config {
        let mut config = Config::blank(dev);
        for (index, node) in self.values() {
            if let Err(faults) = (KEYS[index].apply)(&mut config, node) {
                problems.extend(KEYS[index].name, faults);
            }
        }
        checks::together(self, &config, problems);
        config
    }

    /// The values that count after a reload: those of `new`, but those that only a restart can
    /// change stay as they are. Also says what changed.
    ///
    /// # Errors
    /// When the mixture does not fit together.
    pub fn reloaded(&self, new: &Self, dev: bool) -> Result<Reloaded, Problems> {
        let (mut mixed, mut changes) = (new.clone(), Vec::new());
        for (index, key) in KEYS.iter().enumerate() {
            if self.0[index] == new.0[index] {
                continue;
            }
            changes.push(match key.reload {
                Reload::Live => Change::Applied(key.name),
                Reload::Restart => {
                    mixed.0[index] = self.0[index].clone();
                    Change::NeedsRestart(key.name)
                }
            });
        }
        let mut problems = Problems::default();
        let config = mixed.typed(dev, &mut problems);
        problems.into_result()?;
        Ok(Reloaded { config, effective: mixed, changes })
    }
}

/// What a reload comes to.
#[derive(Debug)]
pub struct Reloaded {
    /// What counts from now on.
    pub config: Config,
    /// The values it was made from.
    pub effective: Effective,
    /// Every key that differs.
    pub changes: Vec<Change>,
}

/// Whether a layer holds a secret.
pub(super) fn has_secrets(layer: &Layer) -> bool {
    layer.keys().any(|index| KEYS[*index].kind.is_secret())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::{Sources, load};

    fn with(set: &[&str]) -> Effective {
        let set = set.iter().map(|text| (*text).to_owned()).collect();
        load(&Sources { set, ..Sources::default() }).expect("a good configuration").effective
    }

    #[test]
    fn a_reload_changes_quotas_and_keeps_listeners() {
        let (old, new) = (with(&[]), with(&["quota.allocations=7", "listen.udp=127.0.0.1:1"]));
        let reloaded = old.reloaded(&new, false).expect("a mixture that fits");
        assert_eq!(reloaded.config.quota.allocations, 7);
        assert_eq!(reloaded.config.listen.udp.len(), 2, "the old listeners stay");
        let changes = [Change::NeedsRestart("listen.udp"), Change::Applied("quota.allocations")];
        assert_eq!(reloaded.changes, changes);
    }

    #[test]
    fn a_reload_of_the_same_changes_nothing() {
        let same = with(&["auth.secrets=north"]);
        assert_eq!(same.reloaded(&same.clone(), false).expect("fits").changes, []);
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = with(&["auth.secrets=hidden-word"]);
        assert!(!format!("{secret:?}").contains("hidden-word"));
    }
}
