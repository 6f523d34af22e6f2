//! Anthropic messages: blocks one after the other, counted from 0; one `message_delta`, one
//! `message_stop`; turns alternate, results stand right behind their calls.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::wire::{Wire, strict};
use super::super::{list, text};
use super::{Ending, are_counts, is_blank, parse, rule};

const STOPS: [&str; 7] = [
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
];

#[derive(Debug, Default, PartialEq)]
enum Stage {
    #[default]
    Before,
    Between,
    Block,
    Stopping,
    Stopped,
    Failed,
}

#[derive(Debug, Default)]
struct Stream {
    stage: Stage,
    blocks: u64,
    kind: String,
    json: String,
    calls: BTreeSet<String>,
}

pub(crate) fn stream(stream: &[u8], ending: Ending) -> Result<(), String> {
    let mut told = Stream::default();
    for event in strict(stream)? {
        told.take(&event).map_err(|why| format!("{why}: {}", event.data))?;
    }
    let expected = match ending {
        Ending::Whole => told.stage == Stage::Stopped,
        Ending::Failed => told.stage == Stage::Failed,
        Ending::Cut => !matches!(told.stage, Stage::Stopped | Stage::Failed),
    };
    rule!(expected, "{ending:?}, but {:?}", told.stage);
    Ok(())
}

impl Stream {
    fn take(&mut self, event: &Wire) -> Result<(), String> {
        let data = parse(&event.data)?;
        let kind = text(&data["type"]);
        rule!(event.name.as_deref() == Some(kind), "named {:?}", event.name);
        rule!(!matches!(self.stage, Stage::Stopped | Stage::Failed), "after the last event");
        match kind {
            "ping" => Ok(()),
            "message_start" => self.start(&data["message"]),
            "content_block_start" => self.block(&data),
            "content_block_delta" => self.delta(&data),
            "content_block_stop" => self.close(&data),
            "message_delta" => self.stopping(&data),
            "message_stop" => {
                rule!(self.stage == Stage::Stopping, "message_stop in {:?}", self.stage);
                self.stage = Stage::Stopped;
                Ok(())
            }
            "error" => {
                self.stage = Stage::Failed;
                error(&data)
            }
            other => Err(format!("no such event: {other}")),
        }
    }

    fn start(&mut self, message: &Value) -> Result<(), String> {
        rule!(self.stage == Stage::Before, "a second message_start");
        self.stage = Stage::Between;
        rule!(list(&message["content"]).is_empty(), "content in message_start");
        rule!(message["content"].is_array(), "no content");
        rule!(message["stop_reason"].is_null(), "stopped already");
        envelope(message)
    }

    fn block(&mut self, data: &Value) -> Result<(), String> {
        rule!(self.stage == Stage::Between, "a block in {:?}", self.stage);
        rule!(data["index"] == self.blocks, "index {} is not {}", data["index"], self.blocks);
        let block = &data["content_block"];
        text(&block["type"]).clone_into(&mut self.kind);
        self.stage = Stage::Block;
        match self.kind.as_str() {
            "text" => rule!(block["text"] == "", "a text that begins"),
            "thinking" => rule!(block["thinking"] == "", "a thought that begins"),
            "redacted_thinking" => {
                rule!(!is_blank(&block["data"]), "a redacted thought of nothing")
            }
            "tool_use" => {
                rule!(block["input"] == serde_json::json!({}), "an input that begins");
                call(block, &mut self.calls)?;
            }
            other => return Err(format!("no such block: {other}")),
        }
        Ok(())
    }

    fn delta(&mut self, data: &Value) -> Result<(), String> {
        rule!(self.stage == Stage::Block, "a delta in {:?}", self.stage);
        rule!(data["index"] == self.blocks, "index {} is not {}", data["index"], self.blocks);
        let delta = &data["delta"];
        let kind = text(&delta["type"]);
        let member = match (self.kind.as_str(), kind) {
            ("text", "text_delta") => "text",
            ("thinking", "thinking_delta") => "thinking",
            ("thinking", "signature_delta") => "signature",
            ("tool_use", "input_json_delta") => "partial_json",
            _ => return Err(format!("{kind} in a block of {}", self.kind)),
        };
        rule!(delta[member].is_string(), "no {member}");
        if member == "partial_json" {
            self.json += text(&delta[member]);
        }
        Ok(())
    }

    fn close(&mut self, data: &Value) -> Result<(), String> {
        rule!(self.stage == Stage::Block, "a stop in {:?}", self.stage);
        rule!(data["index"] == self.blocks, "index {} is not {}", data["index"], self.blocks);
        self.json.clear();
        self.blocks += 1;
        self.stage = Stage::Between;
        Ok(())
    }

