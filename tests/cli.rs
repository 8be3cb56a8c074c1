//! The program from outside: what it prints, how it ends, and what it says when it cannot start.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything here may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program in a folder of its own, without the variables of whoever runs the tests.
struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relayhouse"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RELAYHOUSE_") {
                command.env_remove(name);
            }
        }
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program runs")
    }

    /// Runs it to a refused start; gives back the sentence.
    fn refused(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        let errors: Vec<_> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "one sentence: {stderr}");
        errors[0].to_owned()
    }

    fn start(&self, args: &[&str]) -> Running {
        let free = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--set", "log.format=json"];
        let mut command = self.command(&[&free[..], args].concat());
        let stdout = std::fs::File::create(self.path("stdout")).expect("a file");
        command.stdout(stdout).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stderr = child.stderr.take().expect("a pipe");
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut running = Running { child, lines, log: Vec::new() };
        running.wait_for("ready");
        running
    }
}

/// A running server; killed when it is dropped.
struct Running {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
    log: Vec<Value>,
}

impl Running {
    /// The log line with this message, when it has come.
    fn wait_for(&mut self, message: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line {message:?} in {:#?}", self.log);
            };
            let line: Value = serde_json::from_str(&line).unwrap_or(Value::String(line));
            self.log.push(line.clone());
            if line["fields"]["message"] == message {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(kill.expect("kill runs").success());
    }

    fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn write(path: &Path, content: &str) {
    std::fs::write(path, content).expect("written");
}

// --- configuration --------------------------------------------------------------------------

#[test]
fn check_is_silent_and_ends_with_0_when_all_is_well() {
    let output = House::new().run(&["--check"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn check_reports_every_mistake_and_ends_with_2() {
    let house = House::new();
    write(&house.path("c.toml"), "realmm = \"x\"\n[relay]\nports = \"9-1\"\n");
    let output = house.run(&["--config", "c.toml", "--check", "--set", "quota.bandwith=1"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "error: c.toml:1:1: realmm: unknown key; did you mean `realm`?\n\
         error: c.toml:3:9: relay.ports: 9 is above 1; write \"1-9\"\n\
         error: --set quota.bandwith: unknown key; did you mean `quota.bandwidth`?\n"
    );
}

#[test]
fn a_missing_configuration_file_is_named() {
    let sentence = House::new().refused(2, &["--config", "none.toml", "--check"]);
    assert_eq!(sentence, "error: none.toml: no such file; check the path");
}

#[test]
fn print_config_shows_what_counts_and_no_secret() {
    let house = House::new();
    let mut command = house.command(&["--print-config", "--secret", "hidden-word-in-a-flag"]);
    command.env("RELAYHOUSE_RELAY__PORTS", "50000-50099");
    command.env("RELAYHOUSE_AUTH__USERS", "alice = \"hidden-word\"");
    let output = command.output().expect("runs");
    let printed = text(&output.stdout);
    assert!(printed.contains("ports = \"50000-50099\"  # RELAYHOUSE_RELAY__PORTS"), "{printed}");
    assert!(printed.contains("secrets = [\"[redacted]\"]  # --secret"), "{printed}");
    assert!(!printed.contains("hidden-word"), "{printed}");
}

#[test]
fn print_defaults_prints_the_shipped_file() {
    let printed = text(&House::new().run(&["--print-defaults"]).stdout);
    assert_eq!(printed, include_str!("../config.toml"));
}

#[test]
fn the_configuration_file_can_be_named_by_the_environment() {
    let house = House::new();
    write(&house.path("c.toml"), "realm = \"by-variable\"\n");
    let output = house.command(&["--print-config"]).env("RELAYHOUSE_CONFIG", "c.toml").output();
    assert!(text(&output.expect("runs").stdout).contains("realm = \"by-variable\"  # c.toml:1:9"));
}

#[test]
fn wrong_usage_ends_with_2() {
    assert_eq!(House::new().run(&["--no-such-flag"]).status.code(), Some(2));
    assert_eq!(House::new().run(&["keys", "add", "--scope", "root"]).status.code(), Some(2));
}

// --- starts that fail -----------------------------------------------------------------------

const FREE: [&str; 4] = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];

#[test]
fn a_udp_port_in_use_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let house = House::new();
    let sentence = house.refused(1, &["--dev", "--listen", &address, "--http", "127.0.0.1:0"]);
    assert!(sentence.contains(&address) && sentence.contains("in use"), "{sentence}");
}

#[test]
fn an_http_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let house = House::new();
    let sentence = house.refused(1, &["--dev", "--listen", "127.0.0.1:0", "--http", &address]);
    assert!(sentence.contains(&address) && sentence.contains("--http"), "{sentence}");
}

#[test]
fn a_data_folder_that_cannot_be_made_is_named() {
    let house = House::new();
    write(&house.path("file"), "not a folder");
    let sentence = house.refused(1, &[&["--dev", "--data-dir", "file/data"], &FREE[..]].concat());
    assert!(sentence.contains("file/data") && sentence.contains("data_dir"), "{sentence}");
}

#[test]
fn a_second_instance_on_one_data_folder_is_refused() {
    let house = House::new();
    let running = house.start(&["--dev", "--data-dir", "data"]);
    let sentence = house.refused(1, &[&["--dev", "--data-dir", "data"], &FREE[..]].concat());
    let pid = running.child.id().to_string();
    assert!(sentence.contains("in use") && sentence.contains(&pid), "{sentence}");
}

#[test]
fn an_address_of_another_host_is_refused() {
    let house = House::new();
    let args = ["--listen", "203.0.113.77:3478", "--http", "127.0.0.1:0"];
    let sentence = house.refused(1, &args);
    assert!(sentence.contains("203.0.113.77"), "{sentence}");
    let sentence = house.refused(2, &[&["--relay-address", "203.0.113.77"], &FREE[..]].concat());
    assert!(sentence.contains("--relay-address: relay.addresses: 203.0.113.77"), "{sentence}");
}

// --- running --------------------------------------------------------------------------------

#[test]
fn it_says_ready_once_with_the_real_ports_and_stops_with_0() {
    let house = House::new();
    let mut running = house.start(&["--dev"]);
    let ready = running.log.last().expect("the line").clone();
    for field in ["udp", "http"] {
        let address = ready["fields"][field].as_str().expect("a text");
        let address: std::net::SocketAddr = address.parse().expect("an address");
        assert!(address.ip().is_loopback() && address.port() != 0, "{ready}");
    }
    running.signal("-TERM");
    running.wait_for("stopped");
    assert_eq!(running.wait(), Some(0));
    let readies = running.log.iter().filter(|line| line["fields"]["message"] == "ready");
    assert_eq!(readies.count(), 1);
}

#[test]
fn the_banner_has_the_page_and_servers_to_paste() {
    let house = House::new();
    let running = house.start(&["--dev"]);
    let http = running.log.last().expect("ready")["fields"]["http"].as_str().expect("text");
    let banner = std::fs::read_to_string(house.path("stdout")).expect("written");
    assert!(banner.contains(&format!("http://{http}/#creator=")), "{banner}");
    let servers = banner.split("\n\n").find(|part| part.starts_with('[')).expect("a JSON array");
    let servers: Value = serde_json::from_str(servers).expect("JSON");
    let udp = running.log.last().expect("ready")["fields"]["udp"].as_str().expect("text");
    assert_eq!(servers[0]["urls"][0], format!("stun:{udp}"));
    assert_eq!(servers[1]["urls"][0], format!("turn:{udp}?transport=udp"));
    assert!(servers[1]["username"].is_string() && servers[1]["credential"].is_string());
}

#[test]
fn dev_says_so_in_one_loud_line() {
    let running = House::new().start(&["--dev"]);
    let loud = running.log.iter().filter(|line| line["level"] == "WARN");
    assert_eq!(loud.filter(|line| line.to_string().contains("DEVELOPMENT MODE")).count(), 1);
}

#[test]
fn state_is_for_its_owner_alone() {
    let house = House::new();
    let _running = house.start(&["--dev", "--data-dir", "data"]);
    let mode = |name: &str| {
        let meta = std::fs::symlink_metadata(house.path(name)).expect("there");
        meta.permissions().mode() & 0o777
    };
    assert_eq!(mode("data"), 0o700);
    for file in ["data/control.sock", "data/lock"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[test]
fn keys_work_with_and_without_a_running_server() {
    let house = House::new();
    let list = || text(&house.run(&["keys", "list"]).stdout);
    let add = |name: &str| {
        let output = house.run(&["keys", "add", "--scope", "mint,rooms", "--name", name]);
        let key = text(&output.stdout);
        assert!(key.starts_with("rk_") && key.lines().count() == 1, "{key}");
    };
    add("before");
    {
        let mut running = house.start(&["--dev"]);
        add("during");
        running.signal("-TERM");
        assert_eq!(running.wait(), Some(0));
    }
    let listed = list();
    assert!(listed.contains("before") && listed.contains("during"), "{listed}");
    let line = listed.lines().find(|line| line.ends_with("before")).expect("listed");
    let id = line.split(' ').next().expect("an id");
    assert!(house.run(&["keys", "revoke", id]).status.success());
    assert!(!list().contains("before"));
    let again = house.refused(1, &["keys", "revoke", id]);
    assert!(again.contains("there is no key"), "{again}");
}

#[test]
fn a_credential_of_a_running_server_is_signed_by_its_secret() {
    let house = House::new();
    let _running = house.start(&["--dev", "--secret", "north-north-north"]);
    let output = house.run(&["credentials", "--user", "ann", "--ttl", "1h", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let username = answer["username"].as_str().expect("text");
    let (expires, subject) = username.split_once(':').expect("expiry and name");
    assert_eq!((subject, &answer["ttl"]), ("ann", &Value::from(3600)));
    let minted = relayhouse::creds::rest::mint(
        &"north-north-north".into(),
        "ann",
        relayhouse::time::UnixTime(expires.parse().expect("seconds")),
        ':',
    );
    assert_eq!(answer["credential"], minted.expect("a credential").credential);
    assert_eq!(answer["iceServers"][1]["username"], username);
}

#[test]
fn a_configured_secret_needs_no_data_folder() {
    let house = House::new();
    let output = house.run(&["credentials", "--secret", "north-north-north"]);
    assert!(text(&output.stdout).starts_with("username:   "));
    assert!(!house.path("data").exists(), "nothing was made");
}

#[test]
fn a_link_may_make_rooms() {
    let house = House::new();
    let running = house.start(&["--dev"]);
    let http = running.log.last().expect("ready")["fields"]["http"].as_str().expect("text");
    let link = text(&house.run(&["link"]).stdout);
    assert!(link.starts_with(&format!("http://{http}/#creator=")), "{link}");
}

#[test]
fn sighup_applies_what_it_can_and_names_what_needs_a_restart() {
    let house = House::new();
    write(&house.path("c.toml"), "[log]\nlevel = \"info\"\n");
    let mut running = house.start(&["--dev", "--config", "c.toml"]);
    write(&house.path("c.toml"), "realm = \"other\"\n[quota]\nallocations = 3\n");
    running.signal("-HUP");
    let reloaded = running.wait_for("configuration reloaded");
    assert_eq!(reloaded["fields"]["applied"], "quota.allocations");
    let restart = running.wait_for("these keys have changed but count only after a restart");
    assert_eq!(restart["fields"]["keys"], "realm");
}

#[test]
fn sighup_with_a_broken_file_keeps_everything_and_says_why() {
    let house = House::new();
    write(&house.path("c.toml"), "");
    let mut running = house.start(&["--dev", "--config", "c.toml"]);
    write(&house.path("c.toml"), "[quota]\nallocation = 3\n");
    running.signal("-HUP");
    let refused = running.wait_for("the configuration stays as it was");
    let problem = refused["fields"]["problem"].as_str().expect("text");
    assert!(problem.starts_with("c.toml:2:1: quota.allocation: unknown key"), "{problem}");
    running.signal("-TERM");
    assert_eq!(running.wait(), Some(0));
}

#[test]
fn the_control_socket_answers_nonsense_with_a_sentence() {
    use std::io::{Read, Write};
    let house = House::new();
    let _running = house.start(&["--dev", "--data-dir", "data"]);
    let socket = std::os::unix::net::UnixStream::connect(house.path("data/control.sock"));
    let mut socket = socket.expect("connects");
    socket.write_all(b"{\"command\":\"format_disk\"}\n").expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("answered");
    assert!(answer.starts_with("{\"error\":\"this is no request"), "{answer}");
}
