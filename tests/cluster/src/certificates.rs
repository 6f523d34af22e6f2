//! The cluster's certificate authority, what it has signed, and the key of ServiceAccount tokens.
//!
//! Files in PEM form, in the cluster's folder, with the names that the constants say.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use crate::folder::Folder;

pub(crate) const CA: &str = "ca.pem";
pub(crate) const CA_KEY: &str = "ca.key";
pub(crate) const SERVER: &str = "server.pem";
pub(crate) const SERVER_KEY: &str = "server.key";
/// Signs tokens, and
pub(crate) const TOKEN_KEY: &str = "token.key";
/// checks them.
pub(crate) const TOKEN_PUBLIC_KEY: &str = "token.pub";

/// What the API server is called, besides its address.
const SERVER_NAMES: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    // The first of the Services' addresses.
    "10.96.0.1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// A user of the API server, as a client certificate says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User<'a> {
    pub(crate) name: &'a str,
    pub(crate) group: Option<&'a str>,
}

/// A certificate and its key.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Signs.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// Makes the key pair of ServiceAccount tokens.
pub(crate) fn write_token_keys(folder: &Folder) -> anyhow::Result<()> {
    let key = KeyPair::generate()?;
    folder.write(TOKEN_KEY, &key.serialize_pem())?;
    folder.write(TOKEN_PUBLIC_KEY, &key.public_key_pem())?;
    Ok(())
}

// === impl Authority ===

impl Authority {
    /// Makes an authority and the certificate of an API server that has this address.
    pub(crate) fn create(address: Ipv4Addr, folder: &Folder) -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        folder.write(CA_KEY, &key.serialize_pem())?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "pillion-cluster");
        let authority = Self(CertifiedIssuer::self_signed(params, key)?);
        folder.write(CA, &authority.0.pem())?;
        let mut names = SERVER_NAMES.map(str::to_owned).to_vec();
        names.push(address.to_string());
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        authority.sign(params, folder, [SERVER, SERVER_KEY])?;
        Ok(authority)
    }

    /// A client certificate for a user.
    pub(crate) fn client(&self, user: User<'_>, folder: &Folder) -> anyhow::Result<Identity> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, user.name);
        if let Some(group) = user.group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let stem = user.name.replace(':', "-");
        self.sign(params, folder, [&format!("{stem}.pem"), &format!("{stem}.key")])
    }

    fn sign(
        &self,
        params: CertificateParams,
        folder: &Folder,
        [certificate, key]: [&str; 2],
    ) -> anyhow::Result<Identity> {
        let pair = KeyPair::generate()?;
        let signed = params.signed_by(&pair, &self.0).context("cannot sign a certificate")?;
        Ok(Identity {
            certificate: folder.write(certificate, &signed.pem())?,
            key: folder.write(key, &pair.serialize_pem())?,
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}
