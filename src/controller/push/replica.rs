//! Another replica's place: its reports in, nothing out.

use bytes::Bytes;
use futures_util::stream::unfold;
use http_body::Body;
use http_body_util::StreamBody;

use super::lines::{Lines, NoLine};
use super::presence::Visit;
use super::session::Bundles;
use crate::controller::reports::Place;
use crate::controller::reports::report::MAX_REPORT;
use crate::net::drain::{Drain, Stage};

/// A place, as long as it lasts.
pub(super) struct Replica<B> {
    pub(super) lines: Lines<B>,
    pub(super) place: Place,
    pub(super) drain: Drain,
    /// Dropped with it, and then the connection ends.
    pub(super) _visit: Visit,
}

/// The lines of a request's body.
pub(super) fn lines<B: Body<Data = Bytes> + Unpin>(body: B) -> Lines<B> {
    Lines::new(body, MAX_REPORT)
}

// === impl Replica ===

impl<B: Body<Data = Bytes> + Unpin + 'static> Replica<B> {
    /// The body of the response, which has no content: as long as it is polled, reports are taken.
    pub(super) fn hear(self) -> Bundles {
        let nothing = unfold(self, |mut replica| async move {
            replica.take_all().await;
            None
        });
        StreamBody::new(Box::pin(nothing))
    }

    async fn take_all(&mut self) {
        loop {
            let line = tokio::select! {
                line = self.lines.next() => line,
                () = self.drain.reached(Stage::Draining) => return,
            };
            match line.map(|line| serde_json::from_slice(&line)) {
                Ok(Ok(report)) => self.place.put(report),
                Ok(Err(_)) | Err(NoLine::TooLong) => {
                    tracing::warn!("a replica's report cannot be read: it is of another version");
                    return;
                }
                Err(NoLine::Broken | NoLine::Ended) => return,
            }
        }
    }
}
