//! The house rules: each takes a file and returns its complaints, as `path:line: what is wrong`.

use crate::source::Source;

/// The modules of the core, which touches nothing outside its arguments.
pub const CORE: [&str; 7] = ["time", "net", "packet", "stun", "creds", "turn", "signal"];

/// Who may name whom. A module may always name itself.
const ARROWS: [(&str, &[&str]); 13] = [
    ("time", &["net", "packet"]),
    ("net", &["time", "packet"]),
    ("packet", &["time", "net"]),
    ("stun", &["time", "net", "packet"]),
    ("creds", &["time", "net", "packet", "stun"]),
    ("turn", &["time", "net", "packet", "stun", "creds"]),
    ("signal", &["time", "net", "packet", "stun", "creds"]),
    ("relay", &["time", "net", "packet", "stun", "creds", "turn"]),
    ("store", &["time", "net", "packet", "creds", "signal"]),
    ("hooks", &["time", "creds", "store"]),
    ("api", &["time", "net", "packet", "stun", "creds", "turn", "signal", "store"]),
    ("front", &["time", "net", "relay", "api"]),
    ("main", &["app"]),
];

/// Words that have no place in the core, and what to use instead.
const WORLD: [(&str, &str); 17] = [
    ("UdpSocket", "sockets belong to relay/"),
    ("TcpStream", "sockets belong to relay/ and api/"),
    ("TcpListener", "sockets belong to relay/ and api/"),
    ("SystemTime", "time comes in as `Now`"),
    ("getrandom", "randomness comes in as a value"),
    ("OsRng", "randomness comes in as a value"),
    ("thread_rng", "randomness comes in as a value"),
    ("tracing", "the core emits events; app/ logs"),
    ("println", "the core emits events; app/ logs"),
    ("eprintln", "the core emits events; app/ logs"),
    ("print", "the core emits events; app/ logs"),
    ("eprint", "the core emits events; app/ logs"),
    ("tokio", "the core is driven, it runs nothing"),
    ("libc", "system calls belong to relay/sys"),
    ("socket2", "sockets belong to relay/"),
    ("sled", "state belongs to store/"),
    ("elapsed", "time comes in as `Now`"),
];

/// Parts of the standard library that are the world.
const WORLD_OF_STD: [&str; 5] = ["fs", "env", "thread", "process", "os"];

/// The longest file, without its tests.
pub const LONGEST: usize = 400;

type Rule = fn(&Source) -> Vec<String>;

/// The rules for files below `src/`.
pub const FOR_SRC: [Rule; 8] =
    [arrows, world, clock, unsafe_place, safety_comment, sled_place, length, opening];

/// The rules for every Rust file.
pub const FOR_RUST: [Rule; 3] = [opening, unfinished, ignored];

fn complaint(source: &Source, line: usize, what: impl std::fmt::Display) -> String {
    format!("{}:{line}: {what}", source.path)
}

/// Imports follow the arrows of ARCHITECTURE.md.
pub fn arrows(source: &Source) -> Vec<String> {
    let module = source.module();
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
        return Vec::new(); // app/ and lib.rs may name everything
    };
    let modules: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).chain(["app"]).collect();
    let forbidden =
        |name: &str| name != module && modules.contains(&name) && !allowed.contains(&name);
    named_modules(source)
        .into_iter()
        .filter(|(name, _)| forbidden(name))
        .map(|(name, line)| complaint(source, line, format!("`{module}` must not use `{name}`")))
        .collect()
}

/// The top modules a file names through `crate::`, `relayhouse::` or enough `super::`.
fn named_modules(source: &Source) -> Vec<(String, usize)> {
    let depth = source.module_path().len();
    let mut named = Vec::new();
    let mut at = 0;
    while at < source.tokens.len() {
        let word = source.word(at);
        let begins_path = at < 2 || !source.path_separator(at - 2);
        at += 1;
        if !begins_path || !source.path_separator(at) {
            continue;
        }
        if matches!(word, "crate" | "relayhouse") {
            named.extend(source.first_names(at + 2));
        } else if word == "super" {
            let mut supers = 1;
            while source.word(at + 2) == "super" && source.path_separator(at + 3) {
                (supers, at) = (supers + 1, at + 3);
            }
            if supers >= depth {
                named.extend(source.first_names(at + 2));
            }
        }
    }
    named
}

fn is_core(source: &Source) -> bool {
    source.path.starts_with("src/") && CORE.contains(&source.module())
}

/// The core opens no socket, reads no file, draws no randomness, logs nothing, spawns nothing.
pub fn world(source: &Source) -> Vec<String> {
    if !is_core(source) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (at, token) in source.tokens.iter().enumerate() {
        let after_dot = at > 0 && source.word(at - 1) == ".";
        for (word, instead) in WORLD {
            let is_method = word == "elapsed";
            if token.text == word && after_dot == is_method {
                complaints.push(complaint(
                    source,
                    token.line,
                    format!("`{word}` in the core: {instead}"),
                ));
            }
        }
        if token.text == "std" && source.path_separator(at + 1) {
            for (name, line) in source.first_names(at + 3) {
                if WORLD_OF_STD.contains(&name.as_str()) {
                    complaints.push(complaint(source, line, format!("`std::{name}` in the core")));
                }
            }
        }
    }
    complaints
}

