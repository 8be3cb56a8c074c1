//! Why a certificate cannot be used, in sentences that name the key, the file and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// There is no such file.
    #[error("{key}: there is no file {}: write the file that holds the {what}", path.display())]
    Missing {
        /// The configuration's key.
        key: &'static str,
        /// What the file should hold.
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
    /// The file is not ours to read.
    #[error(
        "{key}: {} cannot be read by the user this server runs as: give it the right, such as with \
         `setfacl -m u:USER:r` on the file and `u:USER:x` on its folders", path.display()
    )]
    Forbidden {
        /// The configuration's key.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Another failure of reading.
    #[error("{key}: {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The configuration's key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No certificate in the file.
    #[error(
        "tls.certificate: {} holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`){hint}",
        path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// What it holds instead, if that is plain to see.
        hint: &'static str,
    },
    /// No private key in the file.
    #[error(
        "tls.key: {} holds no private key in PEM (`-----BEGIN PRIVATE KEY-----`){hint}",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What it holds instead, if that is plain to see.
        hint: &'static str,
    },
    /// The PEM or what is in it is broken.
    #[error("{key}: {} is damaged: {what}", path.display())]
    Damaged {
        /// The configuration's key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A key that TLS here cannot sign with.
    #[error(
        "tls.key: {} holds a key of a kind that is not supported ({what}): make an ECDSA (P-256 or \
         P-384), Ed25519 or RSA one of at least 2048 bits", path.display()
    )]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The key is another certificate's.
    #[error(
        "tls.key: {} does not belong to the first certificate in {}: write the key that it was \
         requested with, and put the server's own certificate before those of its issuers",
        key.display(), certificate.display()
    )]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// The new one has expired while the one in use has not.
    #[error("tls.certificate: {}: {complaint}", path.display())]
    Expired {
        /// The certificate's file.
        path: PathBuf,
        /// Since when.
        complaint: String,
    },
    /// `--dev` could not make one.
    #[error("no certificate could be made for --dev: {0}")]
    SelfSigned(String),
}

impl CertificateError {
    /// What a failure of reading `path` means.
    pub(super) fn reading(
        key: &'static str,
        what: &'static str,
        path: &Path,
        source: io::Error,
    ) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { key, what, path },
            io::ErrorKind::PermissionDenied => Self::Forbidden { key, path },
            _ => Self::Unreadable { key, path, source },
        }
    }
}
