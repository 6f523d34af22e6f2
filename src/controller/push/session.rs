//! A sidecar's place: bundles out, answers in, until one of several things ends it.
//!
//! The response's body is this, polled. While the sidecar does not read, hyper holds the bundle
//! that is being written and one more, which was the newest then; what is taken next is the newest
//! again. Nothing of a bundle is copied.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Limits;
use super::answers::{Answers, Garbage};
use super::metrics::{OneMore, PushMetrics};
use super::presence::Visit;
use crate::bundle::push::{Answer, MAX_BUNDLE};
use crate::controller::certificates::Authorities;
use crate::controller::sidecars::Seat;
use crate::controller::snapshot::{Encoded, Feed, PodId};
use crate::net::drain::{Drain, Stage};

/// The response's body.
pub(super) type Bundles = StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>>>>>;

/// A place, as long as it lasts.
pub(super) struct Session<B> {
    pub(super) pod: PodId,
    pub(super) seat: Seat,
    pub(super) feed: Feed,
    pub(super) answers: Answers<B>,
    pub(super) ending: Ending,
    pub(super) metrics: PushMetrics,
    /// The version that was sent last.
    pub(super) sent: Option<String>,
    /// Dropped with it, and then the connection ends.
    pub(super) _held: (OneMore, Visit),
}

/// When it ends by itself.
pub(super) struct Ending {
    expires: Instant,
    drain: Drain,
    authorities: watch::Receiver<Option<Authorities>>,
    limits: Limits,
    /// Chosen when the drain begins.
    leaves: Option<Instant>,
    /// Chosen when there is another CA.
    renews: Option<Instant>,
}

/// Why it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    PodGone,
    TokenExpired,
    NewAuthorities,
    Draining,
    Garbage(Garbage),
}

/// What is to be done for it.
enum Due {
    Send(Rc<Encoded>),
    Nothing,
}

// === impl Session ===

impl<B: Body<Data = Bytes> + Unpin + 'static> Session<B> {
    /// The body of the response.
    pub(super) fn bundles(self) -> Bundles {
        let lines = unfold(self, |mut session| async move {
            let line = session.line().await?;
            Some((Ok(Frame::data(line)), session))
        });
        StreamBody::new(Box::pin(lines))
    }

    async fn line(&mut self) -> Option<Bytes> {
        match self.next().await {
            Ok(bundle) => Some(self.send(bundle)),
            Err(end) => {
                self.tell(end);
                None
            }
        }
    }

    async fn next(&mut self) -> Result<Rc<Encoded>, End> {
        loop {
            self.ending.has_not_come()?;
            match self.due()? {
                Due::Send(bundle) => return Ok(bundle),
                Due::Nothing => self.wait().await?,
            }
        }
    }

    fn due(&mut self) -> Result<Due, End> {
        // Before the first snapshot there is no session.
        let Some(snapshot) = self.feed.latest() else { return Ok(Due::Nothing) };
        let bundle = snapshot.bundle(&self.pod).ok_or(End::PodGone)?;
        if self.sent.as_ref() == Some(&bundle.version) {
            return Ok(Due::Nothing);
        }
        if bundle.line.len() > MAX_BUNDLE {
            self.pass_over(&bundle);
            return Ok(Due::Nothing);
        }
        Ok(Due::Send(bundle))
    }

    /// Waits until something may be due.
    async fn wait(&mut self) -> Result<(), End> {
        tokio::select! {
            biased;
            end = self.ending.come() => Err(end),
            news = self.feed.next() => news.map(drop).ok_or(End::Draining),
            answer = self.answers.next() => {
                let answer = answer.map_err(End::Garbage)?;
                self.metrics.answers.with_label_values(&[result_of(&answer)]).inc();
                self.seat.answered(answer);
                Ok(())
            }
        }
    }

    fn send(&mut self, bundle: Rc<Encoded>) -> Bytes {
        self.metrics.bundles.inc();
        self.metrics.bundle_bytes.inc_by(bundle.line.len() as u64);
        self.sent = Some(bundle.version.clone());
        self.answers.one_more();
        let line = bundle.line.clone();
        self.seat.sent(bundle);
        line
    }

    /// What ran before goes on.
    fn pass_over(&mut self, bundle: &Encoded) {
        self.sent = Some(bundle.version.clone());
        tracing::error!(
            namespace = self.pod.namespace,
            pod = self.pod.name,
            bytes = bundle.line.len(),
            limit = MAX_BUNDLE,
            "the pod's bundle is too large to be sent: let fewer routes select it"
        );
    }

    fn tell(&self, end: End) {
        let (namespace, pod) = (&self.pod.namespace, &self.pod.name);
        match end {
            End::Garbage(Garbage::Broken) => {
                tracing::debug!(namespace, pod, "a sidecar is gone");
            }
            End::Garbage(garbage) => {
                tracing::warn!(namespace, pod, error = %garbage, "a sidecar's stream was ended");
            }
            End::PodGone | End::TokenExpired | End::NewAuthorities | End::Draining => {
                tracing::debug!(namespace, pod, reason = end.label(), "a stream ends");
            }
        }
        self.metrics.ended.with_label_values(&[end.label()]).inc();
    }
}

