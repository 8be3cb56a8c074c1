//! Opening the state: the folder and its rights, the lock, the engine, and repair of a torn snapshot.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::writer::Writer;
use super::{Store, Trees};

/// Inside of the data folder: the engine's own files.
const ENGINE: &str = "state";
/// Inside of the data folder: held by the running instance, with its process id as text.
const LOCK: &str = "lock";
/// The engine's page cache, in bytes. The state of ten thousand rooms is smaller.
const CACHE: u64 = 16 * 1024 * 1024;

/// How often and how long to wait for the engine's own lock: two seconds together.
const ENGINE_TRIES: u32 = 100;
const ENGINE_PAUSE: Duration = Duration::from_millis(20);

/// Why the state could not be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made, entered or written.
    #[error(
        "cannot write the data folder {}: {why}; give the user this runs as the rights to it, or \
         name another with `data_dir`", path.display()
    )]
    Unwritable {
        /// The folder or the file in it.
        path: PathBuf,
        /// The system's reason.
        why: io::Error,
    },
    /// Another process has it open.
    #[error(
        "the data folder {} is in use by another running instance{}; stop that one, or give this \
         one another `data_dir`", path.display(), pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// The process that holds it, when it said so.
        pid: Option<u32>,
    },
    /// No room on the disk.
    #[error("the disk that holds {} is full; make room and start again", path.display())]
    DiskFull {
        /// The data folder.
        path: PathBuf,
    },
    /// The engine cannot read its own files.
    #[error(
        "the state in {} is damaged ({why}); restore the folder from a backup, or move it away to \
         start with an empty one", path.display()
    )]
    Damaged {
        /// The engine's folder.
        path: PathBuf,
        /// What the engine said.
        why: String,
    },
}

impl Store {
    /// Opens the state kept in the data folder `dir`, which is made (mode 0700) when it is missing. What
    /// is ours in it is for its owner alone: folders 0700, files 0600. One process at a time. Blocks; a torn snapshot is removed with a warning and
    /// rebuilt from the log, which loses nothing.
    ///
    /// # Errors
    /// [`OpenError`]: each a sentence for an operator.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        make_folder(dir)?;
        let lock = lock(dir)?;
        let path = dir.join(ENGINE);
        make_private_folder(&path)?;
        let trees = match open_when_free(&path) {
            Err(sled::Error::Corruption { .. }) if remove_snapshots(&path)? > 0 => {
                open_when_free(&path)
            }
            outcome => outcome,
        }
        .map_err(|error| engine_error(&path, error))?;
        tighten(&path);
        let writer = Writer::start(trees.clone(), lock)
            .map_err(|why| OpenError::Unwritable { path: dir.into(), why })?;
        Ok(Self { trees, writer: Arc::new(writer) })
    }
}

/// The data folder. One that is there already keeps its mode: it may hold more than our state, and
/// what is ours in it is shut by itself.
fn make_folder(path: &Path) -> Result<(), OpenError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|why| unwritable(path, why))
}

/// The engine's folder, whose files are made with the process's umask: nobody else gets in.
fn make_private_folder(path: &Path) -> Result<(), OpenError> {
    make_folder(path)?;
    let shut = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
    shut.map_err(|why| unwritable(path, why))
}

fn unwritable(path: &Path, why: io::Error) -> OpenError {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            OpenError::DiskFull { path: path.into() }
        }
        _ => OpenError::Unwritable { path: path.into(), why },
    }
}

/// Takes the lock file and writes our process id into it. The lock goes with the process.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK);
    let failed = |why| unwritable(&path, why);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Only a hint for the operator: an unreadable one is left out.
            let _ = file.read_to_string(&mut text);
            return Err(OpenError::Locked { path: dir.into(), pid: text.trim().parse().ok() });
        }
        Err(TryLockError::Error(why)) => return Err(failed(why)),
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

/// The engine of a store closed a moment ago in this very process may still hold its own lock for as
/// long as its helper threads run. Ours is the lock that counts, so that is worth a short wait.
fn open_when_free(path: &Path) -> Result<Trees, sled::Error> {
    let mut tries = 0;
    loop {
        match open_engine(path) {
            Err(sled::Error::Io(error)) if is_engine_lock(&error) && tries < ENGINE_TRIES => {
                tries += 1;
                std::thread::sleep(ENGINE_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

fn is_engine_lock(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Other && error.to_string().contains("could not acquire lock")
}

/// The engine panics on some damage it finds: that is an answer here, not our end.
fn open_engine(path: &Path) -> Result<Trees, sled::Error> {
    let open = || {
        let db = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE)
            // The writer flushes what must not be lost; a timer would only add disk work.
            .flush_every_ms(None)
            .open()?;
        Trees::of(db).map_err(|error| sled::Error::ReportableBug(error.to_string()))
    };
    catch_unwind(AssertUnwindSafe(open))
        .unwrap_or_else(|_| Err(sled::Error::ReportableBug("its files do not fit together".into())))
}

fn engine_error(path: &Path, error: sled::Error) -> OpenError {
    match error {
        sled::Error::Io(why) => unwritable(path, why),
        sled::Error::Corruption { .. } => {
            OpenError::Damaged { path: path.into(), why: "a checksum is wrong".into() }
        }
        other => OpenError::Damaged { path: path.into(), why: other.to_string() },
    }
}

/// A snapshot only shortens the replay of the log: without one the engine reads the whole log.
fn remove_snapshots(path: &Path) -> Result<usize, OpenError> {
    let mut removed = 0;
    for entry in fs::read_dir(path).map_err(|why| unwritable(path, why))? {
        let entry = entry.map_err(|why| unwritable(path, why))?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            fs::remove_file(entry.path()).map_err(|why| unwritable(&entry.path(), why))?;
            let file = entry.path();
            tracing::warn!(
                file = %file.display(),
                "removed a snapshot torn by a crash; the state is read from its log"
            );
            removed += 1;
        }
    }
    Ok(removed)
}

/// The engine makes its files with the process's umask; the folder's own mode already shuts others
/// out, so a failure here is not worth stopping for.
pub(super) fn tighten(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let mode = if entry.path().is_dir() { 0o700 } else { 0o600 };
        let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode));
    }
}
