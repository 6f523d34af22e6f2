//! A gate that a script waits at until the test opens it.

use std::sync::{Arc, Condvar, Mutex};

use super::GUARD;

/// Closed when made; opened once, for good. Clones are the same gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Waits until the gate is open.
    #[track_caller]
    pub(crate) fn pass(&self) {
        wait_until(&self.0.0, &self.0.1, |open| open.then_some(()));
    }
}

/// Waits until `done` finds in the state what it looks for; fails the test after [`GUARD`].
#[track_caller]
pub(crate) fn wait_until<S, T>(
    state: &Mutex<S>,
    changed: &Condvar,
    mut done: impl FnMut(&S) -> Option<T>,
) -> T {
    let mut found = None;
    let guard = state.lock().unwrap();
    let looking = |state: &mut S| {
        found = done(state);
        found.is_none()
    };
    drop(changed.wait_timeout_while(guard, GUARD, looking).unwrap());
    found.unwrap_or_else(|| panic!("the event did not come within {GUARD:?}"))
}
