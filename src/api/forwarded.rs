//! The client's address: the socket's, or what trusted proxies say in `X-Forwarded-For`.
//!
//! Each proxy appends the address it was called from, so the list is read from its right end: the
//! first address that is no trusted proxy is the client's. What stands left of it was written by the
//! client and is never believed.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// Entries of the list that are looked at; longer chains of own proxies there are none.
const MAX_HOPS: usize = 32;

/// The address a request came from. `lists` are the values of its `X-Forwarded-For` headers in
/// order; they count only when `peer`, the other end of the socket, is in `trusted`. At an entry
/// that is no address, the proxy that wrote it is the best that is known.
pub fn client_address<'a>(
    peer: IpAddr,
    lists: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: &[IpNet],
) -> IpAddr {
    let mut client = peer.to_canonical();
    let entries = lists.rev().flat_map(|list| list.rsplit(|byte| *byte == b','));
    for entry in entries.take(MAX_HOPS) {
        if !is_trusted(client, trusted) {
            break;
        }
        let Some(address) = parse_entry(entry) else { break };
        client = address;
    }
    client
}

/// Whether the address belongs to a configured proxy.
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`, spaces around.
fn parse_entry(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(v6) => IpAddr::V6(v6.parse().ok()?),
        None => match text.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) => text.parse::<SocketAddr>().ok()?.ip(),
        },
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client(peer: &str, lists: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let lists = lists.iter().map(|list| list.as_bytes());
        client_address(peer.parse().unwrap(), lists, &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("203.0.113.9", &["192.0.2.1"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn the_rightmost_untrusted_entry_is_the_client() {
        let lists = ["1.1.1.1, 192.0.2.1", "10.0.0.2"];
        assert_eq!(client("10.0.0.1", &lists, &["10.0.0.0/8"]), "192.0.2.1");
    }

    #[test]
    fn a_chain_of_proxies_alone_gives_its_first() {
        assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &["10.0.0.0/8"]), "10.0.0.3");
    }

    #[test]
    fn at_nonsense_the_proxy_that_wrote_it_is_the_client() {
        let lists = ["192.0.2.1, unknown, 10.0.0.2"];
        assert_eq!(client("10.0.0.1", &lists, &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &[""], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_read() {
        let trusted = ["127.0.0.1/32"];
        for (entry, address) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            (" [2001:db8::1]:80 ", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(client("::ffff:127.0.0.1", &[entry], &trusted), address, "{entry}");
        }
    }

    proptest! {
        #[test]
        fn what_stands_left_of_the_client_never_matters(
            forged in proptest::collection::vec("[ -~]{0,24}", 0..8),
            client: std::net::Ipv4Addr,
        ) {
            let trusted: [IpNet; 1] = ["fd00::/8".parse().unwrap()];
            let list = format!("{},{client}", forged.join(","));
            let peer = "fd00::1".parse().unwrap();
            let found = client_address(peer, [list.as_bytes()].into_iter(), &trusted);
            prop_assert_eq!(found, IpAddr::V4(client));
        }

        #[test]
        fn the_answer_is_the_peer_or_stands_in_the_list(list in "[0-9a-f:., \\[\\]]{0,80}") {
            let trusted: [IpNet; 1] = ["0.0.0.0/0".parse().unwrap()];
            let peer: IpAddr = "192.0.2.7".parse().unwrap();
            let found = client_address(peer, [list.as_bytes()].into_iter(), &trusted);
            let listed = list.split(',').filter_map(|entry| parse_entry(entry.as_bytes()));
            prop_assert!(found == peer || listed.into_iter().any(|address| address == found));
        }
    }
}
