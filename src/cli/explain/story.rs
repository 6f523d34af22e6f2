//! What the proxy would do with a call, as data to be told.
//!
//! Follows `proxy::pipeline` stage by stage, with the same functions; where the pipeline draws a
//! target and an account, every one of them is followed. What is kept has no key in it any more.

use bytes::Bytes;
use http::Request;
use serde::Serialize;
use serde_json::Value;

use super::call::{BodyOrigin, Given};
use super::candidates::{self, CandidateStory, Verdict};
use super::redact;
use super::refusal::{self, Refusal};
use super::targets::{self, TargetStory};
use crate::llm::operation::{self, Operation};
use crate::proxy::call::{Call, Head, Model, Place};
use crate::proxy::failure::Failure;
use crate::proxy::intake;
use crate::proxy::task::{Task, task};
use crate::proxy::{models, route};
use crate::table::Table;

/// What would happen.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    /// What the reader should know first.
    pub(super) warnings: Vec<String>,
    /// The call as it was sent.
    pub(super) call: CallStory,
    /// The rule that takes it.
    pub(super) rule: Option<RuleStory>,
    /// What becomes of it.
    #[serde(flatten)]
    pub(super) outcome: Outcome,
    /// What every match says to it, in order of precedence.
    pub(super) candidates: Vec<CandidateStory>,
}

/// A call as it was sent.
#[derive(Debug, Serialize)]
pub(super) struct CallStory {
    pub(super) method: String,
    pub(super) path: String,
    /// Of a call that is forwarded.
    pub(super) api: Option<&'static str>,
    pub(super) model: Option<ModelStory>,
    pub(super) headers: Vec<HeaderStory>,
    pub(super) body: Option<BodyStory>,
}

/// The model that a call names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModelStory {
    pub(super) name: String,
    /// Where it stands.
    pub(super) found_in: &'static str,
}

/// A header as it may be shown.
#[derive(Debug, Serialize)]
pub(super) struct HeaderStory {
    pub(super) name: String,
    pub(super) value: String,
}

/// A body; its content is shown only if it is a sample.
#[derive(Debug, Serialize)]
pub(super) struct BodyStory {
    pub(super) bytes: usize,
    pub(super) sample: Option<String>,
}

/// The rule that takes a call.
#[derive(Debug, Serialize)]
pub(super) struct RuleStory {
    /// `namespace/name` of the LlmRoute.
    pub(super) route: String,
    /// The rule's name.
    pub(super) name: String,
    /// Where its match stands in the route.
    pub(super) place: String,
    /// What the match asks for.
    pub(super) asks: String,
    /// The client key that the caller presents, by name.
    pub(super) client: Option<String>,
}

/// What becomes of a call.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub(super) enum Outcome {
    /// It goes to one of these, in these shares.
    Forwarded {
        /// In the order of the manifest.
        targets: Vec<TargetStory>,
    },
    /// Pillion answers it.
    Answered(Answer),
    /// Pillion refuses it.
    Refused(Refusal),
}

/// Pillion's own answer.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// Follows the call.
pub(super) fn tell(table: &Table, given: Given) -> Story {
    let request = given.request;
    let path = request.uri().path();
    let ask = operation::ask(request.method(), path, request.headers());
    let dialect = ask.dialect();
    let mut story = Story {
        warnings: given.warnings,
        call: CallStory::of(&request, given.origin),
        rule: None,
        outcome: Outcome::Forwarded { targets: Vec::new() },
        candidates: Vec::new(),
    };
    let outcome = task(ask, path).and_then(|task| story.follow(table, task, request));
    story.outcome =
        outcome.unwrap_or_else(|failure| Outcome::Refused(Refusal::of(&failure, dialect)));
    story
}

// === impl Outcome ===

impl Outcome {
    /// Is the call refused, be it by one of several targets?
    pub(super) fn is_refused(&self) -> bool {
        match self {
            Self::Answered(_) => false,
            Self::Forwarded { targets } => targets.iter().any(|target| target.refused.is_some()),
            Self::Refused(_) => true,
        }
    }
}

// === impl Story ===

impl Story {
    fn follow(
        &mut self,
        table: &Table,
        task: Task,
        request: Request<Bytes>,
    ) -> Result<Outcome, Failure> {
        match task {
            Task::Alive => Ok(Outcome::Answered(Answer::of(&models::alive()))),
            Task::Models(dialect, id) => {
                let body = models::answer(table, dialect, id, request.uri(), request.headers())?;
                Ok(Outcome::Answered(Answer::of(&body)))
            }
            Task::Forward(operation) => self.forward(table, operation, request),
        }
    }

    fn forward(
        &mut self,
        table: &Table,
        operation: Operation,
        request: Request<Bytes>,
    ) -> Result<Outcome, Failure> {
        self.call.api = Some(operation.api.as_str());
        let (parts, body) = request.into_parts();
        let call = intake::read(table, Head::new(parts, operation), body)?;
        self.call.model = call.model.as_ref().map(ModelStory::of);
        let found = route::find(table, &call);
        self.candidates = judge(table, &call, &found);
        let found = found?;
        self.rule = self.rule(&found);
        let plans = route::plans(found.rule, &call.head.operation)?;
        let targets = targets::tell(&call, &found, plans);
        Ok(Outcome::Forwarded { targets })
    }

    fn rule(&self, found: &route::Found<'_, '_>) -> Option<RuleStory> {
        let mut candidates = self.candidates.iter();
        let winner = candidates.find(|candidate| candidate.verdict == Verdict::Takes)?;
        Some(RuleStory {
            route: winner.route.clone(),
            name: winner.rule.clone(),
            place: winner.place.clone(),
            asks: winner.asks.clone(),
            client: found.client.map(ToString::to_string),
        })
    }
}

fn judge(
    table: &Table,
    call: &Call<Bytes>,
    found: &Result<route::Found<'_, '_>, Failure>,
) -> Vec<CandidateStory> {
    let digests = route::digests(table, &call.head);
    let facts = route::facts(call, &digests);
    candidates::judge(table, &facts, found.as_ref().ok().map(|found| found.rule))
}

// === impl CallStory ===

impl CallStory {
    fn of(request: &Request<Bytes>, origin: BodyOrigin) -> Self {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| HeaderStory {
            name: name.to_string(),
            value: redact::header(name, value, redact::CALLERS),
        };
        let sample = || String::from_utf8_lossy(request.body()).into_owned();
        let body = (origin != BodyOrigin::None).then(|| BodyStory {
            bytes: request.body().len(),
            sample: (origin == BodyOrigin::Sample).then(sample),
        });
        Self {
            method: request.method().to_string(),
            path: redact::target(request.uri().path(), request.uri().query()),
            api: None,
            model: None,
            headers: request.headers().iter().map(header).collect(),
            body,
        }
    }
}

// === impl ModelStory ===

impl ModelStory {
    fn of(model: &Model) -> Self {
        let (name, found_in) = (model.name.clone(), words(&model.place));
        Self { name, found_in }
    }
}

fn words(place: &Place) -> &'static str {
    match place {
        Place::Json(_) => "body",
        Place::Form(_) => "form",
        Place::Path(_) => "path",
        Place::Sealed => "compressed body",
    }
}

// === impl Answer ===

impl Answer {
    fn of(body: &Bytes) -> Self {
        Self { status: 200, body: refusal::json(body) }
    }
}
