//! Worker threads: each has a runtime of its own, so that nothing on the request path is shared or
//! locked.

use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// Starts a thread called `name` that runs the future which `make` makes there, to its end.
///
/// # Errors
/// When the thread or its runtime cannot be made.
pub fn start<M, F>(name: String, make: M) -> io::Result<JoinHandle<()>>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let (started, starts) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name(name).spawn(move || {
        // It never leaves its thread: so its tasks need no `LocalSet`, a second scheduler within.
        match runtime() {
            Ok(runtime) => {
                let _ = started.send(Ok(()));
                runtime.block_on(async move { make().await });
            }
            Err(error) => drop(started.send(Err(error))),
        }
    })?;
    starts.recv().map_err(|_| io::ErrorKind::BrokenPipe)??;
    Ok(thread)
}

fn runtime() -> io::Result<LocalRuntime> {
    Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
}
