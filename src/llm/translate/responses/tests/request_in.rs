use serde_json::{Value, json};

use super::super::super::conversation::*;
use super::super::read_request;

fn read(request: &Value) -> Conversation {
    read_request(request.to_string().as_bytes()).unwrap()
}

/// With `members` beside a model and an input.
fn with(members: &Value) -> Conversation {
    let mut request = json!({ "model": "m", "input": "hi" });
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    read(&request)
}

fn items(items: &Value) -> Vec<Turn> {
    with(&json!({ "input": items })).turns
}

#[track_caller]
fn refuses(request: &Value, field: &str) {
    let refused = read_request(request.to_string().as_bytes()).unwrap_err();
    assert_eq!(refused.field, field, "{refused}");
}

/// Turns, in short.
fn told(turns: &[Turn]) -> Vec<String> {
    let part = |part: &Part| match part {
        Part::Text { text, .. } => text.clone(),
        Part::Image { source, detail, .. } => format!("image {source:?} {detail:?}"),
        Part::Document { source, title, .. } => format!("document {source:?} {title:?}"),
        Part::Audio { format, .. } => format!("audio {format}"),
        Part::ToolCall(call) => {
            format!("{:?} {} {} {}", call.kind, call.id, call.name, call.arguments)
        }
        Part::ToolResult { id, parts, is_error, .. } => {
            format!("result {id} {parts} {is_error}", parts = parts.len())
        }
        Part::Thinking(thought) => format!("{thought:?}"),
        Part::Refusal(text) => format!("refusal {text}"),
    };
    let turn = |turn: &Turn| {
        let parts: Vec<_> = turn.parts.iter().map(part).collect();
        format!("{:?}: {}", turn.role, parts.join(" | "))
    };
    turns.iter().map(turn).collect()
}

#[test]
fn a_text_is_what_the_user_says() {
    let said = with(&json!({ "instructions": "be brief", "model": "gpt-x" }));
    assert_eq!(said.model, "gpt-x");
    assert_eq!(told(&said.turns), ["System: be brief", "User: hi"]);
    assert_eq!(said.delivery, Delivery::Whole);
}

#[test]
fn messages_come_in_all_forms() {
    let turns = items(&json!([
        { "role": "developer", "content": "d" },
        { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "u" }] },
        { "type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
          "phase": "final_answer",
          "content": [{ "type": "output_text", "text": "a", "annotations": [{ "type": "x" }] },
                      { "type": "refusal", "refusal": "no" }] },
        { "role": "system", "content": "late" },
        { "role": "user", "content": [] },
    ]));
    let expected =
        ["Developer: d", "User: u", "Assistant: a | refusal no", "System: late", "User: "];
    assert_eq!(told(&turns), expected);
}

