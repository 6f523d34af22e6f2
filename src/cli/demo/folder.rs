//! The demo's own folder: manifests to edit, the access log; gone when dropped.

use std::fs::{self, DirBuilder};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The manifests. `PROVIDER` stands where the scripted provider's address goes.
const MANIFESTS: [(&str, &str); 4] = [
    ("keys.yaml", include_str!("manifests/keys.yaml")),
    ("providers.yaml", include_str!("manifests/providers.yaml")),
    ("routes.yaml", include_str!("manifests/routes.yaml")),
    (EDITED, include_str!("manifests/fast.yaml")),
];

/// The file that the demo edits.
pub(super) const EDITED: &str = "fast.yaml";

/// What it edits.
pub(super) const MODEL_BEFORE: &str = "z-ai/glm-4.5-air";

/// What it makes of it.
pub(super) const MODEL_AFTER: &str = "qwen/qwen3-coder";

/// So many names are tried; another demo of the same user may have left one behind.
const TRIES: u32 = 100;

/// The folder.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, which only this user can read, and writes the manifests.
    pub(super) fn make(provider: SocketAddr) -> anyhow::Result<Self> {
        let folder = Self(fresh(&std::env::temp_dir()).context("cannot make a temporary folder")?);
        fs::create_dir(folder.manifests())?;
        for (name, text) in MANIFESTS {
            let text = text.replace("PROVIDER", &provider.to_string());
            fs::write(folder.manifests().join(name), text)?;
        }
        Ok(folder)
    }

    /// Where the manifests are.
    pub(super) fn manifests(&self) -> PathBuf {
        self.0.join("manifests")
    }

    /// Where the access log goes.
    pub(super) fn access_log(&self) -> PathBuf {
        self.0.join("access.log")
    }

    /// Makes the alias mean another model, whole at once, as editors do.
    pub(super) fn edit(&self) -> io::Result<()> {
        let path = self.manifests().join(EDITED);
        let edited = fs::read_to_string(&path)?.replace(MODEL_BEFORE, MODEL_AFTER);
        let aside = path.with_extension("new");
        fs::write(&aside, edited)?;
        fs::rename(aside, path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean: it is a temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fresh(parent: &Path) -> io::Result<PathBuf> {
    let process = std::process::id();
    let mut last = io::ErrorKind::AlreadyExists.into();
    for number in 0..TRIES {
        let path = parent.join(format!("pillion-demo-{process}-{number}"));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}
