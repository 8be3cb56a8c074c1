//! Connections from many loopback addresses, and the handshake of a WebSocket.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// Clients that come from one address: servers bound how many do, and how fast.
const PER_ADDRESS: usize = 50;
/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer's head at most.
const MAX_HEAD: usize = 8192;

/// The address that this client comes from.
pub fn source(client: usize) -> IpAddr {
    let number = client / PER_ADDRESS;
    Ipv4Addr::new(127, 1, (number / 250) as u8, (1 + number % 250) as u8).into()
}

pub fn connect(server: SocketAddr, source: IpAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
    if server.is_ipv4() {
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    socket.connect_timeout(&server.into(), PATIENCE)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket.into())
}

/// Opens a WebSocket; with it comes what the server said right behind its answer.
pub fn open(
    server: SocketAddr,
    source: IpAddr,
    path: &str,
) -> Result<(TcpStream, Vec<u8>), String> {
    let failed = |why: io::Error| format!("{server}{path}: {why}");
    let mut stream = connect(server, source).map_err(failed)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let (mut answer, mut window) = (Vec::new(), [0; 2048]);
    let end = loop {
        let count = stream.read(&mut window).map_err(failed)?;
        answer.extend_from_slice(&window[..count]);
        if let Some(at) = answer.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
        if count == 0 || answer.len() > MAX_HEAD {
            return Err(format!("{server}{path}: no answer to the handshake"));
        }
    };
    if !answer.starts_with(b"HTTP/1.1 101") {
        let first = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
        return Err(format!("{server}{path}: {first}"));
    }
    Ok((stream, answer.split_off(end)))
}
