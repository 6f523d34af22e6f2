//! One match of a rule.

use http::HeaderName;

use super::headers::{is_connection_header, is_credential_header};
use super::report::Report;
use crate::api::{HeaderMatchSpec, MatchSpec};
use crate::llm::Api;
use crate::table::{HeaderMatch, ModelMatch};

/// A parsed match.
pub(super) struct Parsed {
    pub(super) model: ModelMatch,
    pub(super) api: Option<Api>,
    /// Sorted, each once, so that equal matches are equal.
    pub(super) headers: Vec<HeaderMatch>,
}

/// Reads a match; `None` if part of it is wrong, because then nobody knows which calls it meant.
pub(super) fn compile(spec: &MatchSpec, path: &str, report: &mut Report<'_>) -> Option<Parsed> {
    let model = model(spec.model.as_deref(), path, report);
    let headers: Vec<_> = spec
        .headers
        .iter()
        .enumerate()
        .map(|(i, header)| self::header(header, &format!("{path}.headers[{i}]"), report))
        .collect();
    let mut headers = headers.into_iter().collect::<Option<Vec<_>>>()?;
    headers.sort_by(|a, b| (a.name.as_str(), &a.value).cmp(&(b.name.as_str(), &b.value)));
    headers.dedup();
    Some(Parsed { model: model?, api: spec.api.map(Api::from), headers })
}

fn model(text: Option<&str>, path: &str, report: &mut Report<'_>) -> Option<ModelMatch> {
    let Some(text) = text else {
        return Some(ModelMatch::Any);
    };
    let starless = |text: &str| !text.is_empty() && !text.contains('*');
    match (text.strip_suffix('*'), text.strip_prefix('*')) {
        (Some(""), _) => Some(ModelMatch::Any),
        (Some(prefix), _) if starless(prefix) => Some(ModelMatch::Prefix(prefix.into())),
        (_, Some(suffix)) if starless(suffix) => Some(ModelMatch::Suffix(suffix.into())),
        (None, None) if starless(text) => Some(ModelMatch::Exact(text.into())),
        _ => {
            report.error(
                format!("{path}.model"),
                "it is neither a name nor a pattern; the match is left out",
                "write a name, 'prefix*', '*suffix' or '*'",
            );
            None
        }
    }
}

fn header(spec: &HeaderMatchSpec, path: &str, report: &mut Report<'_>) -> Option<HeaderMatch> {
    let Ok(name) = HeaderName::from_bytes(spec.name.as_bytes()) else {
        let message = "it is not a header name; the match is left out";
        report.error(format!("{path}.name"), message, "use letters, digits and '-'");
        return None;
    };
    if is_credential_header(&name) {
        let message = "a match cannot look at a credential; it is left out";
        let remedy = "name the keys' Secrets in spec.clients, which tells callers apart";
        report.error(format!("{path}.name"), message, remedy);
        return None;
    }
    if is_connection_header(&name) {
        let message = "this header belongs to the connection; the match is left out";
        report.error(format!("{path}.name"), message, "match on another header");
        return None;
    }
    let value = spec.value.as_ref().map(|value| value.as_bytes().into());
    Some(HeaderMatch { name, value })
}
