//! What an operator needs to go on, on stdout: the page, ICE servers to paste, ports to open.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::app::config::{Config, format_duration};
use crate::app::desk::LINK_LIFETIME;

use super::listeners::Listening;

/// What the banner is made of.
#[derive(Debug)]
pub(super) struct Banner<'a> {
    /// What counts.
    pub(super) config: &'a Config,
    /// The file it was read from.
    pub(super) file: Option<&'a Path>,
    /// A link that may make rooms, if the page is served.
    pub(super) link: Option<String>,
    /// As [`Request::Credentials`](crate::app::desk::Request) answers.
    pub(super) credential: Value,
    /// Where is listened.
    pub(super) listening: &'a Listening,
    /// The relayed addresses, as peers see them.
    pub(super) peers_see: String,
    /// Whether nobody can log in yet.
    pub(super) no_users: bool,
    /// Whether every relayed address is on loopback.
    pub(super) relays_on_loopback: bool,
}

impl Banner<'_> {
    /// The text, with a line end.
    pub(super) fn text(&self) -> String {
        let mut text = format!("relayhouse {}\n\n", env!("CARGO_PKG_VERSION"));
        if self.config.dev {
            text += "DEVELOPMENT MODE (--dev): loopback only, and everybody may mint credentials \
                     and make rooms.\n\n";
        }
        let life = format_duration(LINK_LIFETIME);
        match &self.link {
            Some(link) => drop(write!(
                text,
                "Open this page to make a room (whoever has the link may, for {life}; \
                 `relayhouse link` prints a new one):\n\n  {link}\n\n",
            )),
            None => text += "No page is served: http.listen is empty.\n\n",
        }
        let life = format_duration(self.config.auth.credential_ttl);
        let _ = write!(
            text,
            "Or paste this into new RTCPeerConnection({{ iceServers }}); it is good for {life}, \
             and `relayhouse credentials --json` prints a fresh one:\n\n"
        );
        let servers = self.credential.get("iceServers").unwrap_or(&Value::Null);
        let _ = write!(text, "{servers:#}\n\n");
        if self.no_users {
            text += "Nobody can log in yet: `relayhouse users add --role admin NAME` adds the first \
                     person.\n\n";
        }
        let _ = writeln!(text, "Let through the firewall: {}", self.ports());
        let _ = writeln!(text, "Peers see media from:     {}", self.peers_see);
        let data = std::path::absolute(&self.config.data_dir);
        let data = data.unwrap_or_else(|_| self.config.data_dir.clone());
        let _ = writeln!(text, "State is kept in:         {}", data.display());
        let _ = match self.file {
            Some(file) => writeln!(text, "Configuration:            {}", file.display()),
            None => writeln!(
                text,
                "Configuration:            built-in defaults (`relayhouse --print-defaults` shows them)"
            ),
        };
        text
    }

    /// Ports that others must reach.
    fn ports(&self) -> String {
        let mut ports = Vec::new();
        let outside = |addresses: &[SocketAddr], kind: &str, ports: &mut Vec<String>| {
            for address in addresses.iter().filter(|address| !address.ip().is_loopback()) {
                let port = format!("{}/{kind}", address.port());
                if !ports.contains(&port) {
                    ports.push(port);
                }
            }
        };
        let Listening { udp, tcp, tls, http } = self.listening;
        outside(udp, "udp", &mut ports);
        outside(tcp, "tcp", &mut ports);
        outside(tls, "tcp", &mut ports);
        if !self.relays_on_loopback {
            let (first, last) = (self.config.relay.ports.start(), self.config.relay.ports.end());
            ports.push(format!("{first}-{last}/udp"));
        }
        outside(http, "tcp", &mut ports);
        if ports.is_empty() { "nothing, all is on loopback".to_owned() } else { ports.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::from_text;

    fn ports(udp: &str, tls: &str, http: &str, relays_on_loopback: bool) -> String {
        let config = from_text("nothing", "").expect("defaults");
        let one = |text: &str| vec![text.parse().expect("an address")];
        let listening = Listening { udp: one(udp), tcp: one(udp), tls: one(tls), http: one(http) };
        let (config, credential, listening) = (&config, Value::Null, &listening);
        let (file, link, peers_see, no_users) = (None, None, String::new(), true);
        Banner {
            no_users,
            config,
            file,
            link,
            credential,
            listening,
            peers_see,
            relays_on_loopback,
        }
        .ports()
    }

    #[test]
    fn only_what_others_must_reach_goes_through_the_firewall() {
        let expected = "3478/udp, 3478/tcp, 443/tcp, 49152-65535/udp";
        assert_eq!(ports("0.0.0.0:3478", "0.0.0.0:443", "127.0.0.1:8080", false), expected);
        assert_eq!(ports("0.0.0.0:3478", "0.0.0.0:443", "0.0.0.0:443", false), expected);
        let nothing = "nothing, all is on loopback";
        assert_eq!(ports("127.0.0.1:1", "[::1]:3", "[::1]:2", true), nothing);
    }
}
