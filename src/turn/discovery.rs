//! NAT behaviour discovery (RFC 5780): a Binding can be answered from another address, to another
//! port, or at length, so that a client sees what its NAT makes of that.
//!
//! Never a reflector: answers go to the address that asked and to no other, as many as any Binding
//! gets, and a padded one is no longer than its request. Over streams there is nothing to discover.

use std::net::SocketAddr;

use super::relay::Relay;
use super::request::Outcome;
use super::response::Response;
use super::settings::NatDiscovery;
use crate::net::{ClientAddr, Flow};
use crate::stun::{
    AttributeType, ChangeRequest, Malformed, MappedAddress, Message, OtherAddress, Padding,
    ResponseOrigin, ResponsePort, Writer,
};

/// What a Binding may carry where discovery is configured, and nowhere else (420).
pub(super) const ATTRIBUTES: [AttributeType; 3] =
    [AttributeType::CHANGE_REQUEST, AttributeType::PADDING, AttributeType::RESPONSE_PORT];

/// An Ethernet frame without the headers of IPv6 and UDP.
const LONGEST: usize = 1500 - 40 - 8;

/// What an answer says beside the mapped address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Discovered {
    /// Where it is sent from.
    origin: SocketAddr,
    /// Where else it could have been sent from.
    other: SocketAddr,
    /// How many bytes of PADDING.
    padding: usize,
}

/// What a request asks for.
struct Asked {
    change: ChangeRequest,
    port: Option<u16>,
    padding: Option<usize>,
}

impl Relay {
    /// What is configured for the address that this came to.
    pub(super) fn discovers(&self, flow: &Flow) -> Option<&NatDiscovery> {
        let corners = self.settings.nat_discovery.iter();
        corners.filter(|_| !flow.transport.is_stream()).find(|corner| corner.local == flow.local)
    }
}

impl NatDiscovery {
    /// RFC 5780 section 6.1.
    pub(super) fn answer(&self, flow: Flow, message: &Message<'_>) -> Outcome {
        let asked = match Asked::read(message) {
            // A long answer to a port that did not ask, or one to no port, is refused.
            Ok(Asked { port: Some(_), padding: Some(_), .. } | Asked { port: Some(0), .. })
            | Err(_) => return Outcome::Answer(Response::error(message, None, 400, None)),
            Ok(asked) => asked,
        };
        let other = SocketAddr::new(self.other_ip, self.other_port);
        let ip = if asked.change.ip { other.ip() } else { self.local.ip() };
        let port = if asked.change.port { other.port() } else { self.local.port() };
        let origin = SocketAddr::new(ip, port);
        let mapped = flow.remote.0;
        let to = SocketAddr::new(mapped.ip(), asked.port.unwrap_or(mapped.port()));
        let padding = asked.padding.map_or(0, |padding| padding.min(room(message, mapped)) & !3);
        let discovered = Discovered { origin, other, padding };
        let flow = Flow { local: origin, remote: ClientAddr(to), ..flow };
        Outcome::AnswerAs(flow, Response::bound(message, mapped, Some(discovered)))
    }
}

impl Asked {
    fn read(message: &Message<'_>) -> Result<Self, Malformed> {
        let change = message.get::<ChangeRequest>()?;
        Ok(Self {
            change: change.unwrap_or(ChangeRequest { ip: false, port: false }),
            port: message.get::<ResponsePort>()?.map(|ResponsePort(port)| port),
            padding: message.get::<Padding<'_>>()?.map(|Padding(bytes)| bytes.len()),
        })
    }
}

/// How much PADDING an answer can hold without being longer than its request.
fn room(message: &Message<'_>, mapped: SocketAddr) -> usize {
    let address = if mapped.is_ipv4() { 12 } else { 24 };
    let fingerprint = if message.has_fingerprint() { 8 } else { 0 };
    let headers = 20 + 4;
    message.size().min(LONGEST).saturating_sub(headers + 4 * address + fingerprint)
}

impl Discovered {
    /// MAPPED-ADDRESS, which is asked for beside its twin, so that a client sees who rewrites
    /// addresses on the way; RESPONSE-ORIGIN, OTHER-ADDRESS and PADDING.
    pub(super) fn put(&self, mapped: SocketAddr, writer: &mut Writer<'_>) {
        writer
            .put(&MappedAddress(mapped))
            .put(&ResponseOrigin(self.origin))
            .put(&OtherAddress(self.other));
        if self.padding > 0 {
            writer.put(&Padding(&[0; LONGEST][..self.padding.min(LONGEST)]));
        }
    }
}
