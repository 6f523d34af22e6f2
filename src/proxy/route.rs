//! Which rule, which target, which account: the decisions of a call, from a table and two random
//! numbers.

use std::sync::Arc;

use super::call::{Call, Head};
use super::credentials::{self, Carried};
use super::failure::{Failure, Missing};
use super::translation::{self, Possible};
use crate::llm::operation::Operation;
use crate::secret::Digest;
use crate::table::{Account, Action, ClientCredentials, Facts, Match, Plan, Rule, Table, Weighted};

/// What was decided.
#[derive(Debug)]
pub struct Choice<'t> {
    /// The rule.
    pub rule: &'t Arc<Rule>,
    /// The client key's name, where the route asks for one.
    pub client: Option<&'t Arc<str>>,
    /// The target's plan.
    pub plan: &'t Arc<Plan>,
    /// The account that was picked; used if [`Carried::Account`].
    pub account: &'t Account,
    /// Whose credential goes along.
    pub carried: Carried,
}

/// The rule that takes a call, with what is needed to decide the rest.
#[derive(Debug)]
pub struct Found<'t, 'c> {
    /// The rule.
    pub rule: &'t Arc<Rule>,
    /// The client key's name, where the route asks for one.
    pub client: Option<&'t Arc<str>>,
    table: &'t Table,
    head: &'c Head,
}

/// Decides. `target` and `account` are random and uniform over all of `u64`.
///
/// # Errors
/// [`Failure`] when no rule takes the call, or the one that does cannot serve it.
pub fn choose<'t>(
    table: &'t Table,
    call: &Call,
    target: u64,
    account: u64,
) -> Result<Choice<'t>, Failure> {
    let found = find(table, call)?;
    let plan = plans(found.rule, &call.head.operation)?.pick(target);
    Ok(found.choice(plan, plan.accounts.pick(account)))
}

/// Finds the rule.
///
/// # Errors
/// [`Failure`] when no rule takes the call.
pub fn find<'t, 'c, B>(table: &'t Table, call: &'c Call<B>) -> Result<Found<'t, 'c>, Failure> {
    let head = &call.head;
    let digests = digests(table, head);
    let facts = facts(call, &digests);
    match table.candidates.lookup(&facts) {
        Match::Rule { rule, client } => Ok(Found { rule, client, table, head }),
        Match::Unauthorized(_) => Err(Failure::Unauthorized),
        Match::None => Err(no_route(head, facts.model)),
    }
}

/// The digests of what was presented, if any route asks for client keys.
pub fn digests(table: &Table, head: &Head) -> Vec<Digest> {
    match table.candidates.has_clients() {
        true => credentials::digests(&head.presented()),
        false => Vec::new(),
    }
}

/// What the table is asked about a call.
pub fn facts<'a, B>(call: &'a Call<B>, credentials: &'a [Digest]) -> Facts<'a> {
    Facts {
        api: call.head.operation.api,
        model: call.model.as_ref().map(|model| model.name.as_str()),
        headers: &call.head.headers,
        credentials,
    }
}

/// The targets of a rule for calls of this operation.
///
/// # Errors
/// [`Failure`] when the rule cannot serve them.
pub fn plans<'a>(
    rule: &'a Rule,
    operation: &Operation,
) -> Result<&'a Weighted<Arc<Plan>>, Failure> {
    let forwarding = match &rule.action {
        Action::Forward(forwarding) => forwarding,
        Action::Refuse(why) => {
            return Err(Failure::Unservable(format!("LlmRoute {}: {why}", rule.route)));
        }
    };
    let api = operation.api;
    let (all, untranslated) =
        (&forwarding.plans[api as usize], &forwarding.untranslated[api as usize]);
    let plans = match translation::possible(operation.kind) {
        Possible::Translated => all.as_ref(),
        // Who can count is asked; else it is guessed.
        Possible::Estimated => untranslated.as_ref().or(all.as_ref()),
        Possible::Nothing => untranslated.as_ref(),
    };
    plans.ok_or_else(|| {
        let (rule, route, api_name) = (&rule.name, &rule.route, api.as_str());
        Failure::Unsupported(match all {
            Some(_) => format!(
                "the targets of the rule `{rule}` of LlmRoute {route} serve the {api_name} API by \
                 translation, which there is none of for this operation"
            ),
            None => format!(
                "no target of the rule `{rule}` of LlmRoute {route} serves the {api_name} API"
            ),
        })
    })
}

// === impl Found ===

impl<'t> Found<'t, '_> {
    /// Whose credential goes along to this target.
    pub fn choice(&self, plan: &'t Arc<Plan>, account: &'t Account) -> Choice<'t> {
        let is_client_key = |digest: &Digest| self.table.candidates.is_client_key(digest);
        let carried = match &plan.client_credentials {
            ClientCredentials::Replace => Carried::Account,
            mode => credentials::carried(mode, &self.head.presented(), is_client_key),
        };
        Choice { rule: self.rule, client: self.client, plan, account, carried }
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
