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

/// Where we differ, and why.
const DIFFERENT: [(&str, &str, &str); 0] = [];

#[test]
fn another_gateways_goldens_say_the_same() {
    let Some(folder) = corpus().map(|corpus| corpus.join("agentgateway")) else { return };
    let index = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let records = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut compared = 0;
    let mut found: Vec<(String, String)> = Vec::new();
    for record in records {
        let speeches = (speech(&record["client_api"]), speech(&record["upstream_api"]));
        let (Some(client), Some(upstream)) = speeches else { continue };
        if client == upstream {
            continue;
        }
        compared += 1;
        let case = fs::read(folder.join(text(&record["file"]))).unwrap();
        let case: Value = serde_json::from_slice(&case).unwrap();
        let (ours, theirs) = match text(&case["kind"]) {
            "request" => request(client, upstream, &case),
            "response" => answer(client, upstream, &case),
            _ => stream(client, upstream, &case),
        };
        for name in ours.keys().chain(theirs.keys()) {
            let difference = (text(&case["id"]).to_owned(), name.clone());
            if ours.get(name) != theirs.get(name) && !found.contains(&difference) {
                let known = |(id, field, _): &&(&str, &str, &str)| {
                    *id == difference.0 && *field == difference.1
                };
                if !DIFFERENT.iter().any(|one| known(&one)) {
                    println!("{} {name}\n  ours   {:?}\n  theirs {:?}", difference.0, ours.get(name), theirs.get(name));
                }
                found.push(difference);
            }
        }
    }
    assert!(compared >= 50, "the corpus has shrunk to {compared}");
    let known: Vec<_> =
        DIFFERENT.iter().map(|(id, name, _)| ((*id).to_owned(), (*name).to_owned())).collect();
    let new: Vec<_> = found.iter().filter(|one| !known.contains(one)).collect();
    let gone: Vec<_> = known.iter().filter(|one| !found.contains(one)).collect();
    println!("{compared} goldens, {} differences", found.len());
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}\nno more: {gone:#?}");
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
        Ok(translated) => substance::request(upstream, &serde_json::from_slice(&translated.body).unwrap()),
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
