//! Clients that do what clients do, over UDP, TCP and TLS, and some that leave without a word.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use stun::attributes::{ATTR_EVEN_PORT, ATTR_RESERVATION_TOKEN};

use crate::house::{Chance, House, QUOTA, Way};
use crate::support::credentials::Credential;
use crate::support::turn_client::{TurnClient, With};
use crate::support::wire;

const ANSWER: Duration = Duration::from_secs(5);

/// An address nobody may relay to, whatever the mode: cloud metadata.
const REFUSED: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), 80);

/// One thread's worth of clients: a user, and a network of loopback addresses to come from.
pub struct Caller<'a> {
    pub house: &'a House,
    pub name: String,
    pub chance: Chance,
}

impl Caller<'_> {
    /// One thing after the other until the time is over.
    pub fn run(mut self) {
        type Deed<'a> = fn(&mut Caller<'a>);
        let deeds: [(&str, Deed<'_>); 9] = [
            ("calls over channels", Self::call),
            ("calls over channels", Self::call),
            ("echoes by indications", Self::echo),
            ("pairs of ports", Self::pair_of_ports),
            ("clients that vanish", Self::vanish),
            ("refused peers", Self::refused_peer),
            ("wrong passwords", Self::wrong_password),
            ("full quotas", Self::full_quota),
            ("calls over IPv6", Self::call_over_ipv6),
        ];
        while self.house.goes_on() {
            let (what, deed) = deeds[self.chance.below(deeds.len())];
            deed(&mut self);
            self.house.count(what);
        }
    }

    fn client(&mut self) -> TurnClient {
        let way = self.chance.way();
        self.client_by(way, &self.name.clone())
    }

    fn client_by(&mut self, way: Way, user: &str) -> TurnClient {
        let credential = Credential::fresh(self.house.secret, user);
        match way {
            Way::Udp => TurnClient::from(self.chance.address(), self.house.udp, credential),
            Way::Tcp => TurnClient::over(wire::tcp(self.house.tcp), credential),
            Way::Tls => TurnClient::over(wire::tls(self.house.tcp), credential),
        }
    }

    /// Two clients, each with a channel to the other's relay.
    fn call(&mut self) {
        let (mut one, mut two) = (self.client(), self.client());
        let a = one.allocate().expect("allocated");
        let b = two.allocate().expect("allocated");
        one.bind_channel(0x4001, b).expect("bound");
        two.bind_channel(0x4002, a).expect("bound");
        for round in 0..self.chance.below(20) {
            let payload = vec![round as u8; 1 + self.chance.below(1200)];
            one.send_channel(0x4001, &payload);
            assert_eq!(two.receive_channel(ANSWER), Some((0x4002, payload.clone())));
            two.send_channel(0x4002, &payload);
            assert_eq!(one.receive_channel(ANSWER), Some((0x4001, payload)));
        }
        one.bind_channel(0x4001, b).expect("bound again");
        assert!(one.refresh(600).expect("refreshed") >= 600);
        end(one);
        end(two);
    }

    /// Send and Data indications to a plain peer that echoes.
    fn echo(&mut self) {
        let mut client = self.client();
        let relayed = client.allocate().expect("allocated");
        let peer = UdpSocket::bind(self.chance.address()).expect("a port");
        peer.set_read_timeout(Some(ANSWER)).expect("a timeout");
        let at = peer.local_addr().expect("bound");
        client.permit(at).expect("permitted");
        for round in 0..1 + self.chance.below(8) {
            let payload = vec![round as u8; 1 + self.chance.below(1000)];
            client.send_indication(at, &payload);
            let mut buffer = [0; 2000];
            let (length, from) = peer.recv_from(&mut buffer).expect("it arrives");
            assert_eq!((&buffer[..length], from), (&payload[..], relayed));
            peer.send_to(&payload, relayed).expect("sent");
            assert_eq!(client.receive_indication(ANSWER), Some((at, payload)));
        }
        end(client);
    }

    /// EVEN-PORT with the next port reserved, which a second client takes.
    fn pair_of_ports(&mut self) {
        let (mut one, mut two) = (self.client(), self.client());
        let even = one.allocate_with(&[With::Value(ATTR_EVEN_PORT, vec![0x80])]).expect("a pair");
        let token = even.reservation.expect("a token");
        let odd = two.allocate_with(&[With::Value(ATTR_RESERVATION_TOKEN, token)]);
        let (even, odd) = (even.relayed[0].port(), odd.expect("the other").relayed[0].port());
        assert_eq!((even % 2, odd), (0, even + 1));
        end(one);
        end(two);
    }

    /// A client whose cable is pulled, with a permission and a channel.
    fn vanish(&mut self) {
        let user = format!("ghost-{}", self.chance.next());
        let way = self.chance.way();
        let mut client = self.client_by(way, &user);
        let credential = Credential::fresh(self.house.secret, &user);
        client.allocate().expect("allocated");
        client.bind_channel(0x4000, self.chance.address_with_port()).expect("bound");
        client.permit(self.chance.address_with_port()).expect("permitted");
        if matches!(way, Way::Udp) {
            // The end of a connection tells the server; for UDP there is only time, or a gravedigger.
            self.house.graves.lock().expect("held").push((client.local(), credential));
        }
    }

    fn refused_peer(&mut self) {
        let mut client = self.client();
        client.allocate().expect("allocated");
        assert_eq!(client.permit(REFUSED).expect_err("refused").code, 403);
        assert_eq!(client.bind_channel(0x4000, REFUSED).expect_err("refused").code, 403);
        end(client);
    }

    fn wrong_password(&mut self) {
        let from = self.chance.address();
        let wrong = Credential::fresh("another secret", &self.name);
        let mut client = TurnClient::from(from, self.house.udp, wrong);
        assert_eq!(client.allocate().expect_err("refused").code, 401);
    }

    /// As many allocations as one user may have, one refused, and all of them back: what failed
    /// before must not have kept a share.
    fn full_quota(&mut self) {
        let mut clients: Vec<TurnClient> = (0..=QUOTA).map(|_| self.client()).collect();
        let mut last = clients.pop().expect("one too many");
        for client in &mut clients {
            client.allocate().expect("within the quota");
        }
        assert_eq!(last.allocate().expect_err("over the quota").code, 486);
        clients.into_iter().for_each(end);
    }

    fn call_over_ipv6(&mut self) {
        let credential = Credential::fresh(self.house.secret, &self.name);
        let mut client = TurnClient::new(self.house.udp6, credential);
        let family = With::Value(stun::attributes::ATTR_REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0]);
        let relayed = client.allocate_with(&[family]).expect("allocated").relayed[0];
        assert!(relayed.is_ipv6(), "{relayed}");
        let peer = UdpSocket::bind("[::1]:0").expect("a port");
        peer.set_read_timeout(Some(ANSWER)).expect("a timeout");
        client.bind_channel(0x4000, peer.local_addr().expect("bound")).expect("bound");
        client.send_channel(0x4000, b"over six");
        let mut buffer = [0; 100];
        assert_eq!(peer.recv_from(&mut buffer).expect("it arrives"), (8, relayed));
        end(client);
    }
}

fn end(mut client: TurnClient) {
    assert_eq!(client.refresh(0), Ok(0));
}
