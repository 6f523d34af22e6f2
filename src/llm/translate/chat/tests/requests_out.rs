//! Requests, written.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::super::super::conversation::{
    CallKind, Conversation, Delivery, Format, Part, Reasoning, Role, Source, Thinking, Thought,
    Tool, ToolCall, ToolChoice, Turn, Usage,
};
use super::super::super::{LimitName, StreamUsage, Wishes};
use super::{text, turn, write};

fn said(turns: Vec<Turn>) -> Conversation {
    Conversation { model: "m".to_owned(), turns, ..Conversation::default() }
}

fn check(turns: Vec<Turn>, expected: &Value) {
    let body = write(&said(turns), &Wishes::default()).expect("a request");
    assert_eq!(&body["messages"], expected);
}

fn check_members(said: Conversation, expected: &Value) {
    let said = Conversation { model: "m".to_owned(), ..said };
    let mut body = write(&said, &Wishes::default()).expect("a request");
    let members = body.as_object_mut().expect("an object");
    members.retain(|name, _| name != "model" && name != "messages");
    assert_eq!(&body, expected);
}

fn call(id: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: String::new(),
        kind: CallKind::Function,
    })
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult { id: id.to_owned(), parts, is_error: false, cache: None }
}

fn image() -> Part {
    let source = Source::Base64 { media_type: "image/png".to_owned(), data: "aGk=".to_owned() };
    Part::Image { source, detail: None, cache: None }
}

fn called(id: &str) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": "f", "arguments": "{}" } })
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

fn tool(name: &str, schema: Option<&str>) -> Tool {
    Tool::Function {
        name: name.to_owned(),
        description: None,
        schema: schema.map(raw),
        strict: None,
        cache: None,
    }
}

fn hosted(kind: &str) -> Tool {
    Tool::Hosted { kind: kind.to_owned(), raw: raw("{}") }
}

#[test]
fn system_is_one_string_and_empty_text_is_left_out() {
    let system = |texts: &[&str]| turn(Role::System, texts.iter().map(|it| text(it)).collect());
    let user = || turn(Role::User, vec![text("hi"), text("")]);
    let expected =
        json!([{ "role": "system", "content": "a\nb\nc" }, { "role": "user", "content": "hi" }]);
    let developer = turn(Role::Developer, vec![text("c")]);
    check(vec![system(&["a", "", "b"]), developer, user()], &expected);
    check(vec![system(&[""]), user()], &json!([{ "role": "user", "content": "hi" }]));
    let late =
        json!([{ "role": "user", "content": "hi" }, { "role": "system", "content": "late" }]);
    check(vec![user(), system(&["late"])], &late);
}

#[test]
fn results_stand_directly_behind_their_calls() {
    let turns = vec![
        turn(Role::Assistant, vec![text("pre"), call("a"), call("b"), text("post")]),
        turn(Role::System, vec![text("late")]),
        turn(Role::User, vec![text("before"), result("b", vec![text("2")])]),
        turn(Role::User, vec![result("a", vec![text("1"), text("one")]), text("after")]),
    ];
    let expected = json!([
        { "role": "assistant", "content": "pre\npost", "tool_calls": [called("a"), called("b")] },
        { "role": "tool", "content": "2", "tool_call_id": "b" },
        { "role": "tool", "content": "1\none", "tool_call_id": "a" },
        { "role": "system", "content": "late" },
        { "role": "user", "content": "before" },
        { "role": "user", "content": "after" },
    ]);
    check(turns, &expected);
}

#[test]
fn turns_of_the_assistant_that_follow_each_other_are_one() {
    let assistant = |part| turn(Role::Assistant, vec![part]);
    let thought = Part::Thinking(Thought::Plain("t".to_owned()));
    let turns = vec![
        assistant(thought),
        assistant(text("said")),
        assistant(call("a")),
        assistant(call("b")),
        turn(Role::User, vec![result("a", vec![]), result("b", vec![])]),
    ];
    let expected = json!([
        {
            "role": "assistant", "content": "said", "reasoning_content": "t",
            "tool_calls": [called("a"), called("b")],
        },
        { "role": "tool", "content": "", "tool_call_id": "a" },
        { "role": "tool", "content": "", "tool_call_id": "b" },
    ]);
    check(turns, &expected);
}

#[test]
fn pictures_of_a_tool_move_behind_the_results() {
    let turns = vec![
        turn(Role::Assistant, vec![call("a")]),
        turn(Role::User, vec![result("a", vec![text("seen"), image()]), text("and?")]),
    ];
    let expected = json!([
        { "role": "assistant", "content": null, "tool_calls": [called("a")] },
        { "role": "tool", "content": "seen", "tool_call_id": "a" },
        { "role": "user", "content": [
            { "type": "text", "text": "Shown by the tool call a:" },
            { "type": "image_url", "image_url": { "url": "data:image/png;base64,aGk=" } },
            { "type": "text", "text": "and?" },
        ] },
    ]);
    check(turns, &expected);
}

