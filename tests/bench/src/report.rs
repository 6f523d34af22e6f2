//! The tables: on the terminal, and with how to read them in `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, iter};

use anyhow::Context;

use crate::figures::{self, Figure, columns};
use crate::machine::Machine;
use crate::pauses::Pauses;
use crate::peer::Kind;
use crate::plan::{ROUTES, Section};
use crate::results::{BodyLimit, Measured, Results, Round};
use crate::settings::{Extent, Settings};

/// Everything that is told.
pub(crate) struct Report<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) machine: &'a Machine,
    pub(crate) results: &'a Results,
}

/// Prints the figures and writes the whole page.
pub(crate) fn publish(report: &Report<'_>, file: &Path) -> anyhow::Result<()> {
    let page = report.page()?;
    fs::write(file, &page).with_context(|| format!("writing {}", file.display()))?;
    println!("\n{}", report.figures());
    println!("{}\n\nAll tables: {}", report.noise(), file.display());
    Ok(())
}

/// What a table shows of a round.
type Column = fn(&Round) -> Option<f64>;

/// Processors that others may use before we say so.
const QUIET: f64 = 0.2;

const READING: &str = include_str!("../reading.md");

// === impl Report ===

impl Report<'_> {
    fn page(&self) -> anyhow::Result<String> {
        let mut page = String::from(
            "# Benchmarks\n\n<!-- Written by `make bench`: run it again rather than edit. -->\n\n",
        );
        write!(page, "{}\n## The figures\n\n{}", self.circumstances(), self.figures())?;
        let tables: [(&str, Column); 4] = [
            ("CPU a call, us", Round::cpu_micros),
            ("Calls a second", Round::calls_a_second),
            ("Latency, median, us", |round| Some(round.p50)),
            ("Latency, 99th percentile, us", |round| Some(round.p99)),
        ];
        for (title, of) in tables {
            write!(page, "\n## {title}\n\n{}", self.cells(of))?;
        }
        write!(page, "\n## By number of routes\n\n{}\n{READING}", self.routes())?;
        Ok(page)
    }

    fn circumstances(&self) -> String {
        let (settings, machine) = (self.settings, self.machine);
        let extent = match settings.extent {
            Extent::Quick => "quick",
            Extent::Full => "full",
        };
        let mut versions = machine.versions.clone();
        versions.push(format!("Pillion at commit {}", settings.commit));
        let pinned = match &settings.peer_cpu {
            Some(_) => "peers on a processor of their own, callers and provider on the others",
            None => "peers, callers and provider on one processor",
        };
        format!(
            "Measured {} on {} x {}, Linux {}; {pinned}.\n{} run, {:.1} s a cell and peer in {} \
             rounds, {:.0} s in all. {}\n\nVersions: {}.\n",
            settings.date,
            settings.processors,
            machine.processor,
            machine.kernel,
            extent,
            settings.cell.as_secs_f64(),
            settings.rounds,
            self.results.took.as_secs_f64(),
            self.noise(),
            versions.join("; "),
        )
    }

    /// How quiet the machine was, since no figure is better than that.
    fn noise(&self) -> String {
        let (middle, worst) = self.results.others();
        let advice = if middle > QUIET {
            " **The machine was busy: latencies say little, CPU is too high for everybody; run it \
             again when it is quiet.**"
        } else {
            ""
        };
        format!(
            "Load average at the start: {}. Other programs kept {middle:.2} processors busy (middle \
             of all windows; worst {worst:.2}).{advice} {}",
            self.machine.load,
            self.pauses()
        )
    }

    /// How still its processors stand by themselves.
    fn pauses(&self) -> String {
        let Pauses { share, longest } = self.results.pauses;
        let verdict = if share > 0.01 {
            " **That is more than one in a hundred: every 99th percentile here is the machine's \
             before it is anybody's.**"
        } else {
            ""
        };
        format!(
            "Before the run, with nobody else on the peers' processor, an empty loop there stood \
             still for {:.1} % of the time, {:.1} ms at the longest.{verdict}",
            share * 100.0,
            longest.as_secs_f64() * 1e3
        )
    }

    fn figures(&self) -> String {
        let names = columns().into_iter().map(Kind::name);
        let head = iter::once("at most".to_owned()).chain(names);
        let head = iter::once("what".to_owned()).chain(head);
        let head = head.chain(["of the target".to_owned(), "verdict".to_owned()]).collect();
        let figures = figures::figures(self.results);
        let rows = figures.iter().map(row).chain([body_limit(self.results.body_limit)]);
        table(head, rows.collect())
    }

    fn cells(&self, of: Column) -> String {
        let kinds: Vec<Kind> = iter::once(Kind::Direct).chain(columns()).collect();
        let mut head: Vec<String> = vec!["cell".to_owned()];
        head.extend(kinds.iter().map(|kind| kind.name()));
        head.extend(["Pillion / nginx", "Pillion / HAProxy"].map(str::to_owned));
        let cells = self.results.cells.iter().filter(|cell| cell.cell.section != Section::Routes);
        let rows = cells.map(|measured| {
            let mut row = vec![measured.cell.name()];
            row.extend(kinds.iter().map(|kind| number(measured.middle(*kind, of), 1)));
            row.extend([Kind::Nginx, Kind::Haproxy].map(|to| ratio(measured, to, of)));
            row
        });
        table(head, rows.collect())
    }

    fn routes(&self) -> String {
        let kinds: Vec<Kind> =
            iter::once(Kind::Pillion).chain(ROUTES.map(Kind::PillionWith)).collect();
        let head = ["cell", "1 route", "11 routes", "1,001 routes"].map(str::to_owned).into();
        let cells = self.results.cells.iter().filter(|cell| cell.cell.section == Section::Routes);
        let rows = cells.map(|measured| {
            let mut row = vec![format!("CPU a call, us: {}", measured.cell.name())];
            let cpu = |kind: &Kind| number(measured.middle(*kind, Round::cpu_micros), 1);
            row.extend(kinds.iter().map(cpu));
            row
        });
        table(head, rows.collect())
    }
}

