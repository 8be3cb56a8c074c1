//! `stun:`, `turn:` and `turns:` URIs (RFC 7064, RFC 7065) as browsers take them. One bad entry
//! makes a browser refuse the whole configuration: never a query on `stun:`, never another
//! transport than `udp` or `tcp`, IPv6 literals in brackets.

use std::net::Ipv6Addr;

use crate::net::Transport;

/// Where a client finds the relay.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A name, an IPv4 literal, or an IPv6 literal with or without brackets.
    pub host: String,
    /// The port that listens.
    pub port: u16,
    /// How to connect.
    pub transport: Transport,
}

/// `stun:host:port`.
pub fn stun_uri(host: &str, port: u16) -> String {
    format!("stun:{}:{port}", bracketed(host))
}

/// `turn:host:port?transport=udp` or `tcp`; over TLS `turns:host:port?transport=tcp`.
pub fn turn_uri(endpoint: &Endpoint) -> String {
    let (scheme, transport) = match endpoint.transport {
        Transport::Udp => ("turn", "udp"),
        Transport::Tcp => ("turn", "tcp"),
        Transport::Tls => ("turns", "tcp"),
    };
    format!("{scheme}:{}:{}?transport={transport}", bracketed(&endpoint.host), endpoint.port)
}

fn bracketed(host: &str) -> String {
    match host.parse::<Ipv6Addr>() {
        Ok(_) => format!("[{host}]"),
        Err(_) => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(host: &str, port: u16, transport: Transport) -> String {
        turn_uri(&Endpoint { host: host.to_owned(), port, transport })
    }

    #[test]
    fn stun_has_no_query() {
        assert_eq!(stun_uri("turn.example.org", 3478), "stun:turn.example.org:3478");
    }

    #[test]
    fn each_transport_has_its_scheme_and_query() {
        assert_eq!(turn("192.0.2.1", 3478, Transport::Udp), "turn:192.0.2.1:3478?transport=udp");
        assert_eq!(turn("192.0.2.1", 3478, Transport::Tcp), "turn:192.0.2.1:3478?transport=tcp");
        assert_eq!(turn("t.example", 443, Transport::Tls), "turns:t.example:443?transport=tcp");
    }

    #[test]
    fn ipv6_stands_in_brackets_once() {
        assert_eq!(stun_uri("2001:db8::1", 3478), "stun:[2001:db8::1]:3478");
        assert_eq!(stun_uri("[2001:db8::1]", 3478), "stun:[2001:db8::1]:3478");
        assert_eq!(turn("::1", 5, Transport::Udp), "turn:[::1]:5?transport=udp");
    }
}
