use proptest::prelude::*;

use super::*;

/// What comes out, the stream cut into pieces of `size` bytes.
fn filtered(stream: &[u8], size: usize) -> String {
    let mut filter = UsageChunkFilter::default();
    let mut out = Vec::new();
    for chunk in stream.chunks(size) {
        out.extend(filter.push(Bytes::copy_from_slice(chunk)));
        assert!(filter.held.len() <= HELD);
    }
    out.extend(filter.finish());
    String::from_utf8_lossy(&out).into_owned()
}

fn check(stream: &str, expected: &str) {
    for size in 1..=stream.len().max(1) {
        assert_eq!(filtered(stream.as_bytes(), size), expected, "{stream:?} by {size}");
    }
}

const USAGE: &str = r#"data: {"choices":[],"usage":{"prompt_tokens":1}}"#;
const DELTA: &str = r#"data: {"choices":[{"delta":{"content":"a"}}],"usage":null}"#;

#[test]
fn the_usage_chunk_alone_is_taken_out() {
    check(
        &format!("{DELTA}\n\n{USAGE}\n\ndata: [DONE]\n\n"),
        &format!("{DELTA}\n\ndata: [DONE]\n\n"),
    );
    check(
        &format!("{DELTA}\r\n\r\n{USAGE}\r\n\r\n: k\r\n\r\n"),
        &format!("{DELTA}\r\n\r\n: k\r\n\r\n"),
    );
    check(&format!("{DELTA}\r\r{USAGE}\r\r{DELTA}\r\r"), &format!("{DELTA}\r\r{DELTA}\r\r"));
    check(&format!(": keep\n\n{USAGE}\n\n\n"), ": keep\n\n\n");
    check(&format!(": keep\r\n:\r\n{USAGE}\r\n\r\n"), ": keep\r\n:\r\n");
    check(&format!("{DELTA}\n\n{USAGE}"), &format!("{DELTA}\n\n"));
    check("data: {\"choices\" : [ ] , \ndata: \"usage\" :\ndata: {}}\n\n", "");
    check("event: x\nid: 1\ndata:{\"usage\":{},\"choices\":[]}\n\n", "");
}

#[test]
fn every_other_event_passes() {
    for data in [
        r#"{"choices":[],"prompt_filter_results":[{}]}"#,
        r#"{"choices":[],"usage":null}"#,
        r#"{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}"#,
        r#"{"usage":{"prompt_tokens":1}}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":1}"#,
        r#"{"choices":[],"x":{"usage":{}}}"#,
        r#""choices":[],"usage":{}"#,
        "[DONE]",
        "",
    ] {
        let stream = format!("data: {data}\n\n:\n\ndata: {data}");
        check(&stream, &stream);
    }
}

#[test]
fn fault_48_a_long_event_is_not_held() {
    let long = format!(r#"data: {{"choices":[],"usage":{{}},"x":"{}"}}"#, "y".repeat(HELD));
    let stream = format!("{long}\n\n{USAGE}\n\n{DELTA}\n\n");
    assert_eq!(filtered(stream.as_bytes(), 1000), format!("{long}\n\n{DELTA}\n\n"));
    let endless = "x".repeat(3 * HELD);
    assert_eq!(filtered(endless.as_bytes(), 1000), endless);
}

#[test]
fn whole_events_are_not_copied() {
    let chunk = Bytes::from(format!("{DELTA}\n\n{DELTA}\n\n"));
    let mut filter = UsageChunkFilter::default();
    let out = filter.push(chunk.clone());
    assert_eq!((out.as_ptr(), out.len()), (chunk.as_ptr(), chunk.len()));
    let cut = Bytes::from(format!("{DELTA}\n\n{USAGE}\n\ndata"));
    let out = filter.push(cut.clone());
    assert_eq!((out.as_ptr(), out.len()), (cut.as_ptr(), DELTA.len() + 2));
}

fn event() -> impl Strategy<Value = (String, bool)> {
    let passing = prop_oneof![
        Just(DELTA.to_owned()),
        Just("data: [DONE]".to_owned()),
        Just(": comment".to_owned()),
        Just("event: x|id: 1".to_owned()),
        "data: [a-z\\[\\]{}\":|]{0,20}",
    ];
    prop_oneof![
        passing.prop_map(|event| (event, true)),
        Just((USAGE.to_owned(), false)),
        Just((USAGE.replace(",", ",|data: "), false)),
    ]
}

proptest! {
    #[test]
    fn what_comes_out_is_what_went_in_without_the_usage_events(
        events in prop::collection::vec(event(), 0..8),
        line_end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        size in 1_usize..200,
    ) {
        let written = |(event, _): &(String, bool)| {
            event.replace('|', line_end) + line_end + line_end
        };
        let stream: String = events.iter().map(written).collect();
        let expected: String = events.iter().filter(|(_, passes)| *passes).map(written).collect();
        prop_assert_eq!(filtered(stream.as_bytes(), size), expected);
    }

    #[test]
    fn bytes_without_usage_pass_as_they_are(
        stream in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r')], 0..300),
        size in 1_usize..50,
    ) {
        let mut filter = UsageChunkFilter::default();
        let mut out = Vec::new();
        for chunk in stream.chunks(size) {
            out.extend(filter.push(Bytes::copy_from_slice(chunk)));
        }
        out.extend(filter.finish());
        prop_assert_eq!(out, stream);
    }
}
