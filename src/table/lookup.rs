//! Which rule takes a call. One order for all candidates, so a reader can say who wins:
//!
//! 1. exact model, then the longest `prefix*`, then the longest `*suffix`, then any model;
//! 2. with one API kind, then with `OpenAi` (the whole family), then with any;
//! 3. more header matches first;
//! 4. the older route (creation time; none counts as youngest), then namespace and name in byte
//!    order;
//! 5. the earlier rule, then the earlier match.
//!
//! The first candidate whose model, API and headers match takes the call, unless its route asks
//! for client keys. A route with `clients` takes only callers that present one of its keys:
//!
//! - the caller presents one: the candidate takes the call;
//! - the caller presents none of them: the candidate is remembered, and the search goes on, but
//!   from here on only candidates of routes with `clients`, one of whose keys the caller presents,
//!   can take the call. Never an open one: a call that a guarded route claims does not slip
//!   through a wider route that asks for nothing;
//! - nothing takes it: the caller is unauthorized, on account of the first candidate remembered.
//!
//! Models are found by hash: exact ones at once, patterns by one look for each length that some
//! pattern has. What is walked is the candidates whose model matches, and nothing is allocated.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::{Clients, Rule};
use crate::llm::{Api, Dialect};
use crate::secret::Digest;

/// What is known of a call when it is looked up.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The API that it speaks.
    pub api: Api,
    /// The model that it asks for, decoded.
    pub model: Option<&'a str>,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Digests of every credential that it presents; needed only if [`Index::has_clients`].
    pub credentials: &'a [Digest],
}

/// What a lookup found.
#[derive(Debug)]
pub enum Match<'t> {
    /// This rule takes the call.
    Rule {
        /// The rule.
        rule: &'t Arc<Rule>,
        /// The client key's name, where the route asks for one.
        client: Option<&'t Arc<str>>,
    },
    /// A guarded route matches, and the caller has no key of it (nor of a narrower-or-equal one).
    Unauthorized(&'t Arc<Rule>),
    /// No rule matches.
    None,
}

/// One match of one rule.
#[derive(Debug)]
pub struct Candidate {
    /// Which models.
    pub model: ModelMatch,
    /// Which API; `OpenAi` is every kind of that family, `None` is any.
    pub api: Option<Api>,
    /// Headers that must all be there.
    pub headers: Vec<HeaderMatch>,
    /// The rule that the match belongs to.
    pub rule: Arc<Rule>,
    /// When the route was made, in nanoseconds since 1970; `i128::MAX` where nobody knows.
    pub created: i128,
    /// The rule's place within its route.
    pub rule_index: usize,
    /// Its place among the rule's matches, for `explain`.
    pub index: usize,
}

/// Which models a candidate takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ModelMatch {
    /// This name.
    Exact(Box<str>),
    /// `prefix*`
    Prefix(Box<str>),
    /// `*suffix`
    Suffix(Box<str>),
    /// `*` or no model given: every call, also one that names no model.
    Any,
}

/// A header that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HeaderMatch {
    /// Its name.
    pub name: HeaderName,
    /// Its exact value, or any.
    pub value: Option<Box<[u8]>>,
}

/// Why a candidate does not take a call; the first reason in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Another API.
    Api,
    /// The call names no model.
    NoModel,
    /// Another model.
    Model,
    /// This header is missing or has another value.
    Header(HeaderName),
    /// The caller presents no key of the route.
    Client,
}

/// The candidates, ordered, with models found by hash.
#[derive(Debug, Default)]
pub struct Index {
    /// Best first. Candidates for the same model text are neighbours.
    candidates: Vec<Candidate>,
    exact: Bucket,
    /// By length, longest first.
    prefixes: Vec<(usize, Bucket)>,
    /// By length, longest first.
    suffixes: Vec<(usize, Bucket)>,
    any: Range<usize>,
    has_clients: bool,
    needs_model: bool,
}

/// The candidates for a text.
type Bucket = HashMap<Box<str>, Range<usize>>;

// === impl Index ===

impl Index {
    /// Puts candidates in order.
    pub fn new(mut candidates: Vec<Candidate>) -> Self {
        candidates.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut index = Self {
            has_clients: candidates.iter().any(|c| c.rule.clients.is_some()),
            needs_model: candidates.iter().any(Candidate::needs_model),
            ..Self::default()
        };
        let mut start = 0;
        for same in candidates.chunk_by(|a, b| a.model == b.model) {
            let range = start..start + same.len();
            start = range.end;
            if let Some(first) = same.first() {
                index.insert(&first.model, range);
            }
        }
        index.candidates = candidates;
        index
    }

    fn insert(&mut self, model: &ModelMatch, range: Range<usize>) {
        match model {
            ModelMatch::Exact(name) => drop(self.exact.insert(name.clone(), range)),
            ModelMatch::Prefix(text) => insert_by_length(&mut self.prefixes, text, range),
            ModelMatch::Suffix(text) => insert_by_length(&mut self.suffixes, text, range),
            ModelMatch::Any => self.any = range,
        }
    }

    /// Who takes this call?
    pub fn lookup(&self, facts: &Facts<'_>) -> Match<'_> {
        let mut remembered = None;
        for candidate in self.matching(facts.model) {
            if candidate.check_api(facts.api).is_err() || candidate.check_headers(facts).is_err() {
                continue;
            }
            let rule = &candidate.rule;
            match &rule.clients {
                None if remembered.is_none() => return Match::Rule { rule, client: None },
                None => {}
                Some(clients) => match clients.find(facts.credentials) {
                    client @ Some(_) => return Match::Rule { rule, client },
                    None => drop(remembered.get_or_insert(rule)),
                },
            }
        }
        remembered.map_or(Match::None, Match::Unauthorized)
    }

    /// All candidates in order of precedence, for `explain`.
    pub fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter()
    }

