//! What can be asked at the desk, as it goes over the control socket: one JSON object on one line
//! each way. Answers are `{"ok": …}` or `{"error": "sentence"}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::creds::api_key::Scope;
use crate::creds::{Secret, SecretId, exposed};
use crate::store::{KeyHash, UserChange};

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
        /// The hash of a key that is there already, in place of a new one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        hash: Option<KeyHash>,
    },
    /// All API keys.
    KeysList,
    /// No more of this key.
    KeysRevoke {
        /// Its id.
        id: String,
    },
    /// The newest events of the audit trail.
    Events {
        /// Only of this room.
        room: Option<String>,
        /// Only of this type.
        kind: Option<String>,
        /// Only from this unix second on.
        since: Option<u64>,
        /// So many at most.
        limit: u32,
    },
    /// Where events are sent to.
    HooksList,
    /// What deliveries are signed with.
    HooksSecret,
    /// An event for every hook.
    HooksTest,
    /// Somebody new who may log in.
    UsersAdd {
        /// As it was typed.
        name: String,
        /// Their password's hash, and what else is to be unlike others.
        change: UserChange,
    },
    /// Something else about somebody.
    UsersChange {
        /// As it was typed.
        name: String,
        /// What.
        change: UserChange,
    },
    /// No more of somebody.
    UsersRemove {
        /// As it was typed.
        name: String,
    },
    /// Everybody who may log in.
    UsersList,
    /// Many people at once: all, or none.
    UsersImport {
        /// By name.
        users: Vec<(String, UserChange)>,
        /// Whether those who are there are changed.
        update: bool,
    },
    /// A link to the page.
    Link,
    /// A new REST secret that mints.
    SecretRotate {
        /// How long the one before is still accepted, in seconds.
        overlap: Option<u64>,
    },
    /// All REST secrets, by their ids.
    SecretList,
    /// One more REST secret that is accepted.
    SecretAdd {
        /// The secret.
        #[serde(with = "exposed")]
        secret: Secret,
        /// For how long, in seconds.
        lasts: Option<u64>,
    },
    /// No more of this REST secret.
    SecretRemove {
        /// Its id.
        id: SecretId,
    },
    /// The text of a REST secret.
    SecretShow {
        /// Its id; of the one that mints when there is none.
        id: Option<SecretId>,
    },
    /// No new allocations, and a stop when the last one is gone.
    Drain,
}

impl Request {
    /// Whether only a running server can do it.
    pub fn needs_a_server(&self) -> bool {
        matches!(
            self,
            Self::Allocations { .. } | Self::AllocationsEnd { .. } | Self::Drain | Self::HooksTest
        )
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
