use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::super::super::Wishes;
use super::super::super::conversation::*;
use super::super::write_request;

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

fn text(text: &str) -> Part {
    Part::Text { text: text.to_owned(), cache: None }
}

fn call(id: &str, kind: CallKind, arguments: &str) -> Part {
    let (id, name, arguments) = (id.to_owned(), "f".to_owned(), arguments.to_owned());
    Part::ToolCall(ToolCall { id, name, arguments, kind })
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult { id: id.to_owned(), parts, is_error: false, cache: None }
}

fn turns(turns: Vec<(Role, Vec<Part>)>) -> Conversation {
    let turns = turns.into_iter().map(|(role, parts)| Turn { role, parts }).collect();
    Conversation { model: "m".to_owned(), turns, ..Conversation::default() }
}

fn write(said: &Conversation) -> Value {
    super::json(&write_request(said, &Wishes::default()).unwrap())
}

fn function(schema: Option<&str>, strict: Option<bool>) -> Tool {
    let (name, schema) = ("f".to_owned(), schema.map(raw));
    Tool::Function { name, description: None, schema, strict, cache: None }
}

#[test]
fn the_least_that_is_said() {
    let said = turns(vec![(Role::User, vec![text("hi")])]);
    let expected = json!({
        "model": "m",
        "input": [{ "type": "message", "role": "user",
                    "content": [{ "type": "input_text", "text": "hi" }] }],
        "store": false,
    });
    assert_eq!(write(&said), expected);
    let wishes = Wishes { model: Some("other".to_owned()), ..Wishes::default() };
    assert_eq!(super::json(&write_request(&said, &wishes).unwrap())["model"], "other");
}

#[test]
fn leading_instructions_are_instructions_and_late_ones_stay() {
    let said = turns(vec![
        (Role::System, vec![text("one"), text("")]),
        (Role::Developer, vec![text("two")]),
        (Role::User, vec![text("u")]),
        (Role::System, vec![text("late")]),
    ]);
    let written = write(&said);
    assert_eq!(written["instructions"], "one\n\ntwo");
    let roles: Vec<_> = written["input"].as_array().unwrap().iter().map(|it| &it["role"]).collect();
    assert_eq!(roles, ["user", "system"]);
    let alone = write(&turns(vec![(Role::System, vec![text("one")])]));
    assert_eq!(
        (&alone["instructions"], &alone["input"][0]["role"]),
        (&json!(null), &json!("system"))
    );
}

