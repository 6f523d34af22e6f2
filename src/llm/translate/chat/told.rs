//! What a whole answer or a chunk of one tells beside its choices.

use std::borrow::Cow;

use super::super::answer::{Failed, Spent};
use super::super::document::Node;
use super::usage;

/// The members that matter.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    pub(super) id: Option<Node<'a>>,
    pub(super) model: Option<Node<'a>>,
    pub(super) created: Option<Node<'a>>,
    pub(super) choices: Option<Node<'a>>,
    pub(super) service_tier: Option<Node<'a>>,
    object: Option<Node<'a>>,
    error: Option<Node<'a>>,
    usage: Option<Node<'a>>,
    x_groq: Option<Node<'a>>,
}

/// A string that is not empty.
pub(super) fn text(node: Option<Node<'_>>) -> Option<String> {
    let text = node.and_then(Node::text).filter(|text| !text.is_empty());
    text.map(Cow::into_owned)
}

// === impl Told ===

impl<'a> Told<'a> {
    pub(super) fn of(body: Node<'a>) -> Self {
        let mut told = Self::default();
        for (name, value) in body.members() {
            let member = match &*name.text() {
                "id" => &mut told.id,
                "model" => &mut told.model,
                "created" => &mut told.created,
                "choices" => &mut told.choices,
                "service_tier" => &mut told.service_tier,
                "object" => &mut told.object,
                "error" => &mut told.error,
                "usage" => &mut told.usage,
                "x_groq" => &mut told.x_groq,
                _ => continue,
            };
            *member = Some(value);
        }
        told
    }

    /// The error that a body or an event is, if it is one.
    pub(super) fn failure(&self, body: Node<'a>) -> Option<Failed> {
        let is_error = |error: &Node<'_>| error.is_object() || text(Some(*error)).is_some();
        let whole = || text(self.object).filter(|object| object == "error").map(|_| body);
        let error = self.error.filter(is_error).or_else(whole)?;
        let message = error.get("message").unwrap_or(error);
        let message = message.text().unwrap_or_else(|| message.written().into()).into_owned();
        let kind = ["type", "code", "status"].iter().find_map(|name| text(error.get(name)));
        Some(Failed { kind, message })
    }

    /// The `usage`, wherever an API of this kind puts it.
    pub(super) fn usage(&self) -> Spent {
        let choice = || self.choices?.items().next()?.get("usage");
        let told = |usage: Option<Node<'_>>| usage.map(usage::read).filter(|spent| spent.told);
        told(self.usage)
            .or_else(|| told(choice()))
            .or_else(|| told(self.x_groq?.get("usage")))
            .unwrap_or_default()
    }
}
