//! What is to be written: for each object whose status is not what it should be, the newest wish.
//!
//! Made anew from every snapshot, so that a thousand changes of an object are one write. What was
//! written a moment ago counts as said, although the snapshot does not show it yet; objects take
//! turns, so that a busy one does not keep the others waiting.

use std::collections::BTreeMap;
use std::ops::Bound;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, ObjectMeta};
use serde_json::{Value, json};

use super::events::{News, Subject, news};
use super::judge::{self, Before};
use super::tally::Tallies;
use crate::api::conditions::ConditionType;
use crate::api::{LlmRouteStatus, ProviderSecretStatus};
use crate::compile::{ObjectId, ResourceKind};
use crate::controller::snapshot::{ProviderVerdict, RouteVerdict, Snapshot, Undecodable};
use crate::telemetry;

/// Wishes, and what has been fulfilled.
#[derive(Debug, Default)]
pub(super) struct Plan {
    wishes: BTreeMap<ObjectId, Write>,
    /// By object: the `resourceVersion` that it had when it was written, and what was written.
    written: BTreeMap<ObjectId, (Option<String>, Status)>,
    last: Option<ObjectId>,
}

/// How long this replica has been there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// Sidecars that lost their controller are still on their way to this one.
    Young,
    /// Who is not there is not there.
    Settled,
}

/// One status to be written.
#[derive(Debug, Clone)]
pub(super) struct Write {
    /// Of which object.
    pub(super) subject: Subject,
    /// What is to be told when it has been written.
    pub(super) news: Vec<News>,
    wanted: Status,
    /// Is it known what the object says now?
    known: Known,
    version: Option<String>,
}

/// Is it known what an object says?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Yes, and it is something else.
    Yes,
    /// No: it could not be read.
    No,
}

/// What an object says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Status {
    /// A route.
    Route(LlmRouteStatus),
    /// A provider.
    Provider(ProviderSecretStatus),
}

// === impl Plan ===

impl Plan {
    /// Compares what every object says with what it should say.
    pub(super) fn renew(&mut self, snapshot: &Snapshot, tallies: &Tallies, age: Age) {
        let now = Time(to_the_second(telemetry::timestamp()));
        let routes = snapshot.routes.iter().map(|verdict| {
            match age == Age::Young && self.has_lost(verdict, tallies) {
                true => (id(ResourceKind::LlmRoute, &verdict.object.metadata), None),
                false => self.route(verdict, tallies, &now),
            }
        });
        let providers = snapshot.providers.iter().map(|verdict| self.provider(verdict, &now));
        let blind = snapshot.undecodable.iter().map(|object| self.blind(object, &now));
        let wanted: Vec<(ObjectId, Option<Write>)> = routes.chain(providers).chain(blind).collect();
        let ids: std::collections::BTreeSet<ObjectId> =
            wanted.iter().map(|(id, _)| id.clone()).collect();
        self.written.retain(|id, _| ids.contains(id));
        let wishes = wanted.into_iter().filter_map(|(id, write)| Some((id, write?)));
        self.wishes = wishes.collect();
    }

    /// The next one in turn.
    pub(super) fn next(&mut self) -> Option<Write> {
        let after = match &self.last {
            Some(id) => Bound::Excluded(id),
            None => Bound::Unbounded,
        };
        let mut rest = self.wishes.range((after, Bound::Unbounded));
        let id = rest.next().or_else(|| self.wishes.iter().next())?.0.clone();
        self.last = Some(id.clone());
        self.wishes.remove(&id)
    }

    /// It is done.
    pub(super) fn written(&mut self, write: Write) {
        self.written.insert(write.subject.id, (write.version, write.wanted));
    }

    /// It is to be done later.
    pub(super) fn again(&mut self, write: Write) {
        self.wishes.insert(write.subject.id.clone(), write);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.wishes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wishes.is_empty()
    }

    fn route(
        &self,
        verdict: &RouteVerdict,
        tallies: &Tallies,
        now: &Time,
    ) -> (ObjectId, Option<Write>) {
        let metadata = &verdict.object.metadata;
        let id = id(ResourceKind::LlmRoute, metadata);
        let says = self.says(&id, metadata, verdict.object.status.clone().map(Status::Route));
        let key = (id.namespace.clone(), id.name.clone());
        let tally = tallies.get(&key).cloned().unwrap_or_default();
        let wanted = judge::route(&verdict.faults, &tally, before(&says, metadata, now));
        wish((id, metadata), says, Status::Route(wanted))
    }

    /// Does the object as it stands tell of more sidecars than there are?
    fn has_lost(&self, verdict: &RouteVerdict, tallies: &Tallies) -> bool {
        let metadata = &verdict.object.metadata;
        let Some(status) = &verdict.object.status else {
            return false;
        };
        let id = id(ResourceKind::LlmRoute, metadata);
        let now = tallies.get(&(id.namespace, id.name)).map_or(0, |tally| tally.total);
        let told = status.sidecars.as_ref().map_or(0, |sidecars| sidecars.total);
        let mut conditions = status.conditions.iter();
        let is_current = conditions.all(|c| c.observed_generation == metadata.generation);
        is_current && now < told
    }

    fn provider(&self, verdict: &ProviderVerdict, now: &Time) -> (ObjectId, Option<Write>) {
        let metadata = &verdict.object.metadata;
        let id = id(ResourceKind::ProviderSecret, metadata);
        let says = self.says(&id, metadata, verdict.object.status.clone().map(Status::Provider));
        let before = before(&says, metadata, now);
        let wanted = judge::provider(&verdict.faults, verdict.routes, before);
        wish((id, metadata), says, Status::Provider(wanted))
    }

