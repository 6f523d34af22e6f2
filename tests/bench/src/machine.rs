//! What a run was made on: processor, kernel, versions of the peers.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::settings::Settings;

#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) kernel: String,
    /// Load over the last minute when the run began.
    pub(crate) load: String,
    pub(crate) versions: Vec<String>,
}

// === impl Machine ===

impl Machine {
    pub(crate) fn look(settings: &Settings) -> Self {
        let programs = &settings.programs;
        let versions = [
            version(programs.nginx.as_deref(), "-v"),
            version(programs.haproxy.as_deref(), "-v"),
            version(programs.envoy.as_deref(), "--version"),
            version(Some(&programs.pillion), "--version"),
        ];
        Self {
            processor: processor(),
            kernel: read("/proc/sys/kernel/osrelease"),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            versions: versions.into_iter().flatten().collect(),
        }
    }
}

fn processor() -> String {
    let cpuinfo = read("/proc/cpuinfo");
    let line = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    line.map_or("unknown", |line| line.trim_start_matches([' ', '\t', ':'])).to_owned()
}

/// The first line that says something, wherever the program prints it.
fn version(program: Option<&Path>, option: &str) -> Option<String> {
    let output = Command::new(program?).arg(option).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    // Envoy names its own path first.
    Some(line.rsplit("/envoy  ").next().unwrap_or(line).to_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}
