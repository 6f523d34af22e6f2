//! How keys are presented: a [`Form`] per endpoint, and what it makes of a key.

use std::sync::Arc;

use http::HeaderName;
use http::header::AUTHORIZATION;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::headers::is_connection_header;
use super::report::Report;
use crate::api::{AuthSpec, AuthType};
use crate::provider::{Auth, Preset};
use crate::secret::Secret;
use crate::table::Credential;

/// A parsed auth form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// `Authorization: Bearer KEY`
    Bearer,
    /// `NAME: KEY`
    Header(HeaderName),
    /// `?NAME=KEY`, the name encoded.
    Query(Arc<str>),
    /// No credential.
    None,
}

/// Reads an auth form.
pub(super) fn compile(spec: &AuthSpec, path: &str, report: &mut Report<'_>) -> Option<Form> {
    match (spec.kind, spec.name.as_deref()) {
        (AuthType::Bearer, None) => Some(Form::Bearer),
        (AuthType::None, None) => Some(Form::None),
        (AuthType::ApiKeyHeader, Some(name)) => match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) if !is_connection_header(&name) => Some(Form::Header(name)),
            _ => {
                let message = "it is not a header that can carry a key";
                report.error(format!("{path}.name"), message, "name one, such as x-api-key");
                None
            }
        },
        (AuthType::QueryParameter, Some(name)) if !name.is_empty() => {
            let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
            Some(Form::Query(encoded.into()))
        }
        (AuthType::ApiKeyHeader | AuthType::QueryParameter, _) => {
            let message = format!("{:?} needs a name", spec.kind);
            report.error(format!("{path}.name"), message, "add it, such as x-api-key or key");
            None
        }
        (AuthType::Bearer | AuthType::None, Some(_)) => {
            let message = format!("{:?} takes no name", spec.kind);
            report.error(format!("{path}.name"), message, "remove it");
            None
        }
    }
}

// === impl Form ===

impl Form {
    /// The form that a preset's row gives.
    pub(super) fn of_preset(auth: Auth) -> Self {
        match auth {
            Auth::Bearer => Self::Bearer,
            Auth::Header(name) => Self::Header(HeaderName::from_static(name)),
        }
    }

    /// The header that an API key goes into, as far as it goes into one.
    pub(super) fn header(&self) -> HeaderName {
        match self {
            Self::Header(name) => name.clone(),
            Self::Bearer | Self::Query(_) | Self::None => AUTHORIZATION,
        }
    }

    /// The key in this form. An OAuth token stays Bearer whatever the form: vendors take it no
    /// other way.
    pub(super) fn credential(&self, key: &Secret, preset: &Preset) -> Option<Credential> {
        let mut bearer_prefixes = preset.bearer_prefixes.iter();
        let is_token = bearer_prefixes.any(|prefix| key.starts_with(prefix));
        let header = |name, prefix| {
            let value = key.header_value(prefix).ok()?;
            Some(Credential::Header { name, value })
        };
        match self {
            Self::None => Some(Credential::None),
            Self::Bearer => header(AUTHORIZATION, "Bearer "),
            Self::Header(_) | Self::Query(_) if is_token => header(AUTHORIZATION, "Bearer "),
            Self::Header(name) => header(name.clone(), ""),
            Self::Query(name) => {
                Some(Credential::Query { name: Arc::clone(name), value: key.query_value() })
            }
        }
    }
}
