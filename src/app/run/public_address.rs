//! Asking a STUN server under which address this host is seen from outside (RFC 8489, a plain
//! Binding request), where a 1:1 NAT stands before it and nobody wrote its address down.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::app::Failure;
use crate::app::config::HostPort;
use crate::stun::{Class, MappedAddress, Message, Method, TransactionId, Writer, XorMappedAddress};

use super::kept::random;

/// How long each try waits for its answer (RFC 8489 section 6.2.1: doubled each time).
const WAITS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1000), Duration::from_millis(2000)];
/// How long the server's name may take to be looked up.
const LOOK_UP: Duration = Duration::from_secs(5);
/// An answer to a plain Binding request is far smaller.
const LARGEST: usize = 1500;

/// How one address of this host is seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The address here.
    pub(super) local: IpAddr,
    /// The same address outside.
    pub(super) public: IpAddr,
    /// Whether the port was the same as here, as it is behind a 1:1 NAT.
    pub(super) same_port: bool,
}

/// Asks `server` from each of `locals` that can reach it, all at once; blocks for a few seconds
/// when it does not answer. The errors are sentences.
pub(super) fn ask(server: &HostPort, locals: &[IpAddr]) -> Vec<Result<Seen, String>> {
    let found = match look_up(server) {
        Ok(found) => found,
        Err(what) => return vec![Err(what)],
    };
    let on_way = |local: &IpAddr, there: &SocketAddr| {
        local.is_ipv4() == there.is_ipv4() && local.is_loopback() == there.ip().is_loopback()
    };
    let pairs: Vec<_> = locals
        .iter()
        .filter_map(|local| Some((*local, *found.iter().find(|there| on_way(local, there))?)))
        .collect();
    if pairs.is_empty() {
        return vec![Err("it has no address that a relay address could reach".to_owned())];
    }
    thread::scope(|scope| {
        let asking: Vec<_> = pairs
            .into_iter()
            .map(|(local, there)| scope.spawn(move || ask_from(local, there)))
            .collect();
        let gone = |_| Err("asking ended in a bug".to_owned());
        asking.into_iter().map(|asked| asked.join().unwrap_or_else(gone)).collect()
    })
}

/// The server's addresses. The system's resolver has no bound of its own that could be relied on.
fn look_up(server: &HostPort) -> Result<Vec<SocketAddr>, String> {
    let (sender, found) = channel();
    let (host, port) = (server.host.clone(), server.port);
    thread::spawn(move || {
        let addresses = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody waits any more: it took too long.
        let _ = sender.send(addresses);
    });
    match found.recv_timeout(LOOK_UP) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(format!("its name cannot be looked up: {error}")),
        Err(_) => Err(format!("its name was not found in {} s", LOOK_UP.as_secs())),
    }
}

fn ask_from(local: IpAddr, server: SocketAddr) -> Result<Seen, String> {
    let failed = |error: std::io::Error| format!("asking from {local} failed: {error}");
    let socket = UdpSocket::bind((local, 0)).map_err(failed)?;
    // Connected, so that nobody else's packets are taken for its answer.
    socket.connect(server).map_err(failed)?;
    let here = socket.local_addr().map_err(failed)?;
    let id = random().map_err(|failure: Failure| failure.to_string())?;
    let mut request = [0; LARGEST];
    let writer = Writer::new(&mut request, Class::Request, Method::BINDING, TransactionId(id));
    let len = writer.finish().expect("there is room for a header");
    for wait in WAITS {
        socket.send(&request[..len]).map_err(failed)?;
        if let Some(public) = answer(&socket, id, wait) {
            let same_port = public.port() == here.port();
            return usable(local, public.ip()).map(|public| Seen { local, public, same_port });
        }
    }
    let tries = WAITS.len();
    Err(format!("{server} did not answer {tries} requests from {local}"))
}

