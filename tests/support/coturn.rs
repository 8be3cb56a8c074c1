//! Debian's coturn as a server, so that the tests themselves are tested: what passes against us must
//! pass against it, and what must fail fails there too.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::turn_client::binding;

/// A coturn on loopback, ended on drop.
pub struct Coturn {
    child: Child,
    port: u16,
}

impl Coturn {
    /// With one REST secret.
    pub fn with_secret(secret: &str) -> Self {
        Self::start(&["--use-auth-secret", "--static-auth-secret", secret])
    }

    /// With one static user.
    pub fn with_user(name: &str, password: &str) -> Self {
        Self::start(&["--lt-cred-mech", "-u", &format!("{name}:{password}")])
    }

    fn start(auth: &[&str]) -> Self {
        let port = super::free_port_pair("127.0.0.1");
        let mut command = Command::new("turnserver");
        command.args(["-n", "-c", "/dev/null", "--no-cli", "--no-tls", "--no-dtls"]);
        command.args(["--no-rfc5780", "--allow-loopback-peers", "--pidfile", "/dev/null"]);
        command.args(["--log-file", "stdout", "--simple-log", "-r", "relayhouse"]);
        command.args(["-L", "127.0.0.1", "-L", "::1", "-E", "127.0.0.1", "-E", "::1"]);
        command.args(["-p", &port.to_string()]).args(auth);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("`turnserver` cannot be started ({error}); it is in Debian's package `coturn`")
        });
        let coturn = Self { child, port };
        for _ in 0..100 {
            if binding(coturn.udp(), Duration::from_millis(100)).is_some() {
                return coturn;
            }
        }
        panic!("coturn does not answer on {}", coturn.udp());
    }

    pub fn udp(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub fn udp6(&self) -> SocketAddr {
        SocketAddr::new("::1".parse().expect("an address"), self.port)
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
