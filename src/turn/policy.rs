//! Which peers may be reached (RFC 8656 section 21.1.6 and the advisories of other servers).
//!
//! One function turns every spelling of an address into the address it reaches; the rules are asked
//! about that. Relayed addresses of this server are peers even inside a refused range, but only on
//! live relay ports: a permission names no port, so a [`Guard`] goes along to where data is sent.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::command::RelayKind;
use super::ports::Ports;
use super::settings::{RelayAddress, Settings};
use crate::net::RelayPort;

/// The rules, compiled from [`Settings`].
#[derive(Debug)]
pub(super) struct Policy {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
    own: Vec<IpAddr>,
    relays: Vec<RelayAddress>,
    service_ports: Vec<u16>,
    mapped: bool,
}

/// What is still to be checked where data is sent to or comes from a permitted address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing.
    Open,
    /// The port must be a live relay port of this relay address.
    LiveRelay(u8),
    /// An address of this host that the operator opened by name: any port but this server's own
    /// services.
    NotService,
}

/// Why an address is no peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Unspecified, multicast or broadcast: nobody in particular.
    Nobody,
    /// An address of this host that no allocation relays on.
    OwnHost,
    /// A port this server itself listens on.
    Service,
    /// A range of `peers.deny`.
    Denied(IpNet),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("it is unspecified, multicast or broadcast: never a peer"),
            Self::OwnHost => f.write_str(
                "it is this host itself, where only live relay ports are peers; `peers.allow` with \
                 this very address, not a range around it, opens its other ports",
            ),
            Self::Service => f.write_str("this server listens there itself: never a peer"),
            Self::Denied(net) => write!(
                f,
                "`peers.deny` closes {net}; a range in `peers.allow` that is more specific opens it"
            ),
        }
    }
}

impl Policy {
    pub(super) fn new(settings: &Settings) -> Self {
        let relays = settings.relay_addresses.clone();
        let services = settings.service_ports.iter().map(SocketAddr::ip);
        Self {
            allow: settings.allow.clone(),
            deny: settings.deny.clone(),
            own: settings.own_addresses.iter().copied().chain(services).collect(),
            mapped: relays.iter().any(|relay| relay.local != relay.public),
            relays,
            service_ports: settings.service_ports.iter().map(SocketAddr::port).collect(),
        }
    }

    /// The address a packet for `ip` is really sent to: the local one behind a public name of ours.
    pub(super) fn inward(&self, ip: IpAddr) -> IpAddr {
        let named = self.relays.iter().find(|relay| self.mapped && relay.public == ip);
        named.map_or(ip, |relay| relay.local)
    }

    /// The name the client knows `ip` by: the public one of a relay address of ours.
    pub(super) fn outward(&self, ip: IpAddr) -> IpAddr {
        let named = self.relays.iter().find(|relay| self.mapped && relay.local == ip);
        named.map_or(ip, |relay| relay.public)
    }

    /// Whether `ip` (already turned [inward](Self::inward)) may be a peer at all.
    pub(super) fn judge(&self, ip: IpAddr) -> Result<Guard, Refusal> {
        if is_nobody(ip) {
            return Err(Refusal::Nobody);
        }
        if let Some(reached) = embedded(ip) {
            // Another spelling is never better than the address itself, and never our own relay.
            match self.judge(IpAddr::V4(reached))? {
                Guard::Open => {}
                Guard::LiveRelay(_) | Guard::NotService => return Err(Refusal::OwnHost),
            }
        }
        let rule = self.rule(ip);
        if !self.is_own(ip) {
            return match rule {
                Rule::Deny(net) => Err(Refusal::Denied(net)),
                Rule::Allow(_) | Rule::None => Ok(Guard::Open),
            };
        }
        if matches!(rule, Rule::Allow(net) if is_this_host(net)) {
            return Ok(Guard::NotService);
        }
        let relay = self.relays.iter().position(|relay| relay.local == ip);
        let relay = relay.and_then(|index| u8::try_from(index).ok());
        relay.map(Guard::LiveRelay).ok_or(Refusal::OwnHost)
    }

    /// As [`Self::judge`], for a channel, which names a port.
    pub(super) fn judge_port(&self, peer: SocketAddr) -> Result<Guard, Refusal> {
        let guard = self.judge(peer.ip())?;
        if guard == Guard::NotService && self.service_ports.contains(&peer.port()) {
            return Err(Refusal::Service);
        }
        Ok(guard)
    }

    /// The check per packet or connection, where there is something left to check.
    pub(super) fn passes(&self, guard: Guard, port: u16, kind: RelayKind, ports: &Ports) -> bool {
        match guard {
            Guard::Open => true,
            Guard::LiveRelay(address) => ports.is_live(RelayPort { address, port }, kind),
            Guard::NotService => !self.service_ports.contains(&port),
        }
    }

    fn is_own(&self, ip: IpAddr) -> bool {
        ip.is_loopback()
            || self.own.contains(&ip)
            || self.relays.iter().any(|relay| relay.local == ip || relay.public == ip)
    }

    fn rule(&self, ip: IpAddr) -> Rule {
        let longest = |nets: &[IpNet]| {
            let holding = nets.iter().filter(|net| net.contains(&ip)).copied();
            holding.max_by_key(IpNet::prefix_len)
        };
        match (longest(&self.allow), longest(&self.deny)) {
            (None, None) => Rule::None,
            (Some(allow), Some(deny)) if allow.prefix_len() <= deny.prefix_len() => {
                Rule::Deny(deny)
            }
            (Some(allow), _) => Rule::Allow(allow),
            (None, Some(deny)) => Rule::Deny(deny),
        }
    }
}

