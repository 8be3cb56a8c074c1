//! Nothing allocates per packet that is relayed for a client over TCP: all allocations of the process
//! are counted while calls go on.

#[allow(dead_code)]
#[path = "relay_streams/client.rs"]
mod client;
#[allow(dead_code)]
#[path = "relay_streams/house.rs"]
mod house;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: everything is the system's allocator; only a number is counted beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

#[test]
fn packets_of_a_client_over_tcp_are_relayed_without_allocating() {
    const ROUNDS: usize = 500;
    let house = house::House::new();
    let (client, peer, relayed) = client::call(house.tcp());
    let mut wire = client.wire.socket();
    let frames = client::channel(&[7; 301]).repeat(4);
    let mut buffer = vec![0; 4096];
    let mut round = || {
        // Cut in the middle of a frame, so that the beginning has to be kept.
        let (one, two) = frames.split_at(700);
        for part in [one, two] {
            wire.write_all(part).expect("written");
            std::thread::yield_now();
        }
        for _ in 0..4 {
            assert_eq!(peer.recv(&mut buffer).expect("it arrives"), 301);
            peer.send_to(&buffer[..301], relayed).expect("sent");
        }
        wire.read_exact(&mut buffer[..frames.len()]).expect("it comes back");
        assert!(buffer.starts_with(&frames));
    };
    (0..100).for_each(|_| round());
    let before = ALLOCATIONS.load(Relaxed);
    (0..ROUNDS).for_each(|_| round());
    let allocations = ALLOCATIONS.load(Relaxed) - before;
    assert!(allocations < 20, "{allocations} allocations for {} packets", ROUNDS * 8);
}
