//! The folder of one cluster: data, certificates, logs.
//!
//! A process of its own removes it: a shell that waits for the end of its input, which comes when
//! this value is dropped and also when the process that has it dies in whatever way. It removes the
//! control groups of that name too, which a node's containers had, and the interface that `link` in
//! the folder names, which would stay for as long as a connection that nobody has any more takes to
//! end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// Waits, then tries for ten seconds: servers that were killed may still be dying.
const KEEPER: &str = r#"
    trap '' HUP INT TERM
    cat >/dev/null
    clear() {
        for group in /sys/fs/cgroup/"${1##*/}" /sys/fs/cgroup/*/"${1##*/}"; do
            [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + || return
        done
        if [ -f "$1/link" ]; then
            PATH="$PATH:/usr/sbin:/sbin" ip link delete "$(cat "$1/link")" 2>/dev/null
        fi
        rm -rf "$1"
    }
    tries=0
    until clear "$1" || [ "$tries" -ge 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
"#;

/// A folder that nobody else can read.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    keeper: Child,
}

// === impl Folder ===

impl Folder {
    pub(crate) fn create() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pillion-cluster-").tempdir()?;
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(folder.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start sh")?;
        Ok(Self { path: folder.keep(), keeper })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What nobody else is called.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().display().to_string()
    }

    /// The path of a file in it, as an argument.
    pub(crate) fn file(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    /// Writes a file that only its owner can read, and returns its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // An error would mean that it is not ours to wait for.
        let _ = self.keeper.wait();
    }
}