#[test]
fn a_failed_tool_says_so() {
    let failed = |said: &str| Part::ToolResult {
        id: "a".to_owned(),
        parts: vec![text(said)],
        is_error: true,
        cache: None,
    };
    let expected = |said: &str| json!([{ "role": "tool", "content": said, "tool_call_id": "a" }]);
    check(vec![turn(Role::User, vec![failed("denied")])], &expected("Error: denied"));
    check(vec![turn(Role::User, vec![failed("ERROR 5")])], &expected("ERROR 5"));
}

#[test]
fn only_plain_thoughts_go_back_and_never_as_text() {
    let signed = || Thought::Signed { text: "s".to_owned(), signature: "x".to_owned() };
    let thoughts = [signed(), Thought::Redacted("r".to_owned()), Thought::Item("{}".into())];
    let mut parts: Vec<_> = thoughts.into_iter().map(Part::Thinking).collect();
    parts.push(text("said"));
    check(vec![turn(Role::Assistant, parts)], &json!([{ "role": "assistant", "content": "said" }]));
    check(vec![turn(Role::Assistant, vec![Part::Thinking(signed())])], &json!([]));
    let plain = Part::Thinking(Thought::Plain("t".to_owned()));
    check(
        vec![turn(Role::Assistant, vec![plain])],
        &json!([{ "role": "assistant", "content": "", "reasoning_content": "t" }]),
    );
    let user = vec![Part::Thinking(Thought::Plain("t".to_owned())), text("said")];
    check(vec![turn(Role::User, user)], &json!([{ "role": "user", "content": "said" }]));
}

#[test]
fn documents_are_files_or_text() {
    let document = |source, title: Option<&str>| {
        let title = title.map(str::to_owned);
        vec![turn(Role::User, vec![Part::Document { source, title, cache: None }])]
    };
    let pdf = || Source::Base64 { media_type: "application/pdf".to_owned(), data: "a".to_owned() };
    let file = json!({ "filename": "t.pdf", "file_data": "data:application/pdf;base64,a" });
    check(
        document(pdf(), Some("t.pdf")),
        &json!([{ "role": "user", "content": [{ "type": "file", "file": file }] }]),
    );
    check(
        document(Source::Text("x".to_owned()), Some("T")),
        &json!([{ "role": "user", "content": "T:\nx" }]),
    );
    let far = said(document(Source::Url("https://e.test/a.pdf".to_owned()), None));
    let refused = write(&far, &Wishes::default()).expect_err("refused");
    assert_eq!(refused.field, "document");
}

