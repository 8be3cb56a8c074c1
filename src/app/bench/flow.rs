//! All allocations of a run, and the peer they talk to.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use super::Client;
use super::options::Plan;
use super::wrong;
use crate::relay::burst;

/// What a load runs over.
pub(super) struct Flows {
    pub(super) clients: Vec<Client>,
    /// The one peer of all.
    pub(super) peer: UdpSocket,
}

impl Flows {
    /// Opens every allocation, with a channel to the peer.
    pub(super) fn open(plan: &Plan) -> io::Result<Self> {
        let peer = UdpSocket::bind(SocketAddr::new(plan.peer, 0))?;
        burst::prepare(&peer);
        let address = peer.local_addr()?;
        let mut clients = Vec::with_capacity(plan.flows);
        for number in 0..plan.flows {
            let client = open_one(plan, address);
            clients.push(
                client.map_err(|error| wrong(format!("allocation {}: {error}", number + 1)))?,
            );
        }
        Ok(Self { clients, peer })
    }
}

fn open_one(plan: &Plan, peer: SocketAddr) -> io::Result<Client> {
    let mut client = Client::allocate(plan)?;
    client.permit(peer)?;
    if !plan.indications {
        client.bind(peer)?;
    }
    Ok(client)
}
