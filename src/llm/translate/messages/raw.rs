//! JSON of the caller's, read member by member.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::llm::translate::Refused;

/// Reads a value of the caller's.
///
/// # Errors
/// [`Refused`], with the field and what is wrong with it.
pub(super) fn parse<T: DeserializeOwned>(field: &str, raw: &RawValue) -> Result<T, Refused> {
    serde_json::from_str(raw.get()).map_err(|error| Refused::new(field, wrong(&error)))
}

/// What is wrong, without the line and column, which would be those of a part.
fn wrong(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
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
