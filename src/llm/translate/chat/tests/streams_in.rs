//! Streams, read.

use serde_json::{Value, json};

use super::super::super::answer::{Event, Failed, Spent, Stop};
use super::super::EventReader;

/// What these data are read as, up to the end of the body; an error as its text.
fn events(data: &[Value]) -> Result<Vec<Event>, String> {
    let (mut reader, mut out) = (EventReader::default(), Vec::new());
    for data in data {
        let text = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
        reader.read(text.as_bytes(), &mut out).map_err(|unreadable| unreadable.0)?;
    }
    reader.finish(&mut out);
    Ok(out)
}

/// A chunk with this delta.
fn chunk(delta: Value) -> Value {
    json!({ "id": "r", "model": "m", "choices": [{ "index": 0, "delta": delta }] })
}

fn finish(reason: &str) -> Value {
    let choice = json!({ "index": 0, "delta": {}, "finish_reason": reason });
    json!({ "id": "r", "choices": [choice] })
}

fn calls(calls: Value) -> Value {
    chunk(json!({ "tool_calls": calls }))
}

fn done() -> Value {
    json!("[DONE]")
}

/// What lies between the start, which every stream has, and the end with this reason.
fn check(data: &[Value], expected: &[Event], stop: Stop) {
    let events = events(data).unwrap_or_else(|why| panic!("{data:?}: {why}"));
    let start = Event::Start {
        id: Some("r".to_owned()),
        model: Some("m".to_owned()),
        usage: Spent::default(),
    };
    let mut whole = vec![start];
    whole.extend_from_slice(expected);
    whole.extend([Event::Stop(stop), Event::End]);
    assert_eq!(events, whole, "{data:?}");
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

fn start(slot: u32, id: &str, name: &str) -> Event {
    Event::ToolStart { slot, id: id.to_owned(), name: name.to_owned() }
}

fn more(slot: u32, more: &str) -> Event {
    Event::ToolArguments { slot, more: more.to_owned() }
}

fn end(slot: u32) -> Event {
    Event::ToolEnd { slot }
}

#[test]
fn text_thoughts_and_refusals_in_every_form() {
    let data = [
        chunk(json!({ "role": "assistant", "content": null })),
        chunk(json!({ "reasoning_content": "t", "content": "" })),
        chunk(json!({ "reasoning": "u", "reasoning_details": [{ "text": "u" }] })),
        chunk(json!({ "content": [{ "type": "thinking", "thinking": [{ "text": "v" }] }] })),
        chunk(json!({ "content": "a" })),
        chunk(json!({ "content": [{ "type": "text", "text": "b" }] })),
        chunk(json!({ "refusal": "no" })),
        chunk(Value::Null),
        finish("stop"),
        done(),
    ];
    let thinking = |text: &str| Event::Thinking(text.to_owned());
    let expected = [
        thinking("t"),
        thinking("u"),
        thinking("v"),
        text("a"),
        text("b"),
        Event::Refusal("no".to_owned()),
    ];
    check(&data, &expected, Stop::EndTurn);
}

#[test]
fn an_end_is_told_with_done_or_a_reason_and_once() {
    let a = || chunk(json!({ "content": "a" }));
    check(&[a(), finish("length"), done(), done(), a()], &[text("a")], Stop::MaxTokens);
    check(&[a(), finish("length")], &[text("a")], Stop::MaxTokens);
    check(&[a(), done()], &[text("a")], Stop::EndTurn);
    check(&[a(), finish("stop"), finish("stop"), done()], &[text("a")], Stop::EndTurn);
    let cut = events(&[a()]).expect("readable");
    assert_eq!(cut.last(), Some(&text("a")));
    assert_eq!(events(&[]), Ok(vec![]));
    assert!(events(&[done()]).is_err());
}

#[test]
fn usage_is_told_once_wherever_it_comes() {
    let usage = |prompt: u64| json!({ "prompt_tokens": prompt, "completion_tokens": prompt });
    let with = |mut chunk: Value, usage: Value| {
        chunk["usage"] = usage;
        chunk
    };
    let alone = |usage| json!({ "id": "r", "choices": [], "usage": usage });
    let a = || chunk(json!({ "content": "a" }));
    let told = |data: &[Value]| {
        let events = events(data).expect("readable");
        let [.., Event::Stop(_), Event::Usage(usage), Event::End] = &events[..] else {
            panic!("{events:?}");
        };
        usage.prompt()
    };
    assert_eq!(told(&[a(), finish("stop"), alone(usage(7)), done()]), 7);
    assert_eq!(told(&[a(), with(finish("stop"), usage(7)), done()]), 7);
    assert_eq!(told(&[with(a(), usage(7)), finish("stop"), alone(Value::Null)]), 7);
    assert_eq!(told(&[with(a(), usage(3)), with(finish("stop"), usage(7)), alone(usage(7))]), 7);
    assert_eq!(told(&[with(a(), usage(7)), with(finish("stop"), usage(0)), done()]), 7);
    let azure = json!({ "id": "", "model": "", "choices": [], "prompt_filter_results": [] });
    check(&[azure, a(), finish("stop"), done()], &[text("a")], Stop::EndTurn);
}

#[test]
fn a_call_begins_with_id_and_name_whenever_they_come() {
    let expected = [start(0, "a", "f"), more(0, "{}"), end(0)];
    let function = |name: Value, arguments: &str| json!({ "name": name, "arguments": arguments });
    let index =
        |id: Value, function: Value| json!([{ "index": 0, "id": id, "function": function }]);
    for pieces in [
        vec![index(json!("a"), function(json!("f"), "{}"))],
        vec![
            index(json!("a"), function(json!("f"), "")),
            index(Value::Null, function(Value::Null, "{}")),
        ],
        vec![
            index(json!("a"), function(json!("f"), "")),
            index(json!(""), function(json!(""), "{}")),
        ],
        vec![
            index(json!("a"), function(json!("f"), "")),
            index(json!("a"), function(json!("f"), "{}")),
        ],
        vec![
            index(json!(""), function(json!("f"), "")),
            index(json!("a"), json!({ "arguments": "{}" })),
        ],
        vec![index(json!(""), function(json!("f"), "{}")), index(json!("a"), Value::Null)],
        vec![
            index(json!("a"), function(Value::Null, "{}")),
            index(Value::Null, function(json!("f"), "")),
        ],
        vec![json!([{ "id": "a", "function": { "name": "f", "arguments": {} } }])],
        vec![
            json!([{ "id": "a", "function": { "name": "f" } }]),
            json!([{ "function": { "arguments": "{}" } }]),
        ],
    ] {
        let mut data: Vec<_> = pieces.into_iter().map(calls).collect();
        data.extend([finish("tool_calls"), done()]);
        check(&data, &expected, Stop::ToolUse);
    }
}

#[test]
fn what_never_comes_is_made_up() {
    let one = |call: Value| [calls(json!([call])), finish("tool_calls"), done()];
    let nameless = one(json!({ "index": 0, "id": "a", "function": { "arguments": "{\"x\":1}" } }));
    check(&nameless, &[start(0, "a", "tool_0"), more(0, "{\"x\":1}"), end(0)], Stop::ToolUse);
    let no_id = one(json!({ "index": 0, "function": { "name": "f", "arguments": "" } }));
    check(&no_id, &[start(0, "call_r_0", "f"), end(0)], Stop::ToolUse);
    let nothing = one(json!({ "index": 0, "id": "a", "function": { "name": 123 } }));
    check(&nothing, &[], Stop::EndTurn);
    let late = [
        calls(json!([{ "index": 0, "function": { "name": "f" } }])),
        finish("tool_calls"),
        calls(json!([{ "index": 0, "id": "late" }])),
        done(),
    ];
    check(&late, &[start(0, "late", "f"), end(0)], Stop::ToolUse);
}

#[test]
fn calls_may_interleave_and_come_in_any_order() {
    let call = |index: u64, id: &str, arguments: &str| {
        let function = json!({ "name": id, "arguments": arguments });
        json!({ "index": index, "id": id, "function": function })
    };
    let piece = |index: u64, arguments: &str| {
        let function = json!({ "arguments": arguments });
        json!([{ "index": index, "function": function }])
    };
    let interleaved = [
        calls(json!([call(0, "a", ""), call(1, "b", "")])),
        calls(piece(0, "{\"x")),
        calls(piece(1, "{\"}")),
        calls(piece(0, "\":1}")),
        calls(piece(1, "\":2}")),
        finish("tool_calls"),
        done(),
    ];
    let expected = [
        start(0, "a", "a"),
        start(1, "b", "b"),
        more(0, "{\"x"),
        more(1, "{\"}"),
        more(0, "\":1}"),
        end(0),
        more(1, "\":2}"),
        end(1),
    ];
    check(&interleaved, &expected, Stop::ToolUse);
    let order = [calls(json!([call(2, "c", "{}"), call(0, "a", "{}")])), finish("stop"), done()];
    let expected =
        [start(0, "c", "c"), more(0, "{}"), end(0), start(1, "a", "a"), more(1, "{}"), end(1)];
    check(&order, &expected, Stop::ToolUse);
}

#[test]
fn another_id_or_name_is_another_call_whatever_the_index() {
    let expected =
        [start(0, "a", "f"), more(0, "{}"), end(0), start(1, "b", "f"), more(1, "{}"), end(1)];
    let function = json!({ "name": "f", "arguments": "{}" });
    let same = |id: &str| json!({ "index": 0, "id": id, "function": function });
    check(&[calls(json!([same("a"), same("b")])), done()], &expected, Stop::ToolUse);
    let none = |id: &str| json!({ "id": id, "function": function });
    check(
        &[calls(json!([none("a")])), calls(json!([none("b")])), done()],
        &expected,
        Stop::ToolUse,
    );
    let bare = json!({ "function": function });
    let expected = [
        start(0, "call_r_0", "f"),
        more(0, "{}"),
        end(0),
        start(1, "call_r_1", "f"),
        more(1, "{}"),
        end(1),
    ];
    check(&[calls(json!([bare, bare])), done()], &expected, Stop::ToolUse);
}

#[test]
fn a_call_of_the_old_form() {
    let piece = |call: Value| chunk(json!({ "function_call": call }));
    let data = [
        piece(json!({ "name": "f", "arguments": "" })),
        piece(json!({ "arguments": "{\"x\":" })),
        piece(json!({ "arguments": "1}" })),
        finish("function_call"),
        done(),
    ];
    let expected = [start(0, "call_r_0", "f"), more(0, "{\"x\":"), more(0, "1}"), end(0)];
    check(&data, &expected, Stop::ToolUse);
}

#[test]
fn errors_end_a_stream() {
    let failed = |kind: Option<&str>, message: &str| {
        Event::Failed(Failed { kind: kind.map(str::to_owned), message: message.to_owned() })
    };
    let last = |data: Value| {
        let events = events(&[chunk(json!({ "content": "a" })), data, finish("stop"), done()]);
        events.expect("readable").pop().expect("an event")
    };
    let error = json!({ "error": { "message": "busy", "type": "overloaded" } });
    assert_eq!(last(error), failed(Some("overloaded"), "busy"));
    assert_eq!(last(json!({ "error": "busy" })), failed(None, "busy"));
    let message = "the upstream broke the answer off: network_error";
    assert_eq!(last(finish("network_error")), failed(None, message));
    let first = events(&[json!({ "error": { "message": "busy" } }), done()]);
    assert_eq!(first, Ok(vec![failed(None, "busy")]));
    for broken in [json!("{not json}"), json!("<html>"), json!("[1]"), json!("5")] {
        assert!(events(&[chunk(json!({})), broken.clone()]).is_err(), "{broken}");
    }
}

#[test]
fn calls_without_end_are_bounded() {
    let held = "x".repeat(1 << 20);
    let piece = calls(json!([{ "index": 0, "function": { "arguments": held } }]));
    assert!(events(&vec![piece; 10]).is_err());
    let many: Vec<_> = (0..2000).map(|index| json!({ "index": index })).collect();
    assert!(events(&[calls(json!(many))]).is_err());
}
