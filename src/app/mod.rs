//! The program around the library: arguments, configuration, wiring, log, metrics, shutdown.
//!
//! Exit codes: 0 for a clean end, 1 when something outside failed, 2 for wrong usage or
//! configuration.

mod cli;
pub mod clock;
pub mod config;
mod failure;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
pub use failure::Failure;

/// Runs the program.
pub fn main() -> ExitCode {
    match dispatch(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(cli: &Cli) -> Result<(), Failure> {
    if cli.options.print_defaults {
        print!("{}", config::defaults_toml());
        return Ok(());
    }
    let sources = cli.options.sources();
    let loaded = config::load(&sources)?;
    if cli.options.check || cli.options.print_config {
        loaded.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        if cli.options.print_config {
            print!("{}", loaded.effective.to_toml());
        }
        return Ok(());
    }
    match &cli.command {
        _ => Ok(()),
    }
}
