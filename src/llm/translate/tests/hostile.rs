//! What only an attacker sends: very many of a kind. They cost time in proportion to their number.

use std::time::{Duration, Instant};

use super::super::Wishes;
use super::{Pair, Speech, pair};

/// So many that comparing each with each takes minutes.
const MANY: usize = 30_000;

/// Measured: a second each, on a busy machine (debug build).
const GUARD: Duration = Duration::from_secs(20);

#[track_caller]
fn check(pair: Pair, before: &str, item: impl Fn(usize) -> String, after: &str) {
    let items: Vec<String> = (0..MANY).map(item).collect();
    let body = [before, &items.join(","), after].concat();
    let began = Instant::now();
    pair.request(body.as_bytes(), &Wishes::default()).unwrap();
    assert!(began.elapsed() < GUARD, "{:?}", began.elapsed());
}

#[test]
fn many_of_a_kind_cost_no_more_than_their_share() {
    let messages = pair(Speech::Chat, Speech::Messages);
    let asked = r#""model":"m","messages":[{"role":"user","content":"x"}"#;
    // Ids that are spelt alike, and must not become one.
    let call = |at: usize| {
        let id = char::from_u32(0x2_0000 + at as u32).unwrap();
        format!(r#"{{"id":"{id}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}"#)
    };
    check(messages, &format!(r#"{{{asked},{{"role":"assistant","tool_calls":["#), call, "]}]}");
    let legacy = |at: usize| {
        format!(
            r#"{{"role":"assistant","function_call":{{"name":"f{at}","arguments":"{{}}"}}}},{{"role":"function","name":"f0","content":"r"}}"#
        )
    };
    check(messages, &format!("{{{asked},"), legacy, "]}");
    let function = r#"{"type":"function","function":{"name":"f","parameters":{"#;
    let choice = |at: usize| format!(r#"{{"required":["a{at}"]}}"#);
    let tools = format!(r#"{{{asked}],"tools":[{function}"allOf":["#);
    check(messages, &tools, choice, "]}}}]}");
    let name = |at: usize| format!(r#""a{at}""#);
    let list: Vec<String> = (0..MANY).map(name).collect();
    let tools = format!(r#"{{{asked}],"tools":[{function}"anyOf":[{{"required":["#);
    check(messages, &tools, name, &format!(r#"]}},{{"required":[{}]}}]}}}}}}]}}"#, list.join(",")));
}

#[test]
fn many_items_cost_no_more_than_their_share() {
    for upstream in [Speech::Chat, Speech::Messages] {
        let pair = pair(Speech::Responses, upstream);
        let member = |at: usize| format!(r#""a{at}":1"#);
        check(pair, r#"{"model":"m","input":"x","#, member, "}");
        let space = |at: usize| {
            format!(
                r#"{{"type":"namespace","name":"n{at}","tools":[{{"type":"function","name":"f"}}]}}"#
            )
        };
        check(pair, r#"{"model":"m","input":"x","tools":["#, space, "]}");
        let called = |at: usize| {
            let call = r#""type":"function_call","name":"f","arguments":"{}""#;
            format!(r#"{{{call},"call_id":"c{at}"}}"#)
        };
        let output = |at: usize| {
            format!(r#"{{"type":"function_call_output","call_id":"c{at}","output":""}}"#)
        };
        let calls: Vec<String> = (0..MANY).map(called).collect();
        let before = format!(r#"{{"model":"m","input":[{},"#, calls.join(","));
        check(pair, &before, output, "]}");
    }
}
