//! Label selectors, as Kubernetes reads them. Does not know what is selected.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// A selector whose every part can be understood. One without requirements selects everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

/// One thing that labels must fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

// === impl Selector ===

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// What the API server's schema cannot say: an operator with too many or too few values.
    pub fn new(selector: &LabelSelector) -> Result<Self, String> {
        let labels = selector.match_labels.iter().flatten();
        let labels = labels.map(|(key, value)| {
            Ok(Requirement { key: key.clone(), test: Test::In(vec![value.clone()]) })
        });
        let expressions = selector.match_expressions.iter().flatten();
        labels.chain(expressions.map(requirement)).collect::<Result<_, _>>().map(Self)
    }

    /// Are these labels selected?
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| requirement.fits(labels))
    }

    /// Are all labels selected?
    pub(super) fn selects_all(&self) -> bool {
        self.0.is_empty()
    }
}

// === impl Requirement ===

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
