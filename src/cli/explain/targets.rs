//! What each target of a rule would be sent: URL, headers, changes of the body, account.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::redact;
use super::refusal::Refusal;
use super::translation::TranslationStory;
use crate::cli::options::BODY_LIMIT;
use crate::llm::json::{self, Splice};
use crate::llm::operation::Kind;
use crate::proxy::call::Call;
use crate::proxy::credentials::Carried;
use crate::proxy::prepare::{self, AnswerChange, BodyChange, Outline};
use crate::proxy::rendition;
use crate::proxy::reply::UsageAsked;
use crate::proxy::route::{Choice, Found};
use crate::table::{Account, Credential, Plan, Weighted};

/// A target, and what it would be sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TargetStory {
    /// Its share of the rule's calls, in percent.
    pub(super) share: f64,
    /// `namespace/name` of the ProviderSecret.
    pub(super) provider: String,
    /// The vendor, in OpenTelemetry's words.
    pub(super) vendor: &'static str,
    /// The model that it is asked for.
    pub(super) model: Option<String>,
    /// Whose credential goes along.
    pub(super) credential: CredentialOf,
    /// The accounts that one is drawn from.
    pub(super) accounts: Vec<AccountStory>,
    /// Where the call goes, with the first account.
    pub(super) url: Option<String>,
    /// What becomes of each header, by name, with the first account.
    pub(super) headers: Vec<HeaderChange>,
    /// The answer of a call that counts tokens where the provider cannot: a guess of Pillion's own,
    /// for which nothing is sent.
    pub(super) estimated_tokens: Option<u64>,
    /// What becomes of a body that goes in another dialect.
    pub(super) translation: Option<TranslationStory>,
    /// What is replaced in any other body; every other byte goes as it was sent.
    pub(super) body_edits: Vec<Edit>,
    /// Is usage asked for that the caller did not ask for, and taken out of the answer again?
    pub(super) asks_for_usage: bool,
    /// Why this target refuses the call.
    pub(super) refused: Option<Refusal>,
}

/// Whose credential goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum CredentialOf {
    /// That of one of the accounts.
    Account,
    /// The caller's own.
    Caller,
}

/// An account of the provider.
#[derive(Debug, Serialize)]
pub(super) struct AccountStory {
    pub(super) name: String,
    /// Its share of the target's calls, in percent.
    pub(super) share: f64,
    /// How its key is presented; `None` for an account without one.
    pub(super) presented: Option<String>,
}

/// What becomes of the headers of one name.
#[derive(Debug, Serialize)]
pub(super) struct HeaderChange {
    pub(super) name: String,
    pub(super) change: Change,
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
}

/// What becomes of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Change {
    /// It goes as it was sent.
    Same,
    /// It has another value, or another owner's key.
    Changed,
    /// The caller did not send it.
    Added,
    /// It does not go on.
    Removed,
}

/// A stretch of the body that is replaced.
#[derive(Debug, Serialize)]
pub(super) struct Edit {
    /// Where it begins, counted in bytes from 0.
    pub(super) at: usize,
    /// The bytes that go; empty where something is put in between.
    pub(super) before: String,
    /// The bytes that come.
    pub(super) after: String,
}

/// Every target, in the order of the manifest.
pub(super) fn tell<'t>(
    call: &Call<Bytes>,
    found: &Found<'t, '_>,
    plans: &'t Weighted<Arc<Plan>>,
) -> Vec<TargetStory> {
    let sum: u64 = plans.iter().map(|(weight, _)| weight).sum();
    let target = |(weight, plan): (u64, &'t Arc<Plan>)| {
        // The first account stands for all of them: they differ in nothing but the key.
        let mut accounts = plan.accounts.iter();
        let (_, account) = accounts.next()?;
        let choice = found.choice(plan, account);
        let mut story = TargetStory::of(&choice, percent(weight, sum));
        story.follow(call, &choice);
        Some(story)
    };
    plans.iter().filter_map(target).collect()
}

fn percent(weight: u64, sum: u64) -> f64 {
    // Two decimals are all that anybody reads.
    (weight as f64 * 10_000.0 / sum.max(1) as f64).round() / 100.0
}

// === impl TargetStory ===

impl TargetStory {
    fn of(choice: &Choice, share: f64) -> Self {
        let plan = choice.plan;
        let (credential, accounts) = match &choice.carried {
            Carried::Account => (CredentialOf::Account, accounts(&plan.accounts)),
            Carried::Headers(_) | Carried::ClientQuery => (CredentialOf::Caller, Vec::new()),
        };
        Self {
            share,
            provider: plan.labels.provider.to_string(),
            vendor: plan.labels.vendor,
            model: None,
            credential,
            accounts,
            url: None,
            headers: Vec::new(),
            estimated_tokens: None,
            translation: None,
            body_edits: Vec::new(),
            asks_for_usage: false,
            refused: None,
        }
    }

    fn follow(&mut self, call: &Call<Bytes>, choice: &Choice) {
        let named = call.model.as_ref().map(|model| model.name.clone());
        let rename = choice.plan.rename.as_ref().map(|rename| rename.name.to_string());
        // A call that names no model is not given one.
        self.model = named.map(|named| rename.unwrap_or(named));
        let told = match (choice.plan.translation, call.head.operation.kind) {
            (Some(how), Kind::CountTokens) => rendition::tokens(call, how.pair, BODY_LIMIT)
                .map(|tokens| self.estimated_tokens = Some(tokens)),
            _ => prepare::outline(call.clone(), choice, BODY_LIMIT)
                .map(|(outline, body)| self.sent(call, &outline, &body, choice)),
        };
        if let Err(failure) = told {
            let dialect = call.head.operation.api.dialect();
            self.refused = Some(Refusal::of(&failure, dialect));
        }
    }

