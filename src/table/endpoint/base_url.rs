//! Reads a base URL, byte for byte: what it does not understand it refuses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use http::HeaderValue;
use http::uri::Authority;
use thiserror::Error;

use super::forbidden::{is_forbidden_ip, is_forbidden_name};
use super::{Endpoint, Origin, PathPrefix, Scheme, Trust};
use crate::llm::{Api, Dialect};

/// Why a base URL cannot be used. The URL itself is not repeated: it may hold a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BaseUrlError {
    /// Neither `http://` nor `https://`.
    #[error("the base URL must begin with https:// or http://")]
    Scheme,
    /// White space, control characters, or others that must be percent-encoded.
    #[error("the base URL has a character that must be percent-encoded")]
    Character,
    /// `user:password@`
    #[error("the base URL has user information before the host")]
    UserInfo,
    /// `#…`
    #[error("the base URL has a fragment")]
    Fragment,
    /// Not a host name or an IP address.
    #[error("the base URL's host is not a host name or an IP address")]
    Host,
    /// Not a number from 1 to 65535.
    #[error("the base URL's port is not a number from 1 to 65535")]
    Port,
    /// A host that is never called.
    #[error("the base URL's host is on the list of hosts that are never called")]
    Forbidden,
    /// `.`, `..`, an empty segment, or a NUL.
    #[error("the base URL's path has an empty segment, a dot segment or a NUL")]
    Path,
    /// The operation is appended by Pillion.
    #[error("the base URL ends in an operation, which would be appended a second time")]
    Operation,
    /// `{model}` where it means nothing, or twice, or another placeholder.
    #[error("the base URL has a placeholder that it cannot have there")]
    Placeholder,
}

impl BaseUrlError {
    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Scheme => "give the whole URL, such as https://api.example.com/v1",
            Self::Character => "percent-encode it, and look for a space or a line break",
            Self::UserInfo => "take it out and give the key in spec.keys",
            Self::Fragment => "take out the '#' and what follows it",
            Self::Host => "write a host name, an IPv4 address or an IPv6 address in brackets",
            Self::Port => "correct the port, or leave it out for the scheme's own",
            Self::Forbidden => {
                "name the provider's own host; link-local addresses, metadata services and the \
                 API server are never called"
            }
            Self::Path => "write the path without '//', './', '../' and '%00'",
            Self::Operation => "end it where the vendor's docs end the SDK's base URL, such as /v1",
            Self::Placeholder => {
                "use {model} once, in the path, for an OpenAI API kind (dated Azure deployments)"
            }
        }
    }
}

impl Endpoint {
    /// Reads the base URL of an API.
    ///
    /// # Errors
    /// [`BaseUrlError`] says what is wrong, and what to do about it.
    pub fn parse(api: Api, base_url: &str, trust: Trust) -> Result<Self, BaseUrlError> {
        let (scheme, rest) = scheme(base_url)?;
        check_characters(rest)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        check_escapes(path)?;
        check_escapes(query)?;
        if query.contains(['{', '}']) {
            return Err(BaseUrlError::Placeholder);
        }
        Ok(Self {
            origin: Arc::new(origin(scheme, authority, trust)?),
            prefix: prefix(api, checked_path(path)?)?,
            query: (!query.is_empty()).then(|| query.into()),
        })
    }
}

fn scheme(base_url: &str) -> Result<(Scheme, &str), BaseUrlError> {
    let (scheme, rest) = base_url.split_once("://").ok_or(BaseUrlError::Scheme)?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok((Scheme::Http, rest)),
        "https" => Ok((Scheme::Https, rest)),
        _ => Err(BaseUrlError::Scheme),
    }
}

