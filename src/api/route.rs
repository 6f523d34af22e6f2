//! `LlmRoute`: which calls go where.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{
    DURATION, HEADER_VALUE, LABEL, MODEL_NAME, NAMESPACE, OBJECT_NAME, TOKEN, is_one,
    label_selector, not_reserved, one, rule,
};
use super::conditions::conditions;
use super::{ApiKind, SecretKeySelector};

/// Which LLM calls of which workloads go to which providers.
///
/// Of all the matches of all the rules of all the routes that apply to a workload, the most
/// specific one that accepts a call takes it:
///
/// 1. an exact model, then the longest `prefix*`, then the longest `*suffix`, then any model;
/// 2. a match that names an API before one that does not;
/// 3. more header conditions before fewer;
/// 4. the older LlmRoute, then the one whose namespace and name sort first;
/// 5. the rule that stands higher, then the match that stands higher.
///
/// A call that no match accepts is answered with 404. A match that accepts a call which cannot be
/// served (its provider is missing, say) refuses it with 503, so that no wider rule catches traffic
/// that was not meant for it.
#[expect(clippy::duplicated_attributes, reason = "columns of one type are no duplicates")]
#[derive(CustomResource, JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "pillion.dev",
    version = "v1alpha1",
    kind = "LlmRoute",
    doc = "Declares which LLM calls of which workloads go to which providers.",
    derive = "PartialEq",
    shortname = "llmr",
    category = "pillion",
    namespaced,
    status = "LlmRouteStatus",
    printcolumn(
        name = "Accepted",
        type_ = "string",
        description = "Is what the route says right?",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(
        name = "Resolved",
        type_ = "string",
        description = "Is everything that it names there, and may it be used?",
        json_path = ".status.conditions[?(@.type==\"ResolvedRefs\")].status"
    ),
    printcolumn(
        name = "Programmed",
        type_ = "string",
        description = "Does it run in every sidecar that it concerns?",
        json_path = ".status.conditions[?(@.type==\"Programmed\")].status"
    ),
    printcolumn(
        name = "Sidecars",
        type_ = "string",
        description = "How many sidecars run it, of how many that it concerns.",
        json_path = ".status.sidecars.ready"
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
#[serde(rename_all = "camelCase")]
pub struct LlmRouteSpec {
    /// The pods of this namespace that the route applies to. Default: every pod of the namespace
    /// that carries the Pillion sidecar. When Pillion runs from a folder of files there are no
    /// pods, and this has no effect. Example: `{podSelector: {matchLabels: {app: chat}}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Workloads")]
    pub workloads: Option<Workloads>,
    /// Named client keys. Default: none, and anybody who reaches the sidecar may use the route.
    /// Where there are some, a caller must present one of them (as a Bearer token, `x-api-key`,
    /// `api-key` or `x-goog-api-key`), else it gets 401. A client key is never sent upstream. The
    /// name of the key that was used appears in logs and metrics. At most 128; names are unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 128),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub clients: Vec<ClientSpec>,
    /// The rules: which calls, and where they go. From 1 to 64. Their order matters only between
    /// equal matches, where the higher one wins.
    #[schemars(
        length(min = 1, max = 64),
        extend("x-kubernetes-validations" = [rule(UNIQUE_NAMES, "names of rules must be unique")])
    )]
    pub rules: Vec<RuleSpec>,
}

/// The pods a route applies to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workloads {
    /// Labels of the pods. An empty selector takes every pod of the namespace.
    /// Example: `{matchLabels: {app: chat}}`.
    #[schemars(schema_with = "label_selector")]
    pub pod_selector: LabelSelector,
}

