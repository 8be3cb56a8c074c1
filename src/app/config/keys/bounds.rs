//! How much and how far: `[quota]`, `[peers]` and `[limits]`; and `[log]`.

use super::super::LogFormat;
use super::super::read::{self, choice, duration, net, rate};
use super::Kind::{List, Number, Text};
use super::Reload::{Live, Restart};
use super::{Key, MANY, MINUTE, put};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "quota.allocations",
        kind: Number,
        default: "0",
        reload: Live,
        about: "Allocations of the whole server at a time; 0 is no limit. Set it to what the \
                machine and its ports can carry.",
        apply: |c, v| put(&mut c.quota.allocations, read::count(v, u32::MAX)),
    },
    Key {
        name: "quota.allocations_per_user",
        kind: Number,
        default: "256",
        reload: Live,
        about: "Allocations of one user at a time, whatever the credential: generous for people, a \
                wall for a leaked credential; 0 is no limit. A browser opens a few per call. Raise \
                it if one name stands for a whole application.",
        apply: |c, v| put(&mut c.quota.per_user, read::count(v, u32::MAX)),
    },
    Key {
        name: "quota.allocations_per_credential",
        kind: Number,
        default: "0",
        reload: Live,
        about: "Allocations of one credential, timestamp included, at a time; 0 is no limit. Set \
                it low to make a passed-on credential useless.",
        apply: |c, v| put(&mut c.quota.per_credential, read::count(v, u32::MAX)),
    },
    Key {
        name: "quota.openings_per_credential",
        kind: Number,
        default: "0",
        reload: Live,
        about: "Allocations that one credential may open in its whole life, those that have ended \
                included; 0 is no limit, 1 is a single use. A browser opens one for each URL, interface and \
                address family. Users of auth.users are not counted; a restart counts anew. GET \
                /api/v1/ice?sessions=1 asks for it by the credential.",
        apply: |c, v| put(&mut c.quota.openings_per_credential, read::count(v, u32::MAX)),
    },
    Key {
        name: "quota.allocations_per_address",
        kind: Number,
        default: "0",
        reload: Live,
        about: "Allocations from one client address at a time; 0 is no limit. Remember that an \
                office or a mobile carrier is one address.",
        apply: |c, v| put(&mut c.quota.per_address, read::count(v, u32::MAX)),
    },
    Key {
        name: "quota.bandwidth_per_allocation",
        kind: Number,
        default: "0",
        reload: Live,
        about: "Bytes per second of one allocation and direction; 0 is no limit. More is dropped. \
                Write \"500k\" or, in bits, \"4Mbit\"; good video needs 400k.",
        apply: |c, v| put(&mut c.quota.bandwidth_per_allocation, rate::bytes_per_second(v)),
    },
    Key {
        name: "quota.bandwidth_per_user",
        kind: Number,
        default: "0",
        reload: Live,
        about: "Bytes per second and direction of all allocations of one user together; 0 is no limit. Set \
                it where one name stands for one person.",
        apply: |c, v| put(&mut c.quota.bandwidth_per_user, rate::bytes_per_second(v)),
    },
    Key {
        name: "quota.bandwidth",
        kind: Number,
        default: "0",
        reload: Live,
        about: "Bytes per second of the whole server, both directions together; 0 is no limit. Set \
                it where traffic costs money.",
        apply: |c, v| put(&mut c.quota.bandwidth, rate::bytes_per_second(v)),
    },
    Key {
        name: "peers.allow",
        kind: List,
        default: "[]",
        reload: Live,
        about: "Ranges that may be relayed to although `deny` names them, such as the network of \
                your media server. Of two ranges the more specific wins. A range that is also one of \
                \"recommended\" is opened; of two written ones that are equal, `deny` wins. \
                This host itself is opened only by one of its own addresses, such as \
                \"192.0.2.1/32\", never by a range around it.",
        apply: |c, v| put(&mut c.peers.allow, net::ranges(v)),
    },
    Key {
        name: "peers.deny",
        kind: List,
        default: r#"["recommended"]"#,
        reload: Live,
        about: "Ranges that are never relayed to. \"recommended\" stands for everything that is not \
                a public host: private, loopback, link-local, cloud metadata and the like. Without \
                it, whoever has a credential reaches your inner network.",
        apply: |c, v| put(&mut c.peers.deny, net::denied(v, &c.peers.allow)),
    },
    Key {
        name: "limits.max_lifetime",
        kind: Number,
        default: r#""1h""#,
        reload: Live,
        about: "The longest an allocation lives without being refreshed. Shorter gives ports of \
                vanished clients back sooner, longer saves refreshes.",
        apply: |c, v| {
            put(&mut c.limits.max_lifetime, duration::between(v, MINUTE * 10, MINUTE * 60 * 24))
        },
    },
    Key {
        name: "limits.permissions_per_allocation",
        kind: Number,
        default: "64",
        reload: Live,
        about: "Peers that one allocation may talk to. Raise it for servers that relay to very \
                many.",
        apply: |c, v| put(&mut c.limits.permissions_per_allocation, read::at_least_one(v, MANY)),
    },
    Key {
        name: "limits.channels_per_allocation",
        kind: Number,
        default: "64",
        reload: Live,
        about: "Channels that one allocation may bind. Raise it together with the permissions.",
        apply: |c, v| put(&mut c.limits.channels_per_allocation, read::at_least_one(v, MANY)),
    },
    Key {
        name: "limits.connections_per_allocation",
        kind: Number,
        default: "64",
        reload: Live,
        about: "TCP connections to peers that one allocation may have (RFC 6062). Browsers use none.",
        apply: |c, v| put(&mut c.limits.connections_per_allocation, read::at_least_one(v, MANY)),
    },
    Key {
        name: "limits.stream_connections",
        kind: Number,
        default: "20000",
        reload: Restart,
        about: "TCP and TLS connections of clients at a time, over all listeners. Each needs a file \
                descriptor.",
        apply: |c, v| put(&mut c.stream_connections, read::at_least_one(v, 1_000_000)),
    },
    Key {
        name: "limits.http_connections_per_address",
        kind: Number,
        default: "1000",
        reload: Live,
        about: "HTTP connections of one client address (IPv6: one /64) at a time; 0 is no limit. Those of \
                http.trusted_proxies are not counted.",
        apply: |c, v| put(&mut c.per_address.connections, read::count(v, MANY)),
    },
    Key {
        name: "limits.websockets_per_address",
        kind: Number,
        default: "1000",
        reload: Live,
        about: "WebSockets of one client address (IPv6: one /64) at a time; 0 is no limit. Raise it if more \
                people than that share an address. Behind a proxy that is not in http.trusted_proxies, \
                everybody does.",
        apply: |c, v| put(&mut c.per_address.websockets, read::count(v, MANY)),
    },
    Key {
        name: "limits.signal_rate",
        kind: Number,
        default: "50",
        reload: Restart,
        about: "Messages a second that one WebSocket may send for long; more ends it. Raise it for programs \
                that speak for many.",
        apply: |c, v| put(&mut c.signal_rate, read::at_least_one(v, 1_000_000)),
    },
    Key {
        name: "limits.signal_burst",
        kind: Number,
        default: "500",
        reload: Restart,
        about: "Messages that it may send at once, on top. A client that trickles candidates to a full mesh of \
                ten sends some 300.",
        apply: |c, v| put(&mut c.signal_burst, read::at_least_one(v, 1_000_000)),
    },
    Key {
        name: "limits.unauthenticated_rate",
        kind: Number,
        default: "200",
        reload: Live,
        about: "Answers per second to one address that has not authenticated, so that this server \
                is no amplifier; 0 is no limit. Over TCP and TLS, where addresses are not forged, it \
                bounds wrong credentials alone. Raise it if very many clients share an address.",
        apply: |c, v| put(&mut c.unauthenticated_rate, read::count(v, u32::MAX)),
    },
    Key {
        name: "limits.ice_per_minute_and_address",
        kind: Number,
        default: "120",
        reload: Restart,
        about: "Credentials that users, guests and, while minting is open, anybody get per minute from \
                one address; 0 is no limit. Raise it if very many share an address.",
        apply: |c, v| put(&mut c.ice_per_minute.address, read::count(v, u32::MAX)),
    },
    Key {
        name: "limits.ice_per_minute_and_key",
        kind: Number,
        default: "6000",
        reload: Restart,
        about: "Credentials that one API key gets per minute, from wherever; 0 is no limit.",
        apply: |c, v| put(&mut c.ice_per_minute.key, read::count(v, u32::MAX)),
    },
    Key {
        name: "log.format",
        kind: Text,
        default: r#""text""#,
        reload: Restart,
        about: "\"text\" for people, \"json\" for programs: one object per line.",
        apply: |c, v| {
            let choices = [("text", LogFormat::Text), ("json", LogFormat::Json)];
            put(&mut c.log.format, choice::one_of(v, &choices))
        },
    },
    Key {
        name: "log.level",
        kind: Text,
        default: r#""info""#,
        reload: Live,
        about: "error, warn, info, debug or trace; one module apart as in \
                \"info,relayhouse::relay=debug\".",
        apply: |c, v| put(&mut c.log.level, choice::log_level(v)),
    },
];
