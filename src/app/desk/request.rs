//! What can be asked at the desk, as it goes over the control socket: one JSON object on one line
//! each way. Answers are `{"ok": …}` or `{"error": "sentence"}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::creds::api_key::Scope;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Open allocations, a page of them.
    Allocations {
        /// Those opened later than this one.
        after: u64,
        /// Of this user or username alone.
        user: Option<String>,
    },
    /// The end of an allocation.
    AllocationsEnd {
        /// Its id.
        id: u64,
    },
    /// A TURN credential.
    Credentials {
        /// Whose.
        user: Option<String>,
        /// For how long, in seconds.
        ttl: Option<u64>,
    },
    /// A new API key.
    KeysAdd {
        /// What it may do.
        scopes: Vec<Scope>,
        /// What it is called.
        name: Option<String>,
    },
    /// All API keys.
    KeysList,
    /// No more of this key.
    KeysRevoke {
        /// Its id.
        id: String,
    },
    /// A link to the page.
    Link,
    /// No new allocations, and a stop when the last one is gone.
    Drain,
}

impl Request {
    /// Whether only a running server can do it.
    pub fn needs_a_server(&self) -> bool {
        matches!(self, Self::Drain | Self::Allocations { .. } | Self::AllocationsEnd { .. })
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Answer {
    Ok(Value),
    Error(String),
}

impl From<Result<Value, String>> for Answer {
    fn from(result: Result<Value, String>) -> Self {
        match result {
            Ok(value) => Self::Ok(value),
            Err(what) => Self::Error(what),
        }
    }
}

impl From<Answer> for Result<Value, String> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Ok(value) => Ok(value),
            Answer::Error(what) => Err(what),
        }
    }
}
