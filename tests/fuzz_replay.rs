//! Runs every file of the fuzz corpus through its target's body, without a fuzzer.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "fuzz_bodies/channel_data.rs"]
mod channel_data;
#[path = "fuzz_bodies/config.rs"]
mod config;
#[path = "fuzz_bodies/credentials.rs"]
mod credentials;
#[path = "fuzz_bodies/date_time.rs"]
mod date_time;
#[path = "fuzz_bodies/forwarded.rs"]
mod forwarded;
#[path = "fuzz_bodies/frames.rs"]
mod frames;
#[path = "fuzz_bodies/people.rs"]
mod people;
#[path = "fuzz_bodies/proxy_header.rs"]
mod proxy_header;
#[path = "fuzz_bodies/relay.rs"]
mod relay;
#[path = "fuzz_bodies/signal_message.rs"]
mod signal_message;
#[path = "fuzz_bodies/sniff.rs"]
mod sniff;
#[path = "fuzz_bodies/stun_attributes.rs"]
mod stun_attributes;
#[path = "fuzz_bodies/stun_message.rs"]
mod stun_message;

/// A fuzz target's name and what it does with its bytes.
type Target = (&'static str, fn(&[u8]));

/// Every fuzz target there is.
const TARGETS: &[Target] = &[
    ("channel_data", channel_data::run),
    ("config", config::run),
    ("credentials", credentials::run),
    ("date_time", date_time::run),
    ("forwarded", forwarded::run),
    ("frames", frames::run),
    ("people", people::run),
    ("proxy_header", proxy_header::run),
    ("relay", relay::run),
    ("signal_message", signal_message::run),
    ("sniff", sniff::run),
    ("stun_attributes", stun_attributes::run),
    ("stun_message", stun_message::run),
];

fn fuzz_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    entries.map(|entry| entry.expect("a readable directory").path()).collect()
}

#[test]
fn every_file_of_the_corpus_passes() {
    for (name, run) in TARGETS {
        let files = files_in(&fuzz_dir().join("corpus").join(name));
        assert!(!files.is_empty(), "{name} has seeds");
        for file in files {
            let bytes = fs::read(&file).expect("a readable file");
            println!("{}", file.display());
            run(&bytes);
        }
    }
}

#[test]
fn every_fuzz_target_is_replayed() {
    let targets: BTreeSet<String> = files_in(&fuzz_dir().join("fuzz_targets"))
        .iter()
        .filter_map(|file| file.file_stem().and_then(OsStr::to_str).map(String::from))
        .collect();
    let replayed = TARGETS.iter().map(|(name, _)| String::from(*name)).collect();
    assert_eq!(targets, replayed);
}
