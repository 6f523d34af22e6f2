//! Which files a folder of manifests has, and their bytes.
//!
//! Takes `*.yaml`, `*.yml` and `*.json` of the folder and its subfolders, in the order of their
//! paths; leaves out every name that begins with a dot, which are Kubernetes' own `..data` and
//! `..2026_…` beside the symlinks of a mounted ConfigMap, and editors' backup files; follows
//! symlinks. Bounded in everything. Does not know what the files mean.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::listing::Listing;
use super::manifests::{self, GivenKey, Manifests};

/// A folder of manifests (or one file), and keys that were given by other means.
#[derive(Debug, Clone)]
pub struct Folder {
    path: Arc<Path>,
    keys: Arc<[GivenKey]>,
}

// === impl Folder ===

impl Folder {
    /// A folder, or a single file.
    pub fn new(path: impl Into<Arc<Path>>, keys: impl Into<Arc<[GivenKey]>>) -> Self {
        Self { path: path.into(), keys: keys.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads everything, now. Blocks on the file system.
    pub fn read(&self) -> Manifests {
        manifests::read(Listing::of(&self.path), &self.keys)
    }

    /// A number that changes when any file does: by identity, size and times.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let listing = Listing::of(&self.path);
        for (path, problem) in listing.problems {
            (path, problem).hash(&mut hasher);
        }
        for path in listing.files {
            if let Ok(meta) = fs::metadata(&path) {
                let times = (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
                (meta.dev(), meta.ino(), meta.len(), times).hash(&mut hasher);
            }
            path.hash(&mut hasher);
        }
        hasher.finish()
    }
}
