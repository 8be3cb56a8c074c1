//! The command line. Named flags are keys of the configuration under a shorter name.

mod users;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::config::{CONFIG_VARIABLE, Flag, Sources, parse_duration};
use crate::creds::SecretId;
use crate::creds::api_key::Scope;
use crate::store::EventKind;

pub(super) use users::{PasswordArgs, UsersCommand};

/// STUN/TURN relay, credentials and signalling for WebRTC in one program.
///
/// Starts with no configuration at all: makes a secret, finds its addresses and prints what to put
/// into a page. `relayhouse --print-defaults` shows every key there is.
#[derive(Parser)]
#[command(name = "relayhouse", version, args_conflicts_with_subcommands = false)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) options: Options,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// What to do; `run` when nothing is said.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Start the server (what happens without a command)
    Run,
    /// List the allocations that are open, or end one
    Allocations(AllocationsArgs),
    /// Print a TURN credential made from the configured secret
    Credentials(CredentialsArgs),
    /// Make, list and revoke the API keys of applications
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Show the newest events of the audit trail
    Events(EventsArgs),
    /// Ask about the hooks
    Hooks {
        #[command(subcommand)]
        command: HooksCommand,
    },
    /// Print a link to the page that may make rooms
    Link,
    /// Measure a TURN server, this or any other, by relaying packets through it
    Bench(Box<super::bench::Options>),
    /// Rotate and list the secrets that TURN credentials are made with
    Secret {
        #[command(subcommand)]
        command: SecretCommand,
    },
    /// Add, change, list, import and remove the people who may log in
    Users {
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// Let the running server refuse new allocations and stop when the last one is gone
    Drain {
        /// Return only when it has stopped
        #[arg(long)]
        wait: bool,
    },
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AllocationsArgs {
    #[command(subcommand)]
    pub(super) command: Option<AllocationsCommand>,
    /// Of this user or username alone
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Print them as a JSON array
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum AllocationsCommand {
    /// End one; its client learns of it by its next request
    End {
        /// Its id, from `allocations`
        id: u64,
    },
}

#[derive(Args)]
pub(super) struct CredentialsArgs {
    /// Whose credential it is; quotas count by this name
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// How long it opens new allocations, such as 1h [default: auth.credential_ttl]
    #[arg(long, value_name = "TIME", value_parser = ttl)]
    pub(super) ttl: Option<Duration>,
    /// Print it as a JSON object with iceServers
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args)]
pub(super) struct EventsArgs {
    /// Only events of this room
    // One name in 64 begins so.
    #[arg(long, value_name = "ROOM", allow_hyphen_values = true)]
    pub(super) room: Option<String>,
    /// Only events of this type, such as joined
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    pub(super) kind: Option<EventKind>,
    /// Only what happened in this time until now, such as 2h
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) since: Option<Duration>,
    /// So many at most
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(super) limit: u32,
    /// Print JSON, one event a line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum HooksCommand {
    /// List where events are sent to, and how many deliveries wait
    List,
    /// Print the secret that deliveries are signed with
    Secret,
    /// Send every hook a signed event of the type ping
    Test,
}

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key and print it: it is shown this once. Or take one that is there already
    Add {
        /// What it may do: mint (ICE servers), rooms (make rooms and invites), admin
        #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true, value_parser = scope)]
        scope: Vec<Scope>,
        /// What to list it as
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Take the key in this file (- is standard input) instead of making one: rk_ and 32 to 128
        /// characters of base64url
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// List the keys
    List,
    /// Refuse a key from now on
    Revoke {
        /// Its id, from `keys list`
        id: String,
    },
}

