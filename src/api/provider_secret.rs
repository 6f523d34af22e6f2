//! `ProviderSecret`: one provider account pool.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApiKind, SecretKeySelector};

/// One provider account pool: where it is, how it is spoken to, under which keys.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "pillion.dev",
    version = "v1alpha1",
    kind = "ProviderSecret",
    namespaced
)]
#[serde(rename_all = "camelCase")]
pub struct ProviderSecretSpec {
    /// The vendor preset.
    pub provider: Vendor,
    /// What the preset's URLs leave open: region, resource, workspaceId, project.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// Endpoints to override or add, at most one per API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<EndpointSpec>,
    /// How keys are presented, for all endpoints; absent: as the preset says (Custom: Bearer).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthSpec>,
    /// The accounts, picked by weight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeySpec>,
    /// What happens to the caller's own credentials.
    #[serde(default)]
    pub client_credentials: ClientCredentialsSpec,
    /// Header rules.
    #[serde(default, skip_serializing_if = "HeadersSpec::is_empty")]
    pub headers: HeadersSpec,
    /// Which namespaces' routes may name this provider.
    #[serde(default)]
    pub allowed_routes: AllowedRoutes,
    /// Models to declare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelSpec>,
    /// TLS beyond the system's roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSpec>,
    /// Is usage asked for in OpenAI chat streams; absent: as the preset says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_usage: Option<StreamUsageSpec>,
}

/// The vendors with a preset.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Vendor {
    Anthropic,
    Aliyun,
    OpenAi,
    AzureOpenAi,
    Bedrock,
    BedrockMantle,
    Vertex,
    Gemini,
    OpenRouter,
    DeepSeek,
    Moonshot,
    Zai,
    Mistral,
    Groq,
    XAi,
    Together,
    Ollama,
    Vllm,
    LiteLlm,
    Custom,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSpec {
    /// The API served there.
    pub api: ApiKind,
    /// The base URL that the vendor's docs give for that kind of SDK; absent: the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// How keys are presented there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthSpec>,
}

/// How a key is presented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthSpec {
    /// The form.
    #[serde(rename = "type")]
    pub kind: AuthType,
    /// The header's or query parameter's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// What logs call it.
    pub name: String,
    /// Where the key is.
    pub secret_ref: SecretKeySelector,
    /// Its share.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
}

/// What happens to the caller's own credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClientCredentialsSpec {
    #[default]
    Replace,
    Forward,
    ForwardIfProviderKey,
}

/// Header rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeadersSpec {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// Which namespaces' routes may name this provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedRoutes {
    #[serde(default)]
    pub namespaces: AllowedNamespaces,
}

/// The namespaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedNamespaces {
    #[serde(default)]
    pub from: FromNamespaces,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// How the namespaces are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FromNamespaces {
    #[default]
    Same,
    All,
    Selector,
}

/// A declared model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelSpec {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// TLS beyond the system's roots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsSpec {
    /// CA certificates, PEM.
    pub ca_bundle: String,
}

/// Is usage asked for in OpenAI chat streams?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StreamUsageSpec {
    Request,
    AsSent,
}

impl HeadersSpec {
    fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}

pub(super) fn one() -> u32 {
    1
}

pub(super) fn is_one(weight: &u32) -> bool {
    *weight == 1
}
