//! Fields within others: for each a request that has it, and the same without it.

use serde_json::{Value, json};

use super::super::super::Speech;

/// With, and without.
pub(super) type Requests = (Value, Value);

/// The fields that a row names: one, or several of one place (`input[].a, b`).
pub(super) fn each(field: &str) -> Vec<String> {
    let (before, last) = match field.rsplit_once(": ") {
        Some((before, last)) => (format!("{before}: "), last),
        None if field.contains(", ") && field.matches('.').count() > 1 && is_list(field) => {
            return field.split(", ").map(str::to_owned).collect();
        }
        None => match field.rsplit_once('.') {
            Some((before, last)) => (format!("{before}."), last),
            None => (String::new(), field),
        },
    };
    last.split(", ").map(|name| format!("{before}{name}")).collect()
}

/// `reasoning.summary, reasoning.generate_summary`: each with its own path.
fn is_list(field: &str) -> bool {
    field.split(", ").all(|name| name.contains('.'))
}

pub(super) fn of(speech: Speech, field: &str) -> Option<Requests> {
    match speech {
        Speech::Chat => chat(field),
        Speech::Messages => messages(field),
        Speech::Responses => responses(field),
    }
}

/// A request with these members, and one with those.
fn requests(base: Value, with: Value, without: Value) -> Requests {
    let merged = |more: Value| {
        let mut request = base.clone();
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        request
    };
    (merged(with), merged(without))
}

/// An object, and the same with one more member.
fn member(object: Value, name: &str, value: Value) -> (Value, Value) {
    let mut with = object.clone();
    with[name] = value;
    (with, object)
}

// === chat completions ===

fn chat(field: &str) -> Option<Requests> {
    let (place, name) = field.rsplit_once('.').unwrap();
    let base = json!({ "model": "m", "messages": [{ "role": "user", "content": "y" }] });
    Some(match place {
        "messages[]" => {
            let (with, without) = chat_message(name)?;
            requests(base, json!({ "messages": with }), json!({ "messages": without }))
        }
        _ if place.starts_with("messages[].content[]") => {
            let (role, (with, without)) = chat_part(field)?;
            let said = |part: Value| {
                let content: Vec<Value> = [json!({ "type": "text", "text": "a" }), part]
                    .into_iter()
                    .filter(|it| !it.is_null())
                    .collect();
                let first = json!({ "role": "user", "content": "y" });
                json!({ "messages": [first, { "role": role, "content": content }] })
            };
            requests(base, said(with), said(without))
        }
        "messages[].tool_calls[]" => {
            let called = |id: &str, call: Value| {
                let result = json!({ "role": "tool", "tool_call_id": id, "content": "r" });
                let assistant = json!({ "role": "assistant", "tool_calls": [call] });
                json!({ "messages": [{ "role": "user", "content": "y" }, assistant, result] })
            };
            let custom =
                json!({ "id": "c", "type": "custom", "custom": { "name": "f", "input": "i" } });
            let without = called("c", chat_call("c"));
            match name {
                "id" => requests(base, called("c.1", chat_call("c.1")), without),
                _ => requests(base, called("c", custom), without),
            }
        }
        _ => {
            let (with, without) = chat_setting(field)?;
            requests(base, with, without)
        }
    })
}

fn chat_call(id: &str) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": "f", "arguments": "{}" } })
}

