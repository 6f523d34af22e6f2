//! The corpus' assertion cases: other gateways' expectations, run against the pure translation.
//!
//! What only a proxy decides is mapped: a refused request is a 400, an unreadable answer a 502.

mod tolerated;

use std::fs;

use serde_json::{Value, json};

use super::super::{Asked, Refused, Wishes};
use super::accumulate::{Gathered, gather};
use super::asserts::{Subject, accumulated};
use super::corpus::corpus;
use super::strict::{self, Ending, Usage};
use super::{Speech, State, list, occasion, pair, text, wire};

/// Of 175.
const AT_LEAST: usize = 170;

/// Cases that fail, and why that is right or must be.
const FAILING: [(&str, &str); 1] = [(
    "cliproxyapi/o2a-req/groups-consecutive-assistant",
    "a thought without a signature would be refused by Anthropic: it is left out of histories",
)];

#[test]
fn other_gateways_expectations_hold() {
    let Some(folder) = corpus() else { return };
    let sources = ["envoy-ai-gateway", "cliproxyapi"];
    let read = |source| fs::read_to_string(folder.join(source).join("cases.jsonl")).unwrap();
    let lines = sources.map(read).concat();
    let cases: Vec<Case> =
        lines.lines().map(|line| Case(serde_json::from_str(line).unwrap())).collect();
    assert_eq!(cases.len(), 175, "the corpus has changed");
    let results: Vec<_> = cases.iter().map(|case| (case.id(), case.failures())).collect();
    let passed = results.iter().filter(|(_, failures)| failures.is_empty()).count();
    println!("{passed} of {} cases pass", cases.len());
    let known = |id: &str| FAILING.iter().any(|(known, _)| *known == id);
    let wrong = results.iter().filter(|(id, failures)| known(id) == failures.is_empty());
    let wrong: Vec<String> = wrong
        .map(|(id, failures)| match failures.as_slice() {
            [] => format!("{id} passes: take it off the list"),
            failures => format!("{id}\n    {}", failures.join("\n    ")),
        })
        .collect();
    assert!(wrong.is_empty(), "{} surprises\n{}", wrong.len(), wrong.join("\n"));
    assert!(passed >= AT_LEAST, "{passed} cases pass, {AT_LEAST} must");
}

/// One case, as its record says.
struct Case(Value);

impl Case {
    fn id(&self) -> &str {
        text(&self.0["id"])
    }

    fn pair(&self) -> super::Pair {
        let speech = |api: &str| match text(&self.0[api]) {
            "openai-chat" => Speech::Chat,
            "anthropic-messages" => Speech::Messages,
            "openai-responses" => Speech::Responses,
            other => panic!("{other} is not spoken"),
        };
        pair(speech("client_api"), speech("upstream_api"))
    }

    fn failures(&self) -> Vec<String> {
        match text(&self.0["kind"]) {
            "request" => self.request(),
            "response" => self.judge(&self.answer(self.0["input"].to_string().as_bytes())),
            "error" => self.judge(&self.error()),
            "stream" => self.stream(),
            other => panic!("{other} is no kind of case"),
        }
    }

    fn judge(&self, subject: &Subject) -> Vec<String> {
        subject.failures(&self.0["asserts"])
    }

    fn request(&self) -> Vec<String> {
        let model = self.0["config"]["model_override"].as_str().map(str::to_owned);
        let wishes = Wishes { model, ..Wishes::default() };
        let written = self.pair().request(self.0["input"].to_string().as_bytes(), &wishes);
        let subject = match written {
            Ok(translated) => Subject { status: 200, body: parse(&translated.body) },
            Err(refused) => refusal(&refused),
        };
        let mut failures = self.judge(&subject);
        let refused = subject.status != 200;
        let expected = self.0["expect_error"] == true;
        let settled = list(&self.0["asserts"]).iter().any(|assert| assert["path"] == "@status");
        if refused != expected && !settled {
            failures.push(format!("refused: {}", subject.body));
        }
        if !refused
            && !settled
            && let Err(why) = strict::request(self.pair().upstream(), &subject.body)
        {
            failures.push(format!("against the rules: {why}: {}", subject.body));
        }
        failures
    }

    fn asked(&self) -> Asked {
        let request = self.0["client_request"].to_string();
        self.pair().request(request.as_bytes(), &Wishes::default()).unwrap().asked
    }

    fn answer(&self, body: &[u8]) -> Subject {
        match self.pair().answer(body, &self.asked(), &occasion()) {
            Ok(answer) => {
                let body = parse(&answer);
                strict::answer(self.pair().client(), &body).unwrap();
                Subject { status: 200, body }
            }
            Err(unreadable) => {
                let message = json!({ "error": { "message": unreadable.to_string() } });
                let body = self.pair().error(502, message.to_string().as_bytes());
                Subject { status: 502, body: parse(&body) }
            }
        }
    }

    fn error(&self) -> Subject {
        let raw = text(&self.0["input_raw"]).as_bytes();
        let status = u16::try_from(self.0["upstream_status"].as_u64().unwrap()).unwrap();
        if status == 200 {
            return self.answer(raw);
        }
        Subject { status, body: parse(&self.pair().error(status, raw)) }
    }

    fn stream(&self) -> Vec<String> {
        let body = text(&self.0["input_sse"]).as_bytes();
        let (pair, asked) = (self.pair(), self.asked());
        let whole = super::stream(pair, &asked, [body]);
        for chunks in [wire::cuts(body), body.chunks(1).collect()] {
            if super::stream(pair, &asked, chunks) != whole {
                return vec!["the cut changes the stream".to_owned()];
            }
        }
        let (out, state) = whole;
        let usage = if asked.include_usage { Usage::Asked } else { Usage::NotAsked };
        let told = String::from_utf8_lossy(&out);
        if let Err(why) = strict::stream(pair.client(), &out, Ending::from(&state), usage) {
            return vec![format!("against the rules: {why}\n{told}")];
        }
        self.gathered(&gather(pair.client(), &out), &state)
    }

    fn gathered(&self, gathered: &Gathered, state: &State) -> Vec<String> {
        let expected = &self.0["expected_accumulated"];
        if expected["tolerate"].is_string() {
            return tolerated::failures(self.id(), gathered, state);
        }
        let mut failures = accumulated(gathered, expected);
        if *state != State::Whole {
            failures.push(format!("ended as {state:?}"));
        }
        if let Some(types) = self.0["expect_events"].as_array() {
            let mut found = gathered.types.clone();
            found.dedup();
            let mut expected: Vec<_> = types.iter().map(|one| text(one).to_owned()).collect();
            expected.dedup();
            if found != expected {
                failures.push(format!("events {found:?}"));
            }
        }
        failures
    }
}

fn refusal(refused: &Refused) -> Subject {
    let body = json!({ "error": { "message": refused.to_string() } });
    Subject { status: 400, body }
}

fn parse(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}
