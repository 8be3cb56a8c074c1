//! What clients write, read: every message, and what is refused of it.

use super::*;

fn code(text: &str) -> ErrorCode {
    parse(text, &HubLimits::default()).expect_err(text).code
}

fn body(text: &str) -> Body {
    match parse(text, &HubLimits::default()) {
        Ok(Incoming::Message(message)) => message.body,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn each_type_is_read() {
    let to = Some(PeerId::from("b"));
    let signal =
        |kind, payload: &str| Body::Signal { kind, to: to.clone(), payload: payload.into() };
    let cases = [
        (r#"{"type":"offer","to":"b","sdp":"v=0\r\n"}"#, signal(SignalKind::Offer, "v=0\r\n")),
        (r#"{"type":"answer","sdp":"","to":"b"}"#, signal(SignalKind::Answer, "")),
        (
            r#"{"type":"candidate","to":"b","candidate":{"candidate":"x"}}"#,
            signal(SignalKind::Candidate, r#"{"candidate":"x"}"#),
        ),
        (
            r#"{"type":"candidate","to":"b","candidate":null}"#,
            signal(SignalKind::Candidate, "null"),
        ),
        (r#"{"type":"message","to":"b","data":null}"#, signal(SignalKind::Message, "null")),
        (
            r#"{"type":"message","data":[1, 2]}"#,
            Body::Signal { kind: SignalKind::Message, to: None, payload: "[1, 2]".into() },
        ),
        (r#"{"type":"media","publishing":true}"#, Body::Media { publishing: true }),
        (r#"{"type":"kick","peer":"b"}"#, Body::Moderate(Moderation::Kick("b".into()))),
        (r#"{"type":"admit","peer":"b"}"#, Body::Moderate(Moderation::Admit("b".into()))),
        (r#"{"type":"deny","peer":"b"}"#, Body::Moderate(Moderation::Deny("b".into()))),
        (r#"{"type":"lock"}"#, Body::Moderate(Moderation::Lock)),
        (r#"{"type":"unlock"}"#, Body::Moderate(Moderation::Unlock)),
        (r#"{"type":"leave"}"#, Body::Leave),
        (r#" {"id":7,"type":"ping"} "#, Body::Ping),
    ];
    for (text, expected) in cases {
        assert_eq!(body(text), expected, "{text}");
    }
}

#[test]
fn what_is_read_at_once_is_what_its_type_says() {
    let quick = [
        r#"{"type":"offer","to":"b","sdp":"v=0\r\n\u00fc"}"#,
        r#"{"sdp":"","to":"\u0062","type":"answer","id":7}"#,
        r#"{"type":"candidate","to":"b","candidate":{"candidate":"x","a":[1]},"id":"x"}"#,
        r#"{"type":"message","to":null,"id":null,"data":"}"}"#,
    ];
    for text in quick {
        let message = passed_on(text).expect(text);
        let envelope: Envelope<'_> = serde_json::from_str(text).expect(text);
        let id = envelope.id.map(|id| reference(id).expect("a short one"));
        let Ok(Some(Incoming::Message(slow))) = read(&envelope.kind, id, text) else {
            panic!("{text}")
        };
        assert_eq!((message.id, message.body), (slow.id, slow.body), "{text}");
    }
}

#[test]
fn what_is_wrong_or_of_another_type_is_not_read_at_once() {
    let slow = [
        r#"{"type":"offer","sdp":"v=0"}"#,
        r#"{"type":"offer","to":null,"sdp":"v=0"}"#,
        r#"{"type":"offer","to":"b","sdp":"v=0","data":1}"#,
        r#"{"type":"offer","to":"b","sdp":"v=0","sdp":"v=1"}"#,
        r#"{"type":"offer","to":"b","sdp":"v=0","more":1}"#,
        r#"{"type":"offer","to":"b","sdp":"v=0","id":[]}"#,
        r#"{"type":"candidate","to":"b","candidate":"x"}"#,
        r#"{"type":"candidate","to":"b","candidate":null}"#,
        r#"{"type":"message","to":"b"}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"hello","token":"t"}"#,
    ];
    for text in slow {
        assert!(passed_on(text).is_none(), "{text}");
    }
}

#[test]
fn hello_has_a_token_and_may_resume() {
    let text = r#"{"type":"hello","id":"a","token":"t","resume":"r","seen":4}"#;
    let Ok(Incoming::Hello { id, token, resume, seen }) = parse(text, &HubLimits::default()) else {
        panic!("no hello")
    };
    assert_eq!(id, Some(RefId("\"a\"".into())));
    assert_eq!((token.as_str(), resume.as_deref(), seen), ("t", Some("r"), Some(4)));
}

#[test]
fn what_is_not_as_it_should_be_is_refused() {
    let bad = [
        "",
        "[]",
        r#"["ping"]"#,
        r#"["ping",null]"#,
        r#"[null,null,true]"#,
        "{",
        "null",
        "{}",
        r#"{"type":1}"#,
        r#"{"type":"ping","type":"ping"}"#,
        r#"{"type":"ping","more":1}"#,
        r#"{"type":"offer","to":"b"}"#,
        r#"{"type":"offer","sdp":"x"}"#,
        r#"{"type":"offer","to":"b","sdp":1}"#,
        r#"{"type":"offer","to":"b","sdp":"x","polite":true}"#,
        r#"{"type":"candidate","to":"b","candidate":"x"}"#,
        r#"{"type":"candidate","to":"b"}"#,
        r#"{"type":"message","to":"b"}"#,
        r#"{"type":"media","publishing":"yes"}"#,
        r#"{"type":"ping","id":{}}"#,
        r#"{"type":"ping","id":true}"#,
        r#"{"type":"ping"} x"#,
    ];
    for text in bad {
        assert_eq!(code(text), ErrorCode::BadMessage, "{text}");
    }
    assert_eq!(code(r#"{"type":"welcome"}"#), ErrorCode::UnknownType);
}

#[test]
fn a_bad_message_keeps_its_id() {
    let text = r#"{"id":"x-1","type":"offer","wrong":1}"#;
    let bad = parse(text, &HubLimits::default()).expect_err("wrong");
    assert_eq!(bad.id, Some(RefId("\"x-1\"".into())));
    assert!(bad.text.contains("wrong"), "{}", bad.text);
    let long = format!(r#"{{"type":"ping","{}":1}}"#, "y".repeat(10_000));
    let bad = parse(&long, &HubLimits::default()).expect_err("unknown field");
    assert!(bad.text.len() <= MAX_SENTENCE);
}

#[test]
fn size_and_depth_are_bounded() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"type":"message","data":{open}{close}}}"#)
    };
    body(&nested(31));
    assert_eq!(code(&nested(32)), ErrorCode::TooDeep);
    assert_eq!(code(&"[".repeat(100_000)), ErrorCode::TooDeep);
    body(r#"{"type":"message","data":"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}"#);
    let long = format!(r#"{{"type":"message","data":"{}"}}"#, "x".repeat(128 * 1024));
    assert_eq!(code(&long), ErrorCode::TooLarge);
    let id = format!(r#"{{"type":"ping","id":"{}"}}"#, "x".repeat(64));
    assert_eq!(code(&id), ErrorCode::BadMessage);
}
