//! Which rule takes a call. One order for all candidates, so a reader can say who wins:
//!
//! 1. exact model, then the longest `prefix*`, then the longest `*suffix`, then any model;
//! 2. with an API kind before without;
//! 3. more header matches first;
//! 4. the older route (creation time), then namespace and name in byte order;
//! 5. the earlier rule, then the earlier match.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::Rule;
use crate::llm::Api;
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
    /// Digests of every credential that it presents.
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
    /// Which API; `None` is any.
    pub api: Option<Api>,
    /// Headers that must all be there.
    pub headers: Vec<HeaderMatch>,
    /// The rule that the match belongs to.
    pub rule: Arc<Rule>,
    /// Its place among the rule's matches, for `explain`.
    pub index: usize,
}

/// Which models a candidate takes.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// The candidates, ordered, with exact models found by hash.
#[derive(Debug, Default)]
pub struct Index {}