    fn stopping(&mut self, data: &Value) -> Result<(), String> {
        rule!(self.stage == Stage::Between, "message_delta in {:?}", self.stage);
        self.stage = Stage::Stopping;
        let delta = &data["delta"];
        rule!(delta.get("stop_sequence").is_some(), "no stop_sequence");
        rule!(are_counts(&data["usage"], &["output_tokens"]), "no usage");
        stop(&delta["stop_reason"], !self.calls.is_empty())
    }
}

pub(crate) fn answer(answer: &Value) -> Result<(), String> {
    envelope(answer)?;
    let mut calls = BTreeSet::new();
    for block in list(&answer["content"]) {
        match text(&block["type"]) {
            "text" => rule!(block["text"].is_string(), "a text without text"),
            "thinking" => rule!(block["signature"].is_string(), "a thought without a signature"),
            "redacted_thinking" => {
                rule!(!is_blank(&block["data"]), "a redacted thought of nothing")
            }
            "tool_use" => {
                rule!(block["input"].is_object(), "an input that is no object");
                call(block, &mut calls)?;
            }
            other => return Err(format!("no such block: {other}")),
        }
    }
    rule!(answer["content"].is_array(), "no content");
    rule!(answer.get("stop_sequence").is_some(), "no stop_sequence");
    stop(&answer["stop_reason"], !calls.is_empty())
}

fn envelope(message: &Value) -> Result<(), String> {
    rule!(!is_blank(&message["id"]), "no id");
    rule!(!is_blank(&message["model"]), "no model");
    rule!(message["type"] == "message", "of type {}", message["type"]);
    rule!(message["role"] == "assistant", "of {}", message["role"]);
    rule!(are_counts(&message["usage"], &["input_tokens", "output_tokens"]), "no usage");
    Ok(())
}

fn error(data: &Value) -> Result<(), String> {
    let error = &data["error"];
    rule!(!is_blank(&error["type"]) && !is_blank(&error["message"]), "an error without words");
    Ok(())
}

fn stop(reason: &Value, has_calls: bool) -> Result<(), String> {
    rule!(STOPS.contains(&text(reason)), "no such stop_reason: {reason}");
    rule!(reason != "tool_use" || has_calls, "tool_use without a call");
    rule!(reason != "end_turn" || !has_calls, "end_turn with a call");
    Ok(())
}

fn call(block: &Value, calls: &mut BTreeSet<String>) -> Result<(), String> {
    // Clients take any; only the service insists on an alphabet, when it comes back.
    let id = text(&block["id"]);
    rule!(!id.is_empty(), "no id");
    rule!(!is_blank(&block["name"]), "a call of nothing");
    rule!(calls.insert(id.to_owned()), "the id {id} twice");
    Ok(())
}

fn is_id(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !id.is_empty() && id.bytes().all(fits)
}

pub(crate) fn request(request: &Value) -> Result<(), String> {
    rule!(request["max_tokens"].as_u64().is_some_and(|n| n > 0), "no max_tokens");
    let system = &request["system"];
    for block in list(system) {
        rule!(!is_blank(&block["text"]), "an empty system block");
    }
    rule!(system.is_null() || system.is_array() || !is_blank(system), "an empty system");
    for tool in list(&request["tools"]) {
        let ours = tool["type"].is_null() || tool["type"] == "custom";
        rule!(!is_blank(&tool["name"]), "a tool without a name");
        rule!(!ours || tool["input_schema"]["type"] == "object", "a schema of no object: {tool}");
    }
    turns(list(&request["messages"]))
}

/// Alternation; each call answered at the beginning of the next turn, and no result without a call.
fn turns(turns: &[Value]) -> Result<(), String> {
    rule!(!turns.is_empty(), "no turns");
    let mut open: Vec<&str> = Vec::new();
    let mut before = "";
    for (index, turn) in turns.iter().enumerate() {
        let role = text(&turn["role"]);
        rule!(["user", "assistant"].contains(&role) && role != before, "turn {index} is of {role}");
        before = role;
        if role == "user" {
            results(turn, std::mem::take(&mut open))
                .map_err(|why| format!("turn {index}: {why}"))?;
        }
        rule!(
            !is_blank(&turn["content"]) || !list(&turn["content"]).is_empty(),
            "turn {index} is empty"
        );
        for block in list(&turn["content"]) {
            let id = block_of(role, block).map_err(|why| format!("turn {index}: {why}"))?;
            open.extend(id);
        }
    }
    Ok(())
}

