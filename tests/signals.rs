//! What an operator's signals do: SIGTERM ends the program, SIGHUP reloads it and ends nobody's call.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::credentials::Credential;
use support::http;
use support::server::{Server, Start};
use support::turn_client::TurnClient;

const SOON: Duration = Duration::from_secs(10);

fn allocated(server: &Server, secret: &str) -> TurnClient {
    let mut client = TurnClient::new(server.udp(), Credential::fresh(secret, "ann"));
    client.allocate().unwrap_or_else(|refused| panic!("{refused:?}\n{}", server.text()));
    client
}

#[test]
fn sigterm_ends_the_program_with_success() {
    let mut server = Server::dev();
    server.signal("TERM");
    assert_eq!(server.wait_for_exit(SOON).code(), Some(0), "{}", server.text());
}

#[test]
fn sigterm_ends_it_while_allocations_are_open() {
    let mut server = Start::default().arg("--secret").arg("north").start();
    let _client = allocated(&server, "north");
    server.signal("TERM");
    assert_eq!(server.wait_for_exit(SOON).code(), Some(0), "{}", server.text());
}

#[test]
fn a_second_sigterm_ends_it_at_once() {
    let mut server = Start::default().arg("--secret").arg("north").start();
    let _client = allocated(&server, "north");
    server.signal("TERM");
    std::thread::sleep(Duration::from_millis(50));
    if server.is_running() {
        server.signal("TERM");
    }
    let asked = Instant::now();
    server.wait_for_exit(SOON);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[test]
fn the_port_is_free_again_after_sigterm() {
    let mut server = Server::dev();
    let (udp, http) = (server.udp(), server.http_address());
    server.signal("TERM");
    server.wait_for_exit(SOON);
    Start::default().listen(&[udp]).http(&[http]).start();
}

fn write_secrets(file: &Path, secrets: &str) {
    std::fs::write(file, format!("[auth]\nsecrets = {secrets}\n")).expect("written");
}

/// A server with a config file that names one secret, `north`.
fn with_file(file: &Path) -> Server {
    write_secrets(file, r#"["north"]"#);
    Start::default().arg("--config").arg(file.to_str().expect("UTF-8")).start()
}

/// Waits until a fresh Allocate with this secret works, or does not.
fn until_accepted(server: &Server, secret: &str, accepted: bool) {
    let deadline = Instant::now() + SOON;
    loop {
        let mut client = TurnClient::new(server.udp(), Credential::fresh(secret, "bob"));
        match client.allocate() {
            Ok(_) if accepted => return,
            Err(refused) if !accepted => return assert_eq!(refused.code, 401),
            _ => {}
        }
        assert!(Instant::now() < deadline, "{secret}: never {accepted}\n{}", server.text());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn sighup_rotates_the_secret_and_keeps_the_allocations() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.toml");
    let server = with_file(&file);
    let (mut one, mut two) = (allocated(&server, "north"), allocated(&server, "north"));
    let (a, b) = (one.relayed.expect("relayed"), two.relayed.expect("relayed"));
    one.bind_channel(0x4000, b).expect("bound");
    two.bind_channel(0x4000, a).expect("bound");

    write_secrets(&file, r#"["south"]"#);
    server.signal("HUP");
    until_accepted(&server, "south", true);
    until_accepted(&server, "north", false);

    one.send_channel(0x4000, b"still here");
    assert_eq!(two.receive_channel(SOON), Some((0x4000, b"still here".to_vec())));
    assert!(one.refresh(600).expect("an allocation outlives its secret") >= 600);
    one.permit(b).expect("and may still ask for permissions");
    assert_eq!(one.refresh(0), Ok(0));
    // Without an allocation the old credential is looked at like any other.
    assert_eq!(one.refresh(600).expect_err("it is gone now").code, 401);
}

#[test]
fn sighup_with_a_broken_file_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.toml");
    let mut server = with_file(&file);
    std::fs::write(&file, "[auth]\nsecretz = [\"south\"]\n").expect("written");
    server.signal("HUP");
    server.wait_for_line(SOON, "the unknown key", |line| line.contains("secretz"));
    assert!(server.is_running());
    until_accepted(&server, "north", true);
    http::get(&server.url("/readyz"), None).expect(200);
}

#[test]
fn sighup_without_a_file_is_harmless() {
    let mut server = Start::default().arg("--secret").arg("north").start();
    let mut client = allocated(&server, "north");
    server.signal("HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert!(server.is_running(), "{}", server.text());
    assert!(client.refresh(600).is_ok());
}