/// What the answer to request `id` says, if it comes in time.
fn answer(socket: &UdpSocket, id: [u8; 12], wait: Duration) -> Option<SocketAddr> {
    let deadline = Instant::now() + wait;
    let mut buffer = [0; LARGEST];
    loop {
        let left =
            deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        socket.set_read_timeout(Some(left)).ok()?;
        match socket.recv(&mut buffer) {
            Ok(len) => {
                if let Some(mapped) = mapped(&buffer[..len], id) {
                    return Some(mapped);
                }
            }
            // A refusal by ICMP: it may be starting just now.
            Err(_) => thread::sleep(left.min(WAITS[0] / 10)),
        }
    }
}

/// The address in a success response to request `id`; servers before RFC 5389 send it unmasked.
fn mapped(bytes: &[u8], id: [u8; 12]) -> Option<SocketAddr> {
    let message = Message::parse(bytes).ok()?;
    let answers = message.class() == Class::Success
        && message.method() == Method::BINDING
        && message.transaction_id() == TransactionId(id);
    if !answers {
        return None;
    }
    let masked = message.get::<XorMappedAddress>().ok().flatten().map(|mapped| mapped.0);
    masked.or_else(|| message.get::<MappedAddress>().ok().flatten().map(|mapped| mapped.0))
}

/// A server can be wrong, or not mean well.
fn usable(local: IpAddr, public: IpAddr) -> Result<IpAddr, String> {
    let nowhere = public.is_unspecified() || public.is_multicast() || public.is_loopback();
    let same = public.is_ipv4() == local.is_ipv4();
    match same && (!nowhere || public == local) {
        true => Ok(public),
        false => Err(format!("it says that {local} is seen as {public}, which cannot be")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_of(address: SocketAddr) -> HostPort {
        HostPort { host: address.ip().to_string(), port: address.port() }
    }

    /// A STUN server that leaves `deaf` requests unanswered and says `mapped` to the next.
    fn server(deaf: usize, mapped: &'static str) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = socket.local_addr().expect("it is bound");
        thread::spawn(move || {
            let (mut request, mut answer) = ([0; 100], [0; 100]);
            for turn in 0..=deaf {
                let (len, from) = socket.recv_from(&mut request).expect("a request");
                let id = Message::parse(&request[..len]).expect("STUN").transaction_id();
                let forged = TransactionId([0; 12]);
                for id in if turn < deaf { vec![] } else { vec![forged, id] } {
                    let said = if id == forged { "192.0.2.66:1" } else { mapped };
                    let said = XorMappedAddress(said.parse().expect("an address"));
                    let (class, method) = (Class::Success, Method::BINDING);
                    let mut writer = Writer::new(&mut answer, class, method, id);
                    writer.put(&said);
                    let len = writer.finish().expect("it fits");
                    socket.send_to(&answer[..len], from).expect("sent");
                }
            }
        });
        address
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_lost_request_is_asked_again_and_a_forged_answer_passed_over() {
        let server = server_of(server(1, "198.51.100.7:9"));
        let public = IpAddr::from([198, 51, 100, 7]);
        let seen = ask(&server, &[HERE, "::1".parse().expect("an address")]);
        assert_eq!(seen, [Ok(Seen { local: HERE, public, same_port: false })]);
    }

    #[test]
    fn an_address_that_cannot_be_is_not_believed() {
        for said in ["0.0.0.0:1", "[2001:db8::1]:1", "224.0.0.1:1"] {
            let [Err(what)] = &ask(&server_of(server(0, said)), &[HERE])[..] else {
                panic!("{said} is no address of this host")
            };
            assert!(what.contains("cannot be"), "{what}");
        }
    }

    #[test]
    fn a_server_that_is_silent_is_named_after_three_tries() {
        let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = silent.local_addr().expect("it is bound");
        let [Err(what)] = &ask(&server_of(address), &[HERE])[..] else { panic!("nobody answers") };
        assert!(what.contains(&address.to_string()) && what.contains("3 requests"), "{what}");
    }

    #[test]
    fn a_server_out_of_reach_is_said_to_be() {
        let server = HostPort { host: "192.0.2.1".into(), port: 3478 };
        let [Err(what)] = &ask(&server, &[HERE])[..] else { panic!("loopback reaches nobody") };
        assert!(what.contains("no address that a relay address could reach"), "{what}");
    }
}
