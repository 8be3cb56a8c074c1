//! Sessions: what starts them, prolongs them, and ends them.

use std::net::IpAddr;
use std::time::Duration;

use super::SessionSettings;
use crate::api::errors::{ApiError, Code};
use crate::api::{Api, ids};
use crate::creds::access::{AUDIENCE, AccessClaims, ISSUER};
use crate::creds::session_token::{OPAQUE, RefreshToken, opaque, opaque_session};
use crate::creds::ticket::TicketError;
use crate::store::{SessionError, SessionId, SessionKind, SessionRecord, UserRecord};

/// How long a session with one opaque token lives after each use.
pub const MEETINGS_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// A session that was prolonged so lately is not written again: clients that poll would have the disk
/// write with every question.
const SLACK: Duration = Duration::from_secs(30);

/// A session with what its client is to hold.
#[derive(Clone)]
pub struct StartedSession {
    /// As stored.
    pub session: SessionRecord,
    /// Renews it, or is it: shown this once.
    pub token: String,
    /// An access token.
    pub access: String,
    /// When that one ends, unix seconds.
    pub access_expires: u64,
}

impl std::fmt::Debug for StartedSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartedSession").field("session", &self.session).finish_non_exhaustive()
    }
}

/// Why an access token is no proof: for the log.
type Refused = String;

impl Api {
    /// Starts a session of somebody whose password was checked.
    ///
    /// # Errors
    /// [`Code::InvalidLogin`] when the person was changed meanwhile; the store's.
    pub async fn start_session(
        &self,
        user: &UserRecord,
        kind: SessionKind,
    ) -> Result<StartedSession, ApiError> {
        let now = self.now().unix.0;
        let SessionSettings { sliding, lifetime, .. } = self.settings().sessions;
        let (token, id, family, hash, sliding, lifetime) = match kind {
            // Nobody is given the refresh token of the latter.
            SessionKind::Native | SessionKind::Rooms => {
                let token = RefreshToken::first(random());
                let (id, family) = (token.session(), token.family());
                (token.text(), id, family, token.hash(), sliding, lifetime)
            }
            SessionKind::Meetings => {
                let token = opaque(random());
                let (id, hash) = opaque_session(&token);
                (token, id, hash, hash, true, MEETINGS_LIFETIME)
            }
        };
        let session = SessionRecord {
            id: SessionId(id),
            user: user.name.clone(),
            kind,
            created: now,
            expires: now.saturating_add(lifetime.as_secs()),
            sliding,
            lifetime: lifetime.as_secs(),
            family,
            token: hash,
        };
        match self.store().sessions().start(session.clone(), user).await {
            Ok(()) => Ok(self.with_access(session, token, user)),
            Err(SessionError::Store(error)) => Err(error.into()),
            Err(_) => Err(Code::InvalidLogin.into()),
        }
    }

    /// The next tokens of the session whose refresh token is shown. One that was used before ends
    /// the session: either the client or a thief has it, and nobody can say which.
    ///
    /// # Errors
    /// [`Code::SessionOver`]; the store's.
    pub(super) async fn refresh_session(
        &self,
        client: IpAddr,
        token: &str,
    ) -> Result<(UserRecord, StartedSession), ApiError> {
        let refused = |why: &str| {
            self.limiters().failures.check(client)?;
            tracing::info!(%client, why, "refused a refresh token");
            Err(ApiError::new(Code::SessionOver))
        };
        let Some(shown) = RefreshToken::parse(token) else {
            return refused("this is no refresh token");
        };
        let (id, next) = (SessionId(shown.session()), shown.next(random()));
        let now = self.now().unix.0;
        let sessions = self.store().sessions();
        let rotated = sessions.rotate(&id, shown.family(), shown.hash(), next.hash(), now).await;
        let session = match rotated {
            Ok(session) => session,
            Err(SessionError::Store(error)) => return Err(error.into()),
            Err(SessionError::Reused(user)) => {
                let text = "an old refresh token was shown again: its session has ended";
                tracing::warn!(%client, user, "{text}");
                return Err(Code::SessionOver.into());
            }
            Err(why) => return refused(&why.to_string()),
        };
        match self.store().users().find(&session.user)?.filter(|user| user.active) {
            Some(user) => {
                let started = self.with_access(session, next.text(), &user);
                Ok((user, started))
            }
            None => refused("the user is gone"),
        }
    }

