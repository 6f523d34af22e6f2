//! Events for what an operator must act on.
//!
//! One for each change of a condition to a bad reason, after the condition itself was written: so
//! the objects' own status is the memory of what has been told, and neither a loop nor a new leader
//! tells it twice. An Event that cannot be written is no fault of anything; it is logged.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};

use super::message;
use crate::api::conditions::{AcceptedReason, ProgrammedReason, ResolvedRefsReason};
use crate::compile::ObjectId;
use crate::controller::lease;

/// The longest note that the API takes is 1 KiB.
const NOTE: usize = 1000;

/// Tells operators.
#[derive(Clone)]
pub struct Events {
    recorder: Recorder,
    /// What is said of the controller itself is said of its lease.
    own: ObjectReference,
}

/// Whom something is said of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// Which object.
    pub(super) id: ObjectId,
    /// Which of those that have had the name.
    pub(super) uid: Option<String>,
}

/// Something to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct News {
    reason: String,
    note: String,
}

/// What is new and bad in conditions.
pub(super) fn news(before: &[Condition], now: &[Condition]) -> Vec<News> {
    let is_new = |condition: &&Condition| {
        let mut same = before.iter().filter(|other| other.type_ == condition.type_);
        same.all(|other| other.reason != condition.reason)
    };
    let told = now.iter().filter(|condition| calls_for_action(&condition.reason));
    let news = |condition: &Condition| News {
        reason: condition.reason.clone(),
        note: message::cut(&condition.message.replace('\n', "; "), NOTE),
    };
    told.filter(is_new).map(news).collect()
}

/// Not `Pending` and `NoSidecars`, which pass when pods come; nor `LastGoodKept`, whose cause has
/// been told.
fn calls_for_action(reason: &str) -> bool {
    let accepted = [AcceptedReason::Invalid, AcceptedReason::Undecodable];
    let resolved = ResolvedRefsReason::ALL.iter().filter(|r| r.words().status == "False");
    let mut reasons = accepted
        .iter()
        .map(|reason| reason.words())
        .chain(resolved.map(|reason| reason.words()))
        .chain([ProgrammedReason::Rejected.words()]);
    reasons.any(|words| words.reason == reason)
}

// === impl Events ===

impl Events {
    /// In the name of this replica, which is in this namespace.
    pub fn new(client: Client, namespace: &str, identity: &str) -> Self {
        let reporter = Reporter {
            controller: "pillion.dev/controller".to_owned(),
            instance: Some(identity.to_owned()),
        };
        let own = ObjectReference {
            api_version: Some("coordination.k8s.io/v1".to_owned()),
            kind: Some("Lease".to_owned()),
            name: Some(lease::NAME.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectReference::default()
        };
        Self { recorder: Recorder::new(client, reporter), own }
    }

    /// A watch is refused: `what` is the verb and the resource that RBAC must allow, such as
    /// `watch llmroutes.pillion.dev in namespace team-a`. To be called once a refusal, not each
    /// time that the watch is tried.
    pub async fn watch_forbidden(&self, what: &str) {
        let note = format!("RBAC does not let the controller {what}; allow it in its role");
        let news = News { reason: "WatchForbidden".to_owned(), note: message::cut(&note, NOTE) };
        self.publish(&self.own, &news, "Watch").await;
    }

    pub(super) async fn tell(&self, subject: &Subject, news: &[News]) {
        let reference = subject.reference();
        for news in news {
            self.publish(&reference, news, "Judge").await;
        }
    }

    async fn publish(&self, of: &ObjectReference, news: &News, action: &str) {
        let event = Event {
            type_: EventType::Warning,
            reason: news.reason.clone(),
            note: Some(news.note.clone()),
            action: action.to_owned(),
            secondary: None,
        };
        let published = self.recorder.publish(&event, of);
        let why = match tokio::time::timeout(super::PATIENCE, published).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the API server takes too long".to_owned(),
        };
        tracing::warn!(reason = news.reason, why, "an event could not be written");
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("own", &self.own).finish_non_exhaustive()
    }
}

// === impl Subject ===

impl Subject {
    fn reference(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some("pillion.dev/v1alpha1".to_owned()),
            kind: Some(format!("{:?}", self.id.kind)),
            name: Some(self.id.name.clone()),
            namespace: Some(self.id.namespace.clone()),
            uid: self.uid.clone(),
            ..ObjectReference::default()
        }
    }
}
