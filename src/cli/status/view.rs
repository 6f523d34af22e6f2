//! An object as it is shown: read leniently, so that whatever the API server holds can be.

use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::api::conditions::ConditionType;

/// One object.
#[derive(Debug)]
pub(super) struct View {
    /// Which kind.
    pub(super) kind: Kind,
    /// `namespace/name`
    pub(super) name: String,
    /// Its conditions: those that its kind has, told or not.
    pub(super) conditions: Vec<Told>,
    /// A route's `3/3`, or the number of a provider's routes.
    pub(super) count: String,
    /// A route's rules, or a provider's vendor.
    pub(super) lines: Vec<String>,
}

/// The kinds that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `LlmRoute`
    Route,
    /// `ProviderSecret`
    Provider,
}

/// A condition.
#[derive(Debug)]
pub(super) struct Told {
    /// Which.
    pub(super) of: ConditionType,
    /// What it says.
    pub(super) verdict: Verdict,
    /// Its reason, if there is one.
    pub(super) reason: String,
    /// Its message.
    pub(super) message: String,
}

/// What a condition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// True, of the object as it stands.
    Good,
    /// Something else, of the object as it stands.
    Bad,
    /// It was said of an earlier generation.
    Stale,
    /// It was never said.
    Unsaid,
}

// === impl View ===

impl View {
    /// Reads one.
    pub(super) fn of(object: &DynamicObject) -> Self {
        let metadata = &object.metadata;
        let kind = match object.types.as_ref().map(|types| types.kind.as_str()) {
            Some("ProviderSecret") => Kind::Provider,
            _ => Kind::Route,
        };
        let (namespace, name) = (metadata.namespace.as_deref(), metadata.name.as_deref());
        let (spec, status) = (&object.data["spec"], &object.data["status"]);
        let told = |of: &ConditionType| Told::of(*of, status, metadata.generation);
        let (count, lines) = match kind {
            Kind::Route => (text(&status["sidecars"]["ready"]), rules(spec)),
            Kind::Provider => (text(&status["routes"]), vec![text(&spec["provider"])]),
        };
        Self {
            kind,
            name: format!("{}/{}", namespace.unwrap_or_default(), name.unwrap_or_default()),
            conditions: kind.conditions().iter().map(told).collect(),
            count,
            lines,
        }
    }

    /// Is every condition True, of the object as it stands?
    pub(super) fn is_well(&self) -> bool {
        self.conditions.iter().all(|told| told.verdict == Verdict::Good)
    }

    /// Does no controller look at it?
    pub(super) fn is_unsaid(&self) -> bool {
        self.conditions.iter().all(|told| told.verdict == Verdict::Unsaid)
    }

    pub(super) fn to_json(&self) -> Value {
        let (namespace, name) = self.name.split_once('/').unwrap_or_default();
        let condition = |told: &Told| {
            json!({
                "type": told.of.as_str(),
                "verdict": told.verdict.as_str(),
                "reason": told.reason,
                "message": told.message,
            })
        };
        json!({
            "kind": self.kind.as_str(),
            "namespace": namespace,
            "name": name,
            "well": self.is_well(),
            self.kind.count().to_lowercase(): self.count,
            self.kind.lines(): self.lines,
            "conditions": self.conditions.iter().map(condition).collect::<Vec<_>>(),
        })
    }
}

// === impl Kind ===

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Route => "LlmRoute",
            Self::Provider => "ProviderSecret",
        }
    }

    /// What is counted.
    pub(super) fn count(self) -> &'static str {
        match self {
            Self::Route => "SIDECARS",
            Self::Provider => "ROUTES",
        }
    }

    fn lines(self) -> &'static str {
        match self {
            Self::Route => "rules",
            Self::Provider => "provider",
        }
    }

    pub(super) fn conditions(self) -> &'static [ConditionType] {
        match self {
            Self::Route => &ConditionType::ALL,
            Self::Provider => &[ConditionType::Accepted, ConditionType::ResolvedRefs],
        }
    }
}

// === impl Told ===

impl Told {
    fn of(of: ConditionType, status: &Value, generation: Option<i64>) -> Self {
        let mut conditions = status["conditions"].as_array().into_iter().flatten();
        let Some(condition) = conditions.find(|condition| condition["type"] == of.as_str()) else {
            let (reason, message) = (String::new(), String::new());
            return Self { of, verdict: Verdict::Unsaid, reason, message };
        };
        let is_current = condition["observedGeneration"].as_i64() == generation;
        let verdict = match (is_current, condition["status"].as_str()) {
            (false, _) => Verdict::Stale,
            (true, Some("True")) => Verdict::Good,
            (true, _) => Verdict::Bad,
        };
        let (reason, message) = (text(&condition["reason"]), text(&condition["message"]));
        Self { of, verdict, reason, message }
    }
}

// === impl Verdict ===

impl Verdict {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Good => "True",
            Self::Bad => "False",
            Self::Stale => "stale",
            Self::Unsaid => "-",
        }
    }
}

/// `cheap: claude-haiku-*, gpt-4o-mini → openrouter (z-ai/glm-4.5-air) 60%, aliyun 40%`
fn rules(spec: &Value) -> Vec<String> {
    let rules = spec["rules"].as_array().into_iter().flatten().enumerate();
    let line = |(place, rule): (usize, &Value)| {
        let name = match rule["name"].as_str() {
            Some(name) => name.to_owned(),
            None => format!("rule-{place}"),
        };
        format!("{name}: {} → {}", matches(&rule["matches"]), targets(&rule["targets"]))
    };
    rules.map(line).collect()
}

fn matches(matches: &Value) -> String {
    let one = |item: &Value| {
        let model = item["model"].as_str().unwrap_or("*").to_owned();
        match item["api"].as_str() {
            Some(api) => format!("{model} ({api})"),
            None => model,
        }
    };
    let all: Vec<String> = matches.as_array().into_iter().flatten().map(one).collect();
    match all.is_empty() {
        true => "*".to_owned(),
        false => all.join(", "),
    }
}

fn targets(targets: &Value) -> String {
    let targets: Vec<&Value> = targets.as_array().into_iter().flatten().collect();
    let weight = |target: &Value| target["weight"].as_u64().unwrap_or(1);
    let sum: u64 = targets.iter().map(|target| weight(target)).sum();
    let one = |target: &&Value| {
        let provider = &target["provider"];
        let mut shown = text(&provider["name"]);
        if let Some(namespace) = provider["namespace"].as_str() {
            shown = format!("{namespace}/{shown}");
        }
        if let Some(model) = target["model"].as_str() {
            shown = format!("{shown} ({model})");
        }
        match targets.len() > 1 && sum > 0 {
            true => format!("{shown} {:.0}%", weight(target) as f64 * 100.0 / sum as f64),
            false => shown,
        }
    };
    targets.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
