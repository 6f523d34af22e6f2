//! One watch, for as long as it is wanted: begins again after whatever ends it, later each time.
//!
//! Hands on what `kube`'s watcher tells; does not know who listens. An error is counted and told
//! to [`Episodes`]; it is never handed on, so a store keeps what it has.

use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use kube::Api;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::time::{sleep, timeout};

use super::super::store::Told;
use super::episodes::{Episodes, Trouble, WatchId};
use super::objects::Watched;

/// The first pause after an error. Short: the ordinary error is a version that has grown old.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest: how late an API server that has come back may be noticed.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// A server that asks for a longer pause than this is not obeyed to the letter.
const LONGEST_ASKED: Duration = Duration::from_secs(60);
/// A page of a list that takes longer will not come.
const LIST_TIMEOUT: Duration = Duration::from_secs(60);
/// A watch that has not failed for so long works, though it may have nothing to tell: longer than
/// a connection may take to fail.
const PROVEN: Duration = Duration::from_secs(45);
/// The API server ends a watch after this; a stream that is silent for longer is dead.
const WATCH_SECONDS: u32 = 290;

/// What a watch is doing, which says how long it may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The server owes an answer.
    Listing,
    /// Silence is the rule.
    Watching,
    /// As before, but after an error: silence may be a server that is not there.
    Resuming,
}

/// How long to wait before the next try.
#[derive(Debug)]
struct Backoff(Duration);

/// Watches what `api` and `fields` select until it is dropped.
pub(super) async fn follow<K: Watched + 'static>(
    api: Api<K>,
    fields: Option<String>,
    (id, episodes): (WatchId, &Episodes),
    mut hear: impl FnMut(Event<Told<K::Kept>>),
) {
    let mut config = watcher::Config::default().timeout(WATCH_SECONDS);
    config.field_selector = fields;
    let mut backoff = Backoff(FIRST_PAUSE);
    loop {
        let events = pin!(watcher(api.clone(), config.clone()));
        one_after_another(events, (&id, episodes), (&mut backoff, &mut hear)).await;
        sleep(backoff.next(None)).await;
    }
}

/// Returns when a new watcher is needed, because a list does not come.
async fn one_after_another<K: Watched>(
    mut events: impl Stream<Item = watcher::Result<Event<K>>> + Unpin,
    (id, episodes): (&WatchId, &Episodes),
    (backoff, hear): (&mut Backoff, &mut impl FnMut(Event<Told<K::Kept>>)),
) {
    let mut state = State::Listing;
    loop {
        match (timeout(state.limit(), events.next()).await, state) {
            (Ok(Some(Ok(event))), _) => {
                // A list is begun before anything was asked of the server; it proves nothing.
                if !matches!(event, Event::Init) {
                    episodes.over(id);
                    *backoff = Backoff(FIRST_PAUSE);
                }
                state = state.after(&event);
                hear(told(event));
            }
            (Ok(Some(Err(error))), _) => {
                let trouble = Trouble::of(&error);
                episodes.trouble(id, &trouble);
                state = state.troubled();
                sleep(backoff.next(trouble.asked_pause)).await;
            }
            (Err(_), State::Resuming) => {
                episodes.over(id);
                *backoff = Backoff(FIRST_PAUSE);
                state = State::Watching;
            }
            (Err(_), State::Listing | State::Watching) => {
                return episodes.trouble(id, &Trouble::silence());
            }
            (Ok(None), _) => return,
        }
    }
}

fn told<K: Watched>(event: Event<K>) -> Event<Told<K::Kept>> {
    match event {
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(object.told()),
        Event::InitDone => Event::InitDone,
        Event::Apply(object) => Event::Apply(object.told()),
        Event::Delete(object) => Event::Delete(object.told()),
    }
}

// === impl State ===

impl State {
    fn limit(self) -> Duration {
        match self {
            Self::Listing => LIST_TIMEOUT,
            // The watcher itself ends a stream that is silent for longer than the server allows.
            Self::Watching => Duration::MAX,
            Self::Resuming => PROVEN,
        }
    }

    fn after<K>(self, event: &Event<K>) -> Self {
        match event {
            Event::Init => Self::Listing,
            Event::InitApply(_) => self,
            Event::InitDone | Event::Apply(_) | Event::Delete(_) => Self::Watching,
        }
    }

    fn troubled(self) -> Self {
        match self {
            Self::Listing => Self::Listing,
            Self::Watching | Self::Resuming => Self::Resuming,
        }
    }
}

// === impl Backoff ===

impl Backoff {
    /// Between half and all of a pause that doubles, so that a fleet does not come back at once.
    fn next(&mut self, asked: Option<Duration>) -> Duration {
        let pause = self.0.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
        pause.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_heed_the_server() {
        let mut backoff = Backoff(FIRST_PAUSE);
        let pauses: Vec<_> = (0..12).map(|_| backoff.next(None)).collect();
        assert!(pauses[0] >= FIRST_PAUSE / 2 && pauses[0] <= FIRST_PAUSE);
        assert!(pauses[11] >= LONGEST_PAUSE / 2 && pauses[11] <= LONGEST_PAUSE);
        let asked = Duration::from_secs(30);
        assert_eq!(backoff.next(Some(asked)), asked);
        assert_eq!(backoff.next(Some(Duration::from_secs(9000))), LONGEST_ASKED);
    }
}
