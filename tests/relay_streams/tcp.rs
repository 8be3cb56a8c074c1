//! TCP relays (RFC 6062) over real sockets: connections both ways, and the bytes on them.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use relayhouse::stun::Class;

use super::client::{Client, Wire};
use super::eventually;
use super::house::{House, RELAY_V4};

/// A relay of so many shards that a connection seldom comes to the right one by itself.
fn house() -> House {
    House::with(|config| config.workers = 4)
}

fn patient(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    socket
}

/// What a test has in its hands: the control connection, the data connection and the peer's end.
struct Spliced {
    control: Client,
    client: Wire,
    peer: TcpStream,
    relayed: SocketAddr,
}

/// Connects to a fresh peer and binds the connection with `data`.
fn outgoing(house: &House, data: Client) -> Spliced {
    let mut control = house.tcp();
    let relayed = control.allocate_tcp().expect("an allocation");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let id = control.connect(listener.local_addr().expect("bound")).expect("it is reached");
    let (peer, from) = listener.accept().expect("it is there");
    assert_eq!(from, relayed, "the connection leaves from the relayed address");
    let (client, early) = data.bind_connection(id, b"");
    assert_eq!(early, b"");
    Spliced { control, client, peer: patient(peer), relayed }
}

fn expect(from: &mut impl Read, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    from.read_exact(&mut got).expect("it arrives");
    assert!(got == bytes, "as it was sent");
}

fn say(to: &mut impl Write, bytes: &[u8]) {
    to.write_all(bytes).expect("written");
    to.flush().expect("written");
}

fn noise(len: u32, salt: u32) -> Vec<u8> {
    (0..len).map(|index| (index.wrapping_mul(salt) >> 11) as u8).collect()
}

#[test]
fn bytes_pass_both_ways_on_a_connection_to_a_peer() {
    let house = house();
    for round in 0..12 {
        let data = if round % 2 == 0 { house.tcp() } else { house.tls() };
        let mut all = outgoing(&house, data);
        assert_eq!(all.relayed.ip(), RELAY_V4);
        say(&mut all.client, b"any bytes at all");
        expect(&mut all.peer, b"any bytes at all");
        say(&mut all.peer, b"\x16 and back");
        expect(&mut all.client, b"\x16 and back");
        assert_eq!(all.control.refresh(600), Class::Success, "the control connection goes on");
    }
}

#[test]
fn a_peer_that_connects_is_announced_and_kept_until_it_is_bound() {
    let house = house();
    let mut control = house.tls();
    let relayed = control.allocate_tcp().expect("an allocation");
    assert_eq!(control.permit(super::address("127.0.0.1:1")), Class::Success);
    for data in [house.tcp(), house.tls(), house.tcp()] {
        let mut peer = patient(TcpStream::connect(relayed).expect("it listens"));
        say(&mut peer, b"sent before anybody listened");
        let (id, from) = control.attempted();
        assert_eq!(from, peer.local_addr().expect("connected"));
        let (mut client, early) = data.bind_connection(id, b"");
        let expected = b"sent before anybody listened";
        assert!(expected.starts_with(&early));
        expect(&mut client, &expected[early.len()..]);
        say(&mut client, b"welcome");
        expect(&mut peer, b"welcome");
    }
}

