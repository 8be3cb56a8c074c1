//! Loads a signalling server with idle clients and with messages, and tells what that cost it.
//!
//! One thread speaks for all clients, so that it costs less than the server it measures. What a client
//! says is the protocol's business (`protocol`); who speaks, when, and what is counted is the same for all.

mod client;
mod connect;
mod crowd;
mod frame;
mod http;
mod load;
mod options;
mod protocol;
mod report;
mod stamp;
mod usage;

use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use clap::Parser;

use crowd::Crowd;
use options::Options;
use report::Report;
use usage::{Memory, Usage};

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(report) if options.json => println!("{}", report.json()),
        Ok(report) => println!("{report}"),
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run(options: &Options) -> Result<Report, String> {
    enough_files(options.clients())?;
    let protocol = options.protocol.words(options);
    let at_start = Memory::of(options.server_pid)?;
    let seats = protocol.prepare(options)?;
    // What making the rooms needed for a moment is given back first.
    sleep(Duration::from_millis(500));
    let prepared = Memory::of(options.server_pid)?;

    let mut crowd = Crowd::new(protocol.as_ref(), options);
    crowd.come_in(seats)?;
    let mut report = Report::new(options);
    if let Some(seconds) = options.idle {
        let before = Usage::of(options.server_pid)?;
        crowd.idle(Duration::from_secs(seconds));
        report.idle(&before.until_now(options.server_pid)?);
    }
    report.memory(&at_start, &prepared, &Memory::of(options.server_pid)?);

    if options.seconds > 0 {
        // At a rate first, before anything is heaped up.
        if options.rate > 0 {
            report.paced(&load::paced(&mut crowd, options)?);
        }
        report.saturated(&load::saturated(&mut crowd, options)?);
    }
    report.errors(crowd.errors(), crowd.first_error());
    Ok(report)
}

/// Each client is a socket.
fn enough_files(clients: usize) -> Result<(), String> {
    let limits = std::fs::read_to_string("/proc/self/limits").map_err(|why| why.to_string())?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let most = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    match most {
        Some(most) if most < clients + 64 => Err(format!(
            "{clients} clients need {} open files, {most} are allowed: ulimit -n",
            clients + 64
        )),
        _ => Ok(()),
    }
}
