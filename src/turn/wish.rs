//! What an Allocate asks for, checked for sense (RFC 8656 section 7.2, RFC 6062 section 5.1).

use super::command::RelayKind;
use super::reject::Reject;
use super::reservations::Token;
use crate::net::{Family, Transport};
use crate::stun::{
    AdditionalAddressFamily, AttributeType, EvenPort, Lifetime, Message, RequestedAddressFamily,
    RequestedTransport, ReservationToken,
};

/// As REQUESTED-TRANSPORT numbers them.
const UDP: u8 = 17;
const TCP: u8 = 6;

/// What the request asks for, checked for sense.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) kind: RelayKind,
    pub(super) family: Option<Family>,
    pub(super) additional: bool,
    pub(super) even: Option<EvenPort>,
    pub(super) token: Option<Token>,
    pub(super) lifetime: Option<u32>,
    pub(super) old_code_points: bool,
}

impl Wish {
    /// Steps 3 to 9 as far as the request alone decides them.
    pub(super) fn read(message: &Message<'_>, transport: Transport) -> Result<Self, Reject> {
        let bad = Reject::malformed;
        // Step 3: REQUESTED-TRANSPORT must be there, and name UDP, or TCP (RFC 6062 section 5.1).
        let kind = match message.get::<RequestedTransport>().map_err(bad)? {
            None => return Err(Reject::Rule(400, "REQUESTED-TRANSPORT is missing")),
            Some(RequestedTransport(UDP)) => RelayKind::Udp,
            Some(RequestedTransport(TCP)) => RelayKind::Tcp,
            Some(_) => return Err(Reject::Rule(442, "REQUESTED-TRANSPORT is neither UDP nor TCP")),
        };
        if kind == RelayKind::Tcp {
            suits_tcp(message, transport)?;
        }
        // Step 4: DONT-FRAGMENT is supported, so there is nothing to refuse.
        let even = message.get::<EvenPort>().map_err(bad)?;
        let token = message.get::<ReservationToken>().map_err(bad)?;
        let requested = message.get::<RequestedAddressFamily>().map_err(bad)?;
        let additional = message.get::<AdditionalAddressFamily>().map_err(bad)?;
        let families = requested.is_some() || additional.is_some();
        // Step 5: a token says everything about the port.
        if token.is_some() && (even.is_some() || families) {
            let why = "RESERVATION-TOKEN stands beside EVEN-PORT or an address family";
            return Err(Reject::Rule(400, why));
        }
        // Steps 6 and 7: one attribute about families, and the second family is IPv6.
        if requested.is_some() && additional.is_some() {
            return Err(Reject::Rule(400, "two attributes name address families"));
        }
        if additional.is_some_and(|family| family.0 != Family::V6.code()) {
            return Err(Reject::Rule(400, "ADDITIONAL-ADDRESS-FAMILY is not IPv6"));
        }
        // Step 8: a second family and a reserved neighbour exclude each other.
        if additional.is_some() && even.as_ref().is_some_and(|even| even.reserve_next) {
            return Err(Reject::Rule(400, "ADDITIONAL-ADDRESS-FAMILY stands beside EVEN-PORT's R"));
        }
        let family = match requested {
            None => None,
            Some(RequestedAddressFamily(code)) => Some(
                Family::from_code(code)
                    .ok_or(Reject::Rule(440, "REQUESTED-ADDRESS-FAMILY is unknown"))?,
            ),
        };
        Ok(Self {
            kind,
            family,
            additional: additional.is_some(),
            even,
            token: token.map(|token| token.0),
            lifetime: message.get::<Lifetime>().map_err(bad)?.map(|lifetime| lifetime.0),
            old_code_points: message.has(AttributeType::OLD_ADDITIONAL_ADDRESS_FAMILY),
        })
    }
}

/// RFC 6062 section 5.1: relaying TCP is asked for over a stream, and without what has a meaning for
/// datagrams alone. One connection to a peer has one family, so a second address has no use.
fn suits_tcp(message: &Message<'_>, transport: Transport) -> Result<(), Reject> {
    if !transport.is_stream() {
        return Err(Reject::Rule(400, "relaying TCP is asked for over TCP or TLS"));
    }
    let pointless = [
        AttributeType::EVEN_PORT,
        AttributeType::DONT_FRAGMENT,
        AttributeType::RESERVATION_TOKEN,
        AttributeType::ADDITIONAL_ADDRESS_FAMILY,
        AttributeType::OLD_ADDITIONAL_ADDRESS_FAMILY,
    ];
    match pointless.into_iter().any(|kind| message.has(kind)) {
        true => Err(Reject::Rule(400, "an attribute asks for what relaying TCP does not have")),
        false => Ok(()),
    }
}