    fn blind(&self, object: &Undecodable, now: &Time) -> (ObjectId, Option<Write>) {
        let (namespace, name) = object.id.clone();
        let id = ObjectId { kind: object.kind, namespace, name };
        let says = self.written.get(&id).map(|(_, status)| status);
        let conditions = says.map_or(&[][..], Status::conditions);
        let before = Before { conditions, generation: object.generation, now };
        let (condition, summary) = judge::undecodable(&object.message, before);
        let wanted = Status::undecodable(object.kind, condition, summary);
        let write = (says != Some(&wanted)).then(|| Write {
            subject: Subject { id: id.clone(), uid: None },
            news: news(conditions, wanted.conditions()),
            wanted,
            known: Known::No,
            version: None,
        });
        (id, write)
    }

    /// What the object says, or was made to say since it was read.
    fn says(&self, id: &ObjectId, metadata: &ObjectMeta, read: Option<Status>) -> Option<Status> {
        match self.written.get(id) {
            Some((version, status)) if *version == metadata.resource_version => {
                Some(status.clone())
            }
            _ => read.map(Status::ours),
        }
    }
}

fn wish(
    (id, metadata): (ObjectId, &ObjectMeta),
    says: Option<Status>,
    wanted: Status,
) -> (ObjectId, Option<Write>) {
    if says.as_ref() == Some(&wanted) {
        return (id, None);
    }
    let before = says.as_ref().map_or(&[][..], Status::conditions);
    let write = Write {
        subject: Subject { id: id.clone(), uid: metadata.uid.clone() },
        news: news(before, wanted.conditions()),
        wanted,
        known: Known::Yes,
        version: metadata.resource_version.clone(),
    };
    (id, Some(write))
}

fn before<'a>(says: &'a Option<Status>, metadata: &ObjectMeta, now: &'a Time) -> Before<'a> {
    let conditions = says.as_ref().map_or(&[][..], Status::conditions);
    Before { conditions, generation: metadata.generation, now }
}

fn id(kind: ResourceKind, metadata: &ObjectMeta) -> ObjectId {
    let namespace = metadata.namespace.clone().unwrap_or_default();
    let name = metadata.name.clone().unwrap_or_default();
    ObjectId { kind, namespace, name }
}

/// Conditions carry whole seconds, so that what is read is what was written.
fn to_the_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

// === impl Write ===

impl Write {
    /// Must the object be looked at first?
    pub(super) fn is_blind(&self) -> bool {
        self.known == Known::No
    }

    /// Now the object has been looked at: keeps its dates, and says whether there is anything to
    /// write.
    pub(super) fn compare_with(&mut self, object: &DynamicObject) -> bool {
        let status = object.data.get("status").cloned().unwrap_or_default();
        let says = Status::read(self.subject.id.kind, status).map(Status::ours);
        let before = says.as_ref().map_or(&[][..], Status::conditions);
        self.news = news(before, self.wanted.conditions());
        for condition in self.wanted.conditions_mut() {
            let mut same = before.iter().filter(|other| other.type_ == condition.type_);
            if let Some(other) = same.find(|other| other.status == condition.status) {
                condition.last_transition_time = other.last_transition_time.clone();
            }
        }
        says.as_ref() != Some(&self.wanted)
    }

    /// The object as server-side apply wants it. Neither uid nor `resourceVersion`: the API server
    /// heeds no uid here, and a version would make each edit meanwhile a conflict. What a namesake
    /// made meanwhile is wrongly told, the next snapshot puts right.
    pub(super) fn body(&self, resource: &ApiResource) -> Value {
        let ObjectId { namespace, name, .. } = &self.subject.id;
        json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name, "namespace": namespace},
            "status": self.wanted.to_json(),
        })
    }
}

// === impl Status ===

impl Status {
    pub(super) fn conditions(&self) -> &[Condition] {
        match self {
            Self::Route(status) => &status.conditions,
            Self::Provider(status) => &status.conditions,
        }
    }

    fn conditions_mut(&mut self) -> &mut Vec<Condition> {
        match self {
            Self::Route(status) => &mut status.conditions,
            Self::Provider(status) => &mut status.conditions,
        }
    }

    /// Without the conditions of others, in the order of ours.
    fn ours(mut self) -> Self {
        let order = |condition: &Condition| {
            ConditionType::ALL.iter().position(|known| known.as_str() == condition.type_)
        };
        let conditions = self.conditions_mut();
        conditions.retain(|condition| order(condition).is_some());
        conditions.sort_by_key(order);
        self
    }

    fn undecodable(kind: ResourceKind, condition: Condition, summary: String) -> Self {
        let (conditions, summary) = (vec![condition], Some(summary));
        match kind {
            ResourceKind::ProviderSecret => {
                Self::Provider(ProviderSecretStatus { conditions, routes: None, summary })
            }
            ResourceKind::LlmRoute | ResourceKind::Secret => {
                Self::Route(LlmRouteStatus { conditions, sidecars: None, summary })
            }
        }
    }

    fn read(kind: ResourceKind, status: Value) -> Option<Self> {
        match kind {
            ResourceKind::ProviderSecret => serde_json::from_value(status).ok().map(Self::Provider),
            ResourceKind::LlmRoute | ResourceKind::Secret => {
                serde_json::from_value(status).ok().map(Self::Route)
            }
        }
    }

    fn to_json(&self) -> Value {
        let json = match self {
            Self::Route(status) => serde_json::to_value(status),
            Self::Provider(status) => serde_json::to_value(status),
        };
        // Plain data always serialises.
        json.unwrap_or_default()
    }
}
