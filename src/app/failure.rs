//! How the program ends when it must: one sentence on stderr that says what to do, and a code.

use std::fmt;
use std::process::ExitCode;

use super::config::Problems;

/// Why the program stops.
#[derive(Debug)]
pub enum Failure {
    /// The configuration or the command line is wrong: exit code 2.
    Configuration(Problems),
    /// The configuration asks for what this host does not have: exit code 2.
    Unusable(String),
    /// Something outside failed: exit code 1.
    Runtime(String),
}

impl Failure {
    /// A failure of the world, as one sentence.
    pub fn runtime(error: impl fmt::Display) -> Self {
        Self::Runtime(error.to_string())
    }

    /// Writes the sentences to stderr, one a line, and gives back the exit code.
    pub fn report(&self) -> ExitCode {
        for sentence in self.to_string().lines() {
            eprintln!("error: {sentence}");
        }
        match self {
            Self::Configuration(_) | Self::Unusable(_) => ExitCode::from(2),
            Self::Runtime(_) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(problems) => problems.fmt(f),
            Self::Unusable(what) | Self::Runtime(what) => f.write_str(what),
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Configuration(problems)
    }
}
