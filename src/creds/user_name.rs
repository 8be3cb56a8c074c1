//! Names of people (RFC 8265 section 3.3, UsernameCaseMapped): one person has one name, however it
//! is typed.

use std::borrow::Cow;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use thiserror::Error;

/// The longest name, in bytes: it becomes the subject of TURN credentials.
pub const MAX_USER_NAME: usize = 64;

/// Subjects of credentials that are nobody's name; see `docs/credentials.md`.
const RESERVED: [&str; 4] = ["open", "operator", "anonymous", "anybody"];
/// What subjects begin with that are made for applications and checks, and owners that are holders of
/// tickets.
const RESERVED_PREFIXES: [&str; 3] = ["key-", "check-", "ticket-"];

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UserNameError {
    /// Nothing, or more than [`MAX_USER_NAME`] bytes.
    #[error("a user's name has 1 to {MAX_USER_NAME} bytes")]
    Length,
    /// Spaces, control characters, signs that are no letters, and what ends a credential's subject.
    #[error(
        "a user's name has letters, digits and ASCII signs but `;`, no spaces, no control characters"
    )]
    Characters,
    /// A name that means something else in a credential.
    #[error(
        "this name is taken by the server itself: not open, operator, anonymous, anybody, key-…, check-… \
         or ticket-…"
    )]
    Reserved,
}

/// The name as it is stored and compared: lower case, composed, without wide letters. Applying it
/// again changes nothing.
///
/// # Errors
/// Why the text is no name.
pub fn user_name(text: &str) -> Result<String, UserNameError> {
    // Lower case can be longer than upper case, so both are bounded.
    if text.is_empty() || text.len() > MAX_USER_NAME {
        return Err(UserNameError::Length);
    }
    let name: Cow<'_, str> =
        UsernameCaseMapped::enforce(text).map_err(|_| UserNameError::Characters)?;
    if name.chars().any(|c| c == ';' || c.is_control() || c.is_whitespace()) {
        return Err(UserNameError::Characters);
    }
    if name.is_empty() || name.len() > MAX_USER_NAME {
        return Err(UserNameError::Length);
    }
    let prefixed = RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if prefixed || RESERVED.contains(&&*name) {
        return Err(UserNameError::Reserved);
    }
    Ok(name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_width_and_composition_do_not_make_another_person() {
        assert_eq!(user_name("Alice").as_deref(), Ok("alice"));
        assert_eq!(user_name("Ａlice").as_deref(), Ok("alice"));
        assert_eq!(user_name("Zoe\u{308}"), user_name("zo\u{eb}"));
        assert_eq!(user_name("alice@example.org").as_deref(), Ok("alice@example.org"));
    }

    #[test]
    fn spaces_controls_and_nothing_are_no_names() {
        for text in ["a b", "a\nb", "a\u{0}", "\u{200b}", "a\u{3000}b", "\u{202e}a", "☃", "a;b"] {
            assert_eq!(user_name(text), Err(UserNameError::Characters), "{text:?}");
        }
        assert_eq!(user_name(""), Err(UserNameError::Length));
        assert_eq!(user_name(&"a".repeat(65)), Err(UserNameError::Length));
    }

    #[test]
    fn subjects_of_the_server_are_nobodys_name() {
        for text in ["open", "OPERATOR", "key-4fJx", "Check-1", "Ticket-1"] {
            assert_eq!(user_name(text), Err(UserNameError::Reserved), "{text}");
        }
        assert!(user_name("keyes").is_ok());
    }

    proptest! {
        #[test]
        fn a_name_is_its_own_name(text in "\\PC{0,20}") {
            if let Ok(name) = user_name(&text) {
                prop_assert_eq!(user_name(&name), Ok(name.clone()));
                prop_assert!(name.len() <= MAX_USER_NAME);
            }
        }
    }
}
