//! Any bytes as `X-Forwarded-For`: lines are headers, in order. Behind a stranger they change nothing;
//! behind trusted proxies what the client itself wrote, further left, changes nothing.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use relayhouse::api::client_address;

/// Reads `bytes` as the headers' values.
pub fn run(bytes: &[u8]) {
    let lists = || bytes.split(|byte| *byte == b'\n');
    let stranger: IpAddr = Ipv4Addr::new(203, 0, 113, 9).into();
    let proxy: IpAddr = Ipv4Addr::new(10, 0, 0, 1).into();
    let trusted: [IpNet; 1] = ["10.0.0.0/8".parse().expect("a network")];

    assert_eq!(client_address(stranger, lists(), &trusted), stranger);
    assert_eq!(client_address(proxy, lists(), &[]), proxy);

    let seen = client_address(proxy, lists(), &trusted);
    assert_eq!(seen, seen.to_canonical());
    // Our proxy appends whom it was called by: whatever stands before that does not matter.
    let appended = lists().chain([b"198.51.100.7".as_slice()]).collect::<Vec<_>>();
    let client = client_address(proxy, appended.into_iter(), &trusted);
    assert_eq!(client, IpAddr::from(Ipv4Addr::new(198, 51, 100, 7)));
}
