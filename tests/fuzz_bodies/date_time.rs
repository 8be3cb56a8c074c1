//! Any text as a date and time: no panic, and a second more in the text is a second more in the time.

use relayhouse::time::UnixTime;

/// Reads `bytes` as a date and time.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(at) = UnixTime::parse(text) else { return };
    // The furthest a text of this form reaches: the last day of 9999, seen from the far west.
    assert!(at.0 <= 253_402_300_800 + 86_400);
    let to_the_second = |rest: &&str| rest.ends_with(':') && rest.matches(':').count() == 2;
    if let Some(minute) = text.strip_suffix("00Z").filter(to_the_second) {
        let later = UnixTime::parse(&format!("{minute}01Z")).expect("the next second");
        assert!(later.0 == at.0 + 1 || later.0 == 0);
    }
}
