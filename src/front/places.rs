//! Which sockets a configuration comes to: its lists may name the same address, and an address that
//! a wildcard of its family and port covers needs no socket of its own.

use std::net::{IpAddr, SocketAddr};

use super::sniff::Serves;

/// A list of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// `listen.tcp`
    Tcp,
    /// `listen.tls`
    Tls,
    /// `http.listen`
    Http,
}

impl List {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Tls, Self::Http];

    /// Its key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Tcp => "listen.tcp",
            Self::Tls => "listen.tls",
            Self::Http => "http.listen",
        }
    }

    fn serves(self) -> Serves {
        Serves { tcp: self == Self::Tcp, tls: self == Self::Tls, http: self == Self::Http }
    }
}

/// An address as a list names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which list.
    pub list: List,
    /// Port 0 is any free one, and never the same for two.
    pub address: SocketAddr,
}

/// One socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is bound to.
    pub address: SocketAddr,
    /// What it serves, and where: at its own address, or, if that is a wildcard, at one of those.
    pub asked: Vec<Asked>,
}

impl Place {
    /// What a connection to `local`, an address of this host, is served.
    pub fn serves(&self, local: IpAddr) -> Serves {
        let here = |asked: &&Asked| {
            asked.address.ip() == self.address.ip() || asked.address.ip() == local.to_canonical()
        };
        let served = self.asked.iter().filter(here).map(|asked| asked.list.serves());
        served.fold(Serves::default(), Serves::and)
    }
}

/// The sockets for all of these, in the order in which their addresses are first named.
pub fn places(asked: impl IntoIterator<Item = Asked>) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for asked in asked {
        let same = places.iter_mut().find(|place| place.address == asked.address);
        match same.filter(|_| asked.address.port() != 0) {
            Some(place) => place.asked.push(asked),
            None => places.push(Place { address: asked.address, asked: vec![asked] }),
        }
    }
    let wildcards: Vec<SocketAddr> = places.iter().map(|place| place.address).collect();
    let wildcards: Vec<_> = wildcards.into_iter().filter(|at| at.ip().is_unspecified()).collect();
    let covered = |place: &Place| {
        let covers = |wildcard: &&SocketAddr| {
            wildcard.port() == place.address.port()
                && wildcard.port() != 0
                && wildcard.is_ipv4() == place.address.is_ipv4()
                && **wildcard != place.address
        };
        wildcards.iter().find(covers).copied()
    };
    let (own, narrower): (Vec<_>, Vec<_>) =
        places.into_iter().partition(|place| covered(place).is_none());
    let mut places = own;
    for place in narrower {
        let wildcard = covered(&place);
        let into = places.iter_mut().find(|into| Some(into.address) == wildcard);
        into.expect("a wildcard has a place of its own").asked.extend(place.asked);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(asked: &[(List, &str)]) -> Vec<Place> {
        places(asked.iter().map(|(list, address)| Asked {
            list: *list,
            address: address.parse().expect("an address"),
        }))
    }

    fn serves(place: &Place, local: &str) -> [bool; 3] {
        let serves = place.serves(local.parse().expect("an address"));
        [serves.tcp, serves.tls, serves.http]
    }

    #[test]
    fn lists_that_name_one_address_share_its_socket() {
        let places = of(&[(List::Tls, "192.0.2.1:443"), (List::Http, "192.0.2.1:443")]);
        assert_eq!(places.len(), 1);
        assert_eq!(serves(&places[0], "192.0.2.1"), [false, true, true]);
    }

    #[test]
    fn other_ports_and_families_have_their_own() {
        let addresses = ["0.0.0.0:443", "0.0.0.0:444", "[::]:443"];
        assert_eq!(of(&addresses.map(|address| (List::Tls, address))).len(), 3);
    }

    #[test]
    fn free_ports_are_never_shared() {
        let places = of(&[(List::Tcp, "127.0.0.1:0"), (List::Tls, "127.0.0.1:0")]);
        assert_eq!(places.len(), 2);
        assert_eq!(serves(&places[0], "127.0.0.1"), [true, false, false]);
    }

    #[test]
    fn a_wildcard_covers_single_addresses_and_serves_more_there() {
        let places = of(&[
            (List::Http, "127.0.0.1:443"),
            (List::Tls, "0.0.0.0:443"),
            (List::Tcp, "[::1]:443"),
        ]);
        let bound: Vec<_> = places.iter().map(|place| place.address.to_string()).collect();
        assert_eq!(bound, ["0.0.0.0:443", "[::1]:443"]);
        assert_eq!(serves(&places[0], "127.0.0.1"), [false, true, true]);
        assert_eq!(serves(&places[0], "192.0.2.1"), [false, true, false]);
    }
}
