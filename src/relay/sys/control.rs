//! Control messages (`cmsg(3)`), read and written as bytes.
//!
//! In: the address a datagram was sent to, its traffic class, the socket's drop counter, the size of a
//! train's datagrams. Out: the address it is to leave from, its traffic class, that size.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// `sizeof(struct cmsghdr)` where lengths are 64 bits, and the alignment of what follows.
const HEADER: usize = size_of::<libc::cmsghdr>();
const ALIGN: usize = size_of::<usize>();

/// Room for what the kernel may attach to a received datagram: destination, traffic class, drop
/// counter, size in a train.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(super) struct ReceiveControl(pub(super) [u8; Self::CAPACITY]);

impl ReceiveControl {
    /// An `in6_pktinfo` (40), a traffic class (24), a drop counter (24), the size in a train (24), and
    /// something over.
    pub(super) const CAPACITY: usize = 128;
    /// Nothing yet.
    pub(super) const EMPTY: Self = Self([0; Self::CAPACITY]);
}

/// What came with a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::relay) struct Ancillary {
    /// Where it was sent to, and the interface it came in on.
    pub(in crate::relay) destination: Option<(IpAddr, u32)>,
    /// DSCP and ECN: the IPv4 TOS byte or the IPv6 traffic class.
    pub(in crate::relay) traffic_class: u8,
    /// How many datagrams this socket has dropped so far, once there was one.
    pub(in crate::relay) drops: Option<u32>,
    /// The size of each datagram of a train (`UDP_GRO`); the last may be shorter. Zero: it is none.
    pub(in crate::relay) segment: usize,
}

impl Ancillary {
    /// Reads what the kernel wrote. What is not known is passed over.
    pub(super) fn decode(mut bytes: &[u8]) -> Self {
        let mut found = Self::default();
        while let Some((level, kind, data, rest)) = next(bytes) {
            match (level, kind) {
                (libc::IPPROTO_IP, libc::IP_TOS) => {
                    found.traffic_class = data.first().copied().unwrap_or(0);
                }
                (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                    found.traffic_class = read_u32(data, 0).map_or(0, |class| class as u8);
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => found.destination = destination_v4(data),
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    found.destination = destination_v6(data);
                }
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => found.drops = read_u32(data, 0),
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    found.segment = read_u32(data, 0).map_or(0, |size| size as usize);
                }
                _ => {}
            }
            bytes = rest;
        }
        found
    }
}

/// When a datagram came (`SO_TIMESTAMPNS`), since the beginning of 1970.
pub(super) fn arrival(mut bytes: &[u8]) -> Option<Duration> {
    while let Some((level, kind, data, rest)) = next(bytes) {
        if (level, kind) == (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS) {
            let part = |at| Some(u64::from_ne_bytes(data.get(at..at + 8)?.try_into().ok()?));
            return Some(Duration::new(part(0)?, part(8)? as u32));
        }
        bytes = rest;
    }
    None
}

/// The first message in `bytes`: level, type, data, and the bytes behind it.
pub(super) fn next(bytes: &[u8]) -> Option<(i32, i32, &[u8], &[u8])> {
    let header = bytes.get(..HEADER)?;
    // `cmsg_len` is a `size_t` on glibc and 32 bits (padded) on musl; little-endian reads the same.
    let len = usize::from_ne_bytes(header[..ALIGN].try_into().ok()?);
    let level = i32::from_ne_bytes(header[ALIGN..ALIGN + 4].try_into().ok()?);
    let kind = i32::from_ne_bytes(header[ALIGN + 4..ALIGN + 8].try_into().ok()?);
    let data = bytes.get(HEADER..len)?;
    let rest = bytes.get(len.next_multiple_of(ALIGN)..).unwrap_or(&[]);
    Some((level, kind, data, rest))
}

pub(super) fn read_u32(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

/// `in_pktinfo`: interface, local address, the header's destination. The local address is the one
/// to answer from, also for a datagram that was broadcast.
fn destination_v4(data: &[u8]) -> Option<(IpAddr, u32)> {
    let interface = read_u32(data, 0)?;
    let local = Ipv4Addr::from(<[u8; 4]>::try_from(data.get(4..8)?).ok()?);
    let header = Ipv4Addr::from(<[u8; 4]>::try_from(data.get(8..12)?).ok()?);
    let address = if local.is_unspecified() { header } else { local };
    Some((address.into(), interface))
}

/// `in6_pktinfo`: address, interface.
fn destination_v6(data: &[u8]) -> Option<(IpAddr, u32)> {
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(data.get(..16)?).ok()?);
    Some((address.into(), read_u32(data, 16)?))
}

