//! What the kernel says of a process.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// CPU time that it has used, all threads together.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))?;
    let mut total = 0;
    for thread in threads {
        let schedstat = fs::read_to_string(thread?.path().join("schedstat"));
        total += schedstat.ok().as_deref().and_then(first_number).unwrap_or_default();
    }
    Ok(Duration::from_nanos(total))
}

/// Resident memory, in bytes.
pub(crate) fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.and_then(first_number).context("no VmRSS")? << 10)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}
