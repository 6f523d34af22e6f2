//! An answer on its way to the client: frame by frame, with back-pressure, watched as it passes.
//!
//! Owns how a stream ends. It ends whole; or, if the upstream breaks off, with an error event in
//! the caller's dialect where one can stand, else with a broken connection: never with a clean end
//! that is a lie. Dropping it (the client left) drops the upstream connection or stream.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::failure::Failure;
use super::inflow::{Flow, Inflow};
use super::metrics::OneMore;
use super::record::{Observation, Outcome};
use super::rewrite::Rewrite;
use super::upstream::Expected;
use crate::llm::Api;
use crate::llm::shapes;
use crate::llm::tap::{AnswerTap, End};

/// Sent after a silence, between two events: a comment, which every reader of event streams skips.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// An answer on its way.
#[derive(Debug)]
pub struct Relay {
    inflow: Inflow,
    watch: Watch,
    rewrite: Rewrite,
    api: Api,
    state: State,
    expected: Expected,
    /// What is said to clients that count; taken when the books are closed.
    observation: Option<Observation>,
    _open: OneMore,
}

/// What is looked at in an answer.
#[derive(Debug)]
pub enum Watch {
    /// Usage, tokens, the end.
    Tap(Box<AnswerTap>),
    /// Nothing: an error body, or an operation without usage.
    Nothing,
}

#[derive(Debug)]
enum State {
    /// Bytes come from the upstream.
    Flowing,
    /// The connection breaks at the next poll: hyper throws away what it has not written, so it is
    /// given a turn to write what came before.
    Breaking(io::Error),
    /// The last frame has been handed out.
    Over,
}

/// What a relay is made of.
#[derive(Debug)]
pub struct Parts {
    /// The body.
    pub inflow: Inflow,
    /// What is looked at.
    pub watch: Watch,
    /// What is changed.
    pub rewrite: Rewrite,
    /// The caller's API.
    pub api: Api,
    /// What the request asked for.
    pub expected: Expected,
    /// The call's books.
    pub observation: Observation,
    /// The count of open streams.
    pub open: OneMore,
}

type Polled = Poll<Option<io::Result<Frame<Bytes>>>>;

impl Relay {
    /// Begins.
    pub fn new(parts: Parts) -> Box<Self> {
        let mut relay = Self::open(parts);
        if relay.inflow.is_end() && relay.rewrite.has_ended().is_none() {
            // There is no body (204, HEAD): nobody will ever poll for it.
            relay.complete();
        }
        relay
    }

    fn open(parts: Parts) -> Box<Self> {
        Box::new(Self {
            inflow: parts.inflow,
            watch: parts.watch,
            rewrite: parts.rewrite,
            api: parts.api,
            state: State::Flowing,
            expected: parts.expected,
            observation: Some(parts.observation),
            _open: parts.open,
        })
    }

