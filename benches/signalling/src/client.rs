//! One client's socket: bytes that came and make no frame yet, bytes that did not go yet.

use std::io::{ErrorKind, Read, Write};

use mio::net::TcpStream;

use crate::frame;
use crate::protocol::Seat;

pub struct Client {
    pub stream: TcpStream,
    pub seat: Seat,
    /// Whether the server has said that it is in.
    pub is_in: bool,
    /// False once the connection has ended or cannot be understood.
    pub lives: bool,
    unread: Vec<u8>,
    unsent: Vec<u8>,
    /// The socket took less than it was given; it will say when it takes more.
    blocked: bool,
}

impl Client {
    /// `early` came right behind the handshake.
    pub fn new(stream: TcpStream, seat: Seat, early: Vec<u8>) -> Self {
        let (unread, unsent) = (early, Vec::new());
        Self { stream, seat, is_in: false, lives: true, unread, unsent, blocked: false }
    }

    /// Puts a message into the line; [`flush`](Self::flush) sends what stands there.
    pub fn say(&mut self, text: &str) {
        frame::write(&mut self.unsent, frame::TEXT, text.as_bytes());
    }

    pub fn flush(&mut self) {
        if self.blocked || !self.lives {
            return;
        }
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked = true;
                    return;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.lives = false,
            }
        }
    }

    pub fn writable(&mut self) {
        self.blocked = false;
        self.flush();
    }

    /// Reads everything there is and shows each text. True when something is to be flushed.
    pub fn readable(&mut self, window: &mut [u8], mut heard: impl FnMut(&[u8])) -> bool {
        let before = self.unsent.len();
        self.take(&[], &mut heard);
        while self.lives {
            let count = match self.stream.read(window) {
                Ok(0) => {
                    self.lives = false;
                    break;
                }
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => {
                    self.lives = false;
                    break;
                }
            };
            self.take(&window[..count], &mut heard);
            // What comes after a read that did not fill the window is told anew.
            if count < window.len() {
                break;
            }
        }
        self.unsent.len() > before
    }

    /// Every whole frame of what was left and of `new`; the rest is left.
    fn take(&mut self, new: &[u8], heard: &mut impl FnMut(&[u8])) {
        if self.unread.is_empty() {
            let taken = self.frames(new, heard);
            self.unread.extend_from_slice(&new[taken..]);
            return;
        }
        let mut bytes = std::mem::take(&mut self.unread);
        bytes.extend_from_slice(new);
        let taken = self.frames(&bytes, heard);
        bytes.drain(..taken);
        self.unread = bytes;
    }

    fn frames(&mut self, bytes: &[u8], heard: &mut impl FnMut(&[u8])) -> usize {
        let mut taken = 0;
        while let Some((opcode, payload, end)) = frame::read(&bytes[taken..]) {
            match opcode {
                frame::TEXT => heard(payload),
                frame::PING => frame::write(&mut self.unsent, frame::PONG, payload),
                frame::PONG => {}
                // A close, or what no server here has a reason to send.
                _ => self.lives = false,
            }
            taken += end;
        }
        taken
    }
}
