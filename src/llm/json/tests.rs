mod properties;

use bytes::Bytes;

use super::{
    BodyFacts, BodyScanner, JsonFault, Splice, StreamOptions, ask_for_usage, quoted, splice,
};

type Scanned = Result<BodyFacts, JsonFault>;

fn scan(body: &[u8]) -> Scanned {
    scan_chunks([body])
}

fn scan_chunks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Scanned {
    let mut scanner = BodyScanner::default();
    chunks.into_iter().for_each(|chunk| scanner.feed(chunk));
    scanner.finish()
}

/// Scans the body whole, cut in two at every byte, and byte by byte: always with one result.
fn check(body: impl AsRef<[u8]>, expected: &Scanned) {
    let body = body.as_ref();
    let shown = String::from_utf8_lossy(body);
    assert_eq!(&scan(body), expected, "{shown}");
    assert_eq!(&scan_chunks(body.chunks(1)), expected, "{shown}, byte by byte");
    for at in 0..body.len() {
        let (head, tail) = body.split_at(at);
        assert_eq!(&scan_chunks([head, tail]), expected, "{shown}, cut at {at}");
    }
}

/// The model is this one, and stands at these bytes as it is spelt.
fn check_model(body: &str, spelt: &str, name: &str) {
    let facts = scan(body.as_bytes()).unwrap();
    let model = facts.model.clone().unwrap();
    assert_eq!((&body[model.span], model.name.as_str()), (spelt, name), "{body}");
    check(body, &Ok(facts));
}

fn check_fault(body: impl AsRef<[u8]>, fault: JsonFault) {
    check(body, &Err(fault));
}

/// What the body is after usage was asked for.
fn check_usage(body: &str, expected: &str) {
    let facts = scan(body.as_bytes()).unwrap();
    let splices: Vec<Splice> = ask_for_usage(&facts).into_iter().collect();
    assert_eq!(spliced(body.as_bytes(), &splices), expected.as_bytes(), "{body}");
}

fn spliced(body: &[u8], splices: &[Splice]) -> Vec<u8> {
    splice(&[Bytes::copy_from_slice(body)], splices).concat()
}

