//! Compact JSON Web Signatures with HMAC-SHA256 and nothing else (RFC 7515 section 3.1, RFC 7518
//! section 3.2). It signs and verifies bytes; what they mean is its caller's business.
//!
//! Written here because the usual crate keeps its algorithms behind a provider that is set once
//! for the whole process, and reads the clock: the core does neither. With one algorithm, and
//! every header field refused that could point at another key, there is nothing to be confused by.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Why a token is not one that a holder of the key signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Not three parts of base64url, or not JSON where there must be JSON.
    Malformed,
    /// Another algorithm than HS256, or a header that names a key or an extension.
    Algorithm,
    /// The key did not sign this.
    Signature,
}

/// `kid`, `jku`, `jwk`, `x5u`, `x5c`, `crit`, `zip` and whatever comes are unknown fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: Option<String>,
}

/// `header.payload.signature`.
pub(super) fn sign(key: &[u8; 32], payload: &[u8]) -> String {
    let mut token = BASE64URL.encode(HEADER);
    token.push('.');
    BASE64URL.encode_string(payload, &mut token);
    let signature = mac(key, token.as_bytes());
    token.push('.');
    BASE64URL.encode_string(signature, &mut token);
    token
}

/// The payload, once the signature is known to be right. Nothing of it is looked at before.
pub(super) fn verify(key: &[u8; 32], token: &str) -> Result<Vec<u8>, Refused> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(Refused::Malformed)?;
    let [header, payload, signature] = [decode(header)?, decode(payload)?, decode(signature)?];
    if !is_hs256(&header) {
        return Err(Refused::Algorithm);
    }
    let genuine: bool = mac(key, signed.as_bytes()).ct_eq(&signature).into();
    if genuine { Ok(payload) } else { Err(Refused::Signature) }
}

fn is_hs256(header: &[u8]) -> bool {
    let Ok(header) = serde_json::from_slice::<Header>(header) else { return false };
    let is_jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    header.alg == "HS256" && is_jwt
}

/// Strict: no padding, no line ends, no stray bits at the end.
fn decode(part: &str) -> Result<Vec<u8>, Refused> {
    BASE64URL.decode(part).map_err(|_| Refused::Malformed)
}

pub(super) fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

    fn signed_with_header(header: &str) -> String {
        let signed = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode("{}"));
        let signature = BASE64URL.encode(mac(&KEY, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    #[test]
    fn the_layout_is_the_one_other_libraries_read() {
        // RFC 7515 appendix A.1 has the layout; its header differs from ours in order and spaces.
        let token = sign(&KEY, br#"{"sub":"a"}"#);
        let header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIn0.";
        assert!(token.starts_with(header));
        assert_eq!(token.len(), header.len() + 43);
    }

    #[test]
    fn a_header_in_another_order_or_without_a_type_is_fine() {
        for header in [r#"{"typ":"jwt","alg":"HS256"}"#, r#" { "alg" : "HS256" } "#] {
            assert_eq!(verify(&KEY, &signed_with_header(header)), Ok(b"{}".to_vec()), "{header}");
        }
    }

    #[test]
    fn every_other_algorithm_and_every_pointer_to_a_key_is_refused() {
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"None","typ":"JWT"}"#,
            r#"{"alg":""}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":"HS384"}"#,
            r#"{"alg":"RS256"}"#,
            r#"{"typ":"JWT"}"#,
            r#"{"alg":"HS256","alg":"none"}"#,
            r#"{"alg":"HS256","kid":"../../dev/null"}"#,
            r#"{"alg":"HS256","jwk":{"kty":"oct","k":""}}"#,
            r#"{"alg":"HS256","crit":["exp"]}"#,
            r#"{"alg":"HS256","typ":"JWE"}"#,
            r#"["HS256"]"#,
            "",
        ] {
            let refused = verify(&KEY, &signed_with_header(header));
            assert_eq!(refused, Err(Refused::Algorithm), "{header}");
        }
    }

    #[test]
    fn an_unsigned_token_is_refused() {
        let unsigned = format!("{}.{}.", BASE64URL.encode(HEADER), BASE64URL.encode("{}"));
        assert_eq!(verify(&KEY, &unsigned), Err(Refused::Signature));
    }

    #[test]
    fn two_or_four_parts_are_no_token() {
        let token = sign(&KEY, b"{}");
        assert_eq!(verify(&KEY, "a.b"), Err(Refused::Malformed));
        assert_eq!(verify(&KEY, &format!("{token}.")), Err(Refused::Malformed));
        assert_eq!(verify(&KEY, &format!("{token}.e30")), Err(Refused::Malformed));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_refused(payload in any::<Vec<u8>>(), place: usize, bit in 0u8..7) {
            let mut token = sign(&KEY, &payload).into_bytes();
            let place = place % token.len();
            token[place] ^= 1 << bit;
            let token = String::from_utf8(token).expect("ASCII with a bit flipped is ASCII");
            prop_assert!(verify(&KEY, &token).is_err());
        }

        #[test]
        fn no_text_panics_or_passes(text in any::<String>()) {
            prop_assert!(verify(&KEY, &text).is_err());
        }
    }
}
