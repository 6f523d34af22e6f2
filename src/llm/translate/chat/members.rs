//! A JSON object that is read member by member: each is looked at once, values stay raw until
//! somebody knows what they are, and whatever is wrong is said with its path.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Number;
use serde_json::value::RawValue;

use super::super::Refused;

/// An object and where it stands.
#[derive(Debug)]
pub(super) struct Members<'a> {
    path: String,
    members: Vec<(String, &'a RawValue)>,
}

// === impl Members ===

impl<'a> Members<'a> {
    /// A whole body.
    ///
    /// # Errors
    /// [`Refused`]: no JSON object.
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, Refused> {
        let text = std::str::from_utf8(body)
            .map_err(|_| Refused::new("body", "it is not UTF-8; send JSON in UTF-8"))?;
        let Object(members) = serde_json::from_str(text)
            .map_err(|error| Refused::new("body", format!("it is no JSON object: {error}")))?;
        Ok(Self { path: String::new(), members })
    }

    /// An object inside.
    ///
    /// # Errors
    /// [`Refused`]: not an object.
    pub(super) fn of(value: &'a RawValue, path: String) -> Result<Self, Refused> {
        match serde_json::from_str(value.get()) {
            Ok(Object(members)) => Ok(Self { path, members }),
            Err(_) => Err(Refused::new(path, "it must be an object")),
        }
    }

    /// Takes a member out; null is nothing.
    ///
    /// # Errors
    /// [`Refused`]: it is given twice, so that nobody knows which one counts.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<&'a RawValue>, Refused> {
        let Some(at) = self.members.iter().position(|(member, _)| member == name) else {
            return Ok(None);
        };
        let (_, value) = self.members.remove(at);
        if self.members.iter().any(|(member, _)| member == name) {
            return Err(self.refuse(name, "it is given twice; send it once"));
        }
        Ok((value.get() != "null").then_some(value))
    }

    /// A string.
    ///
    /// # Errors
    /// [`Refused`]: something else.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        self.parsed(name, "it must be a string")
    }

    /// A string that has to be there.
    ///
    /// # Errors
    /// [`Refused`]: something else, or nothing.
    pub(super) fn required_text(&mut self, name: &str) -> Result<String, Refused> {
        self.text(name)?.ok_or_else(|| self.refuse(name, "it is missing; it must be a string"))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`Refused`]: something else.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Refused> {
        self.parsed(name, "it must be true or false")
    }

    /// A number.
    ///
    /// # Errors
    /// [`Refused`]: something else, or one beyond all floating point numbers.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<Number>, Refused> {
        self.parsed(name, "it must be a number")
    }

    /// A count.
    ///
    /// # Errors
    /// [`Refused`]: something else.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Refused> {
        self.parsed(name, "it must be a whole number, zero or more")
    }

    /// A list, its items raw.
    ///
    /// # Errors
    /// [`Refused`]: something else.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<&'a RawValue>>, Refused> {
        self.parsed(name, "it must be a list")
    }

    /// An object.
    ///
    /// # Errors
    /// [`Refused`]: something else.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, Refused> {
        let path = self.path(name);
        self.take(name)?.map(|value| Self::of(value, path)).transpose()
    }

    /// An object that has to be there.
    ///
    /// # Errors
    /// [`Refused`]: something else, or nothing.
    pub(super) fn required_object(&mut self, name: &str) -> Result<Self, Refused> {
        self.object(name)?.ok_or_else(|| self.refuse(name, "it is missing; it must be an object"))
    }

    /// Any JSON, as it stands.
    ///
    /// # Errors
    /// [`Refused`]: given twice.
    pub(super) fn raw(&mut self, name: &str) -> Result<Option<Box<RawValue>>, Refused> {
        Ok(self.take(name)?.map(RawValue::to_owned))
    }

    /// Where a member stands.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// What is wrong with a member.
    pub(super) fn refuse(&self, name: &str, why: impl Into<String>) -> Refused {
        Refused::new(self.path(name), why)
    }

    /// What nobody took, without nulls.
    pub(super) fn rest(self) -> Vec<(String, Box<RawValue>)> {
        let told = self.members.into_iter().filter(|(_, value)| value.get() != "null");
        told.map(|(name, value)| (name, value.to_owned())).collect()
    }

    fn parsed<T>(&mut self, name: &str, otherwise: &str) -> Result<Option<T>, Refused>
    where
        T: Deserialize<'a>,
    {
        let Some(value) = self.take(name)? else {
            return Ok(None);
        };
        let parsed = serde_json::from_str(value.get());
        parsed.map(Some).map_err(|_| self.refuse(name, otherwise))
    }
}

// === private parts ===

struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor).map(Object)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