    /// The candidates that take this model, in order of precedence; without a model only those
    /// that take any.
    pub fn matching<'t>(&'t self, model: Option<&str>) -> impl Iterator<Item = &'t Candidate> {
        let named = model.into_iter().flat_map(|model| self.named(model));
        named.chain(self.candidates.get(self.any.clone()).unwrap_or_default())
    }

    fn named<'t>(&'t self, model: &str) -> impl Iterator<Item = &'t Candidate> {
        let prefixes = self.prefixes.iter().filter_map(|(length, bucket)| {
            // `get` is None also where the length falls inside a character.
            bucket.get(model.get(..*length)?)
        });
        let suffixes = self.suffixes.iter().filter_map(|(length, bucket)| {
            let start = model.len().checked_sub(*length)?;
            bucket.get(model.get(start..)?)
        });
        let ranges = self.exact.get(model).into_iter().chain(prefixes);
        ranges.chain(suffixes).flat_map(|range| {
            let slice = self.candidates.get(range.clone());
            slice.unwrap_or_default()
        })
    }

    /// Does any route ask for client keys? Only then is it worth digesting credentials.
    pub fn has_clients(&self) -> bool {
        self.has_clients
    }

    /// Does any rule ask for the model, or any target change it or put it into a path? Only then is
    /// it worth reading a multipart body.
    pub fn needs_model(&self) -> bool {
        self.needs_model
    }

    /// Is this a client key of any route? Such a key never goes upstream.
    pub fn is_client_key(&self, digest: &Digest) -> bool {
        let clients =
            self.candidates.iter().filter_map(|candidate| candidate.rule.clients.as_ref());
        let mut keys = clients.flat_map(|clients| &clients.keys);
        self.has_clients && keys.any(|(_, key)| key.matches(digest))
    }
}

fn insert_by_length(buckets: &mut Vec<(usize, Bucket)>, text: &str, range: Range<usize>) {
    // Ranges come in order, so the longest text comes first.
    match buckets.last_mut() {
        Some((length, bucket)) if *length == text.len() => drop(bucket.insert(text.into(), range)),
        _ => buckets.push((text.len(), Bucket::from([(text.into(), range)]))),
    }
}

// === impl Candidate ===

impl Candidate {
    fn needs_model(&self) -> bool {
        self.model != ModelMatch::Any || self.rule.action.needs_model()
    }

    /// Does it take this call? For `explain`: on its own, whatever stands before it.
    ///
    /// # Errors
    /// The first [`Mismatch`].
    pub fn check(&self, facts: &Facts<'_>) -> Result<(), Mismatch> {
        self.check_api(facts.api)?;
        self.check_model(facts.model)?;
        self.check_headers(facts)?;
        match &self.rule.clients {
            Some(clients) if clients.find(facts.credentials).is_none() => Err(Mismatch::Client),
            _ => Ok(()),
        }
    }

    /// Does it take calls of this API?
    ///
    /// # Errors
    /// [`Mismatch::Api`]
    pub fn check_api(&self, api: Api) -> Result<(), Mismatch> {
        match self.api {
            None => Ok(()),
            Some(Api::OpenAi) if api.dialect() == Dialect::OpenAi => Ok(()),
            Some(wanted) if wanted == api => Ok(()),
            Some(_) => Err(Mismatch::Api),
        }
    }

    fn check_model(&self, model: Option<&str>) -> Result<(), Mismatch> {
        let fits = match (&self.model, model) {
            (ModelMatch::Any, _) => true,
            (_, None) => return Err(Mismatch::NoModel),
            (ModelMatch::Exact(name), Some(model)) => &**name == model,
            (ModelMatch::Prefix(prefix), Some(model)) => model.starts_with(&**prefix),
            (ModelMatch::Suffix(suffix), Some(model)) => model.ends_with(&**suffix),
        };
        fits.then_some(()).ok_or(Mismatch::Model)
    }

    fn check_headers(&self, facts: &Facts<'_>) -> Result<(), Mismatch> {
        let missing = self.headers.iter().find(|header| !header.is_in(facts));
        missing.map_or(Ok(()), |header| Err(Mismatch::Header(header.name.clone())))
    }

    /// The documented order. Between two patterns of one length the text comes before the rest,
    /// which decides nothing: no model has both.
    fn order(&self) -> impl Ord + '_ {
        let (class, text) = match &self.model {
            ModelMatch::Exact(name) => (0, &**name),
            ModelMatch::Prefix(prefix) => (1, &**prefix),
            ModelMatch::Suffix(suffix) => (2, &**suffix),
            ModelMatch::Any => (3, ""),
        };
        let width = match self.api {
            Some(Api::OpenAi) => 1,
            Some(_) => 0,
            None => 2,
        };
        let route = &self.rule.route;
        (
            (class, Reverse(text.len()), text),
            (width, Reverse(self.headers.len())),
            (self.created, route, self.rule_index, self.index),
        )
    }
}

impl HeaderMatch {
    /// One of several headers of the name suffices.
    fn is_in(&self, facts: &Facts<'_>) -> bool {
        let mut values = facts.headers.get_all(&self.name).iter();
        match &self.value {
            None => values.next().is_some(),
            Some(wanted) => values.any(|value| value.as_bytes() == &**wanted),
        }
    }
}

// === impl Clients ===

impl Clients {
    /// The name of the first key that is among these. Every key is compared with every
    /// credential, so that the time tells nothing of which one it was.
    pub fn find(&self, credentials: &[Digest]) -> Option<&Arc<str>> {
        let mut found = None;
        for (name, key) in &self.keys {
            for credential in credentials {
                if key.matches(credential) && found.is_none() {
                    found = Some(name);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
