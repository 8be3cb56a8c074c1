//! People on the running program: the commands beside a server and without one, what survives SIGKILL,
//! and what the log says.

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use support::http::{get, post};
use support::server::{BINARY, Server, Start, clean_environment};

const PASSWORD: &str = "correct horse";

/// Runs `relayhouse` on this data folder with `input` on its standard input.
fn relayhouse(data: &Path, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(BINARY);
    clean_environment(&mut command);
    command.args(args).arg("--data-dir").arg(data);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

#[track_caller]
fn good(data: &Path, args: &[&str], input: &str) -> String {
    let output = relayhouse(data, args, input);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).expect("text")
}

/// The sentence of a command that is refused.
#[track_caller]
fn bad(data: &Path, args: &[&str], input: &str) -> String {
    let output = relayhouse(data, args, input);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{args:?}: {:?}", output.status);
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).expect("text")
}

fn add(data: &Path, name: &str) {
    good(data, &["users", "add", name, "--password-stdin"], PASSWORD);
}

fn users(data: &Path) -> Value {
    let text = good(data, &["users", "list", "--json"], "");
    serde_json::from_str(&text).expect("JSON")
}

fn login(server: &Server, name: &str, password: &str) -> support::http::Answer {
    let body = json!({"username": name, "password": password});
    post(&server.url("/api/v1/auth/login"), None, &body)
}

fn refresh(server: &Server, session: &Value) -> support::http::Answer {
    let body = json!({"refreshToken": session["refreshToken"]});
    post(&server.url("/api/v1/auth/refresh"), None, &body)
}

fn me(server: &Server, session: &Value) -> u16 {
    get(&server.url("/api/v1/auth/me"), session["accessToken"].as_str()).status
}

#[test]
fn people_are_kept_without_a_server_and_changed_beside_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    good(
        data,
        &["users", "add", "Alice", "--role", "admin", "--password-stdin"],
        "correct horse\n",
    );
    let listed = good(data, &["users", "list"], "");
    assert!(listed.lines().any(|line| line.starts_with("alice ") && line.contains("admin")));

    let server = Start::default().closed().data_dir(data).start();
    let alice = login(&server, "ALICE", PASSWORD).expect(200).json;
    assert_eq!(alice["user"]["role"], "admin");
    add(data, "bob");
    let bob = login(&server, "bob", PASSWORD).expect(200).json;
    good(data, &["users", "change", "bob", "--role", "admin", "--email", "bob@example.org"], "");
    assert_eq!(me(&server, &bob), 401);
    let bob = login(&server, "bob", PASSWORD).expect(200).json;
    assert_eq!(bob["user"], json!({"name": "bob", "role": "admin", "email": "bob@example.org"}));

    good(data, &["users", "deactivate", "bob"], "");
    assert_eq!(me(&server, &bob), 401);
    assert_eq!(login(&server, "bob", PASSWORD).status, 401);
    good(data, &["users", "activate", "bob"], "");
    let file = folder.path().join("password");
    std::fs::write(&file, "another horse\r\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    good(data, &["users", "passwd", "bob", "--password-file", file], "");
    assert_eq!(login(&server, "bob", PASSWORD).status, 401);
    login(&server, "bob", "another horse").expect(200);

    good(data, &["users", "remove", "bob"], "");
    assert_eq!(login(&server, "bob", "another horse").status, 401);
    assert_eq!(me(&server, &alice), 200);
    drop(server);
    assert_eq!(users(data)["users"].as_array().map(Vec::len), Some(1));
}

#[test]
fn passwords_are_never_arguments_and_nobody_is_asked_without_a_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let said = bad(data, &["users", "add", "alice"], "");
    assert!(said.contains("--password-file") && said.contains("--password-stdin"), "{said}");
    bad(data, &["users", "add", "alice", PASSWORD], "");
    bad(data, &["users", "add", "alice", "--password", PASSWORD], "");
    for (password, why) in [("short", "8 characters"), ("", "one line"), ("two\nlines", "one line")]
    {
        let said = bad(data, &["users", "add", "alice", "--password-stdin"], password);
        assert!(said.contains(why), "{said}");
    }
    let said = bad(data, &["users", "add", "key-x", "--password-stdin"], PASSWORD);
    assert!(said.contains("taken by the server"), "{said}");
    add(data, "alice");
    let said = bad(data, &["users", "add", "Alice", "--password-stdin"], PASSWORD);
    assert!(said.contains("already"), "{said}");
    for args in [&["users", "passwd", "bob", "--password-stdin"][..], &["users", "remove", "bob"]] {
        let said = bad(data, args, PASSWORD);
        assert!(said.contains("no user \"bob\""), "{said}");
    }
}

