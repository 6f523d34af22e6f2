//! The bounds of the generated definitions, walked over a value.
//!
//! A manifest in a folder is held to what the API server holds an object to: types, required and
//! unknown fields, enums, patterns, lengths, counts and unique lists, from the very schemas that
//! `crds/` carries. CEL rules are not evaluated here, `compile` checks the same things. Like the
//! API server it takes a null member for an absent one. Messages never quote a value. Does not know
//! files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use regex_lite::Regex;
use serde_json::{Map, Value};

use crate::api::{LlmRoute, ProviderSecret};

/// Something in a value that its schema does not allow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// The field, as in `spec.rules[0].name`.
    pub(super) path: String,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) remedy: String,
}

/// What a value must be: a compact form of a schema, without its prose.
pub(super) enum Shape {
    Text(Text),
    Whole {
        min: Option<i64>,
        max: Option<i64>,
    },
    Truth,
    List {
        items: Box<Shape>,
        size: Size,
        unique: Unique,
    },
    Struct {
        fields: BTreeMap<String, Shape>,
        required: Vec<String>,
    },
    Dict {
        values: Box<Shape>,
        size: Size,
    },
    /// A schema of a kind that the definitions do not use.
    Anything,
}

pub(super) struct Text {
    size: Size,
    pattern: Option<Regex>,
    choices: Vec<String>,
}

/// How many characters, items or members.
#[derive(Clone, Copy)]
pub(super) struct Size {
    min: usize,
    max: usize,
}

/// What may not stand twice in a list.
pub(super) enum Unique {
    Nothing,
    Items,
    /// The members of these names, taken together.
    Keys(Vec<String>),
}

/// The shape of an LlmRoute's `spec`.
pub(super) static LLM_ROUTE: LazyLock<Shape> = LazyLock::new(|| spec_shape(LlmRoute::crd()));

/// The shape of a ProviderSecret's `spec`.
pub(super) static PROVIDER_SECRET: LazyLock<Shape> =
    LazyLock::new(|| spec_shape(ProviderSecret::crd()));

/// Everything in `value` that `shape` does not allow; removes null members on the way.
pub(super) fn check(shape: &Shape, value: &mut Value, path: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    walk(shape, value, path, &mut breaches);
    breaches
}

// === walking ===

fn walk(shape: &Shape, value: &mut Value, path: &str, breaches: &mut Vec<Breach>) {
    match (shape, value) {
        (Shape::Anything, _) | (Shape::Truth, Value::Bool(_)) => {}
        (Shape::Text(text), Value::String(value)) => walk_text(text, value, path, breaches),
        (Shape::Whole { min, max }, Value::Number(number)) if !number.is_f64() => {
            let value = number.as_i64().unwrap_or(i64::MAX);
            if min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max) {
                let [min, max] =
                    [min, max].map(|bound| bound.map_or("…".into(), |b| b.to_string()));
                breaches.push(breach(path, "out of range", format!("use {min} to {max}")));
            }
        }
        (Shape::List { items, size, unique }, Value::Array(list)) => {
            size.check(list.len(), "items", path, breaches);
            for (index, item) in list.iter_mut().enumerate() {
                walk(items, item, &format!("{path}[{index}]"), breaches);
            }
            unique.check(list, path, breaches);
        }
        (Shape::Struct { fields, required }, Value::Object(members)) => {
            walk_struct((fields, required), members, path, breaches);
        }
        (Shape::Dict { values, size }, Value::Object(members)) => {
            members.retain(|_, value| !value.is_null());
            size.check(members.len(), "members", path, breaches);
            for (key, member) in members {
                walk(values, member, &format!("{path}.{key}"), breaches);
            }
        }
        (shape, value) => {
            let message = format!("this is {}", kind_of(value));
            breaches.push(breach(path, message, format!("write {}", shape.wanted())));
        }
    }
}

fn walk_text(text: &Text, value: &str, path: &str, breaches: &mut Vec<Breach>) {
    if !text.choices.is_empty() {
        if !text.choices.iter().any(|choice| choice == value) {
            let remedy = format!("use one of {}", text.choices.join(", "));
            breaches.push(breach(path, "not one of the values that this field knows", remedy));
        }
        return;
    }
    text.size.check(value.chars().count(), "characters", path, breaches);
    if let Some(pattern) = text.pattern.as_ref().filter(|pattern| !pattern.is_match(value)) {
        let remedy = format!("it must match {}", pattern.as_str());
        breaches.push(breach(path, "not of the form that this field needs", remedy));
    }
}

fn walk_struct(
    (fields, required): (&BTreeMap<String, Shape>, &[String]),
    members: &mut Map<String, Value>,
    path: &str,
    breaches: &mut Vec<Breach>,
) {
    members.retain(|_, value| !value.is_null());
    for name in required.iter().filter(|name| !members.contains_key(*name)) {
        let path = format!("{path}.{name}");
        breaches.push(breach(&path, "this field is missing", "add it"));
    }
    for (name, member) in members {
        let path = format!("{path}.{name}");
        match fields.get(name) {
            Some(shape) => walk(shape, member, &path, breaches),
            None => {
                let known: Vec<_> = fields.keys().map(String::as_str).collect();
                let remedy = format!("remove it or use one of {}", known.join(", "));
                breaches.push(breach(&path, "there is no such field", remedy));
            }
        }
    }
}

