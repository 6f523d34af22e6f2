use std::io::Write;

use proptest::prelude::*;

use super::*;

const KINDS: [Kind; 8] = [
    Kind::ChatCompletions,
    Kind::Completions,
    Kind::Embeddings,
    Kind::Responses,
    Kind::Messages,
    Kind::StreamGenerateContent,
    Kind::CountTokens,
    Kind::Other,
];

const SSE: &str = "text/event-stream; charset=utf-8";
const JSON: &str = "Application/JSON;charset=utf-8";

fn tap(kind: Kind, content_type: &str, body: &str) -> AnswerTap {
    let mut tap = AnswerTap::new(kind, content_type, "");
    tap.observe(body.as_bytes());
    tap
}

/// Is the stream of these payloads Terminal, and has it a token?
fn check_stream(kind: Kind, payloads: &[&str], end: End, has_token: bool) {
    let stream: String = payloads.iter().map(|data| format!("data: {data}\n\n")).collect();
    let tap = tap(kind, SSE, &stream);
    assert_eq!((tap.end(), tap.has_token()), (end, has_token), "{payloads:?}");
}

fn check_usage(kind: Kind, body: &str, counts: [i64; 4]) {
    let [input, output, cache_read, cache_creation] = counts.map(|count| count.try_into().ok());
    let expected = Usage { input, output, cache_read, cache_creation };
    assert_eq!(tap(kind, JSON, body).usage(), expected, "{body}");
    let event = body.replace('\n', "\ndata: ");
    assert_eq!(tap(kind, SSE, &format!("data: {event}\n\n")).usage(), expected, "{body}");
    assert_eq!(tap(kind, SSE, &format!("data: {event}")).usage(), expected, "{body}");
}

