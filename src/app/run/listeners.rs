//! The TCP sockets, or one sentence that says why not; and what really listens.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};
use tracing::info;

use crate::app::Failure;
use crate::app::config::{self, Config, Effective};
use crate::front::{self, Asked, List, Place};

use super::addresses;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Where is really listened, ports that were left to the system included.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening {
    /// STUN and TURN over UDP.
    pub(super) udp: Vec<SocketAddr>,
    /// `listen.tcp`
    pub(super) tcp: Vec<SocketAddr>,
    /// `listen.tls`
    pub(super) tls: Vec<SocketAddr>,
    /// `http.listen`
    pub(super) http: Vec<SocketAddr>,
}

impl Listening {
    /// What a server with this configuration would listen on.
    pub(super) fn of(config: &Config) -> Self {
        Self {
            udp: config.listen.udp.clone(),
            tcp: config.listen.tcp.clone(),
            tls: config.listen.tls.clone(),
            http: config.http.listen.clone(),
        }
    }

    fn of_list(&mut self, list: List) -> &mut Vec<SocketAddr> {
        match list {
            List::Tcp => &mut self.tcp,
            List::Tls => &mut self.tls,
            List::Http => &mut self.http,
        }
    }
}

/// Listens everywhere over TCP; port 0 takes a free one. What nobody asked for, `--dev` does without
/// where others have it. The UDP addresses are left as they are.
///
/// # Errors
/// A sentence that names the address and says what to do.
pub(super) fn bind(
    config: &Config,
    effective: &Effective,
) -> Result<(Vec<(TcpListener, Place)>, Listening), Failure> {
    let asked = Listening::of(config);
    let mut listening = Listening { udp: asked.udp.clone(), ..Listening::default() };
    let mut sockets = Vec::new();
    for place in front::places(all(asked, effective)) {
        let by_dev = |asked: &Asked| *effective.place(asked.list.key()) == config::Place::Dev;
        let socket = match listen(place.address) {
            Ok(socket) => socket,
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse && place.asked.iter().all(by_dev) =>
            {
                info!(address = %place.address, "in use by another process; left out");
                continue;
            }
            Err(error) => return Err(Failure::Runtime(explain(&place, &error))),
        };
        let real = socket.local_addr().map_err(Failure::runtime)?;
        for asked in &place.asked {
            let port = if asked.address.port() == 0 { real.port() } else { asked.address.port() };
            listening.of_list(asked.list).push(SocketAddr::new(asked.address.ip(), port));
        }
        sockets.push((socket, place));
    }
    Ok((sockets, listening))
}

/// Every address of every list that this host can have.
fn all(mut asked: Listening, effective: &Effective) -> Vec<Asked> {
    let mut all = Vec::new();
    for list in List::ALL {
        let addresses = addresses::speakable(list.key(), asked.of_list(list), effective);
        all.extend(addresses.into_iter().map(|address| Asked { list, address }));
    }
    all
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of the last run that are still closing must not keep the port.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn explain(place: &Place, error: &io::Error) -> String {
    let (address, ip, port) = (place.address, place.address.ip(), place.address.port());
    let mut keys: Vec<&str> = place.asked.iter().map(|asked| asked.list.key()).collect();
    keys.dedup();
    let keys = keys.join(", ");
    let elsewhere = match place.asked.first().map(|asked| asked.list) {
        Some(List::Http) => "listen on another port with --http",
        Some(List::Tcp) => "listen on another port with --listen or in listen.tcp",
        _ => "write another port into listen.tls",
    };
    match error.raw_os_error() {
        Some(libc::EADDRINUSE) => format!(
            "TCP {address} ({keys}) is in use by another process: stop that one \
             (`ss -ltnp 'sport = :{port}'` shows it), or {elsewhere}"
        ),
        Some(libc::EACCES | libc::EPERM) => format!(
            "no permission to listen on TCP {address} ({keys}): ports below 1024 need \
             CAP_NET_BIND_SERVICE; use `setcap cap_net_bind_service=+ep` on the program, \
             AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit, or a higher port"
        ),
        Some(libc::EADDRNOTAVAIL) => format!(
            "this host has no address {ip} ({keys}): listen on one that `ip address` lists, or on \
             0.0.0.0 or [::] for all"
        ),
        Some(libc::EAFNOSUPPORT) => {
            format!("this host does not speak the family of {address}: take it out of {keys}")
        }
        _ => format!("cannot listen on TCP {address} ({keys}): {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::{Sources, load};

    fn bound(set: &[&str]) -> Result<(Vec<(TcpListener, Place)>, Listening), String> {
        let set = set.iter().map(|text| (*text).to_owned()).collect();
        let sources = Sources { set, ..Sources::default() };
        let loaded = load(&sources).expect("a good configuration");
        bind(&loaded.config, &loaded.effective).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_port_in_use_is_named_with_its_key_and_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("its address");
        let http = bound(&["listen.tcp=", &format!("http.listen={address}")]);
        let what = http.expect_err("the port is taken");
        assert!(what.contains(&format!("{address} (http.listen)")), "{what}");
        assert!(what.contains("--http"), "{what}");
        let tcp = bound(&[&format!("listen.tcp={address}"), "http.listen="]);
        let what = tcp.expect_err("the port is taken");
        assert!(what.contains("(listen.tcp)") && what.contains("--listen"), "{what}");
    }

    #[test]
    fn an_address_of_another_host_is_named() {
        let what = bound(&["listen.tcp=", "http.listen=203.0.113.77:0"]);
        let what = what.expect_err("nobody has an address for documentation");
        assert!(what.contains("no address 203.0.113.77"), "{what}");
    }

    #[test]
    fn lists_that_name_one_address_share_its_socket() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("its address");
        drop(taken);
        let both = [&format!("listen.tcp={address}"), &format!("http.listen={address}")];
        let (sockets, listening) = bound(&both.map(String::as_str)).expect("a free port");
        assert_eq!(sockets.len(), 1);
        assert_eq!((&listening.tcp, &listening.http), (&vec![address], &vec![address]));
    }

    #[test]
    fn free_ports_become_real_ones() {
        let free = ["listen.tcp=127.0.0.1:0,127.0.0.1:0", "http.listen=127.0.0.1:0"];
        let (sockets, listening) = bound(&free).expect("free ports");
        assert_eq!((sockets.len(), listening.tcp.len(), listening.http.len()), (3, 2, 1));
        assert!(listening.tcp.iter().chain(&listening.http).all(|at| at.port() != 0));
    }
}
