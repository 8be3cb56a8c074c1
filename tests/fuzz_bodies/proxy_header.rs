//! Any bytes as the beginning of a connection from a proxy.

use relayhouse::front::proxy::{Header, MAX_V1, MAX_V2, parse};

/// Reads the header at the beginning of `bytes`, and every beginning of it.
pub fn run(bytes: &[u8]) {
    let whole = parse(bytes);
    match whole {
        Header::Whole { len, client } => {
            assert!(len <= bytes.len() && len <= MAX_V1.max(MAX_V2));
            let canonical = client.is_none_or(|client| client.ip().to_canonical() == client.ip());
            assert!(canonical, "an IPv4 address in two spellings");
            // What the client says behind the header changes nothing, and no byte less is one.
            assert_eq!(parse(&bytes[..len]), whole);
            for end in 0..len {
                assert_eq!(parse(&bytes[..end]), Header::Partial, "the first {end} bytes");
            }
        }
        Header::Partial => assert!(bytes.len() < MAX_V1.max(MAX_V2), "nobody waits for ever"),
        Header::Broken(_) => {
            // More bytes never make a header of what was none.
            let mut more = bytes.to_vec();
            more.extend(b"\r\n");
            assert!(matches!(parse(&more), Header::Broken(_)));
        }
    }
}
