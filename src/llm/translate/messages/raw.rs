//! JSON of the caller's, read member by member.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::llm::translate::Refused;
use crate::llm::translate::document::Node;

/// Reads a value of the caller's.
///
/// # Errors
/// [`Refused`], with the field and what is wrong with it.
pub(super) fn parse<'a, T: Deserialize<'a>>(field: &str, told: Node<'a>) -> Result<T, Refused> {
    T::deserialize(told).map_err(|mismatch| Refused::new(field, mismatch.to_string()))
}

/// The members of an object, in order, raw.
pub(super) struct Members(pub(super) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Reader)
    }
}
