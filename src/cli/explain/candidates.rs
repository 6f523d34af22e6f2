//! Why each match of each rule does, or does not, take the call: the table's own checks, in words.

use std::sync::Arc;

use serde::Serialize;

use crate::llm::Api;
use crate::table::{Candidate, Facts, HeaderMatch, Mismatch, ModelMatch, Rule, Table};

/// A match, and what it says to the call.
#[derive(Debug, Serialize)]
pub(super) struct CandidateStory {
    /// `namespace/name` of the LlmRoute.
    pub(super) route: String,
    /// The rule's name.
    pub(super) rule: String,
    /// Where the match stands in the route.
    pub(super) place: String,
    /// What it asks for.
    pub(super) asks: String,
    /// What it says.
    pub(super) verdict: Verdict,
    /// The same in words.
    pub(super) why: String,
}

/// What a match says to the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Verdict {
    /// It takes the call.
    Takes,
    /// It is for other calls.
    Mismatch,
    /// It would take the call, too, but stands behind the one that does.
    LessSpecific,
    /// It would take the call if the caller had presented a key of its route.
    NoClientKey,
    /// It asks for no key and stands behind one that does, which claims the call.
    Guarded,
}

/// Every match of the table, in order of precedence; `taken` is the rule that the lookup found.
pub(super) fn judge(
    table: &Table,
    facts: &Facts<'_>,
    taken: Option<&Arc<Rule>>,
) -> Vec<CandidateStory> {
    let mut winner: Option<&Candidate> = None;
    let mut guard: Option<&Candidate> = None;
    let mut stories = Vec::new();
    for candidate in table.candidates.iter() {
        let checked = candidate.check(facts);
        let takes = checked.is_ok() && taken.is_some_and(|rule| Arc::ptr_eq(rule, &candidate.rule));
        let (verdict, why) = match (checked, winner, guard) {
            (Err(Mismatch::Client), winner, _) => {
                if winner.is_none() {
                    guard.get_or_insert(candidate);
                }
                (Verdict::NoClientKey, no_client_key(candidate))
            }
            (Err(mismatch), _, _) => (Verdict::Mismatch, words(&mismatch, candidate, facts)),
            (Ok(()), None, _) if takes => {
                winner = Some(candidate);
                (Verdict::Takes, "takes the call".to_owned())
            }
            (Ok(()), Some(winner), _) => (Verdict::LessSpecific, behind(winner, candidate)),
            (Ok(()), None, guard) => (Verdict::Guarded, guarded(guard)),
        };
        stories.push(CandidateStory::new(candidate, verdict, why));
    }
    stories
}

/// What a match asks for, as the manifest says it.
fn asks(candidate: &Candidate) -> String {
    let model = model(&candidate.model);
    let api = candidate.api.map(|api| format!("api {}", api.as_str()));
    let headers = candidate.headers.iter().map(|header| match &header.value {
        Some(value) => format!("{}: {}", header.name, String::from_utf8_lossy(value)),
        None => format!("header {}", header.name),
    });
    let parts: Vec<String> = [model].into_iter().chain(api).chain(headers).collect();
    parts.join(", ")
}

fn model(wanted: &ModelMatch) -> String {
    match wanted {
        ModelMatch::Exact(name) => format!("model {name}"),
        ModelMatch::Prefix(prefix) => format!("model {prefix}*"),
        ModelMatch::Suffix(suffix) => format!("model *{suffix}"),
        ModelMatch::Any => "any model".to_owned(),
    }
}

/// Where a match stands. A rule without matches has one that asks for nothing.
fn place(candidate: &Candidate) -> String {
    let rule = format!("spec.rules[{}]", candidate.rule_index);
    let asks_nothing = candidate.model == ModelMatch::Any
        && candidate.api.is_none()
        && candidate.headers.is_empty()
        && candidate.index == 0;
    match asks_nothing {
        true => rule,
        false => format!("{rule}.matches[{}]", candidate.index),
    }
}

fn words(mismatch: &Mismatch, candidate: &Candidate, facts: &Facts<'_>) -> String {
    match mismatch {
        Mismatch::Api => {
            let wanted = candidate.api.map_or("any", Api::as_str);
            format!("the API is {}, not {wanted}", facts.api.as_str())
        }
        Mismatch::NoModel => "the call names no model".to_owned(),
        Mismatch::Model => other_model(&candidate.model, facts.model.unwrap_or_default()),
        Mismatch::Header(name) if !facts.headers.contains_key(name) => {
            format!("the header {name} is missing")
        }
        Mismatch::Header(name) => format!("the header {name} has another value"),
        Mismatch::Client => no_client_key(candidate),
    }
}

fn other_model(wanted: &ModelMatch, model: &str) -> String {
    match wanted {
        ModelMatch::Exact(name) => format!("the model is {model}, not {name}"),
        ModelMatch::Prefix(prefix) => format!("the model {model} does not begin with {prefix}"),
        ModelMatch::Suffix(suffix) => format!("the model {model} does not end in {suffix}"),
        // Takes any model.
        ModelMatch::Any => String::new(),
    }
}

fn no_client_key(candidate: &Candidate) -> String {
    let clients = candidate.rule.clients.iter();
    let keys = clients.flat_map(|clients| &clients.keys);
    let names: Vec<&str> = keys.map(|(name, _)| &**name).collect();
    format!("the caller presents no client key of the route ({})", names.join(", "))
}

fn guarded(guard: Option<&Candidate>) -> String {
    let route = guard.map(|guard| guard.rule.route.to_string());
    format!(
        "passed over: the call is claimed by {}, which asks for a client key",
        route.unwrap_or_default()
    )
}

/// Why one that would take the call stands behind the one that does: the first of the documented
/// steps in which they differ.
fn behind(winner: &Candidate, candidate: &Candidate) -> String {
    let headers = |headers: &[HeaderMatch]| headers.len();
    let (model, other) = (&winner.model, &candidate.model);
    let why = if model != other {
        "less specific: its model is a wider one"
    } else if winner.api != candidate.api {
        "less specific: it is for more APIs"
    } else if headers(&winner.headers) != headers(&candidate.headers) {
        "less specific: it asks for fewer headers"
    } else if winner.created != candidate.created {
        "equal, but its route is younger"
    } else if winner.rule.route != candidate.rule.route {
        "equal, but the name of its route comes later"
    } else if winner.rule_index != candidate.rule_index {
        "equal, but its rule comes later"
    } else {
        "equal, but it comes later in the same rule"
    };
    why.to_owned()
}

// === impl CandidateStory ===

impl CandidateStory {
    fn new(candidate: &Candidate, verdict: Verdict, why: String) -> Self {
        Self {
            route: candidate.rule.route.to_string(),
            rule: candidate.rule.name.to_string(),
            place: place(candidate),
            asks: asks(candidate),
            verdict,
            why,
        }
    }
}
