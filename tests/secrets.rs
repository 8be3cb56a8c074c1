//! Secrets from an operator's side: rotated while calls run, listed, added, removed; and what becomes of
//! the credentials made with them.

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use relayhouse::store::{SECRET_MEMORY, SecretOrigin, SecretRecord, Store};
use serde_json::Value;
use support::credentials::{Credential, unix_now};
use support::http;
use support::server::{BINARY, Server, Start, clean_environment, message};
use support::turn_client::TurnClient;

const SOON: Duration = Duration::from_secs(20);

/// Runs `relayhouse … --data-dir folder`, with this on standard input; stdout and stderr.
fn command(folder: &Path, args: &[&str], input: &str) -> (bool, String, String) {
    let mut command = Command::new(BINARY);
    command.args(args).arg("--data-dir").arg(folder).current_dir(folder);
    clean_environment(&mut command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let ended = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (ended.status.success(), text(ended.stdout), text(ended.stderr))
}

/// What a command that must succeed prints.
#[track_caller]
fn secret(folder: &Path, args: &[&str]) -> String {
    let (fine, stdout, stderr) = command(folder, &[&["secret"], args].concat(), "");
    assert!(fine, "{args:?}: {stdout}{stderr}");
    stdout
}

/// The sentence of a command that must fail.
#[track_caller]
fn refused(folder: &Path, args: &[&str]) -> String {
    let (fine, stdout, stderr) = command(folder, &[&["secret"], args].concat(), "");
    assert!(!fine, "{args:?}: {stdout}");
    stderr
}

fn list(folder: &Path) -> Vec<Value> {
    let answer: Value = serde_json::from_str(&secret(folder, &["list", "--json"])).expect("JSON");
    answer["secrets"].as_array().expect("a list").clone()
}

/// State by state.
fn states(folder: &Path) -> Vec<String> {
    let state = |secret: &Value| secret["state"].as_str().expect("a state").to_owned();
    list(folder).iter().map(state).collect()
}

fn server(folder: &Path) -> Server {
    Start::default().data_dir(folder).start()
}

/// A credential from `GET /api/v1/ice`.
fn minted(server: &Server, query: &str) -> Credential {
    let answer = http::get(&server.url(&format!("/api/v1/ice{query}")), None).expect(200);
    let servers = answer.json["iceServers"].as_array().expect("a list").clone();
    let entry = servers.iter().find(|entry| entry["username"].is_string()).expect("a TURN entry");
    let text = |name: &str| entry[name].as_str().expect("a text").to_owned();
    Credential { username: text("username"), password: text("credential") }
}

fn allocates(server: &Server, credential: &Credential) -> Result<TurnClient, u16> {
    let mut client = TurnClient::new(server.udp(), credential.clone());
    client.allocate().map(|_| ()).map_err(|refused| refused.code)?;
    Ok(client)
}

/// Waits until it is refused, and says with which code.
fn until_refused(server: &Server, credential: &Credential) -> u16 {
    let deadline = Instant::now() + SOON;
    loop {
        match allocates(server, credential) {
            Err(code) => return code,
            Ok(mut client) => drop(client.refresh(0)),
        }
        assert!(Instant::now() < deadline, "never refused\n{}", server.text());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The reason that stands in the log of the last refusal.
fn why(server: &Server) -> String {
    let deadline = Instant::now() + SOON;
    loop {
        let log = server.log();
        let last = log.iter().rev().find(|line| message(line) == Some("request refused"));
        if let Some(line) = last {
            return line["fields"]["why"].as_str().expect("a reason").to_owned();
        }
        assert!(Instant::now() < deadline, "{}", server.text());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn credentials_of_the_old_secret_are_good_during_the_overlap_and_refused_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path());
    let old = minted(&server, "");
    let before = list(folder.path())[0]["id"].as_str().expect("an id").to_owned();
    let mut call = allocates(&server, &old).expect("the old one is new");

    let told = secret(folder.path(), &["rotate", "--overlap", "3s"]);
    assert!(told.contains(&format!("{before} is accepted for 3s more")), "{told}");
    let rotated = Instant::now();
    assert!(allocates(&server, &old).is_ok() || rotated.elapsed() >= Duration::from_secs(3));
    let new = minted(&server, "");
    assert!(allocates(&server, &new).is_ok(), "{}", server.text());

    assert_eq!(until_refused(&server, &old), 401);
    assert!(rotated.elapsed() >= Duration::from_secs(3));
    let why = why(&server);
    let (sentence, rest) = why.split_once(", which ended ").expect("the end of the secret");
    assert_eq!(sentence, format!("made with the secret {before}"));
    assert!(rest.ends_with(" s ago; whoever mints needs the new one"), "{why}");
    assert!(allocates(&server, &new).is_ok(), "the new one mints on");
    assert!(call.refresh(600).is_ok(), "a running allocation outlives its secret");
    assert_eq!(states(folder.path()), ["mints", "ended"]);
    let ended = |line: &str| line.contains("a secret has ended") && line.contains(&before);
    server.wait_for_line(SOON, "the end of the secret", ended);
    assert!(
        !server.text().contains(secret(folder.path(), &["show"]).trim()),
        "no secret is logged"
    );
}

#[test]
fn a_running_server_forgets_a_secret_that_ended_long_ago() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = server(folder.path());
    first.signal("TERM");
    first.wait_for_exit(SOON);
    let (over, ago) = ("an old secret", 2 * SECRET_MEMORY.as_secs());
    let store = Store::open(folder.path()).expect("free");
    let old = SecretRecord {
        secret: over.into(),
        origin: SecretOrigin::Added,
        created: 1,
        until: Some(unix_now() - ago),
    };
    let id = old.secret.id().to_string();
    store.secrets().accept(old).wait().expect("stored");
    drop(store);

    let server = server(folder.path());
    let forgotten =
        |line: &str| line.contains("an ended secret is forgotten") && line.contains(&id);
    server.wait_for_line(SOON, "what is forgotten", forgotten);
    assert_eq!(states(folder.path()), ["mints"]);
    assert_eq!(allocates(&server, &Credential::fresh(over, "ann")).err(), Some(401));
    assert!(allocates(&server, &minted(&server, "")).is_ok(), "{}", server.text());
}

#[test]
fn without_an_overlap_the_old_secret_is_good_for_an_hour_longer_than_any_credential() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = secret(folder.path(), &["rotate", "--set", "auth.credential_ttl=10h"]);
    assert!(told.contains(" is accepted for 11h more, until "), "{told}");
    let old = &list(folder.path())[1];
    let (made, until) = (old["created"].as_u64().unwrap(), old["until"].as_u64().unwrap());
    assert!(until.abs_diff(made + 11 * 3600) < 20, "{old}");
    assert_eq!(old["state"], "retiring");
}

#[test]
fn a_rotation_survives_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = server(folder.path());
    let old = minted(&first, "");
    secret(folder.path(), &["rotate", "--overlap", "1h"]);
    let new = minted(&first, "");
    let before = list(folder.path());
    first.kill();

    let second = server(folder.path());
    let ids = |secrets: &[Value]| secrets.iter().map(|s| s["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&list(folder.path())), ids(&before));
    for credential in [&old, &new] {
        assert!(allocates(&second, credential).is_ok(), "{}", second.text());
    }
    let minting = secret(folder.path(), &["show"]);
    let by_hand = Credential::fresh(minting.trim(), "ann");
    assert!(allocates(&second, &by_hand).is_ok(), "what is shown is what mints");
    let username = minted(&second, "").username;
    assert_eq!(minted_with(&username, minting.trim()), minted(&second, "").password);
}

/// The password of a username, from the draft alone.
fn minted_with(username: &str, secret: &str) -> String {
    Credential::signed(secret, username).password
}

#[test]
fn the_list_says_when_each_was_used_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = server(folder.path());
    assert_eq!(list(folder.path())[0]["lastUsed"], Value::Null);
    let begun = unix_now();
    let old = minted(&first, "");
    allocates(&first, &old).expect("good");
    allocates(&first, &old).expect("good");
    wait_for_uses(folder.path(), 0, 2);
    secret(folder.path(), &["rotate"]);
    allocates(&first, &minted(&first, "")).expect("good");
    wait_for_uses(folder.path(), 0, 1);
    first.signal("TERM");
    first.wait_for_exit(SOON);

    let used = list(folder.path());
    assert_eq!((&used[0]["opened"], &used[1]["opened"]), (&1.into(), &2.into()));
    for secret in &used {
        let last = secret["lastUsed"].as_u64().expect("a time");
        assert!((begun..=unix_now()).contains(&last), "{secret}");
    }
    let second = server(folder.path());
    allocates(&second, &old).expect("within the overlap");
    wait_for_uses(folder.path(), 1, 3);
    let table = secret(folder.path(), &["list"]);
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert!(rows[1].contains(" mints ") && rows[2].contains(" retiring until 20"), "{table}");
}

/// Events come to the log's thread a moment later.
fn wait_for_uses(folder: &Path, place: usize, count: u64) {
    let deadline = Instant::now() + SOON;
    while list(folder)[place]["opened"] != count {
        assert!(Instant::now() < deadline, "{:?}", list(folder));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The commands that docs/credentials.md gives to programs with the secret.
#[test]
fn a_credential_signed_by_openssl_as_the_manual_says_opens_an_allocation() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path());
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/credentials.md");
    let manual = std::fs::read_to_string(manual).expect("the page");
    let lines = manual.lines().filter(|line| {
        ["SECRET=", "USERNAME=", "CREDENTIAL="].iter().any(|begin| line.starts_with(begin))
    });
    let script: Vec<_> = lines.collect();
    let script = format!("{}\nprintf '%s\\n%s' \"$USERNAME\" \"$CREDENTIAL\"", script.join("\n"));
    let bin = Path::new(BINARY).parent().expect("a folder").display();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    clean_environment(&mut bash);
    bash.args(["-euo", "pipefail", "-c", &script]).env("PATH", path);
    let made = bash.env("RELAYHOUSE_DATA_DIR", folder.path()).output().expect("bash runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made = String::from_utf8(made.stdout).expect("UTF-8");
    let (username, password) = made.split_once('\n').expect("two lines");
    assert!(username.ends_with(":alice"), "{made}");
    let credential = Credential::of_user(username, password.trim());
    assert!(allocates(&server, &credential).is_ok(), "{}", server.text());
}

#[test]
fn a_secret_of_another_program_is_added_from_standard_input_and_taken_out_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path());
    let theirs = Credential::fresh("a secret of theirs", "ann");
    assert_eq!(allocates(&server, &theirs).err(), Some(401));
    let (fine, stdout, stderr) = command(folder.path(), &["secret", "add"], "a secret of theirs\n");
    assert!(fine, "{stdout}{stderr}");
    let id = stdout.split(' ').next().expect("an id").to_owned();
    assert!(allocates(&server, &theirs).is_ok(), "{}", server.text());
    assert_eq!(states(folder.path()), ["mints", "accepted"]);
    assert!(!stdout.contains("theirs") && !server.text().contains("theirs"));

    secret(folder.path(), &["remove", &id]);
    assert_eq!(allocates(&server, &theirs).err(), Some(401));
    assert_eq!(states(folder.path()), ["mints"]);
}

