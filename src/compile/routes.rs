//! An LlmRoute as candidates for calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::clients;
use super::providers::Providers;
use super::report::{Report, in_order, object_id, object_ref};
use super::rules::{self, Compiled};
use super::targets::{Context, Target};
use super::world::Workloads;
use super::{Fault, ResourceKind, Selector, World};
use crate::api::{LlmRoute, LlmRouteSpec};
use crate::name::ObjectRef;
use crate::table::Candidate;

/// What all routes come to.
pub(super) struct Routes<'p> {
    /// Every match of every rule, in no order.
    pub(super) candidates: Vec<Candidate>,
    /// What a candidate's rule was made of.
    pub(super) rules: Rules<'p>,
}

/// By route and place.
pub(super) type Rules<'p> = BTreeMap<(ObjectRef, usize), RuleFacts<'p>>;

/// What is known of a rule beside what the table holds.
pub(super) struct RuleFacts<'p> {
    /// Where its calls go.
    pub(super) targets: Vec<Target<'p>>,
    /// Does the manifest list matches?
    pub(super) has_matches: bool,
    /// Which pods the route is for.
    pub(super) pods: Pods,
}

/// Which pods a route is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pods {
    /// All of the namespace.
    All,
    /// Those that are selected.
    Selected(Selector),
    /// None, because of a fault.
    None,
}

/// Compiles all of them.
pub(super) fn compile<'p>(
    world: &'p World,
    providers: &'p Providers,
    faults: &mut Vec<Fault>,
) -> Routes<'p> {
    let mut routes = Routes { candidates: Vec::new(), rules: Rules::new() };
    for object in in_order(&world.routes) {
        let id = object_id(ResourceKind::LlmRoute, object);
        if let Some(reference) = object_ref(&id, faults) {
            let mut report = Report::new(id, faults);
            routes.add(world, providers, (&reference, object), &mut report);
        }
    }
    routes
}

// === impl Routes ===

impl<'p> Routes<'p> {
    fn add(
        &mut self,
        world: &'p World,
        providers: &'p Providers,
        (reference, object): (&ObjectRef, &LlmRoute),
        report: &mut Report<'_>,
    ) {
        let spec = &object.spec;
        let pods = pods(world, spec, report);
        check(spec, report);
        let guard = clients::compile(world, &reference.namespace, &spec.clients, report);
        let names = names(spec, report);
        for (place, (rule, name)) in spec.rules.iter().zip(names).enumerate() {
            let context = Context { world, providers, route: reference, asked: &[] };
            let compiled = rules::compile(&context, (place, name, rule), &guard, report);
            let key = (reference.clone(), place);
            self.push(key, (created(object), pods.clone()), compiled);
        }
    }

    fn push(
        &mut self,
        key: (ObjectRef, usize),
        (created, pods): (i128, Pods),
        compiled: Compiled<'p>,
    ) {
        for (index, parsed) in compiled.matches {
            self.candidates.push(Candidate {
                model: parsed.model,
                api: parsed.api,
                headers: parsed.headers,
                rule: Arc::clone(&compiled.rule),
                created,
                rule_index: key.1,
                index,
            });
        }
        let (targets, has_matches) = (compiled.targets, compiled.has_matches);
        self.rules.insert(key, RuleFacts { targets, has_matches, pods });
    }
}

/// Reads `workloads`, which means something only where there are pods.
fn pods(world: &World, spec: &LlmRouteSpec, report: &mut Report<'_>) -> Pods {
    let Some(workloads) = &spec.workloads else {
        return Pods::All;
    };
    match (world.workloads, Selector::new(&workloads.pod_selector)) {
        (Workloads::Ignored, _) => {
            report.note(
                "spec.workloads",
                "there are no pods to select here, so the route applies to every call",
                "nothing needs to be done; in a cluster it is heeded",
            );
            Pods::All
        }
        (Workloads::Selected, Ok(selector)) if selector.selects_all() => Pods::All,
        (Workloads::Selected, Ok(selector)) => Pods::Selected(selector),
        (Workloads::Selected, Err(message)) => {
            let remedy = "correct it; until then the route is for no pod";
            report.error("spec.workloads.podSelector", message, remedy);
            Pods::None
        }
    }
}

fn check(spec: &LlmRouteSpec, report: &mut Report<'_>) {
    if spec.rules.is_empty() {
        report.warning("spec.rules", "the route has no rules", "add one, or delete the route");
    }
}

/// What the rules are called. Two rules of one name would be one in metrics and logs.
fn names(spec: &LlmRouteSpec, report: &mut Report<'_>) -> Vec<Arc<str>> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(spec.rules.len());
    for (place, rule) in spec.rules.iter().enumerate() {
        let fallback = format!("rule-{place}");
        let name = rule.name.as_deref().unwrap_or(&fallback);
        match taken.insert(name.to_owned()) {
            true => names.push(name.into()),
            false => {
                let message = format!("there is another rule '{name}'; this one is '{fallback}'");
                let path = format!("spec.rules[{place}].name");
                report.warning(path, message, "rename one of them");
                names.push(fallback.into());
            }
        }
    }
    names
}

fn created(object: &LlmRoute) -> i128 {
    let time = object.metadata.creation_timestamp.as_ref();
    time.map_or(i128::MAX, |time| time.0.as_nanosecond())
}