fn check_characters(rest: &str) -> Result<(), BaseUrlError> {
    let fits = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`|".contains(&b);
    match (rest.bytes().all(fits), rest.contains('#')) {
        (false, _) => Err(BaseUrlError::Character),
        (true, true) => Err(BaseUrlError::Fragment),
        (true, false) => Ok(()),
    }
}

fn check_escapes(text: &str) -> Result<(), BaseUrlError> {
    let escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match text.split('%').skip(1).all(escape) {
        true => Ok(()),
        false => Err(BaseUrlError::Character),
    }
}

fn origin(scheme: Scheme, authority: &str, trust: Trust) -> Result<Origin, BaseUrlError> {
    if authority.contains('@') {
        return Err(BaseUrlError::UserInfo);
    }
    let (host, port) = split_port(authority)?;
    let (host, shown) = checked_host(host)?;
    let default = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let port = port.unwrap_or(default);
    let text = match port == default {
        true => shown,
        false => format!("{shown}:{port}"),
    };
    Ok(Origin {
        scheme,
        host: host.into(),
        port,
        host_header: HeaderValue::from_str(&text).map_err(|_| BaseUrlError::Host)?,
        authority: Authority::try_from(text).map_err(|_| BaseUrlError::Host)?,
        trust,
    })
}

/// The host, brackets included, and the port.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), BaseUrlError> {
    let end_of_v6 = match authority.starts_with('[') {
        true => authority.find(']').ok_or(BaseUrlError::Host)? + 1,
        false => 0,
    };
    let Some(colon) = authority[end_of_v6..].find(':') else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(end_of_v6 + colon);
    // `u16::from_str` would take a plus sign.
    let digits = &port[1..];
    let port = digits.parse().ok().filter(|port| *port > 0);
    match port {
        Some(port) if digits.bytes().all(|b| b.is_ascii_digit()) => Ok((host, Some(port))),
        _ => Err(BaseUrlError::Port),
    }
}

/// The host without brackets, and as the authority shows it.
fn checked_host(host: &str) -> Result<(String, String), BaseUrlError> {
    let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    if let Some(v6) = bracketed {
        let address: Ipv6Addr = v6.parse().map_err(|_| BaseUrlError::Host)?;
        allow(IpAddr::V6(address))?;
        return Ok((address.to_string(), format!("[{address}]")));
    }
    let host = host.to_ascii_lowercase();
    if looks_like_v4(&host) {
        let address: Ipv4Addr = host.parse().map_err(|_| BaseUrlError::Host)?;
        allow(IpAddr::V4(address))?;
    } else if !is_host_name(&host) {
        return Err(BaseUrlError::Host);
    } else if is_forbidden_name(&host) {
        return Err(BaseUrlError::Forbidden);
    }
    Ok((host.clone(), host))
}

fn allow(address: IpAddr) -> Result<(), BaseUrlError> {
    match is_forbidden_ip(address) {
        true => Err(BaseUrlError::Forbidden),
        false => Ok(()),
    }
}

/// Resolvers read `2852039166`, `0xa9fea9fe` and `169.254.43518` as addresses too, so a host whose
/// last label is a number must be an address in its plain form.
fn looks_like_v4(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    let digits = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    let hex = last.strip_prefix("0x");
    digits || hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_host_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && !label.starts_with('-') && label.bytes().all(fits)
    };
    host.len() <= 253 && host.split('.').all(label)
}

/// The path without trailing slashes.
fn checked_path(path: &str) -> Result<&str, BaseUrlError> {
    let path = path.trim_end_matches('/');
    let bad = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        let plain = plain.replace("%2f", "/").replace("%5c", "/");
        let dots = plain.split('/').any(|piece| matches!(piece, "." | ".."));
        segment.is_empty() || dots || plain.contains("%00")
    };
    match path.split('/').skip(1).any(bad) {
        true => Err(BaseUrlError::Path),
        false => Ok(path),
    }
}

fn prefix(api: Api, path: &str) -> Result<PathPrefix, BaseUrlError> {
    if ends_in_operation(path) {
        return Err(BaseUrlError::Operation);
    }
    match (api.dialect(), path) {
        (Dialect::OpenAi, _) if path.contains(['{', '}']) => around_model(path),
        _ if path.contains(['{', '}']) => Err(BaseUrlError::Placeholder),
        (Dialect::OpenAi | Dialect::Anthropic, "") => Ok(PathPrefix::Fixed("/v1".into())),
        (Dialect::Anthropic, _) if !path.ends_with("/v1") => {
            Ok(PathPrefix::Fixed(format!("{path}/v1").into()))
        }
        (Dialect::Gemini, "") => Ok(PathPrefix::ClientVersion),
        (Dialect::OpenAi | Dialect::Anthropic | Dialect::Gemini, _) => {
            Ok(PathPrefix::Fixed(path.into()))
        }
    }
}

/// A whole URL pasted from the docs, the commonest mistake with base URLs.
fn ends_in_operation(path: &str) -> bool {
    ["/completions", "/responses", "/embeddings", "/messages", "/models"]
        .iter()
        .any(|operation| path.ends_with(operation))
}

/// `{model}` must be a whole segment.
fn around_model(path: &str) -> Result<PathPrefix, BaseUrlError> {
    let (before, after) = path.split_once("{model}").ok_or(BaseUrlError::Placeholder)?;
    let whole = before.ends_with('/') && (after.is_empty() || after.starts_with('/'));
    match whole && !before.contains(['{', '}']) && !after.contains(['{', '}']) {
        true => Ok(PathPrefix::AroundModel(before.into(), after.into())),
        false => Err(BaseUrlError::Placeholder),
    }
}
