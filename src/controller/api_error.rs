//! What may be said of an API server's error: its message might repeat what was sent, which may be
//! a token or a key.

use kube::runtime::watcher;

/// One line, without any value.
pub fn why(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.code == 403 => {
            "403: the controller's ServiceAccount may not do this; give it the role that the \
             documentation lists"
                .to_owned()
        }
        kube::Error::Api(status) => format!("{} {}", status.code, status.reason),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            "its answer cannot be read".to_owned()
        }
        _ => "it cannot be reached".to_owned(),
    }
}

/// The same of a watch's error.
pub fn why_of_watch(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => why(error),
        watcher::Error::WatchError(status) => format!("{} {}", status.code, status.reason),
        watcher::Error::NoResourceVersion => "its answer cannot be read".to_owned(),
    }
}

/// Was somebody else faster?
pub fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}
