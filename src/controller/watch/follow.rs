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
/// The API server ends a watch after this; a stream that is silent for longer is dead.
const WATCH_SECONDS: u32 = 290;

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
    let mut limit = LIST_TIMEOUT;
    while let Ok(next) = timeout(limit, events.next()).await {
        match next {
            Some(Ok(event)) => {
                // A list is begun before anything was asked of the server; it proves nothing.
                if !matches!(event, Event::Init) {
                    episodes.over(id);
                    *backoff = Backoff(FIRST_PAUSE);
                }
                limit = limit_after(&event, limit);
                hear(told(event));
            }
            Some(Err(error)) => {
                let trouble = Trouble::of(&error);
                episodes.trouble(id, &trouble);
                sleep(backoff.next(trouble.asked_pause)).await;
            }
            None => return,
        }
    }
    episodes.trouble(id, &Trouble::silence());
}

/// While a list is under way the server owes an answer; later it may be silent for as long as the
/// watcher itself allows.
fn limit_after<K>(event: &Event<K>, limit: Duration) -> Duration {
    match event {
        Event::Init => LIST_TIMEOUT,
        Event::InitDone => Duration::MAX,
        Event::InitApply(_) | Event::Apply(_) | Event::Delete(_) => limit,
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
