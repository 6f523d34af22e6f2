//! The JSON scanner and splicer against serde_json: the first byte says how the body is cut, the
//! rest is the body.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pillion::llm::json::{
    BodyFacts, BodyScanner, JsonFault, Splice, ask_for_usage, quoted, splice,
};
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let Some((cut, body)) = input.split_first() else { return };
    let chunks: Vec<Bytes> =
        body.chunks(usize::from(*cut).max(1)).map(Bytes::copy_from_slice).collect();
    let facts = scan(&chunks);
    let whole = scan(&[Bytes::copy_from_slice(body)]);
    assert_eq!(facts, whole, "the cut changes what is read");
    // What serde_json does not take (depth, numbers, encodings) is passed on, and the upstream's.
    let read = serde_json::from_slice::<Value>(body).ok();
    let Ok(facts) = facts else {
        return refused(&whole, read.as_ref());
    };
    let Some(Value::Object(read)) = read else { return };
    if let Some(model) = &facts.model {
        renamed(body, &chunks, &facts, &read);
        if let Some(Value::String(name)) = read.get("model") {
            assert_eq!(*name, model.name);
        }
    }
    let streams = read.get("stream") == Some(&Value::Bool(true));
    assert_eq!(facts.stream, streams);
    if let Some(change) = ask_for_usage(&facts) {
        let changed = value_of(&spliced(&chunks, &change));
        assert_eq!(changed["stream_options"]["include_usage"], true);
        let mut before = Value::Object(read);
        before["stream_options"] = changed["stream_options"].clone();
        assert_eq!(changed, before, "more than the usage flag was changed");
    }
});

fn scan(chunks: &[Bytes]) -> Result<BodyFacts, JsonFault> {
    let mut scanner = BodyScanner::default();
    chunks.iter().for_each(|chunk| scanner.feed(chunk));
    scanner.finish()
}

/// An object that everybody can read is refused for its model or for a member that stands twice.
fn refused(fault: &Result<BodyFacts, JsonFault>, read: Option<&Value>) {
    let syntax = matches!(fault, Err(JsonFault::Syntax(_) | JsonFault::NotAnObject));
    assert!(!(syntax && matches!(read, Some(Value::Object(_)))), "{fault:?} of {read:?}");
}

/// A rename changes the model's bytes and no other.
fn renamed(
    body: &[u8],
    chunks: &[Bytes],
    facts: &BodyFacts,
    read: &serde_json::Map<String, Value>,
) {
    let Some(model) = &facts.model else { return };
    let change = Splice { at: model.span.clone(), with: quoted("other/\"model\"") };
    let after = spliced(chunks, &change);
    assert_eq!(after[..change.at.start], body[..change.at.start]);
    assert_eq!(after[change.at.start + change.with.len()..], body[change.at.end..]);
    if read.contains_key("model") {
        assert_eq!(value_of(&after)["model"], "other/\"model\"");
    }
}

fn spliced(chunks: &[Bytes], change: &Splice) -> Vec<u8> {
    splice(chunks, std::slice::from_ref(change)).concat()
}

fn value_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(bytes));
    })
}
