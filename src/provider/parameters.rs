//! A preset's parameters: checked once, then filled into its URL templates.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{Derived, Parameter, Preset, Syntax, When};

/// The checked values of a preset's parameters.
#[derive(Debug)]
pub struct Parameters {
    preset: &'static Preset,
    values: BTreeMap<&'static str, Value>,
}

/// What is wrong with a parameter. Every message names what the preset takes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParameterError {
    /// The preset has no parameter of this name.
    #[error("the preset has no parameter '{name}'; it takes {takes}")]
    Unknown { name: String, takes: String },
    /// The value could change the host's domain or the path.
    #[error("the value of '{name}' must be {must}")]
    Value { name: &'static str, must: String },
    /// An endpoint needs it.
    #[error("the preset's URL needs the parameter '{name}'; the preset takes {takes}")]
    Missing { name: &'static str, takes: String },
    /// It is needed, and its value has been found wrong before.
    #[error("the value of '{name}' is not usable")]
    Unusable { name: &'static str },
}

#[derive(Debug)]
enum Value {
    Given(String),
    Default(&'static str),
    Unusable,
}

impl ParameterError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unknown { .. } => {
                "remove it, or give the whole base URL in spec.endpoints".to_owned()
            }
            Self::Value { name, .. } | Self::Unusable { name } => {
                format!("correct spec.parameters.{name}, or give a base URL in spec.endpoints")
            }
            Self::Missing { name, .. } => {
                format!("set spec.parameters.{name}, or give a base URL in spec.endpoints")
            }
        }
    }
}

// === impl Parameters ===

impl Parameters {
    /// Checks what was given. A wrong value is an error here, and again where a URL needs it.
    pub fn new(
        preset: &'static Preset,
        given: &BTreeMap<String, String>,
    ) -> (Self, Vec<(String, ParameterError)>) {
        let mut values: BTreeMap<_, _> = preset
            .parameters
            .iter()
            .filter_map(|parameter| Some((parameter.name, Value::Default(parameter.default?))))
            .collect();
        let mut errors = Vec::new();
        for (name, value) in given {
            match known(preset, name).and_then(|parameter| parameter.check(value)) {
                Ok(name) => drop(values.insert(name, Value::Given(value.clone()))),
                Err(error) => {
                    if let ParameterError::Value { name, .. } = &error {
                        values.insert(name, Value::Unusable);
                    }
                    errors.push((name.clone(), error));
                }
            }
        }
        (Self { preset, values }, errors)
    }

    /// The template with its parameters filled in. `{model}` stays: a call fills it.
    ///
    /// # Errors
    /// [`ParameterError`] when a value that it needs is missing or wrong.
    pub fn fill(&self, template: &str) -> Result<String, ParameterError> {
        let mut url = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((before, name, after)) = placeholder(rest) {
            url.push_str(before);
            match self.preset.derived.iter().find(|part| part.name == name) {
                Some(part) => url.push_str(&self.fill(self.case(part)?)?),
                None => url.push_str(self.value(name)?),
            }
            rest = after;
        }
        url.push_str(rest);
        Ok(url)
    }

    fn case(&self, part: &Derived) -> Result<&'static str, ParameterError> {
        for (when, text) in part.cases {
            let holds = match when {
                When::Given(name) => matches!(self.values.get(name), Some(Value::Given(_))),
                When::Is(name, wanted) => self.value(name)? == *wanted,
                When::Always => true,
            };
            if holds {
                return Ok(text);
            }
        }
        Ok("")
    }

    fn value(&self, name: &str) -> Result<&str, ParameterError> {
        let known = self.preset.parameters.iter().find(|p| p.name == name);
        let name = known.map_or("", |parameter| parameter.name);
        match self.values.get(name) {
            Some(Value::Given(value)) => Ok(value),
            Some(Value::Default(value)) => Ok(value),
            Some(Value::Unusable) => Err(ParameterError::Unusable { name }),
            None => Err(ParameterError::Missing { name, takes: takes(self.preset) }),
        }
    }
}

impl Parameter {
    fn check(&self, value: &str) -> Result<&'static str, ParameterError> {
        let (fits, must) = match &self.syntax {
            Syntax::Label => (is_label(value), "a DNS label".to_owned()),
            Syntax::Segment => {
                (is_segment(value), "letters, digits and -._~: (at most 128)".to_owned())
            }
            Syntax::OneOf(choices) => {
                (choices.contains(&value), format!("one of {}", choices.join(", ")))
            }
        };
        let name = self.name;
        fits.then_some(name).ok_or(ParameterError::Value { name, must })
    }
}

/// What stands before the first `{name}`, the name, and what stands after.
fn placeholder(template: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

fn known<'a>(preset: &'a Preset, name: &str) -> Result<&'a Parameter, ParameterError> {
    let found = preset.parameters.iter().find(|p| p.name == name);
    found.ok_or_else(|| ParameterError::Unknown {
        name: name.chars().take(64).collect(),
        takes: takes(preset),
    })
}

fn takes(preset: &Preset) -> String {
    let names: Vec<_> = preset.parameters.iter().map(|p| p.name).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_segment(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text != "."
        && text != ".."
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:".contains(&b))
}
