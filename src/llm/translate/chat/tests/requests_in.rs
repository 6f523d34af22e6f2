//! Requests, read.

use serde_json::{Value, json};

use super::super::super::conversation::{
    CallKind, Delivery, Format, Part, Role, Source, Thinking, Thought, Tool, ToolCall, ToolChoice,
    Turn, Usage,
};
use super::read;

/// The first message's turn.
fn check_turn(message: Value, check: impl FnOnce(Turn)) {
    let request = json!({ "model": "m", "messages": [message] });
    let mut said = read(&request).unwrap_or_else(|refused| panic!("{request}: {refused}"));
    check(said.turns.remove(0));
}

fn check_part(part: Value, expected: &Part) {
    check_turn(json!({ "role": "user", "content": [part] }), |turn| {
        assert_eq!(format!("{:?}", turn.parts), format!("[{expected:?}]"));
    });
}

/// What is said about a request with these members.
fn check_refused(members: Value, field: &str) {
    let mut request = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
    for (name, value) in members.as_object().expect("members") {
        request[name] = value.clone();
    }
    let refused = read(&request).expect_err(&request.to_string());
    assert_eq!(refused.field, field, "{refused}");
}

fn base64(media_type: &str) -> Source {
    Source::Base64 { media_type: media_type.to_owned(), data: "aGk=".to_owned() }
}

#[test]
fn every_role_has_its_turn() {
    for (name, role) in
        [("system", Role::System), ("developer", Role::Developer), ("user", Role::User)]
    {
        check_turn(json!({ "role": name, "content": "hi" }), |turn| {
            assert_eq!(turn.role, role);
            assert!(matches!(&turn.parts[..], [Part::Text { text, .. }] if text == "hi"));
        });
    }
    check_turn(json!({ "role": "tool", "tool_call_id": "a", "content": "ok" }), |turn| {
        assert_eq!(turn.role, Role::User);
        assert!(matches!(&turn.parts[..], [Part::ToolResult { id, .. }] if id == "a"));
    });
}

#[test]
fn an_assistant_thinks_speaks_and_calls_in_this_order() {
    let message = json!({
        "role": "assistant", "content": "said", "reasoning_content": "thought",
        "tool_calls": [
            { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } },
            { "id": "b", "type": "custom", "custom": { "name": "g", "input": "free" } },
        ],
    });
    let call = |id: &str, name: &str, arguments: &str, kind| {
        let (id, name, arguments) = (id.to_owned(), name.to_owned(), arguments.to_owned());
        Part::ToolCall(ToolCall { id, name, arguments, kind })
    };
    let expected = [
        Part::Thinking(Thought::Plain("thought".to_owned())),
        super::text("said"),
        call("a", "f", "{}", CallKind::Function),
        call("b", "g", "free", CallKind::Custom),
    ];
    check_turn(message, |turn| {
        assert_eq!(turn.role, Role::Assistant);
        assert_eq!(format!("{:?}", turn.parts), format!("{expected:?}"));
    });
}

#[test]
fn thoughts_stand_under_several_names() {
    for message in [
        json!({ "role": "assistant", "content": null, "reasoning": "t" }),
        json!({ "role": "assistant", "reasoning_content": { "text": "t" } }),
        json!({ "role": "assistant", "reasoning_details": [{ "type": "x", "text": "t" }] }),
        json!({ "role": "assistant", "content": [{ "type": "thinking", "thinking": "t" }] }),
    ] {
        check_turn(message, |turn| {
            let plain = Part::Thinking(Thought::Plain("t".to_owned()));
            assert_eq!(format!("{:?}", turn.parts), format!("[{plain:?}]"));
        });
    }
}

#[test]
fn calls_of_the_old_form_find_their_results_by_name() {
    let call = json!({ "name": "f", "arguments": "{}" });
    let request = json!({ "model": "m", "messages": [
        { "role": "assistant", "content": null, "function_call": call },
        { "role": "function", "name": "f", "content": "one" },
        { "role": "assistant", "function_call": call },
        { "role": "function", "name": "f", "content": "two" },
    ] });
    let said = read(&request).expect("a request");
    let ids: Vec<_> = said.turns.iter().flat_map(|turn| &turn.parts).collect();
    let [
        Part::ToolCall(one),
        Part::ToolResult { id: first, .. },
        Part::ToolCall(two),
        Part::ToolResult { id: second, .. },
    ] = &ids[..]
    else {
        panic!("{ids:?}");
    };
    assert_eq!((&one.id, &two.id), (first, second));
    assert_ne!(one.id, two.id);
}

