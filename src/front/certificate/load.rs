//! Two files, or nothing at all, into a certificate that rustls can sign with.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use zeroize::Zeroizing;

use super::{Certificate, CertificateError, Pair};

/// The largest file that is read: far above any chain.
const LARGEST: u64 = 1024 * 1024;
/// Under which names `--dev` is reached.
const DEV_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Reads and checks a pair. Dates are not looked at: see [`Certificate::complaint`].
///
/// # Errors
/// A sentence that names the file and what is wrong with it.
pub fn load(pair: &Pair) -> Result<Certificate, CertificateError> {
    let chain = chain(&pair.certificate)?;
    let key = private_key(&pair.key)?;
    let key = CertifiedKey::from_der(chain, key, &ring::default_provider());
    key.map(Certificate::new).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => CertificateError::Mismatch {
            key: pair.key.clone(),
            certificate: pair.certificate.clone(),
        },
        Error::InvalidCertificate(what) => CertificateError::Damaged {
            key: "tls.certificate",
            path: pair.certificate.clone(),
            what: what.to_string(),
        },
        error => CertificateError::UnknownKey { path: pair.key.clone(), what: error.to_string() },
    })
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let key = "tls.certificate";
    let text = read(path)
        .map_err(|error| CertificateError::reading(key, "certificate chain", path, error))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| damaged(key, path, &error))?;
    if chain.is_empty() {
        let hint = match contains(&text, b"PRIVATE KEY") {
            true => "; it holds a private key, which belongs into tls.key",
            false => "",
        };
        return Err(CertificateError::NoCertificate { path: path.to_owned(), hint });
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let key = "tls.key";
    let text =
        read(path).map_err(|error| CertificateError::reading(key, "private key", path, error))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            let hint = if contains(&text, b"ENCRYPTED PRIVATE KEY") {
                "; the one it holds is encrypted: take that off with `openssl pkey`"
            } else if contains(&text, b"BEGIN CERTIFICATE") {
                "; it holds a certificate, which belongs into tls.certificate"
            } else {
                ""
            };
            CertificateError::NoKey { path: path.to_owned(), hint }
        }
        error => damaged(key, path, &error),
    })
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // Reserved at once: growing would leave copies of a key behind.
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(LARGEST);
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    file.take(LARGEST).read_to_end(&mut text)?;
    Ok(text)
}

fn damaged(key: &'static str, path: &Path, error: &pem::Error) -> CertificateError {
    // rustls' own words may quote the line it stumbled over, which could be of the key.
    let what = match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section's first line is malformed",
        pem::Error::Base64Decode(_) => "a section is not Base64",
        _ => "it is not PEM",
    };
    CertificateError::Damaged { key, path: path.to_owned(), what: what.to_owned() }
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

/// Whether every user of this host may read a file.
pub fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

