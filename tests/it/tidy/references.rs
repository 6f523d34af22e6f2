//! Every path that leads to a module of ours, wherever it stands: `use` items, expressions, types,
//! macro arguments, attributes.
//!
//! Works on tokens, not on the syntax tree, because what stands inside a macro call is only tokens.
//! Resolves `self` and `super` against the module they stand in.

use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::source::SourceFile;

/// A path written in the source, resolved to start at the crate root.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Where it stands: the file's module, with inline modules appended.
    pub(crate) from: Vec<String>,
    /// Segments below the crate root; empty when the root itself is named (`use crate as x`). A
    /// glob ends in `*`.
    pub(crate) to: Vec<String>,
    pub(crate) line: usize,
}

/// All references of a file.
pub(crate) fn of(file: &SourceFile) -> Vec<Reference> {
    let tokens: TokenStream = file.text.parse().unwrap();
    let mut scan = Scan { module: file.module.clone(), found: Vec::new() };
    scan.tokens(tokens);
    scan.found
}

type Tokens = Peekable<IntoIter>;

struct Scan {
    module: Vec<String>,
    found: Vec<Reference>,
}

impl Scan {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Group(group) => self.group(group),
                TokenTree::Ident(ident) if ident == "mod" => self.module(&mut tokens),
                TokenTree::Ident(ident) => {
                    let line = ident.span().start().line;
                    self.path(&ident.to_string(), line, &mut tokens);
                }
                TokenTree::Literal(literal) => self.literal(literal),
                TokenTree::Punct(_) => {}
            }
        }
    }

    /// `pub(crate)` names the crate without leading anywhere.
    fn group(&mut self, group: &Group) {
        let visibility = group.delimiter() == Delimiter::Parenthesis
            && matches!(group.stream().to_string().as_str(), "crate" | "super" | "self");
        if !visibility {
            self.tokens(group.stream());
        }
    }

    /// `mod name { … }`: what stands inside is one module further down.
    fn module(&mut self, tokens: &mut Tokens) {
        let Some(TokenTree::Ident(name)) = tokens.next() else {
            return;
        };
        if let Some(TokenTree::Group(body)) = tokens.peek() {
            let body = body.stream();
            tokens.next();
            self.module.push(name.to_string());
            self.tokens(body);
            self.module.pop();
        }
    }

    /// `#[serde(with = "crate::api::duration")]`: a path inside a text.
    fn literal(&mut self, literal: &proc_macro2::Literal) {
        let text = literal.to_string();
        if let Some(path) = text.strip_prefix("\"crate::") {
            let to = path.trim_end_matches('"').split("::").map(str::to_owned).collect();
            self.push(to, literal.span().start().line);
        }
    }

    fn path(&mut self, first: &str, line: usize, tokens: &mut Tokens) {
        let mut base = match first {
            "crate" => Vec::new(),
            // The library as its binary sees it.
            "pillion" if next_separator(tokens) => Vec::new(),
            "super" => parent(&self.module),
            "self" if next_separator(tokens) => self.module.clone(),
            _ => return,
        };
        while skip_separator(tokens) {
            match tokens.peek() {
                Some(TokenTree::Ident(ident)) if ident == "super" => base = parent(&base),
                Some(TokenTree::Ident(ident)) => base.push(ident.to_string()),
                Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => base.push("*".into()),
                Some(TokenTree::Group(group)) => {
                    let tree = group.stream();
                    tokens.next();
                    return self.tree(&base, tree);
                }
                _ => break,
            }
            tokens.next();
        }
        self.push(base, line);
    }

    /// `{a::b, c as d, self, e::{f, g}}` below `base`.
    fn tree(&mut self, base: &[String], tree: TokenStream) {
        let mut to = base.to_vec();
        let mut renaming = false;
        let mut line = 0;
        for token in tree {
            match token {
                TokenTree::Ident(ident) if ident == "as" => renaming = true,
                TokenTree::Ident(ident) if !renaming => {
                    line = ident.span().start().line;
                    if ident != "self" {
                        to.push(ident.to_string());
                    }
                }
                TokenTree::Group(group) => {
                    self.tree(&to, group.stream());
                    line = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    line = punct.span().start().line;
                    to.push("*".into());
                }
                TokenTree::Punct(punct) if punct.as_char() == ',' => {
                    self.push_if(line, std::mem::replace(&mut to, base.to_vec()));
                    (renaming, line) = (false, 0);
                }
                _ => {}
            }
        }
        self.push_if(line, to);
    }

    fn push_if(&mut self, line: usize, to: Vec<String>) {
        if line > 0 {
            self.push(to, line);
        }
    }

    fn push(&mut self, to: Vec<String>, line: usize) {
        self.found.push(Reference { from: self.module.clone(), to, line });
    }
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

fn next_separator(tokens: &mut Tokens) -> bool {
    matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':'
        && punct.spacing() == proc_macro2::Spacing::Joint)
}

fn skip_separator(tokens: &mut Tokens) -> bool {
    let found = next_separator(tokens);
    if found {
        tokens.next();
        tokens.next();
    }
    found
}
