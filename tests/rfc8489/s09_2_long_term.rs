//! Section 9.2: the long-term credential mechanism. The steps of 9.2.4 stand in their order.

use relayhouse::creds::{Secret, rest};
use relayhouse::stun::{
    AttributeType, Class, Method, Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm,
    RequestedTransport, TransactionId, Username,
};
use relayhouse::time::UnixTime;

use crate::machine::*;
use crate::modern::*;

const COOKIE: &[u8] = b"obMatJos2AAAB";

/// A first Allocate, without credentials.
fn challenge(world: &mut World, remote: &str) -> Sent {
    let mut client = Client::at(remote);
    let request = client.bare(Method::ALLOCATE, |w| {
        w.put(&RequestedTransport(17));
    });
    client.exchange(world, &request)
}

/// 9.2, 18.1: a nonce that begins with the cookie says in 24 bits of base64 what is supported; bit 0,
/// password algorithms, is the rightmost one (erratum 6290).
#[test]
fn the_nonce_says_that_algorithms_are_offered() {
    let mut world = World::new();
    let nonce = nonce_of(&challenge(&mut world, "203.0.113.7:4000"));
    assert!(nonce.starts_with(COOKIE));
}

/// 14.10: a nonce is quoted nowhere, so nothing in it needs quoting.
#[test]
fn the_nonce_needs_no_quoting() {
    let mut world = World::new();
    let nonce = nonce_of(&challenge(&mut world, "203.0.113.7:4000"));
    assert!(nonce.len() < 128 && nonce.iter().all(u8::is_ascii_alphanumeric));
}

/// 9.2.4 step 1: without an integrity attribute, 401 with REALM, NONCE and the algorithms in order of
/// preference, and without USERNAME, USERHASH or an integrity.
#[test]
fn step_1_no_integrity_is_401_with_an_offer() {
    let mut world = World::new();
    let answer = challenge(&mut world, "203.0.113.7:4000");
    assert_eq!(answer.code(), 401);
    assert_eq!(answer.get::<Realm<'_>>().expect("a realm").0, REALM);
    assert_eq!(offer_of(&answer), Some(vec![2, 1]), "SHA-256, then MD5");
    let message = answer.message();
    assert!(!message.has_integrity() && !message.has_integrity_sha256());
    assert!(!message.has(AttributeType::USERNAME) && !message.has(AttributeType::USERHASH));
}

/// 9.2.4 step 1: two sources do not get the same nonce.
#[test]
fn step_1_another_address_gets_another_nonce() {
    let mut world = World::new();
    let one = nonce_of(&challenge(&mut world, "203.0.113.7:4000"));
    let two = nonce_of(&challenge(&mut world, "203.0.113.8:4000"));
    assert_ne!(one, two);
}

/// 9.2.4 step 2: integrity without USERNAME or USERHASH, REALM or NONCE is 400, and the answer has no
/// REALM, NONCE or integrity.
#[test]
fn step_2_missing_attributes_are_a_bad_request() {
    let mut world = World::new();
    let modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    for missing in 0..3 {
        let id = TransactionId([missing; 12]);
        let request = write(Class::Request, Method::ALLOCATE, id, |w| {
            if missing != 0 {
                w.put(&Username("alice"));
            }
            if missing != 1 {
                w.put(&Realm(REALM));
            }
            if missing != 2 {
                w.put(&Nonce(&modern.client.nonce));
            }
            w.integrity_sha256(&modern.key());
        });
        let answer = modern.client.exchange(&mut world, &request);
        assert_eq!(answer.code(), 400);
        assert!(answer.get::<Realm<'_>>().is_none() && answer.get::<Nonce<'_>>().is_none());
        assert!(!answer.message().has_integrity() && !answer.message().has_integrity_sha256());
    }
}

/// 9.2.4 step 3: neither PASSWORD-ALGORITHMS nor PASSWORD-ALGORITHM is as if it named MD5. So the
/// clients of RFC 5389 live on, whatever they are offered.
#[test]
fn step_3_without_algorithms_the_key_is_md5s() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let answer = client.allocate_with(&mut world, |_| {});
    assert_eq!(answer.code(), 0);
    assert!(answer.message().verify_sha1(&client.key()));

    let mut modern = Modern::greeted(&mut world, "203.0.113.8:4000");
    let key = modern.key();
    let answer = modern.try_allocate(&mut world, |w| {
        w.integrity_sha256(&key);
    });
    assert_eq!(answer.code(), 401, "the SHA-256 key was not announced");
}

