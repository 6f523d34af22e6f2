//! Waiting for what does not tell of itself, and not for ever.

use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep};

/// How long anything may take; some twenty times what it takes.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// Looks until it is so.
///
/// # Errors
/// When patience ends, naming `what` it was that did not come; or when a look fails.
pub async fn until(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !look().await? {
        if Instant::now() > deadline {
            bail!("{what} did not come within {} s", PATIENCE.as_secs());
        }
        sleep(PAUSE).await;
    }
    Ok(())
}
