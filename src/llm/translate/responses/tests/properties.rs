use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof};
use proptest::proptest;
use serde_json::{Value, json};

use super::super::super::Asked;
use super::super::super::answer::*;
use super::super::super::conversation::Thought;
use super::super::{EventReader, EventWriter, read_answer, read_request};
use super::occasion;

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,4}", r#"[\\"{}:, \n]{0,6}"#, any::<String>()]
}

fn event() -> impl Strategy<Value = Event> {
    let slot = 0..4_u32;
    prop_oneof![
        text().prop_map(Event::Text),
        text().prop_map(Event::Refusal),
        text().prop_map(Event::Thinking),
        text().prop_map(Event::Signature),
        text().prop_map(|data| Event::Thought(Thought::Redacted(data))),
        (slot.clone(), "[cf]").prop_map(|(slot, name)| Event::ToolStart {
            slot,
            id: format!("call_{slot}"),
            name
        }),
        (slot.clone(), text()).prop_map(|(slot, more)| Event::ToolArguments { slot, more }),
        slot.prop_map(|slot| Event::ToolEnd { slot }),
        Just(Event::Stop(Stop::MaxTokens)),
        Just(Event::End),
        text().prop_map(|message| Event::Failed(Failed { kind: None, message })),
    ]
}

/// Values whose members bear the names that matter.
fn strange() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        Just("type"),
        Just("input"),
        Just("role"),
        Just("content"),
        Just("tools"),
        Just("item"),
        Just("response"),
        Just("output"),
        Just("delta"),
        Just("output_index"),
        Just("model"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
        Just(json!("message")),
        Just(json!("function_call")),
        Just(json!("response.output_item.done")),
        Just(json!("response.completed")),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..5).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

fn events_of(stream: &[u8]) -> Vec<Value> {
    let stream = std::str::from_utf8(stream).unwrap();
    let data = |event: &str| super::json(event.split_once("\ndata: ").unwrap().1.as_bytes());
    stream.split_terminator("\n\n").map(data).collect()
}

proptest! {
    #[test]
    fn streams_keep_their_rules(events in prop::collection::vec(event(), 0..24)) {
        let asked = Asked { custom_tools: vec!["c".to_owned()], ..Asked::default() };
        let (mut writer, mut out) = (EventWriter::new(asked, occasion()), Vec::new());
        for event in events.into_iter().chain([Event::End, Event::Text("late".to_owned())]) {
            writer.write(event, &mut out);
        }
        let events = events_of(&out);
        let mut open: Vec<bool> = Vec::new();
        for (number, event) in events.iter().enumerate() {
            prop_assert_eq!(event["sequence_number"].as_u64(), Some(number as u64));
            let index = event["output_index"].as_u64().map(|index| index as usize);
            match (event["type"].as_str().unwrap(), index) {
                ("response.output_item.added", Some(index)) => {
                    prop_assert_eq!(index, open.len());
                    open.push(true);
                }
                ("response.output_item.done", Some(index)) => {
                    prop_assert!(std::mem::replace(&mut open[index], false));
                }
                (_, Some(index)) => prop_assert!(open[index], "{event}"),
                (_, None) => {}
            }
        }
        let (last, rest) = events.split_last().unwrap();
        prop_assert_eq!(last["response"]["output"].as_array().map(Vec::len), Some(open.len()));
        let failed = last["type"] == "response.failed";
        prop_assert!(failed || !open.contains(&true));
        let lasts = ["response.completed", "response.incomplete", "response.failed"];
        prop_assert!(rest.iter().all(|event| !lasts.iter().any(|last| event["type"] == *last)));
        prop_assert!(lasts.iter().any(|name| last["type"] == *name));
    }

    #[test]
    fn nothing_that_is_read_panics(values in prop::collection::vec(strange(), 1..4)) {
        let mut reader = EventReader::default();
        for value in values {
            let body = value.to_string();
            let _ = read_request(body.as_bytes()).map(drop);
            let _ = read_answer(body.as_bytes()).map(drop);
            let _ = reader.read(body.as_bytes(), &mut Vec::new());
        }
    }
}