enum Rule {
    None,
    Allow(IpNet),
    Deny(IpNet),
}

/// Whether a range that is allowed can only mean this host: one address, or loopback alone. Whoever
/// allows a wider one thinks of other hosts, and would open our own ports by accident.
fn is_this_host(net: IpNet) -> bool {
    net.prefix_len() == net.max_prefix_len()
        || net.network().is_loopback() && net.broadcast().is_loopback()
}

fn is_nobody(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast() || v4.octets()[0] == 0);
    ip.is_unspecified() || ip.is_multicast() || broadcast
}

/// The IPv4 address that an IPv6 address reaches through a mapping, a translator or a tunnel:
/// IPv4-mapped and -compatible (RFC 4291), SIIT (RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056),
/// ISATAP (RFC 5214) and Teredo (RFC 4380).
fn embedded(ip: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = ip else { return None };
    let bits = v6.to_bits();
    let low = Ipv4Addr::from_bits((bits & 0xffff_ffff) as u32);
    let segments = v6.segments();
    match segments {
        _ if bits >> 32 == 0 && v6 != Ipv6Addr::LOCALHOST => Some(low),
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => Some(low),
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] | [0x64, 0xff9b, 1, ..] => Some(low),
        [_, _, _, _, 0 | 0x0200, 0x5efe, _, _] => Some(low),
        [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        [0x2001, 0, ..] => Some(Ipv4Addr::from_bits(!low.to_bits())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::tests::settings;

    fn policy(allow: &[&str], deny: &[&str]) -> Policy {
        let nets = |list: &[&str]| list.iter().map(|net| net.parse().expect("net")).collect();
        let mut settings = settings();
        settings.relay_addresses =
            vec![RelayAddress { local: [10, 0, 0, 5].into(), public: [198, 51, 100, 5].into() }];
        settings.own_addresses = vec![[10, 0, 0, 5].into(), [10, 0, 0, 6].into()];
        settings.service_ports = vec!["0.0.0.0:3478".parse().expect("address")];
        (settings.allow, settings.deny) = (nets(allow), nets(deny));
        Policy::new(&settings)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// RFC 8656 section 21.1.6; every advisory on address spellings since 2020.
    #[test]
    fn every_spelling_of_a_refused_address_is_refused() {
        let policy = policy(&[], &["127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8", "::1/128"]);
        for spelled in [
            "127.0.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:0:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:4136:e378:8000:63bf:80ff:fffe",
            "2001:db8::5efe:127.0.0.1",
            "::ffff:169.254.169.254",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
        ] {
            assert!(policy.judge(ip(spelled)).is_err(), "{spelled}");
        }
        assert_eq!(policy.judge(ip("192.0.2.1")), Ok(Guard::Open));
        assert_eq!(policy.judge(ip("64:ff9b::c000:201")), Ok(Guard::Open));
    }

    #[test]
    fn the_more_specific_of_allow_and_deny_wins_and_deny_on_a_tie() {
        let policy = policy(
            &["10.1.0.0/16", "192.0.2.0/24"],
            &["10.0.0.0/8", "10.1.2.0/24", "192.0.2.0/24"],
        );
        assert!(policy.judge(ip("10.9.9.9")).is_err());
        assert_eq!(policy.judge(ip("10.1.1.1")), Ok(Guard::Open));
        assert!(policy.judge(ip("10.1.2.3")).is_err());
        assert!(policy.judge(ip("192.0.2.1")).is_err());
    }

    #[test]
    fn own_relay_addresses_are_peers_on_live_relay_ports_only_even_in_a_refused_range() {
        let policy = policy(&[], &["10.0.0.0/8"]);
        let ports = Ports::new(50_000..=50_010, 1);
        let inward = policy.inward(ip("198.51.100.5"));
        assert_eq!(inward, ip("10.0.0.5"));
        assert_eq!(policy.outward(inward), ip("198.51.100.5"));
        let guard = policy.judge(inward).expect("a peer");
        assert_eq!(guard, Guard::LiveRelay(0));
        assert!(!policy.passes(guard, 50_000, RelayKind::Udp, &ports));
        ports.set_live(RelayPort { address: 0, port: 50_000 }, RelayKind::Udp);
        assert!(policy.passes(guard, 50_000, RelayKind::Udp, &ports));
        assert!(!policy.passes(guard, 22, RelayKind::Udp, &ports));
        assert_eq!(policy.judge(ip("10.0.0.6")), Err(Refusal::OwnHost));
        assert_eq!(policy.judge(ip("::ffff:10.0.0.5")), Err(Refusal::OwnHost));
    }

    #[test]
    fn an_opened_own_address_still_keeps_its_service_ports_closed() {
        let policy = policy(&["127.0.0.0/8", "0.0.0.0/0"], &[]);
        let ports = Ports::new(50_000..=50_010, 1);
        let guard = policy.judge(ip("127.0.0.1")).expect("opened");
        assert_eq!(guard, Guard::NotService);
        assert!(policy.passes(guard, 9, RelayKind::Udp, &ports));
        assert!(!policy.passes(guard, 3478, RelayKind::Udp, &ports));
        assert_eq!(
            policy.judge_port("127.0.0.1:3478".parse().expect("address")),
            Err(Refusal::Service)
        );
        assert_eq!(policy.judge(ip("0.0.0.0")), Err(Refusal::Nobody));
    }
}
