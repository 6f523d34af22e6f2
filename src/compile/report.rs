//! Where faults of one object are collected, and the order in which objects are looked at.

use kube::ResourceExt;

use super::{Fault, ObjectId, ResourceKind, Severity, Subject};
use crate::name::ObjectRef;

/// Collects the faults of one object.
pub(super) struct Report<'f> {
    object: ObjectId,
    faults: &'f mut Vec<Fault>,
}

/// Words in whatever form they come.
pub(super) trait Text: Into<String> {}

impl<T: Into<String>> Text for T {}

impl<'f> Report<'f> {
    /// For this object.
    pub(super) fn new(object: ObjectId, faults: &'f mut Vec<Fault>) -> Self {
        Self { object, faults }
    }

    /// Part of the object does not work.
    pub(super) fn error(&mut self, path: impl Text, message: impl Text, remedy: impl Text) {
        let text = (message.into(), remedy.into());
        self.push(Severity::Error, Subject::Spec, path.into(), text);
    }

    /// Part of the object does not work, because a key is missing or cannot be used.
    pub(super) fn keyless(&mut self, path: impl Text, message: impl Text, remedy: impl Text) {
        let text = (message.into(), remedy.into());
        self.push(Severity::Error, Subject::Key, path.into(), text);
    }

    /// Part of the object does not work, for what stands elsewhere.
    pub(super) fn unresolved(
        &mut self,
        subject: Subject,
        path: impl Text,
        (message, remedy): (impl Text, impl Text),
    ) {
        self.push(Severity::Error, subject, path.into(), (message.into(), remedy.into()));
    }

    /// Part of it never gets a call.
    pub(super) fn shadowed(&mut self, path: impl Text, message: impl Text, remedy: impl Text) {
        let text = (message.into(), remedy.into());
        self.push(Severity::Warning, Subject::Shadow, path.into(), text);
    }

    /// It works, but surely not as meant.
    pub(super) fn warning(&mut self, path: impl Text, message: impl Text, remedy: impl Text) {
        let text = (message.into(), remedy.into());
        self.push(Severity::Warning, Subject::Spec, path.into(), text);
    }

    /// Worth knowing.
    pub(super) fn note(&mut self, path: impl Text, message: impl Text, remedy: impl Text) {
        let text = (message.into(), remedy.into());
        self.push(Severity::Note, Subject::Spec, path.into(), text);
    }

    fn push(
        &mut self,
        severity: Severity,
        subject: Subject,
        path: String,
        (message, remedy): (String, String),
    ) {
        self.faults.push(Fault {
            object: self.object.clone(),
            path,
            severity,
            subject,
            message,
            remedy,
        });
    }
}

/// The objects by namespace and name, whatever order they came in.
pub(super) fn in_order<T: ResourceExt>(objects: &[T]) -> Vec<&T> {
    let mut objects: Vec<_> = objects.iter().collect();
    objects.sort_by_cached_key(|object| (object.namespace(), object.name_any()));
    objects
}

/// Which object it is, as faults say it.
pub(super) fn object_id<T: ResourceExt>(kind: ResourceKind, object: &T) -> ObjectId {
    ObjectId { kind, namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
}

/// Which object it is, checked. An object without a proper name is left out.
pub(super) fn object_ref(object: &ObjectId, faults: &mut Vec<Fault>) -> Option<ObjectRef> {
    let mut parse = |field: &str, text: &str| {
        let parsed = text.parse();
        parsed
            .map_err(|error| {
                let remedy = format!("correct metadata.{field}");
                let message = format!("the {field} {error}");
                let path = format!("metadata.{field}");
                Report::new(object.clone(), faults).error(path, message, remedy);
            })
            .ok()
    };
    let namespace = parse("namespace", &object.namespace);
    let name = parse("name", &object.name);
    Some(ObjectRef { namespace: namespace?, name: name? })
}
