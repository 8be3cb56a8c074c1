//! Whether relayed addresses can work as they are: said at the start, before the first call fails.

use std::net::IpAddr;
use std::path::Path;

use tracing::{info, warn};

use crate::app::config::Config;
use crate::relay::addresses::{Reach, reach};
use crate::turn::RelayAddress;

/// What is wrong with one relayed address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    public: IpAddr,
    what: String,
    /// Whether calls will fail by it, or only some that could do without.
    serious: bool,
}

/// The relayed addresses as peers see them, IPv4 first, each with its name here where that differs.
pub(super) fn seen_as(relay: &[RelayAddress]) -> String {
    let mut relay: Vec<_> = relay.iter().collect();
    relay.sort_by_key(|address| address.public.is_ipv6());
    let name = |address: &&RelayAddress| match address.public == address.local {
        true => address.public.to_string(),
        false => format!("{} ({} here)", address.public, address.local),
    };
    relay.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Says in the log which addresses peers will see, and what is wrong with them.
pub(super) fn examine(relay: &[RelayAddress], config: &Config) {
    info!(
        addresses = seen_as(relay),
        "these are the addresses that peers will see relayed media come from"
    );
    if config.dev {
        return;
    }
    let meant: Vec<_> = config.relay.external.iter().map(|external| external.public).collect();
    let container =
        container(|path| Path::new(path).exists(), |name| std::env::var_os(name).is_some());
    for Finding { public, what, serious } in findings(relay, &meant, container) {
        match serious {
            true => warn!(address = %public, "{what}"),
            false => info!(address = %public, "{what}"),
        }
    }
}

/// `meant` are the public names that were written down: whoever did that knows the network.
fn findings(relay: &[RelayAddress], meant: &[IpAddr], container: Option<&str>) -> Vec<Finding> {
    let is_fine = |address: &RelayAddress| {
        reach(address.public) == Some(Reach::Global) || meant.contains(&address.public)
    };
    let ipv4_is_fine = relay.iter().any(|address| address.public.is_ipv4() && is_fine(address));
    let ill = relay.iter().filter(|address| !is_fine(address));
    ill.map(|address| Finding {
        public: address.public,
        what: complaint(address.public, container),
        // Nearly every peer can do with IPv4 alone.
        serious: address.public.is_ipv4() || !ipv4_is_fine,
    })
    .collect()
}

fn complaint(public: IpAddr, container: Option<&str>) -> String {
    let why = match reach(public) {
        Some(Reach::Loopback) => "is loopback: only programs on this host can use this relay",
        Some(Reach::Shared) => {
            "is an address behind a carrier's NAT (RFC 6598): peers elsewhere cannot reach it, \
             unless the carrier gave this host a public address of its own"
        }
        _ => "is a private address: peers outside of its network cannot reach it",
    };
    let cure = match public {
        _ if public.is_loopback() => "name another in relay.addresses".to_owned(),
        IpAddr::V4(_) => format!(
            "write the public one into relay.external (\"PUBLIC/{public}\"), or name a \
             relay.stun_server that finds it out; if every peer is inside, write \
             \"{public}/{public}\" and this is not said again"
        ),
        IpAddr::V6(_) => {
            "give this host a global IPv6 address, or leave this one out of relay.addresses"
                .to_owned()
        }
    };
    let mut what = format!("the relayed address {public} {why}; {cure}");
    if let Some(kind) = container {
        what += &format!(
            ". This seems to run in a container ({kind}): give it the network of its host \
             (`--network host`, `hostNetwork: true`), or publish the ports of listen.udp and \
             relay.ports under the same numbers and write the host's address into relay.external"
        );
    }
    what
}

/// What kind of container this runs in, as far as it shows.
fn container(exists: impl Fn(&str) -> bool, is_set: impl Fn(&str) -> bool) -> Option<&'static str> {
    match () {
        () if is_set("KUBERNETES_SERVICE_HOST") => Some("Kubernetes"),
        () if exists("/run/.containerenv") => Some("Podman"),
        () if exists("/.dockerenv") => Some("Docker"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(local: &str, public: &str) -> RelayAddress {
        let ip = |text: &str| text.parse().expect("an address");
        RelayAddress { local: ip(local), public: ip(public) }
    }

    fn found(relay: &[RelayAddress]) -> Vec<(bool, String)> {
        findings(relay, &[], None).into_iter().map(|found| (found.serious, found.what)).collect()
    }

    #[test]
    fn addresses_are_named_as_peers_see_them() {
        let relays = [relay("2001:db8::5", "2001:db8::5"), relay("10.0.0.5", "198.51.100.7")];
        assert_eq!(seen_as(&relays), "198.51.100.7 (10.0.0.5 here), 2001:db8::5");
        assert!(found(&relays).is_empty());
    }

    #[test]
    fn a_private_address_without_a_public_name_is_warned_about() {
        let [(true, what)] = &found(&[relay("10.0.0.5", "10.0.0.5")])[..] else {
            panic!("one warning")
        };
        for cure in ["relay.external (\"PUBLIC/10.0.0.5\")", "relay.stun_server"] {
            assert!(what.contains(cure), "{what}");
        }
    }

    #[test]
    fn a_private_address_that_was_written_down_is_meant_so() {
        let meant = ["192.168.1.7".parse().expect("an address")];
        assert!(findings(&[relay("172.17.0.2", "192.168.1.7")], &meant, None).is_empty());
        assert!(findings(&[relay("192.168.1.7", "192.168.1.7")], &meant, None).is_empty());
    }

    #[test]
    fn an_ipv6_address_of_the_site_is_no_trouble_beside_a_good_ipv4_one() {
        let site = relay("fd00::5", "fd00::5");
        assert!(!found(&[relay("10.0.0.5", "198.51.100.7"), site])[0].0);
        assert!(found(&[site])[0].0);
    }

    #[test]
    fn loopback_and_a_carriers_nat_have_their_own_words() {
        assert!(found(&[relay("127.0.0.1", "127.0.0.1")])[0].1.contains("only programs on this"));
        assert!(found(&[relay("100.64.0.5", "100.64.0.5")])[0].1.contains("carrier"));
    }

    #[test]
    fn a_container_is_told_what_containers_need() {
        let what = complaint("172.17.0.2".parse().expect("an address"), Some("Docker"));
        assert!(what.contains("--network host") && what.contains("same numbers"), "{what}");
        assert_eq!(container(|path| path == "/.dockerenv", |_| false), Some("Docker"));
        assert_eq!(container(|_| true, |_| true), Some("Kubernetes"));
        assert_eq!(container(|_| false, |_| false), None);
    }
}
