//! The story for people. Every value of others goes through [`plain`].

use std::io::{self, Write};

use super::candidates::{CandidateStory, Verdict};
use super::refusal::Refusal;
use super::story::{Answer, CallStory, Outcome, RuleStory, Story};
use super::targets::{AccountStory, Change, CredentialOf, HeaderChange, TargetStory};
use super::translation::{FieldStory, TranslationStory};
use crate::cli::terminal::{Look, Paint, plain};

/// Column of the values.
const LABEL: usize = 10;

/// Writes it.
///
/// # Errors
/// When `out` cannot be written.
pub(super) fn write(story: &Story, out: &mut dyn Write, look: Look) -> io::Result<()> {
    let mut page = Page { out, look };
    for warning in &story.warnings {
        page.warning(warning)?;
    }
    page.call(&story.call)?;
    if let Some(rule) = &story.rule {
        page.rule(rule)?;
    }
    match &story.outcome {
        Outcome::Forwarded { targets } => page.targets(targets)?,
        Outcome::Answered(answer) => page.answer(answer)?,
        Outcome::Refused(refusal) => page.refusal(refusal)?,
    }
    page.candidates(&story.candidates)
}

/// Where it is written, and how it looks.
struct Page<'a> {
    out: &'a mut dyn Write,
    look: Look,
}

impl Page<'_> {
    fn warning(&mut self, text: &str) -> io::Result<()> {
        let word = self.look.paint(Paint::Odd, "warning");
        writeln!(self.out, "{word}: {}", plain(text))
    }

    /// A heading, with an empty line before it.
    fn heading(&mut self, paint: Paint, text: &str, rest: &str) -> io::Result<()> {
        let (text, rest) = (plain(text), plain(rest));
        writeln!(self.out, "\n{}{rest}", self.look.paint(paint, &text))
    }

    /// `  label     value`
    fn line(&mut self, label: &str, value: &str) -> io::Result<()> {
        let label = self.look.paint(Paint::Faint, label).to_width(LABEL);
        writeln!(self.out, "  {label}{}", plain(value))
    }

    fn call(&mut self, call: &CallStory) -> io::Result<()> {
        let title = format!("{} {}", call.method, call.path);
        writeln!(self.out, "{}", self.look.paint(Paint::Strong, &plain(&title)))?;
        if let Some(api) = call.api {
            self.line("api", api)?;
        }
        match &call.model {
            Some(model) => {
                self.line("model", &format!("{}, in the {}", model.name, model.found_in))?
            }
            None if call.api.is_some() => self.line("model", "none")?,
            None => {}
        }
        let mut label = "headers";
        for header in &call.headers {
            self.line(label, &format!("{}: {}", header.name, header.value))?;
            label = "";
        }
        match &call.body {
            Some(body) => match &body.sample {
                Some(sample) => self.line("body", &format!("a sample: {sample}")),
                None => self.line("body", &format!("{} bytes", body.bytes)),
            },
            None => Ok(()),
        }
    }

    fn rule(&mut self, rule: &RuleStory) -> io::Result<()> {
        let title = format!("rule {}", rule.name);
        self.heading(Paint::Strong, &title, &format!(" of LlmRoute {}", rule.route))?;
        self.line("match", &format!("{} ({})", rule.asks, rule.place))?;
        match &rule.client {
            Some(client) => self.line("client", client),
            None => Ok(()),
        }
    }

    fn targets(&mut self, targets: &[TargetStory]) -> io::Result<()> {
        for (index, target) in targets.iter().enumerate() {
            let which = match targets.len() {
                1 => "target".to_owned(),
                count => format!("target {} of {count}, {}", index + 1, percent(target.share)),
            };
            let rest = format!(" ProviderSecret {} ({})", target.provider, target.vendor);
            self.heading(Paint::Strong, &format!("{which}:"), &rest)?;
            self.target(target)?;
        }
        Ok(())
    }

    fn target(&mut self, target: &TargetStory) -> io::Result<()> {
        if let Some(refusal) = &target.refused {
            return self.refused(refusal);
        }
        if let Some(tokens) = target.estimated_tokens {
            self.line("sent", "nothing: the provider's APIs cannot count tokens")?;
            let guess = format!("input_tokens: {tokens}, a guess of Pillion's own");
            self.line("answer", &guess)?;
            return self.line("", "marked as such: x-pillion-estimated: input_tokens");
        }
        if let Some(url) = &target.url {
            let label = self.look.paint(Paint::Faint, "url").to_width(LABEL);
            let url = plain(url);
            writeln!(self.out, "  {label}{}", self.look.paint(Paint::Name, &url))?;
        }
        if let Some(model) = &target.model {
            self.line("model", model)?;
        }
        self.credential(target)?;
        let mut label = "headers";
        for header in &target.headers {
            self.header(label, header)?;
            label = "";
        }
        self.body(target)
    }

    fn credential(&mut self, target: &TargetStory) -> io::Result<()> {
        match (target.credential, target.accounts.as_slice()) {
            (CredentialOf::Caller, _) => self.line("key", "the caller's own"),
            (CredentialOf::Account, [account]) => {
                let presented = account.presented.as_deref();
                self.line("account", presented.map_or("none: no key is sent", |_| &account.name))
            }
            (CredentialOf::Account, accounts) => self.accounts(accounts),
        }
    }

    fn accounts(&mut self, accounts: &[AccountStory]) -> io::Result<()> {
        let mut label = "accounts";
        for account in accounts {
            let presented = account.presented.as_deref().unwrap_or("no key");
            let share = percent(account.share);
            self.line(label, &format!("{}, {share}: {presented}", account.name))?;
            label = "";
        }
        Ok(())
    }

    fn header(&mut self, label: &str, header: &HeaderChange) -> io::Result<()> {
        let text = described(header);
        let text = plain(&text);
        let label = self.look.paint(Paint::Faint, label).to_width(LABEL);
        match paint(header.change) {
            Some(paint) => writeln!(self.out, "  {label}{}", self.look.paint(paint, &text)),
            None => writeln!(self.out, "  {label}{text}"),
        }
    }

    fn translation(&mut self, translation: &TranslationStory) -> io::Result<()> {
        self.line("body", &format!("translated to {}", translation.to))?;
        for FieldStory { field, becomes } in &translation.fields {
            self.line("", &format!("{field} {becomes}"))?;
        }
        Ok(())
    }

    fn body(&mut self, target: &TargetStory) -> io::Result<()> {
        if let Some(translation) = &target.translation {
            return self.translation(translation);
        }
        let mut label = "body";
        for edit in &target.body_edits {
            let what = match edit.before.is_empty() {
                true => format!("byte {}: + {}", edit.at, edit.after),
                false => format!("byte {}: {} → {}", edit.at, edit.before, edit.after),
            };
            self.line(label, &what)?;
            label = "";
        }
        if target.asks_for_usage {
            self.line(label, "the usage that this asks for is taken out of the stream again")?;
            label = "";
        }
        match target.body_edits.is_empty() {
            true => self.line(label, "as it is sent, byte for byte"),
            false => self.line(label, "all other bytes as they are sent"),
        }
    }

    fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let title = format!("answered by Pillion: {}", answer.status);
        self.heading(Paint::Good, &title, "")?;
        self.json(&answer.body)
    }

    fn json(&mut self, body: &serde_json::Value) -> io::Result<()> {
        // Escaped by JSON itself, but for what turns the direction of writing.
        let text = serde_json::to_string_pretty(body).unwrap_or_default();
        for line in text.lines() {
            writeln!(self.out, "  {}", plain(line))?;
        }
        Ok(())
    }

    fn refusal(&mut self, refusal: &Refusal) -> io::Result<()> {
        writeln!(self.out)?;
        self.refused(refusal)
    }

    fn refused(&mut self, refusal: &Refusal) -> io::Result<()> {
        let title = format!("refused: {} {}", refusal.status, refusal.reason);
        writeln!(self.out, "{}", self.look.paint(Paint::Bad, &title))?;
        self.line("caller", &refusal.message)?;
        if let Some(logged) = &refusal.logged {
            self.line("log", logged)?;
        }
        self.line("answer", &refusal.body.to_string())
    }

    fn candidates(&mut self, candidates: &[CandidateStory]) -> io::Result<()> {
        if candidates.is_empty() {
            return Ok(());
        }
        self.heading(Paint::Strong, "matches", " in order of precedence")?;
        let names: Vec<String> = candidates.iter().map(CandidateStory::name).collect();
        let first = width(names.iter().map(String::as_str));
        let second = width(candidates.iter().map(|candidate| candidate.asks.as_str()));
        for (candidate, name) in candidates.iter().zip(&names) {
            self.candidate(candidate, name, (first, second))?;
        }
        Ok(())
    }

    fn candidate(
        &mut self,
        candidate: &CandidateStory,
        name: &str,
        (first, second): (usize, usize),
    ) -> io::Result<()> {
        let (sign, paint) = mark(candidate.verdict);
        let (name, asks, why) = (plain(name), plain(&candidate.asks), plain(&candidate.why));
        let name = self.look.paint(Paint::Name, &name).to_width(first);
        let (sign, why) = (self.look.paint(paint, sign), self.look.paint(paint, &why));
        writeln!(self.out, "  {sign} {name}  {asks:second$}  {why}")
    }
}

