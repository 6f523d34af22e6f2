//! The Secret that holds what is made here, among replicas: whoever comes first makes or renews it,
//! everybody watches it and serves with what it holds.
//!
//! Writes are optimistic: a create, or a replace with the resourceVersion that was read. Whoever
//! comes second reads what the first one wrote. A Secret that somebody has deleted or damaged is
//! written again as it was, so that no sidecar loses its trust; who wants a new CA deletes it while
//! no controller runs. The CA's public part is also put into a ConfigMap, for people and pods.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watch_object};

use super::material::Material;
use super::{Serving, Wishes, renewal};
use crate::controller::api_error;
use crate::net::drain::{Drain, Stage};
use crate::telemetry;

/// The Secret: `ca.crt`, `ca.key`, `tls.crt`, `tls.key`.
pub const SECRET: &str = "pillion-tls";
/// The ConfigMap: `ca.crt`.
pub const CONFIG_MAP: &str = "pillion-ca";
/// After a failure.
const RETRY: Duration = Duration::from_secs(5);
const MANAGER: &str = "pillion-controller";

/// Where it is kept, and how it should be.
#[derive(Clone)]
pub struct Keeper {
    secrets: Api<Secret>,
    config_maps: Api<ConfigMap>,
    wishes: Wishes,
    serving: Arc<Serving>,
}

/// What is known of the Secret.
#[derive(Default)]
struct Kept {
    /// As it was read or written last.
    secret: Option<Secret>,
    /// What is served.
    served: Option<Material>,
    /// Has it been read at all?
    heard: Heard,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Heard {
    #[default]
    Nothing,
    Once,
}

/// How a look has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looked {
    AllIsWell,
    /// Somebody was faster, or the API server fails.
    Again,
}

// === impl Keeper ===

