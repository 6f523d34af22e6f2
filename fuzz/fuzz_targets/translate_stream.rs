//! Streams through each pair: what the client gets does not depend on how the bytes are cut, is
//! events of JSON, and has one end at most. The first two bytes choose the pair and the cut; the rest is
//! the upstream's stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pillion::llm::translate::{Asked, Occasion, Pair, StreamTranslator};
use serde_json::Value;

const LAST: [&str; 5] =
    ["message_stop", "error", "response.completed", "response.incomplete", "response.failed"];

fuzz_target!(|input: &[u8]| {
    let [how, cut, stream @ ..] = input else { return };
    let pair = Pair::ALL[usize::from(*how) % Pair::ALL.len()];
    let translator = || {
        let include_usage = *how >= 128;
        let asked = Asked { model: "m".to_owned(), include_usage, ..Asked::default() };
        pair.stream(asked, Occasion { id: "0a1b2c3d".to_owned(), created: 1_800_000_000 })
    };
    let whole = told(translator(), stream, stream.len().max(1));
    let cut = told(translator(), stream, usize::from(*cut).max(1));
    assert_eq!(cut, whole, "the cut changes what is told");
    let mut ended = false;
    for line in whole.lines().filter_map(|line| line.strip_prefix("data: ")) {
        assert!(!ended, "something follows the end");
        if line == "[DONE]" {
            ended = true;
            continue;
        }
        let event: Value = serde_json::from_str(line).unwrap();
        ended = !event["error"].is_null() && event["type"].is_null()
            || event["type"].as_str().is_some_and(|kind| LAST.contains(&kind));
    }
});

fn told(mut translator: StreamTranslator, stream: &[u8], cut: usize) -> String {
    let mut out = Vec::new();
    for chunk in stream.chunks(cut) {
        out.extend_from_slice(&translator.push(chunk));
    }
    out.extend_from_slice(&translator.finish());
    String::from_utf8(out).unwrap()
}
