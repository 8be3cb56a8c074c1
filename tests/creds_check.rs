//! The check of an Allocate (RFC 8489 section 9.2.4): who may enter, and what the others are told.

mod creds_support;

use std::net::IpAddr;
use std::time::Duration;

use creds_support::{Ask, CLIENT, REALM, check, credentials, now, settings};
use md5::{Digest, Md5};
use proptest::prelude::*;
use relayhouse::creds::{
    Allowance, CredentialSettings, Credentials, Denied, Reason, Secret, SharedSecret, rest,
};
use relayhouse::stun::{
    Class, Message, Method, Nonce, Realm, TransactionId, UserHash, Username, Writer,
};
use relayhouse::time::UnixTime;
use sha2::Sha256;

const HOUR: Duration = Duration::from_secs(3600);

/// A credential of the secret "north" for `subject`, good for an hour.
fn minted(subject: &str) -> rest::Minted {
    rest::mint(&Secret::from("north"), subject, now().unix.plus(HOUR), ':').expect("short")
}

/// The operator's sentence about a 401.
fn why(result: Result<relayhouse::creds::Verified, Denied>) -> String {
    match result {
        Err(denied @ Denied::Unauthorized(_)) => denied.to_string(),
        other => panic!("expected a refusal, not {other:?}"),
    }
}

/// Without MESSAGE-INTEGRITY the answer is a challenge, whatever else the request holds.
#[test]
fn no_integrity_is_answered_with_a_challenge() {
    let credentials = credentials();
    let mut ask = Ask::new(&credentials, "alice", "");
    ask.password = None;
    assert_eq!(ask.check(&credentials, now()).unwrap_err(), Denied::Challenge);
}

/// With MESSAGE-INTEGRITY but without USERNAME, REALM or NONCE the request is bad: 400.
#[test]
fn integrity_without_username_realm_or_nonce_is_a_bad_request() {
    let credentials = credentials();
    let whole = Ask::new(&credentials, "alice", "wonder:land");
    let without_username = Ask { username: None, ..whole.clone() };
    let without_realm = Ask { realm: None, ..whole.clone() };
    let without_nonce = Ask { nonce: None, ..whole };
    for (ask, missing) in
        [(without_username, "USERNAME"), (without_realm, "REALM"), (without_nonce, "NONCE")]
    {
        let expected = format!("MESSAGE-INTEGRITY without {missing}");
        let denied = ask.check(&credentials, now()).unwrap_err();
        assert_eq!((denied.code(), denied.to_string()), (400, expected));
    }
}

#[test]
fn an_empty_username_is_a_bad_request() {
    let credentials = credentials();
    let denied = Ask::new(&credentials, "", "x").check(&credentials, now()).unwrap_err();
    assert_eq!(denied.code(), 400);
}

/// A USERNAME has at most 508 bytes. (Our writer makes no longer one: its length is patched in.)
#[test]
fn a_username_of_509_bytes_is_a_bad_request() {
    let credentials = credentials();
    let ask = Ask::new(&credentials, &"x".repeat(508), "x");
    assert!(why(ask.check(&credentials, now())).starts_with("no such user"));
    let mut bytes = ask.bytes();
    let at = bytes.windows(4).position(|head| head == [0, 6, 1, 252]).expect("USERNAME");
    bytes[at + 3] = 253;
    bytes.splice(at + 4 + 508..at + 4 + 508, *b"x\0\0\0");
    let length = u16::try_from(bytes.len() - 20).unwrap();
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(check(&credentials, now(), &bytes).unwrap_err().code(), 400);
}

#[test]
fn another_realm_is_refused_by_name() {
    let credentials = credentials();
    let mut ask = Ask::new(&credentials, "alice", "wonder:land");
    ask.realm = Some("elsewhere".to_owned());
    assert_eq!(why(ask.check(&credentials, now())), "the realm \"elsewhere\" is not ours");
}

