//! A table as JSON for people: what runs, without any key.

use serde::Serialize;

use super::{Action, Candidate, ModelMatch, Plan, Rule, Table};

/// The table, redacted: keys are not in it, only the names of accounts.
pub fn text(table: &Table) -> String {
    let candidates: Vec<_> = table.candidates.iter().map(candidate).collect();
    let models: Vec<&str> = table.models.iter().map(|listing| &*listing.model.id).collect();
    let dump = Dump { version: &table.version, candidates, models };
    // Plain data of our own: writing it cannot fail.
    serde_json::to_string_pretty(&dump).unwrap_or_default()
}

#[derive(Serialize)]
struct Dump<'a> {
    version: &'a str,
    /// In order of precedence.
    candidates: Vec<CandidateDump<'a>>,
    models: Vec<&'a str>,
}

#[derive(Serialize)]
struct CandidateDump<'a> {
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<&'a str>,
    route: String,
    rule: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clients: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refuses: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<TargetDump<'a>>,
}

#[derive(Serialize)]
struct TargetDump<'a> {
    api: &'static str,
    weight: u64,
    provider: &'a str,
    upstream: &'a str,
    /// The API that calls are translated to.
    #[serde(skip_serializing_if = "Option::is_none")]
    translated_to: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    accounts: Vec<&'a str>,
}

fn candidate(candidate: &Candidate) -> CandidateDump<'_> {
    let rule = &*candidate.rule;
    let (refuses, targets) = match &rule.action {
        Action::Refuse(why) => (Some(why.as_str()), Vec::new()),
        Action::Forward(_) => (None, targets(rule)),
    };
    let clients = rule.clients.iter().flat_map(|clients| &clients.keys);
    CandidateDump {
        model: match &candidate.model {
            ModelMatch::Exact(name) => name.to_string(),
            ModelMatch::Prefix(prefix) => format!("{prefix}*"),
            ModelMatch::Suffix(suffix) => format!("*{suffix}"),
            ModelMatch::Any => "*".to_owned(),
        },
        api: candidate.api.map(crate::llm::Api::as_str),
        headers: candidate.headers.iter().map(|header| header.name.as_str()).collect(),
        route: rule.route.to_string(),
        rule: &rule.name,
        clients: clients.map(|(name, _)| &**name).collect(),
        refuses,
        targets,
    }
}

fn targets(rule: &Rule) -> Vec<TargetDump<'_>> {
    let Action::Forward(forwarding) = &rule.action else {
        return Vec::new();
    };
    let by_api = crate::llm::Api::ALL.into_iter().zip(&forwarding.plans);
    let plans = by_api.flat_map(|(api, plans)| {
        plans.iter().flat_map(move |plans| plans.iter().map(move |plan| (api, plan)))
    });
    plans.map(|(api, (weight, plan))| target(api, weight, plan)).collect()
}

fn target(api: crate::llm::Api, weight: u64, plan: &Plan) -> TargetDump<'_> {
    TargetDump {
        api: api.as_str(),
        weight,
        provider: &plan.labels.provider,
        upstream: plan.endpoint.origin.authority.as_str(),
        translated_to: plan.translated_to(),
        model: plan.rename.as_ref().map(|rename| &*rename.name),
        accounts: plan.accounts.iter().map(|(_, account)| &*account.name).collect(),
    }
}
