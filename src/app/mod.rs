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
mod people;
pub mod run;
pub mod trail;
mod typed;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::creds::api_key;
use crate::store::KeyHash;
use cli::{
    AllocationsArgs, AllocationsCommand, Cli, Command, HooksCommand, KeysCommand, SecretCommand,
};
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
        Some(Command::Keys { command: KeysCommand::Add { scope, name, key_file } }) => {
            let hash = key_file.as_deref().map(brought_key).transpose()?;
            (Request::KeysAdd { scopes: scope.clone(), name: name.clone(), hash }, false)
        }
        Some(Command::Keys { command: KeysCommand::List }) => (Request::KeysList, false),
        Some(Command::Keys { command: KeysCommand::Revoke { id } }) => {
            (Request::KeysRevoke { id: id.clone() }, false)
        }
        Some(Command::Events(args)) => {
            let since = args.since.map(|ago| clock::unix().0.saturating_sub(ago.as_secs()));
            let kind = args.kind.map(|kind| kind.as_str().to_owned());
            (Request::Events { room: args.room.clone(), kind, since, limit: args.limit }, args.json)
        }
        Some(Command::Hooks { command: HooksCommand::List }) => (Request::HooksList, false),
        Some(Command::Hooks { command: HooksCommand::Secret }) => (Request::HooksSecret, false),
        Some(Command::Hooks { command: HooksCommand::Test }) => (Request::HooksTest, false),
        Some(Command::Link) => (Request::Link, false),
        Some(Command::Secret { command }) => secret(command)?,
        Some(Command::Users { command }) => people::request(command)?,
        Some(Command::Drain { .. }) => (Request::Drain, false),
    };
    let answer = run::offline::ask(&loaded, &request)?;
    print!("{}", desk::client::printed(&request, &answer, json));
    if let Some(Command::Drain { wait: true }) = cli.command {
        desk::client::wait_until_gone(&loaded.config.data_dir);
    }
    Ok(())
}

/// The hash of a key that is there already.
fn brought_key(file: &Path) -> Result<KeyHash, Failure> {
    let key = typed::line(Some(file), "Key: ")?;
    match api_key::is_key(key.expose()) {
        true => Ok(api_key::hash(key.expose())),
        false => {
            let what = "a key is rk_ and 32 to 128 characters of base64url";
            Err(Failure::Unusable(what.to_owned()))
        }
    }
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

/// What is asked about secrets, and whether the answer is wanted as JSON.
fn secret(command: &SecretCommand) -> Result<(Request, bool), Failure> {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
    Ok(match command {
        SecretCommand::Rotate { overlap } => {
            (Request::SecretRotate { overlap: seconds(*overlap) }, false)
        }
        SecretCommand::List { json } => (Request::SecretList, *json),
        SecretCommand::Add { file, lasts } => {
            let secret = typed::line(file.as_deref(), "Secret: ")?;
            (Request::SecretAdd { secret, lasts: seconds(*lasts) }, false)
        }
        SecretCommand::Remove { id } => (Request::SecretRemove { id: *id }, false),
        SecretCommand::Show { id } => {
            eprintln!("whoever has this secret lets anybody in: keep it out of files and logs");
            (Request::SecretShow { id: *id }, false)
        }
    })
}
