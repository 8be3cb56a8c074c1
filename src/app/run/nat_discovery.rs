//! Which listeners can serve NAT behaviour discovery (RFC 5780 section 3): two addresses of one
//! family with the same two ports, so that each can be answered from another address, another port
//! and both.

use std::net::{IpAddr, SocketAddr};

use crate::turn::{NatDiscovery, RelayAddress};

/// The four listeners of each family that can, if there are four. Clients are told these addresses
/// as they are: one that is seen under another from outside (see `relay`) serves nobody.
pub(super) fn of(listening: &[SocketAddr], relay: &[RelayAddress]) -> Vec<NatDiscovery> {
    let translated = |ip: IpAddr| relay.iter().any(|relay| relay.local == ip && relay.public != ip);
    let usable: Vec<_> = listening
        .iter()
        .filter(|at| !at.ip().is_unspecified() && at.port() != 0 && !translated(at.ip()))
        .collect();
    let families = [true, false].into_iter();
    families
        .flat_map(|ipv4| square(usable.iter().copied().filter(|at| at.is_ipv4() == ipv4)))
        .collect()
}

/// The first two addresses that share two ports, each of the four with its opposite.
fn square<'a>(listening: impl Iterator<Item = &'a SocketAddr> + Clone) -> Vec<NatDiscovery> {
    let ports = |ip: IpAddr| {
        listening.clone().filter(move |at| at.ip() == ip).map(|at| at.port()).collect::<Vec<_>>()
    };
    for (index, first) in listening.clone().enumerate() {
        for second in listening.clone().skip(index + 1) {
            let (one, two) = (first.ip(), second.ip());
            let others = ports(two);
            let both: Vec<_> =
                ports(one).into_iter().filter(|port| others.contains(port)).collect();
            if let (true, &[low, high, ..]) = (one != two, &both[..]) {
                return [(one, low), (one, high), (two, low), (two, high)]
                    .into_iter()
                    .map(|(ip, port)| NatDiscovery {
                        local: SocketAddr::new(ip, port),
                        other_ip: if ip == one { two } else { one },
                        other_port: if port == low { high } else { low },
                    })
                    .collect();
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(listening: &[&str], relay: &[RelayAddress]) -> Vec<String> {
        let listening: Vec<_> =
            listening.iter().map(|text| text.parse().expect("an address")).collect();
        let shown = |at: NatDiscovery| {
            format!("{} {}", at.local, SocketAddr::new(at.other_ip, at.other_port))
        };
        of(&listening, relay).into_iter().map(shown).collect()
    }

    const FOUR: [&str; 4] =
        ["192.0.2.1:3478", "192.0.2.1:3479", "192.0.2.2:3478", "192.0.2.2:3479"];

    #[test]
    fn two_addresses_with_two_ports_know_their_opposites() {
        let pairs = [
            "192.0.2.1:3478 192.0.2.2:3479",
            "192.0.2.1:3479 192.0.2.2:3478",
            "192.0.2.2:3478 192.0.2.1:3479",
            "192.0.2.2:3479 192.0.2.1:3478",
        ];
        assert_eq!(found(&FOUR, &[]), pairs);
        let more = [&["0.0.0.0:5000", "192.0.2.9:3478"][..], &FOUR, &["192.0.2.1:80"]].concat();
        assert_eq!(found(&more, &[]), pairs);
    }

    #[test]
    fn each_family_has_its_own() {
        let six = ["[2001:db8::1]:1", "[2001:db8::1]:2", "[2001:db8::2]:1", "[2001:db8::2]:2"];
        assert_eq!(found(&[&six[..], &FOUR].concat(), &[]).len(), 8);
        assert!(found(&[FOUR[0], FOUR[1], six[2], six[3]], &[]).is_empty());
    }

    #[test]
    fn three_listeners_or_a_wildcard_are_not_enough() {
        assert!(found(&FOUR[..3], &[]).is_empty());
        assert!(found(&["0.0.0.0:3478", "0.0.0.0:3479", FOUR[0], FOUR[1]], &[]).is_empty());
    }

    #[test]
    fn an_address_behind_a_nat_does_not_serve() {
        let (local, public) = ([192, 0, 2, 2].into(), [198, 51, 100, 2].into());
        assert!(found(&FOUR, &[RelayAddress { local, public }]).is_empty());
    }
}
