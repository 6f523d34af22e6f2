//! Waiting for a moment that may never come.

use std::future::pending;

use tokio::time::{Instant, sleep_until};

/// Returns at that moment; never, if there is none.
pub(super) async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}
