//! No cycles between sibling modules: what depends on each other is one module or three.
//!
//! A name that a parent re-exports (`pub use plan::Plan`) counts for the child that defines it, so
//! `super::Plan` cannot hide an edge. A parent and its children may know each other.

use std::collections::{BTreeMap, BTreeSet};

use super::Breach;
use super::references::{self, Reference};
use super::source::{House, SourceFile};

type Module = Vec<String>;
/// An edge between siblings, with one place where it stands.
type Edges = BTreeMap<Module, BTreeMap<Module, (String, usize)>>;

/// Each edge that lies on a cycle of siblings.
pub(crate) fn siblings(house: &House) -> Vec<Breach> {
    let edges = edges(house);
    let mut breaches = Vec::new();
    for (from, targets) in &edges {
        for (to, (file, line)) in targets {
            if reaches(&edges, to, from) {
                breaches.push(Breach {
                    file: file.clone(),
                    line: *line,
                    rule: "cycles",
                    what: format!("`{}` and `{}` need each other", from.join("::"), to.join("::")),
                    remedy: "move what both need into a third module, or join the two",
                });
            }
        }
    }
    breaches
}

fn edges(house: &House) -> Edges {
    let modules: BTreeSet<Module> = house.files.iter().map(|file| file.module.clone()).collect();
    let exports = exports(house, &modules);
    let mut edges = Edges::new();
    for file in house.files.iter().filter(|file| !file.is_test()) {
        for found in references::of(file) {
            if file.is_test_line(found.line) {
                continue;
            }
            if let Some((from, to)) = sibling_edge(&found, &modules, &exports) {
                let place = (file.path.clone(), found.line);
                edges.entry(from).or_default().entry(to).or_insert(place);
            }
        }
    }
    edges
}

/// The two modules, children of one parent, that a reference ties together.
fn sibling_edge(
    found: &Reference,
    modules: &BTreeSet<Module>,
    exports: &BTreeMap<Module, Module>,
) -> Option<(Module, Module)> {
    let to = exports.get(&found.to).unwrap_or(&found.to);
    let to = (1..=to.len()).rev().map(|n| &to[..n]).find(|path| modules.contains(*path))?;
    let common = found.from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let from = found.from.get(..=common)?;
    let to = to.get(..=common)?;
    // Between top-level modules the floors decide.
    (common > 0).then(|| (from.to_vec(), to.to_vec()))
}

/// Re-exported names with what they stand for: `table::Plan` is `table::plan::Plan`.
fn exports(house: &House, modules: &BTreeSet<Module>) -> BTreeMap<Module, Module> {
    let mut exports = BTreeMap::new();
    for file in &house.files {
        for item in &file.syntax.items {
            if let syn::Item::Use(item) = item {
                let mut names = Vec::new();
                flatten(&item.tree, &file.module, &mut names);
                names.retain(|(_, target)| modules.contains(parent(target)));
                for (name, target) in names {
                    export(house, file, &name, &target, &mut exports);
                }
            }
        }
    }
    exports
}

fn export(
    house: &House,
    file: &SourceFile,
    name: &str,
    target: &Module,
    exports: &mut BTreeMap<Module, Module>,
) {
    if name != "*" {
        exports.insert(join(&file.module, name), target.clone());
        return;
    }
    let child = house.files.iter().find(|file| file.module == parent(target));
    for item in child.into_iter().flat_map(|file| &file.syntax.items) {
        if let Some(item) = item_name(item) {
            exports.insert(join(&file.module, &item), join(parent(target), &item));
        }
    }
}

/// The names that a `use` brings in, with their targets; paths are taken as relative to `base`.
fn flatten(tree: &syn::UseTree, base: &[String], names: &mut Vec<(String, Module)>) {
    match tree {
        syn::UseTree::Path(path) if path.ident == "self" => flatten(&path.tree, base, names),
        syn::UseTree::Path(path) => {
            flatten(&path.tree, &join(base, &path.ident.to_string()), names);
        }
        syn::UseTree::Name(name) => {
            let name = name.ident.to_string();
            names.push((name.clone(), join(base, &name)));
        }
        syn::UseTree::Rename(name) => {
            names.push((name.rename.to_string(), join(base, &name.ident.to_string())));
        }
        syn::UseTree::Glob(_) => names.push(("*".to_owned(), join(base, "*"))),
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|tree| flatten(tree, base, names));
        }
    }
}

fn join(base: &[String], name: &str) -> Module {
    base.iter().cloned().chain([name.to_owned()]).collect()
}

fn parent(module: &[String]) -> &[String] {
    &module[..module.len().saturating_sub(1)]
}

fn item_name(item: &syn::Item) -> Option<String> {
    match item {
        syn::Item::Struct(item) => Some(item.ident.to_string()),
        syn::Item::Enum(item) => Some(item.ident.to_string()),
        syn::Item::Trait(item) => Some(item.ident.to_string()),
        syn::Item::Type(item) => Some(item.ident.to_string()),
        syn::Item::Fn(item) => Some(item.sig.ident.to_string()),
        syn::Item::Const(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

fn reaches(edges: &Edges, from: &Module, to: &Module) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(edges.get(module).into_iter().flat_map(BTreeMap::keys));
        }
    }
    false
}
