//! Kubernetes Secrets in files: `data` in base64, `stringData` as it is, the latter over the
//! former.
//!
//! A value goes into a [`Secret`] and nowhere else: it is never made a JSON value, and no message
//! says more of it than its key's name.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::draft::{Draft, unknown};
use super::schema::Breach;
use super::yaml::{Data, Entry, Node};
use crate::compile::World;
use crate::secret::{Secret, SecretError};

const FIELDS: [&str; 7] =
    ["apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData"];

/// Takes a Secret's keys into the world, or says what is wrong with it.
pub(super) fn read(draft: &Draft<'_>, world: &mut World) -> Vec<Breach> {
    let mut breaches = unknown(draft.node, &FIELDS);
    let mut keys = Vec::new();
    for (entry, text) in texts(draft.node, "data", &mut breaches) {
        match decoded(text) {
            Some(bytes) => keys.push((entry.key.clone(), Secret::new(&bytes))),
            None => breaches.push(Breach {
                path: format!("data.{}", entry.key),
                message: "this is not base64".to_owned(),
                remedy: "encode the value, or write it under stringData as it is".to_owned(),
            }),
        }
    }
    for (entry, text) in texts(draft.node, "stringData", &mut breaches) {
        keys.push((entry.key.clone(), Secret::new(text.as_bytes())));
    }
    if breaches.is_empty() {
        let secret = (draft.id.namespace.clone(), draft.id.name.clone());
        let data = world.secrets.entry(secret).or_default();
        data.extend::<Vec<(String, Result<Secret, SecretError>)>>(keys);
    }
    breaches
}

/// The members of `field` that are text; of others it says that they are not.
fn texts<'a>(node: &'a Node, field: &str, breaches: &mut Vec<Breach>) -> Vec<(&'a Entry, &'a str)> {
    let not_text = |path: String, remedy: &str| Breach {
        path,
        message: "this is not what the field takes".to_owned(),
        remedy: remedy.to_owned(),
    };
    let entries = match node.get(field).map(|entry| &entry.value) {
        None => return Vec::new(),
        Some(value) if value.is_null() => return Vec::new(),
        Some(Node { data: Data::Map(entries), .. }) => entries,
        Some(_) => {
            breaches.push(not_text(field.to_owned(), "write a mapping of keys to text"));
            return Vec::new();
        }
    };
    let mut texts = Vec::new();
    for entry in entries {
        match &entry.value.data {
            Data::Text(text) => texts.push((entry, text.as_str())),
            Data::Plain(_) | Data::List(_) | Data::Map(_) => {
                let remedy = "write text, in quotes where it looks like something else";
                breaches.push(not_text(format!("{field}.{}", entry.key), remedy));
            }
        }
    }
    texts
}

/// Base64 as Kubernetes takes it: padded, line breaks allowed.
fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let packed: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect());
    STANDARD.decode(packed.as_bytes()).ok().map(Zeroizing::new)
}
