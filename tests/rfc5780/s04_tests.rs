//! Section 4: the tests a client runs, from behind NATs of each kind.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use relayhouse::net::{ClientAddr, Flow, Transport};
use relayhouse::stun::{ChangeRequest, OtherAddress, XorMappedAddress};
use relayhouse::turn::Route;

use crate::machine::*;
use crate::{CORNERS, world};

/// What a NAT's mappings, or its filters, depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depends {
    Nothing,
    Address,
    AddressAndPort,
}

/// A client behind a NAT.
struct Behind {
    world: World,
    mapping: Depends,
    filtering: Depends,
    /// The public port by what it depends on, and whom the client has sent to from it.
    mappings: BTreeMap<String, (u16, Vec<SocketAddr>)>,
}

impl Behind {
    fn key(how: Depends, to: SocketAddr) -> String {
        match how {
            Depends::Nothing => String::new(),
            Depends::Address => to.ip().to_string(),
            Depends::AddressAndPort => to.to_string(),
        }
    }

    /// A Binding to `to`; what comes back through the NAT: the mapped and the other address.
    fn ask(
        &mut self,
        to: SocketAddr,
        change: Option<ChangeRequest>,
    ) -> Option<(SocketAddr, SocketAddr)> {
        let next = 40_000 + self.mappings.len() as u16;
        let mapping = self.mappings.entry(Self::key(self.mapping, to)).or_insert((next, vec![]));
        mapping.1.push(to);
        let public = SocketAddr::new(ip("203.0.113.7"), mapping.0);
        let flow = Flow { transport: Transport::Udp, local: to, remote: ClientAddr(public) };
        let request = Client::at("203.0.113.7:1").bare(relayhouse::stun::Method::BINDING, |w| {
            if let Some(change) = change {
                w.put(&change);
            }
        });
        let sent = self.world.client_sends(flow, &request).remove(0);
        let Route::Client(route) = sent.route else { panic!("to a client") };
        let (filtering, from) = (self.filtering, route.local);
        let passes =
            |sent_to: &SocketAddr| Self::key(filtering, *sent_to) == Self::key(filtering, from);
        let known = self.mappings.values().find(|mapping| mapping.0 == route.remote.0.port())?;
        let addresses = (sent.get::<XorMappedAddress>()?.0, sent.get::<OtherAddress>()?.0);
        known.1.iter().any(passes).then_some(addresses)
    }
}

/// 4.3: three Bindings, to the primary, to the other address, to the other address and port.
fn mapping(nat: &mut Behind) -> Depends {
    let primary = addr(CORNERS[0]);
    let (first, other) = nat.ask(primary, None).expect("an answer");
    let (second, _) =
        nat.ask(SocketAddr::new(other.ip(), primary.port()), None).expect("an answer");
    if first == second {
        return Depends::Nothing;
    }
    let (third, _) = nat.ask(other, None).expect("an answer");
    if second == third { Depends::Address } else { Depends::AddressAndPort }
}

/// 4.4: an answer from the other address and port, then one from the other port alone.
fn filtering(nat: &mut Behind) -> Depends {
    let primary = addr(CORNERS[0]);
    nat.ask(primary, None).expect("an answer");
    if nat.ask(primary, Some(ChangeRequest { ip: true, port: true })).is_some() {
        return Depends::Nothing;
    }
    match nat.ask(primary, Some(ChangeRequest { ip: false, port: true })) {
        Some(_) => Depends::Address,
        None => Depends::AddressAndPort,
    }
}

/// 4.3 and 4.4: a client finds out what its NAT does, whatever that is.
#[test]
fn a_client_finds_out_what_its_nat_does() {
    let kinds = [Depends::Nothing, Depends::Address, Depends::AddressAndPort];
    for (maps, filters) in kinds.iter().flat_map(|maps| kinds.map(|filters| (*maps, filters))) {
        let behind = || Behind {
            world: world(),
            mapping: maps,
            filtering: filters,
            mappings: BTreeMap::new(),
        };
        assert_eq!(mapping(&mut behind()), maps);
        assert_eq!(filtering(&mut behind()), filters, "{maps:?}");
    }
}