#[test]
fn items_come_in_order() {
    let image =
        Part::Image { source: Source::Url("https://x/y".to_owned()), detail: None, cache: None };
    let said = turns(vec![
        (
            Role::Assistant,
            vec![
                Part::Thinking(Thought::Plain("t".to_owned())),
                Part::Thinking(Thought::Item(r#"{"type":"reasoning","id":"rs_1"}"#.into())),
                text("a"),
                call("c1", CallKind::Function, ""),
                call("c2", CallKind::Custom, "x"),
            ],
        ),
        (
            Role::User,
            vec![
                result("c2", vec![text("two"), image]),
                result("c1", vec![text("one"), text("more")]),
                text("and?"),
            ],
        ),
    ]);
    let expected = json!([
        { "type": "reasoning", "id": "rs_1" },
        { "type": "message", "role": "assistant",
          "content": [{ "type": "output_text", "text": "a", "annotations": [] }] },
        { "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}" },
        { "type": "custom_tool_call", "call_id": "c2", "name": "f", "input": "x" },
        { "type": "custom_tool_call_output", "call_id": "c2", "output": [
            { "type": "input_text", "text": "two" },
            { "type": "input_image", "image_url": "https://x/y", "detail": "auto" } ] },
        { "type": "function_call_output", "call_id": "c1", "output": "one\nmore" },
        { "type": "message", "role": "user",
          "content": [{ "type": "input_text", "text": "and?" }] },
    ]);
    assert_eq!(write(&said)["input"], expected);
}

#[test]
fn pictures_and_files_are_carried() {
    let base64 = || Source::Base64 { media_type: "a/b".to_owned(), data: "AA".to_owned() };
    let file = |source, title: Option<&str>| Part::Document {
        source,
        title: title.map(str::to_owned),
        cache: None,
    };
    let image = Part::Image { source: base64(), detail: Some("low".to_owned()), cache: None };
    let said = turns(vec![(
        Role::User,
        vec![
            image,
            file(base64(), Some("t.pdf")),
            file(Source::Url("https://x".to_owned()), Some("t")),
            file(Source::Text("plain".to_owned()), Some("t")),
            Part::Refusal("no".to_owned()),
        ],
    )]);
    let expected = json!([
        { "type": "input_image", "image_url": "data:a/b;base64,AA", "detail": "low" },
        { "type": "input_file", "filename": "t.pdf", "file_data": "data:a/b;base64,AA" },
        { "type": "input_file", "file_url": "https://x" },
        { "type": "input_text", "text": "t:\nplain" },
        { "type": "refusal", "refusal": "no" },
    ]);
    assert_eq!(write(&said)["input"][0]["content"], expected);
}

#[test]
fn long_ids_are_shortened_alike() {
    let id = "x".repeat(90);
    let said = turns(vec![
        (Role::Assistant, vec![call(&id, CallKind::Function, "{}")]),
        (Role::User, vec![result(&id, vec![])]),
    ]);
    let input = &write(&said)["input"];
    assert_eq!(input[0]["call_id"], input[1]["call_id"]);
    assert_eq!(input[0]["call_id"].as_str().unwrap().len(), 64);
    assert_eq!(input[1]["output"], "");
}

#[test]
fn tools_say_whether_they_are_strict() {
    let mut said = turns(vec![]);
    said.tools = vec![
        function(None, None),
        function(Some(r#"{"additionalProperties": false}"#), Some(true)),
        function(Some(r#"{ "type":"object", "properties":{}, "n": 1e400 }"#), Some(false)),
        Tool::Custom {
            name: "c".to_owned(),
            description: Some("d".to_owned()),
            format: Some(raw(r#"{"type":"grammar","grammar":{"syntax":"lark","definition":"x"}}"#)),
        },
    ];
    said.tool_choice = Some(ToolChoice::Tool("c".to_owned()));
    said.parallel_tools = Some(false);
    let written = String::from_utf8(write_request(&said, &Wishes::default()).unwrap()).unwrap();
    let expected = concat!(
        r#""tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"#,
        r#""strict":false},{"type":"function","name":"f","parameters":{"type":"object","#,
        r#""properties":{},"additionalProperties": false},"strict":true},"#,
        r#"{"type":"function","name":"f","#,
        r#""parameters":{ "type":"object", "properties":{}, "n": 1e400 },"strict":false},"#,
        r#"{"type":"custom","name":"c","description":"d","#,
        r#""format":{"type":"grammar","syntax":"lark","definition":"x"}}],"#,
        r#""tool_choice":{"type":"custom","name":"c"},"parallel_tool_calls":false"#,
    );
    assert!(written.contains(expected), "{written}");
}

#[test]
fn choices_in_all_forms() {
    let choose = |choice| {
        let mut said = turns(vec![]);
        (said.tools, said.tool_choice) = (vec![function(None, None)], Some(choice));
        write(&said)["tool_choice"].clone()
    };
    assert_eq!(choose(ToolChoice::Auto), "auto");
    assert_eq!(choose(ToolChoice::Required), "required");
    assert_eq!(choose(ToolChoice::None), "none");
    let allowed = ToolChoice::Allowed { names: vec!["f".to_owned()], required: false };
    let expected = json!({ "type": "allowed_tools", "mode": "auto",
                           "tools": [{ "type": "function", "name": "f" }] });
    assert_eq!(choose(allowed), expected);
    let mut said = turns(vec![]);
    said.tool_choice = Some(ToolChoice::Auto);
    assert_eq!(write(&said)["tool_choice"], Value::Null, "no choice without tools");
}

#[test]
fn settings_are_carried() {
    let mut said = turns(vec![]);
    said.max_tokens = Some(1);
    said.temperature = serde_json::Number::from_f64(0.5);
    said.format = Format::JsonSchema {
        name: None,
        description: None,
        schema: raw(r#"{"a":1.0}"#),
        strict: Some(true),
    };
    said.verbosity = Some("low".to_owned());
    said.delivery = Delivery::Stream(Usage::Told);
    said.user = Some("u".repeat(200));
    said.service_tier = Some("standard_only".to_owned());
    said.others = vec![("metadata".to_owned(), raw(r#"{"k":"v"}"#))];
    let written = write(&said);
    assert_eq!((&written["max_output_tokens"], &written["temperature"]), (&json!(16), &json!(0.5)));
    let format = json!({ "type": "json_schema", "name": "answer", "schema": { "a": 1.0 },
                         "strict": true });
    assert_eq!(written["text"], json!({ "format": format, "verbosity": "low" }));
    assert_eq!((&written["stream"], &written["store"]), (&json!(true), &json!(false)));
    assert_eq!(written["user"].as_str().unwrap().len(), 64);
    assert_eq!(written["service_tier"], "default");
    assert_eq!(written["metadata"], json!({ "k": "v" }));
}

#[test]
fn thinking_is_an_effort_and_a_summary() {
    let reason = |thinking, effort: Option<&str>| {
        let mut said = turns(vec![]);
        let effort = effort.map(str::to_owned);
        said.reasoning = Reasoning { thinking, effort, summary: None };
        write(&said)["reasoning"].clone()
    };
    let expected = |effort: &str| json!({ "effort": effort, "summary": "auto" });
    for (budget, effort) in [(1024, "low"), (4096, "medium"), (16384, "high"), (64000, "high")] {
        assert_eq!(reason(Some(Thinking::Budget(budget)), None), expected(effort));
    }
    assert_eq!(reason(Some(Thinking::Adaptive), Some("max")), expected("max"));
    assert_eq!(reason(Some(Thinking::Adaptive), None), json!({ "summary": "auto" }));
    assert_eq!(reason(None, Some("high")), json!({ "effort": "high" }));
    assert_eq!(reason(Some(Thinking::Disabled), Some("high")), Value::Null);
    assert_eq!(reason(None, None), Value::Null);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let refused = |said: &Conversation| write_request(said, &Wishes::default()).unwrap_err().field;
    let mut stops = turns(vec![]);
    stops.stop = vec!["x".to_owned()];
    assert_eq!(refused(&stops), "stop");
    let (data, format) = ("AA".to_owned(), "mp3".to_owned());
    let sound = turns(vec![(Role::User, vec![Part::Audio { data, format }])]);
    assert_eq!(refused(&sound), "messages[].content[].input_audio");
    let mut hosted = turns(vec![]);
    hosted.tools = vec![Tool::Hosted { kind: "bash_20250124".to_owned(), raw: raw("{}") }];
    assert_eq!(refused(&hosted), "tools[].type");
    hosted.tools = vec![Tool::Hosted { kind: "web_search_20250305".to_owned(), raw: raw("{}") }];
    assert_eq!(refused(&hosted), "tools[].type");
    hosted.tools.push(function(None, None));
    assert_eq!(write(&hosted)["tools"].as_array().unwrap().len(), 1, "an offer is left out");
    let mut listed = turns(vec![]);
    listed.tools = vec![function(Some("5"), None)];
    assert_eq!(refused(&listed), "tools[].parameters");
}
