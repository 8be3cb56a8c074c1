//! The sockets of the page and the API, or one sentence that says why not.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::app::Failure;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens on every address; port 0 takes a free one.
///
/// # Errors
/// A sentence that names the address and says what to do.
pub(super) fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    let bind = |address: &SocketAddr| {
        listen(*address).map_err(|error| Failure::Runtime(explain(*address, &error)))
    };
    addresses.iter().map(bind).collect()
}

/// The real addresses.
///
/// # Errors
/// When the system does not tell.
pub(super) fn addresses(sockets: &[TcpListener]) -> Result<Vec<SocketAddr>, Failure> {
    sockets.iter().map(|socket| socket.local_addr().map_err(Failure::runtime)).collect()
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

fn explain(address: SocketAddr, error: &io::Error) -> String {
    let (ip, port) = (address.ip(), address.port());
    match error.raw_os_error() {
        Some(libc::EADDRINUSE) => format!(
            "TCP {address} (http.listen) is in use by another process: stop that one \
             (`ss -ltnp 'sport = :{port}'` shows it), or listen on another port with --http"
        ),
        Some(libc::EACCES | libc::EPERM) => format!(
            "no permission to listen on TCP {address} (http.listen): ports below 1024 need \
             CAP_NET_BIND_SERVICE; use `setcap cap_net_bind_service=+ep` on the program, \
             AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit, or a higher port"
        ),
        Some(libc::EADDRNOTAVAIL) => format!(
            "this host has no address {ip} (http.listen): listen on one that `ip address` lists, \
             or on 0.0.0.0 or [::] for all"
        ),
        Some(libc::EAFNOSUPPORT) => {
            format!("this host does not speak the family of {address}: take it out of http.listen")
        }
        _ => format!("cannot listen on TCP {address} (http.listen): {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named_with_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("its address");
        let Err(Failure::Runtime(what)) = bind(&[address]) else { panic!("the port is taken") };
        assert!(what.contains(&address.to_string()) && what.contains("--http"), "{what}");
    }

    #[test]
    fn an_address_of_another_host_is_named() {
        let Err(Failure::Runtime(what)) = bind(&["203.0.113.77:0".parse().expect("an address")])
        else {
            panic!("nobody has an address for documentation")
        };
        assert!(what.contains("no address 203.0.113.77"), "{what}");
    }
}
