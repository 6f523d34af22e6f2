use serde_json::json;

use super::super::super::conversation::Conversation;
use super::super::super::fate::{self, Row};
use super::super::super::{Refused, responses_to_chat, responses_to_messages};
use super::super::read_request;

const TABLES: [&[Row]; 2] = [responses_to_chat::FIELDS, responses_to_messages::FIELDS];

fn applied(body: &[u8], table: &'static [Row]) -> Result<Conversation, Refused> {
    let mut said = read_request(body)?;
    fate::apply(table, &mut said)?;
    Ok(said)
}

/// As Codex asks, in short.
#[test]
fn codex_is_understood() {
    let request = json!({
        "model": "gpt-5-codex",
        "instructions": "You are a coding agent.",
        "input": [
            { "type": "message", "role": "developer",
              "content": [{ "type": "input_text", "text": "<permissions>" }] },
            { "type": "message", "role": "user",
              "content": [{ "type": "input_text", "text": "Say hello." }] },
        ],
        "tools": [
            { "type": "function", "name": "exec_command", "description": "Runs a command.",
              "strict": false, "parameters": { "type": "object", "properties": {} } },
            { "type": "custom", "name": "apply_patch", "description": "Edits files.",
              "format": { "type": "grammar", "syntax": "lark", "definition": "start: \"x\"" } },
            { "type": "web_search", "external_web_access": false },
            { "type": "image_generation", "output_format": "png" },
            { "type": "namespace", "name": "mcp__notes__", "description": "Notes.", "tools": [
                { "type": "function", "name": "add", "strict": false, "parameters": {} } ] },
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": true,
        "reasoning": { "effort": "medium", "summary": "auto" },
        "store": false,
        "stream": true,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "0199-thread",
        "text": { "verbosity": "low" },
        "client_metadata": { "x-codex-installation-id": "1" },
    });
    for table in TABLES {
        let said = applied(request.to_string().as_bytes(), table).unwrap();
        assert_eq!(said.tools.len(), 5);
        assert_eq!(said.turns.len(), 3);
        assert!(said.others.is_empty(), "{:?}", said.others);
    }
}

#[test]
fn state_is_refused_and_what_changes_nothing_passes() {
    for table in TABLES {
        let with = |name: &str, value: serde_json::Value| {
            let body = json!({ "model": "m", "input": "x", name: value });
            applied(body.to_string().as_bytes(), table).map_err(|refused| refused.field)
        };
        for name in ["previous_response_id", "conversation"] {
            assert_eq!(with(name, json!("x_1")).unwrap_err(), name);
            assert!(with(name, json!(null)).is_ok());
        }
        assert_eq!(with("background", json!(true)).unwrap_err(), "background");
        assert_eq!(with("top_logprobs", json!(2)).unwrap_err(), "top_logprobs");
        for (name, value) in [
            ("background", json!(false)),
            ("top_logprobs", json!(0)),
            ("store", json!(true)),
            ("truncation", json!("auto")),
            ("unknown", json!(1)),
        ] {
            assert!(with(name, value).unwrap().others.is_empty(), "{name}");
        }
        let alone = json!({ "model": "m", "prompt": { "id": "pmpt_1" } });
        let refused = applied(alone.to_string().as_bytes(), table).unwrap_err();
        assert_eq!(refused.field, "prompt");
    }
}

#[test]
fn the_tables_speak_of_the_same_fields() {
    let [one, other] = TABLES.map(|table| table.iter().map(|row| row.field).collect::<Vec<_>>());
    assert_eq!(one, other);
    let mut sorted = one.clone();
    sorted.dedup();
    assert_eq!(sorted, one, "no field twice in a row");
}
