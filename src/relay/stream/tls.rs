//! TLS between a connection's socket and its messages, without ever waiting.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;

use rustls::ServerConnection;

use super::super::content::Content;
use super::connection::{Ended, is_passing, read};

/// Room that is kept for what a read may bring to light beside its own bytes: a record that had come
/// in part, and what was decrypted before the connection was handed over.
const CARRIED: usize = 44 << 10;

/// Reads once from `socket` into `cipher` and decrypts all there is into `plain`: how many bytes, and
/// whether the session is at its end behind them.
pub(super) fn receive(
    session: &mut ServerConnection,
    socket: &TcpStream,
    plain: &mut [u8],
    cipher: &mut [u8],
) -> (usize, Option<Ended>) {
    let room = cipher.len().min(plain.len().saturating_sub(CARRIED));
    let (read, ended) = read(socket, &mut cipher[..room]);
    let mut unread = &cipher[..read];
    let mut got = 0;
    loop {
        let Ok(state) = session.process_new_packets() else { return (got, Some(Ended::Broken)) };
        let there = state.plaintext_bytes_to_read();
        if there > plain.len() - got
            || session.reader().read_exact(&mut plain[got..][..there]).is_err()
        {
            return (got, Some(Ended::Broken));
        }
        got += there;
        if state.peer_has_closed() {
            return (got, Some(Ended::Closed));
        }
        if unread.is_empty() {
            return (got, ended);
        }
        // Nothing taken of something offered: it will take no more.
        if !session.read_tls(&mut unread).is_ok_and(|taken| taken > 0) {
            return (got, Some(Ended::Broken));
        }
    }
}

/// Encrypts a message, given in pieces, as a record of its own (the longest as a few).
///
/// Records of many messages would be cheaper, and a client would see nothing of the first before the
/// last has come; and there are clients that take whatever one read of a session gives them for one
/// message, so that the last of several in a record waits for ever.
pub(super) fn encrypt(
    session: &mut ServerConnection,
    message: [&[u8]; Content::PIECES],
) -> io::Result<()> {
    let taken = match message {
        [whole, [], []] | [[], whole, []] => session.writer().write(whole)?,
        pieces => session.writer().write_vectored(&pieces.map(IoSlice::new))?,
    };
    let len: usize = message.iter().map(|piece| piece.len()).sum();
    if taken == len { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Writes what is encrypted, and says whether the socket is full.
pub(super) fn push(session: &mut ServerConnection, mut socket: &TcpStream) -> io::Result<bool> {
    while session.wants_write() {
        match session.write_tls(&mut socket) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_passing(&error) => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
