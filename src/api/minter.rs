//! ICE servers with fresh credentials, in the shape `RTCPeerConnection` takes.
//!
//! One bad entry makes a browser refuse the whole configuration: there is never a query on `stun:`,
//! never another transport than `udp` or `tcp`, never a TURN entry without credentials, and only
//! what really listens.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::creds::rest::{self, MintError};
use crate::creds::uri::{Endpoint, stun_uri, turn_uri};
use crate::creds::{Allowance, Secret};
use crate::net::Transport;
use crate::time::UnixTime;

/// Makes ICE servers from the secret the relay checks against. Swapped as a whole on a reload.
#[derive(Clone, Debug)]
pub struct Minter {
    /// The REST shared secret that signs: the first one where there are several.
    pub secret: Secret,
    /// Between expiry and subject, as the relay splits them.
    pub separator: char,
    /// How long a credential for an application or a host lives.
    pub ttl: Duration,
    /// How long a credential for a guest lives at most.
    pub guest_ttl: Duration,
    /// Where the relay really listens, under the names or addresses clients reach it by. Those over
    /// UDP serve STUN as well.
    pub endpoints: Vec<Endpoint>,
}

/// One entry of `iceServers`. `Debug` leaves the password out.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` URIs.
    pub urls: Vec<String>,
    /// `<expiry>:<subject>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// A part of an `RTCConfiguration`, and how long it is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IceConfig {
    /// STUN first, then TURN over UDP, TCP and TLS.
    pub ice_servers: Vec<IceServer>,
    /// Seconds from now.
    pub ttl: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

impl Minter {
    /// ICE servers for `subject`, with credentials good for `ttl` from `now`; ask with
    /// [`ttl`](Self::ttl) or [`guest_ttl`](Self::guest_ttl), or less.
    ///
    /// # Errors
    /// When `subject` makes no username: too long, or with control characters.
    pub fn ice_servers(
        &self,
        now: UnixTime,
        subject: &str,
        ttl: Duration,
    ) -> Result<IceConfig, MintError> {
        self.limited(now, subject, ttl, None)
    }

    /// The same with credentials that open no more than `allowance`.
    ///
    /// # Errors
    /// When `subject` makes no username: too long, or with control characters.
    pub fn limited(
        &self,
        now: UnixTime,
        subject: &str,
        ttl: Duration,
        allowance: Option<Allowance>,
    ) -> Result<IceConfig, MintError> {
        let marked = allowance.map(|allowance| allowance.mark(subject));
        let subject = marked.as_deref().unwrap_or(subject);
        let minted = rest::mint(&self.secret, subject, now.plus(ttl), self.separator)?;
        let turn: Vec<_> = [Transport::Udp, Transport::Tcp, Transport::Tls]
            .into_iter()
            .flat_map(|transport| self.over(transport).map(turn_uri))
            .collect();
        let mut ice_servers = Vec::with_capacity(2);
        ice_servers.extend(self.stun());
        if !turn.is_empty() {
            ice_servers.push(IceServer {
                urls: turn,
                username: Some(minted.username),
                credential: Some(minted.credential),
            });
        }
        Ok(IceConfig { ice_servers, ttl: ttl.as_secs(), expires_at: minted.expires.0 })
    }

    /// What needs no credential.
    pub fn stun(&self) -> Option<IceServer> {
        let uri = |endpoint: &Endpoint| stun_uri(&endpoint.host, endpoint.port);
        let urls: Vec<_> = self.over(Transport::Udp).map(uri).collect();
        (!urls.is_empty()).then_some(IceServer { urls, username: None, credential: None })
    }

    fn over(&self, transport: Transport) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(move |endpoint| endpoint.transport == transport)
    }
}

impl IceConfig {
    /// The same as values of `Link` headers (RFC 9725 section 4.6), one per URI.
    pub fn links(&self) -> impl Iterator<Item = String> + '_ {
        self.ice_servers.iter().flat_map(|server| {
            let mut parameters = String::from("; rel=\"ice-server\"");
            if let (Some(username), Some(credential)) = (&server.username, &server.credential) {
                parameters += &format!(
                    "; username={}; credential={}; credential-type=\"password\"",
                    quoted(username),
                    quoted(credential)
                );
            }
            server.urls.iter().map(move |url| format!("<{url}>{parameters}"))
        })
    }
}

/// A quoted string (RFC 9110 section 5.6.4).
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minter(transports: &[(Transport, u16)]) -> Minter {
        let endpoint =
            |&(transport, port): &(_, _)| Endpoint { host: "2001:db8::1".into(), port, transport };
        Minter {
            secret: Secret::from("north"),
            separator: ':',
            ttl: Duration::from_secs(86400),
            guest_ttl: Duration::from_secs(900),
            endpoints: transports.iter().map(endpoint).collect(),
        }
    }

    fn config(transports: &[(Transport, u16)]) -> IceConfig {
        let minter = minter(transports);
        minter.ice_servers(UnixTime(100), "alice", Duration::from_secs(60)).unwrap()
    }

    #[test]
    fn stun_comes_first_then_turn_over_udp_tcp_and_tls() {
        let config =
            config(&[(Transport::Tls, 443), (Transport::Tcp, 3478), (Transport::Udp, 3478)]);
        assert_eq!(config.ice_servers[0].urls, ["stun:[2001:db8::1]:3478"]);
        assert_eq!(
            config.ice_servers[1].urls,
            [
                "turn:[2001:db8::1]:3478?transport=udp",
                "turn:[2001:db8::1]:3478?transport=tcp",
                "turns:[2001:db8::1]:443?transport=tcp"
            ]
        );
        assert_eq!(config.ice_servers[1].username.as_deref(), Some("160:alice"));
        assert_eq!((config.ttl, config.expires_at), (60, 160));
    }

    #[test]
    fn what_does_not_listen_is_not_named() {
        let tcp_only = config(&[(Transport::Tcp, 3478)]);
        assert_eq!(tcp_only.ice_servers.len(), 1);
        assert_eq!(tcp_only.ice_servers[0].urls, ["turn:[2001:db8::1]:3478?transport=tcp"]);
        assert!(config(&[]).ice_servers.is_empty());
    }

    #[test]
    fn a_stun_entry_has_no_credential_fields_in_json() {
        let json = serde_json::to_value(config(&[(Transport::Udp, 3478)])).unwrap();
        let keys: Vec<_> = json["iceServers"][0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["urls"]);
        assert_eq!(json["expiresAt"], 160);
    }

    #[test]
    fn link_headers_carry_quoted_credentials() {
        let minter = minter(&[(Transport::Udp, 1)]);
        let config = minter.ice_servers(UnixTime(1), "a\"b\\c", Duration::from_secs(9)).unwrap();
        let links: Vec<_> = config.links().collect();
        assert_eq!(links[0], "<stun:[2001:db8::1]:1>; rel=\"ice-server\"");
        assert!(links[1].contains(r#"; username="10:a\"b\\c"; credential=""#), "{}", links[1]);
        assert!(links[1].ends_with("; credential-type=\"password\""));
    }

    #[test]
    fn debug_shows_no_password() {
        let config = config(&[(Transport::Udp, 1)]);
        let password = config.ice_servers[1].credential.clone().unwrap();
        assert!(!format!("{config:?}").contains(&password));
    }

    #[test]
    fn a_subject_that_does_not_fit_is_refused() {
        let minter = minter(&[(Transport::Udp, 1)]);
        assert!(minter.ice_servers(UnixTime(1), &"x".repeat(600), minter.ttl).is_err());
    }
}
