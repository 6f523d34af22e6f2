//! What the kernel says of a process.

use std::fs;

/// Resident memory, in bytes.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes << 10
}

/// Open descriptors.
pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Threads.
pub(crate) fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).unwrap().count()
}

/// Processor time of the threads with this name, in hundredths of a second.
pub(crate) fn ticks(pid: u32, thread: &str) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let stats =
        threads.map(|entry| fs::read_to_string(entry.unwrap().path().join("stat")).unwrap());
    let mine = stats.filter(|stat| stat.contains(&format!("({thread})")));
    mine.map(|stat| {
        let after_name: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let user: u64 = after_name[11].parse().unwrap();
        user + after_name[12].parse::<u64>().unwrap()
    })
    .sum()
}
