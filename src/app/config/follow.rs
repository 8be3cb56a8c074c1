//! What nobody decided follows what somebody did: `--listen` is for TCP as well, and `--dev` keeps TLS
//! beside it.

use std::net::SocketAddr;

use super::value::{Node, Value};
use super::{Effective, Place};

/// The port of TURN over TLS (RFC 8656 section 3.1).
const TLS_PORT: u16 = 5349;

/// Where `--listen` was given, `listen.tcp` names the same addresses unless it was given too. Under
/// `--dev` so does `listen.tls`, on its own port, or on a free one beside a free one.
pub(super) fn the_flag(effective: &mut Effective) {
    let udp = effective.value_mut("listen.udp").clone();
    if !matches!(&udp.place, Place::Flag(flag) if &**flag == "--listen") {
        return;
    }
    let tcp = effective.value_mut("listen.tcp");
    match tcp.place {
        // What `--dev` does on top, it does without if others have the port.
        Place::Dev => tcp.value = udp.value.clone(),
        Place::Default => *tcp = udp.clone(),
        _ => {}
    }
    let tls = effective.value_mut("listen.tls");
    if let (Place::Dev, Value::List(items)) = (&tls.place, &udp.value) {
        let mut moved: Vec<Node> =
            items.iter().filter_map(|item| beside(item, &tls.place)).collect();
        moved.dedup_by(|one, other| one == other && !ends_with_any_port(one));
        tls.value = Value::List(moved);
    }
}

fn beside(item: &Node, place: &Place) -> Option<Node> {
    let Value::Text(text) = &item.value else { return None };
    let address: SocketAddr = text.trim().parse().ok()?;
    let port = if address.port() == 0 { 0 } else { TLS_PORT };
    let address = SocketAddr::new(address.ip(), port).to_string();
    Some(Node::new(Value::Text(address), place.clone()))
}

fn ends_with_any_port(item: &Node) -> bool {
    matches!(&item.value, Value::Text(text) if text.ends_with(":0"))
}

#[cfg(test)]
mod tests {
    use crate::app::config::{Config, Flag, Sources, load};

    fn listening(flags: &[&str], set: &[&str], dev: bool) -> [String; 3] {
        let values = flags.iter().map(|text| (*text).to_owned()).collect();
        let flags = vec![Flag { name: "--listen", key: "listen.udp", values }];
        let set = set.iter().map(|text| (*text).to_owned()).collect();
        let loaded = load(&Sources { flags, set, dev, ..Sources::default() }).expect("good");
        let Config { listen, .. } = loaded.config;
        [listen.udp, listen.tcp, listen.tls].map(|list| format!("{list:?}"))
    }

    #[test]
    fn the_flag_is_for_tcp_as_well() {
        let [udp, tcp, tls] = listening(&["192.0.2.1:5000"], &[], false);
        assert_eq!([&*udp, &tcp, &tls], ["[192.0.2.1:5000]", "[192.0.2.1:5000]", "[]"]);
    }

    #[test]
    fn tcp_stays_where_it_was_decided() {
        let [_, tcp, _] = listening(&["192.0.2.1:5000"], &["listen.tcp=192.0.2.1:1"], false);
        assert_eq!(tcp, "[192.0.2.1:1]");
        let [_, tcp, _] = listening(&[], &["listen.udp=192.0.2.1:5000"], false);
        assert_eq!(tcp, "[0.0.0.0:3478, [::]:3478]");
    }

    #[test]
    fn dev_has_tls_beside_it() {
        let [_, tcp, tls] = listening(&[], &[], true);
        assert_eq!(tcp, "[127.0.0.1:3478, [::1]:3478]");
        assert_eq!(tls, "[127.0.0.1:5349, [::1]:5349]");
        let [_, tcp, tls] = listening(&["127.0.0.1:5000", "127.0.0.1:5001"], &[], true);
        assert_eq!([&*tcp, &tls], ["[127.0.0.1:5000, 127.0.0.1:5001]", "[127.0.0.1:5349]"]);
        let [_, tcp, tls] = listening(&["127.0.0.1:0", "127.0.0.1:0"], &[], true);
        assert_eq!([&*tcp, &tls], ["[127.0.0.1:0, 127.0.0.1:0]", "[127.0.0.1:0, 127.0.0.1:0]"]);
    }
}
