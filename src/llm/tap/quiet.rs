//! Tells at a glance that an event has nothing for the tap, without reading its JSON.
//!
//! Nearly every event of a stream adds a few words of text. The searches here cost a tenth of what
//! skimming the event does. Invariant: an event that is called quiet would have changed nothing in
//! the tap, once the first token has been seen; in doubt it is not quiet.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::skim::Event;

/// The members of which one with a value makes a chat event worth reading.
pub(super) static CHAT: Searches = LazyLock::new(|| searches(&MEMBERS));
/// The members that make an event with a name worth reading, whatever its name.
pub(super) static NAMED: Searches = LazyLock::new(|| searches(&MEMBERS[..2]));

/// Prepared searches for members' names.
pub(super) type Searches = LazyLock<Vec<Finder<'static>>>;

/// Is `data`, a whole event's data, an object in which none of these members has a value?
pub(super) fn lacks(data: &[u8], members: &Searches) -> bool {
    data.first() == Some(&b'{') && members.iter().all(|name| is_without(data, name))
}

/// Is `data` an object whose first member is `type`, naming an event that only adds content?
pub(super) fn is_delta(data: &[u8]) -> bool {
    first_type(data).is_some_and(|name| Event::named(name) == Event::Delta)
}

/// Does the raw `event` seem to have a `usage` that is not `null`? In doubt it does.
pub(in crate::llm) fn reports_usage(event: &[u8]) -> bool {
    NAMED.first().is_some_and(|usage| !is_without(event, usage))
}

// === private parts ===

const MEMBERS: [&[u8]; 3] = [br#""usage""#, br#""error""#, br#""finish_reason""#];

fn searches(names: &[&'static [u8]]) -> Vec<Finder<'static>> {
    names.iter().map(|name| Finder::new(*name)).collect()
}

/// Is each `name` in `data` a member whose value is `null`?
fn is_without(data: &[u8], name: &Finder<'static>) -> bool {
    let mut rest = data;
    while let Some(at) = name.find(rest) {
        rest = &rest[at + name.needle().len()..];
        if !is_null_member(rest) {
            return false;
        }
    }
    true
}

fn is_null_member(behind_name: &[u8]) -> bool {
    behind_name
        .trim_ascii_start()
        .strip_prefix(b":")
        .is_some_and(|value| value.trim_ascii_start().starts_with(b"null"))
}

fn first_type(data: &[u8]) -> Option<&[u8]> {
    let name = data.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(br#""type""#)?;
    let value = name.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"")?;
    let end = value.iter().take(64).position(|byte| *byte == b'"' || *byte == b'\\')?;
    (value[end] == b'"').then_some(&value[..end])
}
