//! A caller's token. No `Debug`: it is never shown.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::controller::push::refusal::Refusal;

/// A longer one is nobody's: Kubernetes' have about 1 KiB.
const MAX_TOKEN: usize = 8 << 10;

/// A token, as a caller presented it; wiped when it is dropped.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

/// Enough to recognise a token, useless to present one.
pub(super) type Key = [u8; 32];

/// What is read of a token that the API server has called valid.
#[derive(Debug, Deserialize)]
struct Claims {
    exp: Option<f64>,
}

// === impl Token ===

impl Token {
    /// The token of a request.
    pub(in crate::controller::push) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Refusal::NoToken);
        };
        let token = value.to_str().ok().and_then(bearer).ok_or(Refusal::NoToken)?;
        if token.len() > MAX_TOKEN {
            return Err(Refusal::NotValid);
        }
        Ok(Self(Zeroizing::new(token.to_owned())))
    }

    /// Has it the shape of a JWT? Saves the API server the work of refusing anything else.
    pub(super) fn looks_like_one(&self) -> bool {
        let fine = |part: &str| {
            let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !part.is_empty() && part.bytes().all(good)
        };
        let mut parts = self.0.split('.');
        parts.by_ref().take(3).filter(|part| fine(part)).count() == 3 && parts.next().is_none()
    }

    pub(super) fn key(&self) -> Key {
        let mut key = [0; 32];
        let digest = ring::digest::digest(&ring::digest::SHA256, self.0.as_bytes());
        key.copy_from_slice(digest.as_ref());
        key
    }

    /// When it says that it expires, Unix time. To be believed after the API server's yes only.
    pub(super) fn expires(&self) -> Option<f64> {
        let payload = URL_SAFE_NO_PAD.decode(self.0.split('.').nth(1)?).ok()?;
        serde_json::from_slice::<Claims>(&payload).ok()?.exp
    }

    /// The token itself, for the API server alone.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// The scheme is read in any case (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
