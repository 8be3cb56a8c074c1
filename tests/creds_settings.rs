//! What is refused of an operator's settings, and that nothing made of them shows a secret.

mod creds_support;

use std::time::Duration;

use creds_support::{Ask, credentials, now, settings};
use relayhouse::creds::ticket::TicketKey;
use relayhouse::creds::{CredentialSettings, Credentials, Secret, SettingsError, rest};

fn refused(change: impl FnOnce(&mut CredentialSettings)) -> SettingsError {
    let mut settings = settings();
    change(&mut settings);
    Credentials::new(settings).expect_err("bad settings")
}

fn user(name: &str, password: &str) -> Vec<(String, Secret)> {
    vec![(name.to_owned(), Secret::from(password))]
}

#[test]
fn each_bad_setting_is_named() {
    use SettingsError as E;
    let long = "x".repeat(764);
    assert_eq!(refused(|s| s.realm.clear()), E::RealmLength(0));
    assert_eq!(refused(|s| s.realm.clone_from(&long)), E::RealmLength(764));
    assert_eq!(refused(|s| s.realm = "a\nb".to_owned()), E::RealmControl);
    assert_eq!(refused(|s| s.separator = '1'), E::Separator('1'));
    assert_eq!(refused(|s| s.nonce_lifetime = Duration::ZERO), E::NonceLifetime);
    assert_eq!(refused(|s| s.secrets.push("".into())), E::EmptySecret(3));
    assert_eq!(refused(|s| s.users = user("", "x")), E::NameLength(String::new(), 0));
    assert_eq!(refused(|s| s.users = user("a\u{7}", "x")), E::NameControl("a\u{7}".to_owned()));
    assert_eq!(refused(|s| s.users = user("a", "")), E::EmptyPassword("a".to_owned()));
    assert_eq!(refused(|s| s.users = user("a", "x\n")), E::PasswordControl("a".to_owned()));
}

#[test]
fn one_name_in_two_spellings_is_there_twice() {
    let twice = refused(|settings| {
        settings.users = [user("zo\u{eb}", "x"), user("zoe\u{308}", "y")].concat();
    });
    assert_eq!(twice, SettingsError::DuplicateName("zoe\u{308}".to_owned()));
}

#[test]
fn the_realm_is_told_in_its_prepared_form() {
    let settings = CredentialSettings { realm: "cafe\u{301}".to_owned(), ..settings() };
    assert_eq!(Credentials::new(settings).unwrap().realm(), "caf\u{e9}");
}

#[test]
fn debug_output_shows_no_secret() {
    let credentials = credentials();
    let expires = now().unix.plus(Duration::from_secs(60));
    let minted = rest::mint(&Secret::from("north"), "x", expires, ':').unwrap();
    let ask = Ask::new(&credentials, "alice", "wonder:land");
    let verified = ask.check(&credentials, now()).unwrap();
    let wrong = Ask::new(&credentials, "alice", "guess-me").check(&credentials, now());
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        settings(),
        credentials,
        verified,
        verified.key(),
        wrong,
        minted,
        TicketKey::new([42; 32]),
        refused(|settings| settings.users = user("a", "wonder:land\n")),
    );
    let key = format!("{:?}", verified.key().bytes());
    let nonce_or_ticket_key = "42, 42";
    for secret in [
        "north",
        "south",
        "wonder",
        "builder",
        "guess",
        &minted.credential,
        &key,
        nonce_or_ticket_key,
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("alice") && shown.contains("[redacted]"));
}
