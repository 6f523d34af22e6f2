//! Types that both resources use, and the words that more than one of their rules is made of.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The kind of API that a call speaks or an endpoint serves.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum ApiKind {
    /// OpenAI chat completions: `/chat/completions`.
    OpenAiChat,
    /// OpenAI responses: `/responses` and what lies below.
    OpenAiResponses,
    /// OpenAI embeddings: `/embeddings`.
    OpenAiEmbeddings,
    /// Every other path of the OpenAI family: files, audio, images, legacy completions.
    OpenAi,
    /// Anthropic messages, token counts, batches and files.
    AnthropicMessages,
    /// Gemini `generateContent` and its siblings.
    Gemini,
}

/// One key of a Secret in the namespace of the object that refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeySelector {
    /// Name of the Secret. It is looked for in the namespace of the object that refers to it, never
    /// in another one. Example: `openrouter`.
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT_NAME))]
    pub name: String,
    /// Which key of the Secret's `data` holds the credential. Its value is used without the white
    /// space around it; the rest must be visible ASCII. Example: `api-key`.
    #[schemars(length(min = 1, max = 253), regex(pattern = SECRET_KEY))]
    pub key: String,
}

/// Headers that frame the message or belong to one connection, as does every `proxy-*`: no rule may
/// set, remove or match them, and none carries a key. Lower case.
pub const CONNECTION_HEADERS: [&str; 11] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "trailers",
    "upgrade",
    "expect",
    "http2-settings",
];

/// Headers that carry credentials: no rule may set, remove or match them. Lower case.
pub const CREDENTIAL_HEADERS: [&str; 5] =
    ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"];

/// A Kubernetes object name: a DNS-1123 subdomain.
pub(super) const OBJECT_NAME: &str =
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// A Kubernetes namespace name: a DNS-1123 label.
pub(super) const NAMESPACE: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// What a Secret's data keys look like.
pub(super) const SECRET_KEY: &str = r"^[-._a-zA-Z0-9]+$";

/// Names that users give within an object and find again in logs and metrics.
pub(super) const LABEL: &str = r"^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$";

/// A header's name: a token of RFC 9110, which leaves out pseudo-headers and every separator.
pub(super) const TOKEN: &str = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/// A header's value: visible ASCII with spaces and tabs inside, so that no value splits a header.
pub(super) const HEADER_VALUE: &str = r"^([!-~]([\t -~]*[!-~])?)?$";

/// A duration of the Gateway API (GEP-2257).
pub(super) const DURATION: &str = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$";

/// A CEL rule and what is said where it does not hold.
pub(super) fn rule(rule: &str, message: &str) -> Value {
    json!({"rule": rule, "message": message})
}

/// The rule that a header's name, `self`, belongs neither to the connection nor to credentials.
pub(super) fn not_reserved(verb: &str) -> Value {
    reserved_rule(&free("self", &reserved()), verb)
}

/// The same for every name of a list, or of a map's keys.
pub(super) fn each_not_reserved(verb: &str) -> Value {
    reserved_rule(&format!("self.all(name, {})", free("name", &reserved())), verb)
}

/// The rule that the header, `self`, does not belong to the connection.
pub(super) fn not_of_the_connection(message: &str) -> Value {
    rule(&free("self", &CONNECTION_HEADERS), message)
}

fn reserved_rule(condition: &str, verb: &str) -> Value {
    let message = format!("a header of the connection or with a credential cannot be {verb}");
    rule(condition, &message)
}

fn reserved() -> Vec<&'static str> {
    CONNECTION_HEADERS.into_iter().chain(CREDENTIAL_HEADERS).collect()
}

/// The condition that `name`, an expression, is none of `taken`.
fn free(name: &str, taken: &[&str]) -> String {
    let list: Vec<_> = taken.iter().map(|header| format!("'{header}'")).collect();
    let list = list.join(", ");
    format!("!({name}.lowerAscii() in [{list}]) && !{name}.lowerAscii().startsWith('proxy-')")
}

/// A `LabelSelector` with bounds, which the generated schema of Kubernetes' own type lacks.
pub(super) fn label_selector(_: &mut SchemaGenerator) -> Schema {
    const KEY: &str =
        r"^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$";
    const VALUE: &str = r"^([A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?)?$";
    let value = || json_schema!({"type": "string", "maxLength": 63, "pattern": VALUE});
    json_schema!({
        "type": "object",
        "properties": {
            "matchLabels": {
                "description": "Labels that must all be there with these values.",
                "type": "object",
                "maxProperties": 32,
                "additionalProperties": value(),
            },
            "matchExpressions": {
                "description": "Conditions on labels that must all hold.",
                "type": "array",
                "maxItems": 32,
                "items": {
                    "type": "object",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": {
                            "description": "The label.",
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 317,
                            "pattern": KEY,
                        },
                        "operator": {
                            "description": "In or NotIn (one of `values`), Exists or DoesNotExist \
                                (no `values`).",
                            "type": "string",
                            "enum": ["In", "NotIn", "Exists", "DoesNotExist"],
                        },
                        "values": {
                            "description": "The values that In and NotIn compare with.",
                            "type": "array",
                            "maxItems": 64,
                            "items": value(),
                        },
                    },
                },
            },
        },
    })
}

/// A model's name goes upstream as it is, so it is no pattern.
pub(super) const MODEL_NAME: &str = r"^[^*\x00-\x1f\x7f]+$";

/// The weight of what says none.
pub(super) fn one() -> u32 {
    1
}

pub(super) fn is_one(weight: &u32) -> bool {
    *weight == 1
}