fn breach(path: &str, message: impl Into<String>, remedy: impl Into<String>) -> Breach {
    Breach { path: path.to_owned(), message: message.into(), remedy: remedy.into() }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

// === impl Shape ===

impl Shape {
    /// The shape that a schema says.
    fn of(schema: JSONSchemaProps) -> Self {
        match schema.type_.as_deref() {
            Some("string") => Self::Text(Text::of(schema)),
            Some("integer") => Self::Whole {
                min: schema.minimum.map(|bound| bound as i64),
                max: schema.maximum.map(|bound| bound as i64),
            },
            Some("boolean") => Self::Truth,
            Some("array") => Self::list(schema),
            Some("object") => Self::object(schema),
            _ => Self::Anything,
        }
    }

    fn list(schema: JSONSchemaProps) -> Self {
        let items = match schema.items {
            Some(JSONSchemaPropsOrArray::Schema(items)) => Box::new(Self::of(*items)),
            Some(JSONSchemaPropsOrArray::Schemas(_)) | None => Box::new(Self::Anything),
        };
        let unique = match schema.x_kubernetes_list_type.as_deref() {
            Some("set") => Unique::Items,
            Some("map") => Unique::Keys(schema.x_kubernetes_list_map_keys.unwrap_or_default()),
            _ => Unique::Nothing,
        };
        Self::List { items, size: Size::of(schema.min_items, schema.max_items), unique }
    }

    fn object(schema: JSONSchemaProps) -> Self {
        if let Some(fields) = schema.properties {
            let fields = fields.into_iter().map(|(name, schema)| (name, Self::of(schema)));
            let required = schema.required.unwrap_or_default();
            return Self::Struct { fields: fields.collect(), required };
        }
        let size = Size::of(schema.min_properties, schema.max_properties);
        match schema.additional_properties {
            Some(JSONSchemaPropsOrBool::Schema(values)) => {
                Self::Dict { values: Box::new(Self::of(*values)), size }
            }
            Some(JSONSchemaPropsOrBool::Bool(_)) | None => Self::Anything,
        }
    }

    fn wanted(&self) -> &'static str {
        match self {
            Self::Text(_) => "text, in quotes where it looks like something else",
            Self::Whole { .. } => "a whole number",
            Self::Truth => "true or false",
            Self::List { .. } => "a list",
            Self::Struct { .. } | Self::Dict { .. } => "a mapping",
            Self::Anything => "something else",
        }
    }
}

fn spec_shape(definition: CustomResourceDefinition) -> Shape {
    let version = definition.spec.versions.into_iter().next();
    let root = version.and_then(|version| version.schema?.open_api_v3_schema);
    let spec = root.and_then(|root| root.properties?.remove("spec"));
    spec.map_or(Shape::Anything, Shape::of)
}

// === impl Text ===

impl Text {
    fn of(schema: JSONSchemaProps) -> Self {
        let choices = schema.enum_.unwrap_or_default().into_iter();
        Self {
            size: Size::of(schema.min_length, schema.max_length),
            // Every pattern of the definitions compiles: a test counts them.
            pattern: schema.pattern.and_then(|pattern| Regex::new(&pattern).ok()),
            choices: choices.filter_map(|value| value.0.as_str().map(str::to_owned)).collect(),
        }
    }
}

// === impl Size ===

impl Size {
    fn of(min: Option<i64>, max: Option<i64>) -> Self {
        let bound = |bound: Option<i64>| bound.and_then(|bound| usize::try_from(bound).ok());
        Self { min: bound(min).unwrap_or(0), max: bound(max).unwrap_or(usize::MAX) }
    }

    fn check(self, size: usize, what: &str, path: &str, breaches: &mut Vec<Breach>) {
        let Self { min, max } = self;
        if size < min {
            let remedy = format!("the least is {min}");
            breaches.push(breach(path, format!("has {size} {what}"), remedy));
        } else if size > max {
            let remedy = format!("the most is {max}");
            breaches.push(breach(path, format!("has {size} {what}"), remedy));
        }
    }
}

// === impl Unique ===

impl Unique {
    fn check(&self, list: &[Value], path: &str, breaches: &mut Vec<Breach>) {
        let mut seen = BTreeSet::new();
        for (index, item) in list.iter().enumerate() {
            let (identity, message) = match self {
                Self::Nothing => return,
                Self::Items => (item.to_string(), "stands in the list already".to_owned()),
                Self::Keys(keys) => {
                    let members: Vec<_> = keys.iter().map(|key| item.get(key)).collect();
                    let message = format!("stands in the list already, by its {}", keys.join(", "));
                    (format!("{members:?}"), message)
                }
            };
            if !seen.insert(identity) {
                let path = format!("{path}[{index}]");
                breaches.push(breach(&path, message, "remove or rename one of the two"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