#[test]
fn a_secret_can_be_added_from_a_file_and_for_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("theirs");
    std::fs::write(&file, "a secret of theirs\r\n").expect("written");
    let told = secret(folder.path(), &["add", "--file", "theirs", "--for", "30d"]);
    assert!(told.contains(" is accepted until 20"), "{told}");
    assert_eq!(states(folder.path()), ["mints", "retiring"]);
    let id = told.split(' ').next().expect("an id");
    assert_eq!(secret(folder.path(), &["show", id]), "a secret of theirs\n");
    let (_, told, _) = command(folder.path(), &["secret", "add"], "short");
    assert!(told.contains("can be guessed"), "{told}");
    assert!(refused(folder.path(), &["add", "--file", "theirs"]).contains("is there already"));
    assert!(refused(folder.path(), &["add"]).contains("standard input must be one line"));
}

#[test]
fn the_secret_that_mints_is_not_removed_but_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path());
    let old = minted(&server, "");
    let id = list(folder.path())[0]["id"].as_str().expect("an id").to_owned();
    let sentence = refused(folder.path(), &["remove", &id]);
    assert!(sentence.contains("`relayhouse secret rotate` puts another"), "{sentence}");
    let told = secret(folder.path(), &["rotate", "--overlap", "0s"]);
    assert!(told.contains(&format!("{id} is refused")), "{told}");
    assert_eq!(allocates(&server, &old).err(), Some(401), "in this very second");
    secret(folder.path(), &["remove", &id]);
    assert_eq!(allocates(&server, &old).err(), Some(401));
    server.wait_for_line(SOON, "why", |line| line.contains("wrong: the secret does not match"));
    assert!(refused(folder.path(), &["remove", &id]).contains("there is no secret"));
}