#[test]
fn pictures_and_documents_are_told_apart_by_what_they_are() {
    let image = |source| Part::Image { source, detail: None, cache: None };
    let document = |source, title: Option<&str>| Part::Document {
        source,
        title: title.map(str::to_owned),
        cache: None,
    };
    let url = |url: &str| json!({ "type": "image_url", "image_url": { "url": url } });
    let file = |data: &str| json!({ "type": "file", "file": { "file_data": data } });
    let far = || Source::Url("https://e.test/a.png".to_owned());
    check_part(url("https://e.test/a.png"), &image(far()));
    check_part(json!({ "type": "image_url", "image_url": "https://e.test/a.png" }), &image(far()));
    check_part(url("data:image/png;base64,aGk="), &image(base64("image/png")));
    let pdf = || document(base64("application/pdf"), None);
    check_part(url("data:application/pdf;base64,aGk="), &pdf());
    check_part(file("data:application/pdf;base64,aGk="), &pdf());
    check_part(file("aGk="), &pdf());
    check_part(
        file("data:text/plain;charset=utf-8;base64,aGk="),
        &document(Source::Text("hi".to_owned()), None),
    );
    check_part(
        json!({ "type": "file", "file": { "file_id": "f1", "filename": "a.pdf" } }),
        &document(Source::File("f1".to_owned()), Some("a.pdf")),
    );
}

#[test]
fn other_parts() {
    let audio =
        json!({ "type": "input_audio", "input_audio": { "data": "aGk=", "format": "wav" } });
    let (data, format) = ("aGk=".to_owned(), "wav".to_owned());
    check_part(audio, &Part::Audio { data, format });
    check_part(json!({ "type": "refusal", "refusal": "no" }), &Part::Refusal("no".to_owned()));
}

#[test]
fn marks_of_a_cache_are_read_wherever_they_stand() {
    let mark = r#"{"type":"ephemeral"}"#;
    let cached = |turn: Turn| match turn.parts.into_iter().next_back() {
        Some(Part::Text { cache, .. } | Part::ToolResult { cache, .. }) => {
            assert_eq!(cache.expect("a mark").get(), mark);
        }
        other => panic!("{other:?}"),
    };
    let part = json!({ "type": "text", "text": "a", "cache_control": { "type": "ephemeral" } });
    check_turn(json!({ "role": "user", "content": [part] }), cached);
    let point = json!({ "type": "text", "text": "a", "prompt_cache_breakpoint": { "mode": "x" } });
    check_turn(json!({ "role": "user", "content": [point] }), cached);
    let control = json!({ "type": "ephemeral" });
    check_turn(json!({ "role": "user", "content": "a", "cache_control": control }), cached);
    let tool =
        json!({ "role": "tool", "tool_call_id": "a", "content": "", "cache_control": control });
    check_turn(tool, cached);
}

