//! Under which names browsers find what listens here.

use std::net::{IpAddr, SocketAddr};

use crate::app::config::Config;
use crate::creds::uri::Endpoint;
use crate::front::certificate::Certificate;
use crate::net::Transport;

use super::addresses::Addresses;
use super::listeners::Listening;

/// Where clients find the relay, by transport, IPv4 first: a wildcard listener is found under every
/// relay address of its family, any other under its own address, each by its public name. Over TLS
/// the certificate's name stands for the address, since browsers compare the two.
pub(super) fn turn(
    config: &Config,
    addresses: &Addresses,
    listening: &Listening,
    certificate: Option<&Certificate>,
) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    let Listening { udp, tcp, tls, .. } = listening;
    let transports = [(Transport::Udp, udp), (Transport::Tcp, tcp), (Transport::Tls, tls)];
    for (transport, listeners) in transports {
        for address in reached(addresses, listeners) {
            let host = match (transport, certificate) {
                (Transport::Tls, Some(certificate)) => tls_host(config, certificate, address.ip()),
                _ => address.ip().to_string(),
            };
            let endpoint = Endpoint { host, port: address.port(), transport };
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
    }
    endpoints
}

/// The addresses that listeners are reached by.
fn reached(addresses: &Addresses, listeners: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = Vec::new();
    for listener in listeners {
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
    found
}

/// What a client calls the server at `ip` by, so that it takes the certificate: the page's name, if
/// the certificate is for it, the address itself, if that is, or else the first name it is for.
fn tls_host(config: &Config, certificate: &Certificate, ip: IpAddr) -> String {
    let page = config.http.public_url.as_deref().and_then(host_of);
    if let Some(page) = page.filter(|page| certificate.is_for(page)) {
        return page.to_owned();
    }
    if certificate.is_for(&ip.to_string()) {
        return ip.to_string();
    }
    let names = certificate.names();
    let first = names.iter().find(|name| !name.starts_with('*'));
    first.cloned().unwrap_or_else(|| ip.to_string())
}

/// The host of an address of a page, an IPv6 one without its brackets.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    match authority.strip_prefix('[') {
        Some(ip) => ip.split(']').next(),
        None => authority.split(':').next(),
    }
}

/// Where a browser finds the page, without a slash at its end. `None` when nothing serves it.
pub(super) fn page(
    config: &Config,
    addresses: &Addresses,
    listening: &Listening,
    certificate: Option<&Certificate>,
) -> Option<String> {
    if let Some(url) = &config.http.public_url {
        return Some(url.clone());
    }
    let first = listening.http.first()?;
    let ip = match first.ip() {
        any if any.is_unspecified() => {
            let mut relays = addresses.relay.iter();
            let same = relays.find(|relay| relay.public.is_ipv4() == any.is_ipv4());
            same.map_or(any, |relay| relay.public)
        }
        ip => ip,
    };
    // Browsers do not trust what --dev made, and need no TLS on loopback.
    let tls = certificate.filter(|_| !config.dev && !ip.is_loopback());
    let Some(certificate) = tls else {
        return Some(format!("http://{}", SocketAddr::new(ip, first.port())));
    };
    let host = match tls_host(config, certificate, ip).parse() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        Ok(ip) => ip.to_string(),
        Err(_) => tls_host(config, certificate, ip),
    };
    match first.port() {
        443 => Some(format!("https://{host}")),
        port => Some(format!("https://{host}:{port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::from_text;
    use crate::creds::uri::turn_uri;
    use crate::front::certificate::self_signed;
    use crate::turn::RelayAddress;

    fn here() -> Addresses {
        let ip = |text: &str| text.parse().expect("an address");
        let relay = vec![
            RelayAddress { local: ip("2001:db8::5"), public: ip("2001:db8::5") },
            RelayAddress { local: ip("10.0.0.5"), public: ip("198.51.100.7") },
        ];
        Addresses { relay, own: Vec::new() }
    }

    fn at(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    fn config(url: &str) -> Config {
        from_text("test", &format!("http.public_url = \"{url}\"")).expect("good")
    }

    fn uris(listening: &Listening) -> Vec<String> {
        let certificate = self_signed().expect("made");
        let found = turn(&config(""), &here(), listening, Some(&certificate));
        found.iter().map(turn_uri).collect()
    }

    #[test]
    fn a_wildcard_is_found_under_the_public_names_ipv4_first() {
        let listening =
            Listening { udp: at(&["[::]:3478", "0.0.0.0:3478"]), ..Listening::default() };
        assert_eq!(
            uris(&listening),
            ["turn:198.51.100.7:3478?transport=udp", "turn:[2001:db8::5]:3478?transport=udp"]
        );
    }

    #[test]
    fn a_single_address_is_found_under_its_public_name() {
        let udp = |text| Listening { udp: at(&[text]), ..Listening::default() };
        assert_eq!(uris(&udp("10.0.0.5:3478")), ["turn:198.51.100.7:3478?transport=udp"]);
        assert_eq!(uris(&udp("10.0.0.6:3478")), ["turn:10.0.0.6:3478?transport=udp"]);
    }

    #[test]
    fn every_transport_that_listens_is_named_and_tls_by_the_name_of_its_certificate() {
        let both = at(&["0.0.0.0:3478"]);
        let tls = at(&["0.0.0.0:443", "[::]:443"]);
        let listening = Listening { udp: both.clone(), tcp: both, tls, http: Vec::new() };
        assert_eq!(
            uris(&listening),
            [
                "turn:198.51.100.7:3478?transport=udp",
                "turn:198.51.100.7:3478?transport=tcp",
                "turns:localhost:443?transport=tcp",
            ]
        );
    }

    #[test]
    fn an_address_the_certificate_is_for_stays_one() {
        let listening =
            Listening { tls: at(&["127.0.0.1:5349", "[::1]:5349"]), ..Listening::default() };
        let expected = ["turns:127.0.0.1:5349?transport=tcp", "turns:[::1]:5349?transport=tcp"];
        assert_eq!(uris(&listening), expected);
    }

    #[test]
    fn the_name_of_the_page_comes_first_if_the_certificate_is_for_it() {
        let certificate = self_signed().expect("made");
        let ip = "198.51.100.7".parse().expect("an address");
        let host = |url: &str| tls_host(&config(url), &certificate, ip);
        assert_eq!(host("https://localhost:8443/calls"), "localhost");
        assert_eq!(host("https://[::1]:8443"), "::1");
        assert_eq!(host("https://elsewhere.example"), "localhost");
    }

    #[test]
    fn the_page_is_https_where_there_is_a_certificate_and_loopback_does_without() {
        let certificate = self_signed().expect("made");
        let page = |http: &str, url: &str, certificate| {
            let listening = Listening { http: at(&[http]), ..Listening::default() };
            page(&config(url), &here(), &listening, certificate).expect("a page")
        };
        assert_eq!(page("0.0.0.0:443", "", Some(&certificate)), "https://localhost");
        assert_eq!(page("0.0.0.0:8443", "", Some(&certificate)), "https://localhost:8443");
        assert_eq!(page("0.0.0.0:8080", "", None), "http://198.51.100.7:8080");
        assert_eq!(page("127.0.0.1:8080", "", Some(&certificate)), "http://127.0.0.1:8080");
        assert_eq!(page("127.0.0.1:8080", "https://calls.example", None), "https://calls.example");
    }
}
