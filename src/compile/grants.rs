//! Which namespaces' routes may name a provider (FAULTS 36).

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::World;
use super::report::Report;
use crate::api::{AllowedNamespaces, FromNamespaces};
use crate::name::{ObjectName, ObjectRef};

/// Which other namespaces a provider lets in; its own always may.
#[derive(Debug)]
pub(super) enum Grant {
    /// None.
    Same,
    /// Every one.
    All,
    /// Those whose labels fit all of these.
    Selector(Vec<Requirement>),
}

/// One thing that labels must fulfil.
#[derive(Debug)]
pub(super) struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

/// Reads `allowedRoutes.namespaces`; what is wrong lets nobody in.
pub(super) fn compile(spec: &AllowedNamespaces, report: &mut Report<'_>) -> Grant {
    const PATH: &str = "spec.allowedRoutes.namespaces.selector";
    match (spec.from, &spec.selector) {
        (FromNamespaces::Same, None) => Grant::Same,
        (FromNamespaces::All, None) => Grant::All,
        (FromNamespaces::Selector, Some(selector)) => match requirements(selector) {
            Ok(requirements) => Grant::Selector(requirements),
            Err(message) => {
                let remedy = "correct it; until then other namespaces cannot use the provider";
                report.error(PATH, message, remedy);
                Grant::Same
            }
        },
        (FromNamespaces::Selector, None) => {
            let message = "from is Selector, and there is no selector";
            report.error(PATH, message, "add one, or set from to Same or All");
            Grant::Same
        }
        (FromNamespaces::Same | FromNamespaces::All, Some(_)) => {
            let message = "a selector means something only where from is Selector";
            report.error(PATH, message, "remove it, or set from to Selector");
            Grant::Same
        }
    }
}

// === impl Grant ===

impl Grant {
    /// May routes of this namespace name this provider?
    pub(super) fn allows(&self, world: &World, provider: &ObjectRef, from: &ObjectName) -> bool {
        if provider.namespace == *from {
            return true;
        }
        match self {
            Self::Same => false,
            Self::All => true,
            Self::Selector(requirements) => match world.namespaces.get(from.as_str()) {
                Some(labels) => requirements.iter().all(|r| r.fits(labels)),
                None => {
                    let name = "kubernetes.io/metadata.name".to_owned();
                    let labels = BTreeMap::from([(name, from.to_string())]);
                    requirements.iter().all(|r| r.fits(&labels))
                }
            },
        }
    }
}

impl Requirement {
    fn fits(&self, labels: &BTreeMap<String, String>) -> bool {
        let label = labels.get(&self.key);
        match &self.test {
            Test::In(values) => label.is_some_and(|label| values.contains(label)),
            // As in Kubernetes: a label that is not there is not among the values.
            Test::NotIn(values) => label.is_none_or(|label| !values.contains(label)),
            Test::Exists => label.is_some(),
            Test::DoesNotExist => label.is_none(),
        }
    }
}

fn requirements(selector: &LabelSelector) -> Result<Vec<Requirement>, String> {
    let labels = selector.match_labels.iter().flatten();
    let labels = labels.map(|(key, value)| {
        Ok(Requirement { key: key.clone(), test: Test::In(vec![value.clone()]) })
    });
    let expressions = selector.match_expressions.iter().flatten();
    labels.chain(expressions.map(requirement)).collect()
}

fn requirement(expression: &LabelSelectorRequirement) -> Result<Requirement, String> {
    let values = expression.values.clone().unwrap_or_default();
    let operator = expression.operator.as_str();
    let test = match (operator, values.is_empty()) {
        ("In", false) => Test::In(values),
        ("NotIn", false) => Test::NotIn(values),
        ("Exists", true) => Test::Exists,
        ("DoesNotExist", true) => Test::DoesNotExist,
        ("In" | "NotIn", true) => return Err(format!("{operator} needs values")),
        ("Exists" | "DoesNotExist", false) => return Err(format!("{operator} takes no values")),
        _ => return Err("the operator is none of In, NotIn, Exists, DoesNotExist".to_owned()),
    };
    Ok(Requirement { key: expression.key.clone(), test })
}