/// A named client key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSpec {
    /// What logs and metrics call the caller. Unique within the route, at most 63 characters.
    /// Example: `team-a`.
    #[schemars(length(min = 1, max = 63), regex(pattern = LABEL))]
    pub name: String,
    /// Where the key is that this client presents. Two clients with the same key: the first one's
    /// name is used. Example: `{name: team-keys, key: team-a}`.
    pub key_ref: SecretKeySelector,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleSpec {
    /// What logs, metrics and `pillion explain` call the rule. Default: `rule-N`, its place in the
    /// list counted from 0. Unique within the route, at most 63 characters. Example: `cheap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 63), regex(pattern = LABEL))]
    pub name: Option<String>,
    /// Which calls the rule is for: those that at least one of these matches accepts. Default:
    /// every call. At most 32. Example: `[{model: "claude-haiku-*"}, {model: gpt-4o-mini}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub matches: Vec<MatchSpec>,
    /// Where matched calls go: for each call one target is drawn, in proportion to the weights,
    /// among those whose provider serves the call's API. From 1 to 16.
    #[schemars(length(min = 1, max = 16))]
    pub targets: Vec<TargetSpec>,
    /// How long to wait for what. Default: generous limits, and none for a call as a whole.
    #[serde(default, skip_serializing_if = "TimeoutsSpec::is_default")]
    pub timeouts: TimeoutsSpec,
}

/// What a call must be; all the fields that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MatchSpec {
    /// The model that the call asks for: a name, `prefix*`, `*suffix`, or `*` for any. Upper and
    /// lower case differ. Default: `*`, which also takes calls that name no model. At most 256
    /// characters and one `*`, which stands first or last. Example: `claude-haiku-*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 256), regex(pattern = MODEL_PATTERN))]
    pub model: Option<String>,
    /// The API that the call speaks: `OpenAiChat`, `OpenAiResponses`, `OpenAiEmbeddings`, `OpenAi`
    /// (every other path of the OpenAI family), `AnthropicMessages` or `Gemini`. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ApiKind")]
    pub api: Option<ApiKind>,
    /// Headers that the call must all carry. Default: none. At most 8; the same name twice means
    /// that both conditions must hold. Example: `[{name: x-team, value: search}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub headers: Vec<HeaderMatchSpec>,
}

/// A header that must be there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeaderMatchSpec {
    /// The header's name; upper and lower case do not differ. At most 128 characters. Headers that
    /// carry credentials (`authorization`, `x-api-key`, `cookie`, …) or belong to the connection
    /// (`host`, `content-length`, …) cannot be matched; to tell callers apart use `clients`.
    #[schemars(
        length(min = 1, max = 128),
        regex(pattern = TOKEN),
        extend("x-kubernetes-validations" = [not_reserved("matched")])
    )]
    pub name: String,
    /// The exact value of one of the headers of that name. Default: any value. At most 1024
    /// characters. Example: `search`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(max = 1024), regex(pattern = HEADER_VALUE))]
    pub value: Option<String>,
}

/// Where matched calls go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetSpec {
    /// The ProviderSecret to send the call to. Example: `{name: openrouter}`.
    pub provider: ProviderRef,
    /// The model name to send instead of the caller's. Only the name is replaced; every other byte
    /// of the call stays as it was sent. Default: the caller's. At most 256 characters.
    /// Example: `z-ai/glm-4.5-air`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 256), regex(pattern = MODEL_NAME))]
    pub model: Option<String>,
    /// The target's share of the rule's calls, in proportion to the sum of the weights. Default: 1.
    /// From 0 (never drawn) to 1000000. Example: weights 60 and 20 are three quarters and one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(with = "i32", range(min = 0, max = 1_000_000), extend("default" = 1))]
    pub weight: u32,
}

/// A ProviderSecret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderRef {
    /// Name of the ProviderSecret. Example: `openrouter`.
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT_NAME))]
    pub name: String,
    /// Namespace of the ProviderSecret. Default: the route's own. One of another namespace can be
    /// used only if its `allowedRoutes` says so; else the rule refuses its calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 63), regex(pattern = NAMESPACE))]
    pub namespace: Option<String>,
}