#[derive(Subcommand)]
pub(super) enum SecretCommand {
    /// Make a new secret that mints from now on; the one before is accepted for a while
    Rotate {
        /// How long credentials of the one before are accepted, such as 25h; 0s ends it at once
        /// [default: auth.credential_ttl and an hour]
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        overlap: Option<Duration>,
    },
    /// List the secrets by id: what each is for, until when, and when it was last used
    List {
        /// Print it as a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Accept credentials of one more secret, read from standard input or a file
    Add {
        /// Read it from this file, not from standard input
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// How long it is accepted, such as 30d [default: until it is removed]
        #[arg(long = "for", value_name = "TIME", value_parser = ttl)]
        lasts: Option<Duration>,
    },
    /// Refuse credentials of a secret from now on
    Remove {
        /// Its id, from `secret list`
        id: SecretId,
    },
    /// Print a secret itself, to put it into another program
    Show {
        /// Its id, from `secret list`; without, the one that mints
        id: Option<SecretId>,
    },
}

/// Where the configuration comes from. The same for every command.
#[derive(Args)]
pub(super) struct Options {
    /// Read this configuration file [env: RELAYHOUSE_CONFIG]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Set any key, such as --set quota.allocations=100 (repeatable)
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    set: Vec<String>,
    /// Try it out on this machine: loopback only, everybody may mint credentials and make rooms
    #[arg(long, global = true)]
    dev: bool,
    /// Check the configuration, report every mistake, and exit with 0 or 2
    #[arg(long, conflicts_with_all = ["print_config", "print_defaults"])]
    pub(super) check: bool,
    /// Print the effective configuration without its secrets, and exit
    #[arg(long)]
    pub(super) print_config: bool,
    /// Print every key at its default, explained, and exit
    #[arg(long, conflicts_with = "print_config")]
    pub(super) print_defaults: bool,
    /// Serve STUN and TURN over UDP and TCP here (listen.udp and listen.tcp, repeatable)
    #[arg(long, value_name = "ADDR:PORT", global = true)]
    listen: Vec<String>,
    /// Serve the page, the API and signalling here (http.listen, repeatable)
    #[arg(long, value_name = "ADDR:PORT", global = true)]
    http: Vec<String>,
    /// A secret shared with applications (auth.secrets, repeatable); seen by every user of this
    /// host: prefer RELAYHOUSE_AUTH__SECRETS_FILE
    #[arg(long, value_name = "SECRET", global = true)]
    secret: Vec<String>,
    /// The realm of TURN authentication (realm)
    #[arg(long, value_name = "REALM", global = true)]
    realm: Option<String>,
    /// Open relayed ports on this address of the host, or auto (relay.addresses, repeatable)
    #[arg(long, value_name = "IP", global = true)]
    relay_address: Vec<String>,
    /// The public name of a relay address: PUBLIC or PUBLIC/PRIVATE (relay.external, repeatable)
    #[arg(long, value_name = "IP[/IP]", global = true)]
    external_address: Vec<String>,
    /// Take relayed ports from this range (relay.ports)
    #[arg(long, value_name = "A-B", global = true)]
    relay_ports: Option<String>,
    /// Keep what must survive a restart here (data_dir)
    #[arg(long, value_name = "FOLDER", global = true)]
    data_dir: Option<String>,
}

impl Options {
    /// What to load, with the environment of this process. Variables that are not UTF-8 are none
    /// of ours.
    pub(super) fn sources(&self) -> Sources {
        let environment: Vec<_> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = environment.iter().find(|(name, _)| name == CONFIG_VARIABLE);
        let one = |value: &Option<String>| value.iter().cloned().collect();
        let flag = |name, key, values| Flag { name, key, values };
        Sources {
            file: self.config.clone().or_else(|| named.map(|(_, path)| path.into())),
            flags: vec![
                flag("--listen", "listen.udp", self.listen.clone()),
                flag("--http", "http.listen", self.http.clone()),
                flag("--secret", "auth.secrets", self.secret.clone()),
                flag("--realm", "realm", one(&self.realm)),
                flag("--relay-address", "relay.addresses", self.relay_address.clone()),
                flag("--external-address", "relay.external", self.external_address.clone()),
                flag("--relay-ports", "relay.ports", one(&self.relay_ports)),
                flag("--data-dir", "data_dir", one(&self.data_dir)),
            ],
            set: self.set.clone(),
            dev: self.dev,
            environment,
        }
    }
}

fn ttl(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        ttl if ttl.is_zero() => Err("write at least \"1s\"".to_owned()),
        ttl => Ok(ttl),
    }
}

fn kind(text: &str) -> Result<EventKind, String> {
    let words: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    EventKind::from_word(text.trim()).ok_or_else(|| format!("write one of {}", words.join(", ")))
}

fn scope(text: &str) -> Result<Scope, String> {
    let known = Scope::ALL.into_iter().find(|scope| scope.name() == text.trim());
    known.ok_or_else(|| "write mint, rooms or admin, separated by commas".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn run_is_what_happens_without_a_command() {
        let cli = Cli::try_parse_from(["relayhouse", "--dev"]).expect("parses");
        assert!(cli.command.is_none() && cli.options.dev);
    }

    #[test]
    fn options_may_stand_behind_a_command() {
        let cli = Cli::try_parse_from(["relayhouse", "keys", "list", "--data-dir", "x"]);
        assert_eq!(cli.expect("parses").options.data_dir.as_deref(), Some("x"));
    }

    #[test]
    fn a_room_may_have_a_name_that_looks_like_a_flag() {
        let cli = Cli::try_parse_from(["relayhouse", "events", "--room", "-tq", "--limit", "2"]);
        let Some(Command::Events(events)) = cli.expect("parses").command else { panic!("events") };
        assert_eq!((events.room.as_deref(), events.limit), (Some("-tq"), 2));
    }
}
