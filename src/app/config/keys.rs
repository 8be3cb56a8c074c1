//! The table of keys: names, defaults, what each is for. The configuration file, the environment,
//! `--set`, `--print-config`, `config.toml` and the documentation all come from it.

use std::time::Duration;

use super::Config;
use super::read::{self, Read, choice, duration, net, rate, secret};
use super::value::Node;
use crate::turn::ChannelNumbers;

/// One key.
pub(super) struct Key {
    /// With its section: `relay.ports`.
    pub(super) name: &'static str,
    /// How a text from the environment or a flag becomes a value.
    pub(super) kind: Kind,
    /// The built-in default, as TOML.
    pub(super) default: &'static str,
    /// Whether a reload changes it, or only a restart.
    pub(super) reload: Reload,
    /// What it does and when to touch it: whole sentences.
    pub(super) about: &'static str,
    /// Reads a value into its place.
    pub(super) apply: fn(&mut Config, &Node) -> Read<()>,
}

/// The shape of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// A number, a time or a rate: digits are a number.
    Number,
    /// `true` or `false`.
    Switch,
    /// A list of texts; separated by commas where there is no TOML.
    List,
    /// A list of secrets.
    Secrets,
    /// A table of secrets by name.
    Users,
}

impl Kind {
    /// Whether its values must never be shown.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secrets | Self::Users)
    }
}

/// When a changed value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reload {
    /// At once, with SIGHUP.
    Live,
    /// After a restart.
    Restart,
}

use Kind::{List, Number, Secrets, Switch, Text, Users};
use Reload::{Live, Restart};

/// The longest bound of anything counted per allocation.
const MANY: usize = 65_535;
const MINUTE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Every key, in the order of `config.toml`: those without a section first.
pub(super) static KEYS: &[Key] = &[
    Key {
        name: "realm",
        kind: Text,
        default: r#""relayhouse""#,
        reload: Restart,
        about: "The realm of TURN authentication. Set it to your domain if clients show it, or if \
                you move from another server whose static users keep hashed keys.",
        apply: |c, v| put(&mut c.realm, choice::realm(v)),
    },
    Key {
        name: "data_dir",
        kind: Text,
        default: r#""data""#,
        reload: Restart,
        about: "The folder of everything that must survive a restart: the generated secret, rooms, \
                invites, API keys. Set it to an absolute path wherever this runs as a service.",
        apply: |c, v| put(&mut c.data_dir, choice::directory(v)),
    },
    Key {
        name: "listen.udp",
        kind: List,
        default: r#"["0.0.0.0:3478", "[::]:3478"]"#,
        reload: Restart,
        about: "Addresses that clients reach STUN and TURN on over UDP. Name single addresses if \
                others on this host need the port.",
        apply: |c, v| put(&mut c.listen.udp, net::listen(v, 3478)),
    },
    Key {
        name: "listen.tcp",
        kind: List,
        default: r#"["0.0.0.0:3478", "[::]:3478"]"#,
        reload: Restart,
        about: "The same over TCP, for networks without UDP. Checked, but not served by this \
                version.",
        apply: |c, v| put(&mut c.listen.tcp, net::listen(v, 3478)),
    },
    Key {
        name: "listen.tls",
        kind: List,
        default: "[]",
        reload: Restart,
        about: "The same over TLS, for networks that let only HTTPS through. Checked, but not \
                served by this version.",
        apply: |c, v| put(&mut c.listen.tls, net::listen(v, 5349)),
    },
    Key {
        name: "http.listen",
        kind: List,
        default: r#"["127.0.0.1:8080"]"#,
        reload: Restart,
        about: "Addresses of the page, the API and signalling. Behind a reverse proxy on another \
                host, name an address that it reaches.",
        apply: |c, v| put(&mut c.http.listen, net::listen(v, 8080)),
    },
    Key {
        name: "http.public_url",
        kind: Text,
        default: r#""""#,
        reload: Live,
        about: "Where browsers find the page, such as \"https://calls.example.org\"; invite links \
                are made from it. Set it as soon as a proxy stands before this server.",
        apply: |c, v| put(&mut c.http.public_url, net::public_url(v)),
    },
    Key {
        name: "http.allowed_origins",
        kind: List,
        default: "[]",
        reload: Live,
        about: "Other sites whose pages may call the API and open WebSockets, such as \
                \"https://app.example.org\". The page of this server itself needs no entry.",
        apply: |c, v| put(&mut c.http.allowed_origins, net::origins(v)),
    },
    Key {
        name: "http.trusted_proxies",
        kind: List,
        default: "[]",
        reload: Live,
        about: "Proxies whose X-Forwarded-For is believed. Name yours, or every visitor looks like \
                the proxy to the rate limits.",
        apply: |c, v| put(&mut c.http.trusted_proxies, net::ranges(v)),
    },
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
        name: "auth.secrets",
        kind: Secrets,
        default: "[]",
        reload: Live,
        about: "Secrets shared with applications that mint TURN credentials themselves (TURN REST \
                API). The first one signs ours. To rotate, put the new one first and drop the old \
                one a credential_ttl later. None: one is made and kept in data_dir.",
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
                \"recommended\" is opened; of two written ones that are equal, `deny` wins.",
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
        name: "limits.unauthenticated_rate",
        kind: Number,
        default: "200",
        reload: Live,
        about: "Answers per second to one address that has not authenticated, so that this server \
                is no amplifier; 0 is no limit. Raise it if very many clients share an address.",
        apply: |c, v| put(&mut c.unauthenticated_rate, read::count(v, u32::MAX)),
    },
    Key {
        name: "log.format",
        kind: Text,
        default: r#""text""#,
        reload: Restart,
        about: "\"text\" for people, \"json\" for programs: one object per line.",
        apply: |c, v| {
            let choices = [("text", super::LogFormat::Text), ("json", super::LogFormat::Json)];
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

fn put<T>(place: &mut T, value: Read<T>) -> Read<()> {
    *place = value?;
    Ok(())
}

impl Key {
    /// The section, empty for the keys at the top, and the name in it.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or(("", self.name))
    }
}

/// Where in [`KEYS`] the key of this name is.
pub(super) fn index_of(name: &str) -> Option<usize> {
    KEYS.iter().position(|key| key.name == name)
}

/// The sections, in order.
pub(super) fn sections() -> impl Iterator<Item = &'static str> {
    let names = KEYS.iter().map(|key| key.parts().0);
    let mut last = "";
    names.filter(move |name| {
        *name != last && {
            last = name;
            true
        }
    })
}
