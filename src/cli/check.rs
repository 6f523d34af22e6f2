//! `pillion check`: every fault of a folder of manifests, with its place, and an exit code for CI.
//!
//! Owns the three forms of a report: aligned for a terminal, one line a finding for editors and CI
//! (`FILE:LINE:COLUMN: SEVERITY: MESSAGE (OBJECT FIELD; REMEDY)`), and JSON. Does not know what is
//! a fault: `feed` and `compile` do.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::survey::{self, Survey, SurveyArgs};
use super::terminal::{self, Format, Layout, Look, Paint, plain};
use crate::compile::{ObjectId, ResourceKind, Severity};
use crate::feed::{Finding, Place};

/// What is checked, and how strictly.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    #[command(flatten)]
    survey: SurveyArgs,

    /// Fail on warnings, too
    #[arg(long)]
    strict: bool,

    /// How to tell it
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    output: Format,
}

/// Did the manifests pass?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They have no error (with --strict: and no warning).
    Passed,
    /// They have.
    Failed,
}

const EXAMPLES: &str = "\
Exit code: 0 without errors, 1 with any (with --strict: or with warnings), 2 for wrong arguments.
In a pipe each finding is one line: FILE:LINE:COLUMN: SEVERITY: MESSAGE (OBJECT FIELD; REMEDY)

Examples:
  pillion check manifests                      the keys are in Secrets in the folder
  pillion check manifests --no-keys --strict   in CI, where the Secrets are not
  pillion check manifests --key default/anthropic/api-key=ANTHROPIC_API_KEY
  pillion check manifests -o json | jq '.findings[] | select(.severity == \"error\")'";

/// Checks, and prints the report.
///
/// # Errors
/// When a key cannot be had from the environment, or standard output is closed.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let mut report = Vec::new();
    let verdict = check(args, &mut report, Look::of_stdout())?;
    terminal::print(&report)?;
    Ok(verdict.exit_code())
}

/// Checks, and writes the report.
///
/// # Errors
/// When a key cannot be had from the environment, or `out` cannot be written.
pub fn check(args: &CheckArgs, out: &mut dyn Write, look: Look) -> anyhow::Result<Verdict> {
    let survey = survey::take(&args.survey)?;
    let failed =
        survey.count(Severity::Error) > 0 || (args.strict && survey.count(Severity::Warning) > 0);
    let verdict = match failed {
        true => Verdict::Failed,
        false => Verdict::Passed,
    };
    match (args.output, look.layout) {
        (Format::Json, _) => json(&survey, verdict, out)?,
        (Format::Text, Layout::Terminal) => aligned(&survey, out, look)?,
        (Format::Text, Layout::Pipe) => lines(&survey, out, look)?,
    }
    Ok(verdict)
}

// === impl Verdict ===

impl Verdict {
    fn exit_code(self) -> ExitCode {
        match self {
            Self::Passed => ExitCode::SUCCESS,
            Self::Failed => ExitCode::FAILURE,
        }
    }
}

// === one line a finding ===

fn lines(survey: &Survey, out: &mut dyn Write, look: Look) -> io::Result<()> {
    for finding in &survey.findings {
        if let Some(place) = &finding.place {
            write!(out, "{}: ", plain(&place.to_string()))?;
        }
        let severity = look.paint(paint(finding.severity), finding.severity.as_str());
        let (message, remedy) = (plain(&finding.message), plain(&finding.remedy));
        match subject(finding) {
            Some(subject) => writeln!(out, "{severity}: {message} ({subject}; {remedy})")?,
            None => writeln!(out, "{severity}: {message} ({remedy})")?,
        }
    }
    writeln!(out, "{}", summary(survey))
}

/// `LlmRoute default/chat spec.rules[0]`, as far as it is known.
fn subject(finding: &Finding) -> Option<String> {
    let object = finding.object.as_ref().map(ToString::to_string);
    let field = Some(finding.path.clone()).filter(|path| !path.is_empty());
    let known: Vec<String> = object.into_iter().chain(field).collect();
    (!known.is_empty()).then(|| plain(&known.join(" ")).into_owned())
}

// === for a terminal ===

