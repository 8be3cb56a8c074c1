//! The house rules of ARCHITECTURE.md and CONTRIBUTING.md, held over the sources as they are.
//!
//! The second half feeds each rule a file it must complain about: a rule that cannot fail is none.

#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;

use std::path::Path;
use std::process::Command;

use source::Source;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of the tree: what git tracks or would track.
fn files() -> Vec<String> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let listed = Command::new("git").args(arguments).current_dir(root()).output();
    match listed {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let names = String::from_utf8(output.stdout).expect("names in UTF-8");
            let exist = names.lines().filter(|name| root().join(name).is_file());
            exist.map(str::to_owned).collect()
        }
        _ => walk(root()), // an unpacked archive
    }
}

fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the tree").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir()
            && !["target", "node_modules", ".git", "data"].iter().any(|skip| name == *skip)
        {
            found.extend(walk(&path));
        } else if path.is_file() {
            let inner = path.strip_prefix(root()).expect("below the root");
            found.push(inner.to_str().expect("a name in UTF-8").to_owned());
        }
    }
    found
}

fn read(path: &str) -> Option<String> {
    String::from_utf8(std::fs::read(root().join(path)).expect("readable")).ok()
}

fn rust_files() -> Vec<Source> {
    let rust = files().into_iter().filter(|path| path.ends_with(".rs"));
    let sources: Vec<Source> =
        rust.map(|path| Source::new(&path, &read(&path).expect("UTF-8"))).collect();
    assert!(sources.len() > 10, "the sources were not found");
    sources
}

#[track_caller]
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn the_sources_keep_the_house_rules() {
    let mut complaints = Vec::new();
    for source in rust_files() {
        if source.path.starts_with("src/") {
            complaints.extend(rules::FOR_SRC.iter().flat_map(|rule| rule(&source)));
        }
        complaints.extend(rules::FOR_RUST.iter().flat_map(|rule| rule(&source)));
        let lines = source.lines_without_tests();
        if source.path.starts_with("src/") && lines > 250 {
            println!("long: {} has {lines} lines without tests", source.path);
        }
    }
    complaints.dedup();
    assert_none(complaints);
}

#[test]
fn no_file_holds_notes_to_oneself() {
    let code = ["rs", "toml", "js", "mjs", "css", "html", "sh"];
    let mut complaints = Vec::new();
    for path in files() {
        let extension = path.rsplit('.').next().unwrap_or_default();
        if code.contains(&extension) || path == "test" || path == ".ci/run" {
            complaints.extend(rules::notes(&path, &read(&path).unwrap_or_default()));
        }
    }
    assert_none(complaints);
}

#[test]
fn no_file_names_a_machine() {
    let texts = files().into_iter().filter_map(|path| Some((read(&path)?, path)));
    assert_none(texts.flat_map(|(text, path)| rules::machine_paths(&path, &text)).collect());
}

#[test]
fn lock_files_name_public_registries_only() {
    let locks =
        files().into_iter().filter(|p| p.ends_with("Cargo.lock") || p.ends_with("-lock.json"));
    let complaints: Vec<String> =
        locks.flat_map(|path| rules::registries(&path, &read(&path).expect("UTF-8"))).collect();
    assert_none(complaints);
}

#[test]
fn every_module_is_known_to_the_arrows() {
    let known = ["time", "net", "packet", "stun", "creds", "turn", "signal"];
    let known =
        known.iter().chain(&["relay", "store", "hooks", "api", "front", "app", "main", "lib"]);
    let known: Vec<&str> = known.copied().collect();
    for source in rust_files().iter().filter(|source| source.path.starts_with("src/")) {
        assert!(known.contains(&source.module()), "{}: draw its arrows first", source.path);
    }
}

// --- each rule can fail ------------------------------------------------------------------------

fn at(path: &str, text: &str) -> Source {
    Source::new(path, text)
}

#[track_caller]
fn complains(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) {
    assert_eq!(rule(&at(path, text)).len(), 1, "{path}: {text}");
}

#[track_caller]
fn is_quiet(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) {
    assert_eq!(rule(&at(path, text)), Vec::<String>::new(), "{path}: {text}");
}

