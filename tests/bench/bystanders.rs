//! `relayhouse bench` against the server itself: what it says of bystanders and of long bursts.

use std::time::Duration;

use serde_json::Value;

use crate::support::server::{Server, Start, run_to_end};

/// A run of the generator with these options, as it tells it.
fn bench(server: &Server, options: &[&str]) -> Value {
    let address = server.udp().to_string();
    let fixed = ["bench", "--json", "--secret", "north", "--seconds", "1", "--server", &address];
    let (code, out, err) = run_to_end(&[&fixed, options].concat(), Duration::from_secs(60));
    assert_eq!(code, Some(0), "{err}\n{}", server.text());
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

fn server() -> Server {
    Start::default().arg("--secret").arg("north").start()
}

#[test]
fn bystanders_are_watched_alone_and_beside_the_load() {
    let server = server();
    let said = bench(&server, &["--bystanders", "3", "--rate", "3200", "--size", "100"]);
    assert_eq!(said["bystanders"]["flows"], 3);
    for when in ["alone", "beside"] {
        for way in ["up", "down"] {
            let felt = &said["bystanders"][when][way];
            assert!(felt["sent"].as_u64() > Some(10), "{when}, {way}: {felt}");
            assert_eq!(felt["sent"], felt["received"], "{when}, {way}");
            let (p50, p99) = (&felt["delayMicros"]["p50"], &felt["delayMicros"]["p99"]);
            assert!(p50.as_f64() > Some(0.0) && p50.as_f64() <= p99.as_f64(), "{felt}");
        }
    }
    let load = &said["received"];
    assert_eq!(said["sent"], *load, "the load is counted apart from them");
}

#[test]
fn without_bystanders_nothing_is_said_of_them() {
    let said = bench(&server(), &["--rate", "320"]);
    assert_eq!(said["bystanders"], Value::Null);
}

#[test]
fn bursts_longer_than_a_train_go_whole_in_trains_or_one_by_one() {
    let server = server();
    for more in [&[][..], &["--singly"]] {
        for direction in ["up", "down"] {
            let fixed = ["--burst", "500", "--rate", "2000", "--direction", direction];
            let said = bench(&server, &[&fixed, more].concat());
            assert!(said["sent"].as_u64() >= Some(500), "{said}");
            assert_eq!(said["sent"].as_u64().map(|sent| sent % 500), Some(0), "{said}");
            assert_eq!(said["sent"], said["received"], "{said}");
        }
    }
}
