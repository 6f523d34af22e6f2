use proptest::prelude::*;

use super::*;

/// Reads `text`; each document as JSON, each error as `line:column message`.
fn check(text: &str, expected: &[&str]) {
    let show = |document: Result<Node, SyntaxError>| match document {
        Ok(node) => node.to_json().to_string(),
        Err(SyntaxError { at, message }) => format!("{}:{} {message}", at.line, at.column),
    };
    let found: Vec<String> = documents(text).into_iter().map(show).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn scalars_read_as_kubectl_reads_them() {
    for (text, expected) in [
        ("yes", "true"),
        ("OFF", "false"),
        ("'yes'", r#""yes""#),
        ("!!str yes", r#""yes""#),
        ("~", "null"),
        ("12", "12"),
        ("-0x1F", "-31"),
        ("010", "8"),
        ("0o10", "8"),
        ("1_000", "1000"),
        ("18446744073709551615", "18446744073709551615"),
        ("1.5", "1.5"),
        ("1e2", "100"),
        (".5", "0.5"),
        ("1.2.3", r#""1.2.3""#),
        ("v1", r#""v1""#),
        ("5s", r#""5s""#),
        ("2026-01-01", r#""2026-01-01""#),
        ("y", "true"),
        ("08", "8"),
        ("0b11", "3"),
        ("1.", "1"),
        ("+12", "12"),
        ("-.5", "-0.5"),
        ("1_0.5", "10.5"),
        ("1:30", r#""1:30""#),
        ("e5", r#""e5""#),
        ("+", r#""+""#),
        ("\"a\\n\\u00fc\"", r#""a\nü""#),
    ] {
        check(&format!("a: {text}"), &[&format!("{{\"a\":{expected}}}")]);
    }
}

#[test]
fn documents_are_cut_at_their_markers() {
    check(
        "a: 1\n---\nb: 2\n---   \n\n# only words\n---\nc: 3\n",
        &[r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#],
    );
    check("%YAML 1.2\n---\na: 1\n...\n---\nb: 1\n", &[r#"{"a":1}"#, r#"{"b":1}"#]);
    check("a: |\n  ---\n  x\n--- {b: 2}\n", &[r#"{"a":"---\nx\n"}"#, r#"{"b":2}"#]);
    check("\u{feff}---\r\na: 1\r\n---\r\nb: ---x\r\n", &[r#"{"a":1}"#, r#"{"b":"---x"}"#]);
    check("{\n\t\"a\": [1,\n\t\t\"x\\/y\"]\n}\n", &[r#"{"a":[1,"x/y"]}"#]);
    check("", &[]);
}

#[test]
fn bad_syntax_spoils_one_document_only() {
    check(
        "a: 1\n---\nb: [1\n---\nc: \"x\n---\nd: 4\n",
        &[
            r#"{"a":1}"#,
            "4:1 while parsing a flow sequence, expected ',' or ']'",
            "5:4 while scanning a quoted scalar, found unexpected end of stream",
            r#"{"d":4}"#,
        ],
    );
}

#[test]
fn what_would_be_misread_is_refused_where_it_stands() {
    for (text, expected) in [
        ("a: 1\nb: 2\na: 3", "3:1 this key stands twice in the same mapping"),
        (
            "a: &x {b: 1}\nc:\n  <<: *x",
            "3:3 merge keys (`<<`) are not supported: write the fields out",
        ),
        ("? [a]\n: 1", "1:3 a key must be plain text"),
        ("a: !mine 1", "1:4 tags of one's own are not supported"),
        ("a: !!binary aGk=", "1:4 this tag is not supported"),
    ] {
        check(text, &[expected]);
    }
}

#[test]
fn positions_count_from_one_through_all_documents() {
    let text = "x: 1\n---\n# c\nspec:\n  rules:\n  - {name: ü, weight: 1}\n";
    let node = documents(text).remove(1).ok().unwrap();
    let rules = &node.get("spec").unwrap().value.get("rules").unwrap();
    assert_eq!(rules.at, Position { line: 5, column: 3 });
    let Data::List(items) = &rules.value.data else { panic!() };
    assert_eq!(items[0].at, Position { line: 6, column: 5 });
    assert_eq!(items[0].get("weight").unwrap().at, Position { line: 6, column: 15 });
}

#[test]
fn aliases_expand_within_the_bounds() {
    check("a: &x [1, {b: 2}]\nc: *x\n", &[r#"{"a":[1,{"b":2}],"c":[1,{"b":2}]}"#]);
    check("a: *x\n", &["1:4 while parsing node, found unknown anchor"]);
    check("a: &x [*x]\n", &["1:8 an alias without an anchor before it in the same document"]);
}

#[test]
fn bombs_are_refused_and_hide_nothing() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    bomb.push_str("---\ngood: 1\n");
    let read = documents(&bomb);
    assert!(matches!(&read[0], Err(error) if error.message.contains("too many values")));
    assert!(matches!(&read[1..], [Ok(_)]));

    let text = format!("a: &x {}\nb: [{}]\n", "y".repeat(1 << 20), "*x, ".repeat(100));
    assert!(matches!(&documents(&text)[..], [Err(_)]));
}

#[test]
fn depth_is_bounded_in_every_style() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let fine = format!("{}x{}", open.repeat(60), close.repeat(60));
        let deep = format!("{}x{}", open.repeat(100_000), close.repeat(100_000));
        if open != "? " {
            assert!(documents(&fine).iter().all(Result::is_ok), "{open}");
        }
        assert!(documents(&deep).iter().any(Result::is_err), "{open}");
    }
}

proptest! {
    /// Whatever is said, JSON comes back as it was.
    #[test]
    fn json_is_yaml(text in "[ -~äöü\n\t]{0,40}", number in any::<i64>(), truth in any::<bool>()) {
        let value = serde_json::json!({"a": [text, number, {"b": truth}], "c": null});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let read = documents(&text);
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(read[0].as_ref().ok().map(Node::to_json), Some(value.clone()));
        }
    }

    /// Nothing panics.
    #[test]
    fn any_text_can_be_read(text in "([-:?,{}\\[\\]&*!|>'\"%@#. \n\tab01]|---\n|\u{85}|ü){0,60}") {
        let _ = documents(&text).len();
    }
}