    /// The next frame for the client.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        if !matches!(self.state, State::Flowing) {
            return Poll::Ready(self.last_word());
        }
        loop {
            if let Some(failure) = self.rewrite.failure() {
                return self.broke_off(cx, failure);
            }
            match self.inflow.poll(cx) {
                Poll::Ready(Flow::Data(data)) => {
                    if let Some(frame) = self.arrived(data) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Poll::Ready(Flow::Ended) => return self.ended(cx),
                Poll::Ready(Flow::KeepAlive) if self.between_events() => {
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(KEEP_ALIVE)))));
                }
                Poll::Ready(Flow::KeepAlive) => {}
                Poll::Ready(Flow::Failed(failure)) => return self.broke_off(cx, failure),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn last_word(&mut self) -> Option<io::Result<Frame<Bytes>>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Breaking(error) => Some(Err(error)),
            State::Flowing | State::Over => None,
        }
    }

    /// Has everything been handed out?
    pub fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Is it a stream whose request is all here, and which has just begun?
    pub fn can_be_handed_over(&self) -> bool {
        let streams = matches!(&self.watch, Watch::Tap(tap) if tap.is_event_stream());
        streams && self.expected == Expected::Events && !self.is_end_stream()
    }

    /// The length, where the upstream told it and nothing is taken out.
    pub fn size_hint(&self) -> SizeHint {
        match &self.watch {
            // Its end is told by its last event, see `Relayed`.
            Watch::Tap(tap) if tap.is_event_stream() => SizeHint::default(),
            Watch::Tap(_) | Watch::Nothing => self.inflow.size_hint(),
        }
    }

    /// Bytes came: they are watched, rewritten and handed on.
    fn arrived(&mut self, data: Bytes) -> Option<Frame<Bytes>> {
        self.look_at(&data);
        let data = self.rewrite.push(data);
        if let Some(observation) = &mut self.observation {
            observation.seen.response_bytes += data.len() as u64;
        }
        if self.inflow.is_end() && self.rewrite.is_nothing() && self.stands_whole() {
            // hyper does not ask again once a declared length is reached.
            self.complete();
        }
        (!data.is_empty()).then(|| Frame::data(data))
    }

    fn look_at(&mut self, data: &[u8]) {
        let Watch::Tap(tap) = &mut self.watch else {
            return;
        };
        tap.observe(data);
        if let Some(observation) = &mut self.observation
            && observation.seen.token.is_none()
            && tap.is_event_stream()
            && tap.has_token()
        {
            observation.seen.token = Some(self.inflow.heard_at());
        }
    }

    fn stands_whole(&self) -> bool {
        match (self.rewrite.has_ended(), &self.watch) {
            (Some(ended), _) => ended,
            (None, Watch::Tap(tap)) => tap.end() != End::Open,
            (None, Watch::Nothing) => true,
        }
    }

    /// The upstream ended its body.
    fn ended(&mut self, cx: &mut Context<'_>) -> Polled {
        let rest = self.rewrite.finish();
        if !rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        if let Some(failure) = self.rewrite.failure() {
            return self.broke_off(cx, failure);
        }
        if !self.stands_whole() {
            let how = "the stream ended without its last event".to_owned();
            return self.broke_off(cx, Failure::UpstreamBroken(how));
        }
        self.complete();
        Poll::Ready(None)
    }

    /// Everything came: the connection goes back, the books are closed.
    fn complete(&mut self) {
        self.state = State::Over;
        self.inflow.release();
        self.settle(&Outcome::Served);
    }

    fn between_events(&self) -> bool {
        match (self.rewrite.has_ended(), &self.watch) {
            // Whole events are written.
            (Some(_), _) => true,
            (None, Watch::Tap(tap)) => tap.is_event_stream() && tap.between_events(),
            (None, Watch::Nothing) => false,
        }
    }

    /// The answer cannot be completed: an error event where one can stand, else a broken
    /// connection.
    fn broke_off(&mut self, cx: &mut Context<'_>, failure: Failure) -> Polled {
        self.inflow.abandon();
        if self.rewrite.has_ended() == Some(true) {
            // The client has been told an end, behind which nothing may stand.
            self.state = State::Over;
            self.settle(&Outcome::Served);
            return Poll::Ready(None);
        }
        self.settle(&Outcome::Failed(&failure));
        if !self.between_events() {
            self.state = State::Breaking(io::Error::other(failure.told()));
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.state = State::Over;
        let consequences = failure.consequences();
        let status = consequences.status.as_u16();
        let event = shapes::error_event(self.api, consequences.kind, status, &failure.told());
        Poll::Ready(Some(Ok(Frame::data(event))))
    }

    fn settle(&mut self, outcome: &Outcome<'_>) {
        if let Some(mut observation) = self.observation.take() {
            if let Watch::Tap(tap) = &self.watch {
                observation.seen.usage = tap.usage();
            }
            observation.settle(outcome);
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The client left, unless the books are closed already; what was used is still counted.
        self.settle(&Outcome::ClientClosed);
    }
}
