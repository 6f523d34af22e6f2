//! Conversations, made up and written in each dialect: what is translated obeys the rules, and what
//! comes back says the same.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::Wishes;
use super::super::substance;
use super::super::{Pair, Speech, pair};
use super::check_request;

/// What happens in a conversation.
#[derive(Debug, Clone)]
enum Step {
    Asks(String),
    Answers { text: String, calls: Vec<Call> },
}

/// A call and its result.
#[derive(Debug, Clone)]
struct Call {
    name: String,
    argument: String,
    result: String,
}

/// In which order results come.
#[derive(Debug, Clone, Copy)]
enum Order {
    AsCalled,
    Backwards,
}

fn words() -> impl Strategy<Value = String> {
    "[a-zäß \"\\\\]{0,6}[a-z]"
}

fn call() -> impl Strategy<Value = Call> {
    let names = prop::sample::select(vec!["weather", "time"]);
    (names, words(), words()).prop_map(|(name, argument, result)| Call {
        name: name.to_owned(),
        argument,
        result,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let calls = prop::collection::vec(call(), 0..4);
    prop_oneof![
        words().prop_map(Step::Asks),
        (words(), calls).prop_map(|(text, calls)| Step::Answers { text, calls }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    (words(), prop::collection::vec(step(), 0..8)).prop_map(|(first, mut steps)| {
        steps.insert(0, Step::Asks(first));
        steps
    })
}

fn order() -> impl Strategy<Value = Order> {
    prop::sample::select(vec![Order::AsCalled, Order::Backwards])
}

fn request(speech: Speech, steps: &[Step], order: Order) -> Value {
    let messages = messages(speech, steps, order);
    let schema = json!({ "type": "object", "properties": { "x": { "type": "string" } } });
    let tools: Vec<Value> = ["weather", "time"]
        .map(|name| match speech {
            Speech::Chat => {
                json!({ "type": "function", "function": { "name": name, "parameters": schema } })
            }
            Speech::Messages => json!({ "name": name, "input_schema": schema }),
            Speech::Responses => json!({ "type": "function", "name": name, "parameters": schema }),
        })
        .into();
    match speech {
        Speech::Chat => json!({ "model": "m", "tools": tools, "messages": messages }),
        Speech::Messages => {
            json!({ "model": "m", "max_tokens": 9, "tools": tools, "messages": messages })
        }
        Speech::Responses => json!({ "model": "m", "tools": tools, "input": messages }),
    }
}

fn messages(speech: Speech, steps: &[Step], order: Order) -> Vec<Value> {
    let (mut messages, mut ids) = (Vec::new(), 0..);
    for step in steps {
        match step {
            Step::Asks(text) => messages.push(json!({ "role": "user", "content": text })),
            Step::Answers { text, calls } => {
                let calls: Vec<_> = ids.by_ref().map(|n| format!("call_{n}")).zip(calls).collect();
                answer(speech, text, &calls, &mut messages);
                let mut results: Vec<_> = calls.iter().map(|call| result(speech, call)).collect();
                if matches!(order, Order::Backwards) {
                    results.reverse();
                }
                match speech {
                    Speech::Messages if results.is_empty() => {}
                    Speech::Messages => {
                        messages.push(json!({ "role": "user", "content": results }));
                    }
                    Speech::Chat | Speech::Responses => messages.extend(results),
                }
            }
        }
    }
    messages
}

fn answer(speech: Speech, text: &str, calls: &[(String, &Call)], messages: &mut Vec<Value>) {
    let input = |call: &Call| json!({ "x": call.argument });
    match speech {
        Speech::Chat => {
            let calls = calls.iter().map(|(id, call)| {
                let arguments = input(call).to_string();
                let function = json!({ "name": call.name, "arguments": arguments });
                json!({ "id": id, "type": "function", "function": function })
            });
            let mut message = json!({ "role": "assistant", "content": text });
            let calls: Vec<Value> = calls.collect();
            if !calls.is_empty() {
                message["tool_calls"] = calls.into();
            }
            messages.push(message);
        }
        Speech::Messages => {
            let calls = calls.iter().map(|(id, call)| {
                json!({ "type": "tool_use", "id": id, "name": call.name, "input": input(call) })
            });
            let text = json!({ "type": "text", "text": text });
            let content: Vec<Value> = [text].into_iter().chain(calls).collect();
            messages.push(json!({ "role": "assistant", "content": content }));
        }
        Speech::Responses => {
            messages.push(json!({ "role": "assistant", "content": text }));
            messages.extend(calls.iter().map(|(id, call)| {
                let arguments = input(call).to_string();
                json!({
                    "type": "function_call", "call_id": id, "name": call.name,
                    "arguments": arguments,
                })
            }));
        }
    }
}

fn result(speech: Speech, (id, call): &(String, &Call)) -> Value {
    let said = &call.result;
    match speech {
        Speech::Chat => json!({ "role": "tool", "tool_call_id": id, "content": said }),
        Speech::Messages => json!({ "type": "tool_result", "tool_use_id": id, "content": said }),
        Speech::Responses => {
            json!({ "type": "function_call_output", "call_id": id, "output": said })
        }
    }
}

/// Who says what, with results in one order: each dialect has its own rule for that.
fn said(speech: Speech, request: &Value) -> Vec<String> {
    let mut turns = substance::turns(speech, request);
    for turn in turns.iter_mut().filter(|turn| turn.starts_with("user: <")) {
        let mut pieces: Vec<&str> = turn["user: ".len()..].split_inclusive('>').collect();
        pieces.sort_unstable();
        *turn = pieces.concat();
    }
    turns
}

fn translated(pair: Pair, request: &Value) -> Value {
    let body = request.to_string();
    let refused = || pair.request(body.as_bytes(), &Wishes::default()).err();
    check_request(pair, body.as_bytes()).unwrap_or_else(|| panic!("{:?}: {body}", refused()))
}

proptest! {
    #![proptest_config(super::cases(200))]

    #[test]
    fn conversations_say_the_same(steps in steps(), order in order()) {
        for pair in Pair::ALL {
            let request = request(pair.client(), &steps, order);
            let written = translated(pair, &request);
            prop_assert_eq!(said(pair.upstream(), &written), said(pair.client(), &request));
            let core = substance::request(pair.upstream(), &written);
            prop_assert_eq!(&core["tools"], &substance::request(pair.client(), &request)["tools"]);
        }
    }

    #[test]
    fn there_and_back_says_the_same(steps in steps(), order in order()) {
        for there in Pair::ALL {
            let back = pair(there.upstream(), there.client());
            let request = request(there.client(), &steps, order);
            let returned = translated(back, &translated(there, &request));
            prop_assert_eq!(said(there.client(), &returned), said(there.client(), &request));
        }
    }

    /// Ids of other alphabets are mapped the same way for call and result.
    #[test]
    fn ids_of_any_alphabet_pair(ids in prop::collection::hash_set("[a-c:./ ä]{1,5}", 1..4)) {
        let ids: Vec<&String> = ids.iter().collect();
        let calls: Vec<Value> = ids.iter().map(|id| json!({
            "id": id, "type": "function", "function": { "name": "f", "arguments": "{}" },
        })).collect();
        let mut messages = vec![
            json!({ "role": "user", "content": "x" }),
            json!({ "role": "assistant", "content": null, "tool_calls": calls }),
        ];
        messages.extend(ids.iter().rev().map(|id| {
            json!({ "role": "tool", "tool_call_id": id, "content": "y" })
        }));
        let request = json!({ "model": "m", "messages": messages });
        translated(pair(Speech::Chat, Speech::Messages), &request);
        translated(pair(Speech::Chat, Speech::Responses), &request);
    }
}
