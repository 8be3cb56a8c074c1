//! Any first byte on any kind of address: nothing goes where it is not served.

use relayhouse::front::sniff::{Layer, Serves, Way, way};

/// Takes the first byte as what is served and each other one as a connection's first.
pub fn run(bytes: &[u8]) {
    let Some((address, connections)) = bytes.split_first() else { return };
    let bit = |n: u8| address >> n & 1 == 1;
    let serves = Serves { tcp: bit(0), tls: bit(1), http: bit(2) };
    for first in connections {
        for layer in [Layer::Clear { certificate: bit(3) }, Layer::Tls] {
            match way(serves, layer, *first) {
                Way::Handshake => {
                    assert_eq!((layer, *first), (Layer::Clear { certificate: true }, 22));
                }
                Way::Relay => {
                    assert!(*first < 4 && (serves.tcp || serves.tls && layer == Layer::Tls));
                }
                Way::Http => assert!(first.is_ascii_alphabetic() && serves.http),
                Way::Refused => {
                    let served =
                        serves.tcp && *first < 4 || serves.http && first.is_ascii_alphabetic();
                    assert!(!served, "{serves:?} {first}");
                }
            }
        }
    }
}