#[test]
fn calls_are_one_turn_and_outputs_another() {
    let turns = items(&json!([
        { "role": "user", "content": "go" },
        { "type": "reasoning", "id": "rs_1", "summary": [{ "type": "summary_text", "text": "t" }] },
        { "type": "message", "role": "assistant", "content": "I look" },
        { "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\": 1}" },
        { "type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "*** x" },
        { "type": "function_call_output", "call_id": "c1", "output": "one" },
        { "type": "custom_tool_call_output", "call_id": "c2",
          "output": [{ "type": "input_text", "text": "two" },
                     { "type": "input_image", "image_url": "https://x/y.png" }] },
        { "role": "user", "content": "and?" },
    ]));
    let assistant =
        "Assistant: Plain(\"t\") | I look | Function c1 f {\"a\": 1} | Custom c2 p *** x";
    let expected =
        ["User: go", assistant, "User: result c1 1 false | result c2 2 false", "User: and?"];
    assert_eq!(told(&turns), expected);
}

#[test]
fn pictures_and_files_are_found() {
    let turns = items(&json!([{ "role": "user", "content": [
        { "type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low" },
        { "type": "input_image", "image_url": "https://x/y.png", "file_id": null },
        { "type": "input_image", "file_id": "file-1" },
        { "type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB" },
        { "type": "input_file", "file_data": "CCCC" },
        { "type": "input_file", "file_url": "https://x/y.pdf" },
        { "type": "input_file", "file_id": "file-2" },
        { "type": "input_file", "filename": "n.md", "file_data": "data:application/octet-stream;base64,aGk=" },
        { "type": "input_audio", "input_audio": { "data": "DDDD", "format": "mp3" } },
    ] }]));
    let expected = [
        r#"User: image Base64 { media_type: "image/png", data: "AAAA" } Some("low")"#,
        r#"image Url("https://x/y.png") None"#,
        r#"image File("file-1") None"#,
        r#"document Base64 { media_type: "application/pdf", data: "BBBB" } Some("a.pdf")"#,
        r#"document Base64 { media_type: "application/pdf", data: "CCCC" } None"#,
        r#"document Url("https://x/y.pdf") None"#,
        r#"document File("file-2") None"#,
        r#"document Text("hi") Some("n.md")"#,
        "audio mp3",
    ];
    assert_eq!(told(&turns), [expected.join(" | ")]);
}

#[test]
fn a_breakpoint_is_a_mark_for_the_cache() {
    let turns = items(&json!([{ "role": "user", "content": [
        { "type": "input_text", "text": "u", "prompt_cache_breakpoint": { "mode": "explicit" } },
    ] }]));
    let [Part::Text { cache: Some(cache), .. }] = turns[0].parts.as_slice() else { panic!() };
    assert_eq!(cache.get(), r#"{"type":"ephemeral"}"#);
}

#[test]
fn thoughts_are_told_apart() {
    let sealed = super::super::envelope::signed("t", "sig");
    let redacted = super::super::envelope::redacted("data");
    let thought = |item: Value| match items(&json!([item])).pop().and_then(|mut it| it.parts.pop())
    {
        Some(Part::Thinking(thought)) => Some(thought),
        _ => None,
    };
    let summary = json!([{ "type": "summary_text", "text": "t" }]);
    let signed = json!({ "type": "reasoning", "summary": summary, "encrypted_content": sealed });
    let (text, signature) = ("t".to_owned(), "sig".to_owned());
    assert_eq!(thought(signed), Some(Thought::Signed { text, signature }));
    let hidden = json!({ "type": "reasoning", "summary": [], "encrypted_content": redacted });
    assert_eq!(thought(hidden), Some(Thought::Redacted("data".to_owned())));
    let foreign = json!({ "type": "reasoning", "summary": summary, "encrypted_content": "gAAA" });
    assert_eq!(thought(foreign.clone()), Some(Thought::Item(foreign.to_string().into())));
    let raw = json!({ "type": "reasoning", "summary": [],
                      "content": [{ "type": "reasoning_text", "text": "r" }] });
    assert_eq!(thought(raw), Some(Thought::Plain("r".to_owned())));
    assert_eq!(thought(json!({ "type": "reasoning", "summary": [] })), None);
}

#[test]
fn hosted_records_are_left_out_and_machines_are_told() {
    let turns = items(&json!([
        { "type": "web_search_call", "id": "ws_1", "status": "completed" },
        { "type": "mcp_list_tools", "id": "m", "server_label": "s", "tools": [] },
        { "type": "local_shell_call", "id": "l", "call_id": "c1", "status": "completed",
          "action": { "type": "exec", "command": ["ls"] } },
        { "type": "local_shell_call_output", "id": "c1", "output": "x" },
        { "type": "apply_patch_call", "call_id": "c2", "status": "completed",
          "operation": { "type": "delete_file", "path": "p" } },
        { "type": "apply_patch_call_output", "call_id": "c2", "status": "failed" },
    ]));
    let expected = [
        r#"Assistant: Function c1 local_shell {"type":"exec","command":["ls"]}"#,
        "User: result c1 1 false",
        r#"Assistant: Function c2 apply_patch {"type":"delete_file","path":"p"}"#,
        "User: result c2 1 true",
    ];
    assert_eq!(told(&turns), expected);
}

/// As Codex sends them with the models that it knows.
#[test]
fn tools_among_the_items_are_tools() {
    let item = json!({ "type": "additional_tools", "role": "developer", "id": "at_1", "tools": [
        { "type": "namespace", "name": "functions", "tools": [{ "type": "custom", "name": "exec" }] },
        { "type": "function", "name": "f" },
    ]});
    let said = with(&json!({
        "tools": [{ "type": "function", "name": "f", "description": "the first" }],
        "tool_choice": "auto",
        "input": [item, { "role": "user", "content": "x" }, item],
    }));
    let [Tool::Function { description: Some(_), .. }, Tool::Custom { name, .. }] =
        said.tools.as_slice()
    else {
        panic!("{:?}", said.tools)
    };
    assert_eq!((name.as_str(), said.turns.len()), ("functions__exec", 1));
    assert_eq!(said.tool_choice, Some(ToolChoice::Auto));
    assert_eq!(said.into_asked().custom_tools, ["functions__exec"]);
}

#[test]
fn agents_are_heard_where_they_speak_plainly() {
    let message = |content: Value| {
        json!([{ "type": "agent_message", "author": "/root", "recipient": "/root/a",
                 "content": content }])
    };
    let plain = json!([
        { "type": "input_text", "text": "Type: NEW_TASK" },
        { "type": "encrypted_content", "encrypted_content": "Look at it." },
    ]);
    assert_eq!(told(&items(&message(plain))), ["User: Type: NEW_TASK | Look at it."]);
    assert!(items(&message(json!(null))).is_empty());
    let secret = message(json!([{ "type": "encrypted_content", "encrypted_content": "gAAAAABq" }]));
    let request = json!({ "model": "m", "input": secret });
    refuses(&request, "input[0].content[0].encrypted_content");
}

#[test]
fn tools_of_all_kinds() {
    let said = with(&json!({
        "parallel_tool_calls": false,
        "tool_choice": "auto",
        "tools": [
            { "type": "function", "name": "f", "description": "d", "strict": false,
              "parameters": { "type": "object", "x": 1.50 } },
            { "type": "custom", "name": "apply_patch",
              "format": { "type": "grammar", "syntax": "lark", "definition": "start: x" } },
            { "type": "namespace", "name": "mcp__files__", "description": "n",
              "tools": [{ "type": "function", "name": "read", "parameters": null }] },
            { "type": "web_search", "external_web_access": true },
            { "type": "image_generation", "output_format": "png" },
            { "type": "tool_search", "execution": "client" },
            { "type": "programmatic_tool_calling" },
        ],
    }));
    let [
        Tool::Function { name, schema: Some(schema), strict, .. },
        Tool::Custom { name: custom, format: Some(format), .. },
        Tool::Function { name: spaced, schema: None, .. },
        Tool::Hosted { kind: search, .. },
        Tool::Hosted { .. },
        Tool::Hosted { .. },
    ] = said.tools.as_slice()
    else {
        panic!("{:?}", said.tools)
    };
    assert_eq!((name.as_str(), *strict), ("f", Some(false)));
    assert_eq!(schema.get(), r#"{"type":"object","x":1.5}"#);
    assert_eq!(custom, "apply_patch");
    assert!(format.get().starts_with(r#"{"type":"grammar""#), "{format}");
    assert_eq!((spaced.as_str(), search.as_str()), ("mcp__files__read", "web_search"));
    assert_eq!(said.parallel_tools, Some(false));
    assert_eq!(said.tool_choice, Some(ToolChoice::Auto));
    assert_eq!(said.into_asked().custom_tools, ["apply_patch"]);
}

#[test]
fn schemas_keep_their_bytes() {
    let body = br#"{"model":"m","input":"x","tools":[{"type":"function","name":"f",
        "parameters":{ "type":"object", "big": 12345678901234567890123, "e":1e400 }}]}"#;
    let said = read_request(body).unwrap();
    let [Tool::Function { schema: Some(schema), .. }] = said.tools.as_slice() else { panic!() };
    let expected = r#"{ "type":"object", "big": 12345678901234567890123, "e":1e400 }"#;
    assert_eq!(schema.get(), expected);
}

#[test]
fn choices_in_all_forms() {
    let choose = |choice: Value| {
        with(&json!({ "tool_choice": choice, "tools": [
            { "type": "function", "name": "f", "parameters": {} },
            { "type": "custom", "name": "c" },
        ] }))
        .tool_choice
    };
    let tool = |name: &str| Some(ToolChoice::Tool(name.to_owned()));
    assert_eq!(choose(json!("none")), Some(ToolChoice::None));
    assert_eq!(choose(json!("required")), Some(ToolChoice::Required));
    assert_eq!(choose(json!({ "type": "function", "name": "f" })), tool("f"));
    assert_eq!(choose(json!({ "type": "custom", "name": "c" })), tool("c"));
    let allowed = json!({ "type": "allowed_tools", "mode": "required", "tools": [
        { "type": "function", "name": "f" }, { "type": "web_search" } ] });
    let names = vec!["f".to_owned()];
    assert_eq!(choose(allowed), Some(ToolChoice::Allowed { names, required: true }));
    assert_eq!(choose(Value::Null), None);
    let none = with(&json!({ "tool_choice": "auto", "parallel_tool_calls": true, "tools": [] }));
    assert_eq!((none.tool_choice, none.parallel_tools), (None, None), "without tools, no choice");
}

#[test]
fn settings_have_their_places() {
    let said = with(&json!({
        "reasoning": { "effort": "high", "summary": "auto" },
        "text": { "verbosity": "low", "format": {
            "type": "json_schema", "name": "n", "strict": true, "schema": { "type": "object" } } },
        "max_output_tokens": 9, "temperature": 0.5, "top_p": 1, "stream": true,
        "user": "u", "safety_identifier": "s", "service_tier": "flex",
        "store": false, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k",
        "truncation": null,
    }));
    let (effort, summary) = (Some("high".to_owned()), Some("auto".to_owned()));
    assert_eq!(said.reasoning, Reasoning { thinking: None, effort, summary });
    let Format::JsonSchema { name, strict: Some(true), .. } = &said.format else { panic!() };
    assert_eq!(name.as_deref(), Some("n"));
    assert_eq!((said.verbosity.as_deref(), said.max_tokens), (Some("low"), Some(9)));
    assert_eq!(said.delivery, Delivery::Stream(Usage::Told));
    assert_eq!((said.user.as_deref(), said.service_tier.as_deref()), (Some("s"), Some("flex")));
    let others: Vec<_> = said.others.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(others, ["store", "include", "prompt_cache_key"]);
}

#[test]
fn what_is_wrong_is_named() {
    let of = |item: Value| json!({ "model": "m", "input": [item] });
    refuses(&json!({ "model": "m" }), "input");
    refuses(&json!({ "model": 1, "input": "x" }), "model");
    refuses(&json!({ "model": "m", "input": 5 }), "input");
    refuses(&json!({ "model": "m", "input": "x", "stream": "true" }), "stream");
    refuses(&json!({ "model": "m", "input": "x", "max_output_tokens": -1 }), "max_output_tokens");
    refuses(&of(json!({ "role": "user", "content": 5 })), "input[0].content");
    refuses(&of(json!({ "role": "tool", "content": "x" })), "input[0].role");
    let part = json!({ "role": "user", "content": [{ "type": "input_text", "text": 1 }] });
    refuses(&of(part), "input[0].content[0].text");
    refuses(&of(json!({ "type": "item_reference", "id": "x" })), "input[0].type");
    refuses(&of(json!({ "id": "x" })), "input[0].type");
    refuses(&of(json!({ "type": "compaction", "encrypted_content": "x" })), "input[0].type");
    refuses(&of(json!({ "type": "function_call", "name": "f" })), "input[0].call_id");
    let tools = |tool: Value| json!({ "model": "m", "input": "x", "tools": [tool] });
    refuses(&tools(json!({ "type": "file_search", "vector_store_ids": [] })), "tools[0].type");
    refuses(&tools(json!({ "type": "function" })), "tools[0].name");
    refuses(&tools(json!({ "type": "function", "name": "" })), "tools[0].name");
    let choice = json!({ "model": "m", "input": "x", "tool_choice": "required" });
    refuses(&choice, "tool_choice");
    let twin = json!([{ "type": "function", "name": "a__b" },
        { "type": "namespace", "name": "a", "tools": [{ "type": "function", "name": "b" }] }]);
    refuses(&json!({ "model": "m", "input": "x", "tools": twin }), "tools[1].tools[0].name");
}

#[test]
fn no_body_is_too_strange() {
    let deep = format!(r#"{{"model":"m","input":"x","metadata":{}"#, "[".repeat(1_000_000));
    let twins: &[u8] = br#"{"model":"a","input":"x","model":"b"}"#;
    for body in [b"".as_slice(), b"[]", b"nonsense", b"\xff", deep.as_bytes(), twins] {
        assert!(read_request(body).is_err());
    }
    let deep = format!(r#"{{"model":"m","input":"{}"}}"#, "[".repeat(1000));
    assert!(read_request(deep.as_bytes()).is_ok(), "brackets in text are text");
}
