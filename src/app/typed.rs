//! A secret that somebody types, pipes in or keeps in a file: never an argument, which every user of
//! the host can read.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::Failure;
use crate::creds::Secret;

/// More than this is not a line somebody meant, bytes.
const LONGEST: u64 = 64 * 1024;

/// One line from `file`, or else from standard input; from a terminal it is read without showing it.
/// The line's end does not belong to it.
///
/// # Errors
/// When it cannot be read, or is not a line.
pub(super) fn line(file: Option<&Path>, prompt: &str) -> Result<Secret, Failure> {
    let (text, from) = match file {
        Some(path) => (File::open(path).and_then(whole), path.display().to_string()),
        None if std::io::stdin().is_terminal() => {
            (rpassword::prompt_password(prompt), "what was typed".to_owned())
        }
        None => (whole(std::io::stdin()), "standard input".to_owned()),
    };
    let text = text.map_err(|error| Failure::Runtime(format!("cannot read {from}: {error}")))?;
    let text = Zeroizing::new(text);
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line.is_empty() || line.contains('\n') {
        true => Err(Failure::Runtime(format!("{from} must be one line: the secret"))),
        false => Ok(Secret::from(line)),
    }
}

fn whole(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST).read_to_string(&mut text).map(|_| text)
}
