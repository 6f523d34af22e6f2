//! Calls that never pause, while something happens.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::sidecar::{Sidecar, call};
use crate::support::GUARD;
use crate::support::upstream::{Upstream, json_answer};

/// Between two calls: the machine has other things to do as well.
const PAUSE: Duration = Duration::from_millis(2);

/// An upstream that answers with a name.
pub(crate) fn telling(name: &'static str) -> Upstream {
    Upstream::replying(move |_| json_answer("200 OK", &format!("{name:?}")))
}

/// Calls through one sidecar until this is dropped; each must be answered with 200.
pub(crate) struct Traffic {
    state: Arc<State>,
    calling: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    over: AtomicBool,
    calls: AtomicUsize,
    failure: Mutex<Option<String>>,
}

impl Traffic {
    /// From now on.
    pub(crate) fn through(sidecar: &Sidecar) -> Self {
        let state = Arc::new(State::default());
        let (shared, mut client) = (Arc::clone(&state), sidecar.client());
        let calling = thread::spawn(move || {
            while !shared.over.load(Ordering::Relaxed) {
                let answer = call(&mut client);
                if answer.status() != 200 {
                    *shared.failure.lock().unwrap() = Some(format!("{answer:?}"));
                    return;
                }
                shared.calls.fetch_add(1, Ordering::Relaxed);
                thread::sleep(PAUSE);
            }
        });
        Self { state, calling: Some(calling) }
    }

    /// Waits for so many calls more, which begin from now on.
    #[track_caller]
    pub(crate) fn goes_on(&self, calls: usize) {
        let (began, wanted) = (Instant::now(), self.made() + calls + 1);
        while self.made() < wanted {
            assert!(began.elapsed() < GUARD, "calls hang");
            self.has_not_failed();
            thread::sleep(PAUSE);
        }
    }

    fn made(&self) -> usize {
        self.state.calls.load(Ordering::Relaxed)
    }

    #[track_caller]
    fn has_not_failed(&self) {
        let failure = self.state.failure.lock().unwrap().clone();
        assert_eq!(failure, None, "a call failed, after {} others", self.made());
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
        let ended = self.calling.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(ended.is_none_or(|ended| ended.is_ok()), "a call broke off");
            self.has_not_failed();
            assert!(self.made() > 0, "no call was made");
        }
    }
}
