//! The objects of a folder, as a [`World`], with everything that is wrong with them.
//!
//! Owns which kinds are taken, the checks that the API server would make of an object, and that of
//! two objects with one name the first is kept. An object with an error is left out of the world
//! whole, as the API server would refuse it whole. Does not know what objects come to, nor what a
//! caller does where something is broken.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::draft::{Draft, unknown};
use super::finding::{Finding, Place, Sources};
use super::listing::{self, Listing};
use super::schema::{self, Breach, Shape};
use super::secrets;
use super::yaml::{self, Data, Node, Position};
use crate::api::{LlmRoute, ProviderSecret, strict};
use crate::compile::world::Workloads;
use crate::compile::{ObjectId, ResourceKind, Severity, World};
use crate::name::ObjectName;
use crate::secret::{Secret, SecretError};

/// What a folder came to.
#[derive(Debug, Default)]
pub struct Manifests {
    /// Every object that has no error.
    pub world: World,
    /// What reading found, in the order of files and lines.
    pub findings: Vec<Finding>,
    /// Where the objects and their fields stand, also those that are left out.
    pub sources: Sources,
}

/// A key that is in no file: it stands in for, or replaces, one key of one Secret.
#[derive(Debug, Clone)]
pub struct GivenKey {
    /// The Secret's namespace.
    pub namespace: String,
    /// The Secret's name.
    pub secret: String,
    /// The key within its data.
    pub key: String,
    /// The value, already looked up: only `cli` reads the environment.
    pub value: Result<Secret, SecretError>,
}

/// The one version of the resources.
const API_VERSION: &str = "pillion.dev/v1alpha1";

const MAX_DOCUMENTS: usize = 10_000;

/// Lists may hold lists, though nobody writes them.
const MAX_LISTS: usize = 4;

/// Reads files into a world; `keys` stand over those of the files.
pub(super) fn read(listing: Listing, keys: &[GivenKey]) -> Manifests {
    let mut reader = Reader::default();
    reader.manifests.world.workloads = Workloads::Ignored;
    for (path, problem) in listing.problems {
        reader.file_problem(path, problem);
    }
    for path in listing.files {
        reader.file(path);
    }
    let mut manifests = reader.manifests;
    for GivenKey { namespace, secret, key, value } in keys {
        let secret = (namespace.clone(), secret.clone());
        let data = manifests.world.secrets.entry(secret).or_default();
        data.insert(key.clone(), value.clone());
    }
    manifests.findings.sort_by(|one, other| one.place.cmp(&other.place));
    manifests
}

// === impl Manifests ===

