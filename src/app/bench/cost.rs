//! What a process and our own threads cost: time on a CPU, as the scheduler counts it.

use std::fs;
use std::time::Duration;

/// Time on a CPU of all threads of a process, user and kernel (`/proc/<pid>/task/*/schedstat`). Threads
/// that have ended are not in it.
pub(super) fn of_process(pid: u32) -> Option<Duration> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let times =
        tasks.filter_map(|task| read(&format!("{}/schedstat", task.ok()?.path().display())));
    Some(times.sum())
}

/// Time on a CPU of this thread.
pub(super) fn of_this_thread() -> Duration {
    read("/proc/thread-self/schedstat").unwrap_or_default()
}

fn read(path: &str) -> Option<Duration> {
    let text = fs::read_to_string(path).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
