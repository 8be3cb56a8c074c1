//! Where a hook is: an URL, read once, and what of it may be shown.

use std::fmt;

use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::creds::Secret;
use crate::store::HookId;

/// The longest URL of a hook, bytes.
pub const MAX_ADDRESS: usize = 2048;

/// The URL of a hook. Shown without what may be secret in it: user, password, path and query.
#[derive(Clone)]
pub struct HookAddress {
    /// Whether it is `https`.
    pub(super) tls: bool,
    /// A name or an address, an IPv6 one without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// As the `Host` header has it.
    pub(super) authority: String,
    /// What is asked for: path and query.
    pub(super) target: Secret,
    /// The value of `Authorization`, when the URL has a user.
    pub(super) authorization: Option<Secret>,
    id: HookId,
}

impl HookAddress {
    /// Reads an URL.
    ///
    /// # Errors
    /// A sentence that says what to write; it repeats nothing of the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let wrong =
            || "is no URL; write one such as \"https://app.example.org/hooks/calls\"".to_owned();
        if url.len() > MAX_ADDRESS {
            return Err(format!("is longer than {MAX_ADDRESS} bytes"));
        }
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        if host.is_empty() || port == 0 || url.contains('#') {
            return Err(wrong());
        }
        let (user, bare) = match authority.as_str().rsplit_once('@') {
            Some((user, bare)) => (Some(user), bare),
            None => (None, authority.as_str()),
        };
        let basic = |user: &str| format!("Basic {}", STANDARD.encode(percent_decoded(user)));
        let hash = Sha256::digest(url.as_bytes());
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        Ok(Self {
            tls,
            host,
            port,
            authority: bare.to_owned(),
            target: Secret::from(uri.path_and_query().map_or("/", |all| all.as_str()).to_owned()),
            authorization: user.map(|user| Secret::from(basic(user))),
            id: HookId(id),
        })
    }

    /// Whose queue it is: the same for the same URL.
    pub fn id(&self) -> HookId {
        self.id
    }
}

/// RFC 3986 section 2.1; what is no code stays as it is.
fn percent_decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let code = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => (bytes.push(byte), rest = &after[2..]),
            None => (bytes.push(*first), rest = after),
        };
    }
    bytes
}

impl PartialEq for HookAddress {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Where it is, and no more: many receivers have their secret in the path or in the query.
impl fmt::Display for HookAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}/…", self.authority)
    }
}

impl fmt::Debug for HookAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_url_is_taken_apart() {
        let url = "https://ann:p%40ss@hooks.example.org:8443/a/b?token=swordfish";
        let address = HookAddress::parse(url).expect("an URL");
        assert!(address.tls);
        assert_eq!((address.host.as_str(), address.port), ("hooks.example.org", 8443));
        assert_eq!(address.authority, "hooks.example.org:8443");
        assert_eq!(address.target.expose(), "/a/b?token=swordfish");
        let authorization = address.authorization.as_ref().map(Secret::expose);
        assert_eq!(authorization, Some("Basic YW5uOnBAc3M="));
        let address = HookAddress::parse("http://[::1]").expect("an URL");
        assert_eq!((address.host.as_str(), address.port, address.tls), ("::1", 80, false));
        assert_eq!((address.target.expose(), address.authority.as_str()), ("/", "[::1]"));
    }

    #[test]
    fn nothing_secret_of_it_is_shown() {
        let url = "https://ann:p%40ss@hooks.example.org/T0KEN/b?token=swordfish";
        let address = HookAddress::parse(url).expect("an URL");
        for text in [format!("{address}"), format!("{address:?}")] {
            assert_eq!(text, "https://hooks.example.org/…");
        }
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused_without_being_repeated() {
        for url in ["", "hooks.example.org/x", "ftp://swordfish.example", "http://", "/x", "http:x"]
        {
            let error = HookAddress::parse(url).expect_err(url);
            assert!(error.contains("https://app.example.org") && !error.contains("swordfish"));
        }
        assert!(HookAddress::parse("http://a:0/").is_err());
        assert!(HookAddress::parse("http://a/#x").is_err());
        assert!(HookAddress::parse(&format!("http://a/{}", "x".repeat(3000))).is_err());
    }

    #[test]
    fn the_same_url_is_the_same_hook() {
        let id = |url| HookAddress::parse(url).expect("an URL").id();
        assert_eq!(id("http://a/x"), id("http://a/x"));
        assert_ne!(id("http://a/x"), id("http://a/y"));
    }
}
