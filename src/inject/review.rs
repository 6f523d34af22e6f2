//! AdmissionReview (`admission.k8s.io/v1`), as much of it as is needed here.
//!
//! A question may have members that this build does not know; the pod in it is kept as it came.
//! What is wrong with one is told by place, never by value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::decide::Skip;
use super::fault::Fault;
use super::patch::Operation;

/// The API server's question.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    uid: String,
    kind: Kind,
    operation: String,
    /// Where the object is to be.
    #[serde(default)]
    pub(super) namespace: String,
    #[serde(default)]
    sub_resource: Option<String>,
    /// The pod.
    #[serde(default)]
    pub(super) object: Value,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    group: String,
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    kind: String,
    request: Request,
}

/// Why a body is no question.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Malformed {
    #[error("the body is no JSON: line {line}, column {column}")]
    NoJson { line: usize, column: usize },
    #[error("the body is no AdmissionReview: {path} is missing, or of another type")]
    NoReview { path: String },
    #[error(
        "this answers AdmissionReview of admission.k8s.io/v1 only: see admissionReviewVersions"
    )]
    AnotherVersion,
}

/// The answer.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    /// The pod is created, with these operations done to it.
    Allowed { operations: &'a [Operation], warnings: &'a [String] },
    /// It is not.
    Refused(&'a Fault),
}

// === impl Request ===

impl Request {
    /// The question that a body holds.
    pub(super) fn read(body: &[u8]) -> Result<Self, Malformed> {
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Malformed::NoJson { line, column }
        })?;
        let review: Review = serde_path_to_error::deserialize(value).map_err(|error| {
            // A missing member's path is its parent's.
            let path = match error.path().to_string() {
                path if path == "." => "apiVersion, kind or request".to_owned(),
                path => format!("{path} (or part of it)"),
            };
            Malformed::NoReview { path }
        })?;
        match (review.api_version.as_str(), review.kind.as_str()) {
            ("admission.k8s.io/v1", "AdmissionReview") => Ok(review.request),
            _ => Err(Malformed::AnotherVersion),
        }
    }

    /// Is it about a pod that is being created?
    pub(super) fn concern(&self) -> Result<(), Skip> {
        let is_pod = self.kind.group.is_empty() && self.kind.kind == "Pod";
        let whole = self.sub_resource.as_deref().unwrap_or_default().is_empty();
        match is_pod && whole && self.operation == "CREATE" {
            true => Ok(()),
            false => Err(Skip::NotANewPod),
        }
    }

    /// The pod's name, or the beginning of it: names are often given after this.
    pub(super) fn pod(&self) -> &str {
        let name = |pointer| self.object.pointer(pointer).and_then(Value::as_str);
        name("/metadata/name").or_else(|| name("/metadata/generateName")).unwrap_or_default()
    }

    /// The answer's text.
    pub(super) fn answer(&self, verdict: &Verdict<'_>) -> Vec<u8> {
        let mut response = match verdict {
            Verdict::Allowed { warnings: [], .. } => json!({ "allowed": true }),
            Verdict::Allowed { warnings, .. } => json!({ "allowed": true, "warnings": warnings }),
            Verdict::Refused(fault) => json!({
                "allowed": false,
                "status": { "code": 400, "reason": "BadRequest", "message": fault.to_string() },
            }),
        };
        response["uid"] = self.uid.as_str().into();
        if let Verdict::Allowed { operations: operations @ [_, ..], .. } = verdict {
            // Plain data of our own: writing it cannot fail.
            let patch = serde_json::to_vec(operations).unwrap_or_default();
            response["patchType"] = "JSONPatch".into();
            response["patch"] = STANDARD.encode(patch).into();
        }
        let review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": response,
        });
        review.to_string().into_bytes()
    }
}
