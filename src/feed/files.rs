//! Watches a folder of manifests and says when to read it again.
//!
//! Owns the doorbell: a notice of the file system carries no data, it only rings; after a short
//! quiet everything is read anew. Survives the symlink swap of a mounted ConfigMap, editors that
//! rename a new file over the old one, and the folder's own removal and return. A slow look at the
//! files' times finds what no notice told of: targets of symlinks that lie elsewhere, file systems
//! without notices. Needs no task: the future that waits is the caller's. Does not know what the
//! files mean.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use thiserror::Error;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::folder::Folder;
use super::manifests::{GivenKey, Manifests};

/// A watched folder.
#[derive(Debug)]
pub struct Files {
    folder: Folder,
    bell: Arc<Notify>,
    watch: Watch,
    pace: Pace,
    /// When the bell rang that `changed` has not answered yet; kept here so that a dropped
    /// `changed` loses nothing.
    rang: Option<Instant>,
    next_look: Instant,
    /// What the files were like when `changed` last answered.
    seen: u64,
}

/// How changes are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// The file system tells; a slow look is the safety net.
    Notices,
    /// The file system cannot tell (too many watches, say): looking is all there is.
    Looks,
}

/// Why a folder cannot be watched.
#[derive(Debug, Error)]
#[error("cannot open the manifests at {}", path.display())]
pub struct OpenError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// How fast.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// A change is answered once nothing has rung for this long: a writer of many files is done. A
    /// pause that is too short costs a reading, not a table: half a change has errors, and is read
    /// again when its other half comes.
    quiet: Duration,
    /// But no later than this, for a folder that never rests.
    patience: Duration,
    /// How often the files are looked at where notices work.
    look: Duration,
    /// How often where they do not.
    look_only: Duration,
}

const PACE: Pace = Pace {
    quiet: Duration::from_millis(20),
    patience: Duration::from_millis(500),
    look: Duration::from_secs(10),
    look_only: Duration::from_secs(1),
};

#[derive(Debug)]
struct Watch {
    /// The absolute path that notices are about.
    path: PathBuf,
    watcher: Option<RecommendedWatcher>,
    /// The folder that is being watched now, by device and inode.
    armed: Option<(u64, u64)>,
    /// Set by a notice that the folder itself went away. The one that comes back may have the same
    /// inode number, and its watch is gone all the same.
    lost: Arc<AtomicBool>,
}

// === impl Files ===

impl Files {
    /// Begins to watch. What happens from now on is answered by [`Files::changed`].
    ///
    /// # Errors
    /// When there is no such folder or file now; later it may come and go.
    pub fn open(
        path: impl Into<Arc<Path>>,
        keys: impl Into<Arc<[GivenKey]>>,
    ) -> Result<Self, OpenError> {
        Self::with_pace(Folder::new(path, keys), PACE)
    }

    fn with_pace(folder: Folder, pace: Pace) -> Result<Self, OpenError> {
        let failed = |source| OpenError { path: folder.path().to_path_buf(), source };
        fs::metadata(folder.path()).map_err(failed)?;
        let path = std::path::absolute(folder.path()).map_err(failed)?;
        let bell = Arc::new(Notify::new());
        let watch = Watch::new(path, bell.clone());
        let (rang, next_look) = (None, Instant::now());
        let seen = folder.fingerprint();
        let mut files = Self { folder, bell, watch, pace, rang, next_look, seen };
        files.look_later();
        Ok(files)
    }

    /// What is watched.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// How changes are noticed at present.
    pub fn watching(&self) -> Watching {
        match self.watch.armed {
            Some(_) => Watching::Notices,
            None => Watching::Looks,
        }
    }

    /// Reads everything, now. Blocks on the file system; [`Files::folder`] can be cloned to read
    /// elsewhere.
    pub fn read(&self) -> Manifests {
        self.folder.read()
    }

    /// Returns once something has changed since the last return (or since [`Files::open`]) and the
    /// folder has come to rest. May return without need, never fails to. May be dropped at any time
    /// and called again: nothing is lost.
    pub async fn changed(&mut self) {
        while self.rang.is_none() {
            tokio::select! {
                () = self.bell.notified() => self.rang = Some(Instant::now()),
                () = sleep_until(self.next_look) => self.look(),
            }
        }
        self.come_to_rest().await;
        self.watch.arm();
        self.seen = self.folder.fingerprint();
        self.look_later();
        self.rang = None;
    }

    async fn come_to_rest(&self) {
        let limit = self.rang.unwrap_or_else(Instant::now) + self.pace.patience;
        loop {
            let quiet = (Instant::now() + self.pace.quiet).min(limit);
            if timeout_at(quiet, self.bell.notified()).await.is_err() {
                return;
            }
        }
    }

    fn look(&mut self) {
        self.watch.arm();
        if self.folder.fingerprint() != self.seen {
            self.rang = Some(Instant::now());
        }
        self.look_later();
    }

    fn look_later(&mut self) {
        let pause = match self.watching() {
            Watching::Notices => self.pace.look,
            Watching::Looks => self.pace.look_only,
        };
        self.next_look = Instant::now() + pause;
    }
}

// === impl Watch ===

impl Watch {
    fn new(path: PathBuf, bell: Arc<Notify>) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let (about, loses) = (path.clone(), lost.clone());
        let ring = move |event: notify::Result<notify::Event>| {
            if event.as_ref().is_ok_and(|event| comes_or_goes(event, &about)) {
                loses.store(true, Ordering::Relaxed);
            }
            if event.map_or(true, |event| rings(&event, &about)) {
                bell.notify_one();
            }
        };
        // Without a watcher the looks go on.
        let watcher = notify::recommended_watcher(ring).ok();
        let mut watch = Self { path, watcher, armed: None, lost };
        if let (Some(watcher), Some(parent)) = (&mut watch.watcher, watch.path.parent()) {
            // Tells that the folder comes back; where it cannot be watched, looks tell.
            let _ = watcher.watch(parent, RecursiveMode::NonRecursive);
        }
        watch.arm();
        watch
    }

    /// Watches the folder that now has the path, which may be another one than before.
    fn arm(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let now = fs::metadata(&self.path).ok().map(|meta| (meta.dev(), meta.ino()));
        if !self.lost.swap(false, Ordering::Relaxed) && now == self.armed {
            return;
        }
        if self.armed.take().is_some() {
            let _ = watcher.unwatch(&self.path);
        }
        if now.is_some() && watcher.watch(&self.path, RecursiveMode::Recursive).is_ok() {
            self.armed = now;
        }
    }
}

/// Does a notice tell that `path` itself came, went or was renamed?
fn comes_or_goes(event: &notify::Event, path: &Path) -> bool {
    let kind = event.kind;
    let is_move = matches!(kind, EventKind::Modify(ModifyKind::Name(_)));
    (is_move || kind.is_create() || kind.is_remove()) && event.paths.iter().any(|told| told == path)
}

/// Does a notice tell of a change at or below `path`? Reading a file is none, though it is told of:
/// a reload would ring for the next one.
fn rings(event: &notify::Event, path: &Path) -> bool {
    let is_change = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    };
    is_change && (event.paths.is_empty() || event.paths.iter().any(|told| told.starts_with(path)))
}

#[cfg(test)]
mod tests;
