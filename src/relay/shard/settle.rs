//! The machine's slow side: what it wants done, answers that had to wait, what it reports; and
//! sending what a turn has brought together.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::mpsc::TrySendError;
use std::time::Duration;

use crate::net::RelayPort;
use crate::packet::Packet;
use crate::time::Instant;
use crate::turn::{Answer, Command, Event, OpenFailure, OpenId, RelayKind};

use super::super::content::Content;
use super::super::socket::{Sharing, Socket};
use super::super::stats::add;
use super::super::token::Token;
use super::{ANSWERS, Shard, Target};

impl Shard<'_> {
    /// Everything the machine has waiting.
    pub(super) fn settle(&mut self) {
        self.carry_out_commands();
        self.send_answers();
        while let Some(event) = self.relay.poll_event() {
            if self.seat.events.try_send(event).is_err() {
                add(&self.seat.control.stats.events_lost, 1);
            }
        }
    }

    /// Carries out every command, also those that an answer brings forth.
    pub(super) fn carry_out_commands(&mut self) {
        while let Some(command) = self.relay.poll_command() {
            match command {
                Command::OpenRelay { id, port, kind: RelayKind::Tcp } => {
                    let answer = self.open_tcp_relay(id, port);
                    self.relay.handle_answer(self.now, answer);
                }
                Command::OpenRelay { id, port, kind: RelayKind::Udp } => {
                    let answer = self.open_relay(id, port);
                    self.relay.handle_answer(self.now, answer);
                }
                Command::Connect { id, from, to } => self.connect_peer(id, from, to),
                Command::Splice { connection, flow } => self.splice(connection, &flow),
                Command::CloseConnection { id } => {
                    self.flush();
                    self.close_peer(id);
                }
                Command::CloseRelay { port } => {
                    // What the client sent before it let go still leaves. Mostly there is nothing, and
                    // the answers of a turn go on gathering.
                    if self.sockets.has_pending(port) {
                        self.flush();
                    }
                    self.sockets.close(port, &self.seat.control.stats.kernel_drops);
                    self.tcp_relays.close(port);
                }
            }
        }
    }

    fn open_relay(&mut self, id: OpenId, port: RelayPort) -> Answer {
        let addresses = &self.orders.settings.relay_addresses;
        let Some(address) = addresses.get(usize::from(port.address)) else {
            return Answer::RelayFailed(id, OpenFailure::Exhausted);
        };
        if self.sockets.contains(port) {
            return Answer::RelayFailed(id, OpenFailure::InUse);
        }
        let (slot, life) = self.sockets.vacancy();
        let opened = Socket::bind(SocketAddr::new(address.local, port.port), Sharing::Exclusive)
            .and_then(|socket| {
                socket.report_icmp()?;
                if self.seat.trains.receive {
                    socket.receive_trains();
                }
                self.epoll.add(socket.as_fd(), Token::Relay { slot, life }.pack())?;
                Ok(socket)
            });
        match opened {
            Ok(socket) => {
                self.sockets.insert(port, socket);
                Answer::RelayOpened(id)
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                Answer::RelayFailed(id, OpenFailure::InUse)
            }
            Err(_) => Answer::RelayFailed(id, OpenFailure::Exhausted),
        }
    }

    /// Fetches the answers that had to wait for something.
    pub(super) fn send_answers(&mut self) {
        loop {
            if self.answers == ANSWERS {
                self.flush();
            }
            let mut packet = Packet::empty(self.buffers.answer(self.answers));
            let Some(route) = self.relay.poll_transmit(&mut packet) else { return };
            let (start, len) = (packet.start(), packet.len());
            let start = self.buffers.answer_start(self.answers) + start;
            self.answers += 1;
            self.post(route, Content::at(start, len), 0);
        }
    }

    /// Reports what is left to report, waiting for a reader that is behind until `deadline`.
    pub(super) fn report_events_until(&mut self, deadline: Instant) {
        while let Some(event) = self.relay.poll_event() {
            if !self.report_until(event, deadline) {
                add(&self.seat.control.stats.events_lost, 1);
            }
        }
    }

    fn report_until(&self, mut event: Event, deadline: Instant) -> bool {
        loop {
            match self.seat.events.try_send(event) {
                Ok(()) => return true,
                Err(TrySendError::Full(back)) if self.seat.clock.now().mono < deadline => {
                    event = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(_) => return false,
            }
        }
    }

    /// Sends everything that waits, one call per socket, and frees every slot.
    pub(super) fn flush(&mut self) {
        let mut lost = 0;
        for target in self.targets.drain(..) {
            let socket = match target {
                Target::Listener(index) => &mut self.seat.listeners[index].socket,
                Target::Relay(slot) => match self.sockets.at(slot) {
                    Some(relay) => &mut relay.socket,
                    None => continue,
                },
            };
            lost += self.outgoing.send(socket, self.buffers.memory());
        }
        if lost > 0 {
            add(&self.seat.control.stats.send_drops, lost);
        }
        let refused = self.outgoing.take_refused();
        if refused > 0 {
            add(&self.seat.control.stats.refused_trains, refused);
        }
        self.outgoing.clear();
        self.flush_streams();
        (self.used, self.answers, self.fronts) = (0, 0, 0);
    }
}
