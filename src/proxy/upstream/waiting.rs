//! The wait for an answer's head: from the moment the request is out, or as long as the client
//! keeps sending its body.

use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::proxy::failure::{BodyEnd, Failure, Phase};
use crate::proxy::outgoing::{BodyStage, Outgoing, Progress};

/// The wait.
pub(super) struct Waiting {
    progress: Option<Rc<Progress>>,
    started: Instant,
    first_byte: Duration,
    body_idle: Duration,
}

impl Waiting {
    /// Begins now.
    pub(super) fn new(body: &Outgoing, first_byte: Duration, body_idle: Duration) -> Self {
        Self { progress: body.progress(), started: Instant::now(), first_byte, body_idle }
    }

    /// When it began.
    pub(super) fn began(&self) -> Instant {
        self.started
    }

    /// The answer, unless it takes too long.
    pub(super) async fn bound<F: Future>(
        &self,
        mut answered: Pin<&mut F>,
    ) -> Result<F::Output, Failure> {
        loop {
            let (due, failure) = self.due();
            let clock = self.clock();
            tokio::select! {
                biased;
                answer = answered.as_mut() => return Ok(answer),
                () = clock => {}
                // Bytes may have moved since the timer was set.
                () = sleep_until(due) => if self.due().0 <= Instant::now() {
                    return Err(failure);
                },
            }
        }
    }

    fn due(&self) -> (Instant, Failure) {
        let first_byte = Failure::UpstreamTimeout(Phase::FirstByte);
        let Some(body) = &self.progress else {
            return (self.started + self.first_byte, first_byte);
        };
        match body.stage() {
            BodyStage::Complete => (body.at() + self.first_byte, first_byte),
            BodyStage::Coming | BodyStage::Broken => {
                (body.at() + self.body_idle, Failure::BodyCutShort(BodyEnd::Timeout))
            }
        }
    }

    /// Comes when the clock that runs now is no longer the right one: the body is out.
    fn clock(&self) -> impl Future<Output = ()> + use<'_> {
        let coming = self.progress.as_ref().filter(|body| body.stage() == BodyStage::Coming);
        async move {
            match coming {
                Some(body) => body.past(BodyStage::Coming).await,
                None => pending().await,
            }
        }
    }

    /// What an exchange without an answer means, if the client is why there is none.
    pub(super) fn broken(&self) -> Option<Failure> {
        let body = self.progress.as_ref()?;
        let left = body.stage() == BodyStage::Broken;
        left.then_some(Failure::BodyCutShort(BodyEnd::ClientLeft))
    }
}
