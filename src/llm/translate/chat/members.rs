//! A JSON object that is read member by member: each is looked at once, and whatever is wrong is
//! said with its path.

use std::borrow::Cow;

use serde_json::Number;
use serde_json::value::RawValue;

use super::super::Refused;
use super::super::document::{Items, Kind, Marks, Name, Node};

/// An object and where it stands.
#[derive(Debug)]
pub(super) struct Members<'a> {
    path: String,
    members: Vec<(Name<'a>, Node<'a>)>,
}

// === impl Members ===

impl<'a> Members<'a> {
    /// A whole body.
    ///
    /// # Errors
    /// [`Refused`]: no JSON object.
    pub(super) fn of_body(body: &'a [u8], marks: &'a mut Marks) -> Result<Self, Refused> {
        let text = std::str::from_utf8(body)
            .map_err(|_| Refused::new("body", "it is not UTF-8; send JSON in UTF-8"))?;
        let wrong = |why: &str| Refused::new("body", format!("it is no JSON object: {why}"));
        let body = marks.read(text).map_err(|why| wrong(&why))?;
        Self::of(body, String::new()).map_err(|_| wrong("it is something else"))
    }

    /// An object inside.
    ///
    /// # Errors
    /// [`Refused`]: not an object.
    pub(super) fn of(value: Node<'a>, path: String) -> Result<Self, Refused> {
        match value.kind() {
            Kind::Object => Ok(Self { path, members: value.members().collect() }),
            _ => Err(Refused::new(path, "it must be an object")),
        }
    }

    /// Takes a member out; null is nothing.
    ///
    /// # Errors
    /// [`Refused`]: it is given twice, so that nobody knows which one counts.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<Node<'a>>, Refused> {
        let Some(at) = self.members.iter().position(|(member, _)| member.is(name)) else {
            return Ok(None);
        };
        let (_, value) = self.members.remove(at);
        if self.members.iter().any(|(member, _)| member.is(name)) {
            return Err(self.refuse(name, "it is given twice; send it once"));
        }
        Ok((!value.is_null()).then_some(value))
    }

    /// A string.
    ///
    /// # Errors
    /// [`Refused`]: something else.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        let text = |value: Node<'a>| value.text().map(Cow::into_owned);
        self.read(name, text, "it must be a string")
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
        self.read(name, Node::flag, "it must be true or false")
    }

    /// A number.
    ///
    /// # Errors
    /// [`Refused`]: something else, or one beyond all floating point numbers.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<Number>, Refused> {
        self.read(name, Node::number, "it must be a number")
    }

    /// A count.
    ///
    /// # Errors
    /// [`Refused`]: something else.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Refused> {
        self.read(name, Node::count, "it must be a whole number, zero or more")
    }

    /// A list.
    ///
    /// # Errors
    /// [`Refused`]: something else.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Items<'a>>, Refused> {
        let items = |value: Node<'a>| (value.kind() == Kind::List).then(|| value.items());
        self.read(name, items, "it must be a list")
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
        Ok(self.take(name)?.map(Node::raw))
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
        let told = self.members.into_iter().filter(|(_, value)| !value.is_null());
        told.map(|(name, value)| (name.text().into_owned(), value.raw())).collect()
    }

    fn read<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Node<'a>) -> Option<T>,
        otherwise: &str,
    ) -> Result<Option<T>, Refused> {
        let Some(value) = self.take(name)? else {
            return Ok(None);
        };
        read(value).map(Some).ok_or_else(|| self.refuse(name, otherwise))
    }
}
