//! The immutable routing table: built by `compile`, followed by `proxy`, swapped whole.
//!
//! Owns matching and precedence ([`lookup`]) and everything that a call needs once it is matched
//! ([`plan`]): parsed URIs, ready header values, durations, weights. Nothing here is parsed later.
//! Does not know manifests, Kubernetes or connections.

pub mod dump;
pub mod endpoint;
pub mod headers;
pub mod lookup;
pub mod plan;
pub mod weighted;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::llm::shapes::ListedModel;

pub use endpoint::{CallPath, Endpoint, Origin, Scheme, Suffix, TargetError, Trust};
pub use headers::HeaderPolicy;
pub use lookup::{Candidate, Facts, HeaderMatch, Index, Match, Mismatch, ModelMatch};
pub use plan::{
    Account, Action, ClientCredentials, Clients, Credential, Forwarding, Labels, Plan, PlansByApi,
    ProviderKeys, Rename, Rule, StreamUsage, Timeouts, Translation,
};
pub use weighted::Weighted;

/// Everything that the data plane routes by.
#[derive(Debug, Default)]
pub struct Table {
    /// The content hash of the world that this table was compiled from, 16 hex digits.
    pub version: String,
    /// Every match of every rule, best first: the first that accepts a call takes it.
    pub candidates: lookup::Index,
    /// The models that `GET /v1/models` lists, with the rule that serves each; sorted by id.
    pub models: Vec<Listing>,
    /// The declared model names, which alone may become metric labels.
    pub model_labels: HashMap<Arc<str>, Arc<str>>,
}

/// The label of every model that is not declared.
static OTHER: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("other"));

/// A listed model and the rule that would serve it (callers see only what they may use).
#[derive(Debug)]
pub struct Listing {
    /// What is shown.
    pub model: ListedModel,
    /// The rule whose clients may see it.
    pub rule: Arc<Rule>,
}

impl Table {
    /// The metric label of a model name: itself where declared, else `other`.
    pub fn model_label(&self, model: Option<&str>) -> Arc<str> {
        let declared = model.and_then(|model| self.model_labels.get(model));
        declared.cloned().unwrap_or_else(|| Arc::clone(&OTHER))
    }
}
