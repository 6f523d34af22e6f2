use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::llm::translate::conversation::{
    Delivery, Format, Source, Thinking, Thought, Tool, Usage,
};

/// What is read of turns: role and parts.
fn check(more: Value, expected: Value) {
    let read = read(&request(more));
    let shown: Vec<Value> = read.turns.iter().map(shown).collect();
    assert_eq!(Value::from(shown), expected);
}

fn check_refused(more: Value, expected: &str) {
    let body = request(more).to_string();
    assert_eq!(read_request(body.as_bytes()).unwrap_err().to_string(), expected, "{body}");
}

/// A message of the user with this content.
fn user(content: Value) -> Value {
    json!({ "messages": [{ "role": "user", "content": content }] })
}

fn assistant(content: Value) -> Value {
    json!({ "messages": [{ "role": "assistant", "content": content }] })
}

fn shown(turn: &Turn) -> Value {
    let role = format!("{:?}", turn.role).to_lowercase();
    json!([role, turn.parts.iter().map(part).collect::<Vec<_>>()])
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text { text, cache: None } => json!(text),
        Part::Text { text, cache } => json!([text, raw(cache.as_deref())]),
        Part::Image { source, cache, .. } => json!(["image", place(source), raw(cache.as_deref())]),
        Part::Document { source, title, .. } => json!(["document", place(source), title]),
        Part::ToolCall(call) => json!(["call", call.id, call.name, call.arguments]),
        Part::ToolResult { id, parts, is_error, cache } => {
            let parts: Vec<Value> = parts.iter().map(self::part).collect();
            json!(["result", id, parts, is_error, raw(cache.as_deref())])
        }
        Part::Thinking(Thought::Plain(text)) => json!(["plain", text]),
        Part::Thinking(Thought::Signed { text, signature }) => json!(["signed", text, signature]),
        Part::Thinking(Thought::Redacted(data)) => json!(["redacted", data]),
        Part::Thinking(Thought::Item(_)) | Part::Audio { .. } | Part::Refusal(_) => json!("?"),
    }
}

fn place(source: &Source) -> Value {
    match source {
        Source::Base64 { media_type, data } => json!([media_type, data]),
        Source::Url(url) => json!(url),
        Source::File(id) => json!({ "file": id }),
        Source::Text(text) => json!({ "text": text }),
    }
}

fn raw(raw: Option<&RawValue>) -> Value {
    raw.map_or(Value::Null, |raw| serde_json::from_str(raw.get()).unwrap())
}

#[test]
fn system_is_text_or_blocks_and_first_wherever_it_stands() {
    let user = json!(["user", ["Hi"]]);
    check(json!({ "system": "Be kind." }), json!([["system", ["Be kind."]], user]));
    check(json!({ "system": "" }), json!([user]));
    check(json!({ "system": null }), json!([user]));
    let line = "x-anthropic-billing-header: cc_version=2.1; cch=0;";
    let cache = json!({ "type": "ephemeral" });
    check(
        json!({ "system": [
            { "type": "text", "text": line },
            { "type": "text", "text": "Be kind.", "cache_control": cache },
        ] }),
        json!([["system", [line, ["Be kind.", cache]]], user]),
    );
}

#[test]
fn system_messages_stay_in_their_places() {
    check(
        json!({ "system": "A", "messages": [
            { "role": "user", "content": "Hi" },
            { "role": "system", "content": "B" },
            { "role": "assistant", "content": [{ "type": "text", "text": "Yes?" }] },
            { "role": "system", "content": [{ "type": "text", "text": "C" }] },
        ] }),
        json!([
            ["system", ["A"]],
            ["user", ["Hi"]],
            ["system", ["B"]],
            ["assistant", ["Yes?"]],
            ["system", ["C"]],
        ]),
    );
}

#[test]
fn users_send_text_images_and_documents() {
    check(
        user(json!([
            { "type": "text", "text": "Look", "citations": null },
            { "type": "image",
              "source": { "type": "base64", "media_type": "image/png", "data": "AA" } },
            { "type": "image", "source": { "type": "url", "url": "https://x/y.png" } },
            { "type": "image", "source": { "type": "file", "file_id": "file_1" } },
            { "type": "document", "title": "T",
              "source": { "type": "base64", "media_type": "application/pdf", "data": "JV" } },
            { "type": "document", "source": { "type": "url", "url": "https://x/y.pdf" } },
            { "type": "document",
              "source": { "type": "text", "media_type": "text/plain", "data": "plain" } },
            { "type": "document", "source": { "type": "content", "content": [
                { "type": "text", "text": "one" }, { "type": "text", "text": "two" }] } },
            { "type": "document", "source": { "type": "content", "content": "three" } },
            { "type": "search_result", "source": "https://x", "title": "Found",
              "content": [{ "type": "text", "text": "this" }] },
        ])),
        json!([["user", [
            "Look",
            ["image", ["image/png", "AA"], null],
            ["image", "https://x/y.png", null],
            ["image", { "file": "file_1" }, null],
            ["document", ["application/pdf", "JV"], "T"],
            ["document", "https://x/y.pdf", null],
            ["document", { "text": "plain" }, null],
            ["document", { "text": "one\ntwo" }, null],
            ["document", { "text": "three" }, null],
            ["document", { "text": "this" }, "Found"],
        ]]]),
    );
}

