//! `--dev` opens minting to everybody, so that nothing of it may be reached from elsewhere:
//! whatever was configured, only the ports of it count.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Effective;
use super::value::{Node, Value};

/// Moves every address to loopback, in the family it has, and opens loopback peers.
pub(super) fn keep_on_loopback(effective: &mut Effective) {
    for key in ["listen.udp", "listen.tcp", "listen.tls", "http.listen"] {
        replace(effective.value_mut(key), |text| {
            let address: SocketAddr = text.trim().parse().ok()?;
            let ip = loopback(address.ip());
            (ip != address.ip()).then(|| SocketAddr::new(ip, address.port()).to_string())
        });
    }
    replace(effective.value_mut("relay.addresses"), |text| {
        let ip = text.trim().parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        (loopback(ip) != ip)
            .then(|| loopback(ip).to_string())
            .or((text == "auto").then(|| ip.to_string()))
    });
    let external = effective.value_mut("relay.external");
    external.value = Value::List(Vec::new());
    let allow = effective.value_mut("peers.allow");
    let place = allow.place.clone();
    if let Value::List(ranges) = &mut allow.value {
        for range in ["127.0.0.0/8", "::1"] {
            let node = Node::new(Value::Text(range.to_owned()), place.clone());
            if !ranges.contains(&node) {
                ranges.push(node);
            }
        }
    }
}

/// Replaces texts of a list; those that become equal stay once.
fn replace(list: &mut Node, with: impl Fn(&str) -> Option<String>) {
    let Value::List(items) = &mut list.value else { return };
    let mut kept: Vec<Node> = Vec::new();
    for mut item in items.drain(..) {
        let moved = match &item.value {
            Value::Text(text) => with(text),
            _ => None,
        };
        let was_moved = moved.is_some();
        item.value = moved.map_or(item.value, Value::Text);
        if !(was_moved && kept.contains(&item)) {
            kept.push(item);
        }
    }
    *items = kept;
}

fn loopback(ip: IpAddr) -> IpAddr {
    match ip {
        ip if ip.is_loopback() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::app::config::{Sources, load};

    fn dev(set: &[&str]) -> crate::app::config::Config {
        let set = set.iter().map(|text| (*text).to_owned()).collect();
        load(&Sources { set, dev: true, ..Sources::default() }).expect("good").config
    }

    #[test]
    fn every_address_is_loopback_and_ports_stay() {
        let config = dev(&["listen.udp=0.0.0.0:5000,[::]:5001", "http.listen=192.0.2.1:80"]);
        let (udp, http) = (&config.listen.udp, &config.http.listen);
        assert_eq!(format!("{udp:?} {http:?}"), "[127.0.0.1:5000, [::1]:5001] [127.0.0.1:80]");
    }

    #[test]
    fn loopback_is_a_peer_beside_what_was_allowed() {
        let allow = format!("{:?}", dev(&["peers.allow=10.0.0.0/8"]).peers.allow);
        assert_eq!(allow, "[10.0.0.0/8, 127.0.0.0/8, ::1/128]");
    }

    #[test]
    fn relay_addresses_are_loopback_even_when_auto_was_asked() {
        let config = dev(&["relay.addresses=auto", "relay.external=198.51.100.1"]);
        assert_eq!(format!("{:?}", config.relay.addresses), "[Ip(127.0.0.1)]");
        assert!(config.relay.external.is_empty());
    }
}
