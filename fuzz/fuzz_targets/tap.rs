//! The usage taps: what they report must not depend on how an answer is cut, unless it is compressed
//! (and then most of what is tried here is malformed): that is for the decoders to survive. The first two bytes
//! choose the operation, the media type, the coding and the cut; the rest is the answer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pillion::llm::operation::Kind;
use pillion::llm::tap::{AnswerTap, End};
use pillion::llm::usage::Usage;

const KINDS: [Kind; 8] = [
    Kind::ChatCompletions,
    Kind::Completions,
    Kind::Responses,
    Kind::Embeddings,
    Kind::Messages,
    Kind::GenerateContent,
    Kind::StreamGenerateContent,
    Kind::Other,
];
const TYPES: [&str; 2] = ["text/event-stream; charset=utf-8", "application/json"];
const CODINGS: [&str; 6] = ["", "gzip", "deflate", "br", "zstd", "unheard-of"];

fuzz_target!(|input: &[u8]| {
    let [how, cut, answer @ ..] = input else { return };
    let how = usize::from(*how);
    let tap = || {
        let coding = CODINGS[how / 16 % CODINGS.len()];
        AnswerTap::new(KINDS[how % 8], TYPES[how / 8 % 2], coding)
    };
    let whole = seen(tap(), answer, answer.len().max(1));
    let cut = seen(tap(), answer, usize::from(*cut).max(1));
    if how < 16 {
        assert_eq!(cut, whole, "the cut changes what is seen");
    }
});

fn seen(mut tap: AnswerTap, answer: &[u8], cut: usize) -> (Usage, bool, bool, End) {
    for chunk in answer.chunks(cut) {
        tap.observe(chunk);
    }
    (tap.usage(), tap.has_token(), tap.between_events(), tap.end())
}