impl Manifests {
    /// Is a file or an object missing from the world because it cannot be read as it stands? Then a
    /// caller that has a good table had better keep it.
    pub fn is_broken(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

// === reading ===

#[derive(Default)]
struct Reader {
    manifests: Manifests,
    documents: usize,
}

impl Reader {
    fn file_problem(&mut self, path: PathBuf, problem: String) {
        let at = Position { line: 1, column: 1 };
        self.report(&path.into(), at, (&problem, "mend or remove the file"));
    }

    fn file(&mut self, path: PathBuf) {
        let text = match listing::text(&path) {
            Ok(text) => text,
            Err(problem) => return self.file_problem(path, problem),
        };
        let file: Arc<Path> = path.into();
        for document in yaml::documents(&text) {
            self.documents += 1;
            match document {
                _ if self.documents > MAX_DOCUMENTS => {}
                Ok(node) => self.object(&file, &node, 0),
                Err(error) => {
                    let remedy = "mend the YAML; the other documents are not touched by it";
                    self.report(&file, error.at, (&error.message, remedy));
                }
            }
        }
        if self.documents > MAX_DOCUMENTS {
            let message = "the folder has more than 10000 documents, the rest is not read";
            self.report(&file, Position { line: 1, column: 1 }, (message, "split the folder"));
        }
    }

    fn object(&mut self, file: &Arc<Path>, node: &Node, lists: usize) {
        let (Some(version), Some(kind)) = (node.text("apiVersion"), node.text("kind")) else {
            let message = "this document has no apiVersion and kind";
            return self.report(
                file,
                node.at,
                (message, "it is no manifest: complete or remove it"),
            );
        };
        let at = node.get("kind").map_or(node.at, |entry| entry.at);
        match (version, kind) {
            (API_VERSION, "LlmRoute") => self.named(file, node, ResourceKind::LlmRoute),
            (API_VERSION, "ProviderSecret") => self.named(file, node, ResourceKind::ProviderSecret),
            ("v1", "Secret") => self.named(file, node, ResourceKind::Secret),
            (_, list) if list.ends_with("List") => self.list(file, node, lists),
            (API_VERSION, _) => {
                let remedy = "the kinds of pillion.dev are LlmRoute and ProviderSecret";
                self.report(file, at, ("no kind of this name is known", remedy));
            }
            (other, "LlmRoute" | "ProviderSecret") if !other.is_empty() => {
                let at = node.get("apiVersion").map_or(node.at, |entry| entry.at);
                let message = "this kind is known in another apiVersion only";
                self.report(file, at, (message, "write apiVersion: pillion.dev/v1alpha1"));
            }
            _ => {
                let message = "objects of this kind have no meaning here and are ignored";
                self.note(file, at, (message, "nothing need be done"));
            }
        }
    }

    fn list(&mut self, file: &Arc<Path>, node: &Node, lists: usize) {
        match node.get("items").map(|items| &items.value.data) {
            Some(Data::List(items)) if lists < MAX_LISTS => {
                for item in items {
                    self.documents += 1;
                    if self.documents <= MAX_DOCUMENTS {
                        self.object(file, item, lists + 1);
                    }
                }
            }
            Some(Data::Plain(Value::Null)) | None => {}
            Some(_) => {
                let message = "the items of a list of objects must be objects";
                self.report(file, node.at, (message, "write each object as a document"));
            }
        }
    }

    fn named(&mut self, file: &Arc<Path>, node: &Node, kind: ResourceKind) {
        let id = match identity(node, kind) {
            Ok(id) => id,
            Err((at, message, remedy)) => return self.report(file, at, (message, remedy)),
        };
        if let Err(first) = self.manifests.sources.insert(&id, file, node) {
            let message = format!("this object is declared already at {first}, which counts");
            let place = Some(Place::new(file, node.at));
            let mut finding = finding(place, (&message, "remove or rename one of the two"));
            finding.object = Some(id);
            return self.manifests.findings.push(finding);
        }
        let draft = Draft { id, node };
        let breaches = match kind {
            ResourceKind::Secret => secrets::read(&draft, &mut self.manifests.world),
            ResourceKind::LlmRoute => self.route(&draft),
            ResourceKind::ProviderSecret => self.provider(&draft),
        };
        for breach in breaches {
            self.breach(&draft, breach);
        }
    }

    fn route(&mut self, draft: &Draft<'_>) -> Vec<Breach> {
        match custom(draft, &schema::LLM_ROUTE) {
            Ok((metadata, spec)) => {
                // What a file says of a status is a copy from a cluster, and means nothing here.
                let route = LlmRoute { metadata, spec, status: None };
                self.manifests.world.routes.push(route);
            }
            Err(breaches) => return breaches,
        }
        Vec::new()
    }

    fn provider(&mut self, draft: &Draft<'_>) -> Vec<Breach> {
        match custom(draft, &schema::PROVIDER_SECRET) {
            Ok((metadata, spec)) => {
                let provider = ProviderSecret { metadata, spec, status: None };
                self.manifests.world.providers.push(provider);
            }
            Err(breaches) => return breaches,
        }
        Vec::new()
    }

    fn breach(&mut self, draft: &Draft<'_>, breach: Breach) {
        self.manifests.findings.push(Finding {
            place: self.manifests.sources.locate(&draft.id, &breach.path),
            object: Some(draft.id.clone()),
            path: breach.path,
            severity: Severity::Error,
            message: breach.message,
            remedy: breach.remedy,
        });
    }

    fn report(&mut self, file: &Arc<Path>, at: Position, words: (&str, &str)) {
        self.manifests.findings.push(finding(Some(Place::new(file, at)), words));
    }

    fn note(&mut self, file: &Arc<Path>, at: Position, words: (&str, &str)) {
        let mut note = finding(Some(Place::new(file, at)), words);
        note.severity = Severity::Note;
        self.manifests.findings.push(note);
    }
}

/// An error that is no field's.
fn finding(place: Option<Place>, (message, remedy): (&str, &str)) -> Finding {
    let (message, remedy) = (message.to_owned(), remedy.to_owned());
    let severity = Severity::Error;
    Finding { place, object: None, path: String::new(), severity, message, remedy }
}

/// Whose document it is.
fn identity(
    node: &Node,
    kind: ResourceKind,
) -> Result<ObjectId, (Position, &'static str, &'static str)> {
    let Some(metadata) = node.get("metadata") else {
        return Err((node.at, "metadata is missing", "add metadata with a name"));
    };
    let Some(name) = metadata.value.text("name") else {
        let remedy = "add a name; a generateName has no meaning in a file";
        return Err((metadata.at, "metadata.name is missing or no text", remedy));
    };
    let namespace = match metadata.value.get("namespace") {
        Some(entry) if !entry.value.is_null() => metadata.value.text("namespace").unwrap_or(""),
        _ => "default",
    };
    let syntax = "use lower case letters, digits, '-' and '.', with a letter or digit at both ends";
    for (field, text) in [("name", name), ("namespace", namespace)] {
        if text.parse::<ObjectName>().is_err() {
            let at = metadata.value.get(field).map_or(metadata.at, |entry| entry.at);
            return Err((at, "this is no name of Kubernetes", syntax));
        }
    }
    Ok(ObjectId { kind, namespace: namespace.to_owned(), name: name.to_owned() })
}

// === custom resources ===

/// Metadata and spec of a custom resource, or everything that is wrong with them.
fn custom<T: DeserializeOwned>(
    draft: &Draft<'_>,
    shape: &Shape,
) -> Result<(ObjectMeta, T), Vec<Breach>> {
    let mut breaches = unknown(draft.node, &["apiVersion", "kind", "metadata", "spec", "status"]);
    let metadata = metadata(draft, &mut breaches);
    let spec = draft.node.get("spec").map(|entry| entry.value.to_json());
    let mut spec = spec.unwrap_or(Value::Object(serde_json::Map::new()));
    breaches.extend(schema::check(shape, &mut spec, "spec"));
    if !breaches.is_empty() {
        return Err(breaches);
    }
    let spec = decode(spec, "spec", &mut breaches);
    match (metadata, spec) {
        (Some(metadata), Some(spec)) if breaches.is_empty() => Ok((metadata, spec)),
        _ => Err(breaches),
    }
}

fn metadata(draft: &Draft<'_>, breaches: &mut Vec<Breach>) -> Option<ObjectMeta> {
    let value = draft.node.get("metadata")?.value.to_json();
    let mut metadata: ObjectMeta = decode(value, "metadata", breaches)?;
    metadata.namespace = Some(draft.id.namespace.clone());
    Some(metadata)
}

/// Decodes what a schema has let pass, or no schema describes.
fn decode<T: DeserializeOwned>(value: Value, root: &str, breaches: &mut Vec<Breach>) -> Option<T> {
    let refused = match strict::decode(value) {
        Ok(decoded) => return Some(decoded),
        Err(refused) => refused,
    };
    for path in refused.unknown {
        breaches.push(Breach {
            path: format!("{root}.{path}"),
            message: "there is no such field".to_owned(),
            remedy: "remove it".to_owned(),
        });
    }
    let wrong = refused.wrong.map(|(path, _)| Breach {
        path: format!("{root}.{path}"),
        message: "this is not the kind of value that the field takes".to_owned(),
        remedy: "correct or remove it".to_owned(),
    });
    breaches.extend(wrong);
    None
}

#[cfg(test)]
mod tests;
