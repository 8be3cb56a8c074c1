//! Certificates: at the start, renewed under open sessions, and broken.

use std::time::Duration;

use crate::client::{Tls, binding, health};
use crate::files::Files;
use crate::support::server::{Failure, Server, Start, run_to_end};

/// Files are looked at every ten seconds.
const WATCHED: Duration = Duration::from_secs(25);

fn started(files: &Files) -> Server {
    files.given_to(Start::default()).start()
}

#[track_caller]
fn refused(start: Start, words: &[&str]) {
    let failure: Failure = match start.try_start() {
        Err(failure) => failure,
        Ok(_) => panic!("it started; expected a sentence with {words:?}"),
    };
    assert_eq!(failure.status.and_then(|status| status.code()), Some(2), "{failure}");
    let told = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(failure.log.lines().any(told), "no sentence with {words:?}: {failure}");
}

#[test]
fn a_new_pair_is_taken_on_sighup_and_open_sessions_go_on() {
    let mut files = Files::new("one.example");
    let server = started(&files);
    let mut old = Tls::default().connect(server.tls());
    assert_eq!(old.certificate, files.certificate);
    let mut old_https = Tls::default().connect(server.http_address());
    files.renew("two.example");
    server.signal("HUP");
    server.wait_for_line(WATCHED, "the new certificate", |line| line.contains("new certificate"));
    assert_eq!(Tls::default().connect(server.tls()).certificate, files.certificate);
    assert!(binding(&mut old.stream).is_some(), "the session before goes on");
    assert_eq!(health(&mut old_https.stream), Some(200));
}

#[test]
fn a_new_pair_is_taken_without_being_told() {
    let mut files = Files::new("one.example");
    let server = started(&files);
    files.renew("two.example");
    server.wait_for_line(WATCHED, "the new certificate", |line| line.contains("new certificate"));
    assert_eq!(Tls::default().connect(server.tls()).certificate, files.certificate);
}

#[test]
fn a_broken_new_pair_is_refused_with_a_sentence_and_the_old_one_stays() {
    let mut files = Files::new("one.example");
    let server = started(&files);
    let old = files.certificate.clone();
    files.break_key();
    server.signal("HUP");
    let told = |line: &str| line.contains("does not belong to the first certificate");
    server.wait_for_line(WATCHED, "the broken pair", told);
    assert_eq!(Tls::default().connect(server.tls()).certificate, old);
    files.renew("two.example");
    server.signal("HUP");
    server.wait_for_line(WATCHED, "the new certificate", |line| line.contains("new certificate"));
    assert_eq!(Tls::default().connect(server.tls()).certificate, files.certificate);
}

#[test]
fn an_expired_new_pair_does_not_replace_a_good_one() {
    let mut files = Files::new("one.example");
    let server = started(&files);
    let old = files.certificate.clone();
    files.expire("one.example");
    server.signal("HUP");
    server.wait_for_line(WATCHED, "the expired one", |line| {
        line.contains("it expired") && line.contains("the certificate stays as it was")
    });
    assert_eq!(Tls::default().connect(server.tls()).certificate, old);
}

#[test]
fn a_reload_may_name_other_files() {
    let (one, two) = (Files::new("one.example"), Files::new("two.example"));
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("relayhouse.toml");
    let write = |files: &Files| {
        let text = format!(
            "[tls]\ncertificate = {:?}\nkey = {:?}\n",
            files.chain().display().to_string(),
            files.key().display().to_string()
        );
        std::fs::write(&config, text).expect("written");
    };
    write(&one);
    let server = Start::default().arg("--config").arg(config.to_str().expect("UTF-8")).start();
    assert_eq!(Tls::default().connect(server.tls()).certificate, one.certificate);
    write(&two);
    server.signal("HUP");
    server.wait_for_line(WATCHED, "the reload", |line| line.contains("configuration reloaded"));
    assert_eq!(Tls::default().connect(server.tls()).certificate, two.certificate);
    two.break_key();
    std::fs::remove_file(one.key()).expect("removed");
    write(&one);
    server.signal("HUP");
    server.wait_for_line(WATCHED, "the refusal", |line| line.contains("there is no file"));
    assert_eq!(Tls::default().connect(server.tls()).certificate, two.certificate);
}

#[test]
fn a_start_with_files_that_cannot_be_used_is_refused_with_a_sentence() {
    let files = Files::new("one.example");
    files.break_key();
    refused(files.given_to(Start::default()), &["tls.key", "does not belong"]);
    std::fs::remove_file(files.key()).expect("removed");
    refused(files.given_to(Start::default()), &["tls.key", "there is no file"]);
    std::fs::write(files.chain(), "nothing").expect("written");
    refused(files.given_to(Start::default()), &["tls.certificate", "holds no certificate"]);
}

#[test]
fn a_tls_port_without_a_certificate_is_refused_with_a_sentence() {
    let start = Start::default().closed().set("listen.tls", "127.0.0.1:0");
    refused(start, &["listen.tls", "tls.certificate"]);
    let one = Files::new("one.example");
    let chain = one.chain();
    let start = Start::default().set("tls.certificate", chain.to_str().expect("UTF-8"));
    refused(start, &["tls.key", "is empty"]);
}

#[test]
fn an_expired_certificate_is_served_with_a_warning() {
    let mut files = Files::new("one.example");
    files.expire("one.example");
    let server = started(&files);
    assert!(server.text().contains("it expired"), "{}", server.text());
    assert_eq!(Tls::default().connect(server.tls()).certificate, files.certificate);
}

#[test]
fn check_looks_into_the_files() {
    let files = Files::new("one.example");
    let path = |path: std::path::PathBuf| path.to_str().expect("UTF-8").to_owned();
    let check = || {
        let chain = format!("tls.certificate={}", path(files.chain()));
        let key = format!("tls.key={}", path(files.key()));
        run_to_end(&["--check", "--set", &chain, "--set", &key], Duration::from_secs(20))
    };
    assert_eq!(check().0, Some(0));
    files.break_key();
    let (code, _, err) = check();
    assert_eq!(code, Some(2));
    assert!(err.contains("does not belong to the first certificate"), "{err}");
}
