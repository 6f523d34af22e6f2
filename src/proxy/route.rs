//! Which rule, which target, which account: the decisions of a call, from a table and two random
//! numbers.

use std::sync::Arc;

use super::call::{Call, Head};
use super::credentials::{self, Carried};
use super::failure::{Failure, Missing};
use crate::table::{Account, Action, Facts, Match, Plan, Rule, Table};

/// What was decided.
#[derive(Debug)]
pub struct Choice {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The client key's name, where the route asks for one.
    pub client: Option<Arc<str>>,
    /// The target's plan.
    pub plan: Arc<Plan>,
    /// The account that was picked; used if [`Carried::Account`].
    pub account: Account,
    /// Whose credential goes along.
    pub carried: Carried,
}

/// Decides. `target` and `account` are random and uniform over all of `u64`.
///
/// # Errors
/// [`Failure`] when no rule takes the call, or the one that does cannot serve it.
pub fn choose(table: &Table, call: &Call, target: u64, account: u64) -> Result<Choice, Failure> {
    let head = &call.head;
    let presented = credentials::presented(&head.headers, head.uri.query());
    let digests = match table.candidates.has_clients() {
        true => credentials::digests(&presented),
        false => Vec::new(),
    };
    let facts = Facts {
        api: head.operation.api,
        model: call.model.as_ref().map(|model| model.name.as_str()),
        headers: &head.headers,
        credentials: &digests,
    };
    let (rule, client) = match table.candidates.lookup(&facts) {
        Match::Rule { rule, client } => (Arc::clone(rule), client.cloned()),
        Match::Unauthorized(_) => return Err(Failure::Unauthorized),
        Match::None => return Err(no_route(head, facts.model)),
    };
    let plan = plan_of(&rule, head, target)?;
    let carried = credentials::carried(&plan.client_credentials, &presented, |digest| {
        table.candidates.is_client_key(digest)
    });
    let account = plan.accounts.pick(account).clone();
    Ok(Choice {
        rule,
        client,
        plan,
        account,
        carried,
    })
}

fn plan_of(rule: &Rule, head: &Head, random: u64) -> Result<Arc<Plan>, Failure> {
    let forwarding = match &rule.action {
        Action::Forward(forwarding) => forwarding,
        Action::Refuse(why) => {
            return Err(Failure::Unservable(format!(
                "LlmRoute {}: {why}",
                rule.route
            )));
        }
    };
    let api = head.operation.api;
    match &forwarding.plans[api as usize] {
        Some(plans) => Ok(Arc::clone(plans.pick(random))),
        None => Err(Failure::Unsupported(format!(
            "no target of the rule `{}` of LlmRoute {} serves the {} API",
            rule.name,
            rule.route,
            api.as_str()
        ))),
    }
}

fn no_route(head: &Head, model: Option<&str>) -> Failure {
    let api = head.operation.api.as_str();
    let Some(model) = model else {
        let why =
            format!("no route takes {api} calls that name no model: a rule without `model` would");
        return Failure::NoRoute(Missing::Path, why);
    };
    let shown = &model[..model.floor_char_boundary(128)];
    let why = format!(
        "no route takes the model `{shown}` on the {api} API; GET /v1/models lists those that are \
         declared"
    );
    Failure::NoRoute(Missing::Model, why)
}
