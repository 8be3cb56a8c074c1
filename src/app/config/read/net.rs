//! Addresses, ranges, ports and origins.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::duration::shown;
use super::{Read, fault, items, parsed};
use crate::app::config::nearest::nearest;
use crate::app::config::recommended::recommended;
use crate::app::config::value::{Node, Value};
use crate::app::config::{AddressChoice, External, HostPort};

/// A list of addresses to listen on; `port` is what a missing one probably is.
pub(in crate::app::config) fn listen(node: &Node, port: u16) -> Read<Vec<SocketAddr>> {
    let (mut addresses, mut faults) = (Vec::new(), Vec::new());
    for item in items(node)? {
        match parsed(item, |text| socket_address(text, port)) {
            // Of free ports there may be several on one address.
            Ok(address) if address.port() != 0 && addresses.contains(&address) => {
                faults.extend(fault::<()>(item, "stands twice in the list; leave one").err());
            }
            Ok(address) => addresses.push(address),
            Err(more) => faults.push(more),
        }
    }
    if faults.is_empty() { Ok(addresses) } else { Err(faults.concat()) }
}

fn socket_address(text: &str, port: u16) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let shown = shown(text);
    if let Some(port) = text.strip_prefix(':').or(Some(text)).filter(|p| p.parse::<u16>().is_ok()) {
        let both = format!("write \"0.0.0.0:{port}\" and \"[::]:{port}\"");
        return Err(format!("`{shown}` has no address; for every address {both}"));
    }
    if let Some((host, port)) = text.rsplit_once(':') {
        // "::1:3478" is an address of its own, but hardly meant as one.
        let looks_like_port = port.len() > 2 && port.parse::<u16>().is_ok();
        if let (Ok(ip), true) = (host.parse::<Ipv6Addr>(), looks_like_port) {
            return Err(format!("`{shown}`: write IPv6 addresses in brackets: \"[{ip}]:{port}\""));
        }
        if host == "localhost" {
            return Err(format!("`{shown}` is a name; write \"127.0.0.1:{port}\""));
        }
    }
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        let address = SocketAddr::new(ip, port);
        return Err(format!("`{shown}` has no port; write \"{address}\""));
    }
    Err(format!("`{shown}` is no address and port; write \"0.0.0.0:{port}\" or \"[::]:{port}\""))
}

/// `"auto"` or addresses of this host.
pub(in crate::app::config) fn relay_addresses(node: &Node) -> Read<Vec<AddressChoice>> {
    let choices = super::list(node, |item| {
        parsed(item, |text| match text {
            "auto" => Ok(AddressChoice::Auto),
            text => match text.parse::<IpAddr>() {
                Ok(ip) if ip.is_unspecified() || ip.is_multicast() => {
                    Err(format!("{ip} is not one address of this host; write \"auto\" or one"))
                }
                Ok(ip) => Ok(AddressChoice::Ip(ip)),
                Err(_) => Err(format!("`{}` is no address; write \"auto\" or an IP", shown(text))),
            },
        })
    })?;
    match choices.len() {
        0 => fault(node, "is empty; write [\"auto\"] or addresses of this host"),
        1..=256 => Ok(choices),
        _ => fault(node, "has more than 256 addresses"),
    }
}

/// `"public"` or `"public/private"`.
pub(in crate::app::config) fn external(node: &Node) -> Read<Vec<External>> {
    super::list(node, |item| {
        parsed(item, |text| {
            let wrong = || {
                let text = shown(text);
                format!(
                    "`{text}` is no address; write \"198.51.100.7\" or \"198.51.100.7/10.0.0.5\""
                )
            };
            let (public, private) = match text.split_once('/') {
                Some((public, private)) => (public, Some(private)),
                None => (text, None),
            };
            let public: IpAddr = public.trim().parse().map_err(|_| wrong())?;
            let private = private.map(|ip| ip.trim().parse::<IpAddr>()).transpose();
            let private = private.map_err(|_| wrong())?;
            if private.is_some_and(|ip| ip.is_ipv4() != public.is_ipv4()) {
                return Err("both addresses must be IPv4, or both IPv6".to_owned());
            }
            if public.is_unspecified() || public.is_multicast() {
                return Err(format!("{public} is no address a client could reach"));
            }
            Ok(External { public, private })
        })
    })
}

/// A server elsewhere, or none: `"host:port"`, `"[2001:db8::1]:3478"`; without a port 3478 is meant.
pub(in crate::app::config) fn server(node: &Node) -> Read<Option<HostPort>> {
    parsed(node, |text| if text.is_empty() { Ok(None) } else { host_port(text).map(Some) })
}

/// Servers elsewhere, separated by commas. None may be on loopback: it is not the client's.
pub(in crate::app::config) fn servers(node: &Node) -> Read<Vec<HostPort>> {
    parsed(node, |text| {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let mut servers = Vec::new();
        for server in names.map(host_port) {
            let server = server?;
            if server.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
                return Err(format!("`{server}` is on loopback, which no client reaches"));
            }
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        Ok(servers)
    })
}

/// What STUN and TURN servers listen on where nobody says otherwise (RFC 8489 section 6).
const STUN_PORT: u16 = 3478;

