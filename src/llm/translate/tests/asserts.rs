//! The corpus' assertion language: paths, operations, and what a client library has in the end.

use std::collections::BTreeSet;

use serde_json::Value;

use super::accumulate::Gathered;
use super::{list, text};

/// What is judged.
pub(super) struct Subject {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Subject {
    /// Every assertion that does not hold.
    pub(super) fn failures(&self, asserts: &Value) -> Vec<String> {
        let told =
            |assert: &Value| self.holds(assert).err().map(|found| format!("{assert}: {found}"));
        list(asserts).iter().filter_map(told).collect()
    }

    fn holds(&self, assert: &Value) -> Result<(), String> {
        let expected = &assert["value"];
        let found = self.at(text(&assert["path"]));
        let value = found.clone().unwrap_or(Value::Null);
        let size = value.as_array().map(Vec::len).or(value.as_object().map(serde_json::Map::len));
        let len = expected.as_u64().and_then(|len| usize::try_from(len).ok());
        let words = text_of(&value);
        let holds = match text(&assert["op"]) {
            "eq" => same(&value, expected),
            "absent" => found.is_none(),
            "exists" => !value.is_null(),
            "null_or_absent" => value.is_null(),
            "len" => size.is_some() && size == len,
            "len_or_null" => value.is_null() || size == len,
            "in" => list(expected).iter().any(|one| same(&value, one)),
            "contains" => contains(&value, expected),
            "not_contains" => !contains(&value, expected),
            "gt" => value.as_f64() > expected.as_f64(),
            "matches" => regex_lite::Regex::new(text(expected)).unwrap().is_match(text(&value)),
            "same_as" => found.is_some() && found == self.at(text(expected)),
            "json_eq" => {
                serde_json::from_str::<Value>(text(&value)).ok().as_ref() == Some(expected)
            }
            "is_object" => value.is_object(),
            "superset" => superset(&value, expected),
            "eq_dedup" => without_repeats(list(&value)) == list(expected),
            "text_eq" => squeezed(&words) == squeezed(text(expected)),
            "visible_text_eq" => words == text(expected),
            "text_contains" => words.contains(text(expected)),
            other => return Err(format!("no such operation: {other}")),
        };
        if holds { Ok(()) } else { Err(format!("found {value}")) }
    }

    fn at(&self, path: &str) -> Option<Value> {
        let Some(computed) = path.strip_prefix('@') else { return at(&self.body, path).cloned() };
        let body = &self.body;
        let messages = list(&body["messages"]);
        let joined = |of: fn(&Value) -> String| {
            Value::from(messages.iter().map(|message| of(&message["content"])).collect::<String>())
        };
        Some(match computed {
            "status" => self.status.into(),
            // All that the translation writes.
            "content_type" => "application/json".into(),
            "max_tokens" => at(body, "max_tokens").or(at(body, "max_completion_tokens"))?.clone(),
            "system_text" => text_of(&body["system"]).into(),
            "messages_text" | "visible_text" => joined(text_of),
            "all_text" | "upstream_body" => body.to_string().into(),
            "roles" => messages.iter().map(|message| message["role"].clone()).collect(),
            "usage_input_total" => input_total(&body["usage"]).into(),
            other => panic!("no such path: @{other}"),
        })
    }
}

/// What a client library has at the end of a stream, against what it should have.
pub(super) fn accumulated(gathered: &Gathered, expected: &Value) -> Vec<String> {
    let expected = expected.as_object().into_iter().flatten();
    let failed = expected.filter(|(key, value)| !has(gathered, key, value));
    failed
        .map(|(key, value)| {
            format!("{key} is not {value}: {} {:?}", gathered.answer, gathered.types)
        })
        .collect()
}

fn has(gathered: &Gathered, key: &str, value: &Value) -> bool {
    let answer = &gathered.answer;
    let blocks = list(&answer["content"]);
    let choice = &answer["choices"][0];
    let count = |kind: &str| gathered.types.iter().filter(|one| *one == kind).count() as u64;
    let of_blocks = |name: &str| blocks.iter().map(|block| block[name].clone()).collect::<Vec<_>>();
    let set = |names: &[Value]| -> BTreeSet<String> {
        names.iter().map(|name| text(name).to_owned()).collect()
    };
    match key {
        "note" => true,
        "blocks" => pairwise(blocks, list(value), superset),
        "block_types" => of_blocks("type") == list(value),
        "block_names_set" => set(&of_blocks("name")) == set(list(value)),
        "has_block" => blocks.iter().any(|block| superset(block, value)),
        "stop_reason" | "model" => same(&answer[key], value),
        "usage" => superset(&answer["usage"], value),
        "usage_input_total" => input_total(&answer["usage"]) == value.as_u64().unwrap(),
        "counts" => value.as_object().unwrap().iter().all(|(kind, n)| *n == count(kind)),
        "stops" => *value == count("content_block_stop"),
        "last_event" => gathered.types.last().map(String::as_str) == value.as_str(),
        "indices_contiguous" => gathered.indices.iter().zip(0..).all(|(index, at)| *index == at),
        "indices" => gathered.indices.iter().copied().map(Value::from).collect::<Value>() == *value,
        "nonempty" => list(value).iter().all(|path| {
            let path = text(path).replace("blocks.", "content.");
            at(answer, &path).is_some_and(|found| !text(found).is_empty())
        }),
        "error" => gathered.failed.is_some() != value.is_null(),
        "bad_json" => *value == gathered.bad_json,
        "content" => text(&choice["message"]["content"]) == text(value),
        "reasoning" => text(&choice["message"]["reasoning_content"]) == text(value),
        "role" => same(&choice["message"]["role"], value),
        "finish_reason" => same(&choice["finish_reason"], value),
        "tool_calls" => pairwise(list(&choice["message"]["tool_calls"]), list(value), called),
        "cached_tokens" => {
            let found = answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64();
            found.unwrap_or(0) == value.as_u64().unwrap_or(0)
        }
        "done" => *value == gathered.done,
        other => panic!("no such expectation: {other}"),
    }
}

/// A call as its library has it, against one with parsed arguments.
fn called(call: &Value, expected: &Value) -> bool {
    let arguments = text(&call["function"]["arguments"]);
    let read: Option<Value> = serde_json::from_str(arguments).ok();
    ["index", "id"].iter().all(|name| same(&call[*name], &expected[*name]))
        && call["function"]["name"] == expected["name"]
        && (read.as_ref() == Some(&expected["arguments"]) || expected["arguments"] == arguments)
}

fn pairwise(found: &[Value], expected: &[Value], fits: fn(&Value, &Value) -> bool) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| fits(a, b))
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}

fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => {
            (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-6
        }
        (Value::Array(a), Value::Array(b)) => pairwise(a, b, same),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && b.iter().all(|(name, b)| a.get(name).is_some_and(|a| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Has it at least this?
fn superset(found: &Value, expected: &Value) -> bool {
    match expected {
        Value::Object(expected) => expected
            .iter()
            .all(|(name, value)| superset(found.get(name).unwrap_or(&Value::Null), value)),
        other => same(found, other),
    }
}

fn contains(found: &Value, expected: &Value) -> bool {
    match found {
        Value::Array(items) => items.contains(expected),
        other => text(other).contains(text(expected)),
    }
}

fn without_repeats(items: &[Value]) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        if !kept.contains(item) {
            kept.push(item.clone());
        }
    }
    kept
}

/// A text, or the text parts of a list, joined.
fn text_of(content: &Value) -> String {
    let visible = |part: &&Value| part["type"].is_null() || part["type"] == "text";
    match content {
        Value::Array(parts) => {
            parts.iter().filter(visible).map(|part| text(&part["text"])).collect()
        }
        other => text(other).to_owned(),
    }
}

fn squeezed(words: &str) -> String {
    words.chars().filter(|character| !character.is_whitespace()).collect()
}

fn input_total(usage: &Value) -> u64 {
    let names = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    names.iter().filter_map(|name| usage[*name].as_u64()).sum()
}

#[test]
fn assertions_hold_or_say_what_was_found() {
    use serde_json::json;
    let body = json!({
        "system": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }],
        "messages": [
            { "role": "user", "content": "c " },
            { "role": "user", "content": [
                { "type": "thinking", "thinking": "x" }, { "type": "text", "text": "d" },
            ] },
        ],
        "n": 0.1, "json": "{\"a\": 1}", "none": null, "object": { "k": 1, "l": [1, 2] },
    });
    let subject = Subject { status: 200, body };
    let check = |path: &str, op: &str, value: Value, holds: bool| {
        let failures = subject.failures(&json!([{ "path": path, "op": op, "value": value }]));
        assert_eq!(failures.is_empty(), holds, "{failures:?}");
    };
    for (path, op, right, wrong) in [
        ("n", "eq", json!(0.100_000_01), json!(0.2)),
        ("object", "eq", json!({ "l": [1, 2], "k": 1 }), json!({ "k": 1 })),
        ("object", "superset", json!({ "k": 1 }), json!({ "k": 2 })),
        ("messages", "len", json!(2), json!(1)),
        ("none", "len_or_null", json!(0), Value::Null),
        ("object", "len_or_null", json!(2), json!(0)),
        ("gone", "in", json!([1, null]), json!([1])),
        ("json", "contains", json!("a\""), json!("b")),
        ("json", "not_contains", json!("b"), json!("a")),
        ("n", "gt", json!(0), json!(1)),
        ("json", "matches", json!("^\\{"), json!("^a")),
        ("object.l.0", "same_as", json!("object.k"), json!("n")),
        ("json", "json_eq", json!({ "a": 1 }), json!({ "a": 2 })),
        ("@roles", "eq_dedup", json!(["user"]), json!(["user", "user"])),
        ("system", "text_eq", json!("a b"), json!("a")),
        ("messages.1.content", "visible_text_eq", json!("d"), json!("xd")),
        ("messages.0.content", "text_contains", json!("c"), json!("d")),
        ("@messages_text", "eq", json!("c d"), json!("c")),
        ("@status", "eq", json!(200), json!(400)),
    ] {
        let null = path == "none";
        check(path, op, right, true);
        check(path, op, wrong, null);
    }
    for (path, op, holds) in [
        ("gone", "absent", true),
        ("none", "absent", false),
        ("none", "null_or_absent", true),
        ("none", "exists", false),
        ("n", "exists", true),
        ("object", "is_object", true),
        ("n", "is_object", false),
    ] {
        check(path, op, Value::Null, holds);
    }
}
