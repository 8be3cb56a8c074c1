//! `relayhouse users …`. No password is ever an argument: every user of the host could read it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::creds::access::UserRole;

#[derive(Subcommand)]
pub(in crate::app) enum UsersCommand {
    /// Add somebody; the password is asked for
    Add {
        /// What they log in as
        name: String,
        /// What they may do: user, or admin for everything
        #[arg(long, value_name = "ROLE", value_parser = role)]
        role: Option<UserRole>,
        /// Where they can be written to
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Remove somebody; their sessions end at once
    Remove {
        /// Their name
        name: String,
    },
    /// List everybody
    List {
        /// Print it as a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Set another password, which is asked for; all sessions end at once
    Passwd {
        /// Their name
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Change what somebody may do or where they can be written to
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Change {
        /// Their name
        name: String,
        /// user, or admin for everything; sessions end at once
        #[arg(long, value_name = "ROLE", value_parser = role, group = "what")]
        role: Option<UserRole>,
        /// Another address; an empty one takes it away
        #[arg(long, value_name = "ADDRESS", group = "what")]
        email: Option<String>,
    },
    /// Let somebody log in again
    Activate {
        /// Their name
        name: String,
    },
    /// Let somebody log in no more, without forgetting them; their sessions end at once
    Deactivate {
        /// Their name
        name: String,
    },
    /// Add everybody in a CSV file, or nobody if anything is wrong with it
    ///
    /// The first line names the columns: username, password or password_hash (argon2 or bcrypt), and,
    /// where wanted, email, role (user, admin), active (true, false).
    Import {
        /// The file; - is standard input
        file: PathBuf,
        /// Change those who are there already; what the file does not say stays
        #[arg(long)]
        update: bool,
    },
}

/// Where a password comes from.
#[derive(Args)]
pub(in crate::app) struct PasswordArgs {
    /// Read the password from this file (- is standard input) instead of asking
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    pub(in crate::app) password_file: Option<PathBuf>,
    /// Read the password from standard input instead of asking
    #[arg(long)]
    pub(in crate::app) password_stdin: bool,
}

fn role(text: &str) -> Result<UserRole, String> {
    let known = UserRole::ALL.into_iter().find(|role| role.name() == text);
    known.ok_or_else(|| "write user or admin".to_owned())
}
