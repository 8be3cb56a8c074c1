//! The program around the library: arguments, configuration, wiring, log, metrics, shutdown.
//!
//! Exit codes: 0 for a clean end, 1 when something outside failed, 2 for wrong usage or
//! configuration.

mod cli;
pub mod clock;
pub mod config;
pub mod desk;
mod failure;
pub mod log;
pub mod metrics;
pub mod run;

use std::process::ExitCode;

use clap::Parser;

use cli::{AllocationsArgs, AllocationsCommand, Cli, Command, KeysCommand};
use desk::Request;
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
        let certificate = if cli.options.check { run::tls::check(&loaded)? } else { None };
        loaded.warnings.iter().chain(&certificate).for_each(|what| eprintln!("warning: {what}"));
        if cli.options.print_config {
            print!("{}", loaded.effective.to_toml());
        }
        return Ok(());
    }
    let (request, json) = match &cli.command {
        None | Some(Command::Run) => return run::run(loaded, sources),
        Some(Command::Allocations(AllocationsArgs { command: None, user, json })) => {
            return allocations(&loaded, user.as_deref(), *json);
        }
        Some(Command::Allocations(AllocationsArgs {
            command: Some(AllocationsCommand::End { id }),
            ..
        })) => (Request::AllocationsEnd { id: *id }, false),
        Some(Command::Credentials(args)) => {
            let (user, ttl) = (args.user.clone(), args.ttl.map(|ttl| ttl.as_secs()));
            (Request::Credentials { user, ttl }, args.json)
        }
        Some(Command::Keys { command: KeysCommand::Add { scope, name } }) => {
            (Request::KeysAdd { scopes: scope.clone(), name: name.clone() }, false)
        }
        Some(Command::Keys { command: KeysCommand::List }) => (Request::KeysList, false),
        Some(Command::Keys { command: KeysCommand::Revoke { id } }) => {
            (Request::KeysRevoke { id: id.clone() }, false)
        }
        Some(Command::Link) => (Request::Link, false),
        Some(Command::Drain { .. }) => (Request::Drain, false),
    };
    let answer = run::offline::ask(&loaded, &request)?;
    print!("{}", desk::client::printed(&request, &answer, json));
    if let Some(Command::Drain { wait: true }) = cli.command {
        desk::client::wait_until_gone(&loaded.config.data_dir);
    }
    Ok(())
}

/// Prints every open allocation, a page after the other: nobody waits for the last to see the first.
fn allocations(loaded: &config::Loaded, user: Option<&str>, json: bool) -> Result<(), Failure> {
    let mut after = 0;
    let mut list = desk::allocations::List::new(json);
    loop {
        let request = Request::Allocations { after, user: user.map(str::to_owned) };
        let page = run::offline::ask(loaded, &request)?;
        print!("{}", list.page(&page));
        match desk::allocations::next(&page) {
            Some(next) => after = next,
            None => break,
        }
    }
    print!("{}", list.end());
    Ok(())
}
