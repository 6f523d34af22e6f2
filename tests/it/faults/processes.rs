//! FAULTS 62 and 66: what surrounds the process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::obliging;
use crate::support::manifests::Manifests;
use crate::support::proxy::Launch;
use crate::support::refusal::Caller;
use crate::support::yaml::{all_to, provider};

/// Rust's `Instant` and tokio's timers are monotonic; so a jump of the clock can reach only what
/// reads the wall clock, and that is the log, metrics of when something was last, and certificates:
/// their check, which rustls makes at each handshake, and their renewal, for which the clock is
/// looked at every ten minutes. A token's own end is read off once, into a timer; dates in leases
/// and conditions are written for people, and read by nobody here.
#[test]
fn fault_62_only_logs_and_certificates_know_the_wall_clock() {
    let clocks = ["SystemTime", "Timestamp::now", "Zoned::now", "UNIX_EPOCH", "UnixTime"];
    // The one is handed the time by rustls, and does not look at it.
    assert_eq!(naming(&clocks), ["src/controller/certificates/replicas.rs", "src/telemetry.rs"]);
    let askers = naming(&["unix_seconds", "telemetry::timestamp"]);
    let expected = [
        "src/cli/reload.rs",
        "src/controller/certificates/keeper.rs",
        "src/controller/lease/record.rs",
        "src/controller/push/identity/verdict.rs",
        "src/controller/status/plan.rs",
        "src/feed/subscription/metrics.rs",
        "src/proxy/rendition.rs",
        "src/telemetry.rs",
    ];
    assert_eq!(askers, expected);
}

/// The files of shipped code that have one of these words.
fn naming(words: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), words, &mut files);
    files.retain(|file| !file.ends_with("/tests.rs"));
    files
}

fn visit(folder: &Path, words: &[&str], files: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(fs::DirEntry::path);
    for path in entries.iter().map(fs::DirEntry::path) {
        if path.is_dir() {
            visit(&path, words, files);
        } else if words.iter().any(|word| fs::read_to_string(&path).unwrap().contains(word)) {
            let inside = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            files.push(inside.display().to_string());
        }
    }
}

/// Writing to any file is a signal here, as it is an error on a read-only root. Without root the
/// test runs as whoever runs it, who has no capabilities either.
#[test]
fn fault_66_no_file_is_written_and_no_privilege_needed() {
    let folder = Manifests::new();
    let upstream = obliging();
    folder.write("all.yaml", &(provider("there", &upstream.url(), "") + &all_to("there")));
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let strip = "exec setpriv --reuid=54321 --regid=54321 --clear-groups --no-new-privs \
                 --bounding-set=-all --inh-caps=-all \"$@\"";
    let become_nobody = match can_strip() {
        true => strip,
        false => "exec \"$@\"",
    };
    let script = format!("ulimit -f 0; cd /; {become_nobody}");
    let proxy = Launch::new().under(&["/bin/sh", "-c", &script, "sh"]).start_from(folder);
    for caller in Caller::ALL {
        assert_eq!(caller.ask(&mut proxy.client(), "m").status(), 200);
    }
    let status = fs::read_to_string(format!("/proc/{}/status", proxy.pid())).unwrap();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    assert_eq!(u64::from_str_radix(line("CapEff:"), 16), Ok(0), "it has capabilities");
}

/// Is this root, and may a user of no name run the binary?
fn can_strip() -> bool {
    let nobody = ["--reuid=54321", "--regid=54321", "--clear-groups", "--no-new-privs"];
    let binary = env!("CARGO_BIN_EXE_pillion");
    let mut trial = Command::new("setpriv");
    let ended = trial.args(nobody).args([binary, "--version"]).output();
    ended.is_ok_and(|output| output.status.success())
}
