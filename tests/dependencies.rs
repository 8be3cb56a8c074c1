//! What may come into the build, held without any tool but cargo: licences, sources, doubles, reasons.
//!
//! `deny.toml` is the one list: cargo-deny reads the same allow-list and the same exceptions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn text(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn deny() -> toml::Table {
    text("deny.toml").parse().expect("deny.toml is TOML")
}

/// `cargo metadata` for this machine's kind: what is really built.
fn metadata() -> Value {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc runs").stdout;
    let version = String::from_utf8(version).expect("UTF-8");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host line");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The packages that end up in the program (`dev` adds those of its tests), as name → versions.
fn packages(metadata: &Value, dev: bool) -> BTreeMap<String, Vec<Value>> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let node = |id: &str| nodes.iter().find(|node| node["id"] == id).expect("a node");
    let mut waiting = vec![metadata["resolve"]["root"].as_str().expect("a root")];
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dependency in node(id)["deps"].as_array().expect("deps") {
            let kinds = dependency["dep_kinds"].as_array().expect("kinds");
            if dev || kinds.iter().any(|kind| kind["kind"] != "dev") {
                waiting.push(dependency["pkg"].as_str().expect("an id"));
            }
        }
    }
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        if seen.contains(package["id"].as_str().expect("an id")) {
            let name = package["name"].as_str().expect("a name").to_owned();
            found.entry(name).or_default().push(package.clone());
        }
    }
    found
}

#[test]
fn every_licence_is_on_the_list() {
    let deny = deny();
    let allowed: BTreeSet<&str> = deny["licenses"]["allow"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|licence| licence.as_str().expect("a text"))
        .collect();
    let mut complaints = Vec::new();
    for package in packages(&metadata(), true).into_values().flatten() {
        let licence = package["license"].as_str().unwrap_or("none given");
        if !satisfied(licence, &allowed) {
            complaints.push(format!("{} {}: {licence}", package["name"], package["version"]));
        }
    }
    assert!(complaints.is_empty(), "licences that deny.toml does not allow: {complaints:#?}");
}

/// Whether an SPDX expression can be met by allowed licences alone. `/` is the old spelling of OR.
fn satisfied(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    any(&mut rest, allowed) && rest.is_empty()
}

fn any(rest: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut met = all(rest, allowed);
    while rest.first() == Some(&"OR") {
        *rest = &rest[1..];
        met |= all(rest, allowed);
    }
    met
}

fn all(rest: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut met = one(rest, allowed);
    while rest.first() == Some(&"AND") {
        *rest = &rest[1..];
        met &= one(rest, allowed);
    }
    met
}

fn one(rest: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let Some((first, behind)) = rest.split_first() else { return false };
    *rest = behind;
    if *first == "(" {
        let met = any(rest, allowed);
        let closed = rest.first() == Some(&")");
        *rest = rest.get(1..).unwrap_or_default();
        return met && closed;
    }
    if rest.first() == Some(&"WITH") {
        let whole = format!("{first} WITH {}", rest.get(1).unwrap_or(&""));
        *rest = rest.get(2..).unwrap_or_default();
        return allowed.contains(whole.as_str());
    }
    allowed.contains(first)
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = BTreeSet::from(["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"]);
    for good in ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "(MIT OR X) AND Zlib", "MIT AND Zlib"] {
        assert!(satisfied(good, &allowed), "{good}");
    }
    assert!(satisfied("X OR Apache-2.0 WITH LLVM-exception", &allowed));
    for bad in
        ["GPL-3.0", "MIT AND GPL-3.0", "(X OR Y) AND MIT", "", "Apache-2.0", "none given", "MIT )"]
    {
        assert!(!satisfied(bad, &allowed), "{bad}");
    }
}

#[test]
fn everything_comes_from_crates_io() {
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock: toml::Table = text(lock).parse().expect("a lock file is TOML");
        for package in lock["package"].as_array().expect("packages") {
            let source = package.get("source").and_then(toml::Value::as_str);
            assert!(source.is_none_or(|source| source == CRATES_IO), "{package}");
            let has_checksum = package.get("checksum").is_some();
            assert_eq!(source.is_some(), has_checksum, "no checksum: {package}");
        }
    }
}

