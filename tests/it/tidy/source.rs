//! The source files, parsed once: what the rules look at.
//!
//! Owns the way from a path to a module and the line ranges that only tests compile.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// All of `src/`, or snippets that stand in for it.
pub(crate) struct House {
    pub(crate) files: Vec<SourceFile>,
}

/// One file.
pub(crate) struct SourceFile {
    /// `src/table/plan.rs`
    pub(crate) path: String,
    /// `["table", "plan"]`; empty for the crate root, `["main"]` for the binary.
    pub(crate) module: Vec<String>,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
    /// Lines of `#[cfg(test)]` items.
    test_lines: Vec<RangeInclusive<usize>>,
}

impl House {
    /// Reads every `.rs` file below `src`.
    pub(crate) fn read(src: &Path) -> Self {
        let mut files = Vec::new();
        collect(src, "src", &mut files);
        assert!(!files.is_empty(), "no source file below {}", src.display());
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// A house of snippets.
    pub(crate) fn of(snippets: &[(&str, &str)]) -> Self {
        let parse = |(path, text): &(&str, &str)| SourceFile::parse(path, text);
        Self { files: snippets.iter().map(parse).collect() }
    }
}

impl SourceFile {
    fn parse(path: &str, text: &str) -> Self {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut finder = TestLines(Vec::new());
        finder.visit_file(&syntax);
        Self {
            path: path.to_owned(),
            module: module_of(path),
            text: text.to_owned(),
            syntax,
            test_lines: finder.0,
        }
    }

    /// A file that is nothing but tests: `foo/tests.rs` and what lies below `foo/tests/`.
    pub(crate) fn is_test(&self) -> bool {
        self.module.iter().any(|segment| segment == "tests")
    }

    /// Is this line compiled for tests only?
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.is_test() || self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// The lines that the shipped binary is made of, blank ones and comments included.
    pub(crate) fn shipped_lines(&self) -> usize {
        (1..=self.text.lines().count()).filter(|line| !self.is_test_line(*line)).count()
    }
}

fn collect(folder: &Path, name: &str, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{name}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &name, files);
        } else if name.ends_with(".rs") {
            files.push(SourceFile::parse(&name, &fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    match path {
        "lib" => Vec::new(),
        _ => path.split('/').filter(|part| *part != "mod").map(str::to_owned).collect(),
    }
}

/// Finds items marked `#[cfg(test)]`.
struct TestLines(Vec<RangeInclusive<usize>>);

impl<'ast> Visit<'ast> for TestLines {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_cfg_test(attributes(item)) {
            self.0.push(item.span().start().line..=item.span().end().line);
        } else {
            visit::visit_item(self, item);
        }
    }
}

fn is_cfg_test(attributes: &[syn::Attribute]) -> bool {
    let is_test = |attribute: &syn::Attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    };
    attributes.iter().any(is_test)
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        _ => &[],
    }
}