impl Keeper {
    /// Keeps it in `namespace`, for `serving`.
    pub fn new(
        client: &kube::Client,
        namespace: &str,
        wishes: Wishes,
        serving: Arc<Serving>,
    ) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), namespace),
            config_maps: Api::namespaced(client.clone(), namespace),
            wishes,
            serving,
        }
    }

    /// Keeps it until the drain is over.
    pub async fn run(self, mut drain: Drain) {
        let mut events = pin!(watch_object(self.secrets.clone(), SECRET).default_backoff());
        let mut kept = Kept::default();
        let mut wait = Duration::MAX;
        loop {
            tokio::select! {
                () = drain.reached(Stage::Cut) => return,
                event = events.next() => kept.hear(event),
                () = tokio::time::sleep(wait) => {}
            }
            if kept.heard == Heard::Once {
                wait = self.look(&mut kept).await;
            }
        }
    }

    /// Does what is due; says when to look again.
    async fn look(&self, kept: &mut Kept) -> Duration {
        match self.renew(kept).await {
            Looked::AllIsWell => renewal::wait(kept.served.as_ref(), &self.wishes, now()),
            Looked::Again => RETRY,
        }
    }

    async fn renew(&self, kept: &mut Kept) -> Looked {
        let found = kept.usable();
        let is_kept = found.is_some();
        let current = found.or_else(|| kept.served.clone());
        let renewed = match renewal::renewed(current.as_ref(), &self.wishes, now()) {
            Ok(renewed) => renewed,
            Err(error) => {
                tracing::error!(%error, "the serving certificate cannot be renewed");
                return Looked::Again;
            }
        };
        match (renewed, current) {
            (None, Some(material)) if is_kept => self.publish(material, kept).await,
            (Some(material), _) | (None, Some(material)) => self.write(material, kept).await,
            (None, None) => Looked::Again,
        }
    }

    async fn write(&self, material: Material, kept: &mut Kept) -> Looked {
        let parameters = PostParams::default();
        let secret = secret(kept.secret.as_ref(), &material);
        let written = match &kept.secret {
            None => self.secrets.create(&parameters, &secret).await,
            Some(_) => self.secrets.replace(SECRET, &parameters, &secret).await,
        };
        match written {
            Ok(secret) => {
                kept.secret = Some(secret);
                self.publish(material, kept).await
            }
            Err(error) => self.not_written(&error, kept).await,
        }
    }

    async fn not_written(&self, error: &kube::Error, kept: &mut Kept) -> Looked {
        if !api_error::is_conflict(error) && !is_gone(error) {
            let error = api_error::why(error);
            tracing::warn!(error, secret = SECRET, "the certificates' Secret cannot be written");
            return Looked::Again;
        }
        if let Ok(secret) = self.secrets.get_opt(SECRET).await {
            kept.secret = secret;
            // What it holds is looked at again with the next turn; until then it is served.
            if let Some(material) = kept.usable() {
                self.publish(material, kept).await;
            }
        }
        Looked::Again
    }

    async fn publish(&self, material: Material, kept: &mut Kept) -> Looked {
        let old = kept.served.as_ref().map(|served| served.certificate.as_str());
        if old != Some(material.certificate.as_str()) {
            match self.serving.load(material.certificate.as_bytes(), material.key.as_bytes()) {
                Ok(()) => tracing::info!(secret = SECRET, "serving with a new certificate"),
                Err(error) => tracing::error!(%error, secret = SECRET, "a certificate is not used"),
            }
        }
        if let Err(error) = self.serving.trust(material.authorities.as_bytes()) {
            tracing::error!(%error, secret = SECRET, "a CA is not told of");
        }
        let told = self.tell(&material.authorities).await;
        kept.served = Some(material);
        told
    }

    /// Puts the CA into the ConfigMap, if it is not there.
    async fn tell(&self, authorities: &str) -> Looked {
        match self.put_config_map(authorities).await {
            Ok(()) => Looked::AllIsWell,
            Err(error) => {
                let error = api_error::why(&error);
                let config_map = CONFIG_MAP;
                tracing::warn!(error, config_map, "the CA's ConfigMap cannot be written");
                Looked::Again
            }
        }
    }

    async fn put_config_map(&self, authorities: &str) -> Result<(), kube::Error> {
        let found = self.config_maps.get_opt(CONFIG_MAP).await?;
        let data = found.and_then(|map| map.data).unwrap_or_default();
        if data.get("ca.crt").is_some_and(|there| there == authorities) {
            return Ok(());
        }
        let map = ConfigMap {
            metadata: metadata(CONFIG_MAP),
            data: Some(BTreeMap::from([("ca.crt".to_owned(), authorities.to_owned())])),
            ..ConfigMap::default()
        };
        let parameters = PatchParams::apply(MANAGER).force();
        self.config_maps.patch(CONFIG_MAP, &parameters, &Patch::Apply(map)).await.map(drop)
    }
}

fn now() -> i64 {
    telemetry::unix_seconds() as i64
}

fn is_gone(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// The Secret to be written: what others have put there stays.
fn secret(old: Option<&Secret>, material: &Material) -> Secret {
    let mut secret = old.cloned().unwrap_or_else(|| Secret {
        metadata: metadata(SECRET),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    });
    material.put(secret.data.get_or_insert_default());
    secret
}

fn metadata(name: &str) -> ObjectMeta {
    let label = ("app.kubernetes.io/managed-by".to_owned(), MANAGER.to_owned());
    ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(BTreeMap::from([label])),
        ..ObjectMeta::default()
    }
}

// === impl Kept ===

impl Kept {
    fn hear(&mut self, event: Option<watcher::Result<Option<Secret>>>) {
        match event {
            Some(Ok(secret)) => {
                self.secret = secret;
                self.heard = Heard::Once;
            }
            // The watch goes on by itself, after a pause.
            Some(Err(error)) => self.complain(&error),
            None => {}
        }
    }

    /// Once: nothing is served before the Secret has been read, and later it can wait.
    fn complain(&self, error: &watcher::Error) {
        let error = api_error::why_of_watch(error);
        match self.heard {
            Heard::Nothing => {
                tracing::warn!(error, secret = SECRET, "the certificates' Secret cannot be read");
            }
            Heard::Once => tracing::debug!(error, secret = SECRET, "a watch goes on after a pause"),
        }
    }

    /// What the Secret holds, if it can be served with.
    fn usable(&self) -> Option<Material> {
        self.secret.as_ref().and_then(Material::of).filter(renewal::is_usable)
    }
}
