use bytes::Bytes;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof};
use proptest::proptest;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::{scan, scan_chunks, spliced};
use crate::llm::json::{ModelMember, Splice, StreamOptions, ask_for_usage, quoted, splice};

/// Strings with a taste for what is special in JSON.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,8}", r#"[\\"{}\[\]:, \n]{0,6}"#, any::<String>()]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An object with the members that matter at any place among others.
fn request() -> impl Strategy<Value = Map<String, Value>> {
    let known = (
        prop::option::of(text().prop_map(Value::from)),
        prop::option::of(prop_oneof![any::<bool>().prop_map(Value::from), json_value()]),
        prop::option::of(prop_oneof![
            any::<bool>().prop_map(|told| json!({"include_usage": told})),
            json_value()
        ]),
    );
    let others = prop::collection::vec((text(), json_value()), 0..6);
    (known, others)
        .prop_flat_map(|((model, stream, options), others)| {
            let named = [("model", model), ("stream", stream), ("stream_options", options)];
            let named = named.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
            let foreign = |key: &str| {
                !matches!(key.to_lowercase().as_str(), "model" | "stream" | "stream_options")
            };
            let others = others.into_iter().filter(|(key, _)| foreign(key));
            Just(named.chain(others).collect::<Vec<_>>()).prop_shuffle()
        })
        .prop_map(|members| members.into_iter().collect())
}

/// Writes JSON with white space and escapes where the dice say so.
fn spell(value: &Value, dice: &mut impl FnMut() -> u8, out: &mut String) {
    let space = |dice: &mut dyn FnMut() -> u8, out: &mut String| {
        out.push_str(["", "", "", " ", "\n", "\t\r "][usize::from(dice() % 6)]);
    };
    space(dice, out);
    match value {
        Value::String(text) => spell_text(text, dice, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                spell(item, dice, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                space(dice, out);
                spell_text(key, dice, out);
                space(dice, out);
                out.push(':');
                spell(member, dice, out);
            }
            space(dice, out);
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
    space(dice, out);
}

fn spell_text(text: &str, dice: &mut impl FnMut() -> u8, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if dice().is_multiple_of(4) || character < ' ' || matches!(character, '"' | '\\') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    out.push('"');
}

/// A body, and what serde_json reads in it.
fn body() -> impl Strategy<Value = (String, Map<String, Value>)> {
    (request(), any::<u64>()).prop_map(|(request, seed)| {
        let mut state = seed | 1;
        let mut dice = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56).to_le_bytes()[0]
        };
        let mut body = String::new();
        spell(&Value::Object(request), &mut dice, &mut body);
        let read = serde_json::from_str(&body).unwrap();
        (body, read)
    })
}

/// Cuts at the given places, whatever they are.
fn cut<'a>(body: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn facts_are_what_serde_json_reads((body, read) in body()) {
        let facts = scan(body.as_bytes()).unwrap();
        let model = facts.model.as_ref().map(|model| model.name.as_str());
        prop_assert_eq!(model, read.get("model").and_then(Value::as_str));
        prop_assert_eq!(facts.stream, read.get("stream") == Some(&Value::Bool(true)));
        prop_assert_eq!(facts.empty_object, read.is_empty());
        let options = read.get("stream_options");
        match &facts.stream_options {
            StreamOptions::Absent => prop_assert_eq!(options, None),
            StreamOptions::Opaque => {
                prop_assert!(!matches!(options, None | Some(Value::Object(_) | Value::Null)));
            }
            StreamOptions::Present { span, text } => {
                prop_assert_eq!(&body.as_bytes()[span.clone()], &text[..]);
                let value: Value = serde_json::from_slice(text).unwrap();
                prop_assert_eq!(Some(&value), options);
            }
        }
    }

    #[test]
    fn cuts_change_nothing((body, _) in body(), cuts: Vec<Index>, end: Index) {
        let whole = body.as_bytes();
        prop_assert_eq!(scan_chunks(cut(whole, &cuts)), scan(whole));
        let truncated = &whole[..end.index(whole.len() + 1)];
        prop_assert_eq!(scan_chunks(cut(truncated, &cuts)), scan(truncated));
    }

    #[test]
    fn any_bytes_give_one_answer_however_cut(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            r#"\{("(model|stream|a)"|[:,"\\{}\[\]01tu ]|true|null){0,24}"#
                .prop_map(String::into_bytes),
        ],
        cuts: Vec<Index>,
    ) {
        prop_assert_eq!(scan_chunks(cut(&body, &cuts)), scan(&body));
    }

    /// What serde_json takes for an object is one to us.
    #[test]
    fn no_object_is_refused(body in r#"\{("[ab]":|[:,"{}\[\]0-9. e-]|true|null){0,12}\}"#) {
        if serde_json::from_str::<Map<String, Value>>(&body).is_ok() {
            prop_assert!(scan(body.as_bytes()).is_ok());
        }
    }

    #[test]
    fn a_rename_touches_the_name_alone(
        (body, mut read) in body(),
        name in text(),
        cuts: Vec<Index>,
    ) {
        let facts = scan(body.as_bytes()).unwrap();
        let Some(model) = &facts.model else { return Ok(()) };
        let chunks: Vec<Bytes> =
            cut(body.as_bytes(), &cuts).into_iter().map(Bytes::copy_from_slice).collect();
        let rename = Splice { at: model.span.clone(), with: quoted(&name) };
        let renamed = splice(&chunks, &[rename]).concat();
        let head = &body.as_bytes()[..model.span.start];
        let tail = &body.as_bytes()[model.span.end..];
        prop_assert!(renamed.starts_with(head) && renamed.ends_with(tail));
        prop_assert_eq!(renamed.len(), head.len() + quoted(&name).len() + tail.len());
        read.insert("model".into(), name.into());
        prop_assert_eq!(serde_json::from_slice::<Map<_, _>>(&renamed).unwrap(), read);
    }

    #[test]
    fn usage_and_a_rename_go_together((body, mut read) in body(), name in text()) {
        let facts = scan(body.as_bytes()).unwrap();
        let usage = ask_for_usage(&facts);
        prop_assert!(facts.stream || usage.is_none());
        let rename = |model: &ModelMember| Splice { at: model.span.clone(), with: quoted(&name) };
        let rename = facts.model.as_ref().map(rename);
        if rename.is_some() {
            read.insert("model".into(), name.into());
        }
        if usage.is_some() {
            let options = read.entry("stream_options").or_insert(Value::Null);
            match options {
                Value::Object(members) => {
                    members.insert("include_usage".into(), Value::Bool(true));
                }
                _ => *options = json!({"include_usage": true}),
            }
        }
        let splices: Vec<Splice> = rename.into_iter().chain(usage).collect();
        let sent = spliced(body.as_bytes(), &splices);
        prop_assert_eq!(serde_json::from_slice::<Map<_, _>>(&sent).unwrap(), read);
    }
}