#[test]
fn long_ids_are_shortened_the_same_way_for_call_and_result() {
    let long = "x".repeat(60);
    let turns = vec![
        turn(Role::Assistant, vec![call(&long)]),
        turn(Role::User, vec![result(&long, vec![])]),
    ];
    let body = write(&said(turns), &Wishes::default()).expect("a request");
    let id = body["messages"][0]["tool_calls"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!((id.len(), body["messages"][1]["tool_call_id"].as_str()), (40, Some(id.as_str())));
    let user = Conversation { user: Some("é".repeat(50)), ..said(vec![]) };
    let user = write(&user, &Wishes::default()).expect("a request")["user"].clone();
    assert!(user.as_str().is_some_and(|user| user.len() <= 64), "{user}");
}

#[test]
fn schemas_are_objects_with_properties() {
    let check = |schema: Option<&str>, expected: &str| {
        let said = Conversation { tools: vec![tool("f", schema)], ..said(vec![]) };
        let body = super::super::write_request(&said, &Wishes::default()).expect("a request");
        let body = String::from_utf8(body).expect("text");
        assert!(body.contains(&format!("\"parameters\":{expected}")), "{expected}: {body}");
    };
    let empty = r#"{"type":"object","properties":{}}"#;
    check(None, empty);
    check(Some("{ }"), empty);
    check(Some(r#"{"type":"object"}"#), r#"{"properties":{},"type":"object"}"#);
    check(Some(r#"{ "anyOf":[]}"#), r#"{"type":"object","properties":{},"anyOf":[]}"#);
    let whole = r#"{ "type":"object", "properties":{"a":{"default":1.0}}, "$defs":{} }"#;
    check(Some(whole), whole);
}

#[test]
fn choices_need_tools_and_allowed_tools_are_all_that_is_told() {
    let choose = |choice, names: &[&str]| Conversation {
        tools: names.iter().map(|name| tool(name, None)).collect(),
        tool_choice: Some(choice),
        parallel_tools: Some(false),
        ..Conversation::default()
    };
    check_members(choose(ToolChoice::Auto, &[]), &json!({}));
    let names = vec!["b".to_owned()];
    let allowed = choose(ToolChoice::Allowed { names, required: true }, &["a", "b"]);
    let parameters = json!({ "type": "object", "properties": {} });
    let expected = json!({
        "tools": [{ "type": "function", "function": { "name": "b", "parameters": parameters } }],
        "tool_choice": "required", "parallel_tool_calls": false,
    });
    check_members(allowed, &expected);
    let one = write(&choose(ToolChoice::Tool("a".to_owned()), &["a"]), &Wishes::default());
    let expected = json!({ "type": "function", "function": { "name": "a" } });
    assert_eq!(one.expect("a request")["tool_choice"], expected);
}

#[test]
fn hosted_tools_are_refused_unless_the_model_can_do_without() {
    let with = |tools| write(&Conversation { tools, ..said(vec![]) }, &Wishes::default());
    let refused = with(vec![hosted("web_search_20250305")]).expect_err("alone");
    assert_eq!(refused.field, "tools[0].type");
    assert!(with(vec![tool("f", None), hosted("computer_20250124")]).is_err());
    let body = with(vec![tool("f", None), hosted("web_search_20250305")]).expect("an offer");
    assert_eq!(body["tools"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_custom_tool_is_a_function_with_one_text() {
    let format = Some(raw(r#"{"type":"grammar","syntax":"lark","definition":"s: A"}"#));
    let custom = Tool::Custom { name: "c".to_owned(), description: Some("D".to_owned()), format };
    let called = Part::ToolCall(ToolCall {
        id: "a".to_owned(),
        name: "c".to_owned(),
        arguments: "say \"x\"".to_owned(),
        kind: CallKind::Custom,
    });
    let said =
        Conversation { tools: vec![custom], ..said(vec![turn(Role::Assistant, vec![called])]) };
    let body = write(&said, &Wishes::default()).expect("a request");
    let function = &body["tools"][0]["function"];
    assert_eq!(function["parameters"]["required"], json!(["input"]));
    assert_eq!(function["description"], "D\n\nThe input must obey this grammar (lark):\ns: A");
    let arguments = &body["messages"][0]["tool_calls"][0]["function"]["arguments"];
    assert_eq!(arguments, r#"{"input":"say \"x\""}"#);
}

#[test]
fn thinking_is_an_effort() {
    let check = |thinking, effort: Option<&str>, expected: Value| {
        let reasoning =
            Reasoning { thinking, effort: effort.map(str::to_owned), ..Reasoning::default() };
        check_members(Conversation { reasoning, ..Conversation::default() }, &expected);
    };
    let effort = |effort: &str| json!({ "reasoning_effort": effort });
    check(None, None, json!({}));
    check(None, Some("xhigh"), effort("xhigh"));
    check(Some(Thinking::Disabled), Some("high"), json!({}));
    check(Some(Thinking::Adaptive), None, json!({}));
    check(Some(Thinking::Adaptive), Some("high"), effort("high"));
    check(Some(Thinking::Budget(1024)), None, effort("low"));
    check(Some(Thinking::Budget(4096)), None, effort("medium"));
    check(Some(Thinking::Budget(16384)), None, effort("high"));
    check(Some(Thinking::Budget(1024)), Some("max"), effort("max"));
}

#[test]
fn limits_have_the_name_that_the_target_knows() {
    let wishes = |limit_name| Wishes { max_tokens: Some(9), limit_name, ..Wishes::default() };
    let body = write(&said(vec![]), &wishes(LimitName::MaxTokens)).expect("a request");
    assert_eq!((&body["max_tokens"], &body["max_completion_tokens"]), (&json!(9), &Value::Null));
    let asked = Conversation { max_tokens: Some(5), ..said(vec![]) };
    let body = write(&asked, &wishes(LimitName::MaxCompletionTokens)).expect("a request");
    assert_eq!((&body["max_tokens"], &body["max_completion_tokens"]), (&Value::Null, &json!(5)));
}

#[test]
fn usage_of_a_stream_is_asked_for_where_the_target_knows_how() {
    let stream = || Conversation { delivery: Delivery::Stream(Usage::Told), ..said(vec![]) };
    let wishes = |stream_usage| Wishes { stream_usage, ..Wishes::default() };
    let body = write(&stream(), &wishes(StreamUsage::Ask)).expect("a request");
    assert_eq!(body["stream_options"], json!({ "include_usage": true }));
    let body = write(&stream(), &wishes(StreamUsage::AsSent)).expect("a request");
    assert_eq!((&body["stream"], &body["stream_options"]), (&json!(true), &Value::Null));
    let body = write(&said(vec![]), &Wishes::default()).expect("a request");
    assert_eq!(body, json!({ "model": "m", "messages": [] }));
}

#[test]
fn formats_tiers_and_others() {
    let schema = raw(r#"{"type": "object"}"#);
    let format = Format::JsonSchema { name: None, description: None, schema, strict: Some(true) };
    let asked = Conversation {
        format,
        service_tier: Some("standard_only".to_owned()),
        others: vec![("metadata".to_owned(), raw(r#"{"a": "b"}"#))],
        stop: vec!["x".to_owned()],
        ..Conversation::default()
    };
    let schema = json!({ "name": "response", "schema": { "type": "object" }, "strict": true });
    let expected = json!({
        "stop": ["x"], "service_tier": "default", "metadata": { "a": "b" },
        "response_format": { "type": "json_schema", "json_schema": schema },
    });
    check_members(asked, &expected);
    let body = write(&said(vec![]), &Wishes { model: Some("n".to_owned()), ..Wishes::default() });
    assert_eq!(body.expect("a request")["model"], "n");
}
