//! The control socket: `control.sock` in the data folder, for its owner alone. One thread answers
//! one connection after the other; each asks once.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{debug, info};

use super::request::Answer;
use super::{Desk, Request};

/// The name in the data folder.
pub const SOCKET: &str = "control.sock";
/// Where it is made, before it has its mode. Longer than [`SOCKET`], so that a path that is too long is
/// found here.
const CRADLE: &str = "control.cradle";
/// A client that is slower than this is hung up on.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest request, bytes: an import of as many people as there can be.
const LONGEST: u64 = 8 * 1024 * 1024;

/// The socket of a running server. Dropping it removes the file.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
}

/// Listens in `data_dir`. What an earlier run left behind is removed: the store's lock says that
/// nobody else runs here.
///
/// # Errors
/// A sentence that says what to do.
pub fn serve(data_dir: &Path, desk: Desk) -> Result<ControlSocket, String> {
    let path = data_dir.join(SOCKET);
    let failed = |error: io::Error| {
        let path = path.display();
        match error.kind() {
            io::ErrorKind::InvalidInput => {
                format!("the path {path} is too long for a socket; shorten data_dir")
            }
            _ => format!("cannot make the control socket {path}: {error}"),
        }
    };
    let listener = bind(data_dir, &path).map_err(failed)?;
    let accept = move || {
        for connection in listener.incoming() {
            if let Err(error) = connection.and_then(|connection| answer(&connection, &desk)) {
                debug!(%error, "a control connection failed");
            }
        }
    };
    let thread = std::thread::Builder::new().name("control".to_owned());
    thread.spawn(accept).map_err(failed)?;
    Ok(ControlSocket { path })
}

/// A new socket has the mode that the process's umask leaves it, which may be everybody's: it gets its own
/// in a folder where nobody else comes in, and then takes the place of an earlier one.
fn bind(data_dir: &Path, path: &Path) -> io::Result<UnixListener> {
    let cradle = data_dir.join(CRADLE);
    match fs::remove_dir_all(&cradle) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(&cradle)?;
    let made = cradle.join("s");
    let listener = UnixListener::bind(&made)?;
    fs::set_permissions(&made, Permissions::from_mode(0o600))?;
    fs::rename(&made, path)?;
    fs::remove_dir(&cradle)?;
    Ok(listener)
}

fn answer(connection: &UnixStream, desk: &Desk) -> io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(connection.take(LONGEST)).read_line(&mut line)?;
    let answer: Answer = match serde_json::from_str::<Request>(&line) {
        Ok(request) => {
            let changes = matches!(request, Request::KeysAdd { .. } | Request::KeysRevoke { .. });
            let answer = desk.answer(request);
            if let (true, Ok(value)) = (changes, &answer) {
                let id = value.get("id").or(value.get("revoked")).and_then(|id| id.as_str());
                info!(id, "an API key was added or revoked by command");
            }
            if let Ok(Some(id)) = answer.as_ref().map(|value| value.get("ended")) {
                info!(allocation = id.as_str(), "an allocation was ended by command");
            }
            answer.into()
        }
        Err(error) => Answer::Error(format!("this is no request: {error}")),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    let mut connection = connection;
    connection.write_all(&line)
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // Left behind it does no harm: nobody answers, and the next start removes it.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn the_socket_is_its_owners_from_the_first_moment_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(SOCKET);
        let over = AtomicBool::new(false);
        let modes = std::thread::scope(|threads| {
            let looker = threads.spawn(|| {
                let mut modes = BTreeSet::new();
                while !over.load(Ordering::Relaxed) {
                    modes.extend(fs::metadata(&path).map(|it| it.permissions().mode() & 0o777));
                }
                modes
            });
            for _ in 0..500 {
                drop(bind(folder.path(), &path).expect("a socket"));
            }
            over.store(true, Ordering::Relaxed);
            looker.join().expect("it looks")
        });
        assert_eq!(modes, BTreeSet::from([0o600]));
        let left = fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(left, 1, "the socket alone");
    }
}
