//! YAML text to values that know where they stand.
//!
//! Owns the bounds that keep a hostile file from eating memory or stack (depth, size, aliases), the
//! cut into documents (at `---`, as kubectl cuts, so that bad syntax spoils one document only), and
//! the reading of plain scalars, which is kubectl's (YAML 1.1: `yes` is a boolean, `010` is eight):
//! a file must mean the same to both. Keeps of JSON what YAML contains of it, which is all that
//! kubectl writes. Does not know objects. Errors never quote the text.

mod scalar;

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser};
use serde_json::{Map, Value};

use scalar::scalar;

/// A value and where it begins. No `Debug`: it may hold a key.
#[derive(Clone)]
pub(super) struct Node {
    /// Where it begins.
    pub(super) at: Position,
    /// What it is.
    pub(super) data: Data,
}

/// The kinds of value.
#[derive(Clone)]
pub(super) enum Data {
    /// A scalar other than text.
    Plain(Value),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in file order, keys unique.
    Map(Vec<Entry>),
}

/// One member of a mapping.
#[derive(Clone)]
pub(super) struct Entry {
    /// Where the key begins.
    pub(super) at: Position,
    /// The key, as text whatever it looks like.
    pub(super) key: String,
    /// Its value.
    pub(super) value: Node,
}

/// A place in a file, both counted from 1; the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Why a document cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: Position,
    pub(super) message: String,
}

/// Kubernetes objects nest a dozen levels; the stack takes hundreds.
const MAX_DEPTH: usize = 64;

/// What all values of a file may cost, aliases expanded: [`NODE_COST`] each and their text. A file
/// of the largest allowed size passes when its lines are of ordinary length.
const MAX_COST: usize = 16 << 20;

const NODE_COST: usize = 32;

/// Reads every document of a file; those without content are left out.
pub(super) fn documents(text: &str) -> Vec<Result<Node, SyntaxError>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut all = Vec::new();
    let mut budget = MAX_COST;
    for (first_line, chunk) in chunks(text) {
        read_chunk(chunk, first_line, &mut budget, &mut all);
    }
    all
}

// === impl Node ===

impl Node {
    /// The member `key` of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|entry| entry.key == key),
            Data::Plain(_) | Data::Text(_) | Data::List(_) => None,
        }
    }

    /// The text of the member `key`, where it is text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.value.data {
            Data::Text(text) => Some(text),
            Data::Plain(_) | Data::List(_) | Data::Map(_) => None,
        }
    }

    /// The value without positions.
    pub(super) fn to_json(&self) -> Value {
        match &self.data {
            Data::Plain(value) => value.clone(),
            Data::Text(text) => Value::String(text.clone()),
            Data::List(items) => items.iter().map(Self::to_json).collect(),
            Data::Map(entries) => {
                let member = |entry: &Entry| (entry.key.clone(), entry.value.to_json());
                Value::Object(entries.iter().map(member).collect::<Map<_, _>>())
            }
        }
    }

    /// Is it null?
    pub(super) fn is_null(&self) -> bool {
        matches!(self.data, Data::Plain(Value::Null))
    }

    /// What [`Self`] costs with all below it.
    fn cost(&self) -> usize {
        NODE_COST
            + match &self.data {
                Data::Plain(_) => 0,
                Data::Text(text) => text.len(),
                Data::List(items) => items.iter().map(Self::cost).sum(),
                Data::Map(entries) => {
                    entries.iter().map(|entry| entry.key.len() + entry.value.cost()).sum()
                }
            }
    }
}

// === cutting ===

/// The text cut before every `---` line, each piece with the number of lines before it. YAML allows
/// that marker nowhere else at the beginning of a line, not even within a quoted scalar.
fn chunks(text: &str) -> Vec<(usize, &str)> {
    let mut cuts = vec![(0, 0)];
    let mut offset = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let ends_there = |rest: &str| rest.is_empty() || rest.starts_with(char::is_whitespace);
        if offset > 0 && line.strip_prefix("---").is_some_and(ends_there) {
            cuts.push((number, offset));
        }
        offset += line.len();
    }
    let ends = cuts.iter().skip(1).map(|(_, offset)| *offset).chain([text.len()]);
    cuts.iter().zip(ends).map(|((line, from), to)| (*line, &text[*from..to])).collect()
}

