//! Relayed addresses, and who may use them: `[relay]` and `[auth]`.

use super::super::read::{self, choice, duration, net, secret};
use super::Kind::{List, Number, Secrets, Switch, Text, Users};
use super::Reload::{Live, Restart};
use super::{Key, MINUTE, YEAR, put};
use crate::turn::ChannelNumbers;

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "relay.addresses",
        kind: List,
        default: r#"["auto"]"#,
        reload: Restart,
        about: "Addresses of this host that relayed ports are opened on; \"auto\" takes the best \
                IPv4 and the best IPv6 address. Name them on a host with several.",
        apply: |c, v| put(&mut c.relay.addresses, net::relay_addresses(v)),
    },
    Key {
        name: "relay.external",
        kind: List,
        default: "[]",
        reload: Restart,
        about: "The public name of a relay address behind 1:1 NAT, as \"public\" or \
                \"public/private\". Needed in most clouds and behind every router.",
        apply: |c, v| put(&mut c.relay.external, net::external(v)),
    },
    Key {
        name: "relay.stun_server",
        kind: Text,
        default: r#""""#,
        reload: Restart,
        about: "A STUN server that is asked at the start under which public address this host is seen, \
                such as \"stun.example.org:3478\". Only where relay.external is empty: set it where the \
                public address changes.",
        apply: |c, v| put(&mut c.relay.stun_server, net::server(v)),
    },
    Key {
        name: "relay.ports",
        kind: Text,
        default: r#""49152-65535""#,
        reload: Restart,
        about: "UDP ports that relayed addresses are taken from; the firewall must let them in. \
                One allocation takes one. Narrow it where ports are published one by one.",
        apply: |c, v| put(&mut c.relay.ports, net::ports(v)),
    },
    Key {
        name: "relay.workers",
        kind: Number,
        default: "0",
        reload: Restart,
        about: "Threads that relay packets; 0 takes one per core. Lower it to leave cores to \
                others.",
        apply: |c, v| put(&mut c.relay.workers, read::count(v, 256)),
    },
    Key {
        name: "relay.channel_numbers",
        kind: Text,
        default: r#""rfc5766""#,
        reload: Live,
        about: "Channel numbers that clients may bind: \"rfc5766\" (0x4000 to 0x7FFE), which older \
                clients need, or \"rfc8656\" (0x4000 to 0x4FFF).",
        apply: |c, v| {
            let choices =
                [("rfc5766", ChannelNumbers::Rfc5766), ("rfc8656", ChannelNumbers::Rfc8656)];
            put(&mut c.relay.channel_numbers, choice::one_of(v, &choices))
        },
    },
    Key {
        name: "relay.alternate_server",
        kind: Text,
        default: r#""""#,
        reload: Live,
        about: "Where new clients are sent while this server drains (SIGUSR1), as \"host:port\"; \
                several are separated by commas, and each client gets one of its own address family. \
                None: they are told that there is no room.",
        apply: |c, v| put(&mut c.relay.alternate_servers, net::servers(v)),
    },
    Key {
        name: "relay.nat_discovery",
        kind: Switch,
        default: "true",
        reload: Live,
        about: "Whether clients may find out what kind of NAT they are behind (RFC 5780). It takes two \
                addresses of one family with the same two ports in listen.udp, none of them a wildcard or behind NAT; \
                without, this changes nothing.",
        apply: |c, v| put(&mut c.relay.nat_discovery, read::boolean(v)),
    },
    Key {
        name: "auth.secrets",
        kind: Secrets,
        default: "[]",
        reload: Live,
        about: "Secrets shared with applications that mint TURN credentials themselves (TURN REST \
                API). The first one signs ours. To rotate, put the new one first and drop the old \
                one a credential_ttl later. None: one is made and kept in data_dir, and `relayhouse \
                secret rotate` renews it.",
        apply: |c, v| put(&mut c.auth.secrets, secret::list(v)),
    },
    Key {
        name: "auth.users",
        kind: Users,
        default: "{}",
        reload: Live,
        about: "Users with a fixed password, for clients that cannot use credentials that expire: \
                { alice = \"a long password\" }.",
        apply: |c, v| put(&mut c.auth.users, secret::users(v)),
    },
    Key {
        name: "auth.credential_ttl",
        kind: Number,
        default: r#""24h""#,
        reload: Live,
        about: "How long a minted credential opens new allocations; those that are open live on. \
                Shorten it if credentials leak, not below the length of a call.",
        apply: |c, v| put(&mut c.auth.credential_ttl, duration::between(v, MINUTE, YEAR)),
    },
    Key {
        name: "auth.nonce_lifetime",
        kind: Number,
        default: r#""1h""#,
        reload: Live,
        about: "How long a client may use one nonce. There is rarely a reason to touch it.",
        apply: |c, v| put(&mut c.auth.nonce_lifetime, duration::between(v, MINUTE, YEAR)),
    },
    Key {
        name: "auth.username_separator",
        kind: Text,
        default: r#"":""#,
        reload: Live,
        about: "The character between the expiry and the name in a minted username. Change it only \
                if your application mints with another one.",
        apply: |c, v| put(&mut c.auth.username_separator, choice::separator(v)),
    },
    Key {
        name: "auth.strict_expiry",
        kind: Switch,
        default: "false",
        reload: Live,
        about: "Whether an expired credential also ends its open allocations at their next refresh. \
                Browsers cannot renew a credential in a call, so that this cuts calls short.",
        apply: |c, v| put(&mut c.auth.strict_expiry, read::boolean(v)),
    },
    Key {
        name: "auth.sha256",
        kind: Switch,
        default: "true",
        reload: Live,
        about: "Whether clients are offered SHA-256 in place of MD5 and SHA-1 (RFC 8489). Clients that do \
                not know it are not disturbed; turn it off for one that is.",
        apply: |c, v| put(&mut c.auth.sha256, read::boolean(v)),
    },
];
