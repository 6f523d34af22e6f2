//! The story for people. Every value of others goes through [`plain`].

use std::io::{self, Write};

use super::candidates::{CandidateStory, Verdict};
use super::refusal::Refusal;
use super::story::{Answer, CallStory, Outcome, RuleStory, Story};
use super::targets::{AccountStory, Change, CredentialOf, HeaderChange, TargetStory};
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
        let (sign, paint) = match header.change {
            Change::Same => (" ", None),
            Change::Changed => ("~", Some(Paint::Odd)),
            Change::Added => ("+", Some(Paint::Good)),
            Change::Removed => ("-", Some(Paint::Bad)),
        };
        let (before, after) = (header.before.join(", "), header.after.join(", "));
        let value = match header.change {
            Change::Same | Change::Added => after,
            Change::Changed => format!("{after} (was {before})"),
            Change::Removed => before,
        };
        let text = format!("{sign} {}: {value}", header.name);
        let text = plain(&text);
        let label = self.look.paint(Paint::Faint, label).to_width(LABEL);
        match paint {
            Some(paint) => writeln!(self.out, "  {label}{}", self.look.paint(paint, &text)),
            None => writeln!(self.out, "  {label}{text}"),
        }
    }

    fn body(&mut self, target: &TargetStory) -> io::Result<()> {
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
        let names = |c: &CandidateStory| format!("{} {}", c.route, c.rule);
        let width = |text: &dyn Fn(&CandidateStory) -> String| {
            let widths = candidates.iter().map(|c| plain(&text(c)).chars().count());
            widths.max().unwrap_or(0)
        };
        let (first, second) = (width(&names), width(&|c| c.asks.clone()));
        for candidate in candidates {
            let (sign, paint) = match candidate.verdict {
                Verdict::Takes => ("→", Paint::Good),
                Verdict::NoClientKey => ("!", Paint::Bad),
                Verdict::Mismatch | Verdict::LessSpecific | Verdict::Guarded => (" ", Paint::Faint),
            };
            let (name, asks) = (names(candidate), plain(&candidate.asks));
            let name = plain(&name);
            let name = self.look.paint(Paint::Name, &name).to_width(first);
            let asks = format!("{asks:second$}");
            let (sign, why) = (self.look.paint(paint, sign), plain(&candidate.why));
            let why = self.look.paint(paint, &why);
            writeln!(self.out, "  {sign} {name}  {asks}  {why}")?;
        }
        Ok(())
    }
}

fn percent(share: f64) -> String {
    match share.fract() == 0.0 {
        true => format!("{share:.0} %"),
        false => format!("{share:.2} %"),
    }
}
