//! Any text as what people show or bring along: a name, a refresh token, an access token, the hash of a
//! password.

use std::time::Duration;

use relayhouse::creds::password::{MAX_HASH, PasswordHash};
use relayhouse::creds::session_token::RefreshToken;
use relayhouse::creds::ticket::TicketKey;
use relayhouse::creds::user_name::{MAX_USER_NAME, user_name};
use relayhouse::time::UnixTime;

/// Reads `bytes` as each of them.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(name) = user_name(text) {
        assert!(name.len() <= MAX_USER_NAME && !name.contains(char::is_control));
        assert_eq!(user_name(&name).as_deref(), Ok(name.as_str()), "a name is its own name");
    }
    if let Some(token) = RefreshToken::parse(text) {
        assert_eq!(token.text(), text);
        assert_eq!(token.next([0; 32]).session(), token.session());
    }
    let key = TicketKey::new([1; 32]);
    assert!(key.verify_access(Duration::ZERO, UnixTime(1), text).is_err(), "nobody signed this");
    if let Ok(hash) = PasswordHash::try_from(text.to_owned()) {
        assert_eq!(hash.as_str(), text);
        assert!(text.len() <= MAX_HASH && !format!("{hash:?}").contains(text));
        // Only what costs next to nothing.
        if text.starts_with("$2b$04$") || text.contains("$m=8,t=1,p=1$") {
            hash.verify("correct horse");
        }
    }
}