/// `~ NAME: AFTER (was BEFORE)`
fn described(header: &HeaderChange) -> String {
    let (before, after) = (header.before.join(", "), header.after.join(", "));
    match header.change {
        Change::Same => format!("  {}: {after}", header.name),
        Change::Changed => format!("~ {}: {after} (was {before})", header.name),
        Change::Added => format!("+ {}: {after}", header.name),
        Change::Removed => format!("- {}: {before}", header.name),
    }
}

fn paint(change: Change) -> Option<Paint> {
    match change {
        Change::Same => None,
        Change::Changed => Some(Paint::Odd),
        Change::Added => Some(Paint::Good),
        Change::Removed => Some(Paint::Bad),
    }
}

fn mark(verdict: Verdict) -> (&'static str, Paint) {
    match verdict {
        Verdict::Takes => ("→", Paint::Good),
        Verdict::NoClientKey => ("!", Paint::Bad),
        Verdict::Mismatch | Verdict::LessSpecific | Verdict::Guarded => (" ", Paint::Faint),
    }
}

/// What the longest of them takes.
fn width<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| plain(text).chars().count()).max().unwrap_or(0)
}

// === impl CandidateStory ===

impl CandidateStory {
    fn name(&self) -> String {
        format!("{} {}", self.route, self.rule)
    }
}

fn percent(share: f64) -> String {
    match share.fract() == 0.0 {
        true => format!("{share:.0} %"),
        false => format!("{share:.2} %"),
    }
}
