//! Any sequence of events that keeps the readers' contract, through each dialect's writer.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::super::super::answer::{Event, Failed, Spent, Stop};
use super::super::super::conversation::Thought;
use super::super::super::{chat, messages, responses};
use super::super::accumulate::gather;
use super::super::heard::Heard;
use super::super::strict::{self, Ending, Usage};
use super::super::{Speech, occasion};
use super::asked;

const SPEECHES: [Speech; 3] = [Speech::Chat, Speech::Messages, Speech::Responses];

/// One thing that may happen.
#[derive(Debug, Clone)]
enum Step {
    Text(String),
    Thinking(String),
    Signed(String),
    Redacted,
    Item,
    Refusal(String),
    Call,
    Arguments(Index, usize),
    EndCall(Index),
    Ping,
    Usage(u16),
}

/// A call that is being made.
struct Made {
    rest: String,
    ended: bool,
}

/// The events of a script, and what they say.
#[derive(Default)]
struct Script {
    events: Vec<Event>,
    made: Vec<Made>,
}

fn step() -> impl Strategy<Value = Step> {
    let text = "[a-zä \"]{1,5}";
    prop_oneof![
        3 => text.prop_map(Step::Text),
        2 => text.prop_map(Step::Thinking),
        1 => text.prop_map(Step::Signed),
        1 => Just(Step::Redacted),
        1 => Just(Step::Item),
        1 => text.prop_map(Step::Refusal),
        3 => Just(Step::Call),
        6 => (any::<Index>(), 1_usize..12).prop_map(|(at, size)| Step::Arguments(at, size)),
        2 => any::<Index>().prop_map(Step::EndCall),
        1 => Just(Step::Ping),
        1 => any::<u16>().prop_map(Step::Usage),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..25)
}

fn spent(n: u16) -> Spent {
    let n = u64::from(n);
    Spent {
        told: true,
        input: n,
        cache_read: n / 2,
        cache_creation: n / 3,
        output: n + 1,
        reasoning: (n % 2 == 0).then_some(n / 4),
    }
}

fn arguments(slot: usize) -> Value {
    json!({ "slot": slot, "text": "ä \"quoted\"" })
}

impl Script {
    fn new(steps: &[Step], stop: Stop) -> Self {
        let mut script = Self::default();
        script.events.push(Event::Start {
            id: Some("up_1".to_owned()),
            model: Some("up".to_owned()),
            usage: spent(7),
        });
        steps.iter().for_each(|step| script.step(step));
        for slot in 0..script.made.len() {
            script.more(slot, usize::MAX);
            script.end(slot);
        }
        let stop = if script.made.is_empty() { stop } else { Stop::ToolUse };
        script.events.extend([Event::Stop(stop), Event::Usage(spent(9)), Event::End]);
        script
    }

    fn step(&mut self, step: &Step) {
        let event = match step {
            Step::Text(text) => Event::Text(text.clone()),
            Step::Thinking(text) => Event::Thinking(text.clone()),
            Step::Signed(text) => {
                self.events.push(Event::Thinking(text.clone()));
                Event::Signature("c2ln".to_owned())
            }
            Step::Redacted => Event::Thought(Thought::Redacted("eHg=".to_owned())),
            Step::Item => {
                let item = r#"{"type":"reasoning","id":"rs_1","summary":[]}"#;
                Event::Thought(Thought::Item(item.into()))
            }
            Step::Refusal(text) => Event::Refusal(text.clone()),
            Step::Ping => Event::Ping,
            Step::Usage(n) => Event::Usage(spent(*n)),
            Step::Call => {
                let slot = self.made.len();
                let rest = arguments(slot).to_string();
                self.made.push(Made { rest, ended: false });
                let slot = u32::try_from(slot).unwrap();
                Event::ToolStart { slot, id: format!("call_{slot}"), name: format!("f{slot}") }
            }
            Step::Arguments(at, size) => {
                if !self.made.is_empty() {
                    self.more(at.index(self.made.len()), *size);
                }
                return;
            }
            Step::EndCall(at) => {
                if !self.made.is_empty() {
                    let slot = at.index(self.made.len());
                    self.more(slot, usize::MAX);
                    self.end(slot);
                }
                return;
            }
        };
        self.events.push(event);
    }

