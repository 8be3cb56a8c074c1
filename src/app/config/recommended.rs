//! What `"recommended"` in `peers.deny` stands for: every range that is not a public host.
//!
//! IPv4 addresses inside IPv6 ones (mapped, compatible, 6to4, Teredo, NAT64) are not listed: the
//! relay looks through them and asks about the address they reach.

use ipnet::IpNet;

/// The ranges, each with its reason (IANA special-purpose registries, RFC 6890).
pub const RECOMMENDED: [(&str, &str); 32] = [
    ("0.0.0.0/8", "this host (RFC 1122)"),
    ("10.0.0.0/8", "private (RFC 1918)"),
    ("100.64.0.0/10", "shared, behind a carrier's NAT (RFC 6598)"),
    ("127.0.0.0/8", "loopback (RFC 1122)"),
    ("169.254.0.0/16", "link-local and cloud metadata (RFC 3927)"),
    ("172.16.0.0/12", "private (RFC 1918)"),
    ("192.0.0.0/24", "protocol assignments (RFC 6890)"),
    ("192.0.2.0/24", "documentation (RFC 5737)"),
    ("192.88.99.0/24", "6to4 relays (RFC 7526)"),
    ("192.168.0.0/16", "private (RFC 1918)"),
    ("198.18.0.0/15", "benchmarks (RFC 2544)"),
    ("198.51.100.0/24", "documentation (RFC 5737)"),
    ("203.0.113.0/24", "documentation (RFC 5737)"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("240.0.0.0/4", "reserved, and broadcast (RFC 1112, RFC 919)"),
    ("::/128", "unspecified (RFC 4291)"),
    ("::1/128", "loopback (RFC 4291)"),
    ("::ffff:0:0:0/96", "translated IPv4 (RFC 2765)"),
    ("64:ff9b:1::/48", "local NAT64 (RFC 8215)"),
    ("100::/64", "discarded (RFC 6666)"),
    ("2001:2::/48", "benchmarks (RFC 5180)"),
    ("2001:10::/28", "ORCHID (RFC 4843)"),
    ("2001:20::/28", "ORCHIDv2 (RFC 7343)"),
    ("2001:db8::/32", "documentation (RFC 3849)"),
    ("3fff::/20", "documentation (RFC 9637)"),
    ("5f00::/16", "segment routing (RFC 9602)"),
    ("fc00::/7", "unique local (RFC 4193)"),
    ("fd00:ec2::254/128", "cloud metadata"),
    ("fe80::/10", "link-local (RFC 4291)"),
    ("fec0::/10", "site-local (RFC 3879)"),
    ("ff00::/8", "multicast (RFC 4291)"),
    ("100:0:0:1::/64", "dummy (RFC 9780)"),
];

/// The ranges of [`RECOMMENDED`].
pub fn recommended() -> impl Iterator<Item = IpNet> {
    RECOMMENDED.iter().map(|(range, _)| range.parse().expect("a range of the table above"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_is_well_formed_and_named_once() {
        let ranges: Vec<_> = recommended().collect();
        for (index, range) in ranges.iter().enumerate() {
            assert_eq!(*range, range.trunc(), "{range} has host bits");
            assert!(!ranges[..index].contains(range), "{range} stands twice");
        }
    }

    #[test]
    fn the_classic_targets_are_inside() {
        let targets =
            ["169.254.169.254", "127.0.0.1", "10.1.2.3", "100.100.1.1", "255.255.255.255"];
        for target in targets.into_iter().chain(["::1", "fd00:ec2::254", "fe80::1", "ff02::1"]) {
            let target: std::net::IpAddr = target.parse().expect("an address");
            assert!(recommended().any(|range| range.contains(&target)), "{target}");
        }
    }
}
