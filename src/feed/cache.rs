//! The bundle that runs, and the CA that a controller has told of, kept in a memory-backed volume
//! for the next start of the container.
//!
//! It holds keys, as the memory of the process does: the file is for its owner alone, and the
//! volume must be `medium: Memory`, so that none reaches a disk. What cannot be read is removed:
//! a controller's next bundle takes its place.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::bundle::push::{MAX_AUTHORITIES, MAX_BUNDLE};
use crate::bundle::{self, Bundle};

const FILE: &str = "bundle.json";
const AUTHORITIES: &str = "ca.crt";

/// A folder for one bundle.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

// === impl Cache ===

impl Cache {
    /// In this folder, which must be there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// What was kept, if it can be used.
    pub fn read(&self) -> Option<Bundle> {
        let path = self.folder.join(FILE);
        let line = match bytes_of(&path, MAX_BUNDLE + 1) {
            Ok(line) => line,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return self.useless(&path, &error.to_string()),
        };
        match bundle::decode(&line) {
            Ok(bundle) => Some(bundle),
            Err(error) => self.useless(&path, &error.to_string()),
        }
    }

    /// Keeps a bundle in the place of the one before.
    ///
    /// # Errors
    /// Those of the file system; the one before is still whole then.
    pub fn write(&self, line: &[u8]) -> io::Result<()> {
        self.put(FILE, line)
    }

    /// The CA certificates that were kept.
    pub fn authorities(&self) -> Option<Vec<u8>> {
        let bytes = bytes_of(&self.folder.join(AUTHORITIES), MAX_AUTHORITIES).ok()?;
        Some(bytes.to_vec())
    }

    /// Keeps CA certificates in the place of those before.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn keep_authorities(&self, pem: &[u8]) -> io::Result<()> {
        self.put(AUTHORITIES, pem)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = self.folder.join(format!(".{name}.new"));
        // One that a crash has left may belong to nobody knows whom.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        fs::rename(new, self.folder.join(name))
    }

    fn useless(&self, path: &Path, why: &str) -> Option<Bundle> {
        let file = path.display().to_string();
        tracing::warn!(file, why, "the cached bundle cannot be used and is removed");
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(file, %error, "the cached bundle cannot be removed");
        }
        None
    }
}

/// What a file of at most so many bytes holds.
fn bytes_of(path: &Path, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let about = fs::symlink_metadata(path)?;
    // Nothing is followed or waited for: it is our own file, or it is foreign.
    if !about.is_file() || about.len() > most as u64 {
        return Err(io::Error::other("it is no file of this program"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    fs::File::open(path)?.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;
    use crate::compile::{World, version_of};

    fn listed(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_was_written_is_read_by_its_owner_alone() {
        let folder = TempDir::new().unwrap();
        let cache = Cache::new(folder.path());
        assert!(cache.read().is_none());
        fs::write(folder.path().join(".bundle.json.new"), "left by a crash").unwrap();
        let world = World::default();
        for _ in 0..2 {
            cache.write(&bundle::encode(&world)).unwrap();
            assert_eq!(cache.read().unwrap().version, version_of(&world));
        }
        assert_eq!(listed(&folder), [FILE]);
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_corrupt_or_foreign_is_removed() {
        let folder = TempDir::new().unwrap();
        let cache = Cache::new(folder.path());
        let whole = bundle::encode(&World::default());
        for bytes in [&b""[..], b"{", &whole[..whole.len() / 2], &[0xff; 8]] {
            fs::write(folder.path().join(FILE), bytes).unwrap();
            assert!(cache.read().is_none());
            assert_eq!(listed(&folder), [""; 0]);
        }
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(FILE)).unwrap();
        assert!(cache.read().is_none());
        assert_eq!(listed(&folder), [""; 0]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let cache = Cache::new("/nonexistent/folder");
        assert!(cache.read().is_none());
        assert!(cache.write(b"{}").is_err());
    }
}