fn host_port(text: &str) -> Result<HostPort, String> {
    let wrong = || {
        let shown = shown(text);
        Err(format!("`{shown}` is no server; write \"turn.example.org:3478\""))
    };
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(HostPort { host: ip.to_string(), port: STUN_PORT });
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        let (host, port) = (address.ip().to_string(), address.port());
        return if port == 0 { wrong() } else { Ok(HostPort { host, port }) };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)),
        None => (text, Some(STUN_PORT)),
    };
    let plain = |label: &str| {
        let inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(inside)
    };
    // A name of digits alone is an address with a mistake in it.
    let number = host.split('.').all(|label| label.bytes().all(|b| b.is_ascii_digit()));
    let name = host.strip_suffix('.').unwrap_or(host);
    match port {
        Some(port) if name.len() <= 253 && name.split('.').all(plain) && !number => {
            Ok(HostPort { host: host.to_ascii_lowercase(), port })
        }
        _ => wrong(),
    }
}

/// `"49152-65535"`, or one port.
pub(in crate::app::config) fn ports(node: &Node) -> Read<RangeInclusive<u16>> {
    if let Value::Integer(port) = &node.value {
        return fault(node, format!("expected a range; write \"{port}-{port}\""));
    }
    parsed(node, |text| {
        let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (port(first), port(last)) {
            (Some(first), Some(last)) if first <= last => Ok(first..=last),
            (Some(first), Some(last)) => {
                Err(format!("{first} is above {last}; write \"{last}-{first}\""))
            }
            _ => Err(format!("`{}` is no range of ports; write \"49152-65535\"", shown(text))),
        }
    })
}

/// Address ranges such as `"10.0.0.0/8"`; a bare address is a range of one.
pub(in crate::app::config) fn ranges(node: &Node) -> Read<Vec<IpNet>> {
    super::list(node, |item| parsed(item, range))
}

/// As [`ranges`]; the word `"recommended"` stands for the built-in list without what `allowed`
/// names exactly: whoever writes down a range means it more than whoever writes a word.
pub(in crate::app::config) fn denied(node: &Node, allowed: &[IpNet]) -> Read<Vec<IpNet>> {
    let (mut ranges, mut faults) = (Vec::new(), Vec::new());
    for item in items(node)? {
        match &item.value {
            Value::Text(text) if text.trim() == "recommended" => {
                ranges.extend(recommended().filter(|range| !allowed.contains(range)));
            }
            _ => match parsed(item, range) {
                Ok(range) => ranges.push(range),
                Err(more) => faults.extend(more),
            },
        }
    }
    if faults.is_empty() { Ok(ranges) } else { Err(faults) }
}

fn range(text: &str) -> Result<IpNet, String> {
    let shown = shown(text);
    if text == "recommended" {
        return Err(
            "\"recommended\" is a list of what to refuse; it belongs into `deny`".to_owned()
        );
    }
    let range = match text.parse::<IpAddr>() {
        Ok(ip) => IpNet::from(ip),
        Err(_) => text.parse().map_err(|_| match nearest(text, ["recommended"].into_iter()) {
            Some(word) => format!("`{shown}` is no address range; did you mean \"{word}\"?"),
            None => format!("`{shown}` is no address range; write \"10.0.0.0/8\" or \"fd00::/8\""),
        })?,
    };
    if range != range.trunc() {
        return Err(format!("`{shown}` has bits behind its prefix; write \"{}\"", range.trunc()));
    }
    Ok(range)
}

/// Origins as browsers send them: `https://host` or `https://host:port`, or `*` for any.
pub(in crate::app::config) fn origins(node: &Node) -> Read<Vec<String>> {
    super::list(node, |item| {
        parsed(item, |text| match text {
            "*" => Ok("*".to_owned()),
            text => {
                let url = url(text)?;
                let (scheme, rest) = url.split_once("://").expect("a checked address");
                match rest.split_once('/') {
                    Some((host, _)) => {
                        Err(format!("`{}` has a path; write \"{scheme}://{host}\"", shown(text)))
                    }
                    None => Ok(url),
                }
            }
        })
    })
}

/// An `http://` or `https://` address, or nothing; a slash at its end is taken off.
pub(in crate::app::config) fn public_url(node: &Node) -> Read<Option<String>> {
    parsed(node, |text| if text.is_empty() { Ok(None) } else { url(text).map(Some) })
}

fn url(text: &str) -> Result<String, String> {
    let wrong =
        |why: &str| Err(format!("`{}` {why}; write \"https://calls.example.org\"", shown(text)));
    let Some((scheme @ ("http" | "https"), rest)) = text.split_once("://") else {
        return wrong("does not begin with http:// or https://");
    };
    let rest = rest.trim_end_matches('/');
    let plain = |c: char| c.is_ascii_graphic() && !"?#\\\"<>@%".contains(c);
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || !rest.chars().all(plain) {
        return wrong("is no address of a page");
    }
    let port = match host.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => Some(port),
        _ => None,
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return wrong("has no number as its port");
    }
    Ok(format!("{scheme}://{}{}", host.to_ascii_lowercase(), &rest[host.len()..]))
}
