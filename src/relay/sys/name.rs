//! Socket addresses as the kernel lays them out (`sockaddr_in`, `sockaddr_in6`).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// `sizeof(struct sockaddr_in)`.
const V4_LEN: usize = 16;
/// `sizeof(struct sockaddr_in6)`.
const V6_LEN: usize = 28;

/// Room for one address of either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(4))]
pub(in crate::relay) struct Name {
    bytes: [u8; V6_LEN],
    len: u32,
}

impl Name {
    /// How many bytes the kernel may write.
    pub(super) const CAPACITY: u32 = V6_LEN as u32;

    /// Nothing yet.
    pub(super) const EMPTY: Self = Self { bytes: [0; V6_LEN], len: 0 };

    /// Where the kernel reads from.
    pub(super) fn as_ptr(&self) -> *const u8 {
        self.bytes.as_ptr()
    }

    /// Where the kernel writes to.
    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr()
    }

    /// How many bytes are the address.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The address in the first `len` bytes, which the kernel wrote. The flow label is left out:
    /// it is not part of who somebody is.
    pub(super) fn decode(&self, len: u32) -> Option<SocketAddr> {
        let bytes = &self.bytes;
        let family = i32::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        let port = u16::from_be_bytes([bytes[2], bytes[3]]);
        match family {
            libc::AF_INET if len as usize >= V4_LEN => {
                let ip = Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]);
                Some(SocketAddrV4::new(ip, port).into())
            }
            libc::AF_INET6 if len as usize >= V6_LEN => {
                let ip = Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[8..24]).ok()?);
                let scope = u32::from_ne_bytes(bytes[24..28].try_into().ok()?);
                Some(SocketAddrV6::new(ip, port, 0, scope).into())
            }
            _ => None,
        }
    }
}

impl From<SocketAddr> for Name {
    fn from(address: SocketAddr) -> Self {
        let mut bytes = [0; V6_LEN];
        bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        let (family, len) = match address {
            SocketAddr::V4(v4) => {
                bytes[4..8].copy_from_slice(&v4.ip().octets());
                (libc::AF_INET, V4_LEN)
            }
            SocketAddr::V6(v6) => {
                bytes[8..24].copy_from_slice(&v6.ip().octets());
                bytes[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                (libc::AF_INET6, V6_LEN)
            }
        };
        bytes[..2].copy_from_slice(&(family as u16).to_ne_bytes());
        Self { bytes, len: len as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_the_kernels_layout() {
        for text in ["192.0.2.7:3478", "[2001:db8::7]:49152", "[fe80::1%3]:1"] {
            let address: SocketAddr = text.parse().expect("an address");
            let name = Name::from(address);
            assert_eq!(name.decode(name.len()), Some(address));
        }
    }

    #[test]
    fn a_short_or_foreign_name_is_nobody() {
        let name = Name::from(SocketAddr::from(([192, 0, 2, 7], 3478)));
        assert_eq!(name.decode(8), None);
        assert_eq!(Name::EMPTY.decode(28), None);
    }
}
