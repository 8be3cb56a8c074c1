//! The examples in `docs/` and the README, run as a reader would run them.
//!
//! A fence ```` ```sh run ```` holds commands. All of a page run in order in one bash, in an empty folder,
//! against a fresh server at `$URL` that is closed to strangers, with `relayhouse` on the `PATH` and
//! its data folder in `RELAYHOUSE_DATA_DIR`. A ```` ```json ```` fence behind one is what its last command
//! prints: the same keys and types; values differ from run to run. A page whose server needs other
//! settings says so in a comment, `<!-- server: --set dialects.open=tunnel -->`.

#[path = "../support/mod.rs"]
mod support;

mod page;
mod shape;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use page::{Example, Page};
use support::server::{BINARY, Start};
use support::tools::run_limited;

/// How long the examples of one page may take together.
const PATIENCE: Duration = Duration::from_secs(60);

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).expect("docs/ is there");
    let docs = docs.map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<_> =
        docs.filter(|path| path.extension().is_some_and(|x| x == "md")).collect();
    pages.push(root.join("README.md"));
    pages.sort();
    pages
}

#[test]
fn every_example_of_the_documentation_runs() {
    let mut ran = 0;
    let mut failures = Vec::new();
    for path in pages() {
        let text = std::fs::read_to_string(&path).expect("a page is text");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let page = Page::read(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        ran += page.examples.len();
        if !page.examples.is_empty()
            && let Err(why) = run(&page)
        {
            failures.push(format!("{name}: {why}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(ran > 0, "no page has an example");
}

#[test]
fn each_thing_around_the_call_has_a_page_with_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for name in ["credentials", "dialects", "hooks", "pages", "signalling", "users-and-keys"] {
        let text = std::fs::read_to_string(root.join(format!("{name}.md"))).expect(name);
        let page = Page::read(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(!page.examples.is_empty(), "{name} has no example that runs");
    }
}

/// Runs a page's examples against a server of its own.
fn run(page: &Page) -> Result<(), String> {
    let start = page.server.iter().fold(Start::default().closed(), |start, arg| start.arg(arg));
    let server = start.try_start().map_err(|failure| failure.to_string())?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (bin, work) = (folder.path().join("bin"), folder.path().join("work"));
    std::fs::create_dir(&bin).expect("a folder");
    std::fs::create_dir(&work).expect("a folder");
    symlink(BINARY, bin.join("relayhouse")).expect("a link");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(script(&page.examples)).current_dir(&work).stdin(Stdio::null());
    bash.env("PATH", format!("{}:{path}", bin.display()));
    bash.env("URL", server.url(""));
    bash.env("RELAYHOUSE_DATA_DIR", server.data_dir());
    let ended = run_limited(&mut bash, PATIENCE);
    check(&page.examples, &ended.stdout)
        .map_err(|why| format!("{why}\n--- output\n{}--- errors\n{}", ended.stdout, ended.stderr))
}

/// What stands alone on a line before the output of example number so many.
fn mark(number: usize) -> String {
    format!("=== example {number} ===")
}

fn script(examples: &[Example]) -> String {
    let mut script = String::from("set -euo pipefail\n");
    for (number, example) in examples.iter().enumerate() {
        script += &format!("echo '{}'\n{}\necho\n", mark(number), example.commands);
    }
    script + &format!("echo '{}'\n", mark(examples.len()))
}

/// Whether all ran, and printed what the page says.
fn check(examples: &[Example], output: &str) -> Result<(), String> {
    for (number, example) in examples.iter().enumerate() {
        let failed = |why: String| {
            format!("the example at line {} {why}:\n{}", example.line, example.commands)
        };
        let rest = output.split_once(&mark(number)).map(|(_, rest)| rest);
        let printed = rest.and_then(|rest| rest.split_once(&mark(number + 1)));
        let Some((printed, _)) = printed else {
            return Err(failed("does not run to its end".into()));
        };
        if let Some(wanted) = &example.answer {
            let got = shape::last_json(printed).ok_or_else(|| failed("prints no JSON".into()))?;
            shape::compare(wanted, &got, "answer").map_err(failed)?;
        }
    }
    Ok(())
}

#[test]
fn an_example_that_fails_is_seen() {
    let page = Page::read("```sh run\ntrue\n```\n\n```sh run\nfalse\n```\n").expect("a page");
    let why = run(&page).expect_err("the second fails");
    assert!(why.contains("line 5 does not run to its end"), "{why}");
}

#[test]
fn an_answer_of_another_shape_is_seen() {
    let text = "```sh run\necho '{\"a\": 1}'\n```\n\n```json\n{\"a\": \"text\"}\n```\n";
    let why = run(&Page::read(text).expect("a page")).expect_err("1 is no text");
    assert!(why.contains("answer.a"), "{why}");
}
