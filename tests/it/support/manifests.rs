//! A folder of manifests that a test writes, edits and swaps.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

/// The folder; gone when dropped.
pub(crate) struct Manifests(TempDir);

impl Manifests {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file whole, by renaming, so that no reader sees half of it.
    pub(crate) fn write(&self, name: &str, yaml: &str) -> &Self {
        let whole = self.path().join(format!(".{name}.new"));
        fs::write(&whole, yaml).unwrap();
        fs::rename(whole, self.path().join(name)).unwrap();
        self
    }

    pub(crate) fn remove(&self, name: &str) -> &Self {
        fs::remove_file(self.path().join(name)).unwrap();
        self
    }

    /// Replaces all files at once as the kubelet does for a mounted ConfigMap: `name` is a link to
    /// `..data/name`, and `..data` a link to a folder, swapped by renaming.
    pub(crate) fn mount(&self, generation: &str, files: &[(&str, &str)]) -> &Self {
        let folder = format!("..{generation}");
        fs::create_dir(self.path().join(&folder)).unwrap();
        for (name, yaml) in files {
            fs::write(self.path().join(&folder).join(name), yaml).unwrap();
            let link = self.path().join(name);
            if link.symlink_metadata().is_err() {
                symlink(Path::new("..data").join(name), link).unwrap();
            }
        }
        let new = self.path().join("..data_tmp");
        symlink(&folder, &new).unwrap();
        fs::rename(new, self.path().join("..data")).unwrap();
        self
    }
}