    /// More of a call's arguments, some characters long.
    fn more(&mut self, at: usize, size: usize) {
        let made = &mut self.made[at];
        let split = made.rest.char_indices().nth(size).map_or(made.rest.len(), |(at, _)| at);
        let more: String = made.rest.drain(..split).collect();
        if !more.is_empty() {
            self.events.push(Event::ToolArguments { slot: u32::try_from(at).unwrap(), more });
        }
    }

    fn end(&mut self, at: usize) {
        if !std::mem::replace(&mut self.made[at].ended, true) {
            self.events.push(Event::ToolEnd { slot: u32::try_from(at).unwrap() });
        }
    }

    /// What was said: chat keeps refusals apart.
    fn said(&self, speech: Speech) -> String {
        let texts = self.events.iter().filter_map(|event| match event {
            Event::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let refusals = self.events.iter().filter_map(|event| match event {
            Event::Refusal(text) => Some(text.as_str()),
            _ => None,
        });
        let in_order = self.events.iter().filter_map(|event| match event {
            Event::Text(text) | Event::Refusal(text) => Some(text.as_str()),
            _ => None,
        });
        match speech {
            Speech::Chat => texts.chain(refusals).collect(),
            Speech::Messages | Speech::Responses => in_order.collect(),
        }
    }

    fn thought(&self) -> String {
        let thoughts = self.events.iter().filter_map(|event| match event {
            Event::Thinking(text) => Some(text.as_str()),
            _ => None,
        });
        thoughts.collect::<String>().split_whitespace().collect()
    }
}

fn written(speech: Speech, events: &[Event], usage: Usage) -> Vec<u8> {
    let mut out = Vec::new();
    let (asked, occasion) = (asked(usage), occasion());
    match speech {
        Speech::Chat => {
            let mut writer = chat::EventWriter::new(asked, occasion);
            events.iter().for_each(|event| writer.write(event.clone(), &mut out));
        }
        Speech::Messages => {
            let mut writer = messages::EventWriter::new(asked, occasion);
            events.iter().for_each(|event| writer.write(event.clone(), &mut out));
        }
        Speech::Responses => {
            let mut writer = responses::EventWriter::new(asked, occasion);
            events.iter().for_each(|event| writer.write(event.clone(), &mut out));
        }
    }
    out
}

fn check(speech: Speech, events: &[Event], ending: Ending) -> Vec<u8> {
    for usage in [Usage::Asked, Usage::NotAsked] {
        let out = written(speech, events, usage);
        let told = String::from_utf8_lossy(&out);
        strict::stream(speech, &out, ending, usage)
            .unwrap_or_else(|why| panic!("{speech:?}: {why}\n{events:?}\n{told}"));
    }
    written(speech, events, Usage::Asked)
}

fn stops() -> impl Strategy<Value = Stop> {
    prop::sample::select(vec![
        Stop::EndTurn,
        Stop::MaxTokens,
        Stop::Sequence(Some("x".to_owned())),
        Stop::Sequence(None),
        Stop::Refusal,
        Stop::ContextWindow,
    ])
}

proptest! {
    #![proptest_config(super::cases(300))]

    #[test]
    fn every_script_is_written_right(steps in steps(), stop in stops()) {
        let script = Script::new(&steps, stop);
        for speech in SPEECHES {
            let out = check(speech, &script.events, Ending::Whole);
            let gathered = gather(speech, &out);
            let heard = Heard::of(speech, &gathered.answer);
            prop_assert_eq!(heard.said, script.said(speech), "{:?}", speech);
            prop_assert_eq!(heard.thought, script.thought(), "{:?}", speech);
            let calls: Vec<_> =
                (0..script.made.len()).map(|slot| (format!("f{slot}"), arguments(slot))).collect();
            prop_assert_eq!(heard.calls, calls, "{:?}", speech);
            let usage = spent(9);
            prop_assert_eq!(heard.usage, [usage.prompt(), usage.cache_read, usage.output]);
            prop_assert_eq!(gathered.bad_json, 0);
        }
    }

    #[test]
    fn a_script_that_breaks_off_is_written_right(steps in steps(), at in any::<Index>()) {
        let mut events = Script::new(&steps, Stop::EndTurn).events;
        events.truncate(1 + at.index(events.len() - 1));
        let failed = Failed { kind: Some("overloaded_error".to_owned()), message: "no".to_owned() };
        for speech in SPEECHES {
            check(speech, &events, Ending::Cut);
            let mut told = events.clone();
            told.push(Event::Failed(failed.clone()));
            check(speech, &told, Ending::Failed);
        }
    }
}
