use serde_json::json;

use super::*;
use crate::llm::translate::conversation::{CallKind, Role, Source, Thought, ToolCall};

/// The messages that become of turns.
fn check(turns: Vec<Turn>, expected: Value) {
    assert_eq!(write(&said(turns))["messages"], expected);
}

fn call(id: &str, arguments: &str) -> Part {
    let (id, name, arguments) = (id.to_owned(), "f".to_owned(), arguments.to_owned());
    Part::ToolCall(ToolCall { id, name, arguments, kind: CallKind::Function })
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult { id: id.to_owned(), parts, is_error: false, cache: None }
}

fn thought(signature: &str) -> Part {
    let (text, signature) = ("Hm.".to_owned(), signature.to_owned());
    Part::Thinking(Thought::Signed { text, signature })
}

fn user(words: &str) -> Turn {
    turn(Role::User, [text(words)])
}

/// What this dialect says comes back as it was.
#[test]
fn requests_of_this_dialect_survive() {
    let cache = json!({ "type": "ephemeral", "ttl": "1h" });
    let body = json!({
        "model": "m",
        "max_tokens": 2000,
        "tools": [
            { "name": "f", "description": "d", "input_schema": { "type": "object" },
              "strict": true },
            { "name": "g", "input_schema": { "type": "object", "properties": {} },
              "cache_control": cache },
        ],
        "system": [
            { "type": "text", "text": "A", "cache_control": cache },
            { "type": "text", "text": "B" },
        ],
        "messages": [
            { "role": "user", "content": [
                { "type": "text", "text": "Look", "cache_control": cache },
                { "type": "image", "source": { "type": "url", "url": "u" } },
                { "type": "document", "source":
                    { "type": "base64", "media_type": "application/pdf", "data": "JV" },
                  "title": "T" },
            ] },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "Hm.", "signature": "sig" },
                { "type": "redacted_thinking", "data": "xyz" },
                { "type": "text", "text": "Let me see." },
                { "type": "tool_use", "id": "t", "name": "f", "input": { "a": 1 } },
            ] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "t", "content": "no", "is_error": true },
                { "type": "text", "text": "Well?" },
            ] },
        ],
        "tool_choice": { "type": "auto", "disable_parallel_tool_use": true },
        "stop_sequences": ["END"],
        "thinking": { "type": "enabled", "budget_tokens": 1500 },
        "output_config": { "effort": "high", "format":
            { "type": "json_schema", "schema": { "type": "object" } } },
        "metadata": { "user_id": "u" },
        "stream": true,
    });
    let mut written = read(&body);
    written.tools.iter_mut().for_each(keep_strict);
    assert_eq!(write(&written), body);
}

/// Reading relaxes what OpenAI would refuse.
fn keep_strict(tool: &mut crate::llm::translate::conversation::Tool) {
    if let crate::llm::translate::conversation::Tool::Function { name, strict, .. } = tool {
        *strict = (name == "f").then_some(true);
    }
}

#[test]
fn system_is_hoisted_from_everywhere() {
    let said = said(vec![
        turn(Role::System, [text("A")]),
        user("Hi"),
        turn(Role::Developer, [text(" "), text("B")]),
        turn(Role::System, [text("C")]),
        user("there"),
    ]);
    let written = write(&said);
    let block = |text: &str| json!({ "type": "text", "text": text });
    assert_eq!(written["system"], json!([block("A"), block("B"), block("C")]));
    assert_eq!(
        written["messages"],
        json!([
            { "role": "user", "content": [block("Hi"), block("there")] },
        ])
    );
}

#[test]
fn one_system_text_is_a_string() {
    let said = said(vec![turn(Role::System, [text("A")]), user("Hi")]);
    let written = write(&said);
    assert_eq!(written["system"], "A");
    assert_eq!(written["messages"], json!([{ "role": "user", "content": "Hi" }]));
}

#[test]
fn nothing_but_a_system_is_refused() {
    let why = "messages: nothing is said to the model; send a user message";
    assert_eq!(refusal(&said(vec![turn(Role::System, [text("A")])])), why);
    assert_eq!(refusal(&said(vec![user(" ")])), why);
}

#[test]
fn results_of_parallel_calls_come_in_one_turn_and_first() {
    check(
        vec![
            user("Go"),
            turn(Role::Assistant, [call("a", "{}")]),
            turn(Role::Assistant, [call("b", r#"{"x":1}"#)]),
            turn(Role::User, [result("a", vec![text("1")])]),
            user("and"),
            turn(Role::User, [result("b", vec![text("2"), text("3")])]),
        ],
        json!([
            { "role": "user", "content": "Go" },
            { "role": "assistant", "content": [
                { "type": "tool_use", "id": "a", "name": "f", "input": {} },
                { "type": "tool_use", "id": "b", "name": "f", "input": { "x": 1 } },
            ] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "a", "content": "1" },
                { "type": "tool_result", "tool_use_id": "b", "content": [
                    { "type": "text", "text": "2" }, { "type": "text", "text": "3" }] },
                { "type": "text", "text": "and" },
            ] },
        ]),
    );
}

#[test]
fn empty_text_and_empty_turns_are_left_out() {
    check(
        vec![
            user("Hi"),
            turn(Role::Assistant, [text("")]),
            turn(Role::User, [text("\n"), text("again")]),
            turn(Role::Assistant, [text(""), call("a", "")]),
            turn(Role::User, [result("a", vec![text("")])]),
        ],
        json!([
            { "role": "user", "content": [
                { "type": "text", "text": "Hi" }, { "type": "text", "text": "again" }] },
            { "role": "assistant", "content": [
                { "type": "tool_use", "id": "a", "name": "f", "input": {} }] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "a" }] },
        ]),
    );
}

