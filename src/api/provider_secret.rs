//! `ProviderSecret`: one provider account pool.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::common::{
    HEADER_VALUE, LABEL, MODEL_NAME, TOKEN, each_not_reserved, is_one, label_selector,
    not_of_the_connection, one, rule,
};
use super::conditions::conditions;
use super::{ApiKind, SecretKeySelector};

/// One provider account pool: where the provider is, how it is spoken to, under which keys.
///
/// LlmRoutes name it as a target. The keys themselves stay in Secrets of the same namespace; only
/// Secrets that a ProviderSecret or LlmRoute refers to are ever read.
#[expect(clippy::duplicated_attributes, reason = "columns of one type are no duplicates")]
#[derive(CustomResource, JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "pillion.dev",
    version = "v1alpha1",
    kind = "ProviderSecret",
    doc = "Declares one LLM provider: where it is, how it is spoken to and under which keys.",
    derive = "PartialEq",
    shortname = "provsec",
    category = "pillion",
    namespaced,
    status = "ProviderSecretStatus",
    printcolumn(
        name = "Provider",
        type_ = "string",
        description = "The vendor preset.",
        json_path = ".spec.provider"
    ),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        description = "Is what the provider says right?",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(
        name = "Resolved",
        type_ = "string",
        description = "Are its keys there and usable?",
        json_path = ".status.conditions[?(@.type==\"ResolvedRefs\")].status"
    ),
    printcolumn(
        name = "Routes",
        type_ = "integer",
        description = "How many LlmRoutes name it.",
        json_path = ".status.routes"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        description = "What matters most, in one line.",
        priority = 1,
        json_path = ".status.summary"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = [rule(
    CUSTOM_IS_COMPLETE, "provider Custom needs at least one endpoint, and a baseUrl in each"
)]))]
#[serde(rename_all = "camelCase")]
pub struct ProviderSecretSpec {
    /// The vendor preset: endpoints, paths and auth form by API. `Anthropic`, `Aliyun` (DashScope),
    /// `OpenAi`, `AzureOpenAi`, `Bedrock` (its OpenAI mode), `BedrockMantle`, `Vertex` (its OpenAI
    /// mode), `Gemini`, `OpenRouter`, `DeepSeek`, `Moonshot`, `Zai`, `Mistral`, `Groq`, `XAi`,
    /// `Together`, `Ollama`, `Vllm`, `LiteLlm`, or `Custom`, which presets nothing: say every
    /// endpoint below. What `endpoints`, `auth` and `streamUsage` say wins over the preset.
    pub provider: Vendor,
    /// What the preset's URLs leave open: `region`, `resource`, `workspaceId` or `project`.
    /// Default: none; a preset that needs one without a default says so in a fault, and a name that
    /// the preset does not know is one too. At most 8, values of at most 253 letters, digits, `.`,
    /// `_` and `-`. Example: `{region: eu-west-1}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 8, "additionalProperties" = json!({
        "type": "string", "minLength": 1, "maxLength": 253, "pattern": LABEL
    })))]
    pub parameters: BTreeMap<String, String>,
    /// Endpoints that replace the preset's or add to them, at most one for each API. Default: the
    /// preset's. Example:
    /// `[{api: AnthropicMessages, baseUrl: "https://dashscope.aliyuncs.com/apps/anthropic"}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 6),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["api"])
    )]
    pub endpoints: Vec<EndpointSpec>,
    /// How keys are presented at every endpoint that does not say its own. Default: as the preset
    /// says; for `Custom`, Bearer. Example: `{type: ApiKeyHeader, name: x-api-key}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AuthSpec")]
    pub auth: Option<AuthSpec>,
    /// The accounts. For each call one is drawn in proportion to the weights. Default: none, for
    /// providers that ask for no key. At most 64; names are unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub keys: Vec<KeySpec>,
    /// What happens to credentials that the caller sends. `Replace`: they are taken away and one of
    /// `keys` is used. `Forward`: they go upstream as they came; where the caller sends none, one
    /// of `keys` is used. `ForwardIfProviderKey`: a token with one of the provider's own prefixes
    /// (`sk-ant-`, `sk-or-`, …) goes upstream in the form that the provider wants; any other is
    /// replaced. A client key of a route is never forwarded. Default: `Replace`.
    #[serde(default)]
    pub client_credentials: ClientCredentialsSpec,
    /// Headers to remove from and to set on every call to this provider. Default: none.
    #[serde(default, skip_serializing_if = "HeadersSpec::is_empty")]
    pub headers: HeadersSpec,
    /// Which namespaces' LlmRoutes may name this provider. Default: those of its own namespace.
    #[serde(default)]
    pub allowed_routes: AllowedRoutes,
    /// Models that the provider serves, to be listed by `GET /v1/models` where a route's rule takes
    /// them. Names in rules are listed without this; it adds those that rules reach by a pattern,
    /// and names for people. Default: none. At most 256; names are unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 256),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub models: Vec<ModelSpec>,
    /// Whom to trust beside the system's root certificates. Default: nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "TlsSpec")]
    pub tls: Option<TlsSpec>,
    /// What to do with an OpenAI chat stream that would not report its token usage. `Request`: ask
    /// for the usage, count it, and take the extra chunk out again, so that the caller sees no
    /// difference. `AsSent`: change nothing, and do without the count. Default: as the preset says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "StreamUsageSpec")]
    pub stream_usage: Option<StreamUsageSpec>,
    /// What calls need that are translated for this provider, because no endpoint of it speaks the
    /// caller's dialect. Default: as the preset says. Example: `{limitField: MaxCompletionTokens}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "TranslationSpec")]
    pub translation: Option<TranslationSpec>,
}

