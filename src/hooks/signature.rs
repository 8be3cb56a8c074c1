//! What proves that a delivery is ours and recent: an HMAC over the time and the body.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::creds::Secret;
use crate::time::UnixTime;

/// The value of `Relayhouse-Signature`: `t=<unix seconds>,v1=<hex>`, where `v1` is HMAC-SHA256 of
/// `<t>.<body>` under the secret's text. Several secrets give several `v1`: one that matches is enough.
pub fn signature(secrets: &[Secret], at: UnixTime, body: &str) -> String {
    let mut text = format!("t={}", at.0);
    for secret in secrets {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
            .expect("HMAC takes any key length");
        mac.update(at.0.to_string().as_bytes());
        mac.update(b".");
        mac.update(body.as_bytes());
        text.push_str(",v1=");
        for byte in mac.finalize().into_bytes() {
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_openssl_makes_of_time_and_body() {
        // printf '1700000000.{"id":1}' | openssl dgst -sha256 -hmac north
        let made =
            signature(&[Secret::from("north".to_owned())], UnixTime(1_700_000_000), r#"{"id":1}"#);
        assert_eq!(
            made,
            "t=1700000000,v1=27d5caa97b1b90cb3ac6d06de25486b4332ec552faf230f6eaaad54134e36f42"
        );
    }

    #[test]
    fn every_secret_signs() {
        let secrets = ["one", "two"].map(|text| Secret::from(text.to_owned()));
        let both = signature(&secrets, UnixTime(1), "{}");
        for secret in &secrets {
            let alone = signature(std::slice::from_ref(secret), UnixTime(1), "{}");
            assert!(both.contains(alone.trim_start_matches("t=1,")), "{both}");
        }
    }
}