#[test]
fn ids_are_spelt_in_the_alphabet_and_stay_apart() {
    let ids = ["a.b", "a_b", "a b", "", "ok-1"];
    let calls = ids.map(|id| call(id, "{}"));
    let results = ids.map(|id| result(id, vec![text("x")]));
    let written = write(&said(vec![turn(Role::Assistant, calls), turn(Role::User, results)]));
    let spelt = |turn: usize, name: &str| {
        let content = written["messages"][turn]["content"].as_array().unwrap();
        content.iter().map(|block| block[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(spelt(0, "id"), ["a_b", "a_b_2", "a_b_3", "call", "ok-1"]);
    assert_eq!(spelt(0, "id"), spelt(1, "tool_use_id"));
}

#[test]
fn input_is_always_an_object() {
    let check = |arguments: &str, expected: Value| {
        let written = write(&said(vec![user("x"), turn(Role::Assistant, [call("a", arguments)])]));
        assert_eq!(written["messages"][1]["content"][0]["input"], expected);
    };
    check("", json!({}));
    check(" ", json!({}));
    check("null", json!({}));
    check(r#" {"a":1} "#, json!({ "a": 1 }));
    check(r#""{\"a\":1}""#, json!({ "a": 1 }));
    check(r#"{"a":"#, json!({ "input": r#"{"a":"# }));
    check("[1]", json!({ "input": "[1]" }));
    check("{} {}", json!({ "input": "{} {}" }));
}

#[test]
fn a_custom_call_carries_its_text_as_input() {
    let patch = ToolCall {
        id: "a".to_owned(),
        name: "patch".to_owned(),
        arguments: "*** Begin".to_owned(),
        kind: CallKind::Custom,
    };
    check(
        vec![turn(Role::Assistant, [Part::ToolCall(patch)])],
        json!([{ "role": "assistant", "content": [
            { "type": "tool_use", "id": "a", "name": "patch", "input": { "input": "*** Begin" } },
        ] }]),
    );
}

#[test]
fn only_signed_thoughts_go_back_and_before_their_calls() {
    check(
        vec![
            user("Hi"),
            turn(Role::Assistant, [Part::Thinking(Thought::Plain("Hm.".to_owned())), thought("s")]),
            turn(Role::Assistant, [call("a", "{}")]),
            turn(Role::Assistant, [Part::Thinking(Thought::Item("{}".into()))]),
        ],
        json!([
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "Hm.", "signature": "s" },
                { "type": "tool_use", "id": "a", "name": "f", "input": {} },
            ] },
        ]),
    );
}

#[test]
fn a_beginning_that_is_to_be_gone_on_from_has_no_blanks_behind() {
    check(
        vec![user("Hi "), turn(Role::Assistant, [text("So: \n")])],
        json!([
            { "role": "user", "content": "Hi " },
            { "role": "assistant", "content": "So:" },
        ]),
    );
    check(
        vec![user("Hi"), turn(Role::Assistant, [text("So: ")]), user("On")],
        json!([
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "content": "So: " },
            { "role": "user", "content": "On" },
        ]),
    );
}

#[test]
fn refusals_of_earlier_turns_are_text() {
    check(
        vec![user("Hi"), turn(Role::Assistant, [Part::Refusal("No.".to_owned())]), user("Why?")],
        json!([
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "content": "No." },
            { "role": "user", "content": "Why?" },
        ]),
    );
}

#[test]
fn documents_are_pdf_or_text() {
    let base64 = |media_type: &str, data: &str| Source::Base64 {
        media_type: media_type.to_owned(),
        data: data.to_owned(),
    };
    let document =
        |source: Source| Part::Document { source, title: Some("T".to_owned()), cache: None };
    let image = |source: Source| Part::Image { source, detail: None, cache: None };
    check(
        vec![turn(
            Role::User,
            [
                document(base64("text/csv", "YSxi")),
                image(base64("application/pdf", "JV")),
                image(base64("image/jpg", "AA")),
            ],
        )],
        json!([{ "role": "user", "content": [
            { "type": "document", "title": "T",
              "source": { "type": "text", "media_type": "text/plain", "data": "a,b" } },
            { "type": "document",
              "source": { "type": "base64", "media_type": "application/pdf", "data": "JV" } },
            { "type": "image",
              "source": { "type": "base64", "media_type": "image/jpeg", "data": "AA" } },
        ] }]),
    );
    let refused = |part: Part| refusal(&said(vec![turn(Role::User, [part])]));
    let why = "file_data: the model cannot read `application/zip`; send PDF or plain text";
    assert_eq!(refused(document(base64("application/zip", "AA"))), why);
    let why = "file_id: the file is with another provider; send its data or its URL";
    assert_eq!(refused(document(Source::File("f".to_owned()))), why);
    let sound = Part::Audio { data: "AA".to_owned(), format: "wav".to_owned() };
    assert_eq!(refused(sound), "input_audio: the model cannot hear; send text");
}
