//! Worker threads: each has a runtime of its own, so that nothing on the request path is shared or
//! locked.

use std::future::Future;
use std::io;
use std::thread::JoinHandle;

use tokio::runtime::Builder;
use tokio::task::LocalSet;

/// Starts a thread called `name` that runs the future which `make` makes there, to its end.
///
/// # Errors
/// When the thread or its runtime cannot be made.
pub fn start<M, F>(name: String, make: M) -> io::Result<JoinHandle<()>>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let runtime = Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(name).spawn(move || {
        let local = LocalSet::new();
        local.block_on(&runtime, async move { make().await });
    })
}
