//! `relayhouse bench`: a load generator for any TURN server.
//!
//! It opens allocations, binds a channel of each to a peer of its own, sends payloads through them and
//! counts what comes out at the other end, with its delay. With the server's process id it says what a
//! relayed packet cost there. Trains of datagrams leave and arrive with one call, so that the generator
//! costs little beside the server; where it was the bottleneck all the same, it says so. Bystanders, if
//! wanted, tell what the load does to others.
//!
//! Beside relaying it measures what comes before: allocations a second, what one costs in memory, and
//! floods of requests and of junk.

mod allocations;
mod bystanders;
mod client;
mod cost;
mod count;
mod crowd;
mod delay;
mod flood;
mod flood_report;
mod flow;
mod identity;
mod idle;
mod junk;
mod load;
mod options;
mod payload;
mod report;
mod send;
mod session;
mod stream;
mod volley;
mod window;
mod wire;

use std::io;
use std::thread;

use serde_json::Value;

pub(super) use options::Options;

use super::Failure;
use crate::relay::raise_descriptor_limit;
use bystanders::Bystanders;
use client::Client;
use flow::Flows;
use options::{Load, Plan};
use report::{Felt, Report};

/// Runs the load and prints what came of it.
///
/// # Errors
/// When the server cannot be reached, refuses, or the options do not fit together.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let plan = options.plan().map_err(Failure::Runtime)?;
    // Each flow needs a descriptor; where the limit stays low, opening says so.
    let _ = raise_descriptor_limit();
    let (object, text) = measure(&plan).map_err(|error| Failure::Runtime(error.to_string()))?;
    match options.json {
        true => println!("{object}"),
        false => print!("{text}"),
    }
    Ok(())
}

/// What came of the plan's load, as an object and as text.
fn measure(plan: &Plan) -> io::Result<(Value, String)> {
    Ok(match plan.load {
        Load::Relay => {
            let _beside = idle::stand(plan, plan.beside)?;
            let report = relay(plan, Flows::open(plan)?)?;
            (report.json(), report.to_string())
        }
        Load::Allocations => {
            let report = allocations::run(plan)?;
            (report.json(), report.to_string())
        }
        Load::Idle => {
            let report = idle::run(plan)?;
            (report.json(), report.to_string())
        }
        Load::Bindings | Load::Challenges | Load::Guesses | Load::Junk => {
            let report = flood::run(plan)?;
            (report.json(), report.to_string())
        }
    })
}

/// A relayed load; and if there are to be bystanders, them alone before it and beside it.
fn relay(plan: &Plan, flows: Flows) -> io::Result<Report> {
    if plan.bystanders == 0 {
        return load::run(plan, flows);
    }
    let others = Bystanders::open(plan)?;
    let alone = others.alone(plan.time)?;
    let (report, beside) = thread::scope(|scope| {
        let watching = scope.spawn(|| others.beside(plan.time));
        let report = load::run(plan, flows);
        (report, watching.join().unwrap_or_else(|_| Err(io::Error::other("a bug"))))
    });
    Ok(Report {
        bystanders: Some(Felt { count: others.count(), alone, beside: beside? }),
        ..report?
    })
}

/// A sentence about what went wrong with the server, as an error of the network.
fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::other(what.into())
}