/// A fresh one for `localhost`, `127.0.0.1` and `::1`, signed by itself and kept in memory alone.
///
/// # Errors
/// When the system gives no randomness.
pub fn self_signed() -> Result<Certificate, CertificateError> {
    let failed = |what: String| CertificateError::SelfSigned(what);
    let names = DEV_NAMES.map(str::to_owned).to_vec();
    let made = rcgen::generate_simple_self_signed(names).map_err(|e| failed(e.to_string()))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let chain = vec![made.cert.der().clone()];
    CertifiedKey::from_der(chain, key.into(), &ring::default_provider())
        .map(Certificate::new)
        .map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixTime;
    use std::path::PathBuf;
    use tempfile::TempDir;

    struct Files(TempDir);

    impl Files {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        }
    }

    /// A certificate and its key in PEM.
    fn made() -> (String, String) {
        let names = vec!["turn.example.org".to_owned(), "*.calls.example.org".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("made");
        let pem = |label: &str, der: &[u8]| {
            use base64::Engine;
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
        };
        let key = made.signing_key.serialize_der();
        (pem("CERTIFICATE", made.cert.der()), pem("PRIVATE KEY", &key))
    }

    #[track_caller]
    fn refused(pair: &Pair, words: &[&str]) {
        let sentence = load(pair).expect_err("cannot be used").to_string();
        for word in words {
            assert!(sentence.contains(word), "`{word}` is not in: {sentence}");
        }
    }

    #[test]
    fn a_pair_is_read_and_knows_its_names() {
        let (files, (certificate, key)) = (Files::new(), made());
        let certificate = files.write("chain.pem", &certificate);
        let pair = Pair { certificate, key: files.write("key.pem", &key) };
        let loaded = load(&pair).expect("a pair");
        assert_eq!(loaded.names(), ["turn.example.org", "*.calls.example.org"]);
        assert!(loaded.is_for("turn.example.org") && loaded.is_for("a.calls.example.org"));
        assert!(!loaded.is_for("example.org") && !loaded.is_for("192.0.2.1"));
        assert!(!loaded.is_expired(UnixTime(1_800_000_000)));
    }

    #[test]
    fn both_may_be_in_one_file() {
        let (files, (certificate, key)) = (Files::new(), made());
        let both = files.write("both.pem", &(certificate + &key));
        load(&Pair { certificate: both.clone(), key: both }).expect("a pair");
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (files, (certificate, _), (_, other)) = (Files::new(), made(), made());
        let certificate = files.write("chain.pem", &certificate);
        let pair = Pair { certificate, key: files.write("key.pem", &other) };
        refused(&pair, &["tls.key", "key.pem does not belong", "chain.pem"]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let (files, (certificate, _)) = (Files::new(), made());
        let certificate = files.write("chain.pem", &certificate);
        let gone = files.0.path().join("gone.pem");
        let no_key = Pair { certificate, key: gone.clone() };
        refused(&no_key, &["tls.key", "there is no file", "gone.pem"]);
        refused(&Pair { certificate: gone.clone(), key: gone }, &["tls.certificate", "gone.pem"]);
    }

    #[test]
    fn files_that_were_swapped_are_seen() {
        let (files, (certificate, key)) = (Files::new(), made());
        let (certificate, key) = (files.write("c.pem", &certificate), files.write("k.pem", &key));
        let swapped = Pair { certificate: key.clone(), key: certificate.clone() };
        refused(&swapped, &["holds a private key, which belongs into tls.key"]);
        let twice = Pair { certificate: certificate.clone(), key: certificate };
        refused(&twice, &["holds a certificate, which belongs into tls.certificate"]);
    }

    #[test]
    fn an_encrypted_key_is_named_as_such() {
        let (files, (certificate, key)) = (Files::new(), made());
        let key = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let certificate = files.write("c.pem", &certificate);
        refused(&Pair { certificate, key: files.write("k.pem", &key) }, &["is encrypted"]);
    }

    #[test]
    fn damage_is_named_and_nothing_of_the_key_is_shown() {
        let (files, (certificate, key)) = (Files::new(), made());
        let secret = &key.lines().nth(1).expect("a line")[..20];
        let cut = key.replace("-----END", "");
        let c = files.write("c.pem", &certificate);
        let pair = Pair { certificate: c, key: files.write("k.pem", &cut) };
        refused(&pair, &["tls.key", "k.pem is damaged"]);
        assert!(!load(&pair).expect_err("damaged").to_string().contains(secret));
        let rubbish = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
        let pair = Pair { certificate: files.write("r.pem", rubbish), key: files.write("g", &key) };
        refused(&pair, &["tls.certificate", "r.pem is damaged"]);
    }

    #[test]
    fn the_certificate_of_dev_is_for_this_machine() {
        let made = self_signed().expect("randomness");
        for host in ["localhost", "127.0.0.1", "::1"] {
            assert!(made.is_for(host), "{host}");
        }
        assert_eq!(made.complaint(UnixTime(1_800_000_000)), None);
        assert!(!format!("{made:?}").contains("key"), "{made:?}");
    }
}
