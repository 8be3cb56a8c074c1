//! The configuration from outside: what is refused and with which words, and which source wins.

use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use relayhouse::app::config::{Config, Flag, Sources, from_text, load};

#[path = "fuzz_bodies/config.rs"]
mod fuzz_body;

const SHIPPED: &str = include_str!("../config.toml");

/// What is wrong with `text` as the file `c.toml`, a line each.
fn complaints(text: &str) -> Vec<String> {
    match from_text("c.toml", text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    assert_eq!(complaints(text), expected, "for {text:?}");
}

/// A file in a folder that lives as long as the value.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.toml");
    std::fs::write(&path, text).expect("written");
    (folder, path)
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn from_environment(pairs: &[(&str, &str)]) -> Result<Config, String> {
    let sources = Sources { environment: environment(pairs), ..Sources::default() };
    load(&sources).map(|loaded| loaded.config).map_err(|problems| problems.to_string())
}

fn from_flags(set: &[&str]) -> Result<Config, String> {
    let set = set.iter().map(|text| (*text).to_owned()).collect();
    let loaded = load(&Sources { set, ..Sources::default() });
    loaded.map(|loaded| loaded.config).map_err(|problems| problems.to_string())
}

// --- what is refused ------------------------------------------------------------------------

#[test]
fn a_bogus_key_in_any_table_is_refused_at_its_place() {
    let headers: Vec<_> =
        SHIPPED.lines().enumerate().filter(|(_, line)| line.starts_with('[')).collect();
    assert_eq!(headers.len(), 13, "one header per section");
    for (index, header) in headers {
        let mut lines: Vec<_> = SHIPPED.lines().collect();
        lines.insert(index + 1, "  bogus = 1");
        let section = header.trim_matches(['[', ']']);
        let complaint = complaints(&lines.join("\n"));
        assert_eq!(complaint.len(), 1, "{complaint:?}");
        let start = format!("c.toml:{}:3: {section}.bogus: unknown key", index + 2);
        assert!(complaint[0].starts_with(&start), "{complaint:?}");
    }
    refused("bogus = 1\n", &["c.toml:1:1: bogus: unknown key; `config.toml` has them all"]);
}

#[test]
fn a_typo_in_any_key_is_answered_with_the_key() {
    let mut section = String::new();
    for line in SHIPPED.lines() {
        if line.starts_with('[') {
            section = format!("{line}\n");
        }
        let Some((key, value)) = line.split_once(" = ").filter(|(key, _)| !key.starts_with('#'))
        else {
            continue;
        };
        let complaint = complaints(&format!("{section}{key}x = {value}\n"));
        let meant = format!("did you mean `{}`?", qualified(&section, key));
        assert!(complaint.len() == 1 && complaint[0].contains(&meant), "{key}: {complaint:?}");
    }
}

fn qualified(section: &str, key: &str) -> String {
    match section.trim().trim_matches(['[', ']']) {
        "" => key.to_owned(),
        section => format!("{section}.{key}"),
    }
}

#[test]
fn an_unknown_section_is_answered_with_the_nearest() {
    refused(
        "[relays]\nports = 1\n",
        &["c.toml:1:2: relays: unknown section; did you mean [relay]?"],
    );
    refused("relay = 5\n", &["c.toml:1:1: relay: is a section; write [relay] and its keys below"]);
}

#[test]
fn a_key_in_the_wrong_section_is_answered_with_the_right_one() {
    refused(
        "[relay]\nallocations = 5\n",
        &["c.toml:2:1: relay.allocations: unknown key; did you mean `quota.allocations`?"],
    );
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_file() {
    let text = "\
realm = 5
[listen]
udp = [\"3478\", \"0.0.0.0\", \"::1:3478\"]
[relay]
ports = \"60000-50000\"
prots = \"1-2\"
workers = \"4\"
[auth]
credential_ttl = \"1 day\"
users = { alice = 5 }
[peers]
deny = [\"10.0.0.1/8\"]
";
    refused(
        text,
        &[
            "c.toml:1:9: realm: expected a text, found a number; write \"5\"",
            "c.toml:3:8: listen.udp: `3478` has no address; for every address write \"0.0.0.0:3478\" and \"[::]:3478\"",
            "c.toml:3:16: listen.udp: `0.0.0.0` has no port; write \"0.0.0.0:3478\"",
            "c.toml:3:27: listen.udp: `::1:3478`: write IPv6 addresses in brackets: \"[::1]:3478\"",
            "c.toml:5:9: relay.ports: 60000 is above 50000; write \"50000-60000\"",
            "c.toml:6:1: relay.prots: unknown key; did you mean `relay.ports`?",
            "c.toml:7:11: relay.workers: expected a whole number; write 4 without quotes",
            "c.toml:9:18: auth.credential_ttl: `1 day` is no time; write \"24h\", \"15m\", \"1h30m\"",
            "c.toml:10:19: auth.users: expected a text in quotes, found a whole number",
            "c.toml:12:9: peers.deny: `10.0.0.1/8` has bits behind its prefix; write \"10.0.0.0/8\"",
        ],
    );
}

#[test]
fn several_syntax_errors_come_with_their_places() {
    let complaints = complaints("realm = \nlisten\n[quota]\nallocations = 5\n");
    assert!(complaints.len() >= 2, "{complaints:?}");
    assert!(complaints[0].starts_with("c.toml:1:"), "{complaints:?}");
    assert!(complaints.iter().any(|line| line.starts_with("c.toml:2:")), "{complaints:?}");
}

#[test]
fn a_syntax_error_never_quotes_the_line_it_is_on() {
    let complaints = complaints("[auth]\nsecrets = [\"hidden-word\n").join("\n");
    assert!(!complaints.is_empty() && !complaints.contains("hidden-word"), "{complaints}");
}

#[test]
fn a_wrong_secret_is_not_quoted() {
    for text in ["[auth]\nsecrets = \"hidden-word\"\n", "[auth]\nusers = [\"hidden-word\"]\n"] {
        let complaints = complaints(text).join("\n");
        assert!(!complaints.is_empty() && !complaints.contains("hidden-word"), "{complaints}");
    }
}

#[test]
fn keys_that_do_not_fit_together_are_refused() {
    let nothing = "[listen]\nudp = []\n";
    assert!(complaints(nothing)[0].starts_with("c.toml:2:7: listen.udp: is empty"));
    let stray = "[relay]\naddresses = [\"10.0.0.5\"]\nexternal = [\"198.51.100.7/10.0.0.6\"]\n";
    assert!(complaints(stray)[0].contains("10.0.0.6 is none of relay.addresses"));
}

#[test]
fn values_out_of_range_are_answered_with_the_range() {
    for (text, wanted) in [
        ("[limits]\nmax_lifetime = \"5m\"\n", "5m is out of range; write 10m to 24h"),
        ("[relay]\nworkers = 1000\n", "1000 is out of range; write 0 to 256"),
        ("[limits]\npermissions_per_allocation = 0\n", "0 is out of range; write 1 to 65535"),
        ("[quota]\nbandwidth = -1\n", "-1 is negative; write 0 for no limit"),
        ("[log]\nlevel = \"inof\"\n", "did you mean \"info\"?"),
        ("[log]\nformat = \"yaml\"\n", "write \"text\" or \"json\""),
        ("[http]\npublic_url = \"calls.example.org\"\n", "does not begin with http:// or https://"),
        ("[http]\nallowed_origins = [\"https://a.example/x\"]\n", "write \"https://a.example\""),
        ("[peers]\nallow = [\"recommended\"]\n", "belongs into `deny`"),
        ("[limits]\nconnections_per_allocation = 0\n", "0 is out of range; write 1 to 65535"),
        ("[listen]\nproxy_from = [\"10.0.0.1/8\"]\n", "write \"10.0.0.0/8\""),
        ("[relay]\nstun_server = \"10.0.0.300:1\"\n", "is no server"),
        ("[relay]\nstun_server = \"stun.example.org:0\"\n", "is no server"),
        ("[relay]\nalternate_server = \"a.example,127.0.0.1:3478\"\n", "which no client reaches"),
        ("[tls]\ncertificate = \"chain.pem\"\n", "tls.key: is empty"),
        ("[tls]\nkey = \"key.pem\"\n", "tls.certificate: is empty"),
    ] {
        let complaints = complaints(text);
        assert!(complaints.len() == 1 && complaints[0].contains(wanted), "{complaints:?}");
    }
}

// --- sources --------------------------------------------------------------------------------

#[test]
fn a_flag_hides_the_environment_which_hides_the_file_which_hides_the_default() {
    let (_folder, path) =
        file("realm = \"file\"\n[relay]\nworkers = 1\n[quota]\nallocations = 1\n");
    let sources = Sources {
        file: Some(path),
        environment: environment(&[
            ("RELAYHOUSE_REALM", "environment"),
            ("RELAYHOUSE_RELAY__WORKERS", "2"),
        ]),
        flags: vec![Flag { name: "--realm", key: "realm", values: vec!["flag".into()] }],
        ..Sources::default()
    };
    let config = load(&sources).expect("good").config;
    assert_eq!(config.realm, "flag");
    assert_eq!(config.relay.workers, 2);
    assert_eq!(config.quota.allocations, 1);
    assert_eq!(config.quota.per_user, 256);
}

#[test]
fn set_and_a_named_flag_for_one_key_are_refused() {
    let flags = vec![Flag { name: "--realm", key: "realm", values: vec!["a".into()] }];
    let sources = Sources { flags, set: vec!["realm=b".into()], ..Sources::default() };
    let problems = load(&sources).expect_err("two values").to_string();
    assert_eq!(problems, "--set realm: is also given by --realm; keep one of the two");
}

#[test]
fn every_shape_can_come_from_the_environment() {
    let config = from_environment(&[
        ("RELAYHOUSE_LISTEN__UDP", "[::1]:5000, 127.0.0.1:5001"),
        ("RELAYHOUSE_HTTP__LISTEN", "[\"127.0.0.1:1\"]"),
        ("RELAYHOUSE_AUTH__SECRETS", "[\"a,b\", \"c\"]"),
        ("RELAYHOUSE_AUTH__USERS", "alice = \"pw\", 'bob@x' = \"pw2\""),
        ("RELAYHOUSE_AUTH__CREDENTIAL_TTL", "90"),
        ("RELAYHOUSE_AUTH__STRICT_EXPIRY", "true"),
        ("RELAYHOUSE_QUOTA__BANDWIDTH", "8Mbit"),
        ("RELAYHOUSE_PEERS__DENY", ""),
    ]);
    let config = config.expect("good");
    assert_eq!(format!("{:?}", config.listen.udp), "[[::1]:5000, 127.0.0.1:5001]");
    assert_eq!(config.http.listen.len(), 1);
    let secrets: Vec<_> = config.auth.secrets.iter().map(|secret| secret.expose()).collect();
    assert_eq!(secrets, ["a,b", "c"]);
    assert_eq!(config.auth.users.len(), 2);
    assert_eq!(config.auth.credential_ttl, Duration::from_secs(90));
    assert!(config.auth.strict_expiry);
    assert_eq!(config.quota.bandwidth, 1_000_000);
    assert!(config.peers.deny.is_empty());
}

#[test]
fn a_file_variable_reads_one_secret_per_line() {
    let (_folder, path) = file("first, with a comma\nsecond\n");
    let path = path.to_str().expect("UTF-8");
    let config = from_environment(&[("RELAYHOUSE_AUTH__SECRETS_FILE", path)]).expect("good");
    let secrets: Vec<_> = config.auth.secrets.iter().map(|secret| secret.expose()).collect();
    assert_eq!(secrets, ["first, with a comma", "second"]);
}

#[test]
fn any_key_can_come_from_a_file_variable() {
    let (_folder, path) = file("calls.example\n");
    let path = path.to_str().expect("UTF-8");
    assert_eq!(
        from_environment(&[("RELAYHOUSE_REALM_FILE", path)]).expect("good").realm,
        "calls.example"
    );
}

#[test]
fn a_variable_and_its_file_variable_are_refused_together() {
    let (_folder, path) = file("b");
    let path = path.to_str().expect("UTF-8");
    let both = [("RELAYHOUSE_REALM", "a"), ("RELAYHOUSE_REALM_FILE", path)];
    assert!(from_environment(&both).expect_err("two values").contains("keep one of the two"));
}

#[test]
fn a_missing_file_variable_is_named() {
    let missing = [("RELAYHOUSE_AUTH__SECRETS_FILE", "/nowhere/secret")];
    assert_eq!(
        from_environment(&missing).expect_err("missing"),
        "RELAYHOUSE_AUTH__SECRETS_FILE: auth.secrets: /nowhere/secret: no such file; check the path"
    );
}

#[test]
fn an_unknown_variable_is_answered_with_the_nearest() {
    for (name, meant) in [
        ("RELAYHOUSE_RELAY__PROTS", "RELAYHOUSE_RELAY__PORTS"),
        ("RELAYHOUSE_RELAY_PORTS", "RELAYHOUSE_RELAY__PORTS"),
        ("RELAYHOUSE_AUTH__SECRET_FILE", "RELAYHOUSE_AUTH__SECRETS_FILE"),
    ] {
        let complaint = from_environment(&[(name, "1")]).expect_err("unknown");
        assert_eq!(complaint, format!("{name}: unknown variable; did you mean {meant}?"));
    }
}

#[test]
fn what_kubernetes_puts_beside_a_service_of_our_name_is_no_configuration() {
    let links = [
        ("RELAYHOUSE_SERVICE_HOST", "10.0.0.1"),
        ("RELAYHOUSE_SERVICE_PORT_HTTP", "8080"),
        ("RELAYHOUSE_PORT", "tcp://10.0.0.1:8080"),
        ("RELAYHOUSE_PORT_8080_TCP_ADDR", "10.0.0.1"),
    ];
    assert!(from_environment(&links).is_ok());
}

#[test]
fn an_unknown_key_behind_set_is_answered_with_the_nearest() {
    let complaint = from_flags(&["relay.prots=1-2", "realm"]).expect_err("two mistakes");
    assert_eq!(
        complaint,
        "--set realm: has no value; write --set realm=VALUE\n\
         --set relay.prots: unknown key; did you mean `relay.ports`?"
    );
}

#[test]
fn lists_behind_flags_grow_and_replace_the_default() {
    let values = vec!["127.0.0.1:1".into(), "[::1]:2,127.0.0.1:3".into()];
    let flags = vec![Flag { name: "--listen", key: "listen.udp", values }];
    let config = load(&Sources { flags, ..Sources::default() }).expect("good").config;
    assert_eq!(format!("{:?}", config.listen.udp), "[127.0.0.1:1, [::1]:2, 127.0.0.1:3]");
}

#[test]
fn free_ports_may_be_asked_for_twice_and_others_may_not() {
    assert!(from_flags(&["listen.udp=127.0.0.1:0,127.0.0.1:0"]).is_ok());
    let twice = from_flags(&["listen.udp=127.0.0.1:5,127.0.0.1:5"]);
    assert!(twice.expect_err("twice").contains("stands twice"));
}

#[test]
fn files_with_secrets_that_others_may_read_are_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = file("[auth]\nsecrets = [\"a secret that is long enough\"]\n");
    for (mode, warned) in [(0o644, true), (0o640, false), (0o600, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours");
        let loaded = load(&Sources { file: Some(path.clone()), ..Sources::default() });
        let warnings = loaded.expect("good").warnings;
        assert_eq!(warnings.iter().any(|line| line.contains("chmod 600")), warned, "{mode:o}");
    }
}

// --- meaning --------------------------------------------------------------------------------

#[test]
fn recommended_stands_for_a_list_without_what_is_allowed_by_name() {
    let denied = |text: &str| from_text("c.toml", text).expect("good").peers.deny;
    let all = denied("");
    assert!(all.len() > 25);
    let opened = denied("[peers]\nallow = [\"10.0.0.0/8\"]\n");
    assert_eq!(all.len() - opened.len(), 1, "the very range that is allowed is opened");
    let written = denied("[peers]\nallow = [\"10.0.0.0/8\"]\ndeny = [\"10.0.0.0/8\"]\n");
    assert_eq!(written.len(), 1, "a range that is written down stays denied");
}

#[test]
fn servers_elsewhere_are_names_or_addresses_with_a_port_or_3478() {
    let text = "[relay]\nstun_server = \"STUN.example.org\"\n\
                alternate_server = \"turn.example.org:443, 198.51.100.7, [2001:db8::7]:3479\"\n";
    let relay = from_text("c.toml", text).expect("good").relay;
    assert_eq!(relay.stun_server.expect("one").to_string(), "stun.example.org:3478");
    let alternates: Vec<_> = relay.alternate_servers.iter().map(ToString::to_string).collect();
    assert_eq!(alternates, ["turn.example.org:443", "198.51.100.7:3478", "[2001:db8::7]:3479"]);
}

#[test]
fn a_public_address_may_name_its_private_one() {
    let text = "[relay]\nexternal = [\"198.51.100.7/10.0.0.5\", \"2001:db8::1\"]\n";
    let external = from_text("c.toml", text).expect("good").relay.external;
    assert_eq!(external[0].private, Some("10.0.0.5".parse().expect("an address")));
    assert_eq!(external[1].private, None);
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        fuzz_body::run(text.as_bytes());
    }

    #[test]
    fn no_change_of_the_shipped_file_panics(at in 0..SHIPPED.len(), to in any::<char>()) {
        let mut at = at;
        while !SHIPPED.is_char_boundary(at) { at -= 1; }
        let rest: String = SHIPPED[at..].chars().skip(1).collect();
        fuzz_body::run(format!("{}{to}{rest}", &SHIPPED[..at]).as_bytes());
    }
}

#[test]
fn a_mistyped_recommended_is_told_the_word() {
    let told = complaints("[peers]\ndeny = [\"recomended\"]\n").join("\n");
    assert!(told.contains("did you mean \"recommended\"?"), "{told}");
}
