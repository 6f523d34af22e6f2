//! Whole answers and errors through each pair: unreadable, or JSON. The first byte chooses the pair;
//! the rest is the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pillion::llm::translate::{Asked, Occasion, Pair};
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let Some((pair, body)) = input.split_first() else { return };
    let pair = Pair::ALL[usize::from(*pair) % Pair::ALL.len()];
    let occasion = Occasion { id: "0a1b2c3d".to_owned(), created: 1_800_000_000 };
    if let Ok(answer) = pair.answer(body, &Asked::default(), &occasion) {
        let written: Value = serde_json::from_slice(&answer).unwrap();
        assert!(written.is_object());
    }
    let error: Value = serde_json::from_slice(&pair.error(500, body)).unwrap();
    assert!(error["error"]["message"].is_string());
});