#[test]
fn an_unknown_user_is_refused_by_name_escaped_and_cut() {
    let credentials = credentials();
    let ask = Ask::new(&credentials, "x\n[error] all is lost", "x");
    assert_eq!(why(ask.check(&credentials, now())), r#"no such user "x\n[error] all is lost""#);
    let ask = Ask::new(&credentials, &"y".repeat(500), "x");
    let expected = format!("no such user \"{}\"…", "y".repeat(64));
    assert_eq!(why(ask.check(&credentials, now())), expected);
}

#[test]
fn a_static_user_enters_with_the_password_and_with_no_other() {
    let credentials = credentials();
    let ask = Ask::new(&credentials, "alice", "wonder:land");
    let verified = ask.check(&credentials, now()).expect("the right password");
    assert_eq!((&**verified.username(), &**verified.user()), ("alice", "alice"));
    assert_eq!((verified.expires(), verified.secret()), (None, None));
    let ask = Ask::new(&credentials, "alice", "wonder");
    assert_eq!(why(ask.check(&credentials, now())), "the password is wrong");
}

#[test]
fn a_static_user_whose_name_looks_minted_is_that_user() {
    let credentials = credentials();
    let ask = Ask::new(&credentials, "1699999000:bob", "builder");
    let verified = ask.check(&credentials, now()).expect("static users do not expire");
    assert_eq!((&**verified.user(), verified.expires()), ("1699999000:bob", None));
}

#[test]
fn a_minted_credential_enters_under_its_subject() {
    let credentials = credentials();
    let minted = minted("@alice:example.org");
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    let verified = ask.check(&credentials, now()).expect("a fresh credential");
    assert_eq!(**verified.username(), *minted.username);
    assert_eq!(**verified.user(), *"@alice:example.org");
    assert_eq!(verified.expires(), Some(minted.expires));
    assert_eq!(verified.secret(), Some(Secret::from("north").id()));
}

#[test]
fn a_bare_timestamp_is_its_own_user() {
    let credentials = credentials();
    let minted = minted("");
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    let verified = ask.check(&credentials, now()).expect("a fresh credential");
    assert_eq!(**verified.user(), *minted.username);
}

#[test]
fn the_secret_that_matched_is_remembered() {
    let credentials = credentials();
    let expires = now().unix.plus(HOUR);
    let minted = rest::mint(&Secret::from("south"), "x", expires, ':').expect("short");
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    let verified = ask.check(&credentials, now()).expect("the second secret");
    assert_eq!(verified.secret(), Some(Secret::from("south").id()));
}

/// A ring of two: "south" mints, "north" is good for half an hour more.
fn rotated() -> Credentials {
    let until = Some(now().unix.plus(HOUR / 2));
    let north = SharedSecret { secret: Secret::from("north"), until };
    let secrets = vec!["south".into(), north];
    Credentials::new(CredentialSettings { secrets, ..settings() }).expect("good settings")
}

#[test]
fn a_retiring_secret_is_accepted_to_its_last_second() {
    let (credentials, minted) = (rotated(), minted("x"));
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    assert!(ask.check(&credentials, now().after(HOUR / 2)).is_ok());
}

#[test]
fn an_ended_secret_is_refused_by_name_and_age() {
    let (credentials, minted) = (rotated(), minted("x"));
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    let late = now().after(HOUR / 2 + Duration::from_secs(5));
    let id = Secret::from("north").id();
    let expected =
        format!("made with the secret {id}, which ended 5 s ago; whoever mints needs the new one");
    assert_eq!(why(ask.check(&credentials, late)), expected);
}

#[test]
fn an_ended_secret_is_none_of_those_that_might_have_matched() {
    let credentials = rotated();
    let expires = now().unix.plus(HOUR);
    let minted = rest::mint(&Secret::from("west"), "x", expires, ':').expect("short");
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    let late = now().after(HOUR / 2 + Duration::from_secs(5));
    let expected = "the password is wrong: the secret does not match";
    assert_eq!(why(ask.check(&credentials, late)), expected);
}

#[test]
fn what_a_credential_may_open_is_no_part_of_its_user() {
    let credentials = credentials();
    for (subject, user, allowance) in [
        ("alice;allocations=1", "alice", Some(Allowance::Allocations(1))),
        ("alice;sessions=2", "alice", Some(Allowance::Sessions(2))),
        ("alice;x=2", "alice;x=2", None),
    ] {
        let minted = minted(subject);
        let ask = Ask::new(&credentials, &minted.username, &minted.credential);
        let verified = ask.check(&credentials, now()).expect("a fresh credential");
        assert_eq!((&**verified.user(), verified.allowance()), (user, allowance));
    }
    let nobody = minted(";allocations=1");
    let ask = Ask::new(&credentials, &nobody.username, &nobody.credential);
    let verified = ask.check(&credentials, now()).expect("a fresh credential");
    assert_eq!(**verified.user(), *nobody.username);
}

#[test]
fn a_static_users_name_is_taken_as_it_is() {
    let users = vec![("a;allocations=1".to_owned(), Secret::from("password"))];
    let credentials = Credentials::new(CredentialSettings { users, ..settings() }).expect("good");
    let ask = Ask::new(&credentials, "a;allocations=1", "password");
    let verified = ask.check(&credentials, now()).expect("the user");
    assert_eq!((&**verified.user(), verified.allowance()), ("a;allocations=1", None));
}

#[test]
fn a_credential_of_no_secret_is_refused_with_their_number() {
    let credentials = credentials();
    let expires = now().unix.plus(HOUR);
    let minted = rest::mint(&Secret::from("west"), "x", expires, ':').expect("short");
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    let expected = "the password is wrong: none of 2 secrets matches";
    assert_eq!(why(ask.check(&credentials, now())), expected);
}

#[test]
fn an_expired_credential_is_refused_with_its_age() {
    let credentials = credentials();
    let minted = minted("x");
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    assert!(ask.check(&credentials, now().after(HOUR)).is_ok());
    let late = now().after(HOUR + Duration::from_secs(43));
    assert_eq!(why(ask.check(&credentials, late)), "expired 43 s ago");
}

#[test]
fn without_secrets_a_rest_username_is_nobody() {
    let settings = CredentialSettings { secrets: Vec::new(), ..settings() };
    let credentials = Credentials::new(settings).expect("users alone do");
    let minted = minted("x");
    let ask = Ask::new(&credentials, &minted.username, &minted.credential);
    assert!(why(ask.check(&credentials, now())).starts_with("no such user"));
}

/// A nonce that is too old, forged or another client's: 438, once everything else is right.
#[test]
fn a_nonce_that_is_not_good_any_more_is_stale() {
    let credentials = credentials();
    let good = Ask::new(&credentials, "alice", "wonder:land");
    let late = now().after(HOUR + Duration::from_secs(1));
    assert_eq!(good.check(&credentials, late).unwrap_err(), Denied::StaleNonce);

    let elsewhere: IpAddr = "192.0.2.8".parse().unwrap();
    let bytes = good.bytes();
    let message = Message::parse(&bytes).unwrap();
    let denied = credentials.check(now(), &message, elsewhere).unwrap_err();
    assert_eq!(denied, Denied::StaleNonce);

    let forged = Ask { nonce: Some(b"f//499k954d6OL34oL9FSTvy64sA".to_vec()), ..good.clone() };
    assert_eq!(forged.check(&credentials, now()).unwrap_err(), Denied::StaleNonce);
    assert!(good.check(&credentials, now().after(HOUR)).is_ok());
}

#[test]
fn a_nonce_is_good_after_a_reload() {
    let ask = Ask::new(&credentials(), "alice", "wonder:land");
    let reloaded = CredentialSettings { secrets: vec!["west".into()], ..settings() };
    let reloaded = Credentials::new(reloaded).expect("good settings");
    assert!(ask.check(&reloaded, now()).is_ok());
}

/// Where there is a MESSAGE-INTEGRITY-SHA256, it counts; without PASSWORD-ALGORITHM its key is MD5's.
#[test]
fn of_two_signatures_the_stronger_counts() {
    let credentials = credentials();
    let nonce = credentials.nonce(now(), CLIENT);
    let right: [u8; 16] = Md5::digest("alice:example.org:wonder:land").into();
    let enters = |sha1: Option<&[u8]>, sha256: &[u8]| {
        let mut buffer = [0; 512];
        let id = TransactionId([3; 12]);
        let mut writer = Writer::new(&mut buffer, Class::Request, Method::ALLOCATE, id);
        writer.put(&Username("alice")).put(&Realm(REALM)).put(&Nonce(nonce.as_bytes()));
        if let Some(key) = sha1 {
            writer.integrity_sha1(key);
        }
        writer.integrity_sha256(sha256);
        let length = writer.finish().unwrap();
        check(&credentials, now(), &buffer[..length]).is_ok()
    };
    assert!(enters(None, &right));
    assert!(enters(Some(&right), &right));
    assert!(!enters(Some(&right), b"wrong"));
    assert!(!enters(None, b"wrong"));
}

/// RFC 5769 section 2.4: a signed request whose username is Japanese and whose password SASLprep
/// changes. Its nonce is not ours, which is noticed last: by then the signature was right.
#[test]
fn the_sample_request_of_rfc_5769_is_signed_by_its_user() {
    const SAMPLE: &[u8] = b"\x00\x01\x00\x60\x21\x12\xa4\x42\x78\xad\x34\x33\xc6\xad\x72\xc0\
        \x29\xda\x41\x2e\x00\x06\x00\x12\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\
        \xaf\xe3\x82\xb9\x00\x00\x00\x15\x00\x1cf//499k954d6OL34oL9FSTvy64sA\x00\x14\x00\x0b\
        example.org\x00\x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\
        \xc9\xa2\x8c\xa8\x96\x66";
    let user = |password: &str| {
        let mut settings = CredentialSettings::new(REALM, [1; 32]);
        settings.users = vec![("マトリックス".to_owned(), Secret::from(password))];
        check(&Credentials::new(settings).unwrap(), now(), SAMPLE).unwrap_err()
    };
    assert_eq!(user("TheMatrIX"), Denied::StaleNonce);
    assert_eq!(user("The\u{ad}M\u{aa}tr\u{2168}"), Denied::StaleNonce);
    assert_eq!(user("TheMatrix"), Denied::Unauthorized(Reason::WrongPassword));
}

/// RFC 8489 appendix B.1 as erratum 6268 has it: the same user by USERHASH, signed with a SHA-256 key.
/// Its nonce, not ours either, offers no algorithms, so that PASSWORD-ALGORITHM may stand alone.
#[test]
fn the_sample_request_of_rfc_8489_is_signed_by_its_user() {
    const SAMPLE: &[u8] = b"\x00\x01\x00\x90\x21\x12\xa4\x42\x78\xad\x34\x33\xc6\xad\x72\xc0\
        \x29\xda\x41\x2e\x00\x1e\x00\x20\x4a\x3c\xf3\x8f\xef\x69\x92\xbd\xa9\x52\xc6\x78\
        \x04\x17\xda\x0f\x24\x81\x94\x15\x56\x9e\x60\xb2\x05\xc4\x6e\x41\x40\x7f\x17\x04\
        \x00\x15\x00\x29obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA\x00\x00\x00\x00\x14\x00\x0b\
        example.org\x00\x00\x1d\x00\x04\x00\x02\x00\x00\x00\x1c\x00\x20\xb5\xc7\xbf\x00\x5b\
        \x6c\x52\xa2\x1c\x51\xc5\xe8\x92\xf8\x19\x24\x13\x62\x96\xcb\x92\x7c\x43\x14\x93\
        \x09\x27\x8c\xc6\x51\x8e\x65";
    let user = |name: &str, password: &str| {
        let mut settings = CredentialSettings::new(REALM, [1; 32]);
        settings.users = vec![(name.to_owned(), Secret::from(password))];
        check(&Credentials::new(settings).unwrap(), now(), SAMPLE).unwrap_err()
    };
    assert_eq!(user("マトリックス", "TheMatrIX"), Denied::StaleNonce);
    assert_eq!(user("マトリックス", "The\u{ad}M\u{aa}tr\u{2168}"), Denied::StaleNonce);
    let wrong = Denied::Unauthorized(Reason::WrongPassword);
    assert_eq!(user("マトリックス", "TheMatrix"), wrong);
    assert_eq!(user("somebody", "TheMatrIX"), Denied::Unauthorized(Reason::UnknownHash));
}

/// RFC 8489 section 14.4: the hash of a name is that of its prepared form, or of the name as a client
/// without preparation takes it.
#[test]
fn a_name_is_found_by_the_hash_of_each_of_its_forms() {
    let mut settings = CredentialSettings::new(REALM, [1; 32]);
    settings.users = vec![("zoe\u{308}".to_owned(), Secret::from("land"))];
    let credentials = Credentials::new(settings).unwrap();
    let nonce = credentials.nonce(now(), CLIENT);
    for name in ["zoe\u{308}", "zo\u{eb}"] {
        let hash = Sha256::digest(format!("{name}:{REALM}"));
        let key = Md5::digest(format!("{name}:{REALM}:land"));
        let mut buffer = [0; 512];
        let id = TransactionId([3; 12]);
        let mut writer = Writer::new(&mut buffer, Class::Request, Method::ALLOCATE, id);
        writer.put(&UserHash(hash.into())).put(&Realm(REALM)).put(&Nonce(nonce.as_bytes()));
        writer.integrity_sha1(&key);
        let length = writer.finish().unwrap();
        let verified = check(&credentials, now(), &buffer[..length]).expect(name);
        assert_eq!(&**verified.username(), "zoe\u{308}");
        let message = Message::parse(&buffer[..length]).unwrap();
        assert!(credentials.check_owner(now(), &message, CLIENT, &verified).is_ok());
    }
}

/// RFC 8265 section 4.2: names and passwords are the same in whichever form they are typed.
#[test]
fn a_decomposed_name_and_password_are_the_same_user() {
    let mut settings = CredentialSettings::new(REALM, [1; 32]);
    settings.users = vec![("zo\u{eb}".to_owned(), Secret::from("caf\u{e9}"))];
    let credentials = Credentials::new(settings).unwrap();
    for (name, password) in [("zo\u{eb}", "caf\u{e9}"), ("zoe\u{308}", "caf\u{e9}")] {
        let ask = Ask::new(&credentials, name, password);
        let verified = ask.check(&credentials, now()).expect(name);
        assert_eq!((&**verified.username(), &**verified.user()), (name, "zo\u{eb}"));
    }
}

proptest! {
    #[test]
    fn what_is_minted_enters(subject in "[^\\p{Cc}]{0,60}", secret in ".{1,40}", ttl in 0u64..99) {
        let secret = Secret::from(secret);
        let mut settings = CredentialSettings::new(REALM, [1; 32]);
        settings.secrets = vec!["north".into(), secret.clone().into()];
        let credentials = Credentials::new(settings).unwrap();
        let expires = UnixTime(now().unix.0 + ttl);
        let minted = rest::mint(&secret, &subject, expires, ':').unwrap();
        let ask = Ask::new(&credentials, &minted.username, &minted.credential);
        prop_assert!(ask.check(&credentials, now()).is_ok());
    }

    /// Behind the header every bit counts: of what is signed, and of the signature.
    #[test]
    fn any_flipped_bit_is_refused(place: usize, bit in 0u32..8) {
        let credentials = credentials();
        let minted = minted("x");
        let mut bytes = Ask::new(&credentials, &minted.username, &minted.credential).bytes();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        if let Ok(message) = Message::parse(&bytes) {
            prop_assert!(credentials.check(now(), &message, CLIENT).is_err());
        }
    }

    #[test]
    fn no_username_panics(username in any::<String>(), password in any::<String>()) {
        let credentials = credentials();
        let username: String = username.chars().take(100).collect();
        prop_assert!(Ask::new(&credentials, &username, &password).check(&credentials, now()).is_err());
    }
}
