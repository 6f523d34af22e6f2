//! A rule's timeouts. The defaults are longer than the 600 s of the SDKs, so that Pillion is never
//! the first to give up unless it is told to.

use std::time::Duration;

use super::durations;
use super::report::Report;
use crate::api::TimeoutsSpec;
use crate::table::Timeouts;

const CONNECT: Duration = Duration::from_secs(5);
const FIRST_BYTE: Duration = Duration::from_secs(15 * 60);
const IDLE: Duration = Duration::from_secs(15 * 60);

/// Reads them; where one is wrong, its default applies.
pub(super) fn compile(spec: &TimeoutsSpec, rule: &str, report: &mut Report<'_>) -> Timeouts {
    let mut read = |name: &str, text: &Option<String>, default: Option<Duration>| {
        let parsed = durations::parse(text.as_deref()?);
        let path = format!("{rule}.timeouts.{name}");
        let complain = |error| {
            let instead = match default {
                Some(default) => format!("{}s", default.as_secs()),
                None => "never".to_owned(),
            };
            let message = format!("{error}; the default ({instead}) applies");
            let remedy = "write hours, minutes, seconds and milliseconds, such as 1m30s or 500ms";
            report.error(path, message, remedy);
        };
        parsed.map_err(complain).ok()
    };
    let connect = read("connect", &spec.connect, Some(CONNECT));
    let first_byte = read("firstByte", &spec.first_byte, Some(FIRST_BYTE));
    let idle = read("idle", &spec.idle, Some(IDLE)).unwrap_or(IDLE);
    let keep_alive = read("keepAlive", &spec.keep_alive, None);
    if keep_alive.is_some_and(|keep_alive| keep_alive >= idle) {
        report.error(
            format!("{rule}.timeouts.keepAlive"),
            "it must be shorter than idle; no keep-alive comments are sent",
            "make it shorter, such as 15s",
        );
    }
    Timeouts {
        connect: connect.unwrap_or(CONNECT),
        first_byte: first_byte.unwrap_or(FIRST_BYTE),
        idle,
        keep_alive: keep_alive.filter(|keep_alive| *keep_alive < idle),
    }
}
