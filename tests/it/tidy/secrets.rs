//! Where key material may come out: the doors of `src/secret.rs`, and who goes through them.
//!
//! Every public function of that file is listed here, every trait that its types implement, and
//! every call of a door. So a new way out is a diff in this file, for a reviewer to see.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::Breach;
use super::source::{House, SourceFile};

/// The file that owns key material.
const HOME: &str = "src/secret.rs";

/// Functions that give out content.
const DOORS: [&str; 3] = ["append_to", "expose_for_bundle", "header_value"];

/// Public functions that give out none: constructors, comparisons, digests.
const HARMLESS: [&str; 7] = [
    // Feeds a digest into the table's version.
    "add_to",
    "digest",
    "matches",
    "new",
    "of",
    "query_value",
    "starts_with",
];

/// The types that hold content.
const KEEPERS: [&str; 3] = ["Secret", "QueryValue", "Digest"];

/// What they may implement; their `Debug` prints no content and is tested where it stands.
const TRAITS: [&str; 3] = ["Clone", "Copy", "Debug"];

/// Calls of doors in shipped code, by file.
const CALLERS: [(&str, usize); 4] = [
    ("src/bundle/wire.rs", 1),
    ("src/compile/auth.rs", 1),
    // The sidecar's own token, for its controller.
    ("src/feed/subscription/session.rs", 1),
    ("src/table/endpoint.rs", 1),
];

/// Nothing new comes out of `src/secret.rs`.
pub(crate) fn doors(house: &House) -> Vec<Breach> {
    let Some(file) = house.files.iter().find(|file| file.path == HOME) else {
        return Vec::new();
    };
    let mut ways = Ways { file, breaches: Vec::new() };
    ways.visit_file(&file.syntax);
    ways.breaches
}

/// Doors are used where this file says, as often as it says.
pub(crate) fn callers(house: &House) -> Vec<Breach> {
    judge_callers(house, &CALLERS)
}

pub(crate) fn judge_callers(house: &House, expected: &[(&str, usize)]) -> Vec<Breach> {
    let mut expected: BTreeMap<&str, usize> = expected.iter().copied().collect();
    let mut breaches = Vec::new();
    for file in house.files.iter().filter(|file| file.path != HOME && !file.is_test()) {
        let lines = calls(file);
        let wanted = expected.remove(file.path.as_str()).unwrap_or(0);
        if lines.len() != wanted {
            let what = format!("{} calls of a Secret's door, {wanted} listed", lines.len());
            breaches.push(breach(&file.path, lines.last().copied().unwrap_or(1), what));
        }
    }
    let gone = expected.into_keys().map(|path| breach(path, 1, "listed, but gone".to_owned()));
    breaches.extend(gone);
    breaches
}

fn breach(file: &str, line: usize, what: String) -> Breach {
    Breach {
        file: file.to_owned(),
        line,
        rule: "secret-doors",
        what,
        remedy: "keys come out in header building and the bundle only; if this is one of them, \
                 list it in tests/it/tidy/secrets.rs",
    }
}

/// Lines on which a door is named after a `.` or `::`.
fn calls(file: &SourceFile) -> Vec<usize> {
    let mut lines = Vec::new();
    scan(file.text.parse().unwrap(), &mut lines);
    lines.retain(|line| !file.is_test_line(*line));
    lines
}

fn scan(tokens: TokenStream, lines: &mut Vec<usize>) {
    let mut after_dot = false;
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if after_dot && DOORS.iter().any(|door| ident == door) => {
                lines.push(ident.span().start().line);
            }
            TokenTree::Group(group) => scan(group.stream(), lines),
            _ => {}
        }
        after_dot =
            matches!(&token, TokenTree::Punct(punct) if matches!(punct.as_char(), '.' | ':'));
    }
}

struct Ways<'a> {
    file: &'a SourceFile,
    breaches: Vec<Breach>,
}

impl Ways<'_> {
    fn tell(&mut self, ident: &syn::Ident, what: String) {
        self.breaches.push(breach(&self.file.path, ident.span().start().line, what));
    }
}

impl<'ast> Visit<'ast> for Ways<'_> {
    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let name = item.sig.ident.to_string();
        let listed = DOORS.contains(&name.as_str()) || HARMLESS.contains(&name.as_str());
        if !matches!(item.vis, syn::Visibility::Inherited) && !listed {
            self.tell(&item.sig.ident, format!("`{name}` is a new way out of a Secret"));
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Some((_, path, _)) = &item.trait_ {
            let name = &path.segments.last().unwrap().ident;
            if is_keeper(&item.self_ty) && !TRAITS.iter().any(|allowed| name == allowed) {
                self.tell(name, format!("a type that holds key material implements `{name}`"));
            }
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if !KEEPERS.iter().any(|keeper| item.ident == keeper) {
            let what =
                format!("`{}` is not listed as a type that may hold key material", item.ident);
            return self.tell(&item.ident, what);
        }
        if item.fields.iter().any(|field| !matches!(field.vis, syn::Visibility::Inherited)) {
            self.tell(&item.ident, format!("`{}` has a field that others can read", item.ident));
        }
        for name in derives(&item.attrs) {
            if !["Clone", "Copy"].iter().any(|allowed| name == allowed) {
                self.tell(&name, format!("`{}` derives `{name}`", item.ident));
            }
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }
}

fn is_keeper(item: &syn::Type) -> bool {
    match item {
        syn::Type::Path(path) => KEEPERS.iter().any(|keeper| path.path.is_ident(keeper)),
        _ => false,
    }
}

fn derives(attributes: &[syn::Attribute]) -> Vec<syn::Ident> {
    let mut names = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        attribute
            .parse_nested_meta(|meta| {
                names.extend(meta.path.segments.last().map(|segment| segment.ident.clone()));
                Ok(())
            })
            .unwrap();
    }
    names
}
