//! What is wrong with a configuration, and where. A problem never quotes the value of a secret.

use std::fmt::{self, Write};
use std::sync::Arc;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the configuration file.
    File {
        /// The file as it was named.
        name: Arc<str>,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
    },
    /// Of a file as a whole: it cannot be read.
    Whole(Arc<str>),
    /// In this environment variable.
    Variable(Arc<str>),
    /// Behind this flag of the command line.
    Flag(Arc<str>),
    /// Nowhere: the built-in default.
    Default,
    /// Nowhere: set by `--dev`.
    Dev,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Whole(name) | Self::Variable(name) | Self::Flag(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
            Self::Dev => f.write_str("--dev"),
        }
    }
}

/// A value that cannot be used: where it is and what to write instead. The key is added by the
/// caller that knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where.
    pub(super) place: Place,
    /// What is wrong, and what to write instead.
    pub(super) what: String,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The key it is about, if one is known.
    pub key: Option<String>,
    /// What is wrong, and what to write instead.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{}: ", self.place);
        if let Some(key) = &self.key {
            text += &format!("{key}: ");
        }
        text += &self.what;
        // A file may name its keys as it likes; a terminal must not obey them.
        text.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => f.write_char(c),
        })
    }
}

/// Everything that is wrong with a configuration, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one.
    pub(super) fn push(&mut self, place: Place, key: Option<&str>, what: impl Into<String>) {
        self.0.push(Problem { place, key: key.map(str::to_owned), what: what.into() });
    }

    /// Adds what is wrong with the value of `key`.
    pub(super) fn extend(&mut self, key: &str, faults: Vec<Fault>) {
        for fault in faults {
            self.push(fault.place, Some(key), fault.what);
        }
    }

    /// `Err` with everything in order, when there is anything.
    pub(super) fn into_result(mut self) -> Result<(), Self> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort();
        self.0.dedup();
        Err(self)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