/// 9.2.4 step 3: both attributes, the list as it was offered and one of its entries: that one makes
/// the key.
#[test]
fn step_3_the_named_algorithm_makes_the_key() {
    let mut world = World::new();
    let mut sha256 = Modern::greeted(&mut world, "203.0.113.7:4000");
    assert_eq!(sha256.allocate(&mut world).code(), 0);

    let mut md5 = Modern::greeted(&mut world, "203.0.113.8:4000");
    let key = md5.client.key();
    let answer = md5.try_allocate(&mut world, |w| {
        w.put(&PasswordAlgorithms::new(&OFFER)).put(&PasswordAlgorithm::MD5);
        w.integrity_sha256(&key);
    });
    assert_eq!(answer.code(), 0);
}

/// 9.2.4 step 3: one of the two attributes without the other is 400.
#[test]
fn step_3_one_attribute_alone_is_a_bad_request() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.key();
    let answer = modern.try_allocate(&mut world, |w| {
        w.put(&PasswordAlgorithm::SHA256).integrity_sha256(&key);
    });
    assert_eq!(answer.code(), 400);
    let answer = modern.try_allocate(&mut world, |w| {
        w.put(&PasswordAlgorithms::new(&OFFER)).integrity_sha256(&key);
    });
    assert_eq!(answer.code(), 400);
}

/// 9.2.4 step 3: a list that is not the one sent with the nonce is 400: somebody on the way cut it
/// short, turned it round or added to it.
#[test]
fn step_3_a_list_that_was_not_offered_is_a_bad_request() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.client.key();
    let [best, old] = OFFER;
    let odd = PasswordAlgorithm { number: 9, parameters: &[] };
    let lists: [&[PasswordAlgorithm<'_>]; 5] =
        [&[], &[old], &[old, best], &[best, old, odd], &[best, best, old]];
    for list in lists {
        let answer = modern.try_allocate(&mut world, |w| {
            w.put(&PasswordAlgorithms::new(list)).put(&PasswordAlgorithm::MD5);
            w.integrity_sha256(&key);
        });
        assert_eq!(answer.code(), 400, "{list:?}");
    }
}

/// 9.2.4 step 3, 18.5: an algorithm that stands not in the list is 400, and so is one of the list with
/// parameters, which neither has.
#[test]
fn step_3_an_algorithm_outside_the_list_is_a_bad_request() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.key();
    for algorithm in [
        PasswordAlgorithm { number: 3, parameters: &[] },
        PasswordAlgorithm { number: 0, parameters: &[] },
        PasswordAlgorithm { number: 2, parameters: b"salt" },
    ] {
        let answer = modern.try_allocate(&mut world, |w| {
            w.put(&PasswordAlgorithms::new(&OFFER)).put(&algorithm).integrity_sha256(&key);
        });
        assert_eq!(answer.code(), 400, "{algorithm:?}");
    }
}

/// 9.2.4: the steps come in their order: a bad list is 400 before the user, the password or the nonce
/// is looked at.
#[test]
fn step_3_comes_before_the_user_and_the_nonce() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    modern.client = modern.client.named("mallory", "x");
    modern.client.nonce = [COOKIE, b"0000000000000000000"].concat();
    let answer = modern.try_allocate(&mut world, |w| {
        w.put(&PasswordAlgorithm::SHA256).integrity_sha256(b"wrong");
    });
    assert_eq!(answer.code(), 400);
}

