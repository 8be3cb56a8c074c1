//! Whoever connects over TCP: from an accepted socket to the relay or to the API.
//!
//! Any number of the configuration's lists may name one address; its first byte, and the first one
//! after a TLS handshake, decide what a connection is. Nothing is kept that was not decided within
//! ten seconds, and then the connection belongs to somebody else.
//!
//! | file | thought |
//! |---|---|
//! | `proxy` | the header of the PROXY protocol |
//! | `sniff` | what a first byte says |
//! | `places` | which sockets a configuration comes to |
//! | `certificate` | files and dates, or one made for `--dev` |
//! | `tls` | the certificate in use, and how it changes under open sessions |
//! | `accept` | sockets to connections, with bounds |
//! | `connection` | a connection to where it belongs |
//! | `crowd` | how many there are, of whom |
//! | `numbers` | for operators |

mod accept;
pub mod certificate;
mod connection;
mod crowd;
mod numbers;
mod places;
pub mod proxy;
pub mod sniff;
mod tls;

pub use accept::{Doors, Front, start};
pub use numbers::{FrontSnapshot, Numbers};
pub use places::{Asked, List, Place, places};
pub use tls::Tls;
