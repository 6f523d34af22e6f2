//! How long files and functions may be.
//!
//! The figures are those of the most readable Rust code bases that we know: what they share is not
//! small files but short functions, and no tail of giants. Tests are not counted.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Breach;
use super::source::{House, SourceFile};

/// How long things may be, in lines.
struct Budget {
    median: usize,
    p90: usize,
    cap: usize,
    remedy: &'static str,
}

/// A file is read in one sitting.
const FILE: Budget = Budget {
    median: 150,
    p90: 400,
    cap: 600,
    remedy: "cut the file where two things in it change for different reasons",
};

/// A function fits on one screen; most are one thought. Counted from `fn` to the closing brace.
const FUNCTION: Budget = Budget {
    median: 8,
    p90: 28,
    cap: 70,
    remedy: "give the steps names: each becomes a function of its own",
};

/// Medians say nothing about a handful.
const SAMPLE: usize = 20;

/// One length, with the place that it was measured at.
struct Length {
    file: String,
    line: usize,
    name: String,
    lines: usize,
}

/// Shipped lines of each file.
pub(crate) fn file_lines(house: &House) -> Vec<Breach> {
    let shipped = house.files.iter().filter(|file| !file.is_test());
    let length = |file: &SourceFile| Length {
        file: file.path.clone(),
        line: 1,
        name: "the file".to_owned(),
        lines: file.shipped_lines(),
    };
    judge("file-lines", &FILE, shipped.map(length).collect())
}

/// Lines of each shipped function.
pub(crate) fn function_lines(house: &House) -> Vec<Breach> {
    let mut lengths = Vec::new();
    for file in &house.files {
        let mut finder = Functions { file, lengths: Vec::new() };
        finder.visit_file(&file.syntax);
        lengths.extend(finder.lengths);
    }
    judge("function-lines", &FUNCTION, lengths)
}

fn judge(rule: &'static str, budget: &Budget, mut lengths: Vec<Length>) -> Vec<Breach> {
    lengths.sort_by(|a, b| (b.lines, &a.file, a.line).cmp(&(a.lines, &b.file, b.line)));
    let breach = |length: &Length, what: String| Breach {
        file: length.file.clone(),
        line: length.line,
        rule,
        what,
        remedy: budget.remedy,
    };
    let over = lengths.iter().take_while(|length| length.lines > budget.cap);
    let mut breaches: Vec<Breach> = over
        .map(|l| breach(l, format!("{} has {} lines, at most {}", l.name, l.lines, budget.cap)))
        .collect();
    if lengths.len() < SAMPLE {
        return breaches;
    }
    // Sorted from long to short: one in ten may be longer than p90, one in two than the median.
    for (share, one_in, limit) in [("one in ten", 10, budget.p90), ("one in two", 2, budget.median)]
    {
        let length = &lengths[lengths.len() / one_in];
        if length.lines > limit {
            let what = format!(
                "more than {share} are longer than {limit} lines, as {} with {}",
                length.name, length.lines
            );
            breaches.push(breach(length, what));
        }
    }
    breaches
}

struct Functions<'a> {
    file: &'a SourceFile,
    lengths: Vec<Length>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let line = signature.span().start().line;
        if !self.file.is_test_line(line) {
            self.lengths.push(Length {
                file: self.file.path.clone(),
                line,
                name: format!("`{}`", signature.ident),
                lines: body.span().end().line - line + 1,
            });
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.measure(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
