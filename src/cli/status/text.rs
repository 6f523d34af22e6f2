//! The table for people: one line an object, its rules below, and what is not well below these.

use std::io::{self, Write};

use super::view::{Kind, Told, Verdict, View};
use crate::cli::terminal::{Look, Paint, plain};
use crate::controller::status::message;

/// Between columns.
const GAP: usize = 2;

/// Writes both tables and a last line that sums up.
pub(super) fn write(
    views: &[View],
    place: &str,
    out: &mut dyn Write,
    look: Look,
) -> io::Result<()> {
    if views.is_empty() {
        return writeln!(out, "there is no LlmRoute and no ProviderSecret in {place}");
    }
    for kind in [Kind::Route, Kind::Provider] {
        let views: Vec<&View> = views.iter().filter(|view| view.kind == kind).collect();
        if !views.is_empty() {
            table(kind, &views, out, look)?;
            writeln!(out)?;
        }
    }
    summary(views, out, look)
}

fn table(kind: Kind, views: &[&View], out: &mut dyn Write, look: Look) -> io::Result<()> {
    let names = views.iter().map(|view| plain(&view.name).chars().count());
    let width = names.chain([kind.as_str().len()]).max().unwrap_or_default() + GAP;
    let mut header = format!("{:width$}", kind.as_str().to_uppercase());
    for column in kind.conditions() {
        header += &format!("{:gap$}", column.as_str().to_uppercase(), gap = wide(column.as_str()));
    }
    header += kind.count();
    writeln!(out, "{}", look.paint(Paint::Faint, &header))?;
    for view in views {
        object(view, width, out, look)?;
    }
    Ok(())
}

fn wide(column: &str) -> usize {
    column.len() + GAP
}

fn object(view: &View, width: usize, out: &mut dyn Write, look: Look) -> io::Result<()> {
    write!(out, "{}", look.paint(Paint::Name, &plain(&view.name)).to_width(width))?;
    for told in &view.conditions {
        let (paint, word) = (paint(told.verdict), told.verdict.as_str());
        write!(out, "{}", look.paint(paint, word).to_width(wide(told.of.as_str())))?;
    }
    let count = if view.count.is_empty() { "-" } else { &view.count };
    writeln!(out, "{}", plain(count))?;
    for line in view.lines.iter().filter(|line| !line.is_empty()) {
        writeln!(out, "    {}", look.paint(Paint::Faint, &plain(line)))?;
    }
    if view.is_unsaid() {
        let remedy = "see that `pillion controller` runs, and that it watches this namespace";
        return problem("no controller has said anything of it", Some(remedy), out, look);
    }
    view.conditions.iter().try_for_each(|told| condition(told, out, look))
}

fn condition(told: &Told, out: &mut dyn Write, look: Look) -> io::Result<()> {
    let name = told.of.as_str();
    match told.verdict {
        // What is said of a part that is True but odd: a shadowed rule, a warning.
        Verdict::Good if told.message.contains(message::REMEDY) => lines(told, out, look),
        Verdict::Good => Ok(()),
        Verdict::Bad => {
            writeln!(out, "  {}", look.paint(Paint::Bad, &plain(&format!("✗ {}", told.reason))))?;
            lines(told, out, look)
        }
        Verdict::Stale => {
            let what = format!("{name} is said of an earlier version of it");
            problem(&what, Some("wait a moment, or see that `pillion controller` runs"), out, look)
        }
        // What cannot be read has one condition, which is told.
        Verdict::Unsaid => Ok(()),
    }
}

fn lines(told: &Told, out: &mut dyn Write, look: Look) -> io::Result<()> {
    for line in told.message.lines() {
        let (what, remedy) = message::parse(line);
        problem(what, remedy, out, look)?;
    }
    Ok(())
}

fn problem(what: &str, remedy: Option<&str>, out: &mut dyn Write, look: Look) -> io::Result<()> {
    writeln!(out, "    {}", look.paint(Paint::Odd, &plain(what)))?;
    match remedy {
        Some(remedy) => writeln!(out, "      → {}", plain(remedy)),
        None => Ok(()),
    }
}

fn paint(verdict: Verdict) -> Paint {
    match verdict {
        Verdict::Good => Paint::Good,
        Verdict::Bad => Paint::Bad,
        Verdict::Stale => Paint::Odd,
        Verdict::Unsaid => Paint::Faint,
    }
}

fn summary(views: &[View], out: &mut dyn Write, look: Look) -> io::Result<()> {
    let count = |kind| views.iter().filter(|view| view.kind == kind).count();
    let kinds = [Kind::Route, Kind::Provider].map(|kind| match count(kind) {
        1 => format!("1 {}", kind.as_str()),
        many => format!("{many} {}s", kind.as_str()),
    });
    let (paint, verdict) = match views.iter().filter(|view| !view.is_well()).count() {
        0 => (Paint::Good, "all is well".to_owned()),
        1 => (Paint::Bad, "1 is not well".to_owned()),
        many => (Paint::Bad, format!("{many} are not well")),
    };
    writeln!(out, "{}: {}", kinds.join(", "), look.paint(paint, &verdict))
}
