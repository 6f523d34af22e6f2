//! Which files a folder of manifests has, and what they say as text.
//!
//! Follows the symlinks that a mounted ConfigMap consists of, each folder once; bounded in files
//! and bytes. Does not know what the text means.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

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
    fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

// === impl Listing ===

impl Listing {
    /// The manifests below `path`, or the one file that it is.
    pub(super) fn of(path: &Path) -> Self {
        let (files, problems, seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut listing = Self { files, problems, seen, entries: 0 };
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => listing.descend(path, &meta),
            Ok(_) => listing.files.push(path.to_path_buf()),
            Err(error) => listing.problem(path, &error),
        }
        listing
    }

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
        self.problems.push((path.to_path_buf(), format!("cannot be read: {error}")));
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
