//! What is read is what `serde_json` reads.

use std::borrow::Cow;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Kind, Marks, Node};

/// A node as `serde_json` would have it.
fn value(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Flag => json!(node.flag().unwrap()),
        Kind::Number => Value::Number(node.number().unwrap()),
        Kind::Text => json!(node.text().unwrap()),
        Kind::List => node.items().map(value).collect(),
        Kind::Object => {
            let members =
                node.members().map(|(name, node)| (name.text().into_owned(), value(node)));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}

/// A document, or anything else, is read as `serde_json` reads it.
fn check(text: &str) {
    let mut marks = Marks::default();
    let read = marks.read(text);
    let expected = serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
    match (read, expected) {
        (Ok(node), Ok(expected)) => {
            assert_eq!(value(node), expected, "{text}");
            assert_eq!(Value::deserialize(node).as_ref(), Ok(&expected), "{text}");
        }
        (Err(why), expected) => assert_eq!(why, expected.unwrap_err(), "{text}"),
        // Numbers may be too large, and texts no Unicode, for whoever builds a tree.
        (Ok(_), Err(_)) => {
            serde_json::from_str::<IgnoredAny>(text).unwrap();
        }
    }
}

#[test]
fn documents_of_every_kind() {
    for text in ["null", " true\n", "false", "0", "-1.5e+3", "\"\"", "[]", "{}", "[[],{},[{}]]"] {
        check(text);
    }
    check(r#" { "a" : [ 1 , {"b":null} , "c" ] , "a\n" : "\"\\\/\b\f\n\r\té\ud83d\ude00" } "#);
    check("\"a text of more than sixteen bytes, é too, and then \\u0041 \\n\\n\\n and more\"");
    check(r#"{"a":1,"b":2,"a":3}"#);
}

#[test]
fn values_are_counted() {
    let mut marks = Marks::default();
    let list = |count: usize| format!("[{}0]", "0,".repeat(count));
    assert!(marks.read(&list(super::scan::MOST - 2)).is_ok());
    let refused = marks.read(&list(super::scan::MOST - 1)).unwrap_err();
    assert_eq!(refused, "it has more than 1048576 values");
}

#[test]
fn what_is_no_document() {
    for text in ["", " ", "nul", "truee", "01", "-", "1.", ".5", "1e", "+1", "[", "[1", "[1,]"] {
        check(text);
    }
    for text in ["{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}", "[1}", "{}x"] {
        check(text);
    }
    for text in ["\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "\"\0\""] {
        check(text);
    }
}

#[test]
fn as_deep_as_it_may_be() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Marks::default().read(&nested(127)).is_ok());
    let why = Marks::default().read(&nested(128)).unwrap_err();
    assert!(why.contains("more than 127 deep"), "{why}");
    assert!(Marks::default().read(&nested(1_000_000)).is_err());
}

#[test]
fn halves_of_letters_are_no_text() {
    for text in [r#""\ud83d""#, r#""\ude00 and more""#, r#""\ud83d\u0041""#, r#""\ud83d\n12345""#] {
        let mut marks = Marks::default();
        let node = marks.read(text).unwrap();
        assert_eq!((node.text(), node.written()), (None, text));
        let why = Marks::default().read_unicode(text.as_bytes()).unwrap_err();
        assert!(why.contains("surrogate") || why.contains("end of hex escape"), "{why}");
    }
}

#[test]
fn types_are_read_and_mismatches_are_told() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "its members are compared as they are printed")]
    struct Typed<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
        count: Option<u64>,
        raw: Option<Box<RawValue>>,
        #[serde(default)]
        list: Vec<f64>,
    }
    fn check(text: &str) {
        let mut marks = Marks::default();
        let read = Typed::deserialize(marks.read(text).unwrap());
        let expected = serde_json::from_str::<Typed<'_>>(text);
        match (read, expected) {
            (Ok(read), Ok(expected)) => assert_eq!(format!("{read:?}"), format!("{expected:?}")),
            (Err(mismatch), Err(error)) => {
                let error = error.to_string();
                assert_eq!(Some(mismatch.to_string().as_str()), error.split(" at line ").next());
            }
            other => panic!("{other:?}"),
        }
    }
    check(r#"{"type":"a","count":3,"raw":{"a": [1, "\u0041"]},"list":[1,-2,0.5,-0],"x":[{}]}"#);
    check(r#"{"type":"\n","count":null,"raw":null}"#);
    for text in [r#"{}"#, r#"{"type":1}"#, r#"{"type":null}"#, r#"{"type":"a","type":"b"}"#] {
        check(text);
    }
    for value in ["-1", "1.5", "\"1\"", "true", "[]", "{}"] {
        check(&format!(r#"{{"type":"a","count":{value}}}"#));
    }
}

#[test]
fn members_are_found() {
    let text = r#"{"a":1,"a\u0062":{"a":[2]},"a":3,"abc":null}"#;
    let mut marks = Marks::default();
    let node = marks.read(text).unwrap();
    assert_eq!(node.get("a").and_then(Node::count), Some(3));
    assert_eq!(node.get("ab").unwrap().get("a").unwrap().items().count(), 1);
    assert_eq!(node.get("abc").map(Node::is_null), Some(true));
    assert!(node.get("c").is_none() && node.get("a").unwrap().get("a").is_none());
    assert_eq!(node.get("ab").unwrap().raw().get(), r#"{"a":[2]}"#);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[a-z\"\\\\\n]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((".{0,5}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn every_value_is_read(value in any_value()) {
        check(&value.to_string());
        check(&serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn no_document_is_mistaken(value in any_value(), at in any::<prop::sample::Index>(), other in ".") {
        let text = value.to_string();
        let letters: Vec<char> = text.chars().collect();
        let at = at.index(letters.len());
        let told: String = letters.iter().take(at).collect();
        check(&told);
        let rest: String = letters.iter().skip(at + 1).collect();
        check(&format!("{told}{other}{rest}"));
    }
}