/// The vendors with a preset.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Vendor {
    /// Anthropic's API.
    Anthropic,
    /// Aliyun DashScope (Qwen), in its OpenAI and its Anthropic mode.
    Aliyun,
    /// OpenAI's API.
    OpenAi,
    /// Azure OpenAI and Foundry; needs the parameter `resource`.
    AzureOpenAi,
    /// The OpenAI mode of the AWS Bedrock runtime; needs the parameter `region`.
    Bedrock,
    /// AWS Bedrock Mantle, in its OpenAI and its Anthropic mode; needs the parameter `region`.
    BedrockMantle,
    /// The OpenAI mode of Google Vertex AI; needs the parameters `project` and `region`.
    Vertex,
    /// Google's Gemini API, native and in its OpenAI mode.
    Gemini,
    /// OpenRouter, in its OpenAI and its Anthropic mode.
    OpenRouter,
    /// DeepSeek, in its OpenAI and its Anthropic mode.
    DeepSeek,
    /// Moonshot (Kimi), in its OpenAI and its Anthropic mode.
    Moonshot,
    /// Z.ai (GLM), in its OpenAI and its Anthropic mode.
    Zai,
    /// Mistral's API.
    Mistral,
    /// Groq's API.
    Groq,
    /// xAI's API.
    XAi,
    /// Together's API.
    Together,
    /// An Ollama server.
    Ollama,
    /// A vLLM server.
    Vllm,
    /// A LiteLLM proxy.
    LiteLlm,
    /// No preset: every endpoint is said in the ProviderSecret.
    Custom,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSpec {
    /// The API that is served there: `OpenAiChat`, `OpenAiResponses`, `OpenAiEmbeddings`, `OpenAi`
    /// (every path of the OpenAI family for which there is no endpoint of its own),
    /// `AnthropicMessages` or `Gemini`. At most one endpoint for each.
    pub api: ApiKind,
    /// The base URL as the vendor's documents give it for SDKs of that kind. An OpenAI base ends in
    /// its version segment (`https://api.groq.com/openai/v1`; an empty path means `/v1`), an
    /// Anthropic base comes before it (`https://openrouter.ai/api`). A query string is kept and put
    /// before the caller's. Default: the preset's; with `provider: Custom` it must be given.
    /// http:// or https://, at most 2048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(max = 2048), regex(pattern = BASE_URL))]
    pub base_url: Option<String>,
    /// How keys are presented at this endpoint. Default: as `auth` of the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AuthSpec")]
    pub auth: Option<AuthSpec>,
}

