//! What matters of a request, whatever the dialect: turns, tools and settings.

use serde_json::{Map, Value, json};

use super::{Speech, list, text};

/// By the name of each aspect.
pub(super) type Core = Map<String, Value>;

/// What matters of a request.
pub(super) fn request(speech: Speech, request: &Value) -> Core {
    let max = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
    let stop = ["stop_sequences", "stop"];
    let first = |names: &[&str]| {
        names.iter().map(|name| request[*name].clone()).find(|value| !value.is_null())
    };
    let stop = match first(&stop) {
        Some(Value::String(one)) => json!([one]),
        other => json!(other),
    };
    let choice = &request["tool_choice"];
    let named = [&choice["name"], &choice["function"]["name"]];
    let named = named.into_iter().find(|name| name.is_string());
    object(json!({
        "model": request["model"],
        "turns": turns(speech, request),
        "tools": list(&request["tools"]).iter().map(tool).collect::<Value>(),
        "tool_choice": named.unwrap_or(if choice.is_object() { &choice["type"] } else { choice }),
        "max_tokens": first(&max),
        "stop": stop,
        "temperature": request["temperature"],
        "top_p": request["top_p"],
        "effort": first(&["reasoning_effort"]).unwrap_or(request["reasoning"]["effort"].clone()),
        "thinking": request["thinking"],
        "format": format(request),
        "user": first(&["user"]).unwrap_or(request["metadata"]["user_id"].clone()),
    }))
}

fn format(request: &Value) -> Value {
    let formats = [
        &request["output_config"]["format"]["schema"],
        &request["response_format"]["json_schema"]["schema"],
        &request["text"]["format"]["schema"],
    ];
    formats.into_iter().find(|format| !format.is_null()).cloned().unwrap_or_default()
}

fn tool(tool: &Value) -> Value {
    let function = if tool["function"].is_object() { &tool["function"] } else { tool };
    let schemas = [&function["parameters"], &function["input_schema"]];
    let schema = schemas.into_iter().find(|schema| !schema.is_null());
    json!([function["name"], function["description"], schema])
}

/// Each turn as `role: what`, pieces in order; neighbours of one role are one turn, as they are to a
/// model.
pub(super) fn turns(speech: Speech, request: &Value) -> Vec<String> {
    let mut said: Vec<(String, String)> = Vec::new();
    let mut push = |role: &str, what: String| match said.last_mut() {
        Some((before, words)) if before == role => *words += &what,
        _ => said.push((role.to_owned(), what)),
    };
    push("system", pieces(&request["system"]) + text(&request["instructions"]));
    let items = if speech == Speech::Responses { "input" } else { "messages" };
    for message in list(&request[items]) {
        let role = match (text(&message["role"]), text(&message["type"])) {
            ("tool", _) | ("", "function_call_output") => "user",
            ("", _) => "assistant",
            ("developer", _) => "system",
            (role, _) => role,
        };
        if message["content"].is_null() {
            push(role, piece(message));
        } else if !message["tool_call_id"].is_null() {
            push(
                role,
                format!("<{}={}>", text(&message["tool_call_id"]), pieces(&message["content"])),
            );
        } else {
            push(role, pieces(&message["content"]));
        }
        for call in list(&message["tool_calls"]) {
            push(role, piece(call));
        }
    }
    // Neighbours may be joined by line ends.
    let told = said.iter().map(|(role, what)| format!("{role}: {}", what.replace('\n', "")));
    told.filter(|turn| turn != "system: ").collect()
}

fn pieces(content: &Value) -> String {
    match content {
        Value::String(words) => words.clone(),
        parts => list(parts).iter().map(piece).collect(),
    }
}

fn piece(part: &Value) -> String {
    let ids = [&part["call_id"], &part["id"], &part["tool_use_id"]];
    let id = ids.into_iter().map(text).find(|id| !id.is_empty()).unwrap_or_default();
    match text(&part["type"]) {
        "text" | "input_text" | "output_text" => text(&part["text"]).to_owned(),
        "image" | "image_url" | "input_image" => "<image>".to_owned(),
        "tool_use" => format!("<{} {id} {}>", text(&part["name"]), part["input"]),
        "function" => {
            let function = &part["function"];
            format!("<{} {id} {}>", text(&function["name"]), arguments(&function["arguments"]))
        }
        "function_call" => {
            format!("<{} {id} {}>", text(&part["name"]), arguments(&part["arguments"]))
        }
        "tool_result" => format!("<{id}={}>", pieces(&part["content"])),
        "function_call_output" => format!("<{id}={}>", pieces(&part["output"])),
        other => format!("<{other}>"),
    }
}

fn arguments(written: &Value) -> Value {
    serde_json::from_str(text(written)).unwrap_or(Value::Null)
}

/// The members of an object.
pub(super) fn object(value: Value) -> Core {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
