//! What is measured: the cells of the tables, in the order in which they are run.

use std::time::Duration;

use crate::dialect::Pair;
use crate::request::Shape;
use crate::settings::Extent;

/// One load, put on each peer in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) section: Section,
    pub(crate) shape: Shape,
    /// Bytes of a request's body.
    pub(crate) body: usize,
    pub(crate) drive: Drive,
}

/// Cells that are run against the same processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// Everybody, a provider without TLS.
    Plain,
    /// Everybody, a provider with TLS.
    Tls,
    /// Pillion by its number of routes.
    Routes,
    /// Pillion alone: the provider speaks another dialect than the caller.
    Translated(Pair),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drive {
    /// This many connections, one call under way on each.
    Closed(usize),
    /// This many calls a second.
    Rate(u32),
}

pub(crate) const KB: usize = 1 << 10;
/// As fast as the provider can write.
pub(crate) const AT_ONCE: Shape = Shape::Streamed(Duration::ZERO);
/// Slow enough that every event is a wake-up of its own.
pub(crate) const PACED: Shape = Shape::Streamed(Duration::from_millis(2));
/// The figure of DESIGN.md.
pub(crate) const RATE: u32 = 3000;
/// Streams that are open at once for the memory figure.
pub(crate) const OPEN_STREAMS: usize = 2000;
/// By number of routes.
pub(crate) const ROUTES: [u32; 2] = [10, 1000];

pub(crate) const JSON: Cell = plain(Shape::Whole, KB, Drive::Closed(32));
pub(crate) const STREAM: Cell = plain(AT_ONCE, KB, Drive::Closed(32));
pub(crate) const PACED_STREAM: Cell = plain(PACED, KB, Drive::Closed(32));
pub(crate) const STEADY: Cell = plain(Shape::Whole, KB, Drive::Rate(RATE));

pub(crate) const TRANSLATED: Cell =
    Cell { section: Section::Translated(Pair::ChatToMessages), ..JSON };
pub(crate) const TRANSLATED_STREAM: Cell = Cell { section: TRANSLATED.section, ..STREAM };

const QUICK: &[Cell] = &[
    JSON,
    plain(Shape::Whole, KB, Drive::Closed(1)),
    plain(Shape::Whole, KB, Drive::Closed(512)),
    plain(Shape::Whole, 100 * KB, Drive::Closed(32)),
    plain(Shape::Whole, 2048 * KB, Drive::Closed(32)),
    STREAM,
    PACED_STREAM,
    STEADY,
    Cell { section: Section::Tls, ..JSON },
    Cell { section: Section::Tls, ..STREAM },
    Cell { section: Section::Routes, ..JSON },
    TRANSLATED,
    TRANSLATED_STREAM,
    Cell { section: TRANSLATED.section, ..PACED_STREAM },
    Cell { section: Section::Translated(Pair::MessagesToChat), ..JSON },
    Cell { section: Section::Translated(Pair::MessagesToChat), ..STREAM },
];

const MORE: &[Cell] = &[
    plain(AT_ONCE, KB, Drive::Closed(1)),
    plain(AT_ONCE, KB, Drive::Closed(512)),
    plain(PACED, KB, Drive::Closed(1)),
    plain(AT_ONCE, 100 * KB, Drive::Closed(32)),
    plain(AT_ONCE, 2048 * KB, Drive::Closed(32)),
    plain(AT_ONCE, KB, Drive::Rate(300)),
    Cell { section: Section::Tls, ..PACED_STREAM },
    Cell { section: Section::Tls, ..plain(Shape::Whole, 100 * KB, Drive::Closed(32)) },
    Cell { section: Section::Tls, ..STEADY },
];

/// The cells of a section.
pub(crate) fn cells(extent: Extent, section: Section) -> Vec<Cell> {
    let more = if extent == Extent::Full { MORE } else { &[] };
    QUICK.iter().chain(more).copied().filter(|cell| cell.section == section).collect()
}

const fn plain(shape: Shape, body: usize, drive: Drive) -> Cell {
    Cell { section: Section::Plain, shape, body, drive }
}

// === impl Cell ===

impl Cell {
    /// How the tables call it.
    pub(crate) fn name(&self) -> String {
        let shape = match self.shape {
            Shape::Whole => "JSON".to_owned(),
            AT_ONCE => "64 events at once".to_owned(),
            Shape::Streamed(gap) => format!("64 events, {} ms apart", gap.as_millis()),
        };
        let drive = match self.drive {
            Drive::Closed(1) => "1 connection".to_owned(),
            Drive::Closed(connections) => format!("{connections} connections"),
            Drive::Rate(rate) => format!("{rate} calls/s"),
        };
        let body = match self.body / KB {
            kilobytes if kilobytes < KB => format!("{kilobytes} KB"),
            kilobytes => format!("{} MB", kilobytes / KB),
        };
        let tls = if self.section == Section::Tls { ", TLS" } else { "" };
        format!("{shape}, {drive}, body {body}{tls}{}", self.pair().name())
    }

    pub(crate) fn pair(&self) -> Pair {
        match self.section {
            Section::Plain | Section::Tls | Section::Routes => Pair::Same,
            Section::Translated(pair) => pair,
        }
    }

    /// How many times as many rounds as others it has: a percentile of one window is whatever the
    /// longest pause of the machine was in it.
    pub(crate) fn repeats(&self) -> u32 {
        match self.drive {
            Drive::Closed(_) => 1,
            Drive::Rate(_) => 5,
        }
    }

    /// Is the harness measured without a proxy too, to be subtracted or compared?
    pub(crate) fn needs_direct(&self) -> bool {
        [JSON, STREAM, PACED_STREAM, STEADY].contains(self)
    }
}
