//! Usernames, passwords and realms as different generations of clients compute with them.
//!
//! RFC 8489 wants OpaqueString (RFC 8265 section 4.2), RFC 5389 SASLprep (RFC 4013), and browsers
//! take what they are given. For ASCII all three are the same text.

use std::borrow::Cow;

use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation;

/// The OpaqueString form; `None` where the profile refuses the text (controls, unassigned code
/// points, nothing at all).
pub(super) fn opaque(text: &str) -> Option<Cow<'_, str>> {
    OpaqueString::enforce(text).ok()
}

/// The form names are looked up by: OpaqueString, or the text itself where there is none.
pub(super) fn canonical(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    opaque(text).unwrap_or(Cow::Borrowed(text))
}

/// Every text a client may hash when its user typed `text`, without repetition: `text` itself
/// first, then OpaqueString's, then SASLprep's, computed when they are asked for. One for ASCII,
/// three at most.
pub(super) fn forms(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let prepared = std::iter::once_with(move || prepared(text)).flatten().flatten();
    std::iter::once(Cow::Borrowed(text)).chain(prepared)
}

fn prepared(text: &str) -> [Option<Cow<'_, str>>; 2] {
    if text.is_ascii() {
        return [None, None];
    }
    let opaque = opaque(text).filter(|form| form != text);
    let sasl = stringprep::saslprep(text).ok();
    let sasl = sasl.filter(|form| form != text && opaque.as_ref() != Some(form));
    [opaque, sasl]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<String> {
        forms(text).map(Cow::into_owned).collect()
    }

    #[test]
    fn ascii_has_one_form() {
        assert_eq!(all("pass word"), ["pass word"]);
    }

    #[test]
    fn decomposed_letters_have_a_composed_form() {
        assert_eq!(all("e\u{301}"), ["e\u{301}", "\u{e9}"]);
    }

    /// RFC 8265 keeps compatibility characters (NFC), RFC 4013 folds them (NFKC).
    #[test]
    fn the_two_profiles_differ_on_compatibility_characters() {
        assert_eq!(all("e\u{301}\u{ff21}"), ["e\u{301}\u{ff21}", "\u{e9}\u{ff21}", "\u{e9}A"]);
    }

    /// RFC 8489 section 9.2.2 / RFC 5769 section 2.4: the soft hyphen and the Roman numeral of
    /// the sample password "TheMatrIX" vanish and unfold in SASLprep.
    #[test]
    fn the_sample_password_becomes_its_ascii_twin() {
        assert!(all("The\u{ad}M\u{aa}tr\u{2168}").contains(&"TheMatrIX".to_owned()));
    }

    #[test]
    fn spaces_of_other_scripts_become_plain_spaces() {
        assert_eq!(canonical("a\u{3000}b"), "a b");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_text_is_its_own_first_form(text in any::<String>()) {
            prop_assert_eq!(&*forms(&text).next().expect("the text itself"), &*text);
            let _ = canonical(&text);
            prop_assert!(forms(&text).count() <= 3);
        }
    }
}
