//! What an application's container is told: where its SDKs find the sidecar, and keys for those
//! that will not start without one.
//!
//! Only variables whose clients then ask for paths that Pillion serves. A group of them is left
//! alone as a whole when the container sets any of its rivals, with or without a value: whoever
//! points one client elsewhere has thought of it.

use serde_json::{Value, json};

use super::settings::Port;

/// Variables that are set together.
struct Group {
    set: &'static [&'static str],
    to: Content,
    /// Further variables by which a container shows that it has its own.
    rivals: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// The sidecar's address and this path.
    Address(&'static str),
    /// What is thrown away on the way.
    Key,
}

/// The value of every key: with no vendor's prefix, so that it is never taken for a key.
pub(super) const PLACEHOLDER: &str = "pillion";

/// Claude Code sends both of Anthropic's if both are set, so one is set: the one that all its SDKs
/// and their wrappers read.
const GROUPS: [Group; 6] = [
    Group {
        set: &["OPENAI_BASE_URL", "OPENAI_API_BASE"],
        to: Content::Address("/v1"),
        rivals: &[],
    },
    Group { set: &["ANTHROPIC_BASE_URL"], to: Content::Address(""), rivals: &[] },
    Group { set: &["GOOGLE_GEMINI_BASE_URL"], to: Content::Address(""), rivals: &[] },
    Group { set: &["OPENAI_API_KEY"], to: Content::Key, rivals: &[] },
    Group {
        set: &["ANTHROPIC_API_KEY"],
        to: Content::Key,
        rivals: &["ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
    },
    Group {
        set: &["GEMINI_API_KEY"],
        to: Content::Key,
        rivals: &["GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"],
    },
];

/// The variables that a container lacks.
pub(super) fn missing(container: &Value, port: Port) -> Vec<Value> {
    let has_own_keys = has_secrets(container);
    let wanted = GROUPS.iter().filter(|group| {
        let names = group.set.iter().chain(group.rivals);
        let may_have_own = group.to == Content::Key && has_own_keys;
        !may_have_own && names.into_iter().all(|name| !sets(container, name))
    });
    let variables = wanted.flat_map(|group| group.set.iter().map(|name| (*name, group.to)));
    variables.map(|(name, to)| json!({ "name": name, "value": to.text(port) })).collect()
}

fn sets(container: &Value, name: &str) -> bool {
    let variables = container.get("env").and_then(Value::as_array);
    variables.into_iter().flatten().any(|it| it.get("name").and_then(Value::as_str) == Some(name))
}

/// A variable that is set by name beats one that comes with a whole Secret, whose names are not
/// known here.
fn has_secrets(container: &Value) -> bool {
    let sources = container.get("envFrom").and_then(Value::as_array);
    sources
        .into_iter()
        .flatten()
        .any(|source| source.get("secretRef").is_some_and(|it| !it.is_null()))
}

// === impl Content ===

impl Content {
    fn text(self, port: Port) -> String {
        match self {
            Self::Address(path) => format!("http://127.0.0.1:{port}{path}"),
            Self::Key => PLACEHOLDER.to_owned(),
        }
    }
}
