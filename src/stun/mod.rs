//! STUN and TURN on the wire: bytes to messages and back (RFC 8489; attributes of RFC 8656, 6062
//! and 5780). It knows no users and no allocations, allocates nothing, and no bytes make it panic.
//!
//! [`Message`] is a checked view on received bytes, [`Writer`] writes one message into a slice, and
//! each attribute is one type that both of them understand.
//!
//! ```
//! use relayhouse::stun::{Class, Message, Method, TransactionId, Writer, XorMappedAddress};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut buffer = [0; 128];
//! let mut answer = Writer::new(&mut buffer, Class::Success, Method::BINDING, TransactionId([7; 12]));
//! answer.put(&XorMappedAddress("192.0.2.1:3478".parse()?)).fingerprint();
//! let len = answer.finish()?;
//!
//! let message = Message::parse(&buffer[..len])?;
//! let address = message.get::<XorMappedAddress>()?;
//! assert_eq!(address, Some(XorMappedAddress("192.0.2.1:3478".parse()?)));
//! # Ok(())
//! # }
//! ```

mod attribute;
mod attributes;
pub mod channel_data;
mod cursor;
mod error;
mod fingerprint;
pub mod frame;
mod header;
mod integrity;
mod kind;
mod message;
mod types;
mod wrap;
mod writer;

pub use attribute::Attribute;
pub use attributes::*;
pub use cursor::Cursor;
pub use error::{Malformed, Overflow};
pub use header::{Class, MAGIC_COOKIE, Method, TransactionId};
pub use kind::{Kind, kind};
pub use message::Message;
pub use types::AttributeType;
pub use wrap::wrap_data_indication;
pub use writer::Writer;

/// The fixed header before the attributes: type, length, cookie and transaction id
/// (RFC 8489 section 5). The smallest message is this long.
pub const HEADER: usize = 20;