/// The core reads no clock, not even in its tests.
pub fn clock(source: &Source) -> Vec<String> {
    if !is_core(source) {
        return Vec::new();
    }
    let reads = |at: &usize| {
        source.word(*at) == "Instant"
            && source.path_separator(at + 1)
            && source.word(at + 3) == "now"
    };
    (0..source.tokens.len())
        .filter(reads)
        .filter(|at| !source.tokens[*at].in_test) // a test's clock needs one instant to count from
        .map(|at| complaint(source, source.tokens[at].line, "`Instant::now` in the core"))
        .collect()
}

fn may_be_unsafe(path: &str) -> bool {
    path == "src/relay/sys.rs" || path.starts_with("src/relay/sys/")
}

/// `unsafe`, and leave to use it, only where the system calls are.
pub fn unsafe_place(source: &Source) -> Vec<String> {
    if may_be_unsafe(&source.path) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (at, token) in source.tokens.iter().enumerate() {
        let allowed_here =
            token.text == "unsafe_code" && source.word(at.saturating_sub(2)) != "deny";
        // relay/mod.rs declares the one module that may.
        let declares = source.path == "src/relay/mod.rs";
        if token.text == "unsafe" || allowed_here && !declares {
            let what = format!("`{}` outside src/relay/sys", token.text);
            complaints.push(complaint(source, token.line, what));
        }
    }
    complaints
}

/// Each unsafe block or impl has its reason right above it, or on its line.
pub fn safety_comment(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (at, token) in source.tokens.iter().enumerate() {
        if token.text != "unsafe" || !matches!(source.word(at + 1), "{" | "impl") {
            continue;
        }
        let near = token.line.saturating_sub(12)..=token.line;
        let mut reasons = source.comments.iter().filter(|comment| near.contains(&comment.line));
        if !reasons.any(|comment| comment.text.contains("SAFETY:")) {
            complaints.push(complaint(source, token.line, "unsafe without a `SAFETY:` comment"));
        }
    }
    complaints
}

/// The engine is named behind the store's door only.
pub fn sled_place(source: &Source) -> Vec<String> {
    if source.module() == "store" || is_core(source) {
        return Vec::new(); // for the core, `world` says it
    }
    let named = source.tokens.iter().filter(|token| token.text == "sled");
    named.map(|token| complaint(source, token.line, "`sled` outside store/")).collect()
}

/// A file is one thought.
pub fn length(source: &Source) -> Vec<String> {
    let lines = source.lines_without_tests();
    if lines <= LONGEST {
        return Vec::new();
    }
    vec![complaint(source, 1, format!("{lines} lines without tests; {LONGEST} are the most"))]
}

/// A file says first what it is.
pub fn opening(source: &Source) -> Vec<String> {
    if source.path.starts_with("fuzz/") {
        return Vec::new(); // three lines that name a body in tests/fuzz_bodies
    }
    let first = source.text.lines().find(|line| !line.starts_with("#![")).unwrap_or_default();
    if first.starts_with("//! ") {
        return Vec::new();
    }
    vec![complaint(source, 1, "the file does not open with `//!`")]
}

/// Nothing in the tree is half done.
pub fn unfinished(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (at, token) in source.tokens.iter().enumerate() {
        let is_macro = source.word(at + 1) == "!" && source.word(at + 2) != "=";
        if is_macro && matches!(token.text.as_str(), "todo" | "unimplemented" | "dbg") {
            complaints.push(complaint(source, token.line, format!("`{}!`", token.text)));
        }
    }
    complaints
}

/// No test is switched off.
pub fn ignored(source: &Source) -> Vec<String> {
    let attribute = |at: &usize| {
        source.word(*at) == "ignore"
            && matches!(source.word(at.wrapping_sub(1)), "[" | ",")
            && matches!(source.word(at + 1), "]" | "=" | ")")
    };
    (0..source.tokens.len())
        .filter(attribute)
        .map(|at| complaint(source, source.tokens[at].line, "a test is ignored"))
        .collect()
}

/// Notes to oneself, in any kind of file. The words are put together so that this file has none.
pub fn notes(path: &str, text: &str) -> Vec<String> {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    found(path, text, &words, |before, after| {
        !before.is_some_and(|c| c.is_alphanumeric()) && !after.is_some_and(|c| c.is_alphanumeric())
    })
}

/// Paths of somebody's machine.
pub fn machine_paths(path: &str, text: &str) -> Vec<String> {
    let words = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    found(path, text, &words, |before, _| !before.is_some_and(|c| c.is_alphanumeric()))
}

fn found(
    path: &str,
    text: &str,
    words: &[&str],
    alone: impl Fn(Option<char>, Option<char>) -> bool,
) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in words {
            let hit = line.match_indices(word).any(|(at, _)| {
                alone(line[..at].chars().next_back(), line[at + word.len()..].chars().next())
            });
            if hit {
                complaints.push(format!("{path}:{}: `{word}`", number + 1));
            }
        }
    }
    complaints
}

/// A lock file names public registries only.
pub fn registries(path: &str, text: &str) -> Vec<String> {
    let public =
        ["https://registry.npmjs.org/", "registry+https://github.com/rust-lang/crates.io-index"];
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let value = line.strip_prefix("\"resolved\": ").or_else(|| line.strip_prefix("source = "));
        let value = value.map(|value| value.trim_end_matches(',').trim_matches('"'));
        if value.is_some_and(|value| !public.iter().any(|host| value.starts_with(host))) {
            complaints.push(format!("{path}:{}: not a public registry: {line}", number + 1));
        }
    }
    complaints
}