#[test]
fn secrets_of_the_configuration_take_the_place_of_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let generated = list(folder.path())[0]["id"].as_str().expect("an id").to_owned();
    let configured = ["--set", r#"auth.secrets=["north","south"]"#];
    let server = Start::default()
        .data_dir(folder.path())
        .set("auth.secrets", r#"["north","south"]"#)
        .start();
    allocates(&server, &Credential::fresh("south", "ann")).expect("accepted");
    let deadline = Instant::now() + SOON;
    loop {
        let (fine, stdout, stderr) =
            command(folder.path(), &[&["secret", "list"], &configured[..]].concat(), "");
        assert!(fine, "{stdout}{stderr}");
        let rows: Vec<_> = stdout.lines().skip(1).map(str::to_owned).collect();
        assert_eq!(rows.len(), 3, "{stdout}");
        assert!(rows[0].contains(" configured ") && rows[0].contains(" mints "), "{stdout}");
        assert!(rows[1].contains(" accepted "), "{stdout}");
        assert!(rows[2].starts_with(&generated) && rows[2].contains(" unused "), "{stdout}");
        if rows[1].ends_with(" 1") {
            break;
        }
        assert!(Instant::now() < deadline, "{stdout}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let sentence = refused(folder.path(), &["rotate"]);
    assert!(sentence.contains("auth.secrets in the configuration decides"), "{sentence}");
}

#[test]
fn a_credential_for_one_session_is_refused_the_second_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path());
    let once = minted(&server, "?allocations=1");
    let mut call = allocates(&server, &once).expect("the first time");
    assert_eq!(allocates(&server, &once).err(), Some(486));
    assert_eq!(why(&server), "the credential is used up: it was minted for one allocation");
    assert!(call.refresh(600).is_ok(), "what it opened lives on");
    assert_eq!(call.refresh(0), Ok(0));
    assert_eq!(allocates(&server, &once).err(), Some(486), "and is not given back");

    let session = minted(&server, "?sessions=1");
    let browser: Vec<_> = (0..3).map(|_| allocates(&server, &session).is_ok()).collect();
    assert_eq!(browser, [true; 3], "what a browser opens at once is one session");
}

#[test]
fn an_api_key_that_asks_too_often_is_told_to_wait_and_counted() {
    let server = Start::default()
        .set("limits.ice_per_minute_and_address", "2")
        .set("limits.ice_per_minute_and_key", "3")
        .start();
    let key = {
        let (fine, stdout, stderr) =
            command(server.data_dir(), &["keys", "add", "--scope", "mint"], "");
        assert!(fine, "{stderr}");
        stdout.trim().to_owned()
    };
    let ask = |key: Option<&str>| http::get(&server.url("/api/v1/ice"), key);
    let anybody: Vec<_> = (0..3).map(|_| ask(None).status).collect();
    assert_eq!(anybody, [200, 200, 429]);
    let application: Vec<_> = (0..4).map(|_| ask(Some(&key)).status).collect();
    assert_eq!(application, [200, 200, 200, 429]);
    assert_eq!(ask(Some(&key)).expect(429).error_code(), "rate_limited");
    let metrics = http::get(&server.url("/metrics"), None).expect(200).body;
    for line in [
        "relayhouse_ice_minted_total 5",
        "relayhouse_ice_refused_total{by=\"key\"} 2",
        "relayhouse_ice_refused_total{by=\"address\"} 1",
    ] {
        assert!(metrics.lines().any(|there| there == line), "{line}\n{metrics}");
    }
}

#[test]
fn an_applications_users_have_a_quota_each() {
    let server = Start::default().set("quota.allocations_per_user", "1").start();
    let (_, key, _) = command(server.data_dir(), &["keys", "add", "--scope", "mint"], "");
    let of = |subject: &str| {
        let url = server.url(&format!("/api/v1/ice?subject={subject}"));
        let answer = http::get(&url, Some(key.trim())).expect(200);
        let entry = &answer.json["iceServers"][1];
        let text = |name: &str| entry[name].as_str().expect("a text").to_owned();
        Credential { username: text("username"), password: text("credential") }
    };
    let _ann = allocates(&server, &of("ann")).expect("ann's first");
    assert_eq!(allocates(&server, &of("ann")).err(), Some(486));
    assert!(allocates(&server, &of("bob")).is_ok());
}
