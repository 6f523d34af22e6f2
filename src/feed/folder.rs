//! Which files a folder of manifests has, and their bytes.
//!
//! Takes `*.yaml`, `*.yml` and `*.json` of the folder and its subfolders, in the order of their
//! paths; leaves out every name that begins with a dot, which are Kubernetes' own `..data` and
//! `..2026_…` beside the symlinks of a mounted ConfigMap, and editors' backup files; follows
//! symlinks. Bounded in everything. Does not know what the files mean.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use std::os::unix::fs::MetadataExt;

use zeroize::Zeroizing;

use super::manifests::{self, Manifests};
use crate::secret::{Secret, SecretError};

/// A folder of manifests (or one file), and keys that were given by other means.
#[derive(Debug, Clone)]
pub struct Folder {
    path: Arc<Path>,
    keys: Arc<[GivenKey]>,
}

/// A key that is in no file: it stands in for, or replaces, one key of one Secret.
#[derive(Debug, Clone)]
pub struct GivenKey {
    /// The Secret's namespace.
    pub namespace: String,
    /// The Secret's name.
    pub secret: String,
    /// The key within its data.
    pub key: String,
    /// The value, already looked up: only `cli` reads the environment.
    pub value: Result<Secret, SecretError>,
}

/// The files of a folder, and what kept others from being found.
pub(super) struct Listing {
    pub(super) files: Vec<PathBuf>,
    pub(super) problems: Vec<(PathBuf, String)>,
    seen: BTreeSet<(u64, u64)>,
    entries: usize,
}

/// As large as any object that Kubernetes stores, several times over.
const MAX_FILE: u64 = 4 << 20;

const MAX_ENTRIES: usize = 10_000;

// === impl Folder ===

impl Folder {
    /// A folder, or a single file.
    pub fn new(path: impl Into<Arc<Path>>, keys: impl Into<Arc<[GivenKey]>>) -> Self {
        Self {
            path: path.into(),
            keys: keys.into(),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads everything, now. Blocks on the file system.
    pub fn read(&self) -> Manifests {
        manifests::read(self.listing(), &self.keys)
    }

    /// A number that changes when any file does: by identity, size and times.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let listing = self.listing();
        for (path, problem) in listing.problems {
            (path, problem).hash(&mut hasher);
        }
        for path in listing.files {
            if let Ok(meta) = fs::metadata(&path) {
                let times = (
                    meta.mtime(),
                    meta.mtime_nsec(),
                    meta.ctime(),
                    meta.ctime_nsec(),
                );
                (meta.dev(), meta.ino(), meta.len(), times).hash(&mut hasher);
            }
            path.hash(&mut hasher);
        }
        hasher.finish()
    }

    fn listing(&self) -> Listing {
        let (files, problems, seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut listing = Listing {
            files,
            problems,
            seen,
            entries: 0,
        };
        match fs::metadata(&self.path) {
            Ok(meta) if meta.is_dir() => listing.descend(&self.path, &meta),
            Ok(_) => listing.files.push(self.path.to_path_buf()),
            Err(error) => listing.problem(&self.path, &error),
        }
        listing
    }
}

/// A file's text.
///
/// # Errors
/// What keeps it from being read, in words.
pub(super) fn text(path: &Path) -> Result<Zeroizing<String>, String> {
    let bytes = bytes(path).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err("is larger than 4 MiB".to_owned());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn bytes(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    fs::File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

// === impl Listing ===

impl Listing {
    fn descend(&mut self, folder: &Path, meta: &fs::Metadata) {
        // A symlink may lead back to a folder above; each folder is read once.
        if !self.seen.insert((meta.dev(), meta.ino())) {
            return;
        }
        match names(folder) {
            Ok(paths) => paths.iter().for_each(|path| self.entry(path)),
            Err(error) => self.problem(folder, &error),
        }
    }

    fn entry(&mut self, path: &Path) {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            if self.entries == MAX_ENTRIES + 1 {
                let what = "stands after 10000 others, which is all that is read".to_owned();
                self.problems.push((path.to_path_buf(), what));
            }
            return;
        }
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => self.descend(path, &meta),
            // Reading a pipe or a device would hang.
            Ok(meta) if meta.is_file() && is_manifest(path) => self.files.push(path.to_path_buf()),
            Ok(_) => {}
            // A file that is gone between two looks is as good as never there, but a manifest
            // that is a dangling symlink is somebody's mistake.
            Err(error) if is_manifest(path) && path.is_symlink() => self.problem(path, &error),
            Err(_) => {}
        }
    }

    fn problem(&mut self, path: &Path, error: &io::Error) {
        self.problems
            .push((path.to_path_buf(), format!("cannot be read: {error}")));
    }
}

/// The paths in a folder, sorted, without names that begin with a dot.
fn names(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)?.take(MAX_ENTRIES + 1) {
        let name = entry?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names.iter().map(|name| folder.join(name)).collect())
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml" | "json"))
}
