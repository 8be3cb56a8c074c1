//! Asking a running server, and what a command prints of the answer.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::request::Answer;
use super::server::SOCKET;
use super::{Request, events, people, secrets};
use crate::app::clock;
use crate::app::config::format_duration;

/// A server that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks whether a server still runs.
const LOOK: Duration = Duration::from_millis(250);

/// Asks the server that runs on `data_dir`. `None` when none does.
///
/// # Errors
/// The server's own sentence, or why it does not answer.
pub fn ask(data_dir: &Path, request: &Request) -> Option<Result<Value, String>> {
    let path = data_dir.join(SOCKET);
    let connection = match UnixStream::connect(&path) {
        Ok(connection) => connection,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let path = path.display();
            let hint = "run this as the user the server runs as";
            return Some(Err(format!("{path} may not be used by this user; {hint}")));
        }
        // No socket, or one that a killed server left behind.
        Err(_) => return None,
    };
    let failed = |error| format!("the server does not answer on {}: {error}", path.display());
    Some(exchange(connection, request).map_err(failed).and_then(Into::into))
}

/// Returns when no server answers on `data_dir` any more.
pub fn wait_until_gone(data_dir: &Path) {
    while UnixStream::connect(data_dir.join(SOCKET)).is_ok() {
        std::thread::sleep(LOOK);
    }
}

fn exchange(mut connection: UnixStream, request: &Request) -> io::Result<Answer> {
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    connection.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(connection).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

/// What the command prints on stdout.
pub fn printed(request: &Request, answer: &Value, json: bool) -> String {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    match request {
        Request::Allocations { .. } => format!("{answer:#}\n"),
        Request::AllocationsEnd { id } => format!("ended {id}\n"),
        Request::Credentials { .. } if json => format!("{answer:#}\n"),
        Request::Credentials { .. } => {
            let ttl = answer.get("ttl").and_then(Value::as_u64).unwrap_or_default();
            let ttl = format_duration(Duration::from_secs(ttl));
            let (username, credential) = (text("username"), text("credential"));
            format!("username:   {username}\ncredential: {credential}\ngood for:   {ttl}\n")
        }
        Request::Events { .. } if json => events::printed_as_json(answer),
        Request::Events { .. } => events::printed(answer),
        Request::HooksList => hooks(answer),
        Request::HooksSecret => {
            let secrets = answer.get("secrets").and_then(Value::as_array);
            let secrets = secrets.into_iter().flatten().filter_map(Value::as_str);
            secrets.map(|secret| format!("{secret}\n")).collect()
        }
        Request::HooksTest => {
            let hooks = answer.get("hooks").and_then(Value::as_u64).unwrap_or_default();
            format!("a ping is on its way to {hooks} hooks; the log says what fails\n")
        }
        Request::KeysAdd { hash: Some(_), .. } => format!("added {}\n", text("id")),
        Request::KeysAdd { .. } => format!("{}\n", text("key")),
        Request::KeysList => listed(answer),
        Request::KeysRevoke { id } => format!("revoked {id}\n"),
        Request::Drain => match answer.get("allocations").and_then(Value::as_u64) {
            Some(0) => "draining: no allocation is open, the server stops now\n".to_owned(),
            Some(open) => {
                format!("draining: {open} open; the server stops when the last one is gone\n")
            }
            None => String::new(),
        },
        Request::SecretRotate { .. } => secrets::rotated(answer),
        Request::SecretList if json => format!("{answer:#}\n"),
        Request::SecretList => secrets::table(answer),
        Request::SecretAdd { .. } => secrets::added(answer),
        Request::SecretRemove { id } => format!("removed {id}\n"),
        Request::SecretShow { .. } => format!("{}\n", text("secret")),
        Request::UsersList if json => format!("{answer:#}\n"),
        Request::UsersAdd { .. }
        | Request::UsersChange { .. }
        | Request::UsersRemove { .. }
        | Request::UsersList
        | Request::UsersImport { .. } => people::printed(request, answer),
        Request::Link => format!("{}\n", text("link")),
    }
}

fn hooks(answer: &Value) -> String {
    let hooks = answer.get("hooks").and_then(Value::as_array);
    let mut text = format!("{:<8} {}\n", "waiting", "url");
    for hook in hooks.into_iter().flatten() {
        let waiting = hook.get("waiting").and_then(Value::as_u64).unwrap_or_default();
        let url = hook.get("url").and_then(Value::as_str).unwrap_or_default();
        text += &format!("{waiting:<8} {}\n", url.escape_debug());
    }
    text
}

fn listed(answer: &Value) -> String {
    let keys = answer.get("keys").and_then(Value::as_array);
    let mut text = format!("{:<12} {:<18} {:<20} {}\n", "id", "scopes", "created", "name");
    for key in keys.into_iter().flatten() {
        let field = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
        let scopes = key.get("scopes").and_then(Value::as_array).into_iter().flatten();
        let scopes: Vec<_> = scopes.filter_map(Value::as_str).collect();
        let created = key.get("created").and_then(Value::as_u64).unwrap_or_default();
        let created = clock::utc(created);
        let (id, scopes, name) = (field("id"), scopes.join(","), field("name").escape_debug());
        text += format!("{id:<12} {scopes:<18} {created:<20} {name}").trim_end();
        text.push('\n');
    }
    text
}