fn chat_message(name: &str) -> Option<Requests> {
    let user = json!({ "role": "user", "content": "y" });
    let assistant = |name: &str, value: Value| {
        let (with, without) = member(json!({ "role": "assistant", "content": "a" }), name, value);
        (json!([user, with, user]), json!([user, without, user]))
    };
    let result = json!({ "role": "tool", "tool_call_id": "c", "content": "r" });
    let calls = json!({ "role": "assistant", "tool_calls": [chat_call("c")] });
    let old = json!({ "role": "assistant", "function_call": { "name": "f", "arguments": "{}" } });
    Some(match name {
        "role" => (json!([{ "role": "developer", "content": "b" }, user]), json!([user])),
        "name" => {
            let (with, without) = member(user, name, json!("u"));
            (json!([with]), json!([without]))
        }
        "content" => (json!([{ "role": "user", "content": "other" }]), json!([user])),
        "refusal" | "reasoning_content" => assistant(name, json!("no")),
        "audio" => assistant(name, json!({ "id": "audio_1" })),
        "tool_calls" | "tool_call_id" => (json!([user, calls, result]), json!([user])),
        "function_call" => {
            let result = json!({ "role": "function", "name": "f", "content": "r" });
            (json!([user, old, result]), json!([user]))
        }
        _ => return None,
    })
}

fn chat_part(field: &str) -> Option<(&'static str, Requests)> {
    let image = json!({ "type": "image_url", "image_url": { "url": "https://a.test/x.png" } });
    let file =
        json!({ "type": "file", "file": { "file_data": "data:application/pdf;base64,QQ==" } });
    let text = json!({ "type": "text", "text": "more" });
    let within = |mut part: Value, kind: &str, name: &str| {
        let without = part.clone();
        part[kind][name] = json!("low");
        (part, without)
    };
    let added = match field.strip_prefix("messages[].content[].")? {
        "text" => (text, Value::Null),
        "image_url" => (image, Value::Null),
        "image_url.detail" => within(image, "image_url", "detail"),
        "file" => (file, Value::Null),
        "file.filename" => within(file, "file", "filename"),
        "input_audio" => {
            let audio = json!({ "data": "QQ==", "format": "wav" });
            (json!({ "type": "input_audio", "input_audio": audio }), Value::Null)
        }
        "refusal" => {
            let refusal = json!({ "type": "refusal", "refusal": "no" });
            return Some(("assistant", (refusal, Value::Null)));
        }
        "cache_control" => member(text, "cache_control", json!({ "type": "ephemeral" })),
        "prompt_cache_breakpoint" => {
            member(text, "prompt_cache_breakpoint", json!({ "mode": "explicit" }))
        }
        _ => return None,
    };
    Some(("user", added))
}

