//! Each rule shown what it is there to catch, and what it must let pass.

use super::source::House;
use super::{Breach, budgets, cycles, imports, secrets, shape};

/// `rule` over `files` breaks exactly at these `path:line`s.
#[track_caller]
fn check(rule: fn(&House) -> Vec<Breach>, files: &[(&str, &str)], expected: &[&str]) {
    let breaches = rule(&House::of(files));
    let found: Vec<String> = breaches.iter().map(|b| format!("{}:{}", b.file, b.line)).collect();
    assert_eq!(found, expected, "{breaches:#?}");
}

#[test]
fn an_import_upwards_is_caught_in_every_form() {
    for bad in [
        "use crate::compile::World;",
        "use crate::{name::ObjectRef, compile::World};",
        "use crate::{compile::{self as c}};",
        "use super::compile::World;",
        "use super::{name, compile};",
        "fn f(world: &crate::compile::World) {}",
        "fn f() { crate::compile::compile(); }",
        "fn f() { assert!(a, crate::compile::compile()); }",
        "mod inner { use super::super::compile::World; }",
        "#[cfg(test)] mod tests { use crate::compile::World; }",
        "#[serde(with = \"crate::compile::world\")] struct S;",
        "struct S { world: crate::compile::World }",
        "pub(in crate::compile) fn f() {}",
        "use pillion::compile::World;",
        "use crate as root;",
        "use crate::*;",
        "use super::*;",
    ] {
        check(imports::allowed, &[("src/table.rs", bad)], &["src/table.rs:1"]);
    }
}

#[test]
fn imports_downwards_and_within_pass() {
    for good in [
        "use crate::llm::Api;\nuse crate::{name, secret::Secret};",
        "use crate::table::Rule;\npub(crate) fn f() { self::g(); crate::table::g() }",
        "mod inner { use super::*; use super::super::llm; }",
        "use std::fmt::{self, Debug};\nuse serde::de::{self};",
        "fn f(compile: bool) { let x = Pair { name: compile }; a::compile::b() }",
        "macro_rules! m { () => { $crate::llm::x() } }",
    ] {
        check(imports::allowed, &[("src/table.rs", good)], &[]);
    }
    check(imports::allowed, &[("src/main.rs", "fn main() { pillion::cli::main() }")], &[]);
}

#[test]
fn machines_are_strangers_and_nobody_knows_the_door() {
    let imports = |module| format!("use crate::{module}::x;");
    for (from, to) in [
        ("proxy", "api"),
        ("proxy", "compile"),
        ("proxy", "feed"),
        ("feed", "proxy"),
        ("controller", "inject"),
        ("inject", "table"),
        ("net", "llm"),
        ("telemetry", "name"),
        ("feed", "cli"),
        ("main", "proxy"),
        ("table", "api"),
    ] {
        let path = format!("src/{from}.rs");
        check(imports::allowed, &[(&path, &imports(to))], &[&format!("{path}:1")]);
    }
    check(imports::allowed, &[("src/novel/part.rs", "")], &["src/novel/part.rs:1"]);
}

/// All modules that `module` reaches over the floors.
fn reach(module: &'static str, reached: &mut Vec<&'static str>) {
    let (_, floors) = imports::FLOORS.iter().find(|(name, _)| *name == module).unwrap();
    for floor in *floors {
        if !reached.contains(floor) {
            reached.push(floor);
            reach(floor, reached);
        }
    }
}

#[test]
fn the_floors_lead_downwards_only_and_keep_the_data_plane_clear() {
    for (module, _) in imports::FLOORS {
        let mut reached = Vec::new();
        reach(module, &mut reached);
        assert!(!reached.contains(&module), "{module} stands above itself");
        if module == "proxy" {
            for stranger in ["api", "provider", "compile", "bundle", "feed", "cli"] {
                assert!(!reached.contains(&stranger), "proxy reaches {stranger}");
            }
        }
    }
}

#[test]
fn super_is_resolved_from_where_it_stands() {
    let deep = "use super::super::super::compile::World;";
    check(imports::allowed, &[("src/table/a/b.rs", deep)], &["src/table/a/b.rs:1"]);
    check(imports::allowed, &[("src/table/a/b.rs", "use super::super::Rule;")], &[]);
}