/// 9.2.4 step 4: a USERNAME or USERHASH that is not valid is 401 with REALM, NONCE and algorithms.
#[test]
fn step_4_an_unknown_user_is_challenged_again() {
    let mut world = World::new();
    for anonymous in [false, true] {
        let client = Client::at("203.0.113.7:4000").named("mallory", "x");
        let mut modern = Modern { anonymous, ..Modern::of(&mut world, client) };
        let answer = modern.allocate(&mut world);
        assert_eq!((answer.code(), offer_of(&answer)), (401, Some(vec![2, 1])));
        assert_eq!(answer.get::<Realm<'_>>().expect("a realm").0, REALM);
        assert!(nonce_of(&answer).starts_with(COOKIE));
    }
}

/// 9.2.4 step 5: an integrity that does not match is 401 with REALM and NONCE and without integrity.
#[test]
fn step_5_a_wrong_password_is_challenged_again() {
    let mut world = World::new();
    let client = Client::at("203.0.113.7:4000").named("alice", "wrong");
    let answer = Modern::of(&mut world, client).allocate(&mut world);
    assert_eq!((answer.code(), offer_of(&answer)), (401, Some(vec![2, 1])));
    assert!(!answer.message().has_integrity_sha256() && !answer.message().has_integrity());
}

/// 9.2.4 step 5: where both integrities are there, the stronger is checked.
#[test]
fn step_5_of_two_integrities_the_stronger_counts() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.key();
    let mut both = |sha1: &[u8], sha256: &[u8]| {
        let answer = modern.try_allocate(&mut world, |w| {
            w.put(&PasswordAlgorithms::new(&OFFER)).put(&PasswordAlgorithm::SHA256);
            w.integrity_sha1(sha1).integrity_sha256(sha256);
        });
        answer.code()
    };
    assert_eq!(both(&key, b"wrong"), 401);
    assert_eq!(both(b"wrong", &key), 0);
}

/// 9.2.4 step 6: a nonce that is not valid any more is 438 with NONCE, REALM and PASSWORD-ALGORITHMS,
/// and the new nonce is.
#[test]
fn step_6_a_stale_nonce_is_438_with_a_new_offer() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    world.pass_secs(3602);
    let stale = modern.allocate(&mut world);
    assert_eq!((stale.code(), offer_of(&stale)), (438, Some(vec![2, 1])));
    assert_eq!(stale.get::<Realm<'_>>().expect("a realm").0, REALM);
    modern.client.nonce = nonce_of(&stale);
    assert_eq!(modern.allocate(&mut world).code(), 0);
}

/// 9.2.4: every answer to a verified request, a success or an error, carries
/// MESSAGE-INTEGRITY-SHA256 alone when an algorithm was named, with the same key.
#[test]
fn answers_to_who_named_an_algorithm_carry_the_stronger_integrity() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.key();
    let allocated = modern.allocate(&mut world);
    let refreshed = modern.refresh(&mut world, 600);
    let mismatch = modern.allocate(&mut world);
    let codes = [allocated.code(), refreshed.code(), mismatch.code()];
    assert_eq!(codes, [0, 0, 437]);
    for answer in [allocated, refreshed, mismatch] {
        let message = answer.message();
        assert!(message.verify_sha256(&key) && !message.has_integrity());
        assert!(answer.get::<Realm<'_>>().is_none() && answer.get::<Nonce<'_>>().is_none());
        assert!(!message.has(AttributeType::USERNAME));
    }
}

/// 9.2.4: MESSAGE-INTEGRITY alone when none was named, though the request may carry both.
#[test]
fn answers_to_who_named_none_carry_the_older_integrity() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.client.key();
    let answer = modern.try_allocate(&mut world, |w| {
        w.integrity_sha1(&key).integrity_sha256(&key);
    });
    assert!(answer.message().verify_sha1(&key) && !answer.message().has_integrity_sha256());
}

/// Who signs with MESSAGE-INTEGRITY-SHA256 alone has to ignore anything weaker, so that is what the
/// answer carries, named or not.
#[test]
fn who_signs_with_the_stronger_integrity_alone_is_answered_with_it() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.client.key();
    let answer = modern.try_allocate(&mut world, |w| {
        w.integrity_sha256(&key);
    });
    assert!(answer.message().verify_sha256(&key) && !answer.message().has_integrity());
}