fn chat_setting(field: &str) -> Option<Requests> {
    let function = json!({ "name": "f", "parameters": { "type": "object", "properties": {} } });
    let tool = json!({ "type": "function", "function": function });
    let strict = |mut of: Value, inner: &str| {
        let without = of.clone();
        of[inner]["strict"] = json!(true);
        (of, without)
    };
    Some(match field {
        "response_format.json_schema.strict" => {
            let schema = json!({ "type": "json_schema", "json_schema": { "name": "s", "schema": { "type": "object" } } });
            let (with, without) = strict(schema, "json_schema");
            (json!({ "response_format": with }), json!({ "response_format": without }))
        }
        "stream_options.include_obfuscation" | "stream_options.include_usage" => {
            let (_, name) = field.split_once('.')?;
            let (with, without) = member(json!({}), name, json!(true));
            let streamed = |options: Value| json!({ "stream": true, "stream_options": options });
            (streamed(with), streamed(without))
        }
        "tool_choice.allowed_tools" => {
            let other = json!({ "type": "function", "function": { "name": "g" } });
            let one = json!({ "type": "function", "function": { "name": "f" } });
            let allowed = json!({ "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [one] } });
            let tools = json!([tool, other]);
            (json!({ "tools": tools, "tool_choice": allowed }), json!({ "tools": tools }))
        }
        "tools[].function" => (json!({ "tools": [tool] }), json!({})),
        "tools[].function.strict" => {
            let (with, without) = strict(tool, "function");
            (json!({ "tools": [with] }), json!({ "tools": [without] }))
        }
        "tools[].cache_control" => {
            let (with, without) = member(tool, "cache_control", json!({ "type": "ephemeral" }));
            (json!({ "tools": [with] }), json!({ "tools": [without] }))
        }
        "tools[].custom" => {
            let custom = json!({ "type": "custom", "custom": { "name": "c" } });
            (json!({ "tools": [custom] }), json!({}))
        }
        _ => return None,
    })
}

// === messages ===

fn messages(field: &str) -> Option<Requests> {
    let base = json!({
        "model": "m", "max_tokens": 100, "messages": [{ "role": "user", "content": "y" }],
    });
    if let Some(name) = field.strip_prefix("tools[].") {
        let (with, without) = messages_tool(name)?;
        return Some(requests(base, json!({ "tools": [with] }), json!({ "tools": [without] })));
    }
    let user = json!({ "role": "user", "content": "y" });
    let told = match field {
        "messages[].role" => {
            (json!([user, { "role": "assistant", "content": "a" }]), json!([user]))
        }
        "messages[].content" => (json!([{ "role": "user", "content": "other" }]), json!([user])),
        _ => messages_block(field.strip_prefix("messages[].content[].")?)?,
    };
    Some(requests(base, json!({ "messages": told.0 }), json!({ "messages": told.1 })))
}

fn messages_tool(name: &str) -> Option<Requests> {
    let tool = json!({ "name": "f", "input_schema": { "type": "object" } });
    Some(match name {
        "input_schema" => {
            let schema = json!({ "type": "object", "properties": { "x": {} } });
            (json!({ "name": "f", "input_schema": schema }), tool)
        }
        "cache_control" => member(tool, name, json!({ "type": "ephemeral" })),
        "defer_loading" | "eager_input_streaming" => member(tool, name, json!(true)),
        "input_examples" => member(tool, name, json!([{}])),
        "allowed_callers" => member(tool, name, json!(["direct"])),
        "type" => (json!({ "type": "bash_20250124", "name": "bash" }), tool),
        _ => return None,
    })
}

fn messages_block(kind: &str) -> Option<Requests> {
    let text = json!({ "type": "text", "text": "a" });
    let of = |role: &str, blocks: Value| json!([{ "role": "user", "content": "y" }, { "role": role, "content": blocks }]);
    let beside =
        |role: &str, block: Value| (of(role, json!([text, block])), of(role, json!([text])));
    let source =
        |kind: &str, source: Value| beside("user", json!({ "type": kind, "source": source }));
    let base64 = |media: &str| json!({ "type": "base64", "media_type": media, "data": "QQ==" });
    Some(match kind {
        "cache_control" => {
            let (with, without) = member(text, kind, json!({ "type": "ephemeral" }));
            (of("user", json!([with])), of("user", json!([without])))
        }
        "citations" => {
            let (with, without) = member(text, kind, json!([{ "type": "char_location" }]));
            (of("assistant", json!([with])), of("assistant", json!([without])))
        }
        "image" => source("image", base64("image/png")),
        "image.source.file_id" => source("image", json!({ "type": "file", "file_id": "file_1" })),
        "document" => source("document", base64("application/pdf")),
        "document.source.url" => {
            source("document", json!({ "type": "url", "url": "https://a.test/x.pdf" }))
        }
        "search_result" => beside(
            "user",
            json!({
                "type": kind, "source": "https://a.test", "title": "t",
                "content": [{ "type": "text", "text": "found" }],
            }),
        ),
        "tool_use" | "tool_result" => (called(None), json!([{ "role": "user", "content": "y" }])),
        "tool_result.is_error" => (called(Some(true)), called(None)),
        "thinking" => {
            beside("assistant", json!({ "type": kind, "thinking": "t", "signature": "s" }))
        }
        "redacted_thinking" => beside("assistant", json!({ "type": kind, "data": "d" })),
        "compaction" => beside("assistant", json!({ "type": kind, "content": "sum" })),
        "server_tool_use" => beside(
            "assistant",
            json!({ "type": kind, "id": "s", "name": "web_search", "input": {} }),
        ),
        "container_upload" => beside("user", json!({ "type": kind, "file_id": "file_1" })),
        _ => return None,
    })
}

fn called(is_error: Option<bool>) -> Value {
    let mut result = json!({ "type": "tool_result", "tool_use_id": "c", "content": "r" });
    if let Some(is_error) = is_error {
        result["is_error"] = json!(is_error);
    }
    let call = json!({ "type": "tool_use", "id": "c", "name": "f", "input": {} });
    json!([
        { "role": "user", "content": "y" },
        { "role": "assistant", "content": [call] },
        { "role": "user", "content": [result] },
    ])
}

// === responses ===

fn responses(field: &str) -> Option<Requests> {
    let base = json!({ "model": "m", "input": "y" });
    if let Some(kind) = field.strip_prefix("tools[].") {
        return responses_tool(kind).map(|(with, without)| requests(base, with, without));
    }
    if let Some(kind) = field.strip_prefix("input[].") {
        let user = json!({ "role": "user", "content": "y" });
        let (with, without) = match kind.strip_prefix("content[].") {
            Some(part) => responses_part(part)?,
            None => responses_item(kind)?,
        };
        let input = |items: Value| {
            let items: Vec<Value> =
                [&user].into_iter().chain(items.as_array().unwrap()).cloned().collect();
            json!({ "input": items })
        };
        return Some(requests(base, input(with), input(without)));
    }
    let (with, without) = responses_setting(field)?;
    Some(requests(base, with, without))
}

fn responses_tool(kind: &str) -> Option<Requests> {
    let function = json!({ "type": "function", "name": "f", "parameters": { "type": "object" } });
    let beside =
        |tool: Value| (json!({ "tools": [function, tool] }), json!({ "tools": [function] }));
    Some(match kind {
        "function" => (json!({ "tools": [function] }), json!({})),
        "function.strict" => {
            let (with, without) = member(function, "strict", json!(true));
            (json!({ "tools": [with] }), json!({ "tools": [without] }))
        }
        "custom" => beside(json!({ "type": kind, "name": "c" })),
        "namespace" => {
            let inner =
                json!({ "type": "function", "name": "g", "parameters": { "type": "object" } });
            beside(json!({ "type": kind, "name": "n", "tools": [inner] }))
        }
        _ => beside(json!({ "type": kind })),
    })
}

fn responses_part(kind: &str) -> Option<Requests> {
    let text = json!({ "type": "input_text", "text": "a" });
    let message = |role: &str, parts: Value| json!([{ "role": role, "content": parts }]);
    let user = |part: Value| (message("user", json!([text, part])), message("user", json!([text])));
    let said = json!({ "type": "output_text", "text": "a" });
    let image = json!({ "type": "input_image", "image_url": "https://a.test/x.png" });
    Some(match kind {
        "input_text" => user(json!({ "type": "input_text", "text": "more" })),
        "output_text" => {
            let more = json!({ "type": kind, "text": "more" });
            (message("assistant", json!([said, more])), message("assistant", json!([said])))
        }
        "output_text.annotations" => {
            let (with, without) = member(said, "annotations", json!([{ "type": "file_citation" }]));
            (message("assistant", json!([with])), message("assistant", json!([without])))
        }
        "refusal" => {
            let refusal = json!({ "type": "refusal", "refusal": "no" });
            (message("assistant", json!([said, refusal])), message("assistant", json!([said])))
        }
        "input_image" => user(image),
        "input_image.file_id" => user(json!({ "type": "input_image", "file_id": "file_1" })),
        "input_image.detail" => {
            let (with, without) = member(image, "detail", json!("low"));
            (message("user", json!([with])), message("user", json!([without])))
        }
        "input_file" => {
            let data = "data:application/pdf;base64,QQ==";
            user(json!({ "type": kind, "filename": "f.pdf", "file_data": data }))
        }
        "input_file.file_id" => user(json!({ "type": "input_file", "file_id": "file_1" })),
        "input_audio" => {
            let audio = json!({ "data": "QQ==", "format": "wav" });
            user(json!({ "type": kind, "input_audio": audio }))
        }
        "prompt_cache_breakpoint" => {
            let (with, without) = member(text, kind, json!({ "mode": "explicit" }));
            (message("user", json!([with])), message("user", json!([without])))
        }
        _ => return None,
    })
}

fn responses_item(kind: &str) -> Option<Requests> {
    let item = |item: Value| (json!([item]), json!([]));
    let called = |kind: &str, input: &str| {
        let call = json!({ "type": kind, "call_id": "c", "name": "f", input: "{}" });
        let output = json!({ "type": format!("{kind}_output"), "call_id": "c", "output": "r" });
        (json!([call, output]), json!([]))
    };
    Some(match kind {
        "message: user" | "message: assistant" | "message: system" | "message: developer" => {
            let (_, role) = kind.split_once(": ")?;
            item(json!({ "type": "message", "role": role, "content": "more" }))
        }
        "message.phase" => {
            let said = json!({ "role": "assistant", "content": "a" });
            let (with, without) = member(said, "phase", json!("commentary"));
            (json!([with]), json!([without]))
        }
        "function_call" | "function_call_output" => called("function_call", "arguments"),
        "custom_tool_call" | "custom_tool_call_output" => called("custom_tool_call", "input"),
        "local_shell_call" | "shell_call" => {
            let call = json!({ "type": kind, "call_id": "c", "action": { "command": ["ls"] } });
            let output = json!({ "type": format!("{kind}_output"), "call_id": "c", "output": "r" });
            (json!([call, output]), json!([]))
        }
        "apply_patch_call" => {
            let call = json!({ "type": kind, "call_id": "c", "operation": { "type": "x" } });
            let output =
                json!({ "type": "apply_patch_call_output", "call_id": "c", "output": "r" });
            (json!([call, output]), json!([]))
        }
        "reasoning" => {
            let summary = json!([{ "type": "summary_text", "text": "t" }]);
            let said = json!({ "role": "assistant", "content": "a" });
            (json!([{ "type": kind, "id": "rs_1", "summary": summary }, said]), json!([said]))
        }
        _ => item(json!({ "type": kind, "id": "i_1" })),
    })
}

fn responses_setting(field: &str) -> Option<Requests> {
    let function = |name: &str| json!({ "type": "function", "name": name, "parameters": { "type": "object" } });
    let format = |kind: &str| json!({ "text": { "format": { "type": kind, "name": "s", "schema": { "type": "object" } } } });
    Some(match field {
        "reasoning.effort"
        | "reasoning.summary"
        | "reasoning.generate_summary"
        | "reasoning.context"
        | "reasoning.mode" => {
            let (_, name) = field.split_once('.')?;
            let value = if name == "effort" { "high" } else { "auto" };
            let (with, without) = member(json!({}), name, json!(value));
            (json!({ "reasoning": with }), json!({ "reasoning": without }))
        }
        "text.format: json_object" => (format("json_object"), json!({})),
        "text.format: json_schema" => (format("json_schema"), json!({})),
        "text.verbosity" => (json!({ "text": { "verbosity": "low" } }), json!({ "text": {} })),
        "tool_choice.allowed_tools" => {
            let one = json!({ "type": "function", "name": "f" });
            let allowed = json!({ "type": "allowed_tools", "mode": "auto", "tools": [one] });
            let tools = json!([function("f"), function("g")]);
            (json!({ "tools": tools, "tool_choice": allowed }), json!({ "tools": tools }))
        }
        "tool_choice.type: hosted tools" => {
            let tools = json!([function("f")]);
            let choice = json!({ "type": "file_search" });
            (json!({ "tools": tools, "tool_choice": choice }), json!({ "tools": tools }))
        }
        _ => return None,
    })
}