#[test]
fn usage_is_read_where_each_dialect_has_it() {
    use Kind::*;
    let chat = |usage: &str| format!(r#"{{"choices":[],"usage":{usage}}}"#);
    let plain = r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}"#;
    check_usage(ChatCompletions, &chat(plain), [9, 3, -1, -1]);
    let details = r#"{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":4}}"#;
    check_usage(ChatCompletions, &chat(details), [5, -1, 4, -1]);
    let hit = r#"{"prompt_tokens":9,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":5}"#;
    check_usage(ChatCompletions, &chat(hit), [5, -1, 4, -1]);
    check_usage(ChatCompletions, &chat(r#"{"cached_tokens":4}"#), [-1, -1, 4, -1]);
    check_usage(Completions, &chat(plain), [9, 3, -1, -1]);
    check_usage(Embeddings, r#"{"data":[1],"usage":{"prompt_tokens":8}}"#, [8, -1, -1, -1]);
    let responses = r#"{"input_tokens":9,"input_tokens_details":{"cached_tokens":9}}"#;
    check_usage(Responses, &format!(r#"{{"usage":{responses}}}"#), [0, -1, 9, -1]);
    check_usage(Responses, &format!(r#"{{"response":{{"usage":{responses}}}}}"#), [0, -1, 9, -1]);
    let messages = r#"{"input_tokens":1,"cache_read_input_tokens":2,"output_tokens":3}"#;
    check_usage(Messages, &format!(r#"{{"message":{{"usage":{messages}}}}}"#), [1, 3, 2, -1]);
    check_usage(Messages, &format!(r#"{{"usage":{messages}}}"#), [1, 3, 2, -1]);
    let gemini = r#"{"promptTokenCount":9,"thoughtsTokenCount":2,"candidatesTokenCount":3}"#;
    check_usage(GenerateContent, &format!(r#"{{"usageMetadata":{gemini}}}"#), [9, 5, -1, -1]);
    check_usage(CountTokens, r#"{"input_tokens":9}"#, [-1; 4]);
}

#[test]
fn only_the_provider_s_own_report_counts() {
    for body in [
        r#"{"choices":[{"message":{"content":"{\"usage\":{\"prompt_tokens\":1}}"}}]}"#,
        r#"{"choices":[{"delta":{"usage":{"prompt_tokens":1}}}]}"#,
        r#"{"x":{"usage":{"prompt_tokens":1}},"y":[{"z":{"usage":{"prompt_tokens":1}}}]}"#,
        r#"{"name":"usage","prompt_tokens":1}"#,
        r#"{"\"usage":{"prompt_tokens":1},"usage":null}"#,
        r#"{"usage":{"x":{"prompt_tokens":1},"prompt_tokens_details":{"prompt_tokens":1}}}"#,
        r#"{"usage":"prompt_tokens"}"#,
        r#"{"usage":[1,2,{"x":3}]}"#,
    ] {
        check_usage(Kind::ChatCompletions, body, [-1; 4]);
    }
}

#[test]
fn a_count_of_a_wrong_type_is_left_out() {
    for wrong in ["-1", "1.5", "1e3", "null", "true", "\"7\"", "[7]", "{}", "99999999999999999999"]
    {
        let body = format!(r#"{{"usage":{{"prompt_tokens":{wrong},"completion_tokens":3}}}}"#);
        check_usage(Kind::ChatCompletions, &body, [-1, 3, -1, -1]);
    }
    let spaced = "{ \"usage\" :\n{ \"prompt_tokens\" : 7 ,\r\n\"completion_tokens\"\t:\t8 } }";
    check_usage(Kind::ChatCompletions, spaced, [7, 8, -1, -1]);
}

#[test]
fn gemini_s_array_of_chunks_is_read_to_its_last() {
    let body = r#"[{"candidates":[],"usageMetadata":{"promptTokenCount":9}},
        {"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4}}]"#;
    check_usage(Kind::StreamGenerateContent, body, [9, 4, -1, -1]);
}

#[test]
fn a_chat_stream_ends_by_its_marks() {
    use End::*;
    let check = |payloads: &[&str], end, token| {
        check_stream(Kind::ChatCompletions, payloads, end, token);
    };
    check(&[], Open, false);
    check(&[r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#], Open, false);
    check(&[r#"{"choices":[{"delta":{"content":"a"},"finish_reason":null}]}"#], Open, true);
    check(&[r#"{"choices":[{"delta":{"tool_calls":[{"id":"x"}]}}]}"#], Open, true);
    check(&[r#"{"choices":[{"delta":{"reasoning_content":"x","content":null}}]}"#], Open, true);
    check(&[r#"{"choices":[],"prompt_filter_results":[{"a":"b"}]}"#], Open, false);
    check(&[r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#], Terminal, false);
    check(&[r#"{"choices":[{"delta":{},"finish_reason":""}]}"#], Open, false);
    check(&["[DONE]"], Terminal, false);
    check(&["[ \"DONE\" ]"], Open, false);
    check(&[r#"{"error":{"message":"overloaded"}}"#], Terminal, false);
    let text = r#"{"error":null,"choices":[{"text":"a"}]}"#;
    check(&[text], Open, true);
    check(&[text, text, r#"{"error":{"message":"overloaded"}}"#], Terminal, true);
    check(&[text, r#"{"choices":[{"finish_reason" : "stop"}]}"#], Terminal, true);
    check(&[text, r#"{"choices":[{"finish_reason" : null}]}"#], Open, true);
    check(&["not JSON", "\"DONE\"", "12", ""], Open, false);
}

#[test]
fn the_other_streams_end_by_theirs() {
    use End::*;
    let delta = r#"{"type":"content_block_delta","delta":{"text":"\"type\":\"message_stop\""}}"#;
    check_stream(Kind::Messages, &[r#"{"type":"message_start"}"#], Open, false);
    check_stream(Kind::Messages, &[delta, delta], Open, true);
    check_stream(Kind::Messages, &[delta, r#"{"type":"message_stop"}"#], Terminal, true);
    check_stream(Kind::Messages, &[r#"{"type":"error","error":{}}"#], Terminal, false);
    let delta = r#"{"type":"response.output_text.delta","delta":"a"}"#;
    check_stream(Kind::Responses, &[r#"{"type":"response.created"}"#], Open, false);
    check_stream(Kind::Responses, &[delta, delta], Open, true);
    for last in ["response.completed", "response.failed", "response.incomplete", "error"] {
        let last = format!(r#"{{"sequence_number":9,"type":"{last}"}}"#);
        check_stream(Kind::Responses, &[delta, &last], Terminal, true);
    }
    let part = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]}}]}"#;
    let check = |payloads: &[&str], end, token| {
        check_stream(Kind::StreamGenerateContent, payloads, end, token);
    };
    check(&[r#"{"candidates":[{"content":{"role":"model"}}]}"#], Open, false);
    check(&[part], Open, true);
    check(&[part, r#"{"candidates":[{"finishReason":"STOP"}]}"#], Terminal, true);
    check(&[r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#], Terminal, false);
}

#[test]
fn what_is_no_known_stream_is_unmarked() {
    for kind in KINDS {
        for content_type in [JSON, "", "audio/mpeg", "application/vnd.amazon.eventstream"] {
            let tap = tap(kind, content_type, "[DONE]");
            assert!(tap.has_token() && !tap.is_event_stream() && !tap.between_events());
            assert_eq!(tap.end(), End::Unmarked);
        }
        assert!(!AnswerTap::new(kind, JSON, "").has_token());
    }
    let other = tap(Kind::Other, SSE, "data: x\n\n");
    assert!(other.is_event_stream() && other.between_events() && other.has_token());
    assert_eq!(other.end(), End::Unmarked);
}

#[test]
fn fault_48_an_event_of_ten_megabytes_is_read() {
    let image = "A".repeat(10 * 1024 * 1024);
    let begin = r#"data: {"candidates":[{"content":{"parts":[{"data":""#;
    let end = r#""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7}}"#;
    let body = [begin, &image, end].concat();
    let mut tap = AnswerTap::new(Kind::StreamGenerateContent, SSE, "");
    body.as_bytes().chunks(16 * 1024).for_each(|chunk| tap.observe(chunk));
    assert_eq!((tap.usage().input, tap.end(), tap.has_token()), (Some(7), End::Terminal, false));
    tap.observe(b"\n\n");
    assert!(tap.has_token() && tap.between_events());
}

/// The tap is part of every open stream.
#[test]
fn a_tap_is_small() {
    assert!(size_of::<AnswerTap>() <= 384, "{} bytes", size_of::<AnswerTap>());
}

const CHAT: &str = concat!(
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7}}\n\n",
    "data: [DONE]\n\n",
);

#[test]
fn fault_50_a_compressed_stream_is_read_too() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    encoder.write_all(CHAT.as_bytes()).unwrap();
    let gzip = encoder.finish().unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = ruzstd::encoding::compress_to_vec(CHAT.as_bytes(), level);
    for (coding, body) in [("gzip", gzip), ("zstd", zstd)] {
        let mut tap = AnswerTap::new(Kind::ChatCompletions, SSE, coding);
        assert!(!tap.between_events());
        body.chunks(3).for_each(|chunk| tap.observe(chunk));
        assert_eq!((tap.usage().input, tap.end()), (Some(7), End::Terminal), "{coding}");
        assert!(tap.has_token() && tap.is_event_stream() && !tap.between_events());
    }
}

#[test]
fn a_compressed_stream_that_cannot_be_read_is_unmarked() {
    for coding in ["gzip", "br", "zstd", "deflate", "gzip, br", "compress"] {
        let mut tap = AnswerTap::new(Kind::ChatCompletions, SSE, coding);
        tap.observe(&[b'x'; 100]);
        assert_eq!((tap.end(), tap.usage()), (End::Unmarked, Usage::default()), "{coding}");
        assert!(tap.is_event_stream() && !tap.between_events());
    }
}

const WORDS: [&str; 34] = [
    "data: ",
    "data:",
    "\n\n",
    "\r\n\r\n",
    "event: x\n",
    "data: {\"type\":\"message_stop\"}\n\n",
    "data: {\"type\":\"content_block_delta\"}\n\n",
    "data: {\"type\":\"x.delta\",\"usage\":{\"input_tokens\":5}}\n\n",
    "data: {\"choices\":[{\"finish_reason\":null,\"text\":\"a\"}]}\n\n",
    "\"usage\":",
    "\"usageMetadata\":",
    "\"error\":",
    "\"type\":",
    "\"response\":{",
    "\"choices\":[",
    "\"delta\":{",
    "\"content\":",
    "\"prompt_tokens\":12",
    "\"output_tokens\":3,",
    "{\"cached_tokens\":4}",
    "\"prompt_tokens_details\":",
    "\"finish_reason\":",
    "\"finishReason\":",
    "null",
    "\"stop\"",
    "\"error\"",
    "\"message_stop\"",
    "[DONE]",
    "DONE",
    "\\\"",
    "é",
    "data: {",
    "{",
    "}\n\n",
];

/// Pieces of which streams are made that look like the real thing.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        "[\\[\\]{}:,\"\\\\ \n\r]",
        prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
    ];
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

fn seen(tap: &AnswerTap) -> (Usage, bool, End, bool) {
    (tap.usage(), tap.has_token(), tap.end(), tap.between_events())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_split_of_every_stream_reads_the_same(
        stream in pieces(),
        kind in prop::sample::select(&KINDS[..]),
        content_type in prop::sample::select(&[SSE, JSON][..]),
        size in 1_usize..100,
    ) {
        let whole = tap(kind, content_type, &stream);
        for size in [1, size] {
            let mut split = AnswerTap::new(kind, content_type, "");
            stream.as_bytes().chunks(size).for_each(|chunk| split.observe(chunk));
            prop_assert_eq!(seen(&split), seen(&whole), "by {} of {:?}", size, stream);
        }
    }

    #[test]
    fn no_bytes_panic(
        body in prop::collection::vec(any::<u8>(), 0..300),
        kind in prop::sample::select(&KINDS[..]),
        content_type in prop::sample::select(&[SSE, JSON, ""][..]),
        coding in prop::sample::select(&["", "gzip", "br", "zstd", "deflate", "x"][..]),
        size in 1_usize..50,
    ) {
        let mut tap = AnswerTap::new(kind, content_type, coding);
        body.chunks(size).for_each(|chunk| tap.observe(chunk));
        seen(&tap);
    }
}