fn aligned(survey: &Survey, out: &mut dyn Write, look: Look) -> io::Result<()> {
    let file = |finding: &Finding| finding.place.as_ref().map(|place| place.file.clone());
    for group in survey.findings.chunk_by(|a, b| file(a) == file(b)) {
        if let Some(file) = group.first().and_then(file) {
            let name = file.display().to_string();
            writeln!(out, "{}", look.paint(Paint::Strong, &plain(&name)))?;
        }
        let width = group.iter().map(|finding| position(finding).len()).max();
        for finding in group {
            block(finding, width.unwrap_or(0), out, look)?;
        }
        writeln!(out)?;
    }
    let total = summary(survey);
    writeln!(out, "{}", look.paint(worst(survey), &total))
}

fn block(finding: &Finding, width: usize, out: &mut dyn Write, look: Look) -> io::Result<()> {
    let severity = look.paint(paint(finding.severity), finding.severity.as_str());
    let (position, severity) = (position(finding), severity.to_width("warning".len()));
    let (message, remedy) = (plain(&finding.message), plain(&finding.remedy));
    writeln!(out, "  {position:>width$}  {severity}  {message}")?;
    let indent = width + "warning".len() + 6;
    if let Some(subject) = subject(finding) {
        writeln!(out, "{:indent$}{}", "", look.paint(Paint::Faint, &subject))?;
    }
    writeln!(out, "{:indent$}→ {remedy}", "")
}

fn position(finding: &Finding) -> String {
    let place = finding.place.as_ref();
    place.map_or_else(String::new, |place| format!("{}:{}", place.line, place.column))
}

fn paint(severity: Severity) -> Paint {
    match severity {
        Severity::Error => Paint::Bad,
        Severity::Warning => Paint::Odd,
        Severity::Note => Paint::Faint,
    }
}

fn worst(survey: &Survey) -> Paint {
    let severities = survey.findings.iter().map(|finding| finding.severity);
    match severities.max() {
        Some(Severity::Error) => Paint::Bad,
        Some(Severity::Warning) => Paint::Odd,
        Some(Severity::Note) | None => Paint::Good,
    }
}

// === the summary ===

/// `3 objects (2 LlmRoute, 1 ProviderSecret): 1 error, 0 warnings, 2 notes`
fn summary(survey: &Survey) -> String {
    let kinds: Vec<String> = by_kind(&survey.objects)
        .into_iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let kinds = match kinds.is_empty() {
        true => String::new(),
        false => format!(" ({})", kinds.join(", ")),
    };
    let count = |severity: Severity| counted(survey.count(severity), severity.as_str());
    format!(
        "{}{kinds}: {}, {}, {}",
        counted(survey.objects.len(), "object"),
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note)
    )
}

fn counted(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

fn by_kind(objects: &[ObjectId]) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for object in objects {
        *kinds.entry(kind(object.kind)).or_default() += 1;
    }
    kinds
}

fn kind(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::LlmRoute => "LlmRoute",
        ResourceKind::ProviderSecret => "ProviderSecret",
        ResourceKind::Secret => "Secret",
    }
}

// === JSON ===

#[derive(Serialize)]
struct Report<'a> {
    passed: bool,
    objects: BTreeMap<&'static str, usize>,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<FindingReport<'a>>,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    severity: &'static str,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    object: Option<ObjectReport<'a>>,
    /// Empty where it is no field's fault.
    field: &'a str,
    message: &'a str,
    remedy: &'a str,
}

#[derive(Serialize)]
struct ObjectReport<'a> {
    kind: &'static str,
    namespace: &'a str,
    name: &'a str,
}

fn json(survey: &Survey, verdict: Verdict, out: &mut dyn Write) -> anyhow::Result<()> {
    let report = Report {
        passed: verdict == Verdict::Passed,
        objects: by_kind(&survey.objects),
        errors: survey.count(Severity::Error),
        warnings: survey.count(Severity::Warning),
        notes: survey.count(Severity::Note),
        findings: survey.findings.iter().map(FindingReport::of).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)?;
    Ok(())
}

// === impl FindingReport ===

impl<'a> FindingReport<'a> {
    fn of(finding: &'a Finding) -> Self {
        let place: Option<&Place> = finding.place.as_ref();
        let object = finding.object.as_ref().map(|object| ObjectReport {
            kind: kind(object.kind),
            namespace: &object.namespace,
            name: &object.name,
        });
        Self {
            severity: finding.severity.as_str(),
            file: place.map(|place| place.file.display().to_string()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            object,
            field: &finding.path,
            message: &finding.message,
            remedy: &finding.remedy,
        }
    }
}