#[test]
fn sibling_cycles_are_caught_through_re_exports() {
    let parent = ("src/table.rs", "mod a; mod b;\npub use a::A;\npub use b::*;");
    let a = ("src/table/a.rs", "use super::B;\npub struct A;");
    let b = ("src/table/b.rs", "pub struct B;\nfn f() { super::A }");
    let both = ["src/table/a.rs:1", "src/table/b.rs:2"];
    check(cycles::siblings, &[parent, a, b], &both);
    check(cycles::siblings, &[parent, a, ("src/table/b.rs", "pub struct B;")], &[]);
    let tests_only = "pub struct B;\n#[cfg(test)] mod tests { use super::super::A; }";
    check(cycles::siblings, &[parent, a, ("src/table/b.rs", tests_only)], &[]);
    let parent_and_child = ("src/llm.rs", "mod c; fn f() -> c::C {}");
    check(cycles::siblings, &[parent_and_child, ("src/llm/c.rs", "use super::f;")], &[]);
}

#[test]
fn longer_cycles_are_caught_as_well() {
    let file = |to: &str| format!("use super::{to};");
    let files = [
        ("src/llm/a.rs", file("b::B")),
        ("src/llm/b.rs", file("c::d::D")),
        ("src/llm/c/d.rs", "use super::super::a::A;".to_owned()),
        ("src/llm/c.rs", String::new()),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    check(cycles::siblings, &files, &["src/llm/a.rs:1", "src/llm/b.rs:1", "src/llm/c/d.rs:1"]);
}

#[test]
fn shapes() {
    check(shape::file_names, &[("src/llm/mod.rs", "")], &["src/llm/mod.rs:1"]);
    check(shape::file_names, &[("src/utils.rs", "")], &["src/utils.rs:1"]);
    check(shape::file_names, &[("src/llm.rs", "")], &[]);
    check(shape::module_docs, &[("src/llm.rs", "//!\n//!  \nfn f() {}")], &["src/llm.rs:1"]);
    check(shape::module_docs, &[("src/llm.rs", "/// Of f.\nfn f() {}")], &["src/llm.rs:1"]);
    check(shape::module_docs, &[("src/llm.rs", "//! Owns all."), ("src/llm/tests.rs", "")], &[]);
    check(shape::crate_root, &[("src/lib.rs", "mod a;\npub use a::A;")], &["src/lib.rs:2"]);
    check(shape::crate_root, &[("src/lib.rs", "mod a;"), ("src/a.rs", "fn f() {}")], &[]);
    let wide = |start: &str| format!("\n// {start}{}", "é".repeat(97 - start.len()));
    check(shape::line_width, &[("src/a.rs", &wide(""))], &[]);
    check(shape::line_width, &[("src/a.rs", &(wide("") + "é"))], &["src/a.rs:2"]);
    check(shape::line_width, &[("src/a.rs", &(wide("https://") + "é"))], &[]);
}

#[test]
fn parameters() {
    for bad in [
        "fn f(a: A, b: A, c: A, d: A, e: A, f: A) {}",
        "impl S { fn f(&self, b: A, c: A, d: A, e: A, f: A) {} }",
        "pub(crate) fn f(strict: bool) {}",
        "impl S { pub fn f(strict: bool) {} }",
        "pub trait T { fn f(&self, strict: bool); }",
    ] {
        check(shape::parameters, &[("src/a.rs", bad)], &["src/a.rs:1"]);
    }
    for good in [
        "pub fn f(a: A, b: A, c: A, d: A, e: A) -> bool {}",
        "fn f(strict: bool) {}",
        "impl Foreign for S { fn f(&self, strict: bool) {} }",
        "#[cfg(test)] mod tests { fn f(a: A, b: A, c: A, d: A, e: A, f: bool) {} }",
    ] {
        check(shape::parameters, &[("src/a.rs", good)], &[]);
    }
}

/// A function of so many lines.
fn function(lines: usize) -> String {
    format!("fn f() {{\n{}}}\n", "x;\n".repeat(lines - 2))
}

#[test]
fn file_budgets() {
    let lines = |lines: usize| "\n".repeat(lines);
    check(budgets::file_lines, &[("src/a.rs", &lines(600))], &[]);
    check(budgets::file_lines, &[("src/a.rs", &lines(601))], &["src/a.rs:1"]);
    check(budgets::file_lines, &[("src/a/tests.rs", &lines(601))], &[]);
    let with_tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", lines(600), lines(50));
    check(budgets::file_lines, &[("src/a.rs", &with_tests)], &[]);

    let house = |long: usize, length: usize| -> Vec<(String, String)> {
        let length = |n| lines(if n < long { length } else { 10 });
        (0..20).map(|n| (format!("src/a{n:02}.rs"), length(n))).collect()
    };
    let judge = |files: Vec<(String, String)>, expected: &[&str]| {
        let files: Vec<_> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        check(budgets::file_lines, &files, expected);
    };
    judge(house(2, 401), &[]);
    judge(house(3, 401), &["src/a02.rs:1"]);
    judge(house(10, 151), &[]);
    judge(house(11, 151), &["src/a10.rs:1"]);
}

#[test]
fn function_budgets() {
    check(budgets::function_lines, &[("src/a.rs", &function(70))], &[]);
    check(budgets::function_lines, &[("src/a.rs", &function(71))], &["src/a.rs:1"]);
    let method = format!("impl S {{\n{}}}", function(71));
    check(budgets::function_lines, &[("src/a.rs", &method)], &["src/a.rs:2"]);
    let test = format!("#[cfg(test)]\nmod tests {{\n{}}}", function(71));
    check(budgets::function_lines, &[("src/a.rs", &test)], &[]);
    check(budgets::function_lines, &[("src/a/tests.rs", &function(71))], &[]);
    let mostly =
        |long: usize, length: usize| function(length).repeat(long) + &function(2).repeat(20 - long);
    check(budgets::function_lines, &[("src/a.rs", &mostly(2, 29))], &[]);
    check(budgets::function_lines, &[("src/a.rs", &mostly(3, 29))], &["src/a.rs:59"]);
    check(budgets::function_lines, &[("src/a.rs", &mostly(10, 9))], &[]);
    check(budgets::function_lines, &[("src/a.rs", &mostly(11, 9))], &["src/a.rs:91"]);
}

#[test]
fn a_new_way_out_of_a_secret_is_caught() {
    for bad in [
        "impl Secret { pub fn reveal(&self) -> &str { &self.0 } }",
        "impl Secret { pub(crate) fn reveal(&self) -> &str { &self.0 } }",
        "impl fmt::Display for Secret {}",
        "impl serde::Serialize for QueryValue {}",
        "impl std::ops::Deref for Secret {}",
        "pub struct Secret(pub String);",
        "#[derive(Debug)] pub struct Secret(String);",
        "#[derive(Clone, serde::Serialize)] struct Secret(String);",
        "pub struct Key(String);",
    ] {
        check(secrets::doors, &[("src/secret.rs", bad)], &["src/secret.rs:1"]);
    }
    let good = "#[derive(Clone)] pub struct Secret(String);\n\
                impl fmt::Debug for Secret {}\n\
                impl Secret { pub fn new() {} pub fn header_value(&self) {} fn own(&self) {} }";
    check(secrets::doors, &[("src/secret.rs", good)], &[]);
    check(secrets::doors, &[("src/name.rs", "impl fmt::Display for ObjectName {}")], &[]);
}

#[test]
fn callers_of_a_door_are_counted() {
    let none: fn(&House) -> Vec<Breach> = |house| secrets::judge_callers(house, &[]);
    let one: fn(&House) -> Vec<Breach> = |house| secrets::judge_callers(house, &[("src/a.rs", 1)]);
    let call = "fn f() {\nkey.header_value(\"\"); }";
    check(none, &[("src/a.rs", call)], &["src/a.rs:2"]);
    check(none, &[("src/a.rs", "fn f() { m!(key.append_to(q)) }")], &["src/a.rs:1"]);
    check(none, &[("src/a.rs", "fn f() { keys.map(Secret::header_value) }")], &["src/a.rs:1"]);
    check(none, &[("src/a.rs", "#[cfg(test)] mod t { fn f() { k.append_to(q) } }")], &[]);
    check(one, &[("src/a.rs", call)], &[]);
    check(one, &[("src/a.rs", "fn f() {}")], &["src/a.rs:1"]);
    check(one, &[("src/b.rs", call)], &["src/b.rs:2", "src/a.rs:1"]);
}