#[test]
fn arrows_against_the_direction_are_seen() {
    complains(rules::arrows, "src/stun/message.rs", "use crate::creds::Key;");
    complains(rules::arrows, "src/signal/hub.rs", "use crate::turn::Relay;");
    complains(rules::arrows, "src/turn/relay.rs", "fn f() { crate::signal::Hub::new(); }");
    complains(rules::arrows, "src/relay/shard.rs", "use crate::{api, turn::Relay};");
    complains(
        rules::arrows,
        "src/creds/mod.rs",
        "use crate::{time::Now, stun::Message, turn::{A, B}};",
    );
    complains(rules::arrows, "src/turn/relay.rs", "use super::super::store::Store;");
    complains(rules::arrows, "src/net.rs", "use super::app::main;");
    complains(rules::arrows, "src/main.rs", "fn main() { relayhouse::relay::start(); }");
    complains(rules::arrows, "src/store/mod.rs", "#[cfg(test)] mod tests { use crate::api::Api; }");
}

#[test]
fn arrows_in_the_direction_are_fine() {
    is_quiet(
        rules::arrows,
        "src/turn/relay.rs",
        "use crate::{creds::Verified, net::{Flow, PeerAddr}};",
    );
    is_quiet(rules::arrows, "src/turn/relay.rs", "use super::signal; pub(crate) use x::crate_;");
    is_quiet(
        rules::arrows,
        "src/stun/mod.rs",
        "// use crate::turn::Relay;\nconst A: &str = \"crate::turn\";",
    );
    is_quiet(rules::arrows, "src/app/run.rs", "use crate::{api, relay, store, turn};");
    is_quiet(rules::arrows, "src/stun/mod.rs", "use turn::crate_name; use other::crate::turn;");
}

#[test]
fn the_world_in_the_core_is_seen() {
    complains(rules::world, "src/stun/mod.rs", "use std::net::UdpSocket;");
    complains(rules::world, "src/creds/mod.rs", "use std::{collections::HashMap, fs};");
    complains(rules::world, "src/turn/mod.rs", "fn f() { std::thread::spawn(g); }");
    complains(rules::world, "src/signal/mod.rs", "fn f() { tracing::info!(\"x\"); }");
    complains(rules::world, "src/time.rs", "fn f() -> std::time::SystemTime { g() }");
    complains(rules::world, "src/turn/x.rs", "fn f(t: Instant) -> Duration { t.elapsed() }");
    complains(rules::world, "src/turn/x.rs", "fn f() { println!(\"x\"); }");
    is_quiet(rules::world, "src/relay/mod.rs", "use std::net::UdpSocket;");
    is_quiet(rules::world, "src/turn/mod.rs", "use std::net::SocketAddr; // not UdpSocket");
}

#[test]
fn a_clock_in_the_core_is_seen() {
    complains(rules::clock, "src/turn/mod.rs", "fn f() { let t = Instant::now(); }");
    complains(rules::clock, "src/turn/mod.rs", "fn f() { let t = std::time::Instant::now(); }");
    is_quiet(rules::clock, "src/app/mod.rs", "fn f() { let t = Instant::now(); }");
    is_quiet(
        rules::clock,
        "src/turn/mod.rs",
        "#[cfg(test)] mod tests { fn f() { Instant::now(); } }",
    );
}

#[test]
fn unsafe_in_the_wrong_place_is_seen() {
    complains(rules::unsafe_place, "src/relay/shard.rs", "fn f() { unsafe { g() } }");
    complains(rules::unsafe_place, "src/turn/mod.rs", "#![allow(unsafe_code)]");
    is_quiet(rules::unsafe_place, "src/relay/sys.rs", "fn f() { unsafe { g() } }");
    is_quiet(rules::unsafe_place, "src/relay/sys/batch.rs", "fn f() { unsafe { g() } }");
    is_quiet(
        rules::unsafe_place,
        "src/lib.rs",
        "#![deny(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";",
    );
}