/// How a key is presented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule(
    NAME_WHERE_NEEDED, "ApiKeyHeader and QueryParameter need a name, Bearer and None have none"
)]))]
pub struct AuthSpec {
    /// The form. `Bearer`: `Authorization: Bearer KEY`. `ApiKeyHeader`: the key alone in the header
    /// `name`. `QueryParameter`: `name=KEY` in the URL. `None`: no credential is sent.
    #[serde(rename = "type")]
    pub kind: AuthType,
    /// Name of the header or query parameter: needed with `ApiKeyHeader` and `QueryParameter`, not
    /// allowed with the others. At most 128 characters. Example: `x-api-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String",
        length(min = 1, max = 128),
        regex(pattern = TOKEN),
        extend("x-kubernetes-validations" = [not_of_the_connection(
            "a header of the connection cannot carry a key"
        )])
    )]
    pub name: Option<String>,
}

/// The auth forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AuthType {
    /// `Authorization: Bearer KEY`
    Bearer,
    /// `NAME: KEY`
    ApiKeyHeader,
    /// `?NAME=KEY`
    QueryParameter,
    /// No credential.
    None,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeySpec {
    /// What logs call the account. Unique within the provider, at most 63 characters.
    /// Example: `main`.
    #[schemars(length(min = 1, max = 63), regex(pattern = LABEL))]
    pub name: String,
    /// Where the key is. Example: `{name: openrouter, key: api-key}`.
    pub secret_ref: SecretKeySelector,
    /// The account's share of the calls, in proportion to the sum of the weights. Default: 1. From
    /// 0 (never drawn) to 1000000.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(with = "i32", range(min = 0, max = 1_000_000), extend("default" = 1))]
    pub weight: u32,
}

/// What happens to the caller's own credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClientCredentialsSpec {
    /// They are taken away; one of the provider's keys is used.
    #[default]
    Replace,
    /// They go upstream as they came; one of the provider's keys is used where there are none.
    Forward,
    /// A token with one of the provider's own prefixes goes upstream; any other is replaced.
    ForwardIfProviderKey,
}

/// Header rules; first `remove`, then `set`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeadersSpec {
    /// Headers to set, by name; one that the caller sent under the same name is replaced. Headers
    /// that carry credentials or belong to the connection cannot be set: `keys` and `auth` are for
    /// that. Default: none. At most 32, values of at most 4096 visible ASCII characters.
    /// Example: `{HTTP-Referer: "https://example.com"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "maxProperties" = 32,
        "additionalProperties" = json!({
            "type": "string", "maxLength": 4096, "pattern": HEADER_VALUE
        }),
        "x-kubernetes-validations" = [
            rule(NAMES_ARE_TOKENS, "a header's name is a token of at most 128 characters"),
            each_not_reserved("set"),
        ]
    ))]
    pub set: BTreeMap<String, String>,
    /// Headers of the caller that do not go to this provider. Those that carry credentials or
    /// belong to the connection never do, and cannot be named. One that is also in `set` is set.
    /// Default: none. At most 32. Example: `[x-internal-trace]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 32),
        inner(length(min = 1, max = 128), regex(pattern = TOKEN)),
        extend(
            "x-kubernetes-list-type" = "set",
            "x-kubernetes-validations" = [each_not_reserved("named here")]
        )
    )]
    pub remove: Vec<String>,
}

/// Which namespaces' routes may name this provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedRoutes {
    /// The namespaces. Default: `{from: Same}`.
    #[serde(default)]
    pub namespaces: AllowedNamespaces,
}

/// The namespaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule(
    SELECTOR_WHERE_NEEDED, "from Selector needs a selector, Same and All have none"
)]))]
pub struct AllowedNamespaces {
    /// How they are chosen. `Same`: the provider's own namespace. `All`: every one. `Selector`:
    /// those whose labels `selector` picks, and no other. Default: `Same`.
    #[serde(default)]
    pub from: FromNamespaces,
    /// Labels of the namespaces: needed with `from: Selector`, not allowed with the others. An
    /// empty selector picks every namespace. Example: `{matchLabels: {team: search}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "label_selector")]
    pub selector: Option<LabelSelector>,
}

/// How the namespaces are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FromNamespaces {
    /// The provider's own.
    #[default]
    Same,
    /// Every namespace.
    All,
    /// Those that the selector picks.
    Selector,
}

