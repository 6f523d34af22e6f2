//! The page, and what is said on the way there.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::thread;
use std::time::Duration;

use crate::figures::{Figures, Move, Size, Spread};

/// DESIGN.md: change to live in every sidecar, at the 99th percentile, with 500 connected.
const TARGET: Duration = Duration::from_millis(50);

/// What a run was made on.
#[derive(Debug)]
pub(crate) struct Machine {
    date: String,
    processor: String,
    kernel: String,
    processors: usize,
    load: String,
}

/// Says what is being done.
pub(crate) fn step(text: &str) -> anyhow::Result<()> {
    writeln!(io::stderr(), "-- {text}")?;
    Ok(())
}

/// Prints the page.
pub(crate) fn show(page: &str) -> anyhow::Result<()> {
    io::stdout().write_all(page.as_bytes())?;
    Ok(())
}

/// The whole page.
pub(crate) fn page(machine: &Machine, figures: &Figures) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, machine, figures);
    page
}

// === impl Machine ===

impl Machine {
    pub(crate) fn look(date: &str) -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let processor = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
        let processor =
            processor.map_or("unknown", |line| line.trim_start_matches([' ', '\t', ':']));
        Self {
            date: date.to_owned(),
            processor: processor.to_owned(),
            kernel: read("/proc/sys/kernel/osrelease"),
            processors: thread::available_parallelism().map_or(1, usize::from),
            load: load(),
        }
    }
}

fn write(page: &mut String, machine: &Machine, figures: &Figures) -> std::fmt::Result {
    let Machine { date, processor, kernel, processors, load: before } = machine;
    writeln!(
        page,
        "# From a change to the sidecars\n\n\
         <!-- Written by `make bench-push`: run it again rather than edit. -->\n\n\
         Measured {date} on {processors} x {processor}, Linux {kernel}; etcd, kube-apiserver, the \
         controllers and\nall sidecars shared them. Load average before: {before}, after: {}.\n\n\
         The sidecars are lean ones (the real protocol, each with a pod and a bound token of its \
         own, all in one\nprocess) and one `pillion proxy`. A change is a patch of the LlmRoute \
         that selects all of them; time runs\nfrom the moment at which the API server has \
         answered the patch.\n",
        load()
    )?;
    verdict(page, figures)?;
    sizes(page, figures)?;
    moves(page, figures)?;
    crowd(page, figures)?;
    for (complaint, count) in &figures.complaints {
        writeln!(page, "Streams that broke: {count} x {complaint}.")?;
    }
    Ok(())
}

fn verdict(page: &mut String, figures: &Figures) -> std::fmt::Result {
    let Some(size) = figures.sizes.last() else { return Ok(()) };
    let (count, p99) = (size.sidecars, size.received.percentile(99));
    let verdict = if p99 <= TARGET { "reached" } else { "missed" };
    writeln!(
        page,
        "## The figure\n\n\
         | what | at most | Pillion | verdict |\n|---|---:|---:|---:|\n\
         | change to receipt, ms, p99, {count} sidecars connected | {} | {} | {verdict} |\n",
        ms(TARGET),
        ms(p99)
    )
}

fn sizes(page: &mut String, figures: &Figures) -> std::fmt::Result {
    writeln!(
        page,
        "## By the number of sidecars\n\n\
         | sidecars | samples | received, ms: p50 | p90 | p99 | worst | real one runs it, ms: p50 \
         | p99 | all added ones connected, ms |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    )?;
    for size in &figures.sizes {
        let applied = size.applied.as_ref().map_or_else(String::new, |applied| {
            format!("{} | {}", ms(applied.percentile(50)), ms(applied.percentile(99)))
        });
        let (sidecars, samples) = (size.sidecars, size.received.count());
        let received = spread(&size.received);
        writeln!(
            page,
            "| {sidecars} | {samples} | {received} | {applied} | {} |",
            ms(size.connect)
        )?;
    }
    costs(page, figures)
}

fn costs(page: &mut String, figures: &Figures) -> std::fmt::Result {
    writeln!(
        page,
        "\nWhat the controller costs; without sidecars it has {:.1} MB resident.\n\n\
         | sidecars | resident, MB | KB a sidecar | CPU at rest, ms a second | us a second and \
         sidecar | CPU a change, ms | us a change and sidecar |\n\
         |---:|---:|---:|---:|---:|---:|---:|",
        megabytes(figures.alone)
    )?;
    for size in &figures.sizes {
        let Size { sidecars, resident, rest, change, .. } = size;
        let each = |time: &Duration| time.as_secs_f64() * 1e6 / (*sidecars as f64 + 1.0);
        let kilobytes = resident.saturating_sub(figures.alone) as f64 / 1e3;
        writeln!(
            page,
            "| {sidecars} | {:.1} | {:.1} | {} | {:.1} | {} | {:.1} |",
            megabytes(*resident),
            kilobytes / (*sidecars as f64 + 1.0),
            ms(*rest),
            each(rest),
            ms(*change),
            each(change)
        )?;
    }
    writeln!(page)
}

fn moves(page: &mut String, figures: &Figures) -> std::fmt::Result {
    writeln!(
        page,
        "## Restarts, 500 sidecars\n\n\
         A replica that ends tells its sidecars over five seconds to go elsewhere, so that they do \
         not all arrive at once.\nTables lost counts bundles that took something away from a \
         sidecar; the `pillion proxy`, whose only controller\nhas ended for good, is looked at \
         after each and ran what it had.\n\n\
         | what | until all were connected again, s | without a stream, ms: p50 | p90 | p99 | \
         worst | times | tables lost |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    )?;
    let mut row = |what: &str, moved: &Move| {
        let (whole, away) = (moved.whole.as_secs_f64(), &moved.away);
        let (times, lost) = (away.count(), moved.backwards);
        writeln!(page, "| {what} | {whole:.1} | {} | {times} | {lost} |", spread(away))
    };
    row("the replica that has all of them ends; two others are there", &figures.end)?;
    row("rolling: each of two replicas is replaced by a new one", &figures.rolling)?;
    writeln!(page)
}

fn crowd(page: &mut String, figures: &Figures) -> std::fmt::Result {
    let crowd = &figures.crowd;
    let (routes, namespaces) = (crowd.routes, crowd.namespaces);
    writeln!(
        page,
        "## {routes} routes in {namespaces} namespaces\n\n\
         | what | |\n|---|---:|\n\
         | a replica's process from its start to ready, ms | {} |\n\
         | its resident memory then, MB | {:.1} |\n\
         | change to receipt, ms: p50, p99, worst; 500 sidecars on two replicas | {}, {}, {} |\n",
        ms(crowd.start),
        megabytes(crowd.resident),
        ms(crowd.received.percentile(50)),
        ms(crowd.received.percentile(99)),
        ms(crowd.received.percentile(100))
    )
}

fn spread(spread: &Spread) -> String {
    [50, 90, 99, 100].map(|hundredths| ms(spread.percentile(hundredths))).join(" | ")
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn load() -> String {
    read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}
