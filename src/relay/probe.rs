//! Making sure that nobody else has a port before the shards share it.
//!
//! `SO_REUSEPORT` alone would let a second instance of this server join the first one's ports and
//! steal half its clients without a word.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::error::StartError;
use super::listener::Listener;
use super::socket::{Sharing, Socket};

/// Binds every address exclusively, which fails when anybody at all has the port, and only then
/// opens the port to this server's other shards. What is bound is the first shard's, so that no
/// moment is left in which somebody else could take it. In the order of `addresses`.
pub(super) fn claim(addresses: &[SocketAddr]) -> Result<Vec<Listener>, StartError> {
    // Wildcards first: one that could be bound proves that nobody has any address of that port and
    // family, so that addresses it covers need (and, held by us, allow) no probe of their own.
    let mut order: Vec<usize> = (0..addresses.len()).collect();
    order.sort_by_key(|index| !addresses[*index].ip().is_unspecified());
    let mut claimed = BTreeMap::new();
    for index in order {
        let address = addresses[index];
        let covered = claimed.values().any(|held: &Listener| held.fits(address) == 1);
        let sharing = if covered { Sharing::Shards } else { Sharing::Exclusive };
        let listener =
            claim_one(address, sharing).map_err(|source| StartError::listen(address, source))?;
        claimed.insert(index, listener);
    }
    Ok(claimed.into_values().collect())
}

fn claim_one(address: SocketAddr, sharing: Sharing) -> std::io::Result<Listener> {
    let socket = Socket::bind(address, sharing)?;
    socket.share()?;
    Listener::new(socket)
}
