//! Certificates in files, as an operator has them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use rcgen::{CertificateParams, KeyPair};

use crate::support::server::Start;

/// A folder with a certificate and its key.
pub struct Files {
    folder: tempfile::TempDir,
    /// The certificate as it was made last, in DER.
    pub certificate: Vec<u8>,
}

impl Files {
    /// For this name.
    pub fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files = Self { folder, certificate: Vec::new() };
        files.renew(name);
        files
    }

    pub fn chain(&self) -> PathBuf {
        self.folder.path().join("chain.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// Puts another pair in place.
    pub fn renew(&mut self, name: &str) {
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        self.make(params);
    }

    /// Puts a pair in place that ended in 2020.
    pub fn expire(&mut self, name: &str) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        self.make(params);
    }

    fn make(&mut self, params: CertificateParams) {
        let key = KeyPair::generate().expect("randomness");
        let made = params.self_signed(&key).expect("made");
        self.certificate = made.der().to_vec();
        write(&self.chain(), "CERTIFICATE", made.der());
        self.write_key(&key);
    }

    /// Puts a key in place that belongs to no certificate here.
    pub fn break_key(&self) {
        self.write_key(&KeyPair::generate().expect("randomness"));
    }

    fn write_key(&self, key: &KeyPair) {
        write(&self.key(), "PRIVATE KEY", &key.serialize_der());
        fs::set_permissions(self.key(), fs::Permissions::from_mode(0o600)).expect("chmod");
    }

    /// The flags that name both.
    pub fn given_to(&self, start: Start) -> Start {
        let path = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
        start.set("tls.certificate", &path(self.chain())).set("tls.key", &path(self.key()))
    }
}

fn write(path: &Path, label: &str, der: &[u8]) {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"));
    // As tools do it: a new file in the old one's place.
    let fresh = path.with_extension("new");
    fs::write(&fresh, pem).expect("written");
    fs::rename(fresh, path).expect("renamed");
}
