//! coturn's test tools (`turnutils_uclient`, `turnutils_peer`, `turnutils_stunclient`), run with time
//! limits, and what their output means.

use std::io::Read;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a program ended.
pub struct Ended {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub timed_out: bool,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

/// Runs a program to its end, or kills it at the limit. Output is read while it runs.
pub fn run_limited(command: &mut Command, limit: Duration) -> Ended {
    let name = command.get_program().to_string_lossy().into_owned();
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| {
        panic!("`{name}` is needed by this test and cannot be started ({error}); coturn's tools are in Debian's package `coturn`")
    });
    let stdout = drain(child.stdout.take().expect("a pipe"));
    let stderr = drain(child.stderr.take().expect("a pipe"));
    let started = Instant::now();
    let (status, timed_out) = loop {
        if let Some(status) = child.try_wait().expect("the child can be asked") {
            break (status, false);
        }
        if started.elapsed() > limit {
            let _ = child.kill();
            break (child.wait().expect("the child can be waited for"), true);
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let (stdout, stderr) = (stdout.join().expect("read"), stderr.join().expect("read"));
    Ended { code: status.code(), timed_out, stdout, stderr, took: started.elapsed() }
}

fn drain(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// What a run of `turnutils_uclient` said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Messages sent and received in total; `None` when it never came to sending.
    pub sent: Option<u64>,
    pub received: Option<u64>,
    pub lost: Option<u64>,
    /// Sends the tool's own socket refused.
    pub dropped: Option<u64>,
    /// Lines that tell of an error.
    pub errors: Vec<String>,
    pub code: Option<i32>,
    pub timed_out: bool,
    pub output: String,
}

impl Report {
    /// Reads the tool's output. The totals are in its last lines; while running it repeats partial
    /// ones, so the last of each kind counts.
    pub fn parse(output: &str) -> Self {
        let mut report = Self { output: output.to_owned(), ..Self::default() };
        for line in output.lines() {
            report.sent = number_after(line, "tot_send_msgs=").or(report.sent);
            report.received = number_after(line, "tot_recv_msgs=").or(report.received);
            report.lost = number_after(line, "Total lost packets ").or(report.lost);
            report.dropped = number_after(line, "total send dropped ").or(report.dropped);
            let lower = line.to_lowercase();
            // With `-S` it tries versions of TLS in turn, from those that are refused everywhere.
            let old_tls = line.contains("SSL routines::sslv3 alert handshake failure");
            if (lower.contains("error") && !old_tls) || lower.contains("cannot complete") {
                report.errors.push(line.trim().to_owned());
            }
        }
        report
    }

    /// All `messages` were sent, came back, and nothing else was said.
    pub fn complaint(&self, messages: u64) -> Option<String> {
        let wrong = if self.timed_out {
            "it ran into its time limit".to_owned()
        } else if self.code != Some(0) {
            format!("it ended with {:?}", self.code)
        } else if self.sent != Some(messages) {
            format!("{messages} messages should have been sent, not {:?}", self.sent)
        } else if self.received != Some(messages) {
            format!("{messages} messages should have come back, not {:?}", self.received)
        } else if self.lost != Some(0) || self.dropped != Some(0) {
            format!("lost {:?}, dropped {:?}", self.lost, self.dropped)
        } else if !self.errors.is_empty() {
            format!("it complained: {:?}", self.errors)
        } else {
            return None;
        };
        let lines: Vec<&str> = self.output.lines().collect();
        let tail = lines[lines.len().saturating_sub(40)..].join("\n");
        Some(format!("turnutils_uclient: {wrong}\n--- the end of its output:\n{tail}\n---"))
    }

    /// Panics with the output unless all `messages` went there and back.
    #[track_caller]
    pub fn expect_all(&self, messages: u64) {
        if let Some(complaint) = self.complaint(messages) {
            panic!("{complaint}");
        }
    }

    /// Panics with the output unless the server refused the allocation.
    #[track_caller]
    pub fn expect_refused(&self) {
        let said = self.errors.iter().any(|line| line.contains("Cannot complete Allocation"));
        let quiet = self.sent.unwrap_or(0) == 0;
        let refused = said && quiet && !self.timed_out && self.code != Some(0);
        assert!(refused, "the allocation should have been refused: {self:?}");
    }
}

fn number_after(line: &str, label: &str) -> Option<u64> {
    let rest = &line[line.find(label)? + label.len()..];
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Runs `turnutils_uclient` against a server. Waits are built into the tool: a run of ten messages
/// takes 3 to 7 s, with many clients up to 11 s.
pub fn uclient(server: SocketAddr, args: &[&str]) -> Report {
    let mut command = Command::new("turnutils_uclient");
    command.args(args).args(["-p", &server.port().to_string()]).arg(server.ip().to_string());
    let ended = run_limited(&mut command, Duration::from_secs(60));
    let mut report = Report::parse(&format!("{}{}", ended.stdout, ended.stderr));
    report.code = ended.code;
    report.timed_out = ended.timed_out;
    report
}

/// The address `turnutils_stunclient` was told it has, as it prints it.
pub fn stunclient(server: SocketAddr) -> String {
    let mut command = Command::new("turnutils_stunclient");
    command.args(["-p", &server.port().to_string()]).arg(server.ip().to_string());
    let ended = run_limited(&mut command, Duration::from_secs(20));
    let output = format!("{}{}", ended.stdout, ended.stderr);
    assert!(ended.code == Some(0) && !ended.timed_out, "turnutils_stunclient failed:\n{output}");
    let found = output.lines().find_map(|line| line.split("UDP reflexive addr: ").nth(1));
    found.unwrap_or_else(|| panic!("no reflexive address in:\n{output}")).trim().to_owned()
}

/// `turnutils_peer`: echoes on two neighbouring ports; ended on drop.
pub struct Peer {
    child: Child,
    pub ip: IpAddr,
    pub port: u16,
}

impl Peer {
    /// Starts one and waits until it echoes.
    pub fn start(ip: &str) -> Self {
        for _ in 0..5 {
            let port = super::free_port_pair(ip);
            let mut command = Command::new("turnutils_peer");
            command.args(["-L", ip, "-p", &port.to_string()]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let child = command.spawn().unwrap_or_else(|error| {
                panic!("`turnutils_peer` cannot be started ({error}); it is in Debian's package `coturn`")
            });
            let ip = ip.parse().expect("an address");
            let mut peer = Self { child, ip, port };
            if peer.echoes() {
                return peer;
            }
        }
        panic!("turnutils_peer does not echo on {ip}");
    }

    fn echoes(&mut self) -> bool {
        let socket = UdpSocket::bind((self.ip, 0)).expect("a port");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
        let mut answer = [0; 16];
        for _ in 0..50 {
            let _ = socket.send_to(b"there?", (self.ip, self.port + 1));
            if socket.recv_from(&mut answer).is_ok_and(|(n, _)| &answer[..n] == b"there?") {
                return true;
            }
            if self.child.try_wait().expect("the child can be asked").is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// The arguments that make `uclient` send to it.
    pub fn args(&self) -> [String; 4] {
        ["-e".into(), self.ip.to_string(), "-r".into(), self.port.to_string()]
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
