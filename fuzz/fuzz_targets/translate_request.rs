//! Requests through each pair: refused in short words with a field, or written as JSON that the way
//! back can read. The first byte chooses the pair; the rest is the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pillion::llm::translate::{Pair, Wishes};
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let Some((pair, body)) = input.split_first() else { return };
    let pair = Pair::ALL[usize::from(*pair) % Pair::ALL.len()];
    match pair.request(body, &Wishes::default()) {
        Ok(translated) => {
            let written: Value = serde_json::from_slice(&translated.body).unwrap();
            assert!(written.is_object());
            let back = Pair::of(pair.upstream().api(), pair.client().api()).unwrap();
            let _ = back.request(&translated.body, &Wishes::default());
        }
        Err(refused) => {
            assert!(!refused.field.is_empty() && !refused.why.is_empty());
        }
    }
});