    /// Who holds this access token, and the session it belongs to.
    ///
    /// # Errors
    /// [`Code::InvalidToken`] when it is none, or its session is over; the store's.
    pub fn access(&self, token: &str) -> Result<(UserRecord, SessionRecord), ApiError> {
        self.access_or_why(token)?.map_err(|_| Code::InvalidToken.into())
    }

    /// As [`access`](Self::access), with the reason for the log.
    pub(in crate::api) fn access_or_why(
        &self,
        token: &str,
    ) -> Result<Result<(UserRecord, SessionRecord), Refused>, ApiError> {
        let (now, leeway) = (self.now().unix, self.settings().sessions.leeway);
        let claims = match self.tickets().verify_access(leeway, now, token) {
            Ok(claims) => claims,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if self.store().revoked().contains(&claims.jti)? {
            return Ok(Err(TicketError::Revoked.to_string()));
        }
        let session = self.store().sessions().find(&SessionId(claims.sid))?;
        let session = session.filter(|session| session.user == claims.sub);
        Ok(self.holder(session)?.ok_or_else(|| "the session is over".to_owned()))
    }

    /// Who holds this opaque token. The use prolongs the session, by half a minute more than it
    /// should at most.
    ///
    /// # Errors
    /// [`Code::InvalidToken`] when there is no such session; the store's.
    pub fn opaque_session(&self, token: &str) -> Result<(UserRecord, SessionRecord), ApiError> {
        if token.len() != OPAQUE {
            return Err(Code::InvalidToken.into());
        }
        let (id, hash) = opaque_session(token);
        let session = self.store().sessions().find(&SessionId(id))?;
        let session = session.filter(|it| it.kind == SessionKind::Meetings && it.token == hash);
        let (user, mut session) = self.holder(session)?.ok_or(Code::InvalidToken)?;
        let least = self.now().unix.0.saturating_add(session.lifetime);
        if session.sliding && session.expires < least {
            session.expires = least.saturating_add(SLACK.as_secs());
            // Nobody waits for the disk: a crash forgets some seconds of a session's life.
            drop(self.store().sessions().prolong(&session.id, session.expires));
        }
        Ok((user, session))
    }

    /// Another access token for whoever shows a good one, for clients that know no refresh token. It
    /// prolongs a session that slides. One that has a refresh token is renewed with that alone, or an
    /// access token in the wrong hands would last as long as the session.
    ///
    /// # Errors
    /// [`Code::InvalidToken`]; the store's.
    pub(in crate::api) async fn another_access(
        &self,
        token: &str,
    ) -> Result<(String, u64), ApiError> {
        let (user, mut session) = self.access(token)?;
        if session.kind != SessionKind::Rooms {
            return Err(Code::InvalidToken.into());
        }
        if session.sliding {
            session.expires = self.now().unix.0.saturating_add(session.lifetime);
            self.store().sessions().prolong(&session.id, session.expires).await?;
        }
        let StartedSession { access, access_expires, .. } =
            self.with_access(session, String::new(), &user);
        Ok((access, access_expires))
    }

    /// Ends a session: its tokens are refused from now on. `false` when it was over.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_session(&self, id: &SessionId) -> Result<bool, ApiError> {
        Ok(self.store().sessions().end(id).await?)
    }

    /// The session with its person, if both are there and good.
    fn holder(
        &self,
        session: Option<SessionRecord>,
    ) -> Result<Option<(UserRecord, SessionRecord)>, ApiError> {
        let now = self.now().unix.0;
        let Some(session) = session.filter(|session| !session.is_over(now)) else {
            return Ok(None);
        };
        let user = self.store().users().find(&session.user)?;
        Ok(user.filter(|user| user.active).map(|user| (user, session)))
    }

    fn with_access(
        &self,
        session: SessionRecord,
        token: String,
        user: &UserRecord,
    ) -> StartedSession {
        let now = self.now().unix;
        let access_expires = now.plus(self.settings().sessions.access).0.min(session.expires);
        let access = self.tickets().sign_access(&AccessClaims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: user.name.clone(),
            exp: access_expires,
            iat: now.0,
            jti: ids::fresh(),
            sid: session.id.0.clone(),
            role: user.role,
        });
        StartedSession { session, token, access, access_expires }
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's generator fails only where nothing else works either.
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}
