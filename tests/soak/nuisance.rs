//! Those who want nothing good: junk, floods, and connections that break off at any moment.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use stun::agent::TransactionId;
use stun::message::{BINDING_REQUEST, CLASS_REQUEST, METHOD_ALLOCATE, Message, MessageType};

use crate::house::{Chance, House};
use crate::support::credentials::Credential;
use crate::support::turn_client::TurnClient;
use crate::support::wire;

/// Packets of one burst: less than a socket's receive buffer holds, however small the kernel makes it,
/// since a full buffer would also lose what the well-behaved send.
const BURST: usize = 60;

pub struct Nuisance<'a> {
    pub house: &'a House,
    pub chance: Chance,
}

impl Nuisance<'_> {
    /// Datagrams until the time is over.
    pub fn run_datagrams(mut self) {
        while self.house.goes_on() {
            let socket = UdpSocket::bind(self.chance.address()).expect("a port");
            socket.connect(self.house.udp).expect("loopback");
            let flood = self.chance.below(3) == 0;
            let packet = if flood { self.request() } else { Vec::new() };
            for _ in 0..BURST {
                let junk = if flood { packet.clone() } else { self.junk() };
                let _ = socket.send(&junk); // an answer nobody awaited may have been refused
            }
            self.house.count(if flood { "floods" } else { "bursts of junk" });
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Connections until the time is over.
    pub fn run_streams(mut self) {
        while self.house.goes_on() {
            match self.chance.below(6) {
                0 => drop(self.connect()),
                1 => self.broken_off_in_a_message(),
                2 => self.junk_in_a_stream(),
                3 => self.broken_off_in_a_handshake(),
                4 => self.broken_off_in_a_session(),
                _ => self.who_does_not_read(),
            }
            self.house.count("broken connections");
        }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.house.tcp).expect("a connection")
    }

    /// A Binding request or an Allocate without credentials.
    fn request(&mut self) -> Vec<u8> {
        let mut request = Message::new();
        request.build(&[Box::new(TransactionId::new()), Box::new(BINDING_REQUEST)]).expect("built");
        if self.chance.below(2) == 0 {
            request.set_type(MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST));
        }
        request.raw
    }

    /// Noise, a request with a few bytes turned over, one cut short, or data for no channel.
    fn junk(&mut self) -> Vec<u8> {
        let mut bytes = self.request();
        match self.chance.below(4) {
            0 => bytes = (0..self.chance.below(1400)).map(|_| self.chance.next() as u8).collect(),
            1 => {
                for _ in 0..4 {
                    let at = self.chance.below(bytes.len());
                    bytes[at] = self.chance.next() as u8;
                }
            }
            2 => bytes.truncate(self.chance.below(bytes.len())),
            _ => bytes = vec![0x40 | self.chance.below(64) as u8, 7, 0, 4, 1, 2, 3, 4],
        }
        bytes
    }

    fn broken_off_in_a_message(&mut self) {
        let request = self.request();
        let cut = self.chance.below(request.len());
        let _ = self.connect().write_all(&request[..cut]);
    }

    fn junk_in_a_stream(&mut self) {
        let mut stream = self.connect();
        let junk = self.junk();
        let _ = stream.write_all(&junk);
        stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let _ = stream.read(&mut [0; 100]);
    }

    fn broken_off_in_a_handshake(&mut self) {
        // A record's header that promises more than comes.
        let _ = self.connect().write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
    }

    fn broken_off_in_a_session(&mut self) {
        let mut session = wire::in_tls(self.connect());
        let request = self.request();
        let cut = self.chance.below(request.len());
        let _ = session.write_all(&request[..cut]);
        let _ = session.flush();
    }

    /// A relay over TCP that is sent more than the way to its client holds, and goes away.
    fn who_does_not_read(&mut self) {
        let user = format!("deaf-{}", self.chance.next());
        let credential = Credential::fresh(self.house.secret, &user);
        let mut client = TurnClient::over(wire::tcp(self.house.tcp), credential);
        let relayed = client.allocate().expect("allocated");
        let peer = UdpSocket::bind(self.chance.address()).expect("a port");
        client.bind_channel(0x4000, peer.local_addr().expect("bound")).expect("bound");
        for _ in 0..BURST {
            let _ = peer.send_to(&[7; 1200], relayed);
        }
    }
}