#[test]
fn results_of_tools_come_in_all_forms() {
    let result =
        |content: Value| json!([{ "type": "tool_result", "tool_use_id": "t", "content": content }]);
    let read = |parts: Value| json!([["user", [["result", "t", parts, false, null]]]]);
    check(user(result(json!("ok"))), read(json!(["ok"])));
    check(user(result(json!(""))), read(json!([])));
    check(user(result(json!(null))), read(json!([])));
    check(user(result(json!({ "a": 1 }))), read(json!([r#"{"a":1}"#])));
    check(user(result(json!(3))), read(json!(["3"])));
    check(
        user(result(json!([{ "type": "tool_reference", "tool_name": "f" }]))),
        read(json!(["f"])),
    );
    check(
        user(result(json!([{ "type": "text", "text": "ok" },
            { "type": "image", "source": { "type": "url", "url": "u" } }]))),
        read(json!(["ok", ["image", "u", null]])),
    );
    check(
        user(json!([{ "type": "tool_result", "tool_use_id": "t", "is_error": true,
            "cache_control": { "type": "ephemeral" } }])),
        json!([["user", [["result", "t", [], true, { "type": "ephemeral" }]]]]),
    );
}

#[test]
fn calls_keep_their_input_byte_for_byte() {
    let body = r#"{"model":"m","messages":[{"role":"assistant","content":[
        {"type":"tool_use","id":"t","name":"f","input":{"a": 1.0,  "b":"\u00e4"}}]}]}"#;
    let said = read_request(body.as_bytes()).unwrap();
    let expected = json!(["call", "t", "f", r#"{"a": 1.0,  "b":"\u00e4"}"#]);
    assert_eq!(part(&said.turns[0].parts[0]), expected);
}

#[test]
fn thoughts_are_signed_or_plain() {
    check(
        assistant(json!([
            { "type": "thinking", "thinking": "A", "signature": "sig" },
            { "type": "thinking", "thinking": "B", "signature": "" },
            { "type": "thinking", "thinking": "C" },
            { "type": "thinking", "thinking": " \n" },
            { "type": "redacted_thinking", "data": "xyz" },
            { "type": "text", "text": "So." },
        ])),
        json!([[
            "assistant",
            [["signed", "A", "sig"], ["plain", "B"], ["plain", "C"], ["redacted", "xyz"], "So."]
        ]]),
    );
    check(
        user(json!([{ "type": "thinking", "thinking": "mine" }, { "type": "text", "text": "Hi" }])),
        json!([["user", ["Hi"]]]),
    );
}

#[test]
fn what_the_providers_tools_left_is_left_out() {
    check(
        assistant(json!([
            { "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "q": "x" } },
            { "type": "web_search_tool_result", "tool_use_id": "s", "content": [] },
            { "type": "mcp_tool_use", "id": "s", "name": "n", "input": {}, "server_name": "x" },
            { "type": "mcp_tool_result", "tool_use_id": "s", "content": "x" },
            { "type": "compaction", "content": "So far.", "encrypted_content": "x" },
            { "type": "compaction", "content": null },
            { "type": "text", "text": "Found." },
        ])),
        json!([["assistant", ["So far.", "Found."]]]),
    );
}

#[test]
fn settings_find_their_places() {
    let said = read(&request(json!({
        "temperature": 0.5, "top_p": 0.9, "top_k": 3, "stream": true, "service_tier": "auto",
        "stop_sequences": ["a", "b"], "metadata": { "user_id": "u", "more": 1 },
        "context_management": { "edits": [] }, "container": null,
    })));
    assert_eq!(said.model, "m");
    assert_eq!(said.max_tokens, Some(10));
    assert_eq!(said.stop, ["a", "b"]);
    assert_eq!(said.temperature.unwrap().as_f64(), Some(0.5));
    assert_eq!(said.top_k.unwrap().as_u64(), Some(3));
    assert_eq!(said.user.as_deref(), Some("u"));
    assert_eq!(said.service_tier.as_deref(), Some("auto"));
    assert_eq!(said.delivery, Delivery::Stream(Usage::Told));
    let others: Vec<&str> = said.others.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(others, ["context_management"]);
}

#[test]
fn thinking_is_read_in_each_form() {
    let check = |thinking: Value, expected: Option<Thinking>, summary: Option<&str>| {
        let said = read(&request(json!({ "thinking": thinking })));
        assert_eq!(said.reasoning.thinking, expected, "{thinking}");
        assert_eq!(said.reasoning.summary.as_deref(), summary, "{thinking}");
    };
    check(json!({ "type": "adaptive" }), Some(Thinking::Adaptive), Some("auto"));
    check(json!({ "type": "adaptive", "display": "omitted" }), Some(Thinking::Adaptive), None);
    let budget = json!({ "type": "enabled", "budget_tokens": 2000 });
    check(budget, Some(Thinking::Budget(2000)), Some("auto"));
    check(json!({ "type": "disabled" }), Some(Thinking::Disabled), None);
    check(json!({ "type": "between_tools" }), None, None);
    let said = read(&request(json!({ "output_config": { "effort": "xhigh" } })));
    assert_eq!(said.reasoning.effort.as_deref(), Some("xhigh"));
}

#[test]
fn formats_come_by_either_name_and_are_strict_if_they_can_be() {
    let check = |more: Value, expected: &str, strict: Option<bool>| {
        let said = read(&request(more));
        let Format::JsonSchema { schema, strict: found, .. } = said.format else { panic!() };
        assert_eq!((schema.get(), found), (expected, strict));
    };
    let open = json!({ "type": "object", "properties": { "a": {} } });
    let closed = json!({ "type": "object", "properties": { "a": {} }, "required": ["a"],
        "additionalProperties": false });
    let format = |schema: &Value| json!({ "type": "json_schema", "schema": schema });
    check(json!({ "output_format": format(&open) }), &open.to_string(), None);
    let both =
        json!({ "output_config": { "format": format(&closed) }, "output_format": format(&open) });
    check(both, &closed.to_string(), Some(true));
}

#[test]
fn tools_are_functions_or_hosted() {
    let said = read(&request(json!({ "tools": [
        { "name": "f", "description": "d", "input_schema": { "type": "object" } },
        { "type": "custom", "name": "g", "input_schema": { "type": "object" },
          "cache_control": { "type": "ephemeral" } },
        { "type": "web_search_20250305", "name": "web_search" },
    ], "tool_choice": { "type": "any", "disable_parallel_tool_use": true } })));
    let [Tool::Function { name, .. }, Tool::Function { cache, .. }, Tool::Hosted { kind, .. }] =
        &said.tools[..]
    else {
        panic!("{:?}", said.tools);
    };
    assert_eq!((name.as_str(), kind.as_str()), ("f", "web_search_20250305"));
    assert!(cache.is_some());
    assert_eq!(said.parallel_tools, Some(false));
}

#[test]
fn what_breaks_the_dialect_is_refused_by_its_path() {
    check_refused(user(json!(3)), "messages[0].content: it must be text or a list of blocks");
    check_refused(
        user(json!([{ "type": "text", "text": 3 }])),
        "messages[0].content[0]: invalid type: integer `3`, expected a string",
    );
    check_refused(user(json!([{ "type": "text" }])), "messages[0].content[0].text: it is missing");
    check_refused(json!({ "messages": {} }), "messages: invalid type: map, expected a sequence");
    check_refused(
        json!({ "messages": [{ "role": "robot", "content": "x" }] }),
        "messages[0].role: the roles are `user`, `assistant` and `system`",
    );
    check_refused(
        json!({ "stream": "true" }),
        "stream: invalid type: string \"true\", expected a boolean",
    );
    check_refused(
        json!({ "max_tokens": 1.5 }),
        "max_tokens: invalid type: floating point `1.5`, expected u64",
    );
    check_refused(
        user(json!([{ "type": "container_upload", "file_id": "f" }])),
        "messages[0].content[0].type: `container_upload` has no counterpart here; send text, \
         images, documents or tools",
    );
    check_refused(
        json!({ "tool_choice": { "type": "perhaps" } }),
        "tool_choice.type: the choices are `auto`, `any`, `tool` and `none`",
    );
    check_refused(json!({ "tools": [{ "input_schema": {} }] }), "tools[0].name: it is missing");
    check_refused(json!({ "model": null }), "model: it is missing; name a model");
}

#[test]
fn bodies_that_are_no_requests_are_refused() {
    let check = |body: &str, start: &str| {
        let refused = read_request(body.as_bytes()).unwrap_err().to_string();
        assert!(refused.starts_with(start), "{refused}");
    };
    check("[]", "body: it is no JSON object");
    check("", "body: it is no JSON object");
    check("\u{feff}{}", "body: it is no JSON object");
    check(r#"{"model":"m"}"#, "messages: it is missing");
    check(r#"{"model":"m","model":"n","messages":[]}"#, "model: it is there twice");
    let lone = r#"{"model":"m","messages":[{"role":"user","content":"\ud800"}]}"#;
    check(lone, "messages[0].content:");
    let deep = format!(r#"{{"model":"m","messages":{}"#, "[".repeat(1_000_000));
    check(&deep, "body: it is no JSON object");
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let closed = format!(r#"{{"model":"m","messages":{open}{close}}}"#);
    check(&closed, "body: it is no JSON object");
}
