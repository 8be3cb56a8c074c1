//! The program under test: started on ports of its own, watched through its log, killed on drop.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary cargo built for this test run.
pub const BINARY: &str = env!("CARGO_BIN_EXE_relayhouse");

/// How long a start may take before the test fails with the log.
const READY: Duration = Duration::from_secs(20);

/// How a server is started. The default is `--dev` on one IPv4 loopback port, in a fresh folder.
pub struct Start {
    /// What starts the program: `ip netns exec …`.
    through: Vec<String>,
    binary: PathBuf,
    dev: bool,
    listen: Vec<String>,
    http: Vec<String>,
    data_dir: Option<PathBuf>,
    args: Vec<String>,
    ready: Duration,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            through: Vec::new(),
            binary: PathBuf::from(BINARY),
            dev: true,
            listen: vec!["127.0.0.1:0".into()],
            http: vec!["127.0.0.1:0".into()],
            data_dir: None,
            args: Vec::new(),
            ready: READY,
        }
    }
}

impl Start {
    /// Another program in place of the server: for tests of this harness.
    pub fn binary(mut self, binary: impl Into<PathBuf>) -> Self {
        self.binary = binary.into();
        self
    }

    /// Started by another program that becomes it, like `ip netns exec …`.
    pub fn through(mut self, command: &[&str]) -> Self {
        self.through = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Without `--dev`: minting is closed and loopback peers are refused.
    pub fn closed(mut self) -> Self {
        self.dev = false;
        self
    }

    /// Listens on `[::1]` as well.
    pub fn with_ipv6(mut self) -> Self {
        self.listen.push("[::1]:0".into());
        self
    }

    /// The UDP addresses, instead of a free port on 127.0.0.1.
    pub fn listen(mut self, addresses: &[SocketAddr]) -> Self {
        self.listen = addresses.iter().map(SocketAddr::to_string).collect();
        self
    }

    /// The HTTP addresses, instead of a free port on 127.0.0.1.
    pub fn http(mut self, addresses: &[SocketAddr]) -> Self {
        self.http = addresses.iter().map(SocketAddr::to_string).collect();
        self
    }

    /// A data folder that outlives this server.
    pub fn data_dir(mut self, dir: &Path) -> Self {
        self.data_dir = Some(dir.to_owned());
        self
    }

    /// `--set key=value`.
    pub fn set(self, key: &str, value: &str) -> Self {
        self.arg("--set").arg(&format!("{key}={value}"))
    }

    /// Relay ports above the ephemeral ones, and not those of a test beside this one. A port that is
    /// reserved (EVEN-PORT) has no socket yet: some other socket of a busy machine would be given it.
    pub fn own_relay_ports(self) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        const PORTS: u16 = 200;
        let place = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id() as u16);
        let first = 61_000 + place % 22 * PORTS;
        self.set("relay.ports", &format!("{first}-{}", first + PORTS - 1))
    }

    /// One more argument.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// How long to wait for the `ready` line, instead of 20 s.
    pub fn ready_within(mut self, limit: Duration) -> Self {
        self.ready = limit;
        self
    }

    /// Starts it and waits until it is ready. Panics with the end of the log if it never is.
    pub fn start(self) -> Server {
        match self.try_start() {
            Ok(server) => server,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Starts it and waits until it is ready; the error is the whole story, with the log.
    pub fn try_start(self) -> Result<Server, Failure> {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let data_dir = self.data_dir.clone().unwrap_or_else(|| scratch.path().join("data"));
        let mut command = match self.through.split_first() {
            None => Command::new(&self.binary),
            Some((program, words)) => {
                let mut command = Command::new(program);
                command.args(words).arg(&self.binary);
                command
            }
        };
        if self.dev {
            command.arg("--dev");
        }
        for address in &self.listen {
            command.arg("--listen").arg(address);
        }
        for address in &self.http {
            command.arg("--http").arg(address);
        }
        command.arg("--data-dir").arg(&data_dir).args(["--set", "log.format=json"]);
        command.args(&self.args).current_dir(scratch.path());
        clean_environment(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| Failure {
            why: format!("{} cannot be started: {error}", self.binary.display()),
            status: None,
            log: String::new(),
        })?;
        Server::watch(child, data_dir, scratch, self.ready)
    }
}

/// Why a server did not get ready.
#[derive(Debug)]
pub struct Failure {
    pub why: String,
    /// Its exit status, when it ended by itself.
    pub status: Option<ExitStatus>,
    /// Everything it wrote to stderr and stdout.
    pub log: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.why)?;
        writeln!(f, "--- the end of its output:")?;
        let lines: Vec<&str> = self.log.lines().collect();
        for line in &lines[lines.len().saturating_sub(40)..] {
            writeln!(f, "{line}")?;
        }
        write!(f, "---")
    }
}

/// The tests must not see the settings of whoever runs them.
pub fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RELAYHOUSE_") {
            command.env_remove(name);
        }
    }
}

/// What a process has written, line by line, and a bell for each line.
#[derive(Default)]
struct Lines {
    lines: Mutex<Vec<String>>,
    bell: Condvar,
    /// Pipes that are still read.
    open: AtomicU16,
}

impl Lines {
    fn follow(self: &Arc<Self>, from: impl Read + Send + 'static) {
        let lines = Arc::clone(self);
        lines.open.fetch_add(1, Ordering::SeqCst);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(from);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                lines.lines.lock().expect("no reader panics").push(text);
                lines.bell.notify_all();
                line.clear();
            }
            lines.open.fetch_sub(1, Ordering::SeqCst);
            lines.bell.notify_all();
        });
    }

    /// Waits until the last line of a process that has ended is read.
    fn wait_for_end(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.open.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn text(&self) -> String {
        self.lines.lock().expect("no reader panics").join("\n")
    }
}