fn result_of(answer: &Answer) -> &'static str {
    match answer {
        Answer::Applied { held, .. } if held.is_empty() => "applied",
        Answer::Applied { .. } => "applied_in_part",
        Answer::Rejected { .. } => "rejected",
    }
}

// === impl Ending ===

impl Ending {
    /// A little before the token expires: sidecars that came together do not come back together.
    pub(super) fn new(
        expires: Instant,
        drain: Drain,
        authorities: watch::Receiver<Option<Authorities>>,
        limits: Limits,
    ) -> Self {
        let left = expires.saturating_duration_since(Instant::now());
        let early = (left / 20).min(Duration::from_secs(60)).mul_f64(fastrand::f64());
        let (leaves, renews) = (None, None);
        Self { expires: expires - early, drain, authorities, limits, leaves, renews }
    }

    /// While the sidecar does not read, nobody looks at the clock.
    fn has_not_come(&self) -> Result<(), End> {
        if Instant::now() < self.expires { Ok(()) } else { Err(End::TokenExpired) }
    }

    fn come(&mut self) -> impl Future<Output = End> {
        let Self { expires, drain, authorities, limits, leaves, renews } = self;
        async move {
            tokio::select! {
                () = sleep_until(*expires) => End::TokenExpired,
                () = leaving(drain, limits.spread, leaves) => End::Draining,
                () = renewing(authorities, limits.renewal, renews) => End::NewAuthorities,
            }
        }
    }
}

async fn leaving(drain: &mut Drain, spread: Duration, leaves: &mut Option<Instant>) {
    drain.reached(Stage::Draining).await;
    let chosen = || Instant::now() + spread.mul_f64(fastrand::f64());
    sleep_until(*leaves.get_or_insert_with(chosen)).await;
}

async fn renewing(
    authorities: &mut watch::Receiver<Option<Authorities>>,
    spread: Duration,
    renews: &mut Option<Instant>,
) {
    if renews.is_none() {
        // Who told of it is gone: then there is nothing more to hear.
        if authorities.changed().await.is_err() {
            return pending().await;
        }
    }
    let chosen = || Instant::now() + spread.mul_f64(fastrand::f64());
    sleep_until(*renews.get_or_insert_with(chosen)).await;
}

// === impl End ===

impl End {
    fn label(self) -> &'static str {
        match self {
            Self::PodGone => "pod_gone",
            Self::TokenExpired => "token_expired",
            Self::NewAuthorities => "new_authorities",
            Self::Draining => "draining",
            Self::Garbage(Garbage::Broken) => "broken",
            Self::Garbage(_) => "garbage",
        }
    }
}
