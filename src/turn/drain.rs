//! A server that drains (RFC 8489 section 10): what is open goes on, and whoever is new is sent to
//! another server, or away.

use std::net::SocketAddr;

use super::reject::Reject;
use super::relay::Relay;
use super::settings::Settings;
use crate::net::{Family, Flow};

impl Relay {
    /// Whether nothing is open and nothing waits to be sent: a server that drains may stop.
    pub fn is_idle(&self) -> bool {
        self.allocations() == 0 && !self.has_answers()
    }

    /// Where a new client goes: 300 with the first alternate that it can reach, else 508.
    pub(super) fn redirect(&self, flow: &Flow) -> Reject {
        let family = Family::of(flow.remote.0.ip().to_canonical());
        let fits = |server: &SocketAddr| {
            // A client must follow neither into its own host nor to a family it may not have.
            let ip = server.ip();
            Family::of(ip) == family && !ip.is_loopback() && !ip.is_unspecified()
        };
        let others = self.settings.alternate.iter().filter(|server| !self.listens_on(server));
        Reject::Draining(others.copied().find(fits))
    }

    /// Whether an alternate is this very server, which would send its clients round in circles.
    fn listens_on(&self, server: &SocketAddr) -> bool {
        let Settings { service_ports, own_addresses, .. } = &*self.settings;
        service_ports.iter().filter(|service| service.port() == server.port()).any(|service| {
            let any = service.ip().is_unspecified() && own_addresses.contains(&server.ip());
            any || service.ip() == server.ip()
        })
    }
}