fn read_chunk(
    chunk: &str,
    first_line: usize,
    budget: &mut usize,
    all: &mut Vec<Result<Node, SyntaxError>>,
) {
    // Directives (`%YAML 1.2`) stand before the marker and so in a piece of their own.
    let is_idle = |line: &str| matches!(line.trim_start().bytes().next(), None | Some(b'#' | b'%'));
    if chunk.lines().all(is_idle) {
        return;
    }
    let mut builder = Builder::new(first_line, *budget);
    let mut parser = Parser::new_from_str(chunk);
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((event, span)) => builder.take(event, span.start),
            Err(error) => Err(SyntaxError {
                at: builder.position(*error.marker()),
                message: error.info().to_owned(),
            }),
        };
        match step {
            Ok(None) => {}
            Ok(Some(document)) => {
                // A document that fails gives back what it took, so that it hides no good one.
                *budget = builder.budget;
                if !document.is_null() {
                    all.push(Ok(document));
                }
            }
            Err(error) => return all.push(Err(error)),
        }
    }
}

// === building ===

/// Makes nodes of events, without recursion, within the bounds.
struct Builder {
    first_line: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    /// What this document and those after it may still cost.
    budget: usize,
    done: Option<Node>,
}

/// A collection whose end has not come.
struct Open {
    at: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        keys: HashSet<String>,
        /// The key whose value comes next.
        key: Option<(Position, String)>,
    },
}

impl Builder {
    fn new(first_line: usize, budget: usize) -> Self {
        let (open, anchors) = (Vec::new(), HashMap::new());
        Self { first_line, open, anchors, budget, done: None }
    }

    fn position(&self, mark: Marker) -> Position {
        Position { line: self.first_line + mark.line(), column: mark.col() + 1 }
    }

    /// Takes one event; gives a document at its end.
    fn take(&mut self, event: Event<'_>, mark: Marker) -> Result<Option<Node>, SyntaxError> {
        let at = self.position(mark);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
            Event::DocumentStart(_) => *self = Self::new(self.first_line, self.budget),
            Event::DocumentEnd => return Ok(self.done.take()),
            Event::SequenceStart(anchor, _) => self.push(at, anchor, Content::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => {
                let (entries, keys) = (Vec::new(), HashSet::new());
                self.push(at, anchor, Content::Map { entries, keys, key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.pop()?,
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(NODE_COST + text.len(), at)?;
                if self.expects_key() {
                    return self.key(at, text.into_owned()).map(|()| None);
                }
                let data = scalar(text.into_owned(), style, tag.as_deref(), at)?;
                self.add(Node { at, data }, anchor)?;
            }
            Event::Alias(anchor) => self.alias(at, anchor)?,
        }
        Ok(None)
    }

    fn push(&mut self, at: Position, anchor: usize, content: Content) -> Result<(), SyntaxError> {
        self.spend(NODE_COST, at)?;
        if self.expects_key() {
            return Err(error(at, "a key must be plain text"));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(error(at, "nested deeper than 64 levels"));
        }
        self.open.push(Open { at, anchor, content });
        Ok(())
    }

    fn pop(&mut self) -> Result<(), SyntaxError> {
        // The parser never ends what it has not begun.
        let Some(Open { at, anchor, content }) = self.open.pop() else {
            return Ok(());
        };
        let data = match content {
            Content::List(items) => Data::List(items),
            Content::Map { entries, .. } => Data::Map(entries),
        };
        self.add(Node { at, data }, anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), SyntaxError> {
        if anchor > 0 {
            self.spend(node.cost(), node.at)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.done = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key, .. }) => {
                if let Some((at, key)) = key.take() {
                    entries.push(Entry { at, key, value: node });
                }
            }
        }
        Ok(())
    }

    fn alias(&mut self, at: Position, anchor: usize) -> Result<(), SyntaxError> {
        if self.expects_key() {
            return Err(error(at, "a key must be plain text"));
        }
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(error(at, "an alias without an anchor before it in the same document"));
        };
        let cost = node.cost();
        let node = Node { at, data: node.data.clone() };
        self.spend(cost, at)?;
        self.add(node, 0)
    }

    fn expects_key(&self) -> bool {
        let content = self.open.last().map(|open| &open.content);
        matches!(content, Some(Content::Map { key: None, .. }))
    }

    fn key(&mut self, at: Position, text: String) -> Result<(), SyntaxError> {
        if text == "<<" {
            return Err(error(at, "merge keys (`<<`) are not supported: write the fields out"));
        }
        if let Some(Open { content: Content::Map { keys, key, .. }, .. }) = self.open.last_mut() {
            if !keys.insert(text.clone()) {
                return Err(error(at, "this key stands twice in the same mapping"));
            }
            *key = Some((at, text));
        }
        Ok(())
    }

    fn spend(&mut self, cost: usize, at: Position) -> Result<(), SyntaxError> {
        match self.budget.checked_sub(cost) {
            Some(rest) => self.budget = rest,
            None => return Err(error(at, "the file has too many values, aliases expanded")),
        }
        Ok(())
    }
}

fn error(at: Position, message: &str) -> SyntaxError {
    SyntaxError { at, message: message.to_owned() }
}

#[cfg(test)]
mod tests;
