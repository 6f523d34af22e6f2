//! JSON of a request, read with the path in hand: what is wrong is refused by its place.
//!
//! Schemas and the like keep their bytes.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Number;
use serde_json::value::RawValue;

use crate::llm::translate::Refused;
use crate::llm::translate::document::{self, Marks};

/// As many members as most objects have: they are compared faster than sorted.
const FEW: usize = 16;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node<'a> {
    path: String,
    value: document::Node<'a>,
}

/// An object and where it stands.
#[derive(Debug)]
pub(super) struct Object<'a> {
    path: String,
    members: Vec<(Cow<'a, str>, document::Node<'a>)>,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    List,
    Object,
    Other,
}

// === impl Node ===

impl<'a> Node<'a> {
    pub(super) fn kind(&self) -> Kind {
        match self.value.kind() {
            document::Kind::Text => Kind::Text,
            document::Kind::List => Kind::List,
            document::Kind::Object => Kind::Object,
            document::Kind::Null | document::Kind::Flag | document::Kind::Number => Kind::Other,
        }
    }

    pub(super) fn text(&self) -> Result<String, Refused> {
        let text = self.value.text().map(Cow::into_owned);
        text.ok_or_else(|| self.refused("must be a string"))
    }

    pub(super) fn boolean(&self) -> Result<bool, Refused> {
        self.value.flag().ok_or_else(|| self.refused("must be true or false"))
    }

    pub(super) fn count(&self) -> Result<u64, Refused> {
        self.value.count().ok_or_else(|| self.refused("must be a whole number, not below 0"))
    }

    pub(super) fn number(&self) -> Result<Number, Refused> {
        self.value.number().ok_or_else(|| self.refused("must be a number"))
    }

    pub(super) fn object(&self) -> Result<Object<'a>, Refused> {
        if self.kind() != Kind::Object {
            return Err(self.refused("must be an object"));
        }
        Object { path: self.path.clone(), members: members(self.value) }.without_twins()
    }

    pub(super) fn list(&self) -> Result<Vec<Self>, Refused> {
        if self.kind() != Kind::List {
            return Err(self.refused("must be an array"));
        }
        let node = |(index, value)| Self { path: format!("{}[{index}]", self.path), value };
        Ok(self.value.items().enumerate().map(node).collect())
    }

    pub(super) fn raw(&self) -> Box<RawValue> {
        self.value.raw()
    }

    pub(super) fn refused(&self, why: impl Into<String>) -> Refused {
        Refused::new(self.path.clone(), why)
    }

    /// As it stands there.
    pub(super) fn written(&self) -> &'a str {
        self.value.written()
    }
}

// === impl Object ===

impl<'a> Object<'a> {
    /// The whole body.
    pub(super) fn of_body(body: &'a [u8], marks: &'a mut Marks) -> Result<Self, Refused> {
        let refused = |why: &str| Refused::new("body", why);
        let text = std::str::from_utf8(body).map_err(|_| refused("is not UTF-8"))?;
        let body = marks.read(text);
        let body = body.map_err(|why| refused(&format!("is not a JSON object: {why}")))?;
        if !body.is_object() {
            return Err(refused("is not a JSON object: it is something else"));
        }
        Self { path: String::new(), members: members(body) }.without_twins()
    }

    /// A member; null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let (_, value) = self.members.iter().find(|(key, _)| key == name)?;
        (!value.is_null()).then(|| Node { path: self.path_of(name), value: *value })
    }

    pub(super) fn need(&self, name: &str) -> Result<Node<'a>, Refused> {
        self.get(name).ok_or_else(|| Refused::new(self.path_of(name), "is missing"))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refused> {
        self.get(name).map(|node| node.text()).transpose()
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Refused> {
        self.get(name).map(|node| node.boolean()).transpose()
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<Number>, Refused> {
        self.get(name).map(|node| node.number()).transpose()
    }

    pub(super) fn count(&self, name: &str) -> Result<Option<u64>, Refused> {
        self.get(name).map(|node| node.count()).transpose()
    }

    pub(super) fn list(&self, name: &str) -> Result<Vec<Node<'a>>, Refused> {
        self.get(name).map_or_else(|| Ok(Vec::new()), |node| node.list())
    }

    pub(super) fn raw(&self, name: &str) -> Option<Box<RawValue>> {
        self.get(name).map(|node| node.raw())
    }

    /// Every member that is not null, in order.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, document::Node<'a>)> {
        let members = self.members.iter().map(|(name, value)| (name.as_ref(), *value));
        members.filter(|(_, value)| !value.is_null())
    }

    pub(super) fn refused(&self, name: &str, why: impl Into<String>) -> Refused {
        Refused::new(self.path_of(name), why)
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Of a member that stands there twice, two parsers may believe different ones.
    fn without_twins(self) -> Result<Self, Refused> {
        match self.twin() {
            Some(name) => Err(self.refused(name, "is there twice, send it once")),
            None => Ok(self),
        }
    }

    fn twin(&self) -> Option<&str> {
        let names = || self.members.iter().map(|(name, _)| name.as_ref());
        if self.members.len() > FEW {
            let mut seen = HashSet::new();
            return names().find(|name| !seen.insert(*name));
        }
        let mut numbered = names().enumerate();
        let twin = numbered.find(|(at, name)| names().take(*at).any(|other| other == *name));
        twin.map(|(_, name)| name)
    }
}

// === private parts ===

fn members(object: document::Node<'_>) -> Vec<(Cow<'_, str>, document::Node<'_>)> {
    object.members().map(|(name, value)| (name.text(), value)).collect()
}