#[test]
fn models() {
    check_model(r#"{"model":"gpt-4o"}"#, r#""gpt-4o""#, "gpt-4o");
    check_model(r#" { "a" : [1,{"model":"no"}] , "model" : "yes" } "#, r#""yes""#, "yes");
    check_model(r#"{"model":"a","x":{"model":["}"]}}"#, r#""a""#, "a");
    check_model("\u{feff}{\"model\":\"bom\"}\n", "\"bom\"", "bom");
    check_model(r#"{"mod\u0065l":"x"}"#, r#""x""#, "x");
    check_model(r#"{"\u006d\u006F\u0064\u0065\u006c":"x"}"#, r#""x""#, "x");
    check_model(
        r#"{"model":"\ud83d\ude00\u0000\/\"\\"}"#,
        r#""\ud83d\ude00\u0000\/\"\\""#,
        "😀\0/\"\\",
    );
    check_model(r#"{"model":"\b\f\n\r\t"}"#, r#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t");
    check_model(r#"{"model":""}"#, r#""""#, "");
    check_model(r#"{"model":"é😀"}"#, "\"é😀\"", "é😀");
    check_model(r#"{"n":1e400,"s":-0.10,"l":"a\\\"b\\","model":"x"}"#, r#""x""#, "x");
    check_model(r#"{"t":true,"f":false,"z":null,"e":{},"a":[],"model":"x"}"#, r#""x""#, "x");
}

#[test]
fn bodies_without_a_model() {
    let facts =
        |insert_at, empty_object| BodyFacts { insert_at, empty_object, ..BodyFacts::default() };
    check("", &Ok(facts(None, false)));
    check(" \r\n\t", &Ok(facts(None, false)));
    check("\u{feff}", &Ok(facts(None, false)));
    check("{}", &Ok(facts(Some(1), true)));
    check(" { }", &Ok(facts(Some(2), true)));
    check("\u{feff}{}", &Ok(facts(Some(4), true)));
    check(r#"{"a":{"model":1}}"#, &Ok(facts(Some(1), false)));
    check(r#"{"models":1,"":2,"Model":"only Go takes it for ours"}"#, &Ok(facts(Some(1), false)));
    // Keys that are no text, or too long, are not the one we look for.
    check(r#"{"\ud800model":1}"#, &Ok(facts(Some(1), false)));
    check(b"{\"model\xff\":1}", &Ok(facts(Some(1), false)));
    check(format!(r#"{{"{}model":1}}"#, "x".repeat(200)), &Ok(facts(Some(1), false)));
    // Nested values are skipped as they are, valid or not (FAULTS 22, 24).
    check(b"{\"a\":[\"\xff\x01\",NaN,\"\\ud800\",{]}}", &Ok(facts(Some(1), false)));
}

#[test]
fn streams() {
    let stream = |value: &str| scan(format!(r#"{{"stream":{value}}}"#).as_bytes()).unwrap().stream;
    assert!(stream("true"));
    for value in ["false", "null", "1", r#""true""#, "[true]", r#"{"stream":true}"#] {
        assert!(!stream(value), "{value}");
    }
    let options = |value: &str| {
        let body = format!(r#"{{"stream_options":{value}}}"#);
        scan_chunks(body.as_bytes().chunks(7)).unwrap().stream_options
    };
    for value in [r#"{"a":[1]}"#, "{}", "null"] {
        let expected = StreamOptions::Present { span: 18..18 + value.len(), text: value.into() };
        assert_eq!(options(value), expected);
    }
    for value in ["[]", "1", "\"x\"", "true"] {
        assert_eq!(options(value), StreamOptions::Opaque, "{value}");
    }
    let padded = |size: usize| format!(r#"{{"a":"{}"}}"#, " ".repeat(size - 8));
    assert!(matches!(options(&padded(4096)), StreamOptions::Present { .. }));
    assert_eq!(options(&padded(4097)), StreamOptions::Opaque);
}

#[test]
fn faults() {
    for body in [
        "[]",
        "1",
        "x",
        "\u{feff}[",
        "{",
        r#"{"a"#,
        r#"{"a":"#,
        r#"{"a":1"#,
        r#"{"a":{}"#,
        r#"{"a":tru"#,
        r#"{"a":1,"#,
        "\u{feff}{",
    ] {
        check_fault(body, JsonFault::NotAnObject);
    }
    check_fault(b"\xef\xbb{}", JsonFault::NotAnObject);
    for (body, at) in [
        ("{a:1}", 1),
        (r#"{"a" 1}"#, 5),
        (r#"{"a":}"#, 5),
        (r#"{"a":1 "b":2}"#, 7),
        (r#"{"a":1,}"#, 7),
        (r#"{,"a":1}"#, 1),
        (r#"{"a":1]"#, 6),
        ("{}}", 2),
        (r#"{"a":1} {}"#, 8),
        (r#"{"a":truer}"#, 9),
        (r#"{"a":nil}"#, 6),
        (r#"{"a":NaN}"#, 5),
        (r#"{"a":1x}"#, 6),
        (r#"{"\x":1}"#, 2),
        ("{\"a\nb\":1}", 3),
        (r#"{"model":"\ud800"}"#, 10),
        (r#"{"model":"ab\ude00\ud83d"}"#, 12),
        (r#"{"model":"\u12g4"}"#, 10),
        (r#"{"model":"a\q"}"#, 11),
        ("{\"model\":\"a\nb\"}", 11),
    ] {
        check_fault(body, JsonFault::Syntax(at));
    }
    check_fault(b"{\"model\":\"a\xff\"}", JsonFault::Syntax(11));
}

/// FAULTS 23: parsers disagree on which of two counts, and some do not tell the case of names.
#[test]
fn fault_23_duplicates() {
    for (body, name) in [
        (r#"{"model":"a","model":"b"}"#, "model"),
        (r#"{"model":"a","x":1,"\u006dodel":"a"}"#, "model"),
        (r#"{"model":"a","MODEL":"b"}"#, "model"),
        (r#"{"Model":"a","model":"b"}"#, "model"),
        (r#"{"stream":true,"stream":false}"#, "stream"),
        (r#"{"stream_options":1,"stream_options":{}}"#, "stream_options"),
    ] {
        check_fault(body, JsonFault::Duplicate(name));
    }
    assert!(scan(br#"{"a":1,"a":2}"#).is_ok());
}

#[test]
fn model_bounds() {
    for value in ["1", "null", "true", "{}", r#"["gpt-4o"]"#] {
        check_fault(format!(r#"{{"model":{value}}}"#), JsonFault::ModelNotAString);
    }
    let body = |name: &str| format!(r#"{{"model":"{name}"}}"#);
    let longest = "x".repeat(1024);
    for spelt in [longest.clone(), r"\u0078".repeat(1024)] {
        let model = scan(body(&spelt).as_bytes()).unwrap().model.unwrap();
        assert_eq!((model.span, &model.name), (9..spelt.len() + 11, &longest));
    }
    assert_eq!(scan(body(&"x".repeat(1025)).as_bytes()), Err(JsonFault::ModelTooLong));
    assert_eq!(scan(body(&r"\u0078".repeat(1025)).as_bytes()), Err(JsonFault::ModelTooLong));
    assert_eq!(scan(body(&"x".repeat(1 << 20)).as_bytes()), Err(JsonFault::ModelTooLong));
}

/// FAULTS 21: a million levels are counted, not climbed.
#[test]
fn fault_21_depth() {
    let deep = 1_000_000;
    let body = format!(r#"{{"a":{}{},"model":"x"}}"#, "[".repeat(deep), "]".repeat(deep));
    assert_eq!(scan(body.as_bytes()).unwrap().model.unwrap().name, "x");
    assert_eq!(scan(&body.as_bytes()[..deep]), Err(JsonFault::NotAnObject));
}

#[test]
fn usage() {
    check_usage(r#"{"stream":true}"#, r#"{"stream_options":{"include_usage":true},"stream":true}"#);
    check_usage(
        r#" { "stream":true,"stream_options":{}}"#,
        r#" { "stream":true,"stream_options":{"include_usage":true}}"#,
    );
    check_usage(
        r#"{"stream_options":{ "a":1 },"stream":true}"#,
        r#"{"stream_options":{"include_usage":true, "a":1 },"stream":true}"#,
    );
    check_usage(
        r#"{"stream":true,"stream_options":{"x":[],"include_usage" : false}}"#,
        r#"{"stream":true,"stream_options":{"x":[],"include_usage" : true}}"#,
    );
    check_usage(
        r#"{"stream":true,"stream_options":{"includ\u0065_usage":null}}"#,
        r#"{"stream":true,"stream_options":{"includ\u0065_usage":true}}"#,
    );
    check_usage(
        r#"{"stream":true,"stream_options":null}"#,
        r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
    );
    for untouched in [
        r#"{"stream":false}"#,
        r#"{}"#,
        r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
        r#"{"stream":true,"stream_options":{"include_usage":"yes"}}"#,
        r#"{"stream":true,"stream_options":{"include_usage":false,"include_usage":false}}"#,
        r#"{"stream":true,"stream_options":{"a" 1}}"#,
        r#"{"stream":true,"stream_options":[]}"#,
    ] {
        check_usage(untouched, untouched);
    }
}

#[test]
fn splices_share_the_body_and_survive_bad_offsets() {
    let chunks = [Bytes::from_static(b"0123"), Bytes::new(), Bytes::from_static(b"456789")];
    let at = |at, with: &'static str| Splice { at, with: Bytes::from_static(with.as_bytes()) };
    let run = |splices: &[Splice]| splice(&chunks, splices).concat();
    assert_eq!(run(&[]), b"0123456789");
    assert_eq!(run(&[at(3..5, "ab"), at(1..1, "x")]), b"0x12ab56789");
    assert_eq!(run(&[at(0..10, "")]), b"");
    assert_eq!(run(&[at(0..0, "a"), at(4..4, "b"), at(10..10, "c")]), b"a0123b456789c");
    assert_eq!(run(&[at(8..99, "x")]), b"01234567x");
    assert_eq!(run(&[at(50..60, "x")]), b"0123456789x");
    let parts = splice(&chunks, &[at(5..6, "x")]);
    let [first, second, _, third] = &parts[..] else { panic!("{parts:?}") };
    assert_eq!(first.as_ptr(), chunks[0].as_ptr());
    assert_eq!(second.as_ptr(), chunks[2].as_ptr());
    assert_eq!(third.as_ptr(), chunks[2][2..].as_ptr());
}

#[test]
fn quoted_is_json() {
    assert_eq!(quoted("z-ai/glm-4.5-air"), r#""z-ai/glm-4.5-air""#);
    assert_eq!(quoted("a\"\\\n\u{0}é"), "\"a\\\"\\\\\\n\\u0000é\"");
}
