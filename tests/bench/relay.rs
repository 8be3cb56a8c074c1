//! `relayhouse bench` against the running server: that it counts what happens. How fast anything is, is no test.

use std::time::Duration;

use crate::support::server::{Server, Start, run_to_end};
use serde_json::Value;

const SECRET: &str = "benched";
const SOON: Duration = Duration::from_secs(60);

fn server() -> Server {
    Start::default()
        .arg("--secret")
        .arg(SECRET)
        .set("quota.allocations_per_user", "0")
        .set("listen.tls", r#"["127.0.0.1:0"]"#)
        .start()
}

/// What a run of a second says of a server at `address`.
fn bench(address: std::net::SocketAddr, server: &Server, words: &str) -> Value {
    let (address, pid) = (address.to_string(), server.pid().to_string());
    let mut args = vec!["bench", "--json", "--seconds", "1", "--server", &address];
    args.extend(["--server-pid", &pid]);
    args.extend(words.split_whitespace());
    let (code, out, err) = run_to_end(&args, SOON);
    assert_eq!(code, Some(0), "{words}: {err}\n{}", server.text());
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{words}: {error} in {out}"))
}

fn number(report: &Value, key: &str) -> f64 {
    report[key].as_f64().unwrap_or_else(|| panic!("no {key} in {report}"))
}

#[test]
fn every_packet_of_a_slow_load_arrives_whatever_carries_it() {
    let server = server();
    let (udp, tcp, tls) = (server.udp(), server.tcp(), server.tls());
    for (transport, address) in [("udp", udp), ("tcp", tcp), ("tls", tls)] {
        for shape in [
            "--direction up --burst 4",
            "--direction down --burst 4 --indications",
            "--direction both --flows 3 --burst 1 --size 160",
        ] {
            let words = format!("--secret {SECRET} --rate 400 --transport {transport} {shape}");
            let report = bench(address, &server, &words);
            let (sent, received) = (number(&report, "sent"), number(&report, "received"));
            // Some of the last may still be under way on a machine that is busy with other tests.
            assert!(sent >= 100.0 && received > 0.9 * sent, "{words}: {report}");
            assert!(number(&report, "serverNanosPerPacket") > 0.0, "{words}: {report}");
            let delay = |name: &str| number(&report["delayMicros"], name);
            assert!(delay("p50") > 0.0 && delay("p50") <= delay("p99"), "{words}: {report}");
            assert_eq!(report["transport"], transport);
        }
    }
}

#[test]
fn as_much_as_goes_goes() {
    let server = server();
    for words in ["--direction down --flows 40 --burst 1", "--direction up --burst 128", "--singly"]
    {
        let report = bench(server.udp(), &server, &format!("--secret {SECRET} {words}"));
        assert!(number(&report, "received") > 1000.0, "{words}: {report}");
        assert!(number(&report, "received") <= number(&report, "sent"), "{words}: {report}");
    }
}

#[test]
fn a_server_that_refuses_is_quoted() {
    let server = server();
    let address = server.udp().to_string();
    let wrong = ["bench", "--server", &address, "--secret", "another"];
    let (code, out, err) = run_to_end(&wrong, SOON);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(err.contains("the server refuses allocate: 401"), "{err}");
}