/// The calls of the turn before are answered first, each once.
fn results(turn: &Value, mut open: Vec<&str>) -> Result<(), String> {
    let mut others = 0;
    for block in list(&turn["content"]) {
        if block["type"] != "tool_result" {
            others += 1;
            continue;
        }
        rule!(others == 0, "a result behind something else");
        let id = text(&block["tool_use_id"]);
        let Some(at) = open.iter().position(|one| *one == id) else {
            return Err(format!("a result of no call: {id}"));
        };
        open.swap_remove(at);
    }
    rule!(open.is_empty(), "calls without a result: {open:?}");
    Ok(())
}

/// A block as it may stand in a turn; the id of a call.
fn block_of<'a>(role: &str, block: &'a Value) -> Result<Option<&'a str>, String> {
    match (role, text(&block["type"])) {
        (_, "text") => rule!(!is_blank(&block["text"]), "an empty text"),
        ("user", "image" | "document") => rule!(block["source"].is_object(), "no source"),
        ("user", "tool_result") => {
            for part in list(&block["content"]) {
                block_of("user", part)?;
            }
        }
        ("assistant", "thinking") => rule!(!is_blank(&block["signature"]), "unsigned"),
        ("assistant", "redacted_thinking") => rule!(!is_blank(&block["data"]), "no data"),
        ("assistant", "tool_use") => {
            rule!(is_id(text(&block["id"])), "the id {}", block["id"]);
            rule!(block["input"].is_object(), "an input that is no object");
            rule!(!is_blank(&block["name"]), "a call of nothing");
            return Ok(Some(text(&block["id"])));
        }
        (_, other) => return Err(format!("{other} in a turn of {role}")),
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const START: &str = concat!(
        "event: message_start\n",
        "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",",
        "\"role\":\"assistant\",\"model\":\"x\",\"content\":[],\"stop_reason\":null,",
        "\"stop_sequence\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":0}}}\n\n",
    );
    const OPEN: &str = concat!(
        "event: content_block_start\n",
        "data: {\"type\":\"content_block_start\",\"index\":0,",
        "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    );
    const DELTA: &str = concat!(
        "event: content_block_delta\n",
        "data: {\"type\":\"content_block_delta\",\"index\":0,",
        "\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n",
    );
    const CLOSE: &str = concat!(
        "event: content_block_stop\n",
        "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    );
    const STOPPING: &str = concat!(
        "event: message_delta\n",
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",",
        "\"stop_sequence\":null},\"usage\":{\"output_tokens\":1}}\n\n",
    );
    const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

    fn check(events: &[&str], ending: Ending) -> Result<(), String> {
        stream(events.concat().as_bytes(), ending)
    }

    #[test]
    fn a_right_stream_passes_and_wrong_ones_do_not() {
        let right = [START, OPEN, DELTA, CLOSE, STOPPING, STOP];
        check(&right, Ending::Whole).unwrap();
        check(&right[..3], Ending::Cut).unwrap();
        for missing in [0, 1, 3, 4, 5] {
            let mut events = right.to_vec();
            events.remove(missing);
            assert!(check(&events, Ending::Whole).is_err(), "without {missing}");
        }
        for twice in 0..right.len() {
            let mut events = right.to_vec();
            events.insert(twice, right[twice]);
            assert_eq!(check(&events, Ending::Whole).is_ok(), twice == 2, "{twice} twice");
        }
        assert!(check(&right, Ending::Failed).is_err());
        assert!(check(&right, Ending::Cut).is_err());
    }

    #[test]
    fn turns_alternate_and_results_follow_their_calls() {
        let call = json!({ "type": "tool_use", "id": "a", "name": "n", "input": {} });
        let result = json!({ "type": "tool_result", "tool_use_id": "a", "content": "x" });
        let text = json!({ "type": "text", "text": "x" });
        let user = |content: &[&Value]| json!({ "role": "user", "content": content });
        let assistant = |content: &[&Value]| json!({ "role": "assistant", "content": content });
        let check = |messages: &[Value]| turns(messages);
        check(&[user(&[&text]), assistant(&[&call]), user(&[&result, &text])]).unwrap();
        for bad in [
            vec![],
            vec![user(&[&text]), user(&[&text])],
            vec![user(&[&text]), assistant(&[&call]), user(&[&text])],
            vec![user(&[&text]), assistant(&[&call]), user(&[&text, &result])],
            vec![user(&[&result])],
            vec![user(&[])],
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
    }
}