#[test]
fn unsafe_without_a_reason_is_seen() {
    complains(rules::safety_comment, "src/relay/sys.rs", "fn f() { unsafe { g() } }");
    is_quiet(
        rules::safety_comment,
        "src/relay/sys.rs",
        "// SAFETY: g does nothing.\nfn f() { unsafe { g() } }",
    );
}

#[test]
fn sled_outside_the_store_is_seen() {
    complains(rules::sled_place, "src/api/mod.rs", "fn f(db: sled::Db) {}");
    complains(rules::world, "src/creds/mod.rs", "fn f(db: sled::Db) {}");
    is_quiet(rules::sled_place, "src/store/mod.rs", "fn f(db: sled::Db) {}");
    is_quiet(rules::sled_place, "src/app/mod.rs", "const A: &str = \"sled\"; // sled");
}

#[test]
fn a_long_file_is_seen_and_its_tests_do_not_count() {
    let long = "fn f() {}\n".repeat(rules::LONGEST + 1);
    complains(rules::length, "src/app/mod.rs", &long);
    is_quiet(rules::length, "src/app/mod.rs", &"fn f() {}\n".repeat(rules::LONGEST));
    is_quiet(rules::length, "src/app/mod.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}\n"));
    is_quiet(rules::length, "src/app/tests.rs", &long);
}

#[test]
fn a_file_without_an_opening_is_seen() {
    complains(rules::opening, "src/app/mod.rs", "use x;\n//! late");
    complains(rules::opening, "src/app/mod.rs", "");
    is_quiet(rules::opening, "src/app/mod.rs", "//! What it is.\n");
    is_quiet(rules::opening, "benches/a.rs", "#![no_main]\n//! What it is.\n");
}

#[test]
fn unfinished_code_is_seen() {
    complains(rules::unfinished, "src/app/mod.rs", "fn f() { todo!() }");
    complains(rules::unfinished, "tests/a.rs", "fn f() { unimplemented!(\"later\") }");
    complains(rules::unfinished, "src/app/mod.rs", "fn f() { dbg!(1); }");
    is_quiet(rules::unfinished, "src/app/mod.rs", "fn todo() -> bool { todo != 1 } // todo!()");
}

#[test]
fn an_ignored_test_is_seen() {
    complains(rules::ignored, "tests/a.rs", "#[test]\n#[ignore]\nfn f() {}");
    complains(rules::ignored, "tests/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}");
    complains(rules::ignored, "tests/a.rs", "#[cfg_attr(x, ignore)]\nfn f() {}");
    is_quiet(rules::ignored, "tests/a.rs", "fn ignore() { let s = \"#[ignore]\"; }");
}

#[test]
fn notes_and_machine_paths_are_seen() {
    let note = format!("// {}: later", concat!("TO", "DO"));
    assert_eq!(rules::notes("a.rs", &note).len(), 1);
    assert!(rules::notes("a.rs", "TODOS and mastodons").is_empty());
    let path = format!("see {}x", concat!("/wo", "rk/"));
    assert_eq!(rules::machine_paths("a.md", &path).len(), 1);
    assert!(rules::machine_paths("a.md", concat!("docs/net", "wo", "rk/x")).is_empty());
}

#[test]
fn a_private_registry_is_seen() {
    let private = "      \"resolved\": \"https://mirror.example/ws-8.tgz\",";
    assert_eq!(rules::registries("package-lock.json", private).len(), 1);
    assert_eq!(rules::registries("Cargo.lock", "source = \"git+https://example.org/x\"").len(), 1);
    let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    assert!(rules::registries("Cargo.lock", public).is_empty());
}

#[test]
fn strings_comments_and_lifetimes_are_told_from_code() {
    let text = r##"fn f<'a>(x: &'a str) { g('"', '\'', b'x', "un\"safe", r#"unsafe " "#, /* un /* */ safe */ y) }"##;
    let source = at("src/app/mod.rs", text);
    let words: Vec<&str> = source.tokens.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(words.iter().filter(|word| **word == "\"\"").count(), 5, "{words:?}");
    assert!(words.contains(&"y") && words.contains(&"a") && !words.contains(&"unsafe"));
    assert_eq!(source.comments.len(), 1);
}
