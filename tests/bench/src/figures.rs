//! The figures of the design that concern calls: target, measured, verdict.

use crate::peer::{BESIDE, Kind};
use crate::plan::{Cell, JSON, OPEN_STREAMS, PACED_STREAM, RATE, STEADY, STREAM};
use crate::plan::{TRANSLATED, TRANSLATED_STREAM};
use crate::results::{Results, Round};

/// A row of the table of figures.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) target: &'static str,
    /// In the order of the table's columns.
    pub(crate) values: Vec<Option<f64>>,
    /// What Pillion has and what it may have at most, in the same unit.
    pub(crate) reached: Option<f64>,
    pub(crate) allowed: f64,
    pub(crate) decimals: usize,
}

/// The columns: everybody beside Pillion, and Pillion.
pub(crate) fn columns() -> Vec<Kind> {
    BESIDE.into_iter().chain([Kind::Pillion]).collect()
}

pub(crate) fn figures(results: &Results) -> Vec<Figure> {
    let nginx = Limit { target: "1.25 x nginx", to: Kind::Nginx, allowed: 1.25 };
    let haproxy = Limit { target: "1 x HAProxy", to: Kind::Haproxy, allowed: 1.0 };
    vec![
        cpu(results, JSON, nginx),
        cpu(results, STREAM, haproxy),
        cpu(results, PACED_STREAM, haproxy),
        idle(results),
        loaded(results),
        stream_memory(results),
        added(results),
        translated(results, TRANSLATED, ("30 us", 30.0)),
        translated(results, TRANSLATED_STREAM, ("300 us", 300.0)),
    ]
}

// === impl Figure ===

impl Figure {
    pub(crate) fn verdict(&self) -> &'static str {
        match self.reached {
            None => "not measured",
            Some(reached) if reached <= self.allowed => "reached",
            Some(_) => "missed",
        }
    }

    /// How much of what is allowed is used: 1.00 is just within.
    pub(crate) fn of_target(&self) -> Option<f64> {
        Some(self.reached? / self.allowed)
    }
}

/// A limit that is another's cost in the same run.
#[derive(Debug, Clone, Copy)]
struct Limit {
    target: &'static str,
    to: Kind,
    allowed: f64,
}

const KILO: f64 = 1024.0;
const MEGA: f64 = 1024.0 * 1024.0;

fn cpu(results: &Results, cell: Cell, limit: Limit) -> Figure {
    let measured = results.of(cell);
    let value = |kind| measured.and_then(|measured| measured.middle(kind, Round::cpu_micros));
    Figure {
        what: format!("CPU a call, us: {}", cell.name()),
        target: limit.target,
        values: columns().into_iter().map(value).collect(),
        reached: measured.and_then(|measured| measured.cpu_ratio(Kind::Pillion, limit.to)),
        allowed: limit.allowed,
        decimals: 1,
    }
}

fn translated(results: &Results, cell: Cell, limit: (&'static str, f64)) -> Figure {
    let value = |kind| results.of(cell)?.middle(kind, Round::cpu_micros);
    absolute(format!("CPU a call, us: {}", cell.name()), limit, value)
}

fn idle(results: &Results) -> Figure {
    let value = |kind| Some(results.memory_of(kind)?.idle as f64 / MEGA);
    absolute("resident memory idle, MB".to_owned(), ("8 MB", 8.0), value)
}

fn loaded(results: &Results) -> Figure {
    let resident = |round: &Round| Some(round.resident as f64 / MEGA);
    let value = |kind| results.of(JSON)?.middle(kind, resident);
    let what = format!("resident memory, MB, under: {}", JSON.name());
    absolute(what, ("12 MB", 12.0), value)
}

fn stream_memory(results: &Results) -> Figure {
    let value = |kind| Some(results.memory_of(kind)?.stream / KILO);
    let what = format!("memory an open stream, KB, {OPEN_STREAMS} open");
    absolute(what, ("16 KB", 16.0), value)
}

fn added(results: &Results) -> Figure {
    let value = |kind| Some(results.of(STEADY)?.added_p99(kind)? / 1000.0);
    let what = format!("latency added at the 99th percentile, ms, at {RATE} calls/s");
    Figure { decimals: 2, ..absolute(what, ("0.3 ms", 0.3), value) }
}

/// A figure with a limit of its own.
fn absolute(
    what: String,
    (target, allowed): (&'static str, f64),
    value: impl Fn(Kind) -> Option<f64>,
) -> Figure {
    let values = columns().into_iter().map(&value).collect();
    Figure { what, target, values, reached: value(Kind::Pillion), allowed, decimals: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        fn check(reached: Option<f64>, expected: &str) {
            let value = |kind| reached.filter(|_| kind == Kind::Pillion);
            let figure = absolute(String::new(), ("8 MB", 8.0), value);
            assert_eq!(figure.verdict(), expected, "{reached:?}");
        }
        check(Some(7.9), "reached");
        check(Some(8.0), "reached");
        check(Some(8.1), "missed");
        check(None, "not measured");
    }
}
