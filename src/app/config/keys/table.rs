//! The table itself. Every key has a default that works and a sentence that says when to touch it.

use std::time::Duration;

use super::{Key, Kind, Reload};
use crate::app::config::read::{self, Read, choice, duration, net, rate, secret};
use crate::app::config::value::Node;
use crate::app::config::{Config, LogFormat};
use crate::turn::ChannelNumbers;

use Kind::{List, Number, Secrets, Switch, Text, Users};
use Reload::{Live, Restart};

/// The longest bound of anything counted per allocation.
const MANY: usize = 65_535;
const MINUTE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Every key, in the order of `config.toml`: those without a section first.
pub(in crate::app::config) static KEYS: &[Key] = &[
    key(
        "realm",
        Text,
        Restart,
        r#""relayhouse""#,
        "The realm of TURN authentication, part of every password's hash. Set it to your domain if \
         clients show it.",
        |c, v| put(&mut c.realm, choice::realm(v)),
    ),
    key(
        "data_dir",
        Text,
        Restart,
        r#""data""#,
        "The folder of everything that must survive a restart: the generated secret, rooms, \
         invites, API keys. Set it to an absolute path wherever this runs as a service.",
        |c, v| put(&mut c.data_dir, choice::directory(v)),
    ),
    key(
        "listen.udp",
        List,
        Restart,
        r#"["0.0.0.0:3478", "[::]:3478"]"#,
        "Addresses that clients reach STUN and TURN on over UDP. Name single addresses if \
         others on this host need the port.",
        |c, v| put(&mut c.listen.udp, net::listen(v, 3478)),
    ),
    key(
        "listen.tcp",
        List,
        Restart,
        r#"["0.0.0.0:3478", "[::]:3478"]"#,
        "The same over TCP, for networks without UDP. Checked, but not served by this \
         version.",
        |c, v| put(&mut c.listen.tcp, net::listen(v, 3478)),
    ),
    key(
        "listen.tls",
        List,
        Restart,
        "[]",
        "The same over TLS, for networks that let only HTTPS through. Checked, but not \
         served by this version.",
        |c, v| put(&mut c.listen.tls, net::listen(v, 5349)),
    ),
    key(
        "http.listen",
        List,
        Restart,
        r#"["127.0.0.1:8080"]"#,
        "Addresses of the page, the API and signalling. Behind a reverse proxy on another \
         host, name an address that it reaches.",
        |c, v| put(&mut c.http.listen, net::listen(v, 8080)),
    ),
    key(
        "http.public_url",
        Text,
        Live,
        r#""""#,
        "Where browsers find the page, such as \"https://calls.example.org\"; invite links \
         are made from it. Set it as soon as a proxy stands before this server.",
        |c, v| put(&mut c.http.public_url, net::public_url(v)),
    ),
    key(
        "http.allowed_origins",
        List,
        Live,
        "[]",
        "Other sites whose pages may call the API and open WebSockets, such as \
         \"https://app.example.org\". The page of this server itself needs no entry.",
        |c, v| put(&mut c.http.allowed_origins, net::origins(v)),
    ),
    key(
        "http.trusted_proxies",
        List,
        Live,
        "[]",
        "Proxies whose X-Forwarded-For is believed. Name yours, or every visitor looks like \
         the proxy to the rate limits.",
        |c, v| put(&mut c.http.trusted_proxies, net::ranges(v)),
    ),
    key(
        "relay.addresses",
        List,
        Restart,
        r#"["auto"]"#,
        "Addresses of this host that relayed ports are opened on; \"auto\" takes the best \
         IPv4 and the best IPv6 address. Name them on a host with several.",
        |c, v| put(&mut c.relay.addresses, net::relay_addresses(v)),
    ),
    key(
        "relay.external",
        List,
        Restart,
        "[]",
        "The public name of a relay address behind 1:1 NAT, as \"public\" or \
         \"public/private\". Needed in most clouds and behind every router.",
        |c, v| put(&mut c.relay.external, net::external(v)),
    ),
    key(
        "relay.ports",
        Text,
        Restart,
        r#""49152-65535""#,
        "UDP ports that relayed addresses are taken from; the firewall must let them in. \
         One allocation takes one. Narrow it where ports are published one by one.",
        |c, v| put(&mut c.relay.ports, net::ports(v)),
    ),
    key(
        "relay.workers",
        Number,
        Restart,
        "0",
        "Threads that relay packets; 0 takes one per core. Lower it to leave cores to \
         others.",
        |c, v| put(&mut c.relay.workers, read::count(v, 256)),
    ),
    key(
        "relay.channel_numbers",
        Text,
        Live,
        r#""rfc5766""#,
        "Channel numbers that clients may bind: \"rfc5766\" (0x4000 to 0x7FFE), which older \
         clients need, or \"rfc8656\" (0x4000 to 0x4FFF).",
        |c, v| {
            let choices =
                [("rfc5766", ChannelNumbers::Rfc5766), ("rfc8656", ChannelNumbers::Rfc8656)];
            put(&mut c.relay.channel_numbers, choice::one_of(v, &choices))
        },
    ),
    key(
        "auth.secrets",
        Secrets,
        Live,
        "[]",
        "Secrets shared with applications that mint TURN credentials themselves (TURN REST \
         API). The first one signs ours. To rotate, put the new one first and drop the old \
         one a credential_ttl later. None: one is made and kept in data_dir.",
        |c, v| put(&mut c.auth.secrets, secret::list(v)),
    ),
    key(
        "auth.users",
        Users,
        Live,
        "{}",
        "Users with a fixed password, for clients that cannot use credentials that expire: \
         { alice = \"a long password\" }.",
        |c, v| put(&mut c.auth.users, secret::users(v)),
    ),
    key(
        "auth.credential_ttl",
        Number,
        Live,
        r#""24h""#,
        "How long a minted credential opens new allocations; those that are open live on. \
         Shorten it if credentials leak, not below the length of a call.",
        |c, v| put(&mut c.auth.credential_ttl, duration::between(v, MINUTE, YEAR)),
    ),
    key(
        "auth.nonce_lifetime",
        Number,
        Live,
        r#""1h""#,
        "How long a client may use one nonce. There is rarely a reason to touch it.",
        |c, v| put(&mut c.auth.nonce_lifetime, duration::between(v, MINUTE, YEAR)),
    ),
    key(
        "auth.username_separator",
        Text,
        Live,
        r#"":""#,
        "The character between the expiry and the name in a minted username. Change it only \
         if your application mints with another one.",
        |c, v| put(&mut c.auth.username_separator, choice::separator(v)),
    ),
    key(
        "auth.strict_expiry",
        Switch,
        Live,
        "false",
        "Whether an expired credential also ends its open allocations at their next refresh. \
         Browsers cannot renew a credential in a call, so that this cuts calls short.",
        |c, v| put(&mut c.auth.strict_expiry, read::boolean(v)),
    ),
    key(
        "quota.allocations",
        Number,
        Live,
        "0",
        "Allocations of the whole server at a time; 0 is no limit. Set it to what the \
         machine and its ports can carry.",
        |c, v| put(&mut c.quota.allocations, read::count(v, u32::MAX)),
    ),
    key(
        "quota.allocations_per_user",
        Number,
        Live,
        "256",
        "Allocations of one user at a time, whatever the credential: generous for people, a \
         wall for a leaked credential; 0 is no limit. A browser opens a few per call. Raise \
         it if one name stands for a whole application.",
        |c, v| put(&mut c.quota.per_user, read::count(v, u32::MAX)),
    ),
    key(
        "quota.allocations_per_credential",
        Number,
        Live,
        "0",
        "Allocations of one credential, timestamp included, at a time; 0 is no limit. Set \
         it low to make a passed-on credential useless.",
        |c, v| put(&mut c.quota.per_credential, read::count(v, u32::MAX)),
    ),
    key(
        "quota.allocations_per_address",
        Number,
        Live,
        "0",
        "Allocations from one client address at a time; 0 is no limit. Remember that an \
         office or a mobile carrier is one address.",
        |c, v| put(&mut c.quota.per_address, read::count(v, u32::MAX)),
    ),
    key(
        "quota.bandwidth_per_allocation",
        Number,
        Live,
        "0",
        "Bytes per second of one allocation and direction; 0 is no limit. More is dropped. \
         Write \"500k\" or, in bits, \"4Mbit\"; good video needs 400k.",
        |c, v| put(&mut c.quota.bandwidth_per_allocation, rate::bytes_per_second(v)),
    ),
    key(
        "quota.bandwidth",
        Number,
        Live,
        "0",
        "Bytes per second of the whole server, both directions together; 0 is no limit. Set \
         it where traffic costs money.",
        |c, v| put(&mut c.quota.bandwidth, rate::bytes_per_second(v)),
    ),
    key(
        "peers.allow",
        List,
        Live,
        "[]",
        "Ranges that may be relayed to although `deny` names them, such as the network of \
         your media server. Of two ranges the more specific wins. A range that is also one of \
         \"recommended\" is opened; of two written ones that are equal, `deny` wins. \
         This host itself is opened only by one of its own addresses, such as \"192.0.2.1/32\", \
         never by a range around it.",
        |c, v| put(&mut c.peers.allow, net::ranges(v)),
    ),
    key(
        "peers.deny",
        List,
        Live,
        r#"["recommended"]"#,
        "Ranges that are never relayed to. \"recommended\" stands for everything that is not \
         a public host: private, loopback, link-local, cloud metadata and the like. Without \
         it, whoever has a credential reaches your inner network.",
        |c, v| put(&mut c.peers.deny, net::denied(v, &c.peers.allow)),
    ),
    key(
        "limits.max_lifetime",
        Number,
        Live,
        r#""1h""#,
        "The longest an allocation lives without being refreshed. Shorter gives ports of \
         vanished clients back sooner, longer saves refreshes.",
        |c, v| put(&mut c.limits.max_lifetime, duration::between(v, MINUTE * 10, MINUTE * 60 * 24)),
    ),
    key(
        "limits.permissions_per_allocation",
        Number,
        Live,
        "64",
        "Peers that one allocation may talk to. Raise it for servers that relay to very \
         many.",
        |c, v| put(&mut c.limits.permissions_per_allocation, read::at_least_one(v, MANY)),
    ),
    key(
        "limits.channels_per_allocation",
        Number,
        Live,
        "64",
        "Channels that one allocation may bind. Raise it together with the permissions.",
        |c, v| put(&mut c.limits.channels_per_allocation, read::at_least_one(v, MANY)),
    ),
    key(
        "limits.unauthenticated_rate",
        Number,
        Live,
        "200",
        "Answers per second to one address that has not authenticated, so that this server \
         is no amplifier; 0 is no limit. Raise it if very many clients share an address.",
        |c, v| put(&mut c.unauthenticated_rate, read::count(v, u32::MAX)),
    ),
    key(
        "log.format",
        Text,
        Restart,
        r#""text""#,
        "\"text\" for people, \"json\" for programs: one object per line.",
        |c, v| {
            let choices = [("text", LogFormat::Text), ("json", LogFormat::Json)];
            put(&mut c.log.format, choice::one_of(v, &choices))
        },
    ),
    key(
        "log.level",
        Text,
        Live,
        r#""info""#,
        "error, warn, info, debug or trace; one module apart as in \
         \"info,relayhouse::relay=debug\".",
        |c, v| put(&mut c.log.level, choice::log_level(v)),
    ),
];

const fn key(
    name: &'static str,
    kind: Kind,
    reload: Reload,
    default: &'static str,
    about: &'static str,
    apply: fn(&mut Config, &Node) -> Read<()>,
) -> Key {
    Key { name, kind, default, reload, about, apply }
}

fn put<T>(place: &mut T, value: Read<T>) -> Read<()> {
    *place = value?;
    Ok(())
}
