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
    /// How often they are looked at: [`INTERVAL`].
    pub interval: Duration,
}

/// Both files' content. No `Debug`: it holds a key.
#[derive(PartialEq, Eq)]
struct Content {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
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
    serving.load(&last.certificate, &last.key)?;
    loop {
        tokio::select! {
            () = drain.reached(Stage::Cut) => return Ok(()),
            () = tokio::time::sleep(files.interval) => {}
        }
        // In the middle of a change one of them may be missing.
        let Ok(content) = files.read().await else { continue };
        if content != last {
            files.tell(serving.load(&content.certificate, &content.key));
            last = content;
        }
    }
}

// === impl Files ===

impl Files {
    async fn read(&self) -> Result<Content, CertificateError> {
        let certificate = read(&self.certificate).await?;
        let key = Zeroizing::new(read(&self.key).await?);
        Ok(Content { certificate, key })
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

async fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let file = |source| CertificateError::File { path: path.display().to_string(), source };
    tokio::fs::read(path).await.map_err(file)
}
