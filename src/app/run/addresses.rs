//! Which addresses are relayed on, and what they are called outside.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use tracing::{info, warn};

use crate::app::Failure;
use crate::app::config::{AddressChoice, Config, Effective, External, HostPort, Place};
use crate::relay::addresses::{discover, relay_candidates};
use crate::turn::RelayAddress;

use super::public_address;

/// This host's addresses, as far as the relay must know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    /// Where ports are opened, and the names of these addresses outside.
    pub(super) relay: Vec<RelayAddress>,
    /// Every address of this host and every public name of one.
    pub(super) own: Vec<IpAddr>,
}

/// Asks the host for its addresses and the configuration for the rest.
///
/// # Errors
/// When the host does not list them, has none that could be relayed on, or lacks a configured one.
pub(super) fn resolve(config: &Config, effective: &Effective) -> Result<Addresses, Failure> {
    let found = discover().map_err(|error| {
        Failure::Runtime(format!(
            "this host does not list its addresses ({error}); write them into relay.addresses"
        ))
    })?;
    let chosen_here = !matches!(effective.place("relay.addresses"), Place::Default | Place::Dev);
    let mut local = Vec::new();
    for choice in &config.relay.addresses {
        match choice {
            AddressChoice::Auto => local.extend(relay_candidates(&found)),
            AddressChoice::Ip(ip) if is_here(*ip) => local.push(*ip),
            // What nobody asked for may be missing: a host without IPv6 has no ::1.
            AddressChoice::Ip(_) if !chosen_here => {}
            AddressChoice::Ip(ip) => {
                return Err(Failure::Unusable(format!(
                    "{}: relay.addresses: {ip} is not an address of this host; it has {}. Behind \
                     NAT, write the public one into relay.external",
                    effective.place("relay.addresses"),
                    joined(&found),
                )));
            }
        }
    }
    dedup(&mut local);
    if local.is_empty() {
        return Err(Failure::Unusable(
            "this host has no address to relay on; write one into relay.addresses".to_owned(),
        ));
    }
    let mut relay = named(&local, &config.relay.external).map_err(|what| {
        let place = effective.place("relay.external");
        Failure::Unusable(format!("{place}: relay.external: {what}"))
    })?;
    if let (Some(server), true, false) =
        (&config.relay.stun_server, config.relay.external.is_empty(), config.dev)
    {
        find_out(&mut relay, server);
    }
    let mut own = found;
    own.extend(&local);
    own.extend(relay.iter().map(|address| address.public));
    own.extend(config.relay.external.iter().map(|external| external.public));
    dedup(&mut own);
    Ok(Addresses { relay, own })
}

/// Gives each relay address the public name that `server` sees it under. One that cannot be found
/// out stays as it is, with a word in the log.
fn find_out(relay: &mut [RelayAddress], server: &HostPort) {
    let local: Vec<_> = relay.iter().map(|address| address.local).collect();
    for answer in public_address::ask(server, &local) {
        let seen = match answer {
            Ok(seen) => seen,
            Err(why) => {
                warn!(
                    %server, why,
                    "the public address was not found out (relay.stun_server); relay.external can \
                     name it"
                );
                continue;
            }
        };
        info!(local = %seen.local, public = %seen.public, %server, "public address found");
        if !seen.same_port {
            warn!(
                local = %seen.local, public = %seen.public,
                "the NAT before this host changes ports: peers reach relayed ports only if the \
                 NAT forwards all of relay.ports under the same numbers"
            );
        }
        let known = relay.iter_mut().find(|address| address.local == seen.local);
        known.expect("only these were asked from").public = seen.public;
    }
}

/// The addresses of a list to listen on. IPv6 that nobody asked for is left out on a host without
/// it.
pub(super) fn speakable(
    key: &str,
    addresses: &[SocketAddr],
    effective: &Effective,
) -> Vec<SocketAddr> {
    let by_default = matches!(effective.place(key), Place::Default | Place::Dev);
    let (kept, left): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.iter().partition(|address| !by_default || is_here(address.ip()));
    if !left.is_empty() && !kept.is_empty() {
        let left: Vec<_> = left.iter().map(SocketAddr::to_string).collect();
        info!(key, addresses = left.join(","), "this host does not have these; they are left out");
        return kept;
    }
    addresses.to_vec()
}

/// Gives each local address its public name.
fn named(local: &[IpAddr], external: &[External]) -> Result<Vec<RelayAddress>, String> {
    let mut relay: Vec<_> =
        local.iter().map(|ip| RelayAddress { local: *ip, public: *ip }).collect();
    for External { public, private } in external {
        let fits = |address: &&mut RelayAddress| match private {
            Some(private) => address.local == *private,
            None => address.local.is_ipv4() == public.is_ipv4(),
        };
        let mut matching: Vec<_> = relay.iter_mut().filter(fits).collect();
        match (matching.as_mut_slice(), private) {
            ([one], _) => one.public = *public,
            ([], Some(private)) => {
                return Err(format!("{private} is none of the relay addresses {}", joined(local)));
            }
            ([], None) => {
                return Err(format!("no relay address is of the family of {public}"));
            }
            _ => {
                return Err(format!(
                    "{public} could name several relay addresses; write \"{public}/PRIVATE\""
                ));
            }
        }
    }
    Ok(relay)
}

/// Whether a socket can be bound to this address.
pub(super) fn is_here(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

fn dedup(addresses: &mut Vec<IpAddr>) {
    let mut seen = Vec::new();
    addresses.retain(|ip| {
        !seen.contains(ip) && {
            seen.push(*ip);
            true
        }
    });
}

fn joined(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_public_name_without_a_private_address_is_of_its_family() {
        let external = [External { public: ip("198.51.100.7"), private: None }];
        let relay = named(&[ip("10.0.0.5"), ip("fd00::5")], &external).expect("fits");
        assert_eq!(relay[0], RelayAddress { local: ip("10.0.0.5"), public: ip("198.51.100.7") });
        assert_eq!(relay[1].public, ip("fd00::5"));
    }

    #[test]
    fn a_public_name_that_fits_nothing_or_two_is_refused() {
        let external = [External { public: ip("198.51.100.7"), private: Some(ip("10.0.0.9")) }];
        assert!(named(&[ip("10.0.0.5")], &external).is_err());
        let external = [External { public: ip("198.51.100.7"), private: None }];
        assert!(named(&[ip("10.0.0.5"), ip("10.0.0.6")], &external).is_err());
        assert!(named(&[ip("fd00::5")], &external).is_err());
    }
}
