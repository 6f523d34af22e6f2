//! `pillion explain`: where a call would go and why, without sending it.
//!
//! Reading order: [`call`] (the call, from arguments), [`story`] (what the proxy would do with it),
//! with [`targets`], [`candidates`], [`refusal`] and [`redact`]; [`text`] (the story for people).
//! Every decision is made by the functions of `proxy` that the data plane calls; here they are only
//! told. No key is ever shown, neither the providers' nor the caller's.

mod call;
mod candidates;
mod redact;
mod refusal;
mod story;
mod targets;
mod text;
mod translation;

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::survey::{self, Fate, Survey, SurveyArgs};
use super::terminal::{self, Format, Look};
use crate::compile::Severity;
use call::CallArgs;

/// Which call, by which manifests.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    #[command(flatten)]
    survey: SurveyArgs,

    /// How to tell it
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    output: Format,

    #[command(flatten)]
    call: CallArgs,
}

/// What becomes of the call?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is forwarded, or answered.
    Served,
    /// It is refused, be it by one of several targets.
    Refused,
}

const EXAMPLES: &str = "\
Exit code: 0 if the call would be forwarded or answered, 1 if it would be refused, 2 for wrong
arguments. Keys are never shown: `Bearer ‹key main›` stands for the key of the account main.

Examples:
  pillion explain manifests --no-keys --path /v1/messages --model claude-sonnet-4-5
  pillion explain manifests --no-keys --path '/v1/chat/completions' --model gpt-4o --stream -o json
  pillion explain manifests --no-keys --path /v1/messages --body call.json -H 'x-team: search'
  pillion explain manifests --no-keys --path /v1beta/models/gemini-2.5-pro:generateContent
  pillion explain manifests --no-keys --method GET --path /v1/models";

/// Explains on standard output.
///
/// # Errors
/// When the arguments make no call, or standard output cannot be written.
pub fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let mut told = Vec::new();
    let verdict = explain(args, &mut told, Look::of_stdout())?;
    terminal::print(&told)?;
    Ok(verdict.exit_code())
}

/// Explains.
///
/// # Errors
/// When the arguments make no call, or `out` cannot be written.
pub fn explain(args: &ExplainArgs, out: &mut dyn Write, look: Look) -> anyhow::Result<Verdict> {
    let survey = survey::take(&args.survey)?;
    if let ([], [finding, ..]) = (&*survey.objects, &*survey.findings) {
        bail!("there is nothing to explain a call by: {finding}");
    }
    let mut story = story::tell(&survey.table, call::make(&args.call)?);
    story.warnings.extend(fate(&survey));
    match args.output {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &story)?;
            writeln!(out)?;
        }
        Format::Text => text::write(&story, out, look)?,
    }
    Ok(match story.outcome.is_refused() {
        true => Verdict::Refused,
        false => Verdict::Served,
    })
}

/// What is said of manifests that have errors.
fn fate(survey: &Survey) -> Option<String> {
    let errors = match survey.count(Severity::Error) {
        0 => return None,
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    };
    let what = said_of(survey.fate);
    Some(format!("the manifests have {errors} (`pillion check` lists them): {what}"))
}

fn said_of(fate: Fate) -> &'static str {
    match fate {
        Fate::Runs => {
            "keys are missing or not usable; with --no-keys the missing ones are taken to be there"
        }
        Fate::RunsAtStart => {
            "a proxy that starts with them does as told here, one that runs already keeps its \
             last good table"
        }
        Fate::Rejected => {
            "no proxy runs them; what is told here is what the readable part of them says"
        }
    }
}

// === impl Verdict ===

impl Verdict {
    fn exit_code(self) -> ExitCode {
        match self {
            Self::Served => ExitCode::SUCCESS,
            Self::Refused => ExitCode::FAILURE,
        }
    }
}
