//! A provider's own CA certificates.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::report::Report;
use crate::api::TlsSpec;
use crate::table::Trust;

/// Reads the bundle. `None` if it is wrong: there is no falling back to fewer checks.
pub(super) fn compile(spec: Option<&TlsSpec>, report: &mut Report<'_>) -> Option<Trust> {
    let Some(spec) = spec else {
        return Some(Trust::System);
    };
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(spec.ca_bundle.as_bytes()).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Some(Trust::SystemAnd(certificates.into())),
        _ => {
            report.error(
                "spec.tls.caBundle",
                "it holds no readable certificates",
                "give PEM text, from '-----BEGIN CERTIFICATE-----' on",
            );
            None
        }
    }
}
