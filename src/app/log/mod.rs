//! The log: lines of text or JSON on stderr. Its level can be changed while the program runs.

pub mod events;
pub mod rooms;

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use super::config::{Log, LogFormat};

/// The log of this process.
#[derive(Clone, Debug)]
pub struct LogHandle(reload::Handle<Targets, Registry>);

/// Begins to log. Once per process; later calls change nothing but give back their own handle.
pub fn init(log: &Log) -> LogHandle {
    let (filter, handle) = reload::Layer::new(targets(&log.level));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines.with_ansi(wants_colour()).boxed(),
        LogFormat::Json => lines.json().with_current_span(false).with_span_list(false).boxed(),
    };
    // A second subscriber is refused: that is a test that runs several servers in one process.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    LogHandle(handle)
}

impl LogHandle {
    /// From now on this level.
    pub fn set_level(&self, level: &str) {
        // It fails only when the subscriber is gone, and then nobody reads the log.
        let _ = self.0.reload(targets(level));
    }
}

/// The configuration has checked the text; anything else is `info`.
fn targets(level: &str) -> Targets {
    let info = || Targets::new().with_default(tracing::Level::INFO);
    level.parse().unwrap_or_else(|_| info())
}

fn wants_colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
