//! Typed reading: whatever can be deserialized, out of a value of a document.

use std::fmt::{self, Display};
use std::iter;

use serde::de::value::MapDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::RAW;
use super::node::{Items, Kind, Node};

/// Why a value is not of the type that it should be, in `serde_json`'s words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::llm::translate) struct Mismatch(String);

impl Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

impl Error for Mismatch {
    fn custom<T: Display>(told: T) -> Self {
        Self(told.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        match unexpected {
            Unexpected::Unit => Self(format!("invalid type: null, expected {expected}")),
            other => Self(format!("invalid type: {other}, expected {expected}")),
        }
    }
}

// === impl Node ===

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Flag => visitor.visit_bool(self.written() == "true"),
            Kind::Number => self.visit_number(visitor),
            Kind::Text => match self.text() {
                Some(std::borrow::Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
                Some(std::borrow::Cow::Owned(text)) => visitor.visit_string(text),
                None => Err(Mismatch("lone surrogate in a string".to_owned())),
            },
            Kind::List => visitor.visit_seq(Inside(self.items())),
            Kind::Object => visitor.visit_map(Inside(self.inside_of_object())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.kind() {
            Kind::Null => visitor.visit_none(),
            Kind::Flag | Kind::Number | Kind::Text | Kind::List | Kind::Object => {
                visitor.visit_some(self)
            }
        }
    }

    /// Raw JSON asks for itself so, and takes a text for it.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        if name == RAW {
            return visitor.visit_map(MapDeserializer::new(iter::once((name, self.written()))));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

impl<'de> Node<'de> {
    fn visit_number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if let Some(count) = self.count() {
            return visitor.visit_u64(count);
        }
        match (self.written().parse::<i64>(), serde_json::from_str(self.written())) {
            // There is a zero below zero.
            (Ok(number), _) if number != 0 => visitor.visit_i64(number),
            (_, Ok(number)) => visitor.visit_f64(number),
            (_, Err(_)) => Err(Mismatch("number out of range".to_owned())),
        }
    }
}

impl<'de> IntoDeserializer<'de, Mismatch> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The items of a list, or names and values of members by turns.
struct Inside<'a>(Items<'a>);

impl<'de> SeqAccess<'de> for Inside<'de> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }
}

impl<'de> MapAccess<'de> for Inside<'de> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mismatch> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        let node = self.0.next().ok_or_else(|| Mismatch("a member has no value".to_owned()))?;
        seed.deserialize(node)
    }
}
