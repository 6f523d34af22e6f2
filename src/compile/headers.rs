//! A provider's header rules. What they may not touch is closed here, because the sidecar sends
//! what it is given: framing, connections, the host, and credentials.

use http::{HeaderName, HeaderValue};

use super::report::Report;
use crate::api::{CONNECTION_HEADERS, CREDENTIAL_HEADERS, HeadersSpec};
use crate::table::HeaderPolicy;

/// Is this header never a manifest's to set, remove or put a key into?
pub(super) fn is_connection_header(name: &HeaderName) -> bool {
    CONNECTION_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("proxy-")
}

/// Does this header carry credentials?
pub(super) fn is_credential_header(name: &HeaderName) -> bool {
    CREDENTIAL_HEADERS.contains(&name.as_str())
}

/// Reads them. `None` if one is wrong: a rule that is not applied could let through what it was
/// written to keep back, so the provider is not used.
pub(super) fn compile(spec: &HeadersSpec, report: &mut Report<'_>) -> Option<HeaderPolicy> {
    let mut policy = HeaderPolicy::default();
    let mut good = true;
    for (i, text) in spec.remove.iter().enumerate() {
        match checked_name(text, &format!("spec.headers.remove[{i}]"), report) {
            Some(name) => policy.remove.push(name),
            None => good = false,
        }
    }
    for (text, value) in &spec.set {
        let path = format!("spec.headers.set.{}", shown(text));
        let name = checked_name(text, &path, report);
        match (name, checked_value(value, &path, report)) {
            (Some(name), Some(_)) if policy.set.iter().any(|(set, _)| *set == name) => {
                report.error(path, "the header is set twice", "remove one of them");
                good = false;
            }
            (Some(name), Some(value)) => policy.set.push((name, value)),
            _ => good = false,
        }
    }
    good.then_some(policy)
}

fn checked_name(text: &str, path: &str, report: &mut Report<'_>) -> Option<HeaderName> {
    let Ok(name) = HeaderName::from_bytes(text.as_bytes()) else {
        let remedy = "use letters, digits and '-'";
        report.error(path, "it is not a header name", remedy);
        return None;
    };
    if is_connection_header(&name) {
        let message = format!("'{name}' belongs to the connection, which Pillion looks after");
        report.error(path, message, "remove it");
        return None;
    }
    if is_credential_header(&name) {
        let message = format!("'{name}' carries credentials");
        report.error(path, message, "use spec.keys, spec.auth and spec.clientCredentials");
        return None;
    }
    Some(name)
}

fn checked_value(text: &str, path: &str, report: &mut Report<'_>) -> Option<HeaderValue> {
    // `HeaderValue` would take other bytes too, which some servers read as Latin-1.
    let ascii = Some(text).filter(|text| text.is_ascii());
    let value = ascii.and_then(|text| HeaderValue::from_str(text).ok());
    if value.is_none() {
        let message = "its value has a line break, a control character or a non-ASCII character";
        report.error(path, message, "write it in one line of ASCII text");
    }
    value
}

/// A name as a path shows it; it may be anything.
fn shown(text: &str) -> String {
    let visible = text.chars().filter(|c| c.is_ascii_graphic());
    visible.take(64).collect()
}
