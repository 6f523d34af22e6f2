//! A value for each field that a table names, and the least request that it can be sent with.

use serde_json::{Value, json};

use super::super::Speech;

/// The least request of a dialect; some fields need others beside them.
pub(super) fn request(speech: Speech, field: &str) -> Value {
    let mut request = match speech {
        Speech::Chat | Speech::Messages => {
            json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] })
        }
        Speech::Responses => json!({ "model": "m", "input": "x" }),
    };
    if speech == Speech::Messages {
        request["max_tokens"] = json!(100);
    }
    for (beside, needed) in needed(field) {
        request[*beside] = of(speech, needed).unwrap();
    }
    request
}

/// The member of `response_format: json_object`.
pub(super) fn key(field: &str) -> &str {
    field.split_once(':').map_or(field, |(key, _)| key)
}

/// What must be there for a field to mean anything.
fn needed(field: &str) -> &'static [(&'static str, &'static str)] {
    match key(field) {
        "tool_choice" | "parallel_tool_calls" => &[("tools", "tools")],
        "function_call" => &[("functions", "functions")],
        "stream_options" => &[("stream", "stream")],
        _ => &[],
    }
}

/// A value that says something: not the default.
pub(super) fn of(speech: Speech, field: &str) -> Option<Value> {
    let of_dialect = match speech {
        Speech::Chat => chat(field),
        Speech::Messages => messages(field),
        Speech::Responses => responses(field),
    };
    of_dialect.or_else(|| common(field))
}

fn common(field: &str) -> Option<Value> {
    Some(match field {
        "model" => json!("m2"),
        "max_tokens" => json!(77),
        "temperature" | "top_p" => json!(0.5),
        "top_k" => json!(5),
        "stream" | "store" | "background" => json!(true),
        "metadata" => json!({ "user_id": "u" }),
        "user" | "prompt_cache_key" | "safety_identifier" => json!("u"),
        "service_tier" => json!("auto"),
        "parallel_tool_calls" => json!(false),
        "top_logprobs" => json!(3),
        "prompt_cache_options" => json!({ "mode": "explicit" }),
        "prompt_cache_retention" => json!("24h"),
        "moderation" => json!({ "model": "m" }),
        _ => return None,
    })
}

fn chat(field: &str) -> Option<Value> {
    let function = json!({ "name": "f", "parameters": { "type": "object", "properties": {} } });
    Some(match field {
        "messages" => json!([{ "role": "user", "content": "y" }]),
        "tools" => json!([{ "type": "function", "function": function }]),
        "tool_choice" => json!("required"),
        "functions" => json!([function]),
        "function_call" => json!({ "name": "f" }),
        "max_completion_tokens" => json!(77),
        "stop" => json!(["x"]),
        "n" => json!(2),
        "seed" => json!(7),
        "frequency_penalty" | "presence_penalty" | "repetition_penalty" | "min_p" | "top_a" => {
            json!(0.5)
        }
        "logit_bias" => json!({ "50256": -100 }),
        "logprobs" => json!(true),
        "stream_options" => json!({ "include_usage": true }),
        "response_format: json_object" => json!({ "type": "json_object" }),
        "response_format" | "response_format: json_schema" => json!({
            "type": "json_schema",
            "json_schema": { "name": "s", "schema": { "type": "object" } },
        }),
        "reasoning_effort" | "verbosity" => json!("high"),
        "reasoning" => json!({ "effort": "high" }),
        "thinking" => json!({ "type": "enabled", "budget_tokens": 2000 }),
        "modalities" => json!(["text", "audio"]),
        "audio" => json!({ "voice": "v", "format": "wav" }),
        "prediction" => json!({ "type": "content", "content": "x" }),
        "web_search_options" => json!({ "search_context_size": "low" }),
        "cache_control" => json!({ "type": "ephemeral" }),
        _ => return None,
    })
}

fn messages(field: &str) -> Option<Value> {
    Some(match field {
        "messages" => json!([{ "role": "user", "content": "y" }]),
        "system" => json!("be brief"),
        "tools" => json!([{ "name": "f", "input_schema": { "type": "object" } }]),
        "tool_choice" => json!({ "type": "any" }),
        "stop_sequences" => json!(["x"]),
        "thinking" => json!({ "type": "enabled", "budget_tokens": 2000 }),
        "output_config" => json!({ "effort": "high" }),
        "output_format" => json!({ "type": "json_schema", "schema": { "type": "object" } }),
        "context_management" => json!({ "edits": [{ "type": "clear_tool_uses_20250919" }] }),
        "cache_control" => json!({ "type": "ephemeral" }),
        "container" => json!("container_1"),
        "mcp_servers" => json!([{ "type": "url", "url": "https://mcp.example.com", "name": "n" }]),
        "inference_geo" => json!("us"),
        "billing_policy" => json!({ "type": "billing_policy", "bill_to": "self" }),
        "compaction" => json!({ "type": "summarize" }),
        "diagnostics" => json!({ "previous_message_id": "msg_1" }),
        "fallback_credit_token" => json!("token"),
        "fallbacks" => json!([{ "model": "n" }]),
        "thread" => json!({ "type": "continue", "id": "thread_1" }),
        "user_profile_id" => json!("profile_1"),
        "speed" => json!("fast"),
        "betas" => json!(["b"]),
        "anthropic_version" => json!("bedrock-2023-05-31"),
        "anthropic_beta" => json!(["b"]),
        _ => return None,
    })
}

fn responses(field: &str) -> Option<Value> {
    Some(match field {
        "input" => json!("y"),
        "instructions" => json!("be brief"),
        "tools" => {
            json!([{ "type": "function", "name": "f", "parameters": { "type": "object" } }])
        }
        "tool_choice" => json!("required"),
        "max_output_tokens" => json!(77),
        "max_tool_calls" => json!(3),
        "reasoning" => json!({ "effort": "high" }),
        "text" => json!({
            "format": { "type": "json_schema", "name": "s", "schema": { "type": "object" } },
        }),
        "previous_response_id" => json!("resp_1"),
        "conversation" => json!("conv_1"),
        "prompt" => json!({ "id": "pmpt_1" }),
        "include" => json!(["file_search_call.results"]),
        "truncation" => json!("auto"),
        "stream_options" => json!({ "include_obfuscation": false }),
        "context_management" => json!([{ "type": "compaction" }]),
        "client_metadata" | "background_options" | "image" => json!({ "k": "v" }),
        "access_programs" => json!(["p"]),
        "tool_choice: hosted tools" => json!({ "type": "file_search" }),
        _ => return None,
    })
}
