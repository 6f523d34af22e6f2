//! What the kernel says of processes and of the machine.
//!
//! CPU time is the scheduler's own, in nanoseconds (`schedstat`), over all threads: the sum of
//! utime and stime in `/proc/PID/stat` is made from the same clock, rounded to 10 ms.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// The processes whose parent this one is.
pub(crate) fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    let processes = fs::read_dir("/proc").context("/proc")?;
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(pids.filter(|pid| parent_of(*pid) == Some(parent)).collect())
}

/// CPU time that a process has used, all threads together.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).with_context(|| gone(pid))?;
    let mut total = 0;
    for thread in threads {
        // A thread may end between being listed and being read: callers at a rate do.
        let schedstat = fs::read_to_string(thread?.path().join("schedstat"));
        total += schedstat.ok().as_deref().and_then(first_number).unwrap_or_default();
    }
    Ok(Duration::from_nanos(total))
}

/// Resident memory, in bytes.
pub(crate) fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| gone(pid))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.and_then(first_number).with_context(|| gone(pid))? << 10)
}

/// CPU time that the whole machine has used, in ticks of 10 ms.
pub(crate) fn machine_cpu() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat").context("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    // user, nice, system, idle, iowait, irq, softirq; what a hypervisor stole is not in ours.
    let ticks: Vec<u64> = line.split_whitespace().skip(1).flat_map(str::parse).collect();
    let busy: u64 = [0, 1, 2, 5, 6].iter().filter_map(|at| ticks.get(*at)).sum();
    Ok(Duration::from_millis(busy * 10))
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

fn gone(pid: u32) -> String {
    format!("process {pid} has ended")
}
