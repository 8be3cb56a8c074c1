//! `docs/standards.md` names a test for everything it claims: each exists, and no RFC's file is missing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/standards.md")).expect("the page")
}

/// The cells of each row of each table, without heads.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let mut rows: Vec<Vec<&str>> = Vec::new();
    let lines: Vec<&str> = page.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let is_head = lines.get(at + 1).is_some_and(|next| next.starts_with("|---"));
        if line.starts_with('|') && !line.starts_with("|---") && !is_head {
            rows.push(line.trim_matches('|').split(" |").map(str::trim).collect());
        }
    }
    rows
}

/// The tests a text names, as file and name.
fn named(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let pairs = quoted.filter_map(|words| words.rsplit_once("::"));
    pairs.filter(|(file, test)| !file.is_empty() || !test.is_empty()).collect()
}

/// Where the tests of `name` are: a file below `tests/` or `src/`, or the first of a folder.
fn file(name: &str) -> Option<PathBuf> {
    let below = if name.starts_with("src/") { root().to_owned() } else { root().join("tests") };
    let choices = [format!("{name}.rs"), format!("{name}/main.rs"), format!("{name}/mod.rs")];
    choices.iter().map(|choice| below.join(choice)).find(|path| path.is_file())
}

/// Whether `source` has a test of this name.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let wanted = [format!("fn {name}("), format!("async fn {name}(")];
    let is_it = |line: &str| wanted.iter().any(|wanted| line.starts_with(wanted));
    let marked = |at: usize| {
        let before = lines[..at].iter().rev();
        before.take_while(|line| line.starts_with("#[")).any(|line| line.ends_with("test]"))
    };
    lines.iter().enumerate().any(|(at, line)| is_it(line) && marked(at))
}

/// What is wrong with a page.
fn complaints(page: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, test) in named(page) {
        let source = file(name).and_then(|path| std::fs::read_to_string(path).ok());
        match source {
            None => complaints.push(format!("`{name}::{test}`: there is no such file")),
            Some(source) if !has_test(&source, test) => {
                complaints.push(format!("`{name}::{test}`: there is no such test"));
            }
            Some(_) => {}
        }
    }
    for row in rows(page) {
        let said = row.iter().any(|cell| {
            ["supported", "differs", "not"].iter().any(|word| {
                cell.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
            })
        });
        let shown = row.last().is_some_and(|cell| !named(cell).is_empty());
        let left_out = row.iter().any(|cell| *cell == "not" || cell.starts_with("not:"));
        if !said {
            complaints.push(format!("supported, differs or not? {}", row.join(" | ")));
        }
        if !shown && !left_out {
            complaints.push(format!("no test shows: {}", row.join(" | ")));
        }
    }
    complaints
}

#[test]
fn every_test_the_page_names_exists() {
    let complaints = complaints(&page());
    assert!(complaints.is_empty(), "docs/standards.md:\n{}", complaints.join("\n"));
}

#[test]
fn every_file_of_an_rfcs_tests_is_named() {
    let page = page();
    let named: BTreeSet<&str> = named(&page).into_iter().map(|(name, _)| name).collect();
    let mut files = 0;
    let mut look = |path: &Path| {
        let source = std::fs::read_to_string(path).expect("readable");
        let inner = path.strip_prefix(root().join("tests")).expect("below tests/");
        let inner = inner.to_str().expect("UTF-8").trim_end_matches(".rs");
        if source.contains("#[test]") {
            files += 1;
            assert!(named.contains(inner), "docs/standards.md names no test of tests/{inner}.rs");
        }
    };
    for entry in std::fs::read_dir(root().join("tests")).expect("tests/").flatten() {
        if entry.file_name().to_string_lossy().starts_with("rfc") {
            if entry.path().is_file() {
                look(&entry.path());
            } else {
                let inner = std::fs::read_dir(entry.path()).expect("a folder");
                inner.flatten().for_each(|inner| look(&inner.path()));
            }
        }
    }
    assert!(files > 20, "only {files} files were found");
}

#[test]
fn mistakes_are_seen() {
    let head = "| section | what | | shown by |\n|---|---|---|---|\n";
    let wrong = |row: &str| !complaints(&format!("{head}{row}\n")).is_empty();
    assert!(!wrong("| 1 | this | supported | `standards::mistakes_are_seen` |"));
    assert!(!wrong("| 1 | that | not | |"));
    assert!(wrong("| 1 | this | supported | `standards::nobody_wrote_this` |"));
    assert!(wrong("| 1 | this | supported | `nowhere::mistakes_are_seen` |"));
    assert!(wrong("| 1 | a function that is no test | supported | `standards::rows` |"));
    assert!(wrong("| 1 | this | supported | |"));
    assert!(wrong("| 1 | this | perhaps | `standards::mistakes_are_seen` |"));
}