#[test]
fn a_peer_without_a_permission_is_turned_away() {
    let house = house();
    let mut control = house.tcp();
    let relayed = control.allocate_tcp().expect("an allocation");
    let mut peer = patient(TcpStream::connect(relayed).expect("it listens"));
    let end = peer.read(&mut [0; 1]).map_err(|error| error.kind());
    assert!(matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    assert_eq!(control.binding().class, Class::Success, "the client hears nothing of it");
}

#[test]
fn what_follows_the_bind_at_once_is_the_peers() {
    let house = house();
    for data in [house.tcp(), house.tls(), house.tcp(), house.tls()] {
        let mut control = house.tcp();
        control.allocate_tcp().expect("an allocation");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let id = control.connect(listener.local_addr().expect("bound")).expect("it is reached");
        let (peer, _) = listener.accept().expect("it is there");
        let (_client, _) = data.bind_connection(id, b"GET / HTTP/1.1\r\n\r\n");
        expect(&mut patient(peer), b"GET / HTTP/1.1\r\n\r\n");
    }
}

#[test]
fn much_passes_both_ways_at_once_and_whole() {
    const LEN: u32 = 8 << 20;
    let house = house();
    for data in [house.tcp(), house.tls()] {
        let mut all = outgoing(&house, data);
        let before = house.relay.counters();
        let (up, down) = (noise(LEN, 2_654_435_761), noise(LEN, 40_503));
        let mut far = all.peer.try_clone().expect("a copy");
        std::thread::scope(|scope| {
            scope.spawn(|| say(&mut far, &down));
            scope.spawn(|| expect(&mut all.peer, &up));
            // One thread has the session: what TLS buffers cannot be split.
            exchange(&mut all.client, &up, &down);
        });
        eventually("every byte is counted", || {
            let after = house.relay.counters();
            let passed = (after.bytes_up - before.bytes_up, after.bytes_down - before.bytes_down);
            passed == (u64::from(LEN), u64::from(LEN))
        });
    }
}

/// Writes `up` and reads `down`, in turns.
fn exchange(wire: &mut Wire, up: &[u8], down: &[u8]) {
    let mut got = 0;
    for piece in up.chunks(60_000) {
        say(wire, piece);
        let next = down.len().min(got + piece.len());
        expect(wire, &down[got..next]);
        got = next;
    }
    expect(wire, &down[got..]);
}

#[test]
fn whoever_does_not_read_holds_the_other_back_and_loses_nothing() {
    let house = house();
    for peer_is_slow in [true, false] {
        let all = outgoing(&house, house.tcp());
        let client = all.client.socket().try_clone().expect("a copy");
        let (mut writer, mut reader) =
            if peer_is_slow { (client, all.peer) } else { (all.peer, client) };
        writer.set_nonblocking(true).expect("an option");
        let (piece, mut written, mut stuck) = (noise(1 << 16, 97), 0usize, 0);
        while stuck < 30 {
            match writer.write(&piece[written % piece.len()..]) {
                Ok(count) => (written, stuck) = (written + count, 0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    stuck += 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) => panic!("{error}"),
            }
            assert!(written < 200 << 20, "the relay takes whatever comes");
        }
        let mut control = all.control;
        assert_eq!(control.binding().class, Class::Success, "others are served");
        let mut read = 0;
        let mut buffer = vec![0; 1 << 16];
        while read < written {
            let got = reader.read(&mut buffer).expect("it arrives");
            let at = read % piece.len();
            let same = got.min(piece.len() - at);
            assert!(buffer[..same] == piece[at..at + same], "in order");
            assert!(buffer[same..got] == piece[..got - same], "in order");
            read += got;
        }
        assert_eq!(read, written);
    }
}

#[test]
fn an_end_reaches_the_other_side_behind_everything_that_was_sent() {
    let house = house();
    for (client_ends, data) in [(true, house.tcp()), (false, house.tls()), (false, house.tcp())] {
        let mut all = outgoing(&house, data);
        let before = house.open();
        let last = noise(200_000, 31);
        if client_ends {
            say(&mut all.client, &last);
            all.client.socket().shutdown(Shutdown::Write).expect("shut");
            expect(&mut all.peer, &last);
            assert_eq!(all.peer.read(&mut [0; 1]).expect("the end"), 0);
        } else {
            let mut peer = all.peer;
            let sender = std::thread::spawn({
                let last = last.clone();
                move || say(&mut peer, &last)
            });
            expect(&mut all.client, &last);
            sender.join().expect("sent");
            assert_eq!(all.client.read(&mut [0; 1]).expect("the end"), 0);
        }
        eventually("the data connection is gone", || house.open() == before - 1);
        assert_eq!(all.control.refresh(600), Class::Success);
    }
}

#[test]
fn the_end_of_the_control_connection_ends_everything() {
    let house = house();
    let mut all = outgoing(&house, house.tcp());
    let waiting = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    all.control.connect(waiting.local_addr().expect("bound")).expect("it is reached");
    let (mut unbound, _) = waiting.accept().expect("it is there");
    drop(all.control);
    assert_eq!(all.peer.read(&mut [0; 1]).expect("the end"), 0);
    assert_eq!(all.client.read(&mut [0; 1]).expect("the end"), 0);
    assert_eq!(unbound.read(&mut [0; 1]).expect("the end"), 0);
    eventually("all are gone", || house.open() == 0);
    eventually("and the port is free", || TcpListener::bind(all.relayed).is_ok());
    assert_eq!(house.relay.counters().allocations, 0);
}

#[test]
fn a_peer_that_refuses_is_447_and_one_that_is_connected_446() {
    let house = house();
    let mut all = outgoing(&house, house.tcp());
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let address = nobody.local_addr().expect("bound");
    drop(nobody);
    assert_eq!(all.control.connect(address), Err(447));
    let connected = all.peer.local_addr().expect("bound");
    assert_eq!(all.control.connect(connected), Err(446));
}

#[test]
fn tcp_relays_speak_ipv6_as_well() {
    let house = house();
    let mut control = house.tcp();
    let relayed = control.allocate_tcp_v6().expect("an allocation");
    let listener = TcpListener::bind("[::1]:0").expect("a loopback port");
    let id = control.connect(listener.local_addr().expect("bound")).expect("it is reached");
    let (peer, from) = listener.accept().expect("it is there");
    assert_eq!(from, relayed);
    let (mut client, _) = house.tls().bind_connection(id, b"");
    say(&mut client, b"six");
    expect(&mut patient(peer), b"six");
    assert_eq!(control.permit(super::address("[::1]:1")), Class::Success);
    let caller = TcpStream::connect(relayed).expect("it listens");
    assert_eq!(control.attempted().1, caller.local_addr().expect("connected"));
}

#[test]
fn two_tcp_relays_of_this_server_reach_each_other() {
    let house = house();
    let (mut near, mut far) = (house.tcp(), house.tls());
    let near_relayed = near.allocate_tcp().expect("an allocation");
    let far_relayed = far.allocate_tcp().expect("an allocation");
    assert_eq!(far.permit(near_relayed), Class::Success);
    let id = near.connect(far_relayed).expect("it is reached");
    let (far_id, from) = far.attempted();
    assert_eq!(from, near_relayed);
    let (mut near_data, _) = house.tcp().bind_connection(id, b"");
    let (mut far_data, _) = house.tcp().bind_connection(far_id, b"");
    say(&mut near_data, b"through both");
    expect(&mut far_data, b"through both");
    say(&mut far_data, b"and back");
    expect(&mut near_data, b"and back");
}

#[test]
fn a_bandwidth_quota_slows_and_loses_nothing() {
    let house = House::with(|config| {
        config.settings.quota.bandwidth_per_allocation = 400_000;
    });
    let mut all = outgoing(&house, house.tcp());
    let bytes = noise(1_600_000, 77);
    let begun = Instant::now();
    let mut peer = all.peer;
    let sender = std::thread::spawn({
        let bytes = bytes.clone();
        move || {
            say(&mut peer, &bytes);
            peer
        }
    });
    expect(&mut all.client, &bytes);
    let took = begun.elapsed();
    sender.join().expect("sent");
    assert!(took > Duration::from_secs(2), "{took:?} is faster than the quota");
    assert!(took < Duration::from_secs(8), "{took:?} is much slower than the quota");
}

#[test]
fn connections_come_and_go_without_leaving_anything_behind() {
    let house = house();
    let mut control = house.tcp();
    let relayed = control.allocate_tcp().expect("an allocation");
    assert_eq!(control.permit(super::address("127.0.0.1:1")), Class::Success);
    for _ in 0..100 {
        let peer = TcpStream::connect(relayed).expect("it listens");
        let (id, _) = control.attempted();
        let (mut client, _) = house.tcp().bind_connection(id, b"");
        say(&mut client, b"x");
        drop(peer);
        let end = client.read(&mut [0; 1]).map_err(|error| error.kind());
        assert!(matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    }
    eventually("only the control connection is left", || house.open() == 1);
    drop(control);
    eventually("and then nothing", || house.open() == 0);
    assert_eq!(house.relay.counters().allocations, 0);
}
