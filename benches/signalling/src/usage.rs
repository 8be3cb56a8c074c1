//! What a process needs, as the kernel counts it.

use std::fs;
use std::time::Instant;

/// CPU time of all threads of a process so far.
pub struct Usage {
    pub nanos: u64,
    at: Instant,
}

/// What was needed between two looks.
pub struct Spent {
    /// CPU time.
    pub nanos: u64,
    /// Seconds that passed.
    pub seconds: f64,
}

impl Usage {
    pub fn of(process: u32) -> Result<Self, String> {
        let folder = format!("/proc/{process}/task");
        let threads = fs::read_dir(&folder).map_err(|why| format!("{folder}: {why}"))?;
        let nanos = threads.flatten().filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Ok(Self { nanos: nanos.sum(), at: Instant::now() })
    }

    /// A thread that has ended meanwhile takes its time with it.
    pub fn until_now(&self, process: u32) -> Result<Spent, String> {
        let now = Self::of(process)?;
        let seconds = now.at.duration_since(self.at).as_secs_f64();
        Ok(Spent { nanos: now.nanos.saturating_sub(self.nanos), seconds })
    }
}

impl Spent {
    /// How much of one core it was.
    pub fn busy(&self) -> f64 {
        self.nanos as f64 / 1e9 / self.seconds
    }
}

/// Memory of a process in KiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Pages that are in memory, the program's own file included.
    pub resident: u64,
    /// The same, with shared pages divided among those who share them.
    pub proportional: u64,
    /// Pages that the process has made: what grows with its clients.
    pub anonymous: u64,
}

impl Memory {
    pub fn of(process: u32) -> Result<Self, String> {
        let path = format!("/proc/{process}/smaps_rollup");
        let text = fs::read_to_string(&path).map_err(|why| format!("{path}: {why}"))?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let (resident, proportional) = (field("Rss:"), field("Pss:"));
        Ok(Self { resident, proportional, anonymous: field("Anonymous:") })
    }
}
