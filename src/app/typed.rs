//! A secret that somebody types, pipes in or keeps in a file: never an argument, which every user of
//! the host can read.

use std::io::{IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::Failure;
use crate::creds::Secret;

/// More than this is not a line somebody meant, bytes.
const LONGEST: u64 = 64 * 1024;

/// One line from `file`, or from standard input; the line's end does not belong to it.
///
/// # Errors
/// When it cannot be read, or is more than a line.
pub(super) fn line(file: Option<&Path>, prompt: &str) -> Result<Secret, Failure> {
    let mut text = Zeroizing::new(String::new());
    let (read, from) = match file {
        Some(path) => {
            let opened = std::fs::File::open(path);
            let read = opened.and_then(|file| file.take(LONGEST).read_to_string(&mut text));
            (read, path.display().to_string())
        }
        None => {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                eprint!("{prompt}");
            }
            (stdin.take(LONGEST).read_to_string(&mut text), "standard input".to_owned())
        }
    };
    read.map_err(|error| Failure::Unusable(format!("cannot read {from}: {error}")))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line.is_empty() || line.contains('\n') {
        true => Err(Failure::Unusable(format!("{from} must hold one line: the secret"))),
        false => Ok(Secret::from(line)),
    }
}
