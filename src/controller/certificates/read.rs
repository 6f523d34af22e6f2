//! What a certificate says of itself. Not a judgement: whoever connects makes that.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// What is read of a certificate. Times are Unix time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    pub(super) names: Vec<String>,
    pub(super) public_key: Vec<u8>,
}

/// Reads one.
pub(super) fn certificate(der: &CertificateDer<'_>) -> Option<Seen> {
    let (_, parsed) = parse_x509_certificate(der).ok()?;
    Some(Seen {
        not_before: parsed.validity().not_before.timestamp(),
        not_after: parsed.validity().not_after.timestamp(),
        subject: parsed.subject().as_raw().to_vec(),
        issuer: parsed.issuer().as_raw().to_vec(),
        names: names(&parsed),
        public_key: parsed.public_key().subject_public_key.data.to_vec(),
    })
}

fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = parsed.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

// === impl Seen ===

impl Seen {
    /// When it is to be renewed: after two thirds of its life.
    pub(super) fn two_thirds(&self) -> i64 {
        self.not_before + (self.not_after - self.not_before) / 3 * 2
    }

    /// Is it for all of them?
    pub(super) fn is_for(&self, names: &[String]) -> bool {
        names.iter().all(|wanted| self.names.iter().any(|name| name.eq_ignore_ascii_case(wanted)))
    }
}