/// A declared model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelSpec {
    /// The name that calls ask for. Unique within the provider, at most 256 characters.
    /// Example: `qwen3-coder-plus`.
    #[schemars(length(min = 1, max = 256), regex(pattern = MODEL_NAME))]
    pub name: String,
    /// What model lists show to people. Default: the name. At most 256 characters.
    /// Example: `Qwen3 Coder Plus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 256), regex(pattern = SHOWN))]
    pub display_name: Option<String>,
}

/// TLS beyond the system's roots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsSpec {
    /// CA certificates in PEM form, believed beside the system's roots for every endpoint of this
    /// provider. At least one certificate, at most 262144 characters.
    #[schemars(length(max = 262_144), regex(pattern = PEM))]
    pub ca_bundle: String,
}

/// What is done with an OpenAI chat stream that would not report its usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StreamUsageSpec {
    /// The usage is asked for, and the extra chunk taken out again.
    Request,
    /// The call goes as it was sent.
    AsSent,
}

/// What translated calls need. It changes nothing in calls that go as they come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TranslationSpec {
    /// What a chat completions endpoint calls the limit of an answer's length: OpenAI, Azure and
    /// Alibaba Cloud ask for `max_completion_tokens`, most others know `max_tokens` only. Default:
    /// as the preset says, `MaxTokens` for `Custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LimitField")]
    pub limit_field: Option<LimitField>,
    /// How a messages endpoint is told how much to think. `Adaptive`: by `thinking: adaptive` and
    /// an effort, as Claude understands it since 4.6. `Budget`: by `budget_tokens`, for older models
    /// and for others that speak Anthropic's dialect. Default: as the preset says, `Budget` for
    /// `Custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ThinkingSpec")]
    pub thinking: Option<ThinkingSpec>,
    /// The longest answer of a messages endpoint, in tokens, where the caller sets no limit:
    /// Anthropic's API insists on one. 1 to 1000000. Default: 16384.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 1, max = 1_000_000))]
    pub max_tokens: Option<u32>,
}

/// What a chat completions endpoint calls the limit of an answer's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LimitField {
    /// `max_tokens`
    MaxTokens,
    /// `max_completion_tokens`
    MaxCompletionTokens,
}

/// How a messages endpoint is told how much to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ThinkingSpec {
    /// `thinking: {type: adaptive}` and `output_config.effort`
    Adaptive,
    /// `thinking: {type: enabled, budget_tokens: …}`
    Budget,
}

/// What the controller says of a provider. Nobody else need write it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderSecretStatus {
    /// `Accepted`: is what the provider says right? (`Accepted`, `Invalid`, `Undecodable`.)
    /// `ResolvedRefs`: are its keys there and usable? (`ResolvedRefs`, `KeyNotUsable`.) Whether it
    /// runs is said of the LlmRoutes that name it. At most 8, one of each type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,
    /// How many LlmRoutes name it, those included that may not. Default: they have not been counted
    /// yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i32", range(min = 0))]
    pub routes: Option<u32>,
    /// What matters most, in one line. For people; programs read the conditions. At most 256
    /// characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(max = 256))]
    pub summary: Option<String>,
}

// === impl HeadersSpec ===

impl HeadersSpec {
    fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}

const BASE_URL: &str = "^https?://[!-~]+$";

/// [`TOKEN`] for the keys of a map, which a schema cannot bound.
const NAMES_ARE_TOKENS: &str = "self.all(name, size(name) <= 128 && \
    name.matches(\"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$\"))";

const SHOWN: &str = r"^[^\x00-\x1f\x7f]+$";

const PEM: &str = "-----BEGIN CERTIFICATE-----";

const CUSTOM_IS_COMPLETE: &str = "self.provider != 'Custom' || \
    (has(self.endpoints) && size(self.endpoints) > 0 && self.endpoints.all(e, has(e.baseUrl)))";

const NAME_WHERE_NEEDED: &str =
    "(self.type in ['ApiKeyHeader', 'QueryParameter']) == has(self.name)";

const SELECTOR_WHERE_NEEDED: &str =
    "(has(self.from) && self.from == 'Selector') == has(self.selector)";
