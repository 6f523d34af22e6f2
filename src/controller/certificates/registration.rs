//! How the API server believes the webhook: `caBundle` of a MutatingWebhookConfiguration, kept
//! true.
//!
//! It is looked at when the CA changes and when anybody changes the object (an upgrade may have
//! put back what the chart said), and written where one of our CA certificates is missing from it.
//! One more in it is left alone until then: replicas hear of a new CA one after the other, and the
//! one that hears last must not put back what the first one wrote. Nothing waits for this: pods
//! that want a sidecar are refused meanwhile by the API server, and others are not concerned.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watch_object};
use serde_json::{Value, json};

use super::{Authorities, Serving, certificates};
use crate::controller::api_error;
use crate::net::drain::{Drain, Stage};

/// After a failure.
const RETRY: Duration = Duration::from_secs(5);
/// After a write, in case somebody else writes back each time.
const PAUSE: Duration = Duration::from_secs(1);
const MANAGER: &str = "pillion-controller";

/// The object, and what is to stand in it.
pub struct Registration {
    configurations: Api<Object>,
    name: String,
    serving: Arc<Serving>,
}

type Object = MutatingWebhookConfiguration;
type Event = watcher::Result<Option<Object>>;

/// What was said last, so that it is said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    IsGone,
    CannotBeRead,
    CannotBeWritten,
}

/// How a look has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looked {
    AllIsWell,
    Wrote,
    /// Somebody was faster, or the API server fails.
    Again,
}

// === impl Registration ===

impl Registration {
    /// Keeps the configuration of this name.
    pub fn new(client: kube::Client, name: String, serving: Arc<Serving>) -> Self {
        Self { configurations: Api::all(client), name, serving }
    }

    /// Keeps it until the drain begins.
    pub async fn run(self, mut drain: Drain) {
        let mut authorities = self.serving.following_authorities();
        let watching = watch_object(self.configurations.clone(), &self.name);
        let mut events = pin!(watching.default_backoff());
        let (mut seen, mut told, mut wait) = (None, Told::Nothing, Duration::MAX);
        loop {
            tokio::select! {
                () = drain.reached(Stage::Draining) => return,
                Ok(()) = authorities.changed() => {}
                Some(event) = events.next() => self.hear(event, &mut seen, &mut told),
                () = tokio::time::sleep(wait) => {}
            }
            let current = authorities.borrow_and_update().clone();
            let (Some(object), Some(current)) = (&seen, current) else { continue };
            wait = match self.look(object, &current, &mut told).await {
                Looked::AllIsWell => Duration::MAX,
                Looked::Again => RETRY,
                Looked::Wrote => {
                    tokio::select! {
                        () = drain.reached(Stage::Draining) => return,
                        () = tokio::time::sleep(PAUSE) => Duration::MAX,
                    }
                }
            };
        }
    }

    fn hear(&self, event: Event, seen: &mut Option<Object>, told: &mut Told) {
        match event {
            Ok(Some(object)) => *seen = Some(object),
            Ok(None) => {
                *seen = None;
                self.tell(told, Told::IsGone, "create it, or correct --webhook-configuration");
            }
            // The watch goes on by itself, after a pause.
            Err(error) if seen.is_none() => {
                self.tell(told, Told::CannotBeRead, &api_error::why_of_watch(&error));
            }
            Err(_) => {}
        }
    }

    /// Writes what is missing; that comes back as an event.
    async fn look(&self, object: &Object, authorities: &Authorities, told: &mut Told) -> Looked {
        let Some(patch) = patch(object, authorities) else {
            *told = Told::Nothing;
            return Looked::AllIsWell;
        };
        let parameters = PatchParams { field_manager: Some(MANAGER.into()), ..Default::default() };
        let patched =
            self.configurations.patch(&self.name, &parameters, &Patch::Strategic(patch)).await;
        match patched {
            Ok(_) => {
                *told = Told::Nothing;
                let configuration = &self.name;
                tracing::info!(configuration, "the API server is told whom to believe");
                Looked::Wrote
            }
            // Somebody else was faster: what he wrote comes as an event, and if not, time helps.
            Err(error) if api_error::is_conflict(&error) => Looked::Again,
            Err(error) => {
                self.tell(told, Told::CannotBeWritten, &api_error::why(&error));
                Looked::Again
            }
        }
    }

    fn tell(&self, told: &mut Told, now: Told, why: &str) {
        if *told != now {
            let (configuration, what) = (&self.name, now.text());
            tracing::warn!(configuration, why, "the webhook's configuration {what}");
            *told = now;
        }
    }
}

/// What has to be changed, if the object is still as it was read.
fn patch(object: &Object, authorities: &Authorities) -> Option<Value> {
    let wanted = certificates(authorities.as_bytes()).ok()?;
    let has_all = |bundle: &Option<ByteString>| {
        let there = bundle.as_ref().and_then(|bundle| certificates(&bundle.0).ok());
        there.is_some_and(|there| wanted.iter().all(|certificate| there.contains(certificate)))
    };
    let webhooks = object.webhooks.iter().flatten();
    let lacking = webhooks.filter(|webhook| !has_all(&webhook.client_config.ca_bundle));
    let bundle = ByteString(authorities.as_bytes().to_vec());
    let changed: Vec<Value> = lacking
        .map(|webhook| json!({ "name": webhook.name, "clientConfig": { "caBundle": bundle } }))
        .collect();
    let version = object.metadata.resource_version.as_deref().unwrap_or_default();
    (!changed.is_empty())
        .then(|| json!({ "metadata": { "resourceVersion": version }, "webhooks": changed }))
}

// === impl Told ===

impl Told {
    fn text(self) -> &'static str {
        match self {
            Self::Nothing => "is as it should be",
            Self::IsGone => "is not there",
            Self::CannotBeRead => "cannot be read",
            Self::CannotBeWritten => "cannot be written",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
    const OTHER: &str = "-----BEGIN CERTIFICATE-----\nBAUG\n-----END CERTIFICATE-----\n";

    fn lacking(bundles: [Option<&str>; 2]) -> Vec<String> {
        let webhook = |(name, bundle): (&str, Option<&str>)| {
            let bundle = bundle.map(|text| ByteString(text.as_bytes().to_vec()));
            json!({
                "name": name,
                "clientConfig": { "caBundle": bundle },
                "admissionReviewVersions": [],
                "sideEffects": "None",
            })
        };
        let webhooks: Vec<Value> = ["a", "b"].into_iter().zip(bundles).map(webhook).collect();
        let object = json!({ "metadata": { "resourceVersion": "7" }, "webhooks": webhooks });
        let object = serde_json::from_value(object).unwrap();
        let Some(patch) = patch(&object, &AUTHORITY.into()) else { return Vec::new() };
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        let changed = patch["webhooks"].as_array().unwrap().iter();
        changed.map(|webhook| webhook["name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn only_what_lacks_the_ca_is_written() {
        let both = format!("{OTHER}{AUTHORITY}");
        assert_eq!(lacking([Some(AUTHORITY), Some(&both)]), Vec::<String>::new());
        assert_eq!(lacking([Some(OTHER), Some(AUTHORITY)]), ["a"]);
        assert_eq!(lacking([None, Some("no certificate")]), ["a", "b"]);
    }
}
