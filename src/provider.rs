//! What the vendors' endpoints, auth forms and habits are: data, one row a vendor ([`presets`]).
//!
//! A row is a default: whatever it says, a ProviderSecret can say otherwise. Its URLs are
//! templates; what they leave open are the preset's parameters, whose values are DNS labels or
//! plain path segments, so that a value can neither change the host's domain nor climb in the
//! path. Does not know routes, keys, or how a URL is joined with a call's path.

mod parameters;
mod presets;

#[cfg(test)]
mod tests;

use crate::api::{ApiKind, LimitField, StreamUsageSpec, ThinkingSpec, Vendor};
use crate::llm::Api;

pub use parameters::{ParameterError, Parameters};

/// What is known of a vendor.
#[derive(Debug)]
pub struct Preset {
    /// The vendor.
    pub vendor: Vendor,
    /// Its `gen_ai.provider.name`: OpenTelemetry's word where there is one, else ours.
    pub telemetry_name: &'static str,
    /// Its endpoints, at most one per API.
    pub endpoints: &'static [PresetEndpoint],
    /// The auth form of endpoints that are not in the row.
    pub auth: Auth,
    /// What the URLs leave open.
    pub parameters: &'static [Parameter],
    /// Parts of the URLs that follow from parameters.
    pub derived: &'static [Derived],
    /// Prefixes of API keys that only this vendor gives out. `sk-` alone says nothing.
    pub api_key_prefixes: &'static [&'static str],
    /// Prefixes of OAuth tokens, which are always presented as Bearer.
    pub bearer_prefixes: &'static [&'static str],
    /// Is usage to be asked for in OpenAI chat streams?
    pub stream_usage: StreamUsageSpec,
    /// What its chat completions call the limit of an answer's length.
    pub limit_field: LimitField,
    /// How its messages are told how much to think.
    pub thinking: ThinkingSpec,
    /// Does the vendor take calls without a key?
    pub keys: Keys,
}

/// One endpoint of a preset.
#[derive(Debug)]
pub struct PresetEndpoint {
    /// The API served there.
    pub api: Api,
    /// The base URL that the vendor's docs give for that kind of SDK, with `{parameters}`.
    pub url: &'static str,
    /// How keys are presented there.
    pub auth: Auth,
}

/// How a key is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer KEY`
    Bearer,
    /// `NAME: KEY`
    Header(&'static str),
}

/// Whether calls without a key make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Every call needs one.
    Needed,
    /// It depends on the installation.
    Optional,
}

/// What a preset's URLs leave open.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in `spec.parameters`.
    pub name: &'static str,
    /// Its value where none is given.
    pub default: Option<&'static str>,
    /// What a value may be.
    pub syntax: Syntax,
}

/// What a parameter's value may be.
#[derive(Debug)]
pub enum Syntax {
    /// A DNS label.
    Label,
    /// A plain path segment.
    Segment,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// A part of a URL that follows from parameters: the first case that holds.
#[derive(Debug)]
pub struct Derived {
    /// Its name within the templates.
    pub name: &'static str,
    /// Conditions and texts; a text may hold `{parameters}`. The last one always holds.
    pub cases: &'static [(When, &'static str)],
}

/// A condition on parameters.
#[derive(Debug)]
pub enum When {
    /// The parameter is given.
    Given(&'static str),
    /// The parameter has this value, given or by default.
    Is(&'static str, &'static str),
    /// Always.
    Always,
}

impl Preset {
    /// The vendor's row.
    pub fn of(vendor: Vendor) -> &'static Self {
        presets::row(vendor)
    }

    /// The row's endpoint for an API, without the family's fallback.
    pub fn endpoint(&self, api: Api) -> Option<&'static PresetEndpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.api == api)
    }
}

impl From<ApiKind> for Api {
    fn from(kind: ApiKind) -> Self {
        match kind {
            ApiKind::OpenAiChat => Self::OpenAiChat,
            ApiKind::OpenAiResponses => Self::OpenAiResponses,
            ApiKind::OpenAiEmbeddings => Self::OpenAiEmbeddings,
            ApiKind::OpenAi => Self::OpenAi,
            ApiKind::AnthropicMessages => Self::AnthropicMessages,
            ApiKind::Gemini => Self::Gemini,
        }
    }
}