#[test]
fn an_import_is_all_or_nothing_beside_a_server_too() {
    let server = Start::default().closed().start();
    let data = server.data_dir().to_owned();
    add(&data, "alice");
    let session = login(&server, "alice", PASSWORD).expect(200).json;
    let list = "username,password,password_hash,role,email\n\
                bert,,$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie,,\n\
                Alice,another horse,,admin,alice@example.org\n";
    let said = bad(&data, &["users", "import", "-"], &list.replace("$2b$04", "$9z$04"));
    assert!(said.contains("standard input:2: "), "{said}");
    let said = bad(&data, &["users", "import", "-"], list);
    assert!(said.contains("\"alice\"") && said.contains("--update"), "{said}");
    assert_eq!(users(&data)["users"].as_array().map(Vec::len), Some(1));
    assert_eq!(me(&server, &session), 200);

    let done = good(&data, &["users", "import", "--update", "-"], list);
    assert_eq!(done, "1 added, 1 updated\n");
    assert_eq!(me(&server, &session), 401);
    login(&server, "alice", "another horse").expect(200);
    login(&server, "bert", "correctbatteryhorsestapler").expect(200);
}

#[test]
fn a_key_that_is_there_already_is_taken_from_a_file_or_a_pipe() {
    let server = Start::default().closed().start();
    let data = server.data_dir();
    let key = format!("rk_{}", "k".repeat(43));
    let args = ["keys", "add", "--scope", "mint", "--key-file", "-"];
    let said = good(data, &args, &format!("{key}\n"));
    assert!(said.starts_with("added ") && !said.contains(&key), "{said}");
    get(&server.url("/api/v1/ice"), Some(&key)).expect(200);
    assert!(bad(data, &args, "rk_short").contains("32 to 128"));
    assert!(bad(data, &args, &key).contains("already"));
}

#[test]
fn people_and_sessions_survive_a_kill_and_what_ended_stays_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let mut server = Start::default().closed().data_dir(data).start();
    for name in ["alice", "bob", "carol"] {
        add(data, name);
    }
    let alice = login(&server, "alice", PASSWORD).expect(200).json;
    let next = refresh(&server, &alice).expect(200).json;
    let over = login(&server, "alice", PASSWORD).expect(200).json;
    let bob = login(&server, "bob", PASSWORD).expect(200).json;
    let out = post(&server.url("/api/v1/auth/logout"), over["accessToken"].as_str(), &json!({}));
    assert_eq!(out.status, 204);
    good(data, &["users", "remove", "bob"], "");
    good(data, &["users", "passwd", "carol", "--password-stdin"], "another horse");
    server.kill();

    let server = Start::default().closed().data_dir(data).start();
    assert_eq!([me(&server, &next), me(&server, &over), me(&server, &bob)], [200, 401, 401]);
    assert_eq!([refresh(&server, &over).status, refresh(&server, &bob).status], [401, 401]);
    let last = refresh(&server, &next).expect(200).json;
    assert_eq!(me(&server, &last), 200);
    assert_eq!(login(&server, "bob", PASSWORD).status, 401);
    assert_eq!(login(&server, "carol", PASSWORD).status, 401);
    login(&server, "carol", "another horse").expect(200);
    // The first refresh token was used before the kill: it ends the session after it, too.
    assert_eq!(refresh(&server, &alice).status, 401);
    assert_eq!(me(&server, &last), 401);
}

#[test]
fn a_failed_login_is_logged_with_the_address_and_never_with_the_password() {
    let server = Start::default().closed().start();
    add(server.data_dir(), "alice");
    let session = login(&server, "alice", PASSWORD).expect(200).json;
    assert_eq!(login(&server, "alice", "wrong horse battery").status, 401);
    assert_eq!(login(&server, "hunter2-in-the-wrong-field", "x").status, 401);
    let refused = |line: &str, why: &str| {
        line.contains("refused a login")
            && line.contains("\"client\":\"127.0.0.1\"")
            && line.contains(why)
    };
    let soon = Duration::from_secs(10);
    server.wait_for_line(soon, "a wrong password", |line| refused(line, "wrong password"));
    server.wait_for_line(soon, "an unknown user", |line| refused(line, "no such user"));
    let log = server.text();
    let secrets =
        ["accessToken", "refreshToken"].map(|name| session[name].as_str().expect("a text"));
    for secret in [PASSWORD, "wrong horse", "hunter2", "$argon2id$", secrets[0], secrets[1]] {
        assert!(!log.contains(secret), "{secret:?} stands in the log");
    }
}

#[test]
fn the_banner_says_how_the_first_person_gets_in_until_there_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let hint = |line: &str| line.contains("relayhouse users add --role admin");
    let server = Start::default().closed().data_dir(folder.path()).start();
    server.wait_for_line(Duration::from_secs(10), "the first user", hint);
    drop(server);
    add(folder.path(), "alice");
    let server = Start::default().closed().data_dir(folder.path()).start();
    let last = |line: &str| line.contains("Let through the firewall");
    server.wait_for_line(Duration::from_secs(10), "the banner", last);
    assert!(!server.text().lines().any(hint));
}