    fn sent(&mut self, call: &Call<Bytes>, outline: &Outline, body: &Bytes, choice: &Choice) {
        let endpoint = &choice.plan.endpoint;
        let key = in_query(choice).then(|| key_of(choice.account));
        self.url = Some(redact::url(endpoint, &outline.target, key.as_deref()));
        let length = self.body(outline, body);
        let mut after = outline.headers.clone();
        after.insert(header::HOST, endpoint.origin.host_header.clone());
        if length > 0 {
            after.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        self.headers = changes(&call.head.headers, &after, choice);
    }

    /// Tells what becomes of the body, and how long it is then.
    fn body(&mut self, outline: &Outline, body: &Bytes) -> usize {
        match &outline.answer {
            AnswerChange::AsSent(usage) => self.asks_for_usage = *usage == UsageAsked::ByPillion,
            AnswerChange::Translated(translation) => {
                self.translation = Some(TranslationStory::of(translation.pair, body));
            }
        }
        match &outline.body {
            BodyChange::Translated(body) => body.len(),
            BodyChange::Spliced(splices) => {
                let edit = |splice: &Splice| Edit::of(splice, body);
                self.body_edits = splices.iter().map(edit).collect();
                let spliced = json::splice(std::slice::from_ref(body), splices);
                spliced.iter().map(Bytes::len).sum()
            }
        }
    }
}

/// What stands where its key was.
fn key_of(account: &Account) -> String {
    format!("key {}", account.name)
}

fn in_query(choice: &Choice) -> bool {
    let in_query = matches!(choice.account.credential, Credential::Query { .. });
    in_query && choice.carried == Carried::Account
}

fn accounts(accounts: &Weighted<Account>) -> Vec<AccountStory> {
    let sum: u64 = accounts.iter().map(|(weight, _)| weight).sum();
    let story = |(weight, account): (u64, &Account)| AccountStory {
        name: account.name.to_string(),
        share: percent(weight, sum),
        presented: presented(account),
    };
    accounts.iter().map(story).collect()
}

fn presented(account: &Account) -> Option<String> {
    let label = key_of(account);
    match &account.credential {
        Credential::None => None,
        Credential::Header { name, value } => {
            Some(format!("{name}: {}", redact::header(name, value, &label)))
        }
        Credential::Query { name, .. } => Some(format!("?{name}=‹{label}›")),
    }
}

// === headers ===

/// Each header by name: what the caller sent, and what goes on.
fn changes(before: &HeaderMap, after: &HeaderMap, choice: &Choice) -> Vec<HeaderChange> {
    let names = before.keys().chain(after.keys());
    let names: BTreeMap<&str, &HeaderName> = names.map(|name| (name.as_str(), name)).collect();
    let change = |name: &HeaderName| {
        let sent = before.get_all(name).iter();
        let sent = sent.map(|value| redact::header(name, value, redact::CALLERS));
        let goes_on = after.get_all(name).iter().map(|value| {
            let owner = owner(name, value, before, choice);
            redact::header(name, value, &owner)
        });
        HeaderChange::new(name, sent.collect(), goes_on.collect())
    };
    names.into_values().map(change).collect()
}

/// Whose value it is, if it must not be shown.
fn owner(name: &HeaderName, value: &HeaderValue, before: &HeaderMap, choice: &Choice) -> String {
    if is_accounts(name, choice) {
        return key_of(choice.account);
    }
    match is_callers(name, choice) || before.get_all(name).iter().any(|sent| sent == value) {
        true => redact::CALLERS.to_owned(),
        false => "set by the provider's headers".to_owned(),
    }
}

fn is_accounts(name: &HeaderName, choice: &Choice) -> bool {
    match (&choice.carried, &choice.account.credential) {
        (Carried::Account, Credential::Header { name: of_key, .. }) => of_key == name,
        _ => false,
    }
}

fn is_callers(name: &HeaderName, choice: &Choice) -> bool {
    match &choice.carried {
        Carried::Headers(own) => own.iter().any(|(own, _)| own == name),
        Carried::Account | Carried::ClientQuery => false,
    }
}

// === impl HeaderChange ===

impl HeaderChange {
    fn new(name: &HeaderName, before: Vec<String>, after: Vec<String>) -> Self {
        Self { name: name.to_string(), change: Change::of(&before, &after), before, after }
    }
}

// === impl Change ===

impl Change {
    fn of(before: &[String], after: &[String]) -> Self {
        match (before.is_empty(), after.is_empty()) {
            (true, _) => Self::Added,
            (false, true) => Self::Removed,
            (false, false) if before == after => Self::Same,
            (false, false) => Self::Changed,
        }
    }
}

// === impl Edit ===

impl Edit {
    fn of(splice: &Splice, body: &Bytes) -> Self {
        let before = body.get(splice.at.clone()).unwrap_or_default();
        Self {
            at: splice.at.start,
            before: String::from_utf8_lossy(before).into_owned(),
            after: String::from_utf8_lossy(&splice.with).into_owned(),
        }
    }
}
