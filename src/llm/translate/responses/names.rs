//! Tools in namespaces: one flat name on the way up, two names again on the way down.
//!
//! The other dialects know no namespaces. `mcp__files` and `read` become `mcp__files__read`; what
//! the answer calls is looked up among the tools that were sent, so nothing is guessed from names.

use serde::Deserialize;

use super::ids;
use super::repeated::ADDITIONAL;
use crate::llm::translate::Asked;

/// The namespaced tools of a request, in the order of their flat names.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(String, Name)>);

/// A tool in a namespace.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// The name that stands for both.
pub(super) fn flat(namespace: &str, name: &str) -> String {
    let joint = if namespace.ends_with("__") { "" } else { "__" };
    ids::fit(&format!("{namespace}{joint}{name}")).into_owned()
}

// === impl Names ===

impl Names {
    pub(super) fn of(asked: &Asked) -> Self {
        let lists = asked.repeated.iter().filter(|(name, _)| ["tools", ADDITIONAL].contains(name));
        let lists = lists.filter_map(|(_, raw)| serde_json::from_str::<Vec<Spec>>(raw.get()).ok());
        let spaces = lists.flatten().filter(|tool| tool.kind.as_deref() == Some("namespace"));
        let mut names: Vec<(String, Name)> = spaces.flat_map(Spec::names).collect();
        names.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(names)
    }

    /// What a flat name stands for, if a namespace holds it.
    pub(super) fn get(&self, flat: &str) -> Option<&Name> {
        let at = self.0.binary_search_by(|(known, _)| known.as_str().cmp(flat)).ok()?;
        self.0.get(at).map(|(_, name)| name)
    }
}

/// As much of a tool as matters here.
#[derive(Deserialize)]
struct Spec {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    tools: Option<Vec<Spec>>,
}

impl Spec {
    fn names(self) -> Vec<(String, Name)> {
        let namespace = self.name.unwrap_or_default();
        let inner = self.tools.unwrap_or_default().into_iter().filter_map(|tool| tool.name);
        let name =
            |name: String| (flat(&namespace, &name), Name { namespace: namespace.clone(), name });
        inner.map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn names_are_found_again() {
        let tools = r#"[{"type":"function","name":"a__b"},
            {"type":"namespace","name":"mcp__files__","tools":[{"type":"function","name":"read"}]},
            {"type":"namespace","name":"web","tools":[{"type":"custom","name":"run.it"}]}]"#;
        let tools = RawValue::from_string(tools.to_owned()).unwrap();
        let names = Names::of(&Asked { repeated: vec![("tools", tools)], ..Asked::default() });
        let found = |flat: &str| names.get(flat).map(|name| (&*name.namespace, &*name.name));
        assert_eq!(found("mcp__files__read"), Some(("mcp__files__", "read")));
        assert_eq!(found(&flat("web", "run.it")), Some(("web", "run.it")));
        assert_eq!(found("a__b"), None);
    }
}
