//! The one home of spawned tasks: they stay on the thread of the worker that spawned them.

use std::future::Future;

use tokio::task::JoinHandle;

/// Runs `future` beside the caller, on the same thread. Must be called within a worker's
/// runtime or a `LocalSet`.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    tokio::task::spawn_local(future)
}

/// hyper's way to spawn, for HTTP/2.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalExecutor;

impl<F> hyper::rt::Executor<F> for LocalExecutor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        drop(spawn(future));
    }
}
