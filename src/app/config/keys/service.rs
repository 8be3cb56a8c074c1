//! What is served, where and under which name: the first keys of `config.toml`.

use super::super::read::{choice, net};
use super::Kind::{List, Text};
use super::Reload::{Live, Restart};
use super::{Key, put};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "realm",
        kind: Text,
        default: r#""relayhouse""#,
        reload: Restart,
        about: "The realm of TURN authentication, part of every password's hash. Set it to your \
                domain if clients show it.",
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
        about: "The same over TCP, for networks without UDP; with a certificate, over TLS as well. \
                Empty it where nobody needs it.",
        apply: |c, v| put(&mut c.listen.tcp, net::listen(v, 3478)),
    },
    Key {
        name: "listen.tls",
        kind: List,
        default: "[]",
        reload: Restart,
        about: "The same over TLS alone, for networks that let only HTTPS through: such as \
                \"0.0.0.0:5349\", or \"0.0.0.0:443\", which may stand in http.listen as well. Needs \
                tls.certificate.",
        apply: |c, v| put(&mut c.listen.tls, net::listen(v, 5349)),
    },
    Key {
        name: "listen.proxy_from",
        kind: List,
        default: "[]",
        reload: Restart,
        about: "Load balancers and proxies before the TCP and TLS listeners that speak the PROXY \
                protocol (v1 or v2), as ranges. Their connections must begin with it, and the client \
                it names is the client. Nobody else's header is believed.",
        apply: |c, v| put(&mut c.listen.proxy_from, net::ranges(v)),
    },
    Key {
        name: "tls.certificate",
        kind: Text,
        default: r#""""#,
        reload: Live,
        about: "The file of the certificate chain for listen.tls and for HTTPS, in PEM, the server's own \
                first. It is watched: a renewed one counts without a restart.",
        apply: |c, v| put(&mut c.tls.certificate, choice::file(v)),
    },
    Key {
        name: "tls.key",
        kind: Text,
        default: r#""""#,
        reload: Live,
        about: "The file of the certificate's private key, in PEM. Only the server's user should be able \
                to read it.",
        apply: |c, v| put(&mut c.tls.key, choice::file(v)),
    },
    Key {
        name: "http.listen",
        kind: List,
        default: r#"["127.0.0.1:8080"]"#,
        reload: Restart,
        about: "Addresses of the page, the API and signalling; with a certificate, for HTTPS as well. \
                Behind a reverse proxy on another host, name an address that it reaches.",
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
];
