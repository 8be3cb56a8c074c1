//! `relayhouse bench` against this server: each load asks what its name says, gets the answer it should, and
//! leaves nothing behind. What the server costs meanwhile is no matter of tests.

use std::process::Command;

use crate::support::http;
use crate::support::server::{BINARY, Server, Start, clean_environment};
use serde_json::Value;

fn server() -> Server {
    let start = Start::default().arg("--secret").arg("north");
    start.set("limits.unauthenticated_rate", "0").set("quota.allocations_per_user", "0").start()
}

/// The report of a run of a second.
fn bench(server: &Server, words: &str) -> Value {
    let (udp, pid) = (server.udp().to_string(), server.pid().to_string());
    let mut command = Command::new(BINARY);
    clean_environment(&mut command);
    command.args(["bench", "--json", "--seconds", "1", "--secret", "north"]);
    command.args(["--server", &udp, "--server-pid", &pid]).args(words.split_whitespace());
    let done = command.output().expect("the generator starts");
    let (said, failed) = (done.stdout, String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&said).unwrap_or_else(|_| panic!("{words}: {failed}"))
}

fn number(report: &Value, name: &str) -> f64 {
    report[name].as_f64().unwrap_or_else(|| panic!("no {name} in {report}"))
}

fn open_allocations(server: &Server) -> String {
    let page = http::get(&server.url("/metrics"), None).expect(200).body;
    let line = page.lines().find_map(|line| line.strip_prefix("relayhouse_allocations "));
    line.unwrap_or_else(|| panic!("{page}")).to_owned()
}

#[test]
fn every_allocation_that_is_opened_is_given_back() {
    let server = server();
    let report = bench(&server, "--load allocations --flows 8");
    assert!(number(&report, "opened") > 8.0, "{report}");
    assert_eq!((&report["refused"], &report["unanswered"]), (&serde_json::json!({}), &0.into()));
    assert!(number(&report, "serverNanosPerAllocation") > 0.0);
    assert_eq!(open_allocations(&server), "0");
}

#[test]
fn a_rate_of_allocations_is_kept() {
    let report = bench(&server(), "--load allocations --flows 8 --rate 50");
    let opened = number(&report, "opened");
    assert!((1.0..=51.0).contains(&opened), "{report}");
}

#[test]
fn every_flood_is_answered_as_it_should_be() {
    let server = server();
    for (load, answer) in [("bindings", "success"), ("challenges", "401"), ("guesses", "401")] {
        let report = bench(&server, &format!("--load {load} --flows 4 --burst 2 --rate 500"));
        let answers = report["answers"].as_object().expect("an object");
        assert_eq!(answers.keys().collect::<Vec<_>>(), [answer], "{report}");
        assert_eq!(report["answered"], answers[answer]);
        assert!(number(&report, "serverNanosPerPacket") > 0.0);
    }
    assert_eq!(open_allocations(&server), "0");
}

#[test]
fn junk_is_looked_at_and_never_answered() {
    // More at once than one call takes.
    let report = bench(&server(), "--load junk --flows 4 --burst 100 --size 60 --rate 2000");
    assert_eq!(report["answered"], 0);
    assert!(number(&report, "handled") > 0.0, "{report}");
    assert_eq!(number(&report, "sent") % 100.0, 0.0, "bursts leave whole: {report}");
}

#[test]
fn idle_allocations_are_weighed_and_may_stand_beside_others() {
    let server = server();
    let report = bench(&server, "--load idle --flows 100");
    assert!(number(&report, "serverBytesAfter") > number(&report, "serverBytesBefore"), "{report}");
    // Those of the first run stand until they end by themselves.
    let report = bench(&server, "--flows 2 --size 100 --burst 1 --rate 100 --beside 50");
    assert!(number(&report, "received") > 0.0, "{report}");
    assert_eq!(open_allocations(&server), "152");
}

#[test]
fn an_option_that_means_nothing_to_a_load_is_refused_with_a_sentence() {
    let words = ["bench", "--server", "127.0.0.1:9", "--load", "junk", "--direction", "down"];
    let done = Command::new(BINARY).args(words).output().expect("the generator starts");
    assert!(!done.status.success());
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("--direction means nothing to --load junk"), "{said}");
}
