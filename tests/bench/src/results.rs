//! What was measured, and what follows from it: middles over the rounds, and ratios within rounds.
//!
//! A ratio is taken within each round, where the peers ran right after each other, and then the
//! middle of these: what disturbs the machine for longer than a round disturbs both sides.

use std::time::Duration;

use crate::median::median;
use crate::pauses::Pauses;
use crate::peer::Kind;
use crate::plan::Cell;

/// One window of load on one peer.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) calls: f64,
    pub(crate) window: Duration,
    /// CPU time of the peer; none for the harness alone.
    pub(crate) cpu: Option<Duration>,
    /// In microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Of the peer at the window's end, in bytes.
    pub(crate) resident: u64,
    /// Processors that others on this machine kept busy meanwhile.
    pub(crate) others: f64,
}

/// All rounds of a cell.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) cell: Cell,
    pub(crate) rows: Vec<(Kind, Vec<Round>)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) kind: Kind,
    /// Resident after the first calls, in bytes.
    pub(crate) idle: u64,
    /// More for each of many open streams, in bytes.
    pub(crate) stream: f64,
}

/// What Pillion does with bodies around its limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit {
    pub(crate) largest: u16,
    pub(crate) beyond: u16,
}

#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) cells: Vec<Measured>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) body_limit: BodyLimit,
    pub(crate) pauses: Pauses,
    pub(crate) took: Duration,
}

// === impl Round ===

impl Round {
    pub(crate) fn cpu_micros(&self) -> Option<f64> {
        Some(self.cpu?.as_secs_f64() * 1e6 / self.calls)
    }

    pub(crate) fn calls_a_second(&self) -> Option<f64> {
        Some(self.calls / self.window.as_secs_f64())
    }
}

// === impl Measured ===

impl Measured {
    pub(crate) fn rounds(&self, kind: Kind) -> &[Round] {
        let row = self.rows.iter().find(|(other, _)| *other == kind);
        row.map_or(&[], |(_, rounds)| rounds)
    }

    /// The middle over the rounds.
    pub(crate) fn middle(&self, kind: Kind, of: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
        median(self.rounds(kind).iter().filter_map(of))
    }

    /// How many times another's CPU time a call takes.
    pub(crate) fn cpu_ratio(&self, kind: Kind, to: Kind) -> Option<f64> {
        let pairs = self.rounds(kind).iter().zip(self.rounds(to));
        median(pairs.filter_map(|(ours, theirs)| Some(ours.cpu_micros()? / theirs.cpu_micros()?)))
    }

    /// What a peer adds to the 99th percentile of the harness alone, in microseconds.
    pub(crate) fn added_p99(&self, kind: Kind) -> Option<f64> {
        let pairs = self.rounds(kind).iter().zip(self.rounds(Kind::Direct));
        median(pairs.map(|(ours, alone)| ours.p99 - alone.p99))
    }
}

// === impl Results ===

impl Results {
    pub(crate) fn of(&self, cell: Cell) -> Option<&Measured> {
        self.cells.iter().find(|measured| measured.cell == cell)
    }

    pub(crate) fn memory_of(&self, kind: Kind) -> Option<Memory> {
        self.memory.iter().copied().find(|memory| memory.kind == kind)
    }

    /// Processors that others kept busy: the middle, and the worst window.
    pub(crate) fn others(&self) -> (f64, f64) {
        let rows = self.cells.iter().flat_map(|cell| &cell.rows);
        let others: Vec<f64> =
            rows.flat_map(|(_, rounds)| rounds).map(|round| round.others).collect();
        let worst = others.iter().copied().fold(0.0, f64::max);
        (median(others).unwrap_or_default(), worst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::JSON;

    fn round(micros: u64, p99: f64) -> Round {
        Round {
            calls: 1000.0,
            window: Duration::from_secs(1),
            cpu: Some(Duration::from_millis(micros)),
            p50: 0.0,
            p99,
            resident: 0,
            others: 0.0,
        }
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        let rows = vec![
            (Kind::Direct, vec![round(1, 10.0), round(1, 400.0), round(1, 12.0)]),
            (Kind::Nginx, vec![round(10, 0.0), round(40, 0.0), round(10, 0.0)]),
            (Kind::Pillion, vec![round(12, 30.0), round(44, 430.0), round(13, 30.0)]),
        ];
        let measured = Measured { cell: JSON, rows };
        assert_eq!(measured.cpu_ratio(Kind::Pillion, Kind::Nginx), Some(1.2));
        assert_eq!(measured.cpu_ratio(Kind::Pillion, Kind::Envoy), None);
        assert_eq!(measured.added_p99(Kind::Pillion), Some(20.0));
        assert_eq!(measured.middle(Kind::Pillion, Round::cpu_micros), Some(13.0));
    }
}
