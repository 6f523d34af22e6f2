//! The models that are listed, and the model names that may become metric labels.
//!
//! A name is listed where a call that asks for it would be forwarded: for a name that a match says
//! in full, by its rule; for a name that a provider declares, by a rule whose pattern takes it and
//! one of whose targets sends it to that provider as it is. In both cases only if that match
//! really wins the call for some API, be it for callers with a key of the route or with the
//! match's headers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::report::Report;
use super::routes::Rules;
use super::targets::Target;
use super::{Fault, ObjectId, ResourceKind, World};
use crate::llm::Api;
use crate::llm::shapes::ListedModel;
use crate::table::{Action, Candidate, Index, Listing, ModelMatch};

/// No picker shows more, and hostile manifests end here: a thousand guarded routes over a thousand
/// models would be a million lines.
const MAX_LISTED: usize = 10_000;

/// A set of APIs, one bit each.
type Apis = u8;

/// What `GET /v1/models` lists, sorted by id; an id stands once for each set of clients.
pub(super) fn list(index: &Index, rules: &Rules<'_>, faults: &mut Vec<Fault>) -> Vec<Listing> {
    let mut listed = Vec::new();
    for name in names(index, rules) {
        list_one(index, rules, &name, &mut listed);
        if let Some(listing) = listed.get(MAX_LISTED) {
            let route = &listing.rule.route;
            let object = ObjectId {
                kind: ResourceKind::LlmRoute,
                namespace: route.namespace.to_string(),
                name: route.name.to_string(),
            };
            Report::new(object, faults).warning(
                "spec.rules",
                format!("from here on models are not listed: there are more than {MAX_LISTED}"),
                "declare fewer models; calls are not affected",
            );
            listed.truncate(MAX_LISTED);
            break;
        }
    }
    listed
}

/// The declared model names: of matches, of renames and of providers.
pub(super) fn labels(world: &World) -> HashMap<Arc<str>, Arc<str>> {
    let rules = || world.routes.iter().flat_map(|route| &route.spec.rules);
    let matched = rules().flat_map(|rule| rule.matches.iter().filter_map(|m| m.model.as_deref()));
    let matched = matched.filter(|model| !model.contains('*'));
    let renamed = rules().flat_map(|rule| rule.targets.iter().filter_map(|t| t.model.as_deref()));
    let declared = world.providers.iter().flat_map(|p| &p.spec.models);
    let declared = declared.map(|model| model.name.as_str());
    let names = matched.chain(renamed).chain(declared);
    names
        .filter(|name| !name.is_empty())
        .map(|name| {
            let label: Arc<str> = name.into();
            (Arc::clone(&label), label)
        })
        .collect()
}

fn names(index: &Index, rules: &Rules<'_>) -> BTreeSet<String> {
    let exact = index.iter().filter_map(|candidate| match &candidate.model {
        ModelMatch::Exact(name) => Some(name.to_string()),
        ModelMatch::Prefix(_) | ModelMatch::Suffix(_) | ModelMatch::Any => None,
    });
    let targets = rules.values().flat_map(|rule| &rule.targets);
    let unnamed = targets.filter(|target| target.rename.is_none());
    // A provider that a thousand rules name declares its models once.
    let mut seen = BTreeSet::new();
    let providers = unnamed.filter(|target| seen.insert(&target.provider.reference));
    let declared = providers.flat_map(|target| target.provider.models.keys().cloned());
    exact.chain(declared).collect()
}

/// Walks the candidates of a name like a lookup of all its possible calls at once.
fn list_one(index: &Index, rules: &Rules<'_>, name: &str, listed: &mut Vec<Listing>) {
    let start = listed.len();
    // Calls of these APIs are taken, whoever makes them.
    let mut closed: Apis = 0;
    // Calls of these APIs can be taken only by guarded candidates.
    let mut guarded: Apis = 0;
    for candidate in index.matching(Some(name)) {
        let takes = takes(candidate) & !closed;
        let wins = match candidate.rule.clients {
            Some(_) => takes,
            None => takes & !guarded,
        };
        if wins & served(candidate) != 0
            && !is_listed(&listed[start..], candidate)
            && let Some(model) = listed_model(candidate, rules, name)
        {
            let rule = Arc::clone(&candidate.rule);
            listed.push(Listing { model, rule });
        }
        if candidate.headers.is_empty() {
            match candidate.rule.clients {
                Some(_) => guarded |= takes,
                None => closed |= wins,
            }
        }
        if closed == Apis::MAX >> (Apis::BITS as usize - Api::ALL.len())
            || listed.len() > MAX_LISTED
        {
            break;
        }
    }
}

fn takes(candidate: &Candidate) -> Apis {
    apis(|api| candidate.check_api(api).is_ok())
}

fn served(candidate: &Candidate) -> Apis {
    match &candidate.rule.action {
        Action::Forward(forwarding) => apis(|api| forwarding.plans[api as usize].is_some()),
        Action::Refuse(_) => 0,
    }
}

fn apis(holds: impl Fn(Api) -> bool) -> Apis {
    let bits = Api::ALL.iter().filter(|api| holds(**api));
    bits.fold(0, |bits, api| bits | 1 << *api as usize)
}

/// Is the name listed already for the same callers?
fn is_listed(listed: &[Listing], candidate: &Candidate) -> bool {
    let clients = &candidate.rule.clients;
    listed.iter().any(|listing| match (&listing.rule.clients, clients) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    })
}

fn listed_model(candidate: &Candidate, rules: &Rules<'_>, name: &str) -> Option<ListedModel> {
    let facts = rules.get(&(candidate.rule.route.clone(), candidate.rule_index))?;
    let declares =
        |target: &&Target<'_>| target.rename.is_none() && target.provider.models.contains_key(name);
    let declaring = facts.targets.iter().find(declares);
    let owner = match candidate.model {
        ModelMatch::Exact(_) => facts.targets.first()?,
        ModelMatch::Prefix(_) | ModelMatch::Suffix(_) | ModelMatch::Any => declaring?,
    };
    let display_name = declaring.and_then(|target| target.provider.models.get(name)?.clone());
    Some(ListedModel {
        id: name.to_owned(),
        display_name: display_name.unwrap_or_else(|| name.to_owned()),
        owned_by: owner.provider.reference.name.to_string(),
    })
}
