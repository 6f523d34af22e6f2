use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::*;
use crate::llm::translate::conversation::{Delivery, Format, Role, Tool, ToolChoice, Usage};
use crate::llm::translate::{MAX_TOKENS, ThinkingForm};

fn hello() -> Conversation {
    said(vec![turn(Role::User, [text("Hi")])])
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

fn function(name: &str, schema: Option<Value>) -> Tool {
    Tool::Function {
        name: name.to_owned(),
        description: Some("d".to_owned()),
        schema: schema.map(|schema| raw(&schema)),
        strict: Some(false),
        cache: None,
    }
}

fn with(change: impl FnOnce(&mut Conversation)) -> Value {
    let mut said = hello();
    change(&mut said);
    write(&said)
}

#[test]
fn max_tokens_is_always_there() {
    let check = |asked: Option<u64>, wished: Option<u64>, expected: u64| {
        let said = Conversation { max_tokens: asked, ..hello() };
        let wishes = Wishes { max_tokens: wished, ..Wishes::default() };
        let written = write_request(&said, &wishes).unwrap();
        let written: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(written["max_tokens"], expected);
    };
    check(Some(5), Some(6), 5);
    check(None, Some(6), 6);
    check(None, None, MAX_TOKENS);
}

#[test]
fn the_model_is_the_targets() {
    let wishes = Wishes { model: Some("claude".to_owned()), ..Wishes::default() };
    let written: Value =
        serde_json::from_slice(&write_request(&hello(), &wishes).unwrap()).unwrap();
    assert_eq!(written["model"], "claude");
}

#[test]
fn nothing_is_said_that_was_not_asked() {
    let expected = json!({ "model": "m", "max_tokens": 10,
        "messages": [{ "role": "user", "content": "Hi" }] });
    assert_eq!(write(&hello()), expected);
}

#[test]
fn sampling_is_carried_within_the_range() {
    let written = with(|said| {
        said.temperature = Some(1.into());
        said.top_p = serde_json::Number::from_f64(0.1);
        said.stop = vec!["a".to_owned(), "\n".to_owned()];
        said.user = Some("u".to_owned());
        said.delivery = Delivery::Stream(Usage::Untold);
    });
    assert_eq!((&written["temperature"], &written["top_p"]), (&json!(1), &json!(0.1)));
    assert_eq!(written["stop_sequences"], json!(["a"]));
    assert_eq!(written["metadata"], json!({ "user_id": "u" }));
    assert_eq!(written["stream"], json!(true));
    let hot = Conversation { temperature: serde_json::Number::from_f64(1.1), ..hello() };
    assert_eq!(refusal(&hot), "temperature: the model takes 0 to 1; send 1 or less");
}

#[test]
fn service_tiers_are_named_anew() {
    let check = |tier: &str, expected: Value| {
        let written = with(|said| said.service_tier = Some(tier.to_owned()));
        assert_eq!(written["service_tier"], expected);
    };
    check("auto", json!("auto"));
    check("default", json!("standard_only"));
    check("flex", Value::Null);
}

#[test]
fn others_are_copied_as_they_are() {
    let written = with(|said| said.others.push(("inference_geo".to_owned(), raw(&json!("us")))));
    assert_eq!(written["inference_geo"], "us");
}

/// The thinking and the effort that an effort becomes.
fn check_effort(said: Conversation, form: ThinkingForm, thinking: Value, effort: Value) {
    let wishes = Wishes { thinking: form, ..Wishes::default() };
    let written: Value = serde_json::from_slice(&write_request(&said, &wishes).unwrap()).unwrap();
    assert_eq!((&written["thinking"], &written["output_config"]["effort"]), (&thinking, &effort));
}

fn trying(effort: &str) -> Conversation {
    let mut said = Conversation { max_tokens: Some(16_000), ..hello() };
    said.reasoning.effort = Some(effort.to_owned());
    said
}

#[test]
fn an_effort_is_told_in_the_targets_form() {
    let adaptive = json!({ "type": "adaptive" });
    let budget = |tokens: u64| json!({ "type": "enabled", "budget_tokens": tokens });
    let check = |effort: &str, word: &str, tokens: u64| {
        check_effort(trying(effort), ThinkingForm::Adaptive, adaptive.clone(), json!(word));
        check_effort(trying(effort), ThinkingForm::Budget, budget(tokens), Value::Null);
    };
    check("minimal", "low", 1024);
    check("low", "low", 2000);
    check("medium", "medium", 4000);
    check("high", "high", 8000);
    check("xhigh", "xhigh", 12_000);
    check("max", "max", 12_000);
    let off = json!({ "type": "disabled" });
    check_effort(trying("none"), ThinkingForm::Adaptive, off.clone(), Value::Null);
    check_effort(trying("none"), ThinkingForm::Budget, off, Value::Null);
    let why = "reasoning_effort: the efforts are none, minimal, low, medium, high, xhigh and max";
    assert_eq!(refusal(&trying("some")), why);
}

#[test]
fn a_budget_is_below_max_tokens_or_not_at_all() {
    let budget = json!({ "type": "enabled", "budget_tokens": 1024 });
    let short = |max_tokens| Conversation { max_tokens: Some(max_tokens), ..trying("high") };
    check_effort(short(1100), ThinkingForm::Budget, budget, Value::Null);
    check_effort(short(1024), ThinkingForm::Budget, Value::Null, Value::Null);
}

#[test]
fn a_summary_is_asked_for() {
    let mut said = trying("low");
    said.reasoning.summary = Some("auto".to_owned());
    let thinking = json!({ "type": "adaptive", "display": "summarized" });
    check_effort(said, ThinkingForm::Adaptive, thinking, json!("low"));
}

#[test]
fn sampling_and_forced_tools_come_before_thinking() {
    let check = |change: fn(&mut Conversation)| {
        let changed = || {
            let mut said = trying("low");
            said.tools.push(function("f", None));
            change(&mut said);
            said
        };
        check_effort(changed(), ThinkingForm::Adaptive, Value::Null, json!("low"));
        check_effort(changed(), ThinkingForm::Budget, Value::Null, Value::Null);
    };
    check(|said| said.temperature = serde_json::Number::from_f64(0.2));
    check(|said| said.top_p = serde_json::Number::from_f64(0.5));
    check(|said| said.top_k = Some(4.into()));
    check(|said| said.turns.push(turn(Role::Assistant, [text("So")])));
    check(|said| said.tool_choice = Some(ToolChoice::Required));
    check(|said| said.tool_choice = Some(ToolChoice::Tool("f".to_owned())));
}

/// A budget in the middle of a loop of tools needs the thought that began it.
#[test]
fn a_budget_needs_the_thought_before_the_call() {
    let history = |thought: &str| {
        let content =
            format!(r#"[{thought} {{"type":"tool_use","id":"t","name":"f","input":{{}}}}]"#);
        let mut said = read(&request(json!({ "max_tokens": 16_000, "messages": [
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "content": serde_json::from_str::<Value>(&content).unwrap() },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t" }] },
        ] })));
        said.reasoning.effort = Some("low".to_owned());
        said
    };
    let budget = json!({ "type": "enabled", "budget_tokens": 2000 });
    let signed = r#"{"type":"thinking","thinking":"Hm.","signature":"s"},"#;
    check_effort(history(signed), ThinkingForm::Budget, budget, Value::Null);
    check_effort(history(""), ThinkingForm::Budget, Value::Null, Value::Null);
    check_effort(history(""), ThinkingForm::Adaptive, json!({ "type": "adaptive" }), json!("low"));
}

#[test]
fn formats_become_output_config_or_an_instruction() {
    let schema = json!({ "type": "object", "additionalProperties": false });
    let written = with(|said| {
        said.format = Format::JsonSchema {
            name: Some("n".to_owned()),
            description: None,
            schema: raw(&schema),
            strict: Some(true),
        };
    });
    let format = json!({ "format": { "type": "json_schema", "schema": schema } });
    assert_eq!(written["output_config"], format);
    let written = with(|said| said.format = Format::JsonObject);
    assert!(written["system"].as_str().unwrap().contains("JSON object"));
}

/// What a choice becomes, with one tool and with none.
fn check_choice(choice: Option<ToolChoice>, parallel: Option<bool>, expected: Value) {
    let written = |tools: Vec<Tool>| {
        with(|said| {
            said.tools = tools;
            said.tool_choice = choice.clone();
            said.parallel_tools = parallel;
        })
    };
    assert_eq!(written(vec![function("f", None)])["tool_choice"], expected);
    assert_eq!(written(Vec::new())["tool_choice"], Value::Null);
}

#[test]
fn choices_are_named_anew() {
    let allowed = |required| ToolChoice::Allowed { names: vec!["f".to_owned()], required };
    let off = |kind: &str| json!({ "type": kind, "disable_parallel_tool_use": true });
    check_choice(None, None, Value::Null);
    check_choice(None, Some(true), Value::Null);
    check_choice(None, Some(false), off("auto"));
    check_choice(Some(ToolChoice::Auto), None, json!({ "type": "auto" }));
    check_choice(Some(ToolChoice::Auto), Some(false), off("auto"));
    check_choice(Some(ToolChoice::Required), Some(false), off("any"));
    check_choice(Some(ToolChoice::None), Some(false), json!({ "type": "none" }));
    check_choice(Some(allowed(false)), None, json!({ "type": "auto" }));
    check_choice(Some(allowed(true)), None, json!({ "type": "any" }));
    let named = Some(ToolChoice::Tool("f".to_owned()));
    check_choice(named, None, json!({ "type": "tool", "name": "f" }));
}

#[test]
fn only_allowed_tools_are_there() {
    let written = with(|said| {
        said.tools = vec![function("f", None), function("g", None)];
        let names = vec!["g".to_owned()];
        said.tool_choice = Some(ToolChoice::Allowed { names, required: false });
    });
    assert_eq!(written["tools"].as_array().unwrap().len(), 1);
    assert_eq!(written["tools"][0]["name"], "g");
}

#[test]
fn tools_that_others_run_are_left_out_beside_ones_own() {
    let hosted = |kind: &str| Tool::Hosted { kind: kind.to_owned(), raw: raw(&json!({})) };
    let written = with(|said| said.tools = vec![hosted("web_search"), function("f", None)]);
    assert_eq!(written["tools"].as_array().unwrap().len(), 1);
    let check = |tools: Vec<Tool>, expected: &str| {
        let refused = refusal(&Conversation { tools, ..hello() });
        let why = "is run by another provider; send tools that you run yourself";
        assert_eq!(refused, format!("{expected} {why}"));
    };
    check(vec![hosted("web_search")], "tools[0].type: `web_search`");
    check(vec![function("f", None), hosted("file_search")], "tools[1].type: `file_search`");
}

#[test]
fn schemas_are_an_objects() {
    let check = |schema: Option<Value>, expected: Value| {
        let written = with(|said| said.tools = vec![function("f", schema)]);
        let tool = json!({ "name": "f", "description": "d", "input_schema": expected });
        assert_eq!(written["tools"][0], tool);
    };
    let object = json!({ "type": "object" });
    check(None, object.clone());
    check(Some(json!({})), object);
    let properties = json!({ "a": { "anyOf": [{ "type": "string" }] } });
    let full = json!({ "properties": properties, "type": "object", "$defs": {} });
    check(Some(full.clone()), full);
    let nullable = json!({ "type": ["object", "null"], "properties": properties });
    check(Some(nullable), json!({ "type": "object", "properties": properties }));
    let list =
        Conversation { tools: vec![function("f", Some(json!({ "type": "array" })))], ..hello() };
    let why =
        "tools[0].parameters: a tool's schema must be an object's; set its `type` to `object`";
    assert_eq!(refusal(&list), why);
}

#[test]
fn a_union_at_the_root_becomes_one_object_and_words() {
    let object = |name: &str, required: Value| {
        json!({ "type": "object", "properties": { name: { "type": "string" } },
            "required": required })
    };
    let union = json!({ "anyOf": [object("a", json!(["x", "a"])), object("b", json!(["x"]))] });
    let written = with(|said| said.tools = vec![function("f", Some(union.clone()))]);
    assert_eq!(
        written["tools"][0]["input_schema"],
        json!({
            "type": "object",
            "properties": { "a": { "type": "string" }, "b": { "type": "string" } },
            "required": ["x"],
        })
    );
    let described = format!("d\n\nThe input must match this JSON schema: {union}");
    assert_eq!(written["tools"][0]["description"], described);
    let both = json!({ "allOf": [object("a", json!(["a"])), object("b", json!(["b"]))] });
    let written = with(|said| said.tools = vec![function("f", Some(both))]);
    assert_eq!(written["tools"][0]["input_schema"]["required"], json!(["a", "b"]));
}

#[test]
fn a_custom_tool_takes_one_text() {
    let grammar = json!({ "type": "grammar", "syntax": "lark", "definition": "start: X" });
    for format in [grammar.clone(), json!({ "type": "grammar", "grammar": grammar })] {
        let written = with(|said| {
            said.tools = vec![Tool::Custom {
                name: "patch".to_owned(),
                description: Some("Edits.".to_owned()),
                format: Some(raw(&format)),
            }];
        });
        assert_eq!(
            written["tools"][0],
            json!({
                "name": "patch",
                "description": "Edits.\n\n`input` must obey this grammar (lark):\nstart: X",
                "input_schema": { "type": "object", "properties": { "input": { "type": "string" } },
                    "required": ["input"], "additionalProperties": false },
            })
        );
    }
}

#[test]
fn a_system_of_pictures_is_refused() {
    use crate::llm::translate::conversation::Source;
    let source = Source::Url("u".to_owned());
    let mut said = hello();
    said.turns.push(turn(Role::System, [Part::Image { source, detail: None, cache: None }]));
    let why = "messages[].content: a system message must be text; send the rest in a user message";
    assert_eq!(refusal(&said), why);
}
