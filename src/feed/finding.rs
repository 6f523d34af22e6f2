//! What is wrong, and where it stands.
//!
//! Owns the map from objects and field paths to lines. A finding never carries a value from a file.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::yaml::{Data, Node, Position};
use crate::compile::{Fault, ObjectId, Severity};

/// Something wrong, or worth knowing, in a folder of manifests: what reading a file found, or a
/// [`Fault`] of `compile` brought to its place by [`Sources::finding`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where; `None` for an object that stands in no file.
    pub place: Option<Place>,
    /// Whose fault, where the object can be told.
    pub object: Option<ObjectId>,
    /// The field, as in `spec.rules[0].matches[1].model`; empty where it is no field's fault.
    pub path: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, never a secret.
    pub message: String,
    /// What to do about it: lower case, no full stop.
    pub remedy: String,
}

/// A place in a file; line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where each object and each of its fields stands.
#[derive(Debug, Default)]
pub struct Sources {
    objects: BTreeMap<ObjectId, Source>,
}

#[derive(Debug)]
struct Source {
    file: Arc<Path>,
    fields: HashMap<String, Position>,
}

// === impl Sources ===

impl Sources {
    /// Where the field `path` of an object stands, or the nearest field around it that does.
    pub fn locate(&self, object: &ObjectId, path: &str) -> Option<Place> {
        let source = self.objects.get(object)?;
        let position = ancestors(path).find_map(|path| source.fields.get(path))?;
        Some(Place::new(&source.file, *position))
    }

    /// Every object that has a name, also those that are left out of the world.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectId> {
        self.objects.keys()
    }

    /// A fault of `compile`, with its place.
    pub fn finding(&self, fault: Fault) -> Finding {
        Finding {
            place: self.locate(&fault.object, &fault.path),
            object: Some(fault.object),
            path: fault.path,
            severity: fault.severity,
            message: fault.message,
            remedy: fault.remedy,
        }
    }

    /// Takes note of an object; gives the place of one of the same name that is there already.
    pub(super) fn insert(
        &mut self,
        object: &ObjectId,
        file: &Arc<Path>,
        node: &Node,
    ) -> Result<(), Place> {
        if let Some(first) = self.locate(object, "") {
            return Err(first);
        }
        let mut fields = HashMap::from([(String::new(), node.at)]);
        index(node, "", &mut fields);
        self.objects.insert(object.clone(), Source { file: file.clone(), fields });
        Ok(())
    }
}

/// `a.b[0].c`, `a.b[0]`, `a.b`, `a` and the empty path.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| match path.rfind(['.', '[']) {
        Some(cut) => path.get(..cut),
        None => (!path.is_empty()).then_some(""),
    })
}

/// The positions of all that is below `node`: of a member its key's, of an item its own.
fn index(node: &Node, path: &str, fields: &mut HashMap<String, Position>) {
    match &node.data {
        Data::Plain(_) | Data::Text(_) => {}
        Data::List(items) => {
            for (number, item) in items.iter().enumerate() {
                let path = format!("{path}[{number}]");
                index(item, &path, fields);
                fields.insert(path, item.at);
            }
        }
        Data::Map(entries) => {
            for entry in entries {
                let dot = if path.is_empty() { "" } else { "." };
                let path = format!("{path}{dot}{}", entry.key);
                index(&entry.value, &path, fields);
                fields.insert(path, entry.at);
            }
        }
    }
}

// === impl Place ===

impl Place {
    pub(super) fn new(file: &Arc<Path>, Position { line, column }: Position) -> Self {
        Self { file: file.clone(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

// === impl Finding ===

/// `routes.yaml:3:5: LlmRoute default/chat: spec.rules: what is wrong: what to do`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}: {}", self.message, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::ResourceKind;
    use crate::feed::yaml;

    #[test]
    fn the_nearest_field_around_a_missing_one_is_found() {
        let text = "kind: LlmRoute\nspec:\n  rules:\n  - name: a\n    targets: []\n  - name: b\n";
        let node = yaml::documents(text).remove(0).ok().unwrap();
        let kind = ResourceKind::LlmRoute;
        let id = ObjectId { kind, namespace: "default".into(), name: "chat".into() };
        let mut sources = Sources::default();
        let file: Arc<Path> = Path::new("r.yaml").into();
        sources.insert(&id, &file, &node).unwrap();
        for (path, expected) in [
            ("spec.rules[1].name", "r.yaml:6:5"),
            ("spec.rules[1]", "r.yaml:6:5"),
            ("spec.rules[1].targets[0].weight", "r.yaml:6:5"),
            ("spec.rules[0].targets[3].provider", "r.yaml:5:5"),
            ("spec.rules[7]", "r.yaml:3:3"),
            ("spec.clients", "r.yaml:2:1"),
            ("", "r.yaml:1:1"),
            ("metadata.name", "r.yaml:1:1"),
        ] {
            assert_eq!(sources.locate(&id, path).unwrap().to_string(), expected, "{path}");
        }
        assert!(sources.insert(&id, &file, &node).is_err());
        let other = ObjectId { name: "other".into(), ..id };
        assert_eq!(sources.locate(&other, ""), None);
    }
}
