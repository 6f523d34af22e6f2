//! The outward shape of files: names, docs, width, parameters, what the crate root holds.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Breach;
use super::source::{House, SourceFile};

/// rustfmt's `max_width`; it gives up silently on long literals.
const COLUMNS: usize = 100;

/// Six arguments are a struct that nobody has named yet. `self` counts, as it does for clippy.
const ARGUMENTS: usize = 5;

/// Names under which anything could be filed.
const DRAWERS: [&str; 4] = ["util", "utils", "helpers", "misc"];

/// `foo.rs` + `foo/`, and no drawers.
pub(crate) fn file_names(house: &House) -> Vec<Breach> {
    let judge = |file: &SourceFile| {
        let name = file.path.rsplit('/').next()?.trim_end_matches(".rs");
        let what = format!("a file named `{name}.rs`");
        match name {
            "mod" => Some(breach(file, 1, "file-name", what, "name it as its module: `foo.rs`")),
            name if DRAWERS.contains(&name) => {
                Some(breach(file, 1, "file-name", what, "name it after the thing it owns"))
            }
            _ => None,
        }
    };
    house.files.iter().filter_map(judge).collect()
}

/// Each module says in its `//!` what it owns. Files of tests are named after what they test.
pub(crate) fn module_docs(house: &House) -> Vec<Breach> {
    let has_docs = |file: &SourceFile| {
        file.syntax.attrs.iter().any(|attribute| match &attribute.meta {
            syn::Meta::NameValue(doc) => doc.path.is_ident("doc") && !is_blank(&doc.value),
            _ => false,
        })
    };
    let bare = house.files.iter().filter(|file| !file.is_test() && !has_docs(file));
    bare.map(|file| {
        breach(
            file,
            1,
            "module-docs",
            "the module has no `//!`".to_owned(),
            "say what it owns, its invariants, and what it deliberately does not know",
        )
    })
    .collect()
}

/// `src/lib.rs` is the code map: modules, and nothing to import from it.
pub(crate) fn crate_root(house: &House) -> Vec<Breach> {
    let root = house.files.iter().filter(|file| file.module.is_empty());
    let judge = |file: &SourceFile| -> Vec<Breach> {
        let other = file.syntax.items.iter().filter(|item| !matches!(item, syn::Item::Mod(_)));
        let tell = |item: &syn::Item| {
            let what = "the crate root holds more than modules".to_owned();
            let remedy = "move the item into a module, so that importing it shows from where";
            breach(file, item.span().start().line, "crate-root", what, remedy)
        };
        other.map(tell).collect()
    };
    root.flat_map(judge).collect()
}

/// At most 100 columns. A link cannot be broken and may stand out, and so may a test's wire data.
pub(crate) fn line_width(house: &House) -> Vec<Breach> {
    let judge = |file: &SourceFile| -> Vec<Breach> {
        let wide = |line: &str| line.chars().count() > COLUMNS && !line.contains("://");
        let lines = file.text.lines().enumerate();
        let lines = lines.filter(|(n, line)| wide(line) && !file.is_test_line(n + 1));
        lines
            .map(|(index, line)| {
                let what = format!("{} columns, at most {COLUMNS}", line.chars().count());
                breach(
                    file,
                    index + 1,
                    "width",
                    what,
                    "break the line; a text with `\\` at its end",
                )
            })
            .collect()
    };
    house.files.iter().flat_map(judge).collect()
}

/// At most five parameters, and no `bool` that a caller on another page would have to look up.
pub(crate) fn parameters(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in &house.files {
        let mut finder = Signatures { file, breaches: Vec::new() };
        finder.visit_file(&file.syntax);
        breaches.extend(finder.breaches);
    }
    breaches
}

struct Signatures<'a> {
    file: &'a SourceFile,
    breaches: Vec<Breach>,
}

impl Signatures<'_> {
    fn judge(&mut self, visibility: &syn::Visibility, signature: &syn::Signature) {
        let line = signature.span().start().line;
        if self.file.is_test_line(line) {
            return;
        }
        if signature.inputs.len() > ARGUMENTS {
            let what = format!("`{}` takes {} arguments", signature.ident, signature.inputs.len());
            let remedy = "at most five: give what belongs together a type";
            self.breaches.push(breach(self.file, line, "arguments", what, remedy));
        }
        let is_private = matches!(visibility, syn::Visibility::Inherited);
        if !is_private && signature.inputs.iter().any(is_bool) {
            let what = format!("`{}` takes a `bool`", signature.ident);
            let remedy = "take an enum that says at the call what is meant, or write two functions";
            self.breaches.push(breach(self.file, line, "bool", what, remedy));
        }
    }
}

impl<'ast> Visit<'ast> for Signatures<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.judge(&item.vis, &item.sig);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.judge(&item.vis, &item.sig);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        for function in &item.items {
            if let syn::TraitItem::Fn(function) = function {
                self.judge(&item.vis, &function.sig);
            }
        }
        visit::visit_item_trait(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        // What a foreign trait asks for is not ours to choose.
        if item.trait_.is_none() {
            visit::visit_item_impl(self, item);
        }
    }
}

fn is_bool(input: &syn::FnArg) -> bool {
    match input {
        syn::FnArg::Typed(typed) => {
            matches!(&*typed.ty, syn::Type::Path(path) if path.path.is_ident("bool"))
        }
        syn::FnArg::Receiver(_) => false,
    }
}

fn is_blank(doc: &syn::Expr) -> bool {
    match doc {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => {
            text.value().trim().is_empty()
        }
        _ => true,
    }
}

fn breach(
    file: &SourceFile,
    line: usize,
    rule: &'static str,
    what: String,
    remedy: &'static str,
) -> Breach {
    Breach { file: file.path.clone(), line, rule, what, remedy }
}