#[test]
fn tools_keep_their_schemas_byte_for_byte() {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"a"}],"tools":[
        {"type":"function",
            "function":{"name":"f","parameters":{ "b": 1.0,  "a":1e2 },"strict":true}},
        {"type":"custom","custom":{"name":"g","format":{"type":"grammar",
            "grammar":{"syntax":"lark","definition":"s: A"}}}},
        {"type":"web_search","x":1}]}"#;
    let said = super::super::read_request(body).expect("a request");
    let [
        Tool::Function { name, schema: Some(schema), strict: Some(true), .. },
        Tool::Custom { format: Some(format), .. },
        Tool::Hosted { kind, raw },
    ] = &said.tools[..]
    else {
        panic!("{:?}", said.tools);
    };
    assert_eq!((name.as_str(), schema.get()), ("f", r#"{ "b": 1.0,  "a":1e2 }"#));
    assert_eq!(format.get(), r#"{"type":"grammar","syntax":"lark","definition":"s: A"}"#);
    assert_eq!((kind.as_str(), raw.get()), ("web_search", r#"{"type":"web_search","x":1}"#));
}

#[test]
fn every_form_of_a_choice_is_read() {
    let check = |choice: Value, expected: ToolChoice| {
        let request = json!({
            "model": "m", "messages": [{ "role": "user", "content": "a" }], "tool_choice": choice,
        });
        assert_eq!(read(&request).expect("a request").tool_choice, Some(expected));
    };
    check(json!("auto"), ToolChoice::Auto);
    check(json!("none"), ToolChoice::None);
    check(json!("required"), ToolChoice::Required);
    let f = || ToolChoice::Tool("f".to_owned());
    check(json!({ "type": "function", "function": { "name": "f" } }), f());
    check(json!({ "type": "custom", "custom": { "name": "f" } }), f());
    check(
        json!({ "type": "allowed_tools", "allowed_tools": {
            "mode": "required", "tools": [{ "type": "function", "function": { "name": "f" } }],
        } }),
        ToolChoice::Allowed { names: vec!["f".to_owned()], required: true },
    );
    let old = json!({
        "model": "m", "messages": [{ "role": "user", "content": "a" }],
        "functions": [{ "name": "f" }], "function_call": { "name": "f" },
    });
    let said = read(&old).expect("a request");
    assert_eq!((said.tool_choice, said.tools.len()), (Some(f()), 1));
}

#[test]
fn settings_of_both_spellings() {
    let said = read(&json!({
        "model": "m", "messages": [{ "role": "user", "content": "a" }],
        "max_tokens": 1, "max_completion_tokens": 2, "stop": "x", "temperature": 0.5, "top_k": 3,
        "reasoning_effort": "low", "verbosity": "high", "user": "u", "safety_identifier": "s",
        "service_tier": "flex", "stream": true, "stream_options": { "include_usage": true },
        "parallel_tool_calls": false, "seed": 4, "store": null,
        "response_format": { "type": "json_schema", "json_schema": { "name": "n", "schema": {} } },
    }))
    .expect("a request");
    assert_eq!((said.max_tokens, said.stop), (Some(2), vec!["x".to_owned()]));
    assert_eq!((said.user.as_deref(), said.parallel_tools), (Some("s"), Some(false)));
    assert_eq!(said.delivery, Delivery::Stream(Usage::Told));
    assert_eq!(said.reasoning.effort.as_deref(), Some("low"));
    assert!(matches!(said.format, Format::JsonSchema { name: Some(name), .. } if name == "n"));
    let others: Vec<_> = said.others.iter().map(|(name, raw)| (name.as_str(), raw.get())).collect();
    assert_eq!(others, [("seed", "4")]);
}

#[test]
fn thinking_in_other_makers_words() {
    let thinking = |members: Value| {
        let mut request = json!({ "model": "m", "messages": [{ "role": "user", "content": "a" }] });
        for (name, value) in members.as_object().expect("members") {
            request[name] = value.clone();
        }
        let reasoning = read(&request).expect("a request").reasoning;
        (reasoning.thinking, reasoning.effort)
    };
    let budget = json!({ "thinking": { "type": "enabled", "budget_tokens": 9 } });
    assert_eq!(thinking(budget), (Some(Thinking::Budget(9)), None));
    let off = json!({ "thinking": { "type": "disabled" } });
    assert_eq!(thinking(off), (Some(Thinking::Disabled), None));
    let effort = json!({ "reasoning": { "effort": "high", "max_tokens": 5 } });
    assert_eq!(thinking(effort), (Some(Thinking::Budget(5)), Some("high".to_owned())));
    let none = json!({ "reasoning": { "enabled": false } });
    assert_eq!(thinking(none), (None, Some("none".to_owned())));
}

#[test]
fn fault_25_wrong_types_are_refused_by_their_paths() {
    check_refused(json!({ "model": 1 }), "model");
    check_refused(json!({ "model": null }), "model");
    check_refused(json!({ "messages": {} }), "messages");
    check_refused(json!({ "messages": [] }), "messages");
    check_refused(json!({ "messages": ["hi"] }), "messages[0]");
    check_refused(json!({ "messages": [{ "content": "a" }] }), "messages[0].role");
    check_refused(json!({ "messages": [{ "role": "x", "content": "a" }] }), "messages[0].role");
    check_refused(json!({ "messages": [{ "role": "user" }] }), "messages[0].content");
    check_refused(json!({ "messages": [{ "role": "user", "content": 0 }] }), "messages[0].content");
    let tool = json!({ "role": "tool", "tool_call_id": "a", "content": 123 });
    check_refused(json!({ "messages": [tool] }), "messages[0].content");
    let part = |part: Value| json!({ "messages": [{ "role": "user", "content": [part] }] });
    check_refused(part(json!({ "type": "video_url" })), "messages[0].content[0].type");
    check_refused(part(json!({ "type": "text" })), "messages[0].content[0].text");
    let url = |url: &str| part(json!({ "type": "image_url", "image_url": { "url": url } }));
    for bad in ["ftp://a", "data:image/png,raw", "data:video/mp4;base64,aGk=", "data:x"] {
        check_refused(url(bad), "messages[0].content[0].image_url.url");
    }
    check_refused(json!({ "stream": "true" }), "stream");
    check_refused(json!({ "stream": 1 }), "stream");
    check_refused(json!({ "max_tokens": -1 }), "max_tokens");
    check_refused(json!({ "stop": [1] }), "stop");
    check_refused(json!({ "temperature": "hot" }), "temperature");
    check_refused(json!({ "tools": [{ "type": "function" }] }), "tools[0].function");
    let listed = json!([{ "type": "function", "function": { "name": "f", "parameters": [] } }]);
    check_refused(json!({ "tools": listed }), "tools[0].function.parameters");
    check_refused(json!({ "tool_choice": "invalid_choice" }), "tool_choice");
    check_refused(json!({ "response_format": { "type": "xml" } }), "response_format.type");
    let orphan = json!([{ "role": "function", "name": "f", "content": "a" }]);
    check_refused(json!({ "messages": orphan }), "messages[0].name");
}

#[test]
fn faults_21_to_24_broken_json_is_refused() {
    let check = |body: &[u8], field: &str| {
        let refused = super::super::read_request(body).expect_err("refused");
        assert_eq!(refused.field, field, "{refused}");
    };
    check(b"", "body");
    check(b"[]", "body");
    check(b"{\"model\":\"\xff\"}", "body");
    check(b"\xef\xbb\xbf{}", "body");
    check(br#"{"model":"\ud800","messages":[]}"#, "model");
    check(br#"{"model":"a","model":"b","messages":[]}"#, "model");
    check(
        br#"{"model":"a","messages":[{"role":"user","content":"a"}],"temperature":1e400}"#,
        "temperature",
    );
    let deep = format!(
        r#"{{"model":"a","messages":[{{"role":"user","content":{}1{}}}]}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    check(deep.as_bytes(), "body");
}