#[test]
fn nothing_is_built_in_twice_but_what_the_list_explains() {
    let deny = deny();
    let skipped: BTreeSet<(String, String)> = deny["bans"]["skip"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            let reason = entry["reason"].as_str().expect("each exception has a reason");
            assert!(reason.len() > 20, "too short a reason: {reason}");
            let (name, version) =
                entry["crate"].as_str().expect("a text").split_once('@').expect("name@version");
            (name.to_owned(), version.to_owned())
        })
        .collect();
    let mut used = BTreeSet::new();
    for (name, versions) in packages(&metadata(), false) {
        let versions = versions.iter().map(|p| p["version"].as_str().expect("a text").to_owned());
        let mut left: Vec<String> = Vec::new();
        for version in versions {
            let pair = (name.clone(), version);
            if skipped.contains(&pair) {
                used.insert(pair);
            } else {
                left.push(pair.1);
            }
        }
        assert!(
            left.len() <= 1,
            "{name} is built in as {left:?}; explain it in deny.toml or end it"
        );
    }
    assert_eq!(skipped.difference(&used).collect::<Vec<_>>(), Vec::<&_>::new(), "no longer needed");
}

#[test]
fn unmaintained_crates_are_named_with_a_reason() {
    let deny = deny();
    let ignored = deny["advisories"]["ignore"].as_array().expect("a list");
    let reasons: Vec<&str> =
        ignored.iter().map(|entry| entry["reason"].as_str().expect("a reason")).collect();
    let built = packages(&metadata(), false);
    for name in ["fxhash", "instant"] {
        let named = reasons.iter().any(|reason| reason.starts_with(name));
        assert_eq!(named, built.contains_key(name), "{name}: deny.toml and the build disagree");
    }
}

#[test]
fn every_direct_dependency_says_why() {
    let complaints = unexplained(&text("Cargo.toml"));
    assert!(complaints.is_empty(), "no comment above or behind: {complaints:?}");
}

/// Dependencies without a comment of their own, in the line above (or in a block ending there) or
/// at the end of their line. A ruler (`# --- …`) is no comment.
fn unexplained(manifest: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let (mut inside, mut before) = (false, "");
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.trim_matches(['[', ']']).ends_with("dependencies");
        } else if inside && line.contains('=') && !line.starts_with(['#', '"', ']']) {
            let explained = before.starts_with("# ") && !before.starts_with("# ---");
            if !explained && !line.contains(" # ") {
                complaints.push(line.split('=').next().unwrap_or_default().trim().to_owned());
            }
        }
        before = line;
    }
    complaints
}

#[test]
fn every_direct_dependency_is_used() {
    let manifest: toml::Table = text("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let sources = ["src", "tests", "benches"].map(rust_text).concat();
    for table in ["dependencies", "dev-dependencies"] {
        for name in manifest[table].as_table().expect("a table").keys() {
            let name = match name.as_str() {
                "md-5" => "md5",
                "rustls-webpki" => "webpki",
                name => name,
            };
            let krate = name.replace('-', "_");
            let used = [format!("{krate}::"), format!("use {krate};"), format!("use {krate} ")];
            assert!(used.iter().any(|form| sources.contains(form)), "nothing uses `{name}`");
        }
    }
}

/// All Rust sources below a folder, one behind the other.
fn rust_text(folder: &str) -> String {
    let Ok(entries) = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) else {
        return String::new();
    };
    let mut all = String::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            all += &rust_text(path.to_str().expect("UTF-8"));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &std::fs::read_to_string(&path).expect("UTF-8");
        }
    }
    all
}

#[test]
fn a_dependency_without_a_reason_is_seen() {
    let manifest = "[dependencies]\n# --- ruler ---\na = \"1\"\n# Why b.\nb = \"1\"\nc = \"1\"\nd = \"1\" # why\n\
        [features]\ne = []\n[target.'cfg(unix)'.dev-dependencies]\nf = { version = \"1\" }\n";
    assert_eq!(unexplained(manifest), ["a", "c", "f"]);
}
