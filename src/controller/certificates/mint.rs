//! How a certificate is made: ECDSA P-256, as short-lived as it is told.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use zeroize::Zeroizing;

use super::CertificateError;

/// A certificate and its key, in PEM.
pub(super) struct Minted {
    pub(super) certificate: String,
    pub(super) key: Zeroizing<String>,
}

/// From when to when, Unix time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    pub(super) not_before: i64,
    pub(super) not_after: i64,
}

/// A CA. Each has a name of its own, so that it can be told which one has signed.
pub(super) fn authority(validity: Validity) -> Result<Minted, CertificateError> {
    let mut params = CertificateParams::default();
    validity.put(&mut params);
    let name = format!("Pillion CA {:016x}", fastrand::u64(..));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = new_key()?;
    let certificate = params.self_signed(&key).map_err(CertificateError::Mint)?;
    Ok(Minted { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
}

/// A serving certificate for `names`, signed by the first certificate of `authority`.
pub(super) fn serving(
    names: &[String],
    validity: Validity,
    authority: &str,
    authority_key: &str,
) -> Result<Minted, CertificateError> {
    let mut params = CertificateParams::new(names.to_vec()).map_err(CertificateError::Mint)?;
    validity.put(&mut params);
    params.distinguished_name.push(DnType::CommonName, "pillion");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let signing_key = KeyPair::from_pem(authority_key).map_err(CertificateError::Mint)?;
    let issuer = Issuer::from_ca_cert_pem(authority, signing_key);
    let issuer = issuer.map_err(CertificateError::Mint)?;
    let key = new_key()?;
    let certificate = params.signed_by(&key, &issuer).map_err(CertificateError::Mint)?;
    Ok(Minted { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
}

fn new_key() -> Result<KeyPair, CertificateError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(CertificateError::Mint)
}

// === impl Validity ===

impl Validity {
    fn put(self, params: &mut CertificateParams) {
        let epoch = date_time_ymd(1970, 1, 1);
        let after = |seconds: i64| epoch + Duration::from_secs(seconds.max(0).unsigned_abs());
        params.not_before = after(self.not_before);
        params.not_after = after(self.not_after);
    }
}