/// What goes with a datagram that is sent.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(in crate::relay) struct SendControl {
    bytes: [u8; Self::CAPACITY],
    len: u8,
}

impl SendControl {
    /// An `in6_pktinfo` (40) and a traffic class (24).
    const CAPACITY: usize = 64;

    /// From wherever the socket and the routes say, with the traffic class zero.
    pub(in crate::relay) const NONE: Self = Self { bytes: [0; Self::CAPACITY], len: 0 };

    /// To leave from `source` (on a socket bound to a wildcard) with `traffic_class`, towards
    /// `ipv4` or IPv6. What is not given or zero costs nothing.
    pub(in crate::relay) fn new(source: Option<SocketAddr>, traffic_class: u8, ipv4: bool) -> Self {
        let mut control = Self::NONE;
        match source {
            Some(SocketAddr::V4(source)) => {
                let mut info = [0; 12];
                info[4..8].copy_from_slice(&source.ip().octets());
                control.put(libc::IPPROTO_IP, libc::IP_PKTINFO, &info);
            }
            Some(SocketAddr::V6(source)) => {
                let mut info = [0; 20];
                info[..16].copy_from_slice(&source.ip().octets());
                info[16..].copy_from_slice(&source.scope_id().to_ne_bytes());
                control.put(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
            }
            None => {}
        }
        if traffic_class != 0 {
            let class = i32::from(traffic_class).to_ne_bytes();
            let (level, kind) = match ipv4 {
                true => (libc::IPPROTO_IP, libc::IP_TOS),
                false => (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
            };
            control.put(level, kind, &class);
        }
        control
    }

    /// The messages; empty when there are none.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    fn put(&mut self, level: i32, kind: i32, data: &[u8]) {
        let at = usize::from(self.len);
        self.len += put(&mut self.bytes[at..], level, kind, data) as u8;
    }
}

/// Writes one message; says how many bytes it takes with its padding.
fn put(into: &mut [u8], level: i32, kind: i32, data: &[u8]) -> usize {
    let len = HEADER + data.len();
    into[..ALIGN].copy_from_slice(&len.to_ne_bytes());
    into[ALIGN..ALIGN + 4].copy_from_slice(&level.to_ne_bytes());
    into[ALIGN + 4..HEADER].copy_from_slice(&kind.to_ne_bytes());
    into[HEADER..len].copy_from_slice(data);
    len.next_multiple_of(ALIGN)
}

/// What goes with a train: what goes with each of its datagrams, and their size.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(super) struct TrainControl([u8; Self::CAPACITY]);

impl TrainControl {
    /// What a datagram may have, and a size (24).
    const CAPACITY: usize = SendControl::CAPACITY + 24;
    /// Nothing yet.
    pub(super) const EMPTY: Self = Self([0; Self::CAPACITY]);

    /// Writes the messages, and gives them back.
    pub(super) fn write(&mut self, each: &SendControl, size: usize) -> &[u8] {
        let each = each.bytes();
        self.0[..each.len()].copy_from_slice(each);
        // Trains are of at most 65,000 bytes.
        let size = (size as u16).to_ne_bytes();
        let added = put(&mut self.0[each.len()..], libc::SOL_UDP, libc::UDP_SEGMENT, &size);
        &self.0[..each.len() + added]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_say_is_no_message() {
        assert!(SendControl::new(None, 0, true).bytes().is_empty());
    }

    #[test]
    fn source_and_class_are_read_as_they_were_written() {
        let source: SocketAddr = "[2001:db8::7%4]:3478".parse().expect("an address");
        let control = SendControl::new(Some(source), 0xB9, false);
        let read = Ancillary::decode(control.bytes());
        assert_eq!(read.destination, Some((source.ip(), 4)));
        assert_eq!(read.traffic_class, 0xB9);
    }

    #[test]
    fn a_cut_or_lying_message_ends_the_reading() {
        let control = SendControl::new(None, 0xB8, true);
        assert_eq!(Ancillary::decode(&control.bytes()[..18]), Ancillary::default());
        let mut lying = [0u8; 32];
        lying[..8].copy_from_slice(&3usize.to_ne_bytes());
        assert_eq!(Ancillary::decode(&lying), Ancillary::default());
    }
}
