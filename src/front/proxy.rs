//! The header of the PROXY protocol, versions 1 and 2: which client a proxy speaks for
//! (haproxy's `proxy-protocol.txt`, sections 2.1 and 2.2). Bytes in, an address out; whether the
//! sender may be believed is the caller's question.
//!
//! Only what can stand before a connection of ours has a meaning: TCP over IPv4 and IPv6, and a
//! proxy that speaks for itself (`LOCAL`, `UNKNOWN`). Additional fields (TLVs) are passed over.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header of version 1: the line with its end.
pub const MAX_V1: usize = 107;
/// The longest header of version 2 that is taken, TLVs included. The protocol would allow 64 KiB,
/// proxies send some hundred bytes.
pub const MAX_V2: usize = 4096;

const V1: &[u8] = b"PROXY ";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family and protocol, length.
const V2_FIXED: usize = 16;

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// A whole header.
    Whole {
        /// Its length; what the client said begins behind it.
        len: usize,
        /// The client, `None` when the proxy speaks for itself. An IPv4 address is never written as
        /// an IPv6 one.
        client: Option<SocketAddr>,
    },
    /// The beginning of one: all of these bytes belong to it, and more are needed.
    Partial,
    /// No header.
    Broken(Malformed),
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They begin with neither version's signature.
    #[error("there is no PROXY header")]
    Signature,
    /// Longer than a header may be.
    #[error("the PROXY header is too long")]
    TooLong,
    /// The line of version 1 is not as it should be.
    #[error("the PROXY line is malformed")]
    Line,
    /// A version or command that does not exist.
    #[error("the PROXY header is of an unknown version or command")]
    Command,
    /// A family or protocol other than TCP over IPv4 or IPv6.
    #[error("the PROXY header speaks for something else than TCP over IP")]
    Family,
    /// The addresses do not fit into the length.
    #[error("the PROXY header is too short for its addresses")]
    TooShort,
}

/// Reads the header at the beginning of `bytes`. Says [`Header::Partial`] only for what can still
/// become one, so that nobody waits for the rest of something else.
pub fn parse(bytes: &[u8]) -> Header {
    let outcome = if begins(bytes, V2) {
        version_2(bytes)
    } else if begins(bytes, V1) {
        version_1(bytes)
    } else {
        Err(Malformed::Signature)
    };
    match outcome {
        Ok(Some((len, client))) => Header::Whole { len, client: client.map(canonical) },
        Ok(None) => Header::Partial,
        Err(malformed) => Header::Broken(malformed),
    }
}

/// A length and a client, or nothing yet.
type Read = Result<Option<(usize, Option<SocketAddr>)>, Malformed>;

/// Whether one is the beginning of the other.
fn begins(bytes: &[u8], signature: &[u8]) -> bool {
    let both = bytes.len().min(signature.len());
    bytes[..both] == signature[..both]
}

fn canonical(client: SocketAddr) -> SocketAddr {
    SocketAddr::new(client.ip().to_canonical(), client.port())
}

/// Section 2.1: one line of words with single spaces between them.
fn version_1(bytes: &[u8]) -> Read {
    let window = &bytes[..bytes.len().min(MAX_V1)];
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < MAX_V1 { Ok(None) } else { Err(Malformed::TooLong) };
    };
    let line = std::str::from_utf8(&window[V1.len()..end]).map_err(|_| Malformed::Line)?;
    let mut words = line.split(' ');
    let client = match words.next() {
        // What follows on the line is to be ignored.
        Some("UNKNOWN") => return Ok(Some((end + 2, None))),
        Some("TCP4") => line_address::<Ipv4Addr>(&mut words)?,
        Some("TCP6") => line_address::<Ipv6Addr>(&mut words)?,
        _ => return Err(Malformed::Line),
    };
    match words.next() {
        None => Ok(Some((end + 2, Some(client)))),
        Some(_) => Err(Malformed::Line),
    }
}

