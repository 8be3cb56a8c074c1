//! Under which names browsers find what listens here.

use std::net::{IpAddr, SocketAddr};

use crate::app::config::Config;
use crate::creds::uri::Endpoint;
use crate::net::Transport;

use super::addresses::Addresses;

/// Where clients find the relay, IPv4 first: a wildcard listener is found under every relay
/// address of its family, any other under its own address, each by its public name.
pub(super) fn turn(addresses: &Addresses, listening: &[SocketAddr]) -> Vec<Endpoint> {
    let mut found: Vec<SocketAddr> = Vec::new();
    for listener in listening {
        let relays = addresses.relay.iter();
        let same = relays.filter(|relay| relay.local.is_ipv4() == listener.is_ipv4());
        let hosts: Vec<IpAddr> = match listener.ip() {
            any if any.is_unspecified() => same.map(|relay| relay.public).collect(),
            ip => {
                let named = addresses.relay.iter().find(|relay| relay.local == ip);
                vec![named.map_or(ip, |relay| relay.public)]
            }
        };
        found.extend(hosts.into_iter().map(|ip| SocketAddr::new(ip, listener.port())));
    }
    found.sort_by_key(SocketAddr::is_ipv6);
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for address in found {
        let (host, port) = (address.ip().to_string(), address.port());
        let endpoint = Endpoint { host, port, transport: Transport::Udp };
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    endpoints
}

/// Where a browser finds the page, without a slash at its end. `None` when nothing serves it.
pub(super) fn page(config: &Config, addresses: &Addresses, http: &[SocketAddr]) -> Option<String> {
    if let Some(url) = &config.http.public_url {
        return Some(url.clone());
    }
    let first = http.first()?;
    let ip = match first.ip() {
        any if any.is_unspecified() => {
            let mut relays = addresses.relay.iter();
            let same = relays.find(|relay| relay.public.is_ipv4() == any.is_ipv4());
            same.map_or(any, |relay| relay.public)
        }
        ip => ip,
    };
    Some(format!("http://{}", SocketAddr::new(ip, first.port())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creds::uri::turn_uri;
    use crate::turn::RelayAddress;

    fn uris(listening: &[&str]) -> Vec<String> {
        let ip = |text: &str| text.parse().expect("an address");
        let relay = vec![
            RelayAddress { local: ip("2001:db8::5"), public: ip("2001:db8::5") },
            RelayAddress { local: ip("10.0.0.5"), public: ip("198.51.100.7") },
        ];
        let addresses = Addresses { relay, own: Vec::new() };
        let listening: Vec<_> =
            listening.iter().map(|text| text.parse().expect("an address")).collect();
        turn(&addresses, &listening).iter().map(turn_uri).collect()
    }

    #[test]
    fn a_wildcard_is_found_under_the_public_names_ipv4_first() {
        assert_eq!(
            uris(&["[::]:3478", "0.0.0.0:3478"]),
            ["turn:198.51.100.7:3478?transport=udp", "turn:[2001:db8::5]:3478?transport=udp"]
        );
    }

    #[test]
    fn a_single_address_is_found_under_its_public_name() {
        assert_eq!(uris(&["10.0.0.5:3478"]), ["turn:198.51.100.7:3478?transport=udp"]);
        assert_eq!(uris(&["10.0.0.6:3478"]), ["turn:10.0.0.6:3478?transport=udp"]);
    }
}
