//! `relayhouse users`: what is asked at the desk. Passwords become hashes here, so that none goes over
//! the control socket.

mod import;

use super::Failure;
use super::cli::UsersCommand;
use super::desk::Request;
use super::run::kept::random;
use super::typed;
use crate::creds::Secret;
use crate::creds::password::PasswordHash;
use crate::creds::user_name::user_name;
use crate::store::UserChange;

/// The request of a command, and whether its answer is wanted as JSON.
///
/// # Errors
/// When a password or a file cannot be read, or is not good.
pub(super) fn request(command: &UsersCommand) -> Result<(Request, bool), Failure> {
    Ok(match command {
        UsersCommand::Add { name, role, email, password } => {
            // Before anybody types a password for a name that cannot be.
            let name = user_name(name).map_err(unusable)?;
            let password = Some(hashed(&typed::new_password(password, &name)?)?);
            let change = UserChange { password, role: *role, email: email.clone(), active: None };
            (Request::UsersAdd { name, change }, false)
        }
        UsersCommand::Remove { name } => (Request::UsersRemove { name: name.clone() }, false),
        UsersCommand::List { json } => (Request::UsersList, *json),
        UsersCommand::Passwd { name, password } => {
            let name = user_name(name).map_err(unusable)?;
            let password = Some(hashed(&typed::new_password(password, &name)?)?);
            (changed(&name, UserChange { password, ..UserChange::default() }), false)
        }
        UsersCommand::Change { name, role, email } => {
            let change = UserChange { role: *role, email: email.clone(), ..UserChange::default() };
            (changed(name, change), false)
        }
        UsersCommand::Activate { name } => (active(name, true), false),
        UsersCommand::Deactivate { name } => (active(name, false), false),
        UsersCommand::Import { file, update } => {
            let users = import::read(file)?;
            (Request::UsersImport { users, update: *update }, false)
        }
    })
}

fn changed(name: &str, change: UserChange) -> Request {
    Request::UsersChange { name: name.to_owned(), change }
}

fn active(name: &str, active: bool) -> Request {
    changed(name, UserChange { active: Some(active), ..UserChange::default() })
}

fn hashed(password: &Secret) -> Result<PasswordHash, Failure> {
    PasswordHash::new(password.expose(), random()?).map_err(unusable)
}

fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::Unusable(error.to_string())
}
