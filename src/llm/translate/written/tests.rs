//! What is written is what `serde_json` writes.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::to_vec;

fn check(value: &impl Serialize) {
    let expected = serde_json::to_string(value).unwrap();
    assert_eq!(String::from_utf8(to_vec(value)).unwrap(), expected);
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Tagged<'a> {
    Two {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<i8>,
    },
    Nothing,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Untagged {
    Text(String),
    Flag(bool),
}

#[derive(Serialize)]
struct Whole<'a> {
    raw: &'a RawValue,
    list: Vec<Tagged<'a>>,
    pair: (Untagged, Untagged),
    #[serde(flatten)]
    rest: Value,
    none: [(); 0],
    letter: char,
}

#[test]
fn what_the_dialects_are_made_of() {
    let raw = RawValue::from_string(r#"{"a" : ["\u0041", 1.0]}"#.to_owned()).unwrap();
    check(&Whole {
        raw: &raw,
        list: vec![Tagged::Two { text: "\"é\"", count: Some(-1) }, Tagged::Nothing],
        pair: (Untagged::Text("a\\b".to_owned()), Untagged::Flag(true)),
        rest: json!({ "x": null, "y": [1.5, -3, 1e300, u64::MAX], "z": { "": false } }),
        none: [],
        letter: '\n',
    });
}

#[test]
fn every_letter_is_written() {
    let letters: String = ('\0'..'\u{100}').chain(['\u{2028}', '\u{1f600}']).collect();
    check(&letters);
    for length in 0..40 {
        let before = "é".repeat(length % 3) + &"x".repeat(length);
        check(&format!("{before}\"{before}\n{before}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn every_text_is_written(text in "(.|[\"\\\\\n\t])*", name in ".*") {
        check(&json!({ name: [text] }));
    }
}
