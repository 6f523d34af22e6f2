//! The watches that fill the stores: LlmRoute, ProviderSecret, Namespace and Pod (metadata only),
//! and those Secrets that are referred to, one by one, begun and ended as references come and go.
//!
//! A Secret that is not referred to is never asked for. Where namespaces are limited, nothing is
//! asked for outside them, so that Roles suffice; namespaces then have their built-in label only.
//!
//! In reading order: [`objects`] (what is kept of what), `follow` (one watch), [`episodes`] (what
//! goes wrong), `sealed` (a Secret on its way). An event changes a store and rings; it carries no
//! data into the rest. Does not know what the stores come to.

pub mod episodes;
mod follow;
pub mod objects;
mod sealed;

use std::cell::{Ref, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::watcher::Event;
use kube::{Api, Client};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::connections::{ConnectError, Connections, WatchClient};
use super::store::secrets::{References, SecretStore};
use super::store::{Change, Id, Listing, Part, Store, Told};
use crate::api::{LlmRoute, ProviderSecret};
use crate::name::ObjectName;
use crate::net::task;
use episodes::{Episodes, Resource, WatchId};
use objects::{Guarded, NamespaceFacts, PodFacts, Watched};
use sealed::Sealed;

/// What is known of the cluster.
#[derive(Debug, Default)]
pub struct Stores {
    /// Every route.
    pub routes: Store<LlmRoute>,
    /// Every provider.
    pub providers: Store<ProviderSecret>,
    /// Every namespace, under an empty namespace of its own.
    pub namespaces: Store<NamespaceFacts>,
    /// Every pod.
    pub pods: Store<PodFacts>,
    /// The keys that are referred to.
    pub secrets: SecretStore,
    /// Watches beside those of Secrets that have not completed their first list.
    unlisted: usize,
}

/// All watches.
pub struct Watches {
    shared: Shared,
    connections: Connections,
    episodes: Episodes,
    tasks: Vec<Task>,
    secrets: BTreeMap<Id, Task>,
}

#[derive(Debug, Clone, Default)]
struct Shared {
    stores: Rc<RefCell<Stores>>,
    bell: Rc<Notify>,
}

/// A watch that ends when it is dropped.
#[derive(Debug)]
struct Task {
    watching: JoinHandle<()>,
    id: WatchId,
    episodes: Episodes,
}

// === impl Stores ===

impl Stores {
    /// Has everything but Secrets been listed?
    pub fn listed(&self) -> bool {
        self.unlisted == 0
    }
}

// === impl Watches ===

impl Watches {
    /// Begins to watch these namespaces, or all if there are none.
    ///
    /// # Errors
    /// When the connections' configuration cannot be used.
    pub fn start(
        connections: Connections,
        namespaces: &BTreeSet<ObjectName>,
        episodes: Episodes,
    ) -> Result<Self, ConnectError> {
        let mut watches = Self {
            shared: Shared::default(),
            connections,
            episodes,
            tasks: Vec::new(),
            secrets: BTreeMap::new(),
        };
        if namespaces.is_empty() {
            let kind = (Resource::Namespaces, Part::Everything);
            let api = Api::<PartialObjectMeta<Namespace>>::all;
            watches.watch(kind, api, |stores| &mut stores.namespaces)?;
            watches.part(&Part::Everything)?;
        }
        for namespace in namespaces {
            watches.part(&Part::Namespace(namespace.to_string()))?;
        }
        Ok(watches)
    }

    /// What is known at this moment.
    pub fn stores(&self) -> Ref<'_, Stores> {
        self.shared.stores.borrow()
    }

    /// Waits until anything has changed since the last return. For one waiter.
    pub async fn changed(&self) {
        self.shared.bell.notified().await;
    }

    /// These keys are referred to now; other Secrets are not watched any more.
    pub fn follow_secrets(&mut self, references: &References) {
        let begin = self.shared.stores.borrow_mut().secrets.want(references);
        self.secrets.retain(|id, _| references.contains_key(id));
        for id in begin {
            // The old watch first: it must not be heard any more.
            self.secrets.remove(&id);
            let task = self.secret(id.clone());
            self.secrets.insert(id, task);
        }
    }

    fn part(&mut self, part: &Part) -> Result<(), ConnectError> {
        let kind = |resource| (resource, part.clone());
        let api = |client| api::<Guarded<LlmRoute>>(client, part);
        self.watch(kind(Resource::LlmRoutes), api, |stores| &mut stores.routes)?;
        let api = |client| self::api::<Guarded<ProviderSecret>>(client, part);
        self.watch(kind(Resource::ProviderSecrets), api, |stores| &mut stores.providers)?;
        let api = |client| self::api::<PartialObjectMeta<Pod>>(client, part);
        self.watch(kind(Resource::Pods), api, |stores| &mut stores.pods)
    }

    fn watch<K: Watched + 'static>(
        &mut self,
        (resource, part): (Resource, Part),
        api: impl FnOnce(Client) -> Api<K>,
        store: fn(&mut Stores) -> &mut Store<K::Kept>,
    ) -> Result<(), ConnectError> {
        let place = self.connections.watch_client()?;
        let api = api(place.client.clone());
        let id = (resource, part.to_string());
        let (shared, mut listing) = (self.shared.clone(), Listing::new(part));
        shared.stores.borrow_mut().unlisted += 1;
        let hear = move |event| {
            let mut stores = shared.stores.borrow_mut();
            let before = listing.listed();
            let change = store(&mut stores).apply(&mut listing, event);
            if before != listing.listed() {
                stores.unlisted -= 1;
            }
            shared.ring(change);
        };
        self.tasks.push(self.task(id, place, (api, None, hear)));
        Ok(())
    }

    fn secret(&self, secret: Id) -> Task {
        let place = self.connections.watch_client_or_shared();
        let api: Api<Sealed> = Api::namespaced(place.client.clone(), &secret.0);
        let id = (Resource::Secrets, format!("{}/{}", secret.0, secret.1));
        let fields = Some(format!("metadata.name={}", secret.1));
        let shared = self.shared.clone();
        let hear = move |event| {
            let change = shared.stores.borrow_mut().secrets.hear(&secret, event);
            shared.ring(change);
        };
        self.task(id, place, (api, fields, hear))
    }

    fn task<K: Watched + 'static>(
        &self,
        id: WatchId,
        place: WatchClient,
        (api, fields, hear): (Api<K>, Option<String>, impl FnMut(Event<Told<K::Kept>>) + 'static),
    ) -> Task {
        let (episodes, own) = (self.episodes.clone(), id.clone());
        let watching = task::spawn(async move {
            follow::follow(api, fields, (own, &episodes), hear).await;
            drop(place);
        });
        Task { watching, id, episodes: self.episodes.clone() }
    }
}

fn api<K>(client: Client, part: &Part) -> Api<K>
where
    K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match part {
        Part::Everything => Api::all(client),
        Part::Namespace(namespace) => Api::namespaced(client, namespace),
    }
}

// === impl Shared ===

impl Shared {
    fn ring(&self, change: Change) {
        match change {
            Change::None => {}
            Change::Some => self.bell.notify_one(),
        }
    }
}

// === impl Task ===

impl Drop for Task {
    fn drop(&mut self) {
        self.watching.abort();
        self.episodes.over(&self.id);
    }
}
