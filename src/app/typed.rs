//! A secret that somebody types, pipes in or keeps in a file: never an argument, which every user of
//! the host can read. What is typed is not shown.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::Failure;
use super::cli::PasswordArgs;
use crate::creds::Secret;

/// More than this is not a line somebody meant, bytes.
const LONGEST: u64 = 64 * 1024;

/// One line from `file`, or else from standard input (also as `-`); from a terminal it is read without
/// showing it. The line's end does not belong to it.
///
/// # Errors
/// When it cannot be read, or is not a line.
pub(super) fn line(file: Option<&Path>, prompt: &str) -> Result<Secret, Failure> {
    let (text, from) = match file.filter(|path| *path != Path::new("-")) {
        Some(path) => (File::open(path).and_then(whole), path.display().to_string()),
        None if std::io::stdin().is_terminal() => return asked(prompt),
        None => (whole(std::io::stdin()), "standard input".to_owned()),
    };
    let text = text.map_err(|error| Failure::Unusable(format!("cannot read {from}: {error}")))?;
    let text = Zeroizing::new(text);
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line.is_empty() || line.contains('\n') {
        true => Err(Failure::Unusable(format!("{from} must be one line: the secret"))),
        false => Ok(Secret::from(line)),
    }
}

fn whole(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST).read_to_string(&mut text).map(|_| text)
}

/// A password somebody chooses for `name`: asked for twice, unless it comes from a file or a pipe.
///
/// # Errors
/// When it cannot be read, or there is nobody to ask.
pub(super) fn new_password(args: &PasswordArgs, name: &str) -> Result<Secret, Failure> {
    let prompt = format!("Password for {}: ", name.escape_debug());
    if args.password_file.is_some() || args.password_stdin {
        return line(args.password_file.as_deref(), &prompt);
    }
    if !std::io::stdin().is_terminal() {
        let what = "there is no terminal to ask for the password on; use --password-file FILE or \
                    --password-stdin";
        return Err(Failure::Unusable(what.to_owned()));
    }
    let first = asked(&prompt)?;
    let again = asked("Once more: ")?;
    match first.expose() == again.expose() {
        true => Ok(first),
        false => Err(Failure::Unusable("these are two different passwords".to_owned())),
    }
}

fn asked(prompt: &str) -> Result<Secret, Failure> {
    let typed = rpassword::prompt_password(prompt);
    let failed = |error| Failure::Unusable(format!("cannot ask on this terminal: {error}"));
    typed.map(Secret::from).map_err(failed)
}
