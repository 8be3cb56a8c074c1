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

    /// Writes the sentences to stderr.
    pub fn report(&self) -> ExitCode {
        match self {
            Self::Configuration(problems) => {
                for problem in problems.iter() {
                    eprintln!("error: {problem}");
                }
                ExitCode::from(2)
            }
            Self::Unusable(what) => {
                eprintln!("error: {what}");
                ExitCode::from(2)
            }
            Self::Runtime(what) => {
                eprintln!("error: {what}");
                ExitCode::FAILURE
            }
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Configuration(problems)
    }
}
