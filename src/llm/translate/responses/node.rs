//! JSON of a request, read with the path in hand: what is wrong is refused by its place.
//!
//! Values stay text until somebody asks for one, so that schemas and the like keep their bytes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::Number;
use serde_json::value::RawValue;

use crate::llm::translate::Refused;

/// As many members as most objects have: they are compared faster than sorted.
const FEW: usize = 16;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node<'a> {
    path: String,
    raw: &'a RawValue,
}

/// An object and where it stands.
#[derive(Debug)]
pub(super) struct Object<'a> {
    path: String,
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// What a value is, by its first byte.
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
        match self.raw.get().as_bytes().first() {
            Some(b'"') => Kind::Text,
            Some(b'[') => Kind::List,
            Some(b'{') => Kind::Object,
            Some(_) | None => Kind::Other,
        }
    }

    pub(super) fn text(&self) -> Result<String, Refused> {
        self.as_type("must be a string")
    }

    pub(super) fn boolean(&self) -> Result<bool, Refused> {
        self.as_type("must be true or false")
    }

    pub(super) fn count(&self) -> Result<u64, Refused> {
        self.as_type("must be a whole number, not below 0")
    }

    pub(super) fn number(&self) -> Result<Number, Refused> {
        self.as_type("must be a number")
    }

    pub(super) fn object(&self) -> Result<Object<'a>, Refused> {
        let members: Members<'a> =
            serde_json::from_str(self.raw.get()).map_err(|_| self.refused("must be an object"))?;
        Object { path: self.path.clone(), members: members.0 }.without_twins()
    }

    pub(super) fn list(&self) -> Result<Vec<Self>, Refused> {
        let values: Vec<&'a RawValue> =
            serde_json::from_str(self.raw.get()).map_err(|_| self.refused("must be an array"))?;
        let node = |(index, raw)| Self { path: format!("{}[{index}]", self.path), raw };
        Ok(values.into_iter().enumerate().map(node).collect())
    }

    pub(super) fn raw(&self) -> Box<RawValue> {
        self.raw.to_owned()
    }

    pub(super) fn refused(&self, why: impl Into<String>) -> Refused {
        Refused::new(self.path.clone(), why)
    }

    fn as_type<T: DeserializeOwned>(&self, wanted: &str) -> Result<T, Refused> {
        serde_json::from_str(self.raw.get()).map_err(|_| self.refused(wanted))
    }
}

// === impl Object ===

impl<'a> Object<'a> {
    /// The whole body.
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, Refused> {
        let refused = |why: &str| Refused::new("body", why);
        let text = std::str::from_utf8(body).map_err(|_| refused("is not UTF-8"))?;
        let members: Members<'a> = serde_json::from_str(text)
            .map_err(|error| refused(&format!("is not a JSON object: {error}")))?;
        let object = Self { path: String::new(), members: members.0 };
        object.without_twins()
    }

    /// A member; null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let (_, raw) = self.members.iter().find(|(key, _)| key == name)?;
        (raw.get() != "null").then(|| Node { path: self.path_of(name), raw })
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
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        let members = self.members.iter().map(|(name, raw)| (name.as_ref(), *raw));
        members.filter(|(_, raw)| raw.get() != "null")
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

// === impl Members ===

/// The members of an object, in order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Key(name), raw)) = map.next_entry()? {
            members.push((name, raw));
        }
        Ok(Members(members))
    }
}
