//! The kinds of packets a relay gets, made before they are measured, and the loop that is measured.

use std::hint::black_box;
use std::net::SocketAddr;

use relayhouse::net::{Flow, PeerAddr, RelayPort};
use relayhouse::packet::{HEADROOM, MIN_BUFFER, Packet};
use relayhouse::stun::{
    Class, Data, Method, RequestedTransport, TransactionId, Writer, XorPeerAddress,
};
use relayhouse::time::Now;
use relayhouse::turn::{Relay, Verdict};

use super::machine::{channel_data, write};
use super::population::{CHANNELS, PEERS, Population};

/// Bytes of a payload: 20 ms of speech. No kind but those with a MAC reads them.
const PAYLOAD: [u8; 160] = [0x5A; 160];

/// Packets of one flow that arrive behind one another in [`Kind::ChannelUpTrain`].
const TRAIN: usize = 8;

/// A kind of packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ChannelUp,
    ChannelUpTrain,
    ChannelDown,
    ChannelDownTrain,
    SendIndication,
    DataIndication,
    Unauthorized,
    Binding,
    Junk,
    Stranger,
    StrangePeer,
}

/// One packet in its buffer, and the door it comes through.
pub struct Job {
    door: Door,
    buffer: Box<[u8]>,
    len: usize,
}

enum Door {
    Client(Flow),
    Peer(RelayPort, PeerAddr),
}

/// Hands every packet to the machine; how many it wants forwarded. Callgrind counts what this costs.
#[inline(never)]
pub fn measured(relay: &mut Relay, now: Now, jobs: &mut [Job]) -> usize {
    let mut forwarded = 0;
    for Job { door, buffer, len } in jobs {
        let mut packet = Packet::new(buffer, HEADROOM, *len);
        let verdict = match door {
            Door::Client(flow) => relay.handle_client(now, *flow, &mut packet),
            Door::Peer(port, from) => relay.handle_peer(now, *port, *from, &mut packet),
        };
        black_box(&packet);
        forwarded += usize::from(matches!(black_box(verdict), Verdict::Forward(_)));
    }
    forwarded
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::ChannelUp,
        Self::ChannelUpTrain,
        Self::ChannelDown,
        Self::ChannelDownTrain,
        Self::SendIndication,
        Self::DataIndication,
        Self::Unauthorized,
        Self::Binding,
        Self::Junk,
        Self::Stranger,
        Self::StrangePeer,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ChannelUp => "up, channel",
            Self::ChannelUpTrain => "up, channel, in trains of 8",
            Self::ChannelDown => "down, channel",
            Self::ChannelDownTrain => "down, channel, in trains of 8",
            Self::SendIndication => "up, Send indication",
            Self::DataIndication => "down, Data indication",
            Self::Unauthorized => "Allocate without credentials: 401",
            Self::Binding => "Binding request",
            Self::Junk => "junk",
            Self::Stranger => "ChannelData of a stranger",
            Self::StrangePeer => "a peer without permission",
        }
    }

    /// Whether something leaves for each packet.
    pub const fn is_forwarded(self) -> bool {
        !matches!(self, Self::Junk | Self::Stranger | Self::StrangePeer)
    }

    /// So many packets of this kind, from members of the population in no order.
    pub fn jobs(self, population: &mut Population, packets: usize) -> Vec<Job> {
        let mut who = 0;
        let mut turn = 0;
        let jobs = (0..packets).map(|number| {
            if !self.is_train() || number % TRAIN == 0 {
                who = population.below(population.members.len() as u64) as usize;
                turn = population.below(1 << 16) as usize;
            }
            self.job(population, who, turn)
        });
        jobs.collect()
    }

    const fn is_train(self) -> bool {
        matches!(self, Self::ChannelUpTrain | Self::ChannelDownTrain)
    }

    fn job(self, population: &mut Population, who: usize, turn: usize) -> Job {
        let member = &population.members[who];
        let channel = turn % CHANNELS;
        let other = CHANNELS + turn % (PEERS - CHANNELS);
        match self {
            Self::ChannelUp | Self::ChannelUpTrain => {
                client(member.flow, &channel_data(0x4000 + channel as u16, &PAYLOAD))
            }
            Self::ChannelDown | Self::ChannelDownTrain => peer(member.port, member.peers[channel]),
            Self::SendIndication => client(member.flow, &send(member.peers[other])),
            Self::DataIndication => peer(member.port, member.peers[other]),
            Self::StrangePeer => {
                let stranger = SocketAddr::from(([96, 0, 0, channel as u8], 5000));
                peer(member.port, stranger)
            }
            Self::Junk => client(member.flow, &[0xFF; 160]),
            Self::Stranger => client(population.stranger(), &channel_data(0x4000, &PAYLOAD)),
            Self::Binding => client(population.stranger(), &request(Method::BINDING, |_| {})),
            Self::Unauthorized => {
                let allocate = request(Method::ALLOCATE, |writer| {
                    writer.put(&RequestedTransport(17));
                });
                client(population.stranger(), &allocate)
            }
        }
    }
}

impl Job {
    fn new(door: Door, bytes: &[u8]) -> Self {
        let mut buffer = vec![0; MIN_BUFFER].into_boxed_slice();
        buffer[HEADROOM..HEADROOM + bytes.len()].copy_from_slice(bytes);
        Self { door, buffer, len: bytes.len() }
    }
}

fn client(flow: Flow, bytes: &[u8]) -> Job {
    Job::new(Door::Client(flow), bytes)
}

fn peer(port: RelayPort, from: SocketAddr) -> Job {
    Job::new(Door::Peer(port, PeerAddr(from)), &PAYLOAD)
}

fn send(to: SocketAddr) -> Vec<u8> {
    write(Class::Indication, Method::SEND, TransactionId([3; 12]), |writer| {
        writer.put(&XorPeerAddress(to)).put(&Data(&PAYLOAD));
    })
}

fn request(method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    write(Class::Request, method, TransactionId([5; 12]), fill)
}
