//! Names within the lengths that APIs of this kind allow: cut, with a digest behind, so that the
//! same long name always becomes the same short one, and two of them stay two.

use std::borrow::Cow;

use super::super::fingerprint::fingerprint;

/// OpenAI's limit for the id of a tool call.
const ID: usize = 40;

/// OpenAI's limit for `user`; other makers' are longer.
const USER: usize = 64;

const DIGEST: usize = 16;

/// The id of a tool call, the same for the call and its result.
pub(super) fn id(id: &str) -> Cow<'_, str> {
    shorten(id, ID)
}

/// The id of an end user.
pub(super) fn user(user: &str) -> Cow<'_, str> {
    shorten(user, USER)
}

fn shorten(name: &str, limit: usize) -> Cow<'_, str> {
    if name.len() <= limit {
        return Cow::Borrowed(name);
    }
    let end = name.floor_char_boundary(limit - DIGEST - 1);
    let (head, _) = name.split_at(end);
    Cow::Owned(format!("{head}_{:016x}", fingerprint(name)))
}
