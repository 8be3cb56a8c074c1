//! Password hashes off the runtime, a few at a time: each takes a core for tens of milliseconds and
//! 19 MiB, which a flood of logins must not multiply.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::api::errors::{ApiError, Code};
use crate::creds::password::{PasswordHash, SALT};

/// Hashes computed at once, at most; half of the cores where there are fewer.
const MOST_AT_ONCE: usize = 4;
/// Logins that may wait for their turn, beside those.
const WAITING: usize = 64;
/// How long one may wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// The places in which hashes are computed.
pub(super) struct Hashing {
    /// Who is here, at work or waiting.
    here: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
    computed: Arc<AtomicU64>,
}

/// What came of comparing.
pub(super) struct Compared {
    /// Whether it is the password.
    pub(super) good: bool,
    /// The same password hashed as we do, where it was not.
    pub(super) rehashed: Option<PasswordHash>,
}

impl Hashing {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with((cores / 2).clamp(1, MOST_AT_ONCE), WAITING)
    }

    fn with(at_once: usize, waiting: usize) -> Self {
        Self {
            here: Arc::new(Semaphore::new(at_once + waiting)),
            at_work: Arc::new(Semaphore::new(at_once)),
            computed: Arc::default(),
        }
    }

    /// Hashes computed so far.
    pub(super) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// Whether `password` is the one of `hash`; for nobody's hash it is not. What is wrong takes the
    /// same work whoever it is about: one hash of ours and, where the store has `foreign` ones, one
    /// of those.
    ///
    /// # Errors
    /// When too many wait already.
    pub(super) async fn compare(
        &self,
        hash: Option<PasswordHash>,
        foreign: Option<PasswordHash>,
        password: String,
    ) -> Result<Compared, ApiError> {
        let computed = Arc::clone(&self.computed);
        let mut salt = [0; SALT];
        // The system's generator fails only where nothing else works either.
        getrandom::fill(&mut salt).expect("the system has random numbers");
        self.run(move || {
            let password = zeroize::Zeroizing::new(password);
            let verify = |hash: &PasswordHash| {
                computed.fetch_add(1, Ordering::Relaxed);
                hash.verify(&password)
            };
            let decoy = PasswordHash::decoy();
            let is_foreign = hash.as_ref().is_some_and(PasswordHash::needs_rehash);
            let matches = verify(hash.as_ref().unwrap_or(&decoy));
            let good = hash.is_some() && matches;
            if !good {
                let other = if is_foreign { Some(&decoy) } else { foreign.as_ref() };
                let _ = other.map(verify);
            }
            let again = good && is_foreign;
            Compared {
                good,
                rehashed: again.then(|| PasswordHash::of(&password, salt).ok()).flatten(),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let busy = || {
            let text = "Too many people are logging in just now.";
            ApiError::with(Code::Unavailable, text).retry_after(2)
        };
        let here = Arc::clone(&self.here).try_acquire_owned().map_err(|_| busy())?;
        let turn = Arc::clone(&self.at_work).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if nobody waits for it any more.
            let _places = (here, turn);
            work()
        });
        done.await.map_err(|_| Code::Internal.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn when_too_many_wait_the_next_one_is_sent_away() {
        let hashing = Arc::new(Hashing::with(1, 1));
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let first = Arc::clone(&hashing);
        let first = tokio::spawn(async move { first.run(move || held.recv().is_err()).await });
        let second = Arc::clone(&hashing);
        let second = tokio::spawn(async move { second.run(|| ()).await });
        while hashing.here.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = hashing.run(|| ()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        drop(hold);
        assert!(first.await.unwrap().is_ok() && second.await.unwrap().is_ok());
        assert!(hashing.run(|| ()).await.is_ok());
    }

    #[tokio::test]
    async fn whoever_it_is_about_a_failure_takes_the_same_work() {
        let hashing = Hashing::with(1, 8);
        let ours = PasswordHash::new("correct horse", [1; SALT]).unwrap();
        let text = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
        let foreign = PasswordHash::try_from(text.to_owned()).unwrap();
        let work = async |hash: Option<&PasswordHash>, foreign: Option<&PasswordHash>| {
            let before = hashing.computed();
            let compared = hashing.compare(hash.cloned(), foreign.cloned(), "wrong horse".into());
            assert!(!compared.await.unwrap().good);
            hashing.computed() - before
        };
        assert_eq!(work(None, None).await, 1);
        assert_eq!(work(Some(&ours), None).await, 1);
        for hash in [None, Some(&ours), Some(&foreign)] {
            assert_eq!(work(hash, Some(&foreign)).await, 2);
        }
    }

    #[tokio::test]
    async fn the_right_password_of_another_kind_is_hashed_anew() {
        let hashing = Hashing::with(1, 8);
        let text = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
        let foreign = PasswordHash::try_from(text.to_owned()).unwrap();
        let password = "correctbatteryhorsestapler";
        let compared = hashing.compare(Some(foreign), None, password.into()).await.unwrap();
        let rehashed = compared.rehashed.unwrap();
        assert!(compared.good && !rehashed.needs_rehash() && rehashed.verify(password));
        let again = hashing.compare(Some(rehashed), None, password.into()).await.unwrap();
        assert!(again.good && again.rehashed.is_none());
    }
}
