//! What happens to a matched call: a [`Rule`]'s [`Action`], and per API the [`Plan`]s to pick from.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::endpoint::{Endpoint, PathPrefix};
use super::{HeaderPolicy, Weighted};
use crate::llm::Api;
use crate::llm::translate::{LimitName, Pair, ThinkingForm};
use crate::name::ObjectRef;
use crate::secret::{Digest, QueryValue};

/// One rule of one route.
#[derive(Debug)]
pub struct Rule {
    /// The LlmRoute it stands in.
    pub route: ObjectRef,
    /// Its name there, or `rule-N` counted from 0.
    pub name: Arc<str>,
    /// Who may use the route; `None` where anybody may.
    pub clients: Option<Arc<Clients>>,
    /// What happens to a call that it matches.
    pub action: Action,
}

/// The named client keys of a route.
#[derive(Debug)]
pub struct Clients {
    /// Names and the digests of their keys.
    pub keys: Vec<(Arc<str>, Digest)>,
}

/// What happens to a matched call.
#[derive(Debug)]
pub enum Action {
    /// It is forwarded.
    Forward(Forwarding),
    /// It is refused with 503, so that no wider route catches it; the text says why and names no
    /// secret. It goes to the log; the caller reads only that the route is not ready.
    Refuse(String),
}

/// The ways to forward a call, per API (`api as usize`); an API that no target serves has none.
#[derive(Debug)]
pub struct Forwarding {
    /// Weighted plans, for the operations that can be translated.
    pub plans: PlansByApi,
    /// Those of them that translate nothing, for all other operations.
    pub untranslated: PlansByApi,
}

/// Weighted plans, per API (`api as usize`).
pub type PlansByApi = [Option<Weighted<Arc<Plan>>>; Api::ALL.len()];

/// All that is needed to send a call of one API to one target.
#[derive(Debug)]
pub struct Plan {
    /// What metrics and logs call it.
    pub labels: Labels,
    /// Where the call goes.
    pub endpoint: Endpoint,
    /// From the caller's dialect to the endpoint's, where they differ.
    pub translation: Option<Translation>,
    /// The model name to send instead of the caller's.
    pub rename: Option<Rename>,
    /// What is done with the caller's own credentials.
    pub client_credentials: ClientCredentials,
    /// The accounts to pick from; a provider without keys has one account with
    /// [`Credential::None`].
    pub accounts: Weighted<Account>,
    /// The provider's header rules.
    pub headers: HeaderPolicy,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// Is usage asked for in OpenAI chat streams that would carry none?
    pub stream_usage: StreamUsage,
}

/// How a target's calls are translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Translation {
    /// From which dialect to which.
    pub pair: Pair,
    /// What a chat upstream calls the limit of an answer's length.
    pub limit_name: LimitName,
    /// How a messages upstream is told how much to think.
    pub thinking: ThinkingForm,
    /// The longest answer of a messages upstream where the caller sets no limit, in tokens.
    pub max_tokens: Option<u64>,
}

/// Names for metrics and logs, all declared in manifests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Labels {
    /// `namespace/name` of the LlmRoute.
    pub route: Arc<str>,
    /// The rule within it.
    pub rule: Arc<str>,
    /// `namespace/name` of the ProviderSecret.
    pub provider: Arc<str>,
    /// The vendor, in OpenTelemetry's words (`gen_ai.provider.name`): `anthropic`, `openai`, …
    pub vendor: &'static str,
}

/// A model name in the two forms that a request carries it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// As it is.
    pub name: Arc<str>,
    /// As a JSON string, quotes included.
    pub json: Bytes,
}

/// One account of a provider.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name in the ProviderSecret.
    pub name: Arc<str>,
    /// How it proves itself.
    pub credential: Credential,
}

/// How Pillion's own key is presented.
#[derive(Debug, Clone)]
pub enum Credential {
    /// Not at all (a local Ollama).
    None,
    /// In a header; the value is marked sensitive.
    Header {
        /// `authorization`, `x-api-key`, …
        name: HeaderName,
        /// The key in its auth form.
        value: HeaderValue,
    },
    /// In the query string, `name=key`.
    Query {
        /// The parameter's name, already encoded.
        name: Arc<str>,
        /// The encoded key.
        value: QueryValue,
    },
}

/// What is done with credentials that the caller sent. A route's client key is never forwarded.
#[derive(Debug, Clone)]
pub enum ClientCredentials {
    /// Taken away; Pillion's account is used.
    Replace,
    /// Sent on as they came; where the caller sent none, Pillion's account is used.
    Forward,
    /// A token with one of the provider's own prefixes goes on in the provider's auth form; any
    /// other is replaced.
    ForwardIfProviderKey(ProviderKeys),
}

/// How to recognise and present a caller's own key of this provider.
#[derive(Debug, Clone)]
pub struct ProviderKeys {
    /// Prefixes of API keys (`sk-ant-`), presented in `header`.
    pub api_key_prefixes: &'static [&'static str],
    /// Prefixes of OAuth tokens (`sk-ant-oat`), which stay Bearer; looked at first.
    pub bearer_prefixes: &'static [&'static str],
    /// The header an API key goes into; `authorization` means `Bearer `.
    pub header: HeaderName,
}

/// How long to wait for what. There is no deadline for a whole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until TCP and TLS stand.
    pub connect: Duration,
    /// From the request's last byte to the answer's head.
    pub first_byte: Duration,
    /// The longest silence within an answer.
    pub idle: Duration,
    /// After this much silence in an event stream a comment is sent to the client, between events
    /// and only while `idle` has not run out. `None`: never.
    pub keep_alive: Option<Duration>,
}

/// Is usage asked for in OpenAI chat streams that would carry none?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamUsage {
    /// `stream_options.include_usage` is added, and the extra chunk taken out again.
    Request,
    /// The request goes as it was sent.
    AsSent,
}

// === impl Action ===

impl Action {
    /// Does some target change the model, or put it into a path?
    pub fn needs_model(&self) -> bool {
        let Self::Forward(forwarding) = self else {
            return false;
        };
        let mut plans = forwarding.plans.iter().flatten().flat_map(Weighted::iter);
        plans.any(|(_, plan)| plan.needs_model())
    }
}

// === impl Plan ===

impl Plan {
    /// The API that calls are translated to, if they are.
    pub fn translated_to(&self) -> Option<&'static str> {
        self.translation.map(|translation| translation.pair.upstream().api().as_str())
    }

    fn needs_model(&self) -> bool {
        let in_path = matches!(self.endpoint.prefix, PathPrefix::AroundModel(..));
        in_path || self.rename.is_some()
    }
}
