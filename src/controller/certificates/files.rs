//! A serving certificate that others supply (cert-manager), as files that change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{CertificateError, Serving};
use crate::net::drain::{Drain, Stage};

/// How often the files are looked at. kubelet itself takes a minute to bring a change.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// A certificate chain and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Files {
    /// The chain.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
    /// The CA certificates that others are to believe it by, where they are told.
    pub authorities: Option<PathBuf>,
    /// How often they are looked at: [`INTERVAL`].
    pub interval: Duration,
}

/// The files' content. No `Debug`: it holds a key.
#[derive(PartialEq, Eq)]
struct Content {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    authorities: Option<Vec<u8>>,
}

/// Serves with the files' content, and with what they become, until the drain is over.
///
/// # Errors
/// [`CertificateError`] if they cannot be used to begin with. Later ones are logged, and what was
/// served last stays.
pub async fn follow(
    files: Files,
    serving: Arc<Serving>,
    mut drain: Drain,
) -> Result<(), CertificateError> {
    let mut last = files.read().await?;
    last.put(&serving)?;
    loop {
        tokio::select! {
            () = drain.reached(Stage::Cut) => return Ok(()),
            () = tokio::time::sleep(files.interval) => {}
        }
        // In the middle of a change one of them may be missing.
        let Ok(content) = files.read().await else { continue };
        if content != last {
            files.tell(content.put(&serving));
            last = content;
        }
    }
}

// === impl Files ===

impl Files {
    async fn read(&self) -> Result<Content, CertificateError> {
        let certificate = read(&self.certificate).await?;
        let key = Zeroizing::new(read(&self.key).await?);
        let authorities = match &self.authorities {
            Some(path) => Some(read(path).await?),
            None => None,
        };
        Ok(Content { certificate, key, authorities })
    }

    fn tell(&self, loaded: Result<(), CertificateError>) {
        let certificate = self.certificate.display();
        match loaded {
            Ok(()) => tracing::info!(%certificate, "serving with a new certificate"),
            Err(error) => {
                tracing::error!(%certificate, %error, "the new certificate is not used");
            }
        }
    }
}

// === impl Content ===

impl Content {
    /// The CA first: nobody may meet a certificate of one that he has not heard of.
    fn put(&self, serving: &Serving) -> Result<(), CertificateError> {
        if let Some(authorities) = &self.authorities {
            serving.trust(authorities)?;
        }
        serving.load(&self.certificate, &self.key)
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let file = |source| CertificateError::File { path: path.display().to_string(), source };
    tokio::fs::read(path).await.map_err(file)
}
