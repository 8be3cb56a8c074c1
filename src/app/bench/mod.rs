//! `relayhouse bench`: a load generator for any TURN server.
//!
//! It opens allocations, binds a channel of each to a peer of its own, sends payloads through them and
//! counts what comes out at the other end, with its delay. With the server's process id it says what a
//! relayed packet cost there. Trains of datagrams leave and arrive with one call, so that the generator
//! costs little beside the server; where it was the bottleneck all the same, it says so. Bystanders, if
//! wanted, tell what the load does to others.

mod bystanders;
mod client;
mod cost;
mod count;
mod delay;
mod flow;
mod load;
mod options;
mod payload;
mod report;
mod send;
mod stream;
mod window;
mod wire;

use std::io;
use std::thread;

pub(super) use options::Options;

use super::Failure;
use bystanders::Bystanders;
use client::Client;
use flow::Flows;
use options::Plan;
use report::{Felt, Report};

/// Runs the load and prints what came of it.
///
/// # Errors
/// When the server cannot be reached, refuses, or the options do not fit together.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let failed = |what: String| Failure::Runtime(what);
    let plan = options.plan().map_err(failed)?;
    let flows = Flows::open(&plan).map_err(|error| failed(error.to_string()))?;
    let report = measure(&plan, flows).map_err(|error| failed(error.to_string()))?;
    match options.json {
        true => println!("{}", report.json()),
        false => print!("{report}"),
    }
    Ok(())
}

/// The load; and if there are to be bystanders, them alone before it and beside it.
fn measure(plan: &Plan, flows: Flows) -> io::Result<Report> {
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
