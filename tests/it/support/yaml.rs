//! Manifests as text: the few forms that most tests need.

use super::proxy::CANARY;

/// Every API that a provider can be given an endpoint for.
pub(crate) const APIS: [&str; 6] =
    ["OpenAiChat", "OpenAiResponses", "OpenAiEmbeddings", "OpenAi", "AnthropicMessages", "Gemini"];

/// A Custom provider with one base URL for every API and one key, which [`key`] gives; `more` are
/// further lines of its spec, each `  name: value`.
pub(crate) fn provider(name: &str, base_url: &str, more: &str) -> String {
    let endpoint = |api| format!("{{ api: {api}, baseUrl: \"{base_url}\" }}");
    let endpoints = APIS.map(endpoint).join(", ");
    object(
        "ProviderSecret",
        name,
        &format!(
            "  provider: Custom\n  endpoints: [{endpoints}]\n  keys: [{{ name: main, secretRef: \
             {{ name: {name}, key: api-key }} }}]\n{more}"
        ),
    ) + &secret(name, "api-key", &key(name))
}

/// An LlmRoute with these rules, in YAML's flow style.
pub(crate) fn route(name: &str, rules: &str) -> String {
    object("LlmRoute", name, &format!("  rules: {rules}\n"))
}

/// An LlmRoute that sends every call to one provider.
pub(crate) fn all_to(provider: &str) -> String {
    let rules = format!("[{{ name: all, targets: [{{ provider: {{ name: {provider} }} }}] }}]");
    route("everything", &rules)
}

/// An object of ours; `spec` are the lines below `spec:`, indented by two.
pub(crate) fn object(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: pillion.dev/v1alpha1\nkind: {kind}\nmetadata: {{ name: {name}, \
         namespace: default }}\nspec:\n{spec}\n"
    )
}

/// A Secret with one value.
pub(crate) fn secret(name: &str, key: &str, value: &str) -> String {
    let value = serde_json::Value::from(value);
    format!(
        "---\napiVersion: v1\nkind: Secret\nmetadata: {{ name: {name}, namespace: default }}\n\
         stringData:\n  {key}: {value}\n"
    )
}

/// The key that [`provider`] writes for a provider of this name.
pub(crate) fn key(name: &str) -> String {
    format!("sk-{CANARY}-{name}")
}

/// The same as `authorization` carries it.
pub(crate) fn bearer(name: &str) -> String {
    format!("Bearer {}", key(name))
}

/// A Custom provider with one endpoint and no key.
pub(crate) fn endpoint(name: &str, api: &str, base_url: &str) -> String {
    object(
        "ProviderSecret",
        name,
        &format!(
            "  provider: Custom\n  auth: {{ type: None }}\n  endpoints: [{{ api: {api}, baseUrl: \
             \"{base_url}\" }}]\n"
        ),
    )
}
