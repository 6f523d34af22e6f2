//! Matches that never get a call, because an earlier one claims the same (FAULTS 35).

use std::collections::HashMap;

use super::report::Report;
use super::routes::{Pods, RuleFacts, Rules};
use super::{Fault, ObjectId, ResourceKind};
use crate::llm::Api;
use crate::table::{Candidate, HeaderMatch, Index, ModelMatch};

/// What a match claims.
type Claim<'c> = (&'c ModelMatch, Option<Api>, &'c [HeaderMatch]);

/// With how many guarded matches of the same claim one is compared: enough for people, and a bound
/// for whoever writes a thousand of them.
const MAX_COMPARED: usize = 32;

/// Warns the losers, and names the winners.
pub(super) fn report(index: &Index, rules: &Rules<'_>, faults: &mut Vec<Fault>) {
    let mut winners: HashMap<Claim<'_>, Vec<&Candidate>> = HashMap::new();
    for candidate in index.iter() {
        let claim = (&candidate.model, candidate.api, &*candidate.headers);
        let before = winners.entry(claim).or_default();
        let mut compared = before.iter().take(MAX_COMPARED);
        let same_pods = |winner| covers(facts(rules, winner), facts(rules, candidate));
        match compared.find(|winner| same_pods(winner) && takes_all(winner, candidate)) {
            Some(winner) => warn(winner, candidate, rules, faults),
            None => before.push(candidate),
        }
    }
}

fn facts<'r, 'p>(rules: &'r Rules<'p>, candidate: &Candidate) -> Option<&'r RuleFacts<'p>> {
    rules.get(&(candidate.rule.route.clone(), candidate.rule_index))
}

/// Is the winner's route for every pod that the loser's is for? Of two selectors only equal ones
/// are known to be; a pod may come that only one of them selects.
fn covers<'f>(winner: Option<&'f RuleFacts<'_>>, loser: Option<&'f RuleFacts<'_>>) -> bool {
    let pods = |facts: Option<&'f RuleFacts<'_>>| facts.map_or(&Pods::All, |facts| &facts.pods);
    match (pods(winner), pods(loser)) {
        (Pods::All, _) => true,
        (winner, loser) => winner == loser && *winner != Pods::None,
    }
}

/// Does the winner leave the loser no call? Two guarded ones share the calls by key.
fn takes_all(winner: &Candidate, loser: &Candidate) -> bool {
    match (&winner.rule.clients, &loser.rule.clients) {
        (Some(winner), Some(loser)) => {
            loser.keys.iter().all(|(_, key)| winner.find(&[*key]).is_some())
        }
        _ => true,
    }
}

fn warn(winner: &Candidate, loser: &Candidate, rules: &Rules<'_>, faults: &mut Vec<Fault>) {
    let route = &loser.rule.route;
    let facts = facts(rules, loser);
    let rule = format!("spec.rules[{}]", loser.rule_index);
    let path = match facts.is_some_and(|facts| facts.has_matches) {
        true => format!("{rule}.matches[{}]", loser.index),
        false => rule,
    };
    let name = &winner.rule.name;
    let by = match (winner.rule.route == *route, winner.created < loser.created) {
        (true, _) => format!("rule '{name}' of this route, which comes earlier,"),
        (false, true) => format!("rule '{name}' of {}, which is older,", winner.rule.route),
        (false, false) => {
            format!("rule '{name}' of {}, whose name comes first,", winner.rule.route)
        }
    };
    let object = ObjectId {
        kind: ResourceKind::LlmRoute,
        namespace: route.namespace.to_string(),
        name: route.name.to_string(),
    };
    Report::new(object, faults).warning(
        path,
        format!("it never gets a call: {by} claims the same calls"),
        "remove one of the two, or make this one narrower",
    );
}
