//! From a controller's bundles to the running table, and to the cache.
//!
//! The rule: what cannot be read changes nothing, and what can be read runs, object by object. What
//! is kept for the next start is what runs, not what was sent: an object that is held then needs no
//! memory of its earlier version.

use zeroize::Zeroizing;

use super::reload::Reloader;
use crate::bundle::{self, Bundle};
use crate::compile::{ObjectId, World};
use crate::feed::cache::Cache;
use crate::feed::subscription::{Link, Metrics, Subscriber, Unreadable};

/// Takes bundles.
#[derive(Debug)]
pub(super) struct Subscribed {
    reloader: Reloader,
    cache: Option<Cache>,
    metrics: Metrics,
    running: Option<Running>,
    /// What was said last of a bundle that cannot be read: each reconnection brings it again.
    refused: Option<(String, Unreadable)>,
}

#[derive(Debug)]
struct Running {
    /// Of the bundle.
    version: String,
    world: World,
    held: Vec<ObjectId>,
}

// === impl Subscribed ===

impl Subscribed {
    pub(super) fn new(reloader: Reloader, cache: Option<Cache>, metrics: Metrics) -> Self {
        Self { reloader, cache, metrics, running: None, refused: None }
    }

    /// Runs what ran before the process started anew, if that was kept.
    pub(super) fn recall(&mut self) {
        if let Some(bundle) = self.cache.as_ref().and_then(Cache::read) {
            tracing::info!(version = bundle.version, "what ran before runs again, from the cache");
            self.run(bundle);
        }
    }

    fn run(&mut self, bundle: Bundle) -> &Running {
        let before = self.running.as_ref().map(|running| &running.world);
        let onto = self.reloader.take(bundle.world, before);
        for object in &onto.held {
            let object = object.to_string();
            tracing::warn!(object, "what it says now has an error: it goes on as it was");
        }
        self.metrics.taken(&bundle.version, onto.held.len());
        let Bundle { version, .. } = bundle;
        self.running.insert(Running { version, world: onto.world, held: onto.held })
    }

    fn keep(cache: &Cache, running: &Running, line: &[u8]) {
        let kept = match running.held.is_empty() {
            true => cache.write(line),
            false => cache.write(&Zeroizing::new(bundle::encode(&running.world))),
        };
        if let Err(error) = kept {
            let remedy = "mount a volume that can be written at --cache";
            tracing::warn!(%error, remedy, "what runs cannot be kept for a restart");
        }
    }
}

impl Subscriber for Subscribed {
    fn take(&mut self, bundle: Bundle, line: &[u8]) -> Vec<ObjectId> {
        self.refused = None;
        match &self.running {
            Some(running) if running.version == bundle.version => {
                self.reloader.pass_over("unchanged");
                self.metrics.taken(&bundle.version, running.held.len());
                running.held.clone()
            }
            Some(_) | None => {
                let cache = self.cache.clone();
                let running = self.run(bundle);
                if let Some(cache) = cache {
                    Self::keep(&cache, running, line);
                }
                running.held.clone()
            }
        }
    }

    fn refuse(&mut self, version: &str, why: &Unreadable) {
        self.reloader.pass_over("rejected");
        let refused = (version.to_owned(), why.clone());
        if self.refused.as_ref() != Some(&refused) {
            tracing::error!(version, "{why}; what runs goes on");
            self.refused = Some(refused);
        }
    }

    fn link(&mut self, link: Link) {
        self.metrics.link(link);
    }
}
