//! Bundles from a controller: the sidecar's end of [`crate::bundle::push`].
//!
//! Reading order: [`follow`], `session` (one stream), `dial` (the way there), `lines` and `answers`
//! (what goes over it), `trust` (whom we believe), `pace` (how long to wait), `trouble` (why there
//! is none).
//!
//! Invariants: it never gives up, and whatever happens to a stream, what was handed over stays with
//! whoever has it. Names are resolved, and CA and token read, at each try. A new token means a new
//! stream first, and the end of the old one then. Runs in the caller's thread; nothing is
//! remembered but the line that is being read. Does not know what bundles come to.

mod answers;
mod dial;
mod lines;
mod metrics;
mod pace;
mod session;
mod trouble;
mod trust;

use std::fmt;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use http::uri::Authority;
use thiserror::Error;
use tokio::time::sleep;

use crate::bundle::push::{Answer, MAX_BUNDLE};
use crate::bundle::{self, Bundle, DecodeError};
use crate::compile::ObjectId;
use crate::secret::Digest;
use lines::Line;
pub use metrics::Metrics;
use pace::Pace;
use session::Session;
use trouble::Trouble;
pub use trust::Trust;

/// How often the token's file is looked at.
const LOOK: Duration = Duration::from_secs(3);

/// Where the controller is, and who it and we are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its address; its certificate must be for the host.
    pub controller: Address,
    /// By whose certificates it is believed.
    pub trust: Rc<Trust>,
    /// The file with the token that says who we are.
    pub token: PathBuf,
}

/// `HOST:PORT`, an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

/// Why a text is no [`Address`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write HOST:PORT, for example pillion-controller.pillion-system:8443")]
pub struct BadAddress;

/// Who takes bundles.
pub trait Subscriber {
    /// A bundle has come, and the line that it was read from. Gives the objects of which an
    /// earlier version goes on running.
    fn take(&mut self, bundle: Bundle, line: &[u8]) -> Vec<ObjectId>;

    /// A line has come that is no bundle of this build; the version that it claims may be empty.
    fn refuse(&mut self, version: &str, why: &Unreadable);

    /// The link to the controller is another.
    fn link(&mut self, link: Link);
}

/// Why a line is no bundle. Names fields, never values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It cannot be decoded.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// It is too long.
    #[error("the bundle has more than {MAX_BUNDLE} bytes: let fewer objects select this pod")]
    TooLong,
}

/// What became of a try, or of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// There is a new stream.
    Connected,
    /// The controller was reached, and refused.
    Refused,
    /// It could not be reached, or not be asked.
    Unreachable,
    /// There is no stream any more.
    Lost,
}

/// Takes bundles for as long as it is polled.
pub async fn follow(settings: &Settings, subscriber: &mut impl Subscriber) {
    let (mut pace, mut episode) = (Pace::default(), Episode::default());
    loop {
        let (trouble, pause) = match Session::open(settings).await {
            Ok(session) => {
                episode.over(settings);
                let (trouble, lived) = stay(settings, session, subscriber).await;
                subscriber.link(Link::Lost);
                let pause = match trouble {
                    Trouble::Ended => pace.after_end(lived),
                    _ => pace.after_break(lived),
                };
                (trouble, pause)
            }
            Err(trouble) => {
                subscriber.link(link_of(&trouble));
                let pause = pace.after_failure(trouble.retry_after());
                (trouble, pause)
            }
        };
        episode.tell(&trouble);
        sleep(pause).await;
    }
}

/// Reads a stream, and the one that takes its place when the token is renewed, to the end.
async fn stay(
    settings: &Settings,
    mut session: Session,
    subscriber: &mut impl Subscriber,
) -> (Trouble, Duration) {
    loop {
        subscriber.link(Link::Connected);
        let mut renewed = pin!(renewed(settings, session.token()));
        let next = loop {
            tokio::select! {
                line = session.next() => match line {
                    Ok(line) => session.answer(answer(line, subscriber)),
                    Err(trouble) => return (trouble, session.lived()),
                },
                next = &mut renewed => break next,
            }
        };
        tracing::debug!("the token is a new one: so is the stream from the controller");
        session = next;
    }
}

/// A stream under another token than `current`, once there is one.
async fn renewed(settings: &Settings, current: Digest) -> Session {
    let mut episode = Episode::default();
    loop {
        sleep(LOOK).await;
        // A file that is not there at the moment may be on its way; the stream stands meanwhile.
        let changed = session::read_token(settings);
        if !changed.is_ok_and(|token| !token.digest().matches(&current)) {
            continue;
        }
        match Session::open(settings).await {
            Ok(session) => return session,
            Err(trouble) => episode.tell(&trouble),
        }
    }
}

fn answer(line: Line, subscriber: &mut impl Subscriber) -> Answer {
    let (version, why) = match line {
        Line::TooLong => (String::new(), Unreadable::TooLong),
        Line::Whole(line) => match bundle::decode(&line) {
            Ok(bundle) => {
                let version = bundle.version.clone();
                let held = subscriber.take(bundle, &line);
                return Answer::Applied {
                    version,
                    held: held.iter().map(ToString::to_string).collect(),
                };
            }
            Err(error) => (bundle::claimed_version(&line), error.into()),
        },
    };
    subscriber.refuse(&version, &why);
    Answer::Rejected { version, reason: why.to_string() }
}

fn link_of(trouble: &Trouble) -> Link {
    match trouble {
        Trouble::Refused { .. } => Link::Refused,
        Trouble::Token { .. }
        | Trouble::Ca { .. }
        | Trouble::Unreachable { .. }
        | Trouble::Broken(_)
        | Trouble::Ended => Link::Unreachable,
    }
}

/// What is said of a row of failures: each subject once.
#[derive(Debug, Default)]
struct Episode {
    told: Vec<(&'static str, u16)>,
}

// === impl Episode ===

impl Episode {
    fn tell(&mut self, trouble: &Trouble) {
        let (subject, remedy) = (trouble.subject(), trouble.remedy());
        let said = dial::chain(trouble);
        match (trouble, self.told.contains(&subject)) {
            (Trouble::Ended, _) | (_, true) => tracing::debug!(remedy, "{said}"),
            (_, false) => {
                tracing::warn!(remedy, "{said}; what runs goes on, and it is tried again");
                self.told.push(subject);
            }
        }
    }

    fn over(&mut self, settings: &Settings) {
        let controller = settings.controller.to_string();
        tracing::info!(controller, "connected to the controller");
        self.told.clear();
    }
}

// === impl Address ===

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let authority: Authority = text.parse().map_err(|_| BadAddress)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        match authority.port_u16() {
            Some(port) if !host.is_empty() && !text.contains('@') => {
                Ok(Self { host: host.to_owned(), port })
            }
            _ => Err(BadAddress),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in ["controller:8443", "10.0.0.1:1", "[::1]:8443", "a.b.svc:8443"] {
            assert_eq!(text.parse::<Address>().map(|address| address.to_string()), Ok(text.into()));
        }
        for text in
            ["", "controller", ":8443", "controller:", "a b:1", "u@a:1", "https://a:1", "a:99999"]
        {
            assert_eq!(text.parse::<Address>(), Err(BadAddress), "{text}");
        }
    }
}
