//! A call as the stages hand it on: plain data.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use http::header::HeaderMap;
use http::request::Parts;
use http::{Method, Uri};
use hyper::body::Incoming;

use super::credentials::{self, Presented};
use crate::llm::json::BodyFacts;
use crate::llm::operation::Operation;
use crate::net::budget::Reservation;

/// The head of a call.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its method.
    pub method: Method,
    /// Its path and query; scheme and authority are never looked at.
    pub uri: Uri,
    /// Its headers, as sent.
    pub headers: HeaderMap,
    /// What it asks for.
    pub operation: Operation,
}

/// A call, ready to be routed; its body, as far as routing is concerned, may be anything.
#[derive(Debug, Clone)]
pub struct Call<B = CallBody> {
    /// Its head, in a box: it is large, and goes from stage to stage.
    pub head: Box<Head>,
    /// The model that it names.
    pub model: Option<Model>,
    /// What else the body's scan found.
    pub facts: BodyFacts,
    /// Its body.
    pub body: B,
}

/// A model's name and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The decoded name.
    pub name: String,
    /// Where a rename would write.
    pub place: Place,
}

/// Where a model name stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This span of the body is a JSON string.
    Json(Range<usize>),
    /// This span of the body is a form field.
    Form(Range<usize>),
    /// This span of the path, percent-encoded.
    Path(Range<usize>),
    /// In a compressed body, where nothing can be written.
    Sealed,
}

/// What a call's body must be able to do.
pub trait Body {
    /// All of it, if all of it is here.
    fn whole(&self) -> Option<Cow<'_, [u8]>>;
}

/// A call's body.
#[derive(Debug)]
pub enum CallBody {
    /// All of it, with its share of the budget.
    Held(Vec<Bytes>, Reservation),
    /// Still coming.
    Passing(Incoming),
}

// === impl Body ===

impl Body for CallBody {
    fn whole(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Held(chunks, _) => Some(match chunks.as_slice() {
                [whole] => Cow::Borrowed(whole),
                many => Cow::Owned(many.concat()),
            }),
            Self::Passing(_) => None,
        }
    }
}

impl Body for Bytes {
    fn whole(&self) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(self))
    }
}

// === impl Head ===

impl Head {
    /// The head of a request that asks for `operation`.
    pub fn new(parts: Parts, operation: Operation) -> Box<Self> {
        let Parts { method, uri, headers, .. } = parts;
        Box::new(Self { method, uri, headers, operation })
    }

    /// Every credential that the caller presents.
    pub fn presented(&self) -> Vec<Presented<'_>> {
        credentials::presented(&self.headers, self.uri.query())
    }
}
