//! What the demo writes: blocks of labelled lines that fit into 80 columns.
//!
//! Knows how things look, and nothing of how they came about.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use super::client::Reply;
use super::columns::{COLUMNS, wrap};
use super::compare::{self, Change};
use super::journal::Entry;
use super::provider::Received;
use super::script::Call;
use crate::cli::terminal::{Look, Paint, plain};

/// Where the text of a line begins.
const INDENT: usize = 14;

/// The terminal, or what stands in for it.
pub(super) struct Screen {
    out: RefCell<Box<dyn Write>>,
    look: Look,
    /// The column of text that is being written word by word; 0 where no line is begun.
    column: Cell<usize>,
    blocks: Cell<usize>,
}

// === impl Screen ===

impl Screen {
    pub(super) fn of_stdout() -> Self {
        Self {
            out: RefCell::new(Box::new(io::stdout())),
            look: Look::of_stdout(),
            column: Cell::new(0),
            blocks: Cell::new(0),
        }
    }

    /// Begins a block, which is numbered.
    pub(super) fn block(&self, title: &str) -> io::Result<()> {
        self.blocks.set(self.blocks.get() + 1);
        let title = format!("{}. {title}", self.blocks.get());
        self.write(&format!("\n{}\n", self.look.paint(Paint::Name, &title)))
    }

    /// A heading without a number.
    pub(super) fn heading(&self, title: &str) -> io::Result<()> {
        self.write(&format!("\n{}\n", self.look.paint(Paint::Name, title)))
    }

    /// Plain text.
    pub(super) fn text(&self, text: &str) -> io::Result<()> {
        self.write(&format!("{text}\n"))
    }

    /// A labelled text.
    pub(super) fn line(&self, label: &str, text: &str) -> io::Result<()> {
        self.lines(label, text, None)
    }

    /// A labelled text that matters.
    pub(super) fn bright(&self, label: &str, text: &str) -> io::Result<()> {
        self.lines(label, text, Some(Paint::Strong))
    }

    /// Writes a word to the line of this label, which it begins where needed.
    pub(super) fn word(&self, label: &str, word: &str) -> io::Result<()> {
        let word = plain(word);
        let length = word.chars().count();
        if self.column.get() > 0 && self.column.get() + length > COLUMNS {
            self.end_line()?;
        }
        if self.column.get() == 0 {
            self.raw(&self.label(label))?;
            self.column.set(INDENT);
        }
        self.column.set(self.column.get() + length);
        self.raw(&word)
    }

    /// Everything about a call; `received` is what reached the provider, if anything did.
    pub(super) fn call(
        &self,
        call: &Call,
        received: Option<&Received>,
        reply: &Reply,
        entry: &Entry,
    ) -> io::Result<()> {
        self.block(call.title)?;
        let model = or_none(&entry.model);
        self.line("asked", &format!("POST {}, model {model}", call.target))?;
        self.bright("route", &route(entry))?;
        match received {
            Some(received) => self.received(call, received)?,
            None => self.line("upstream", "none: no provider was called")?,
        }
        self.answer(reply, entry)
    }

    fn received(&self, call: &Call, received: &Received) -> io::Result<()> {
        let host = received.headers.get("host").and_then(|host| host.to_str().ok());
        let (method, target) = (&received.method, &received.target);
        let url = format!("{method} http://{}{target}", host.unwrap_or_default());
        self.bright("upstream", &url)?;
        let headers = compare::headers(&call.headers, &received.headers);
        self.changes("headers", &headers.changed)?;
        let kept = format!("{} as sent: {}", headers.kept.len(), headers.kept.join(", "));
        self.line("", &kept)?;
        self.bodies(call, received)
    }

    fn bodies(&self, call: &Call, received: &Received) -> io::Result<()> {
        let body = compare::body(call.body.as_bytes(), &received.body);
        let (kept, sent) = (body.kept, call.body.len());
        if body.changed.is_empty() {
            return self.line("body", &format!("all {kept} bytes as sent"));
        }
        self.changes("body", &body.changed)?;
        self.line("", &format!("{kept} of {sent} bytes as sent"))
    }

    fn answer(&self, reply: &Reply, entry: &Entry) -> io::Result<()> {
        self.bright("answer", &answer(entry))?;
        for name in ["x-pillion-reason", "retry-after"] {
            if let Some(value) = reply.header(name) {
                self.line("", &format!("{name}: {value}"))?;
            }
        }
        self.line("says", &reply.text)
    }

    fn changes(&self, label: &str, changes: &[Change]) -> io::Result<()> {
        let mut label = label;
        for change in changes {
            let (text, paint) = match change {
                Change::Removed(text) => (format!("- {text}"), Paint::Bad),
                Change::Added(text) => (format!("+ {text}"), Paint::Good),
            };
            self.lines(label, &text, Some(paint))?;
            label = "";
        }
        Ok(())
    }

    fn lines(&self, label: &str, text: &str, paint: Option<Paint>) -> io::Result<()> {
        let mut label = label;
        for line in wrap(text, INDENT) {
            let line = match paint {
                Some(paint) => self.look.paint(paint, &line).to_string(),
                None => line,
            };
            self.write(&format!("{}{line}\n", self.label(label)))?;
            label = "";
        }
        Ok(())
    }

    fn label(&self, label: &str) -> String {
        let padded = format!("   {label:<width$}", width = INDENT - 3);
        self.look.paint(Paint::Faint, &padded).to_string()
    }

    /// Writes whole lines.
    fn write(&self, text: &str) -> io::Result<()> {
        if self.column.get() > 0 {
            self.end_line()?;
        }
        self.raw(text)
    }

    fn end_line(&self) -> io::Result<()> {
        self.column.set(0);
        self.raw("\n")
    }

    fn raw(&self, text: &str) -> io::Result<()> {
        let mut out = self.out.borrow_mut();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

/// One line about a call.
pub(super) fn in_short(entry: &Entry) -> String {
    let (method, path) = (&entry.method, &entry.path);
    format!("{method} {path} {}: {}; {}", or_none(&entry.model), route(entry), answer(entry))
}

fn route(entry: &Entry) -> String {
    let Some(route) = &entry.route else {
        return "none".to_owned();
    };
    let (rule, provider) = (or_none(&entry.rule), or_none(&entry.provider));
    let account = or_none(&entry.account);
    let renamed = entry.model_sent.as_ref().map(|model| format!(", as {model}"));
    let renamed = renamed.unwrap_or_default();
    format!("{route}, rule {rule} -> {provider}, key {account}{renamed}")
}

fn answer(entry: &Entry) -> String {
    let mut parts = vec![format!("{} {}", entry.status, entry.outcome)];
    let cached = entry.cache_read_tokens.filter(|tokens| *tokens > 0);
    parts.extend(entry.input_tokens.map(|tokens| format!("{tokens} tokens in")));
    parts.extend(cached.map(|tokens| format!("{tokens} from cache")));
    parts.extend(entry.output_tokens.map(|tokens| format!("{tokens} out")));
    match (entry.first_token_ms, entry.first_byte_ms) {
        (Some(time), _) => parts.push(format!("first token {time:.0} ms")),
        (None, Some(time)) => parts.push(format!("first byte {time:.0} ms")),
        (None, None) => {}
    }
    parts.push(format!("whole {:.0} ms", entry.duration_ms));
    parts.join(", ")
}

fn or_none(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("none")
}