fn row(figure: &Figure) -> Vec<String> {
    let mut row = vec![figure.what.clone(), figure.target.to_owned()];
    row.extend(figure.values.iter().map(|value| number(*value, figure.decimals)));
    row.push(number(figure.of_target(), 2));
    row.push(figure.verdict().to_owned());
    row
}

/// Pillion alone: the others pass bodies on as they come.
fn body_limit(limit: BodyLimit) -> Vec<String> {
    let reached = limit.largest == 200 && limit.beyond == 413;
    let others = columns().into_iter().skip(1).map(|_| "-".to_owned());
    let head = ["largest request body by default: status for 32 MB, and for more", "200, 413"];
    let mut row: Vec<String> = head.map(str::to_owned).into_iter().chain(others).collect();
    row.push(format!("{}, {}", limit.largest, limit.beyond));
    row.extend(["-", if reached { "reached" } else { "missed" }].map(str::to_owned));
    row
}

/// Within rounds, so that a disturbance of one round is in both.
fn ratio(measured: &Measured, to: Kind, of: Column) -> String {
    let pairs = measured.rounds(Kind::Pillion).iter().zip(measured.rounds(to));
    let ratios = pairs.filter_map(|(ours, theirs)| Some(of(ours)? / of(theirs)?));
    number(crate::median::median(ratios), 2)
}

fn number(value: Option<f64>, decimals: usize) -> String {
    match value.filter(|value| value.is_finite()) {
        Some(value) if value >= 1000.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.decimals$}"),
        None => "-".to_owned(),
    }
}

/// A Markdown table that can be read as it stands: the first column to the left, the rest right.
fn table(head: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let all: Vec<&Vec<String>> = iter::once(&head).chain(&rows).collect();
    let width = |column: usize| all.iter().filter_map(|row| row.get(column)).map(String::len).max();
    let widths: Vec<usize> =
        (0..head.len()).map(|column| width(column).unwrap_or_default()).collect();
    let rule = widths.iter().enumerate().map(|(column, width)| match column {
        0 => "-".repeat(width + 2),
        _ => format!("{}:", "-".repeat(width + 1)),
    });
    let mut text = line(&head, &widths);
    text.push_str(&format!("|{}|\n", rule.collect::<Vec<_>>().join("|")));
    text.extend(rows.iter().map(|row| line(row, &widths)));
    text
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
        0 => format!(" {cell:<width$} "),
        _ => format!(" {cell:>width$} "),
    });
    format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let head = ["what", "nginx"].map(str::to_owned).into();
        let rows = vec![["CPU".to_owned(), number(Some(12.345), 1)].into()];
        let expected = "| what | nginx |\n|------|------:|\n| CPU  |  12.3 |\n";
        assert_eq!(table(head, rows), expected);
    }

    #[test]
    fn numbers() {
        assert_eq!(number(None, 1), "-");
        assert_eq!(number(Some(f64::NAN), 1), "-");
        assert_eq!(number(Some(0.256), 2), "0.26");
        assert_eq!(number(Some(12_345.6), 1), "12346");
    }
}