/// Source, destination and both ports; the destination is only checked.
fn line_address<'a, Ip: std::str::FromStr + Into<IpAddr>>(
    words: &mut impl Iterator<Item = &'a str>,
) -> Result<SocketAddr, Malformed> {
    let mut ip = || words.next()?.parse::<Ip>().ok();
    let (source, _destination) = (ip().ok_or(Malformed::Line)?, ip().ok_or(Malformed::Line)?);
    let mut port = || {
        let word = words.next()?;
        let plain =
            word.bytes().all(|b| b.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
        word.parse::<u16>().ok().filter(|_| plain)
    };
    let (port, _destination) = (port().ok_or(Malformed::Line)?, port().ok_or(Malformed::Line)?);
    Ok(SocketAddr::new(source.into(), port))
}

/// Section 2.2: sixteen bytes, then as many as they say.
fn version_2(bytes: &[u8]) -> Read {
    let Some((fixed, behind)) = bytes.split_at_checked(V2_FIXED) else { return Ok(None) };
    let (version_and_command, family) = (fixed[12], fixed[13]);
    let body = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let len = V2_FIXED + body;
    if len > MAX_V2 {
        return Err(Malformed::TooLong);
    }
    let wanted = match (version_and_command, family) {
        // LOCAL: a health check of the proxy; whatever else it says is to be ignored.
        (0x20, _) | (0x21, 0x00) => 0,
        (0x21, 0x11) => 12,
        (0x21, 0x21) => 36,
        (0x21, _) => return Err(Malformed::Family),
        _ => return Err(Malformed::Command),
    };
    if body < wanted {
        return Err(Malformed::TooShort);
    }
    let Some(body) = behind.get(..body) else { return Ok(None) };
    let client = match wanted {
        12 => Some(binary_address::<4>(body, 8)),
        36 => Some(binary_address::<16>(body, 32)),
        _ => None,
    };
    Ok(Some((len, client)))
}

/// The source address, which stands first, and its port at `port_at`. The length was checked.
fn binary_address<const N: usize>(body: &[u8], port_at: usize) -> SocketAddr
where
    IpAddr: From<[u8; N]>,
{
    let ip: [u8; N] = std::array::from_fn(|index| body[index]);
    SocketAddr::new(ip.into(), u16::from_be_bytes([body[port_at], body[port_at + 1]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Header::{Broken, Partial, Whole};

    fn whole(bytes: &[u8], client: Option<&str>) {
        let client = client.map(|text| text.parse().expect("an address"));
        let mut followed = bytes.to_vec();
        followed.extend(b"what the client says");
        assert_eq!(parse(bytes), Whole { len: bytes.len(), client });
        assert_eq!(parse(&followed), Whole { len: bytes.len(), client });
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), Partial, "the first {end} bytes");
        }
    }

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = V2.to_vec();
        bytes.extend([command, family]);
        bytes.extend(u16::try_from(body.len()).expect("short").to_be_bytes());
        bytes.extend(body);
        bytes
    }

    #[test]
    fn a_line_names_the_client() {
        whole(b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", Some("192.0.2.7:56324"));
        whole(b"PROXY TCP6 2001:db8::7 ::1 1 65535\r\n", Some("[2001:db8::7]:1"));
        whole(b"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", Some("192.0.2.7:1"));
    }

    #[test]
    fn a_proxy_may_speak_for_itself() {
        whole(b"PROXY UNKNOWN\r\n", None);
        whole(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None);
        whole(&v2(0x20, 0x00, b""), None);
        whole(&v2(0x20, 0x11, b"whatever"), None);
        whole(&v2(0x21, 0x00, b""), None);
    }

    #[test]
    fn the_longest_line_is_taken_and_no_longer_one() {
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        let line = format!("PROXY UNKNOWN {longest} {longest} 65535 65535\r\n");
        assert_eq!(line.len(), MAX_V1);
        whole(line.as_bytes(), None);
        let longer = format!("PROXY UNKNOWN {}\r\n", "x".repeat(MAX_V1));
        assert_eq!(parse(longer.as_bytes()), Broken(Malformed::TooLong));
    }

    #[test]
    fn a_line_that_is_not_to_the_letter_is_refused() {
        for line in [
            "PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 \r\n",
            "PROXY TCP4  192.0.2.7 198.51.100.1 56324 443\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 056324 443\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 +56 443\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n",
            "PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
            "PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n",
            "PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n",
            "PROXY TCP4 192.0.2.7\n\r\n",
            "PROXY \r\n",
        ] {
            assert_eq!(parse(line.as_bytes()), Broken(Malformed::Line), "{line}");
        }
        assert_eq!(parse(b"PROXY \xff\r\n"), Broken(Malformed::Line));
    }

    #[test]
    fn binary_addresses_are_read() {
        let four = [192, 0, 2, 7, 198, 51, 100, 1, 0xDC, 0x04, 1, 187];
        whole(&v2(0x21, 0x11, &four), Some("192.0.2.7:56324"));
        let mut six = [0; 36];
        six[..2].copy_from_slice(&[0x20, 0x01]);
        six[15] = 7;
        six[32..].copy_from_slice(&[0, 9, 1, 187]);
        whole(&v2(0x21, 0x21, &six), Some("[2001::7]:9"));
    }

    #[test]
    fn additional_fields_are_passed_over() {
        let mut body = vec![192, 0, 2, 7, 198, 51, 100, 1, 0, 1, 0, 2];
        body.extend([3, 0, 4, 1, 2, 3, 4]);
        whole(&v2(0x21, 0x11, &body), Some("192.0.2.7:1"));
    }

    #[test]
    fn a_binary_header_of_another_kind_is_refused() {
        assert_eq!(parse(&v2(0x21, 0x12, &[0; 12])), Broken(Malformed::Family));
        assert_eq!(parse(&v2(0x21, 0x31, &[0; 216])), Broken(Malformed::Family));
        assert_eq!(parse(&v2(0x22, 0x11, &[0; 12])), Broken(Malformed::Command));
        assert_eq!(parse(&v2(0x11, 0x11, &[0; 12])), Broken(Malformed::Command));
        assert_eq!(parse(&v2(0x21, 0x11, &[0; 11])), Broken(Malformed::TooShort));
        assert_eq!(parse(&v2(0x21, 0x21, &[0; 35])), Broken(Malformed::TooShort));
        assert_eq!(parse(&v2(0x20, 0x11, &[0; MAX_V2])), Broken(Malformed::TooLong));
    }

    #[test]
    fn anything_else_is_refused_with_its_first_wrong_byte() {
        assert_eq!(parse(b""), Partial);
        for bytes in
            [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01", b"PROXy", b"\r\n\r\n\0\r\nQUIT\r"]
        {
            assert_eq!(parse(bytes), Broken(Malformed::Signature), "{bytes:?}");
        }
    }
}
