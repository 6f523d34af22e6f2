//! What `serde_json` says of a document that is none, told without building a tree: a body that is
//! no JSON may still have millions of values.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// Its words; others where it finds nothing wrong.
pub(super) fn why(text: &str) -> String {
    match serde_json::from_str::<Walked>(text) {
        Ok(Walked) => "it cannot be read".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// A value that was looked at and dropped.
struct Walked;

struct Walk;

// === impl Deserialize ===

impl<'de> Deserialize<'de> for Walked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

// === impl Visitor ===

impl<'de> Visitor<'de> for Walk {
    type Value = Walked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Walked, E> {
        Ok(Walked)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Walked, E> {
        Ok(Walked)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Walked, E> {
        Ok(Walked)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Walked, E> {
        Ok(Walked)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Walked, E> {
        Ok(Walked)
    }

    fn visit_str<E>(self, _: &str) -> Result<Walked, E> {
        Ok(Walked)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Walked, A::Error> {
        while let Some(Walked) = items.next_element()? {}
        Ok(Walked)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Walked, A::Error> {
        while let Some((Walked, Walked)) = members.next_entry()? {}
        Ok(Walked)
    }
}
