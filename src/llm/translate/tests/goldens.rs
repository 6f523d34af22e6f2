//! Another gateway's goldens, compared by what matters: of requests the turns, tools and settings,
//! of answers and streams what is heard.

use std::fs;

use serde_json::{Value, json};

use super::super::{Asked, Wishes};
use super::accumulate::gather;
use super::corpus::corpus;
use super::heard::Heard;
use super::substance::{self, Core, object};
use super::{Speech, occasion, pair, text};

const LIMIT: &str = "the limit where the caller sets none is the target's, not a fixed one";
const ADAPTIVE: &str =
    "models since Claude 4.6 think adaptively; a budget is for targets that say so";
const CACHED: &str = "`prompt_tokens` counts cached tokens, too";
const THOUGHT: &str = "they lose the thought";

/// Where we differ, and why.
const DIFFERENT: [(&str, &str, &str); 23] = [
    ("requests/completions/basic.anthropic", "max_tokens", LIMIT),
    ("requests/completions/image-url.anthropic", "max_tokens", LIMIT),
    ("requests/completions/reasoning.anthropic", "max_tokens", LIMIT),
    ("requests/completions/reasoning_max.anthropic", "max_tokens", LIMIT),
    ("requests/completions/tool-call.anthropic", "max_tokens", LIMIT),
    ("requests/completions/reasoning.anthropic", "thinking", ADAPTIVE),
    ("requests/completions/reasoning_max.anthropic", "thinking", ADAPTIVE),
    ("requests/completions/full.anthropic", "refused", "`n: 3`: they answer once"),
    (
        "requests/messages/cache_control.completions",
        "turns",
        "a tool message holds text only: its pictures are shown behind it, they lose them",
    ),
    (
        "requests/messages/gpt_adaptive_thinking_with_tools.completions",
        "effort",
        "they know by the model's name that it cannot think while it calls",
    ),
    ("requests/messages/metadata.completions", "user", "`user` has 64 characters at most"),
    (
        "requests/messages/server_tools.completions",
        "tools",
        "OpenAI refuses an object schema without properties",
    ),
    ("requests/messages/structured-output.completions", "effort", "they lose the effort"),
    ("response/anthropic/basic.messages-completions", "usage", CACHED),
    (
        "response/anthropic/stream_message_delta_usage.messages-completions-streaming",
        "usage",
        CACHED,
    ),
    ("response/anthropic/thinking.messages-completions", "usage", CACHED),
    ("response/anthropic/tool.messages-completions", "usage", CACHED),
    (
        "response/completions/gemini_zero_completion_tokens.completions-responses",
        "usage",
        "they make up a count from the total",
    ),
    ("response/completions/openrouter_reasoning.completions-messages", "thought", THOUGHT),
    ("response/completions/openrouter_reasoning.completions-responses", "thought", THOUGHT),
    ("response/responses/reasoning.responses-messages", "thought", THOUGHT),
    (
        "response/completions/stream.completions-responses-streaming",
        "said",
        "their last event repeats nothing of what was said",
    ),
    (
        "response/completions/truncated_tool_call.completions-messages",
        "calls",
        "an `input` is an object",
    ),
];

#[test]
fn another_gateways_goldens_say_the_same() {
    let Some(folder) = corpus().map(|corpus| corpus.join("agentgateway")) else { return };
    let index = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let (mut compared, mut new, mut met) = (0, Vec::new(), Vec::new());
    for record in index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let speeches = (speech(&record["client_api"]), speech(&record["upstream_api"]));
        let (Some(client), Some(upstream)) = speeches else { continue };
        if client == upstream {
            continue;
        }
        compared += 1;
        let case = fs::read(folder.join(text(&record["file"]))).unwrap();
        let case: Value = serde_json::from_slice(&case).unwrap();
        let id = text(&case["id"]).trim_start_matches("agentgateway/").to_owned();
        for (name, told) in differences(client, upstream, &case) {
            let known = DIFFERENT.iter().find(|(one, field, _)| *one == id && *field == name);
            match known {
                Some(known) => met.push(known),
                None => new.push(format!("{id} {name}: {told}")),
            }
        }
    }
    println!("{compared} goldens, {} known differences", met.len());
    assert!(compared >= 50, "the corpus has shrunk to {compared}");
    let gone = DIFFERENT.iter().filter(|one| !met.contains(one));
    new.extend(gone.map(|one| format!("no longer so: {one:?}")));
    assert!(new.is_empty(), "{} surprises\n{}", new.len(), new.join("\n"));
}

/// The aspects that differ, with both sides.
fn differences(client: Speech, upstream: Speech, case: &Value) -> Vec<(String, String)> {
    let (ours, theirs) = match text(&case["kind"]) {
        "request" => request(client, upstream, case),
        "response" => answer(client, upstream, case),
        _ => stream(client, upstream, case),
    };
    if ours.len() == 1 {
        // Refused, or unreadable.
        return ours.into_iter().map(|(name, why)| (name, why.to_string())).collect();
    }
    let differ = ours.iter().filter(|(name, value)| theirs.get(*name) != Some(value));
    differ
        .map(|(name, value)| (name.clone(), format!("{value}\n  theirs {:?}", theirs.get(name))))
        .collect()
}

fn speech(api: &Value) -> Option<Speech> {
    Some(match text(api) {
        "openai-chat" => Speech::Chat,
        "anthropic-messages" => Speech::Messages,
        "openai-responses" => Speech::Responses,
        _ => return None,
    })
}

fn request(client: Speech, upstream: Speech, case: &Value) -> (Core, Core) {
    let body = case["input"].to_string();
    let ours = match pair(client, upstream).request(body.as_bytes(), &Wishes::default()) {
        Ok(translated) => {
            substance::request(upstream, &serde_json::from_slice(&translated.body).unwrap())
        }
        Err(refused) => object(json!({ "refused": refused.to_string() })),
    };
    (ours, substance::request(upstream, &case["expected"]))
}

fn answer(client: Speech, upstream: Speech, case: &Value) -> (Core, Core) {
    let pair = pair(client, upstream);
    let body = case["input"].to_string();
    let ours = match pair.answer(body.as_bytes(), &Asked::default(), &occasion()) {
        Ok(answer) => heard(client, &serde_json::from_slice(&answer).unwrap()),
        Err(unreadable) => object(json!({ "unreadable": unreadable.to_string() })),
    };
    (ours, heard(client, &case["expected"]))
}

fn stream(client: Speech, upstream: Speech, case: &Value) -> (Core, Core) {
    let asked = Asked { include_usage: true, ..Asked::default() };
    let body = text(&case["input_sse"]).as_bytes();
    let (ours, _) = super::stream(pair(client, upstream), &asked, [body]);
    let theirs = gather(client, text(&case["expected_sse"]).as_bytes());
    (heard(client, &gather(client, &ours).answer), heard(client, &theirs.answer))
}

fn heard(speech: Speech, answer: &Value) -> Core {
    let Heard { said, thought, calls, stop, usage, .. } = Heard::of(speech, answer);
    object(json!({
        "said": said, "thought": thought, "calls": calls, "stop": format!("{stop:?}"),
        "usage": usage,
    }))
}