/// Who names SHA-256 but signs with SHA-1 alone may know no other integrity: it gets both.
#[test]
fn who_names_an_algorithm_and_signs_with_sha1_gets_both_integrities() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.key();
    let answer = modern.try_allocate(&mut world, |w| {
        w.put(&PasswordAlgorithms::new(&OFFER)).put(&PasswordAlgorithm::SHA256);
        w.integrity_sha1(&key);
    });
    assert!(answer.message().verify_sha1(&key) && answer.message().verify_sha256(&key));
}

/// 9.2.4: each answer is protected as its own request wants it, on an allocation too.
#[test]
fn each_request_decides_about_its_answer() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.client.key();
    let named = modern.try_allocate(&mut world, |w| {
        w.put(&PasswordAlgorithms::new(&OFFER)).put(&PasswordAlgorithm::MD5);
        w.integrity_sha256(&key);
    });
    assert!(named.message().verify_sha256(&key) && !named.message().has_integrity());
    let unnamed = modern.client.refresh(&mut world, 600);
    assert!(unnamed.message().verify_sha1(&key) && !unnamed.message().has_integrity_sha256());
}

/// 9.2.1: whoever takes the cookie off the nonce, to make a client fall back to MD5, makes a nonce
/// that is not ours: the request is 438, with the true offer in the answer.
#[test]
fn a_nonce_without_its_cookie_is_stale() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    for forged in [
        client.nonce[COOKIE.len()..].to_vec(),
        [b"obMatJos2AAAA", &client.nonce[COOKIE.len()..]].concat(),
    ] {
        client.nonce = forged;
        let answer = client.allocate_with(&mut world, |_| {});
        assert_eq!((answer.code(), offer_of(&answer)), (438, Some(vec![2, 1])));
        assert!(nonce_of(&answer).starts_with(COOKIE));
        client.nonce = nonce_of(&answer);
    }
}

/// 9.2.2: minted credentials make SHA-256 keys like any others.
#[test]
fn a_minted_credential_works_with_sha256() {
    let mut world = World::new();
    let secret = Secret::from(SECRET);
    let minted = rest::mint(&secret, "carol", UnixTime(START + 60), ':').expect("mints");
    let client = Client::at("203.0.113.7:4000").named(&minted.username, &minted.credential);
    assert_eq!(Modern::of(&mut world, client).allocate(&mut world).code(), 0);
}

/// 9.2.4, 14.4: a USERHASH stands for the USERNAME in every request.
#[test]
fn a_static_user_may_stay_anonymous() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    modern.anonymous = true;
    assert_eq!(modern.allocate(&mut world).code(), 0);
    assert_eq!(modern.refresh(&mut world, 600).code(), 0);
    modern.anonymous = false;
    assert_eq!(modern.refresh(&mut world, 600).code(), 0, "the same user by name");
    modern.anonymous = true;
    modern.client = modern.client.named("bob", "builder");
    assert_eq!(modern.refresh(&mut world, 600).code(), 441, "another user's hash");
    assert_eq!(modern.allocate(&mut world).code(), 437, "Bob has no place on this five-tuple");
}

/// 9.2.4: anonymity is announced (bit 1) only where every name is known beforehand: the hash of a
/// minted name can lead to nobody.
#[test]
fn anonymity_is_announced_only_where_no_name_is_minted() {
    let mut world = World::new();
    let secret = Secret::from(SECRET);
    let minted = rest::mint(&secret, "carol", UnixTime(START + 60), ':').expect("mints");
    let client = Client::at("203.0.113.7:4000").named(&minted.username, &minted.credential);
    let mut modern = Modern { anonymous: true, ..Modern::of(&mut world, client) };
    assert!(modern.client.nonce.starts_with(b"obMatJos2AAAB"), "algorithms, and not anonymity");
    assert_eq!(modern.allocate(&mut world).code(), 401);

    configure(&mut world, users_alone());
    assert!(nonce_of(&challenge(&mut world, "203.0.113.8:4000")).starts_with(b"obMatJos2AAAD"));
}
