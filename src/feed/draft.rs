//! An object on its way from a document to the world.

use super::schema::Breach;
use super::yaml::{Data, Entry, Node};
use crate::compile::ObjectId;

/// An object on its way from a node to the world.
pub(super) struct Draft<'a> {
    pub(super) id: ObjectId,
    pub(super) node: &'a Node,
}

/// Members of the document itself that are none of `known`.
pub(super) fn unknown(node: &Node, known: &[&str]) -> Vec<Breach> {
    let Data::Map(entries) = &node.data else {
        return Vec::new();
    };
    let unknown = entries.iter().filter(|entry| !known.contains(&entry.key.as_str()));
    let breach = |entry: &Entry| Breach {
        path: entry.key.clone(),
        message: "there is no such field".to_owned(),
        remedy: format!("remove it or use one of {}", known.join(", ")),
    };
    unknown.map(breach).collect()
}
