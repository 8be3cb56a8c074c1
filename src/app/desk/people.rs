//! The desk's part about people: add, change, remove, list and import them.

use serde_json::{Value, json};
use tracing::info;

use super::Desk;
use crate::app::clock;
use crate::creds::user_name::user_name;
use crate::store::{MAX_EMAIL, UserChange, UserRecord, UserRole};

impl Desk {
    /// Whether nobody can log in, because there is nobody.
    pub fn has_no_users(&self) -> bool {
        self.store().is_ok_and(|store| store.users().count() == 0)
    }

    /// Somebody new.
    pub(super) fn add_user(&self, name: &str, change: UserChange) -> Result<Value, String> {
        let (name, change) = checked(name, change)?;
        let password = change.password.ok_or("a new user needs a password")?;
        let role = change.role.unwrap_or(UserRole::User);
        let email = change.email.filter(|email| !email.is_empty());
        let (active, created) = (change.active.unwrap_or(true), clock::unix().0);
        let user = UserRecord { name, role, email, active, created, password };
        self.store()?.users().add(user.clone()).wait().map_err(|error| error.to_string())?;
        info!(user = user.name, role = role.name(), "a user was added by command");
        Ok(json!({ "user": shown(&user) }))
    }

    /// Somebody else than before.
    pub(super) fn change_user(&self, name: &str, change: UserChange) -> Result<Value, String> {
        let (name, change) = checked(name, change)?;
        let changed = self.store()?.users().change(&name, change.clone()).wait();
        let user = changed.map_err(|error| error.to_string())?;
        let what = match change {
            UserChange { password: Some(_), .. } => "password",
            UserChange { role: Some(_), .. } => "role",
            UserChange { active: Some(true), .. } => "activated",
            UserChange { active: Some(false), .. } => "deactivated",
            _ => "email",
        };
        info!(user = user.name, what, "a user was changed by command");
        Ok(json!({ "user": shown(&user) }))
    }

    /// Nobody any more.
    pub(super) fn remove_user(&self, name: &str) -> Result<Value, String> {
        let name = user_name(name).map_err(|error| error.to_string())?;
        match self.store()?.users().remove(&name).wait().map_err(|error| error.to_string())? {
            true => {
                info!(user = name, "a user was removed by command");
                Ok(json!({ "removed": name }))
            }
            false => Err(format!("there is no user {name:?}; `relayhouse users list` has all")),
        }
    }

    /// Everybody.
    pub(super) fn list_users(&self) -> Result<Value, String> {
        let users = self.store()?.users().list().map_err(|error| error.to_string())?;
        Ok(json!({ "users": users.iter().map(shown).collect::<Vec<_>>() }))
    }

    /// Many at once.
    pub(super) fn import_users(
        &self,
        users: Vec<(String, UserChange)>,
        update: bool,
    ) -> Result<Value, String> {
        let users = users.into_iter().map(|(name, change)| checked(&name, change));
        let users = users.collect::<Result<Vec<_>, _>>()?;
        let imported = self.store()?.users().import(users, update, clock::unix().0).wait();
        let imported = imported.map_err(|error| match error {
            crate::store::UserError::Exists(_) => {
                format!("{error}; nobody was imported: --update changes those who are there")
            }
            error => format!("{error}; nobody was imported"),
        })?;
        info!(added = imported.added, updated = imported.updated, "users were imported by command");
        Ok(json!(imported))
    }
}

fn checked(name: &str, change: UserChange) -> Result<(String, UserChange), String> {
    let name = user_name(name).map_err(|error| error.to_string())?;
    if let Some(email) = &change.email {
        checked_email(email)?;
    }
    Ok((name, change))
}

/// Whether this may be somebody's email address, or none.
///
/// # Errors
/// Why not.
pub fn checked_email(email: &str) -> Result<(), String> {
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    let shaped = email.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !host.is_empty() && email.chars().all(plain)
    });
    match email.is_empty() || (shaped && email.len() <= MAX_EMAIL) {
        true => Ok(()),
        false => Err("an email address is somebody@somewhere".to_owned()),
    }
}

/// Without the hash, which nobody needs to see.
fn shown(user: &UserRecord) -> Value {
    let UserRecord { name, role, email, active, created, .. } = user;
    json!({ "name": name, "role": role, "email": email, "active": active, "created": created })
}

/// What the commands print.
pub(super) fn printed(request: &super::Request, answer: &Value) -> String {
    use super::Request;
    let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
    let name = answer.pointer("/user/name").and_then(Value::as_str).unwrap_or_default();
    match request {
        Request::UsersAdd { .. } => format!("added {name}\n"),
        Request::UsersChange { .. } => format!("changed {name}\n"),
        Request::UsersRemove { name } => format!("removed {name}\n"),
        Request::UsersImport { .. } => {
            format!("{} added, {} updated\n", number("added"), number("updated"))
        }
        _ => table(answer),
    }
}

fn table(answer: &Value) -> String {
    let row = |cells: [&str; 5]| {
        let [name, role, active, created, email] = cells;
        let line = format!("{name:<24}  {role:<6}  {active:<6}  {created:<20}  {email}");
        format!("{}\n", line.trim_end())
    };
    let mut text = row(["name", "role", "active", "added", "email"]);
    for user in answer.get("users").and_then(Value::as_array).into_iter().flatten() {
        let word = |name: &str| user.get(name).and_then(Value::as_str).unwrap_or_default();
        let active = user.get("active").and_then(Value::as_bool).unwrap_or_default();
        let created = user.get("created").and_then(Value::as_u64).unwrap_or_default();
        let active = if active { "yes" } else { "no" };
        text += &row([word("name"), word("role"), active, &clock::utc(created), word("email")]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::checked_email;

    #[test]
    fn an_email_address_has_two_sides_and_no_spaces() {
        for good in ["", "a@b", "alice+calls@example.org"] {
            assert!(checked_email(good).is_ok(), "{good}");
        }
        let long = format!("{}@example.org", "a".repeat(250));
        for bad in ["a", "@b", "a@", "a b@c", "a@b\n", long.as_str()] {
            assert!(checked_email(bad).is_err(), "{bad}");
        }
    }
}
