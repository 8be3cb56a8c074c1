//! Which addresses this host has, and which of them relayed ports are best opened on.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Every address of every interface, once each. Those that traffic to the internet leaves from come
/// first: of a host with several networks, they are what peers can reach.
///
/// # Errors
/// When the system does not list its interfaces.
pub fn discover() -> io::Result<Vec<IpAddr>> {
    let listed: Vec<IpAddr> =
        if_addrs::get_if_addrs()?.iter().map(if_addrs::Interface::ip).collect();
    let preferred = [default_source(true), default_source(false)].into_iter().flatten();
    let preferred = preferred.filter(|address| listed.contains(address)).collect::<Vec<_>>();
    let mut addresses = Vec::with_capacity(listed.len());
    for address in preferred.into_iter().chain(listed) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// The address the default route leaves from. Nothing is sent: connecting a UDP socket only asks
/// the routing table.
fn default_source(ipv4: bool) -> Option<IpAddr> {
    let (here, there): (SocketAddr, SocketAddr) = match ipv4 {
        // Any address of the public internet does: these are the first of the two largest blocks.
        true => ((Ipv4Addr::UNSPECIFIED, 0).into(), (Ipv4Addr::new(1, 0, 0, 1), 9).into()),
        false => {
            let public = Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 1);
            ((Ipv6Addr::UNSPECIFIED, 0).into(), (public, 9).into())
        }
    };
    let socket = UdpSocket::bind(here).ok()?;
    socket.connect(there).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// What "auto" means: of `addresses` the best of each family, IPv4 first; the earlier of two equals.
/// Global before shared and private ones; never a link-local one; loopback only on a host that has
/// nothing else in either family.
pub fn relay_candidates(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let best = |ipv4: bool, loopback: bool| {
        addresses
            .iter()
            .filter(|address| address.is_ipv4() == ipv4)
            .filter_map(|address| Some((reach(*address)?, *address)))
            .filter(|(reach, _)| (*reach == Reach::Loopback) == loopback)
            .min_by_key(|(reach, _)| *reach)
            .map(|(_, address)| address)
    };
    let both = |loopback| [best(true, loopback), best(false, loopback)].into_iter().flatten();
    match both(false).collect::<Vec<_>>() {
        none if none.is_empty() => both(true).collect(),
        found => found,
    }
}

/// How far an address can be reached from; best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// From everywhere.
    Global,
    /// From behind the same carrier's NAT (RFC 6598).
    Shared,
    /// From the same site (RFC 1918, RFC 4193).
    Private,
    /// From here alone.
    Loopback,
}

/// From how far `address` can be reached, by what kind of address it is. `None` can never be a
/// relayed address: unspecified, multicast, link-local.
pub fn reach(address: IpAddr) -> Option<Reach> {
    match address {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Option<Reach> {
    let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xC0 == 64;
    match ip {
        _ if ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast() => None,
        _ if ip.is_link_local() => None,
        _ if ip.is_loopback() => Some(Reach::Loopback),
        _ if ip.is_private() => Some(Reach::Private),
        _ if shared => Some(Reach::Shared),
        _ => Some(Reach::Global),
    }
}

fn reach_v6(ip: Ipv6Addr) -> Option<Reach> {
    // Site-local addresses (fec0::/10) are deprecated by RFC 3879, but some hosts still have them.
    let site_local = ip.segments()[0] & 0xFFC0 == 0xFEC0;
    match ip {
        _ if ip.is_unspecified() || ip.is_multicast() => None,
        _ if ip.is_unicast_link_local() || ip.to_ipv4_mapped().is_some() => None,
        _ if ip.is_loopback() => Some(Reach::Loopback),
        _ if ip.is_unique_local() || site_local => Some(Reach::Private),
        _ => Some(Reach::Global),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(addresses: &[&str]) -> Vec<String> {
        let parsed: Vec<IpAddr> =
            addresses.iter().map(|text| text.parse().expect("an address")).collect();
        relay_candidates(&parsed).iter().map(IpAddr::to_string).collect()
    }

    #[test]
    fn the_best_of_each_family_is_taken() {
        let host =
            ["127.0.0.1", "10.0.0.5", "198.51.100.7", "::1", "fe80::1", "fd00::5", "2a00::7"];
        assert_eq!(candidates(&host), ["198.51.100.7", "2a00::7"]);
    }

    #[test]
    fn private_addresses_serve_where_nothing_better_is() {
        assert_eq!(candidates(&["127.0.0.1", "172.16.3.4", "fd00::5"]), ["172.16.3.4", "fd00::5"]);
        assert_eq!(candidates(&["192.168.1.2", "100.64.0.9"]), ["100.64.0.9"]);
    }

    #[test]
    fn the_earlier_of_two_equals_is_taken() {
        assert_eq!(candidates(&["192.168.7.2", "10.0.0.5"]), ["192.168.7.2"]);
    }

    #[test]
    fn link_local_is_never_taken() {
        assert_eq!(candidates(&["169.254.1.1", "fe80::1"]), [""; 0]);
        assert_eq!(candidates(&["169.254.1.1", "127.0.0.1", "fe80::1"]), ["127.0.0.1"]);
    }

    #[test]
    fn loopback_is_taken_only_where_neither_family_has_more() {
        assert_eq!(candidates(&["127.0.0.1", "::1"]), ["127.0.0.1", "::1"]);
        assert_eq!(candidates(&["127.0.0.1", "10.1.2.3", "::1"]), ["10.1.2.3"]);
    }

    #[test]
    fn what_is_discovered_is_listed_once() {
        let found = discover().expect("the interfaces are listed");
        let mut unique = found.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), found.len());
    }
}