/// A running server.
pub struct Server {
    child: Child,
    output: Arc<Lines>,
    udp: Vec<SocketAddr>,
    tcp: Vec<SocketAddr>,
    tls: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    data_dir: PathBuf,
    _scratch: tempfile::TempDir,
}

impl Server {
    /// `Start::default()`, started.
    pub fn dev() -> Self {
        Start::default().start()
    }

    fn watch(
        mut child: Child,
        data_dir: PathBuf,
        scratch: tempfile::TempDir,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let output = Arc::new(Lines::default());
        output.follow(child.stderr.take().expect("stderr is a pipe"));
        output.follow(child.stdout.take().expect("stdout is a pipe"));
        let [udp, tcp, tls, http] = [const { Vec::new() }; 4];
        let mut server = Self {
            child,
            output: Arc::clone(&output),
            udp,
            tcp,
            tls,
            http,
            data_dir,
            _scratch: scratch,
        };
        let deadline = Instant::now() + limit;
        loop {
            if let Some(ready) = server.log().into_iter().find(|l| message(l) == Some("ready")) {
                server.udp = addresses(&ready, "udp");
                server.tcp = addresses(&ready, "tcp");
                server.tls = addresses(&ready, "tls");
                server.http = addresses(&ready, "http");
                return Ok(server);
            }
            let status = server.child.try_wait().expect("the child can be asked");
            let late = Instant::now() > deadline;
            if status.is_some() || late {
                output.wait_for_end(Duration::from_secs(if late { 0 } else { 5 }));
                let why = match status {
                    Some(status) => format!("the server ended before it was ready ({status})"),
                    None => format!("the server was not ready within {limit:?}"),
                };
                return Err(Failure { why, status, log: server.text() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The first UDP address it listens on.
    pub fn udp(&self) -> SocketAddr {
        *self.udp.first().expect("the ready line names a UDP address")
    }

    /// Its UDP address on IPv6.
    pub fn udp6(&self) -> SocketAddr {
        *self.udp.iter().find(|a| a.is_ipv6()).expect("the ready line names an IPv6 address")
    }

    /// The first address it serves STUN and TURN on over TCP.
    pub fn tcp(&self) -> SocketAddr {
        *self.tcp.first().expect("the ready line names a TCP address")
    }

    /// The first address it serves STUN and TURN on over TLS alone.
    pub fn tls(&self) -> SocketAddr {
        *self.tls.first().expect("the ready line names a TLS address")
    }

    /// Its TCP address on IPv6.
    pub fn tcp6(&self) -> SocketAddr {
        *self.tcp.iter().find(|a| a.is_ipv6()).expect("the ready line names an IPv6 address")
    }

    /// Its TLS address on IPv6.
    pub fn tls6(&self) -> SocketAddr {
        *self.tls.iter().find(|a| a.is_ipv6()).expect("the ready line names an IPv6 address")
    }

    /// The first HTTP address it listens on.
    pub fn http_address(&self) -> SocketAddr {
        *self.http.first().expect("the ready line names an HTTP address")
    }

    /// Every port it listens on, whatever for: none of them is a peer on this host.
    pub fn service_ports(&self) -> Vec<u16> {
        let all = [&self.udp, &self.tcp, &self.tls, &self.http];
        all.into_iter().flatten().map(SocketAddr::port).collect()
    }

    /// An URL on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http_address())
    }

    /// Where it keeps its state.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All it wrote so far, as text.
    pub fn text(&self) -> String {
        self.output.text()
    }

    /// The log so far: the lines that are JSON objects.
    pub fn log(&self) -> Vec<Value> {
        let text = self.text();
        text.lines().filter_map(|l| serde_json::from_str(l).ok()).filter(Value::is_object).collect()
    }

    /// Waits for a line (of log or banner) that `wanted` likes; panics with the log after `limit`.
    pub fn wait_for_line(&self, limit: Duration, what: &str, wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + limit;
        let mut lines = self.output.lines.lock().expect("no reader panics");
        while !lines.iter().any(|l| wanted(l)) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "no line about {what} within {limit:?}:\n{}",
                lines.join("\n")
            );
            lines = self.output.bell.wait_timeout(lines, left).expect("no reader panics").0;
        }
    }

    /// Sends a signal by name: `TERM`, `HUP`.
    pub fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.pid());
        let sent = Command::new("sh").args(["-c", &script]).status().expect("sh runs");
        assert!(sent.success(), "signal {name} could not be sent:\n{}", self.text());
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the child can be asked").is_none()
    }

    /// Waits for it to end by itself; panics with the log after `limit`.
    pub fn wait_for_exit(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be asked") {
                return status;
            }
            assert!(Instant::now() < deadline, "still running after {limit:?}:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of the server:\n{}\n---", self.text());
        }
    }
}

/// The `message` of a log line.
pub fn message(line: &Value) -> Option<&str> {
    line["fields"]["message"].as_str()
}

fn addresses(ready: &Value, field: &str) -> Vec<SocketAddr> {
    let text = ready["fields"][field].as_str().unwrap_or_default();
    text.split(',').filter_map(|part| part.trim().parse().ok()).collect()
}

/// Runs the binary to its end (a subcommand, or a start that must be refused) and returns exit code,
/// stdout and stderr.
pub fn run_to_end(args: &[&str], limit: Duration) -> (Option<i32>, String, String) {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(BINARY);
    command.args(args).current_dir(scratch.path()).stdin(Stdio::null());
    clean_environment(&mut command);
    let ended = super::tools::run_limited(&mut command, limit);
    assert!(!ended.timed_out, "`relayhouse {}` did not end within {limit:?}", args.join(" "));
    (ended.code, ended.stdout, ended.stderr)
}