/// How long to wait for what: durations of the Gateway API, such as `500ms`, `5s` or `1m30s`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeoutsSpec {
    /// Until the connection to the provider stands, TLS included. Default: `5s`. More than `0s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String",
        length(max = 32),
        regex(pattern = DURATION),
        extend("x-kubernetes-validations" = [rule(POSITIVE, "must be more than 0s")])
    )]
    pub connect: Option<String>,
    /// From the last byte of the call to the first of the answer's head. A model that thinks long
    /// before it answers needs a long one. Default: `15m`. More than `0s`. Example: `60s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String",
        length(max = 32),
        regex(pattern = DURATION),
        extend("x-kubernetes-validations" = [rule(POSITIVE, "must be more than 0s")])
    )]
    pub first_byte: Option<String>,
    /// The longest silence within an answer; a stream that is silent for longer ends with an error
    /// event. Default: `15m`. More than `0s`. Example: `120s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String",
        length(max = 32),
        regex(pattern = DURATION),
        extend("x-kubernetes-validations" = [rule(POSITIVE, "must be more than 0s")])
    )]
    pub idle: Option<String>,
    /// After this much silence in an event stream the caller is sent a comment, which clients
    /// ignore, so that nothing on the way takes the stream for dead. It goes on only as long as
    /// `idle` has not run out, so one that is not shorter than `idle` has no effect. Default:
    /// never. More than `0s`. Example: `15s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String",
        length(max = 32),
        regex(pattern = DURATION),
        extend("x-kubernetes-validations" = [rule(POSITIVE, "must be more than 0s")])
    )]
    pub keep_alive: Option<String>,
}

/// What the controller says of a route. Nobody else need write it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LlmRouteStatus {
    /// `Accepted`: is what the route says right? (`Accepted`; `Shadowed`: right, but an earlier
    /// rule takes its calls; `Invalid`; `Undecodable`.) `ResolvedRefs`: is everything that it names
    /// there, and may it be used? (`ResolvedRefs`, `ProviderNotFound`, `RefNotPermitted`,
    /// `ProviderNotUsable`, `KeyNotUsable`.) `Programmed`: does it run in every sidecar that it
    /// concerns? (`Programmed`, `Pending`, `NoSidecars`; `LastGoodKept`: it has an error, and an
    /// earlier version goes on; `Rejected`: a sidecar cannot read what it was sent.) At most 8, one
    /// of each type. Example: `kubectl wait --for=condition=Programmed llmroute/chat`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,
    /// The sidecars that the route concerns. Default: none have been counted yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SidecarsStatus")]
    pub sidecars: Option<SidecarsStatus>,
    /// What matters most, in one line: the first thing that is wrong, or where the route runs. For
    /// people; programs read the conditions. At most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(max = 256))]
    pub summary: Option<String>,
}

/// How many sidecars run a route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SidecarsStatus {
    /// Sidecars that are connected and that the route selects.
    #[schemars(with = "i32", range(min = 0))]
    pub total: u32,
    /// Those of them that run the route as it stands.
    #[schemars(with = "i32", range(min = 0))]
    pub programmed: u32,
    /// The same for people: `3/3`.
    #[schemars(length(max = 32))]
    pub ready: String,
}

// === impl SidecarsStatus ===

impl SidecarsStatus {
    /// So many of so many.
    pub fn of(programmed: u32, total: u32) -> Self {
        Self { total, programmed, ready: format!("{programmed}/{total}") }
    }
}

// === impl TimeoutsSpec ===

impl TimeoutsSpec {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// At most one `*`, which stands first or last.
const MODEL_PATTERN: &str = r"^(\*[^*\x00-\x1f\x7f]*|[^*\x00-\x1f\x7f]+\*?)$";

const UNIQUE_NAMES: &str = "self.all(rule, !has(rule.name) || \
    self.exists_one(other, has(other.name) && other.name == rule.name))";

const POSITIVE: &str = "duration(self) > duration('0s')";
