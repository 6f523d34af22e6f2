//! What Pillion answers itself: `GET /` and the model lists.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;

use super::credentials;
use super::failure::{Failure, Missing};
use crate::llm::Dialect;
use crate::llm::shapes::{self, ListedModel};
use crate::secret::Digest;
use crate::table::{Listing, Table};

/// The answer to `HEAD /` and `GET /`: yes, somebody is here.
pub fn alive() -> Bytes {
    Bytes::from_static(b"{\"name\":\"pillion\"}\n")
}

/// The models that the caller may use, or the one that it asks for.
///
/// # Errors
/// [`Failure::NoRoute`] for a model that no route declares to this caller.
pub fn answer(
    table: &Table,
    dialect: Dialect,
    id: Option<Range<usize>>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Bytes, Failure> {
    let digests = match table.candidates.has_clients() {
        true => credentials::digests(&credentials::presented(headers, uri.query())),
        false => Vec::new(),
    };
    let mine: Vec<&ListedModel> = table
        .models
        .iter()
        .filter(|listing| may_see(listing, &digests))
        .map(|listing| &listing.model)
        .collect();
    Ok(match id {
        None => shapes::model_list(dialect, &mine, uri.query()),
        Some(span) => {
            let encoded = uri.path().get(span).unwrap_or_default();
            let id = percent_decode_str(encoded).decode_utf8_lossy();
            let model = mine.into_iter().find(|model| model.id == id);
            shapes::model(dialect, model.ok_or_else(|| no_such_model(&id))?)
        }
    })
}

fn may_see(listing: &Listing, digests: &[Digest]) -> bool {
    let Some(clients) = &listing.rule.clients else {
        return true;
    };
    let mut keys = clients.keys.iter();
    keys.any(|(_, key)| digests.iter().any(|digest| digest.matches(key)))
}

fn no_such_model(id: &str) -> Failure {
    let shown = &id[..id.floor_char_boundary(128)];
    let why = format!("no route declares the model `{shown}`; GET /v1/models lists those that are");
    Failure::NoRoute(Missing::Model, why)
}
