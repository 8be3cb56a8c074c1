//! Any text as a configuration file: it is read, or refused with a place for every complaint.

use relayhouse::app::config::{Place, from_text};

/// Reads `data` as a configuration file.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Err(problems) = from_text("fuzz.toml", text) else { return };
    assert!(problems.iter().next().is_some(), "a refusal says why");
    let lines = text.matches('\n').count() + 1;
    for problem in problems.iter() {
        match &problem.place {
            Place::File { line, column, .. } => {
                assert!((1..=lines).contains(line) && *column >= 1, "{problem} lies in the file");
            }
            Place::Default => {}
            place => panic!("{place:?} is no place in a file"),
        }
        assert!(!problem.what.is_empty());
        assert!(!problem.to_string().contains('\u{1b}'), "an escape reaches the terminal");
    }
}
