//! One rule of a route: its matches, and what happens to the calls that they take.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::clients::Guard;
use super::matches::{self, Parsed};
use super::report::Report;
use super::targets::{self, Context, Target};
use super::timeouts;
use crate::api::RuleSpec;
use crate::llm::Api;
use crate::table::{Action, ModelMatch, Rule, Timeouts};

/// A compiled rule.
pub(super) struct Compiled<'p> {
    /// Its matches with their places; of those that are wrong there is none.
    pub(super) matches: Vec<(usize, Parsed)>,
    /// The rule.
    pub(super) rule: Arc<Rule>,
    /// Where its calls go; nothing if it refuses.
    pub(super) targets: Vec<Target<'p>>,
    /// Does the manifest list matches?
    pub(super) has_matches: bool,
}

/// Compiles a rule. Whatever is wrong, it takes the calls that its matches claim.
pub(super) fn compile<'p>(
    context: &Context<'_, 'p>,
    (place, name, spec): (usize, Arc<str>, &RuleSpec),
    guard: &Guard,
    report: &mut Report<'_>,
) -> Compiled<'p> {
    let path = format!("spec.rules[{place}]");
    let matches = all_matches(spec, &path, report);
    let asked = asked(&matches);
    let context = Context {
        asked: &asked,
        world: context.world,
        providers: context.providers,
        route: context.route,
    };
    let timeouts = timeouts::compile(&spec.timeouts, &path, report);
    let targets_path = format!("{path}.targets");
    let mut targets = targets::compile(&context, &spec.targets, &targets_path, report);
    check_targets(spec, &targets, &targets_path, report);
    check_apis(&matches, &targets, &path, report);
    if matches!(guard, Guard::Closed) {
        targets.clear();
    }
    let rule = Arc::new(Rule {
        route: context.route.clone(),
        action: action(&context, &name, (guard, &targets), timeouts),
        name,
        clients: match guard {
            Guard::Keys(clients) => Some(Arc::clone(clients)),
            // A closed route refuses with 503 whoever calls: that no key of it works is its
            // fault, not the caller's.
            Guard::Open | Guard::Closed => None,
        },
    });
    Compiled { matches, rule, targets, has_matches: !spec.matches.is_empty() }
}

fn action(
    context: &Context<'_, '_>,
    name: &Arc<str>,
    (guard, targets): (&Guard, &[Target<'_>]),
    timeouts: Timeouts,
) -> Action {
    match (guard, targets.is_empty()) {
        (Guard::Closed, _) => Action::Refuse("no client key of the route can be used".to_owned()),
        (Guard::Open | Guard::Keys(_), true) => {
            Action::Refuse("no target of the rule can be used".to_owned())
        }
        (Guard::Open | Guard::Keys(_), false) => {
            let route = context.route.to_string().into();
            Action::Forward(targets::forwarding(targets, (&route, name), timeouts))
        }
    }
}

fn all_matches(spec: &RuleSpec, path: &str, report: &mut Report<'_>) -> Vec<(usize, Parsed)> {
    if spec.matches.is_empty() {
        let every_call = Parsed { model: ModelMatch::Any, api: None, headers: Vec::new() };
        return vec![(0, every_call)];
    }
    let parse = |(i, spec)| {
        let parsed = matches::compile(spec, &format!("{path}.matches[{i}]"), report);
        parsed.map(|parsed| (i, parsed))
    };
    spec.matches.iter().enumerate().filter_map(parse).collect()
}

/// The APIs that the matches ask for; where all matches are wrong, targets are not blamed for it.
fn asked(matches: &[(usize, Parsed)]) -> Vec<Option<Api>> {
    let asked: BTreeSet<_> = matches.iter().map(|(_, parsed)| parsed.api).collect();
    match asked.is_empty() {
        true => vec![None],
        false => asked.into_iter().collect(),
    }
}

/// A rule with nothing left to call refuses, and says so.
fn check_targets(spec: &RuleSpec, left: &[Target<'_>], path: &str, report: &mut Report<'_>) {
    if !left.is_empty() {
        return;
    }
    let idle = !spec.targets.is_empty() && spec.targets.iter().all(|target| target.weight == 0);
    let (what, remedy) = match (spec.targets.is_empty(), idle) {
        (true, _) => ("there is no target", "add one"),
        (_, true) => ("every target has weight 0", "give one a weight above 0"),
        _ => ("no target can be used", "make one target usable"),
    };
    let message = format!("{what}; calls that match are refused with 503");
    // The targets that were left out have faults of their own, which say what they are about.
    match spec.targets.is_empty() || idle {
        true => report.error(path, message, remedy),
        false => report.keyless(path, message, remedy),
    }
}

/// A match on an API that no target serves, beside others that are served.
fn check_apis(
    matches: &[(usize, Parsed)],
    targets: &[Target<'_>],
    path: &str,
    report: &mut Report<'_>,
) {
    for (i, parsed) in matches {
        let unserved = |api: &Api| !targets.iter().any(|target| target.serves(Some(*api)));
        if let Some(api) = parsed.api.filter(unserved)
            && !targets.is_empty()
        {
            report.error(
                format!("{path}.matches[{i}].api"),
                format!("no target serves {}; such calls are refused", api.as_str()),
                "add a target that serves it, or take the match out",
            );
        }
    }
}
