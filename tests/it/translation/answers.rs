//! FAULTS 21, 22 and 48 to 57: answers that no translation can be made of, and those that only look
//! so.

use super::sides::{CHAT, MESSAGES, PAIRS, RESPONSES};
use super::stage::Always;
use crate::support::codings::{CODINGS, gzip};
use crate::support::upstream::{LAST_CHUNK, STREAM_HEAD, chunk, json_answer};

impl Always {
    /// 502 in the caller's dialect.
    #[track_caller]
    fn is_refused(&self, stream: bool) {
        let answer = self.ask(stream);
        let kind = match self.client.api {
            "AnthropicMessages" => "502 upstream_broken anthropic/api_error",
            _ => "502 upstream_broken openai/server_error",
        };
        assert_eq!(answer.refusal(), kind, "{} {}", self.client.api, answer.text());
    }

    /// A stream that ends with an error event.
    #[track_caller]
    fn ends_with_an_error(&self) {
        let answer = self.ask(true);
        assert_eq!(answer.status(), 200);
        let cut: String = answer.text().chars().rev().take(500).collect();
        assert!(answer.is_whole(), "{} {cut}", self.client.api);
        assert!(self.client.tells_an_error(answer.text()), "{} {cut}", self.client.api);
    }

    /// A whole answer, and a stream made of it.
    #[track_caller]
    fn says_hello(&self) {
        let answer = self.ask(false);
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert_eq!(answer.head.header("content-type"), Some("application/json"));
        assert!(answer.text().contains("\"hello\""), "{}", answer.text());
        let told = self.ask(true);
        assert!(self.client.ends_well(told.text()), "{}", told.text());
        assert_eq!(self.client.said(told.text()), "hello", "{}", told.text());
    }
}

fn stream(text: impl AsRef<[u8]>) -> Vec<u8> {
    [STREAM_HEAD, &chunk(text), LAST_CHUNK].concat()
}

/// An answer with these header lines.
fn answer(status: &str, lines: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{lines}content-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

const JSON: &str = "content-type: application/json\r\n";
const EVENTS: &str = "content-type: text/event-stream\r\n";

fn deep(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

#[test]
fn fault_21_an_answer_that_is_too_deep_overflows_nothing() {
    for pair in PAIRS {
        let (always, side) = (Always::between(pair), pair.1);
        // What nobody looks at may be skipped; what is looked at cannot be read.
        for place in ["\"model\":", "\"usage\":", "\"content\":", "\"output\":", "\"unknown\":"] {
            let swap =
                |text: &str| text.replacen(place, &format!("{place}{},\"x\":", deep(100_000)), 1);
            let whole = always.says(json_answer("200 OK", &swap(side.answer)));
            for streamed in [false, true] {
                let status = whole.ask(streamed).status();
                assert!(matches!(status, 200 | 502), "{status} {place} {}", side.api);
            }
            let always = always.says(stream(swap(&side.stream())));
            let told = always.ask(true);
            let (client, text) = (pair.0, told.text());
            assert!(client.tells_an_error(text) || client.ends_well(text), "{place} {}", side.api);
        }
        let page = always.says(json_answer("400 Bad Request", &deep(1_000_000)));
        assert_eq!(page.ask(false).status(), 400);
        pair.0.message(&page.ask(true).json());
        always.says(stream(format!("data: {}\n\n", deep(1_000_000)))).ends_with_an_error();
    }
}

#[test]
fn fault_22_an_answer_that_is_no_text_is_refused() {
    for pair in PAIRS {
        let (always, side) = (Always::between(pair), pair.1);
        let with = |text: &str, bytes: &[u8]| {
            let at = text.find("hello").unwrap();
            [&text.as_bytes()[..at], bytes, &text.as_bytes()[at + 5..]].concat()
        };
        for bytes in [&b"\xff\xfe"[..], b"\xc3\x28", b"\\ud800"] {
            let body = with(side.answer, bytes);
            always.says(answer("200 OK", JSON, &body)).is_refused(false);
            always.says(stream(with(&side.stream(), bytes))).ends_with_an_error();
        }
        let kept = side.stream().replace("hello", r"\u0000\u001b");
        let told = always.says(stream(kept)).ask(true);
        assert_eq!(pair.0.said(told.text()), "\u{0}\u{1b}", "{}", told.text());
    }
}

#[test]
fn fault_48_an_event_without_end_is_not_translated() {
    let long = "x".repeat(10 << 20);
    for pair in PAIRS {
        let (always, side) = (Always::between(pair), pair.1);
        let sent = side.stream().replace("hello", &long);
        always.says(stream(sent)).ends_with_an_error();
        let without_end = [side.hello, "data: ", &long].concat();
        always.says(stream(without_end)).ends_with_an_error();
        let line = format!("data: {}\n", "x".repeat(1 << 10));
        let lines = [side.hello, &line.repeat(10 << 10)].concat();
        always.says(stream(lines)).ends_with_an_error();
        // What is no data costs nothing.
        let comment = [": ", &long, "\n\nid: ", &long, "\n", &side.stream()].concat();
        let told = always.says(stream(comment)).ask(true);
        assert!(pair.0.ends_well(told.text()), "{} {}", pair.0.api, side.api);
        assert_eq!(pair.0.said(told.text()), "hello");
    }
}

#[test]
fn fault_49_every_form_of_event_is_translated() {
    for (client, side) in PAIRS {
        let always = Always::between((client, side));
        let text = side.stream();
        let split = |event: &str| {
            let (head, data) = event.split_once("data: {").unwrap();
            format!("{head}data: {{\ndata: {data}")
        };
        let lines: String = text
            .split_inclusive("\n\n")
            .map(|event| match event.contains("data: {") {
                true => split(event),
                false => event.to_owned(),
            })
            .collect();
        for form in [
            text.replace("data: ", "data:").replace("event: ", "event:"),
            text.replace('\n', "\r\n"),
            text.replace('\n', "\r"),
            text.replace("\n\n", "\n\n: a comment\n\n"),
            lines,
            format!("\u{feff}{text}"),
            text.trim_end().to_owned(),
            text.trim_end().to_owned() + "\n",
            text.replace("data: ", "retry: 10\nid: 7\nunknown: field\ndata: "),
            format!("event: unheard-of\ndata: {{\"type\":\"unheard-of\"}}\n\n{text}"),
            text.lines()
                .filter(|line| !line.starts_with("event:"))
                .map(|line| format!("{line}\n"))
                .collect(),
        ] {
            let told = always.says(stream(&form)).ask(true);
            let place = format!("{} {form:?}: {}", client.api, told.text());
            assert!(client.ends_well(told.text()), "{place}");
            assert_eq!(client.said(told.text()), "hello", "{place}");
        }
    }
}

#[test]
fn fault_50_compressed_answers_are_translated() {
    for pair in PAIRS {
        let (always, (client, side)) = (Always::between(pair), pair);
        for (coding, encode) in CODINGS {
            let coding = format!("content-encoding: {coding}\r\n");
            let whole = encode(side.answer.as_bytes());
            let lines = [JSON, &coding].concat();
            let always = always.says(answer("200 OK", &lines, &whole));
            always.says_hello();
            assert_eq!(always.ask(false).head.all("content-encoding"), [""; 0]);
            // Cut, it is an answer no more.
            always.says(answer("200 OK", &lines, &whole[..whole.len() / 2])).is_refused(false);
            always.says(answer("200 OK", &lines, side.answer.as_bytes())).is_refused(true);

            let lines = [EVENTS, &coding].concat();
            let packed = encode(side.stream().as_bytes());
            let told = always.says(answer("200 OK", &lines, &packed)).ask(true);
            assert!(client.ends_well(told.text()), "{lines} {}", told.text());
            assert_eq!(told.head.all("content-encoding"), [""; 0]);
            let half = &packed[..packed.len() / 2];
            always.says(answer("200 OK", &lines, half)).ends_with_an_error();
            let bad = side.stream();
            always.says(answer("200 OK", &lines, bad.as_bytes())).ends_with_an_error();

            let error = encode(br#"{"error":{"message":"too busy"}}"#);
            let lines = [JSON, &coding].concat();
            let busy = always.says(answer("429 Too Many Requests", &lines, &error)).ask(true);
            assert_eq!((busy.status(), client.message(&busy.json()).as_str()), (429, "too busy"));
        }
        let unknown = "content-encoding: x\r\n";
        let lines = [JSON, unknown].concat();
        always.says(answer("200 OK", &lines, b"{}")).is_refused(false);
        let lines = [EVENTS, unknown].concat();
        always.says(answer("200 OK", &lines, b"{}")).is_refused(true);
    }
}

/// A bomb is cut where an answer that is not compressed would be.
#[test]
fn fault_50_a_compressed_answer_has_the_limit_of_any() {
    let megabyte = gzip(&vec![b' '; 1 << 20]);
    for pair in [(MESSAGES, CHAT), (CHAT, MESSAGES), (RESPONSES, CHAT)] {
        let (always, (client, side)) = (Always::between(pair), pair);
        let body = [megabyte.repeat(40), gzip(side.answer.as_bytes())].concat();
        let lines = [JSON, "content-encoding: gzip\r\n"].concat();
        always.says(answer("200 OK", &lines, &body)).is_refused(false);
        let busy = always.says(answer("429 Too Many Requests", &lines, &body)).ask(false);
        assert_eq!(busy.status(), 429);
        client.message(&busy.json());
        let body = [megabyte.repeat(70), gzip(side.stream().as_bytes())].concat();
        let lines = [EVENTS, "content-encoding: gzip\r\n"].concat();
        always.says(answer("200 OK", &lines, &body)).ends_with_an_error();
    }
}

#[test]
fn fault_51_a_translated_answer_comes_whole_or_not_at_all() {
    for pair in PAIRS {
        let (always, side) = (Always::between(pair), pair.1);
        let (body, length) = (side.answer, side.answer.len());
        let head =
            |length: usize| format!("HTTP/1.1 200 OK\r\n{JSON}content-length: {length}\r\n\r\n");
        always.says_and_closes((head(length + 1) + body).into_bytes()).is_refused(false);
        always.says_and_closes((head(length - 1) + body).into_bytes()).is_refused(true);
        always.says_and_closes([STREAM_HEAD_OF_JSON, &chunk(body)].concat()).is_refused(false);
        always
            .says_and_closes((head(length) + body + "HTTP/1.1 500 X\r\n\r\n").into_bytes())
            .ask(false)
            .json();
        let until_close = format!("HTTP/1.1 200 OK\r\n{JSON}\r\n{body}");
        assert_eq!(always.says_and_closes(until_close.into_bytes()).ask(false).status(), 200);
        let old = format!("HTTP/1.0 200 OK\r\n{JSON}\r\n{body}");
        let told = always.says_and_closes(old.into_bytes()).ask(true);
        assert!(told.head.first_line.starts_with("HTTP/1.1 200"), "{}", told.head.first_line);
        assert!(pair.0.ends_well(told.text()), "{}", told.text());
    }
}

const STREAM_HEAD_OF_JSON: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

#[test]
fn fault_52_to_54_interim_answers_no_bodies_trailers_and_redirects() {
    for pair in PAIRS {
        let (always, (client, side)) = (Always::between(pair), pair);
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
        let whole = json_answer("200 OK", side.answer);
        always.says([interim.as_bytes(), &whole].concat()).says_hello();
        // An answer without a body is none.
        always.says(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).is_refused(true);
        let unchanged = always.says(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()).ask(true);
        assert_eq!((unchanged.status(), unchanged.text()), (304, ""));
        let trailers = [STREAM_HEAD, &chunk(side.stream()), b"0\r\nx-trailer: 1\r\n\r\n"].concat();
        let told = always.says(trailers).ask(true);
        assert!(client.ends_well(told.text()) && told.is_whole());
        assert_eq!(told.head.all("x-trailer"), [""; 0]);
        let away = answer("307 Temporary Redirect", "location: https://a.test/\r\n", b"");
        let moved = always.says(away).ask(true);
        assert_eq!(moved.status(), 307);
        assert_eq!(moved.head.header("location"), Some("https://a.test/"));
        client.message(&moved.json());
    }
}

#[test]
fn fault_56_what_is_no_answer_is_an_error_of_the_callers_dialect() {
    for pair in PAIRS {
        let (always, side) = (Always::between(pair), pair.1);
        let error = br#"{"error":{"message":"no","type":"server_error"}}"#;
        for (kind, body) in [
            ("text/html", &b"<html>gateway</html>"[..]),
            ("application/json", b""),
            ("application/json", error),
            ("application/json", b"{}"),
            ("application/json", b"[]"),
            ("application/json", b"null"),
            ("text/plain", b"hello"),
        ] {
            let lines = format!("content-type: {kind}\r\n");
            let always = always.says(answer("200 OK", &lines, body));
            always.is_refused(false);
            always.is_refused(true);
        }
        for text in [
            "data: {\"error\":{\"message\":\"no\",\"code\":429}}\n\n",
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"no\"}}\n\n",
            "<html>gateway</html>",
            "data: <html>\n\n",
            "data: {}\n\n",
            "data: [DONE]\n\n",
            ": hello\n\n",
            "\n\n",
        ] {
            always.says(stream(text)).ends_with_an_error();
            always.says(stream([side.hello, text].concat())).ends_well_or_with_an_error(text);
        }
        always.says([STREAM_HEAD, LAST_CHUNK].concat()).ends_with_an_error();
        // It was to be a stream, and came at once.
        always.says(json_answer("200 OK", side.answer)).says_hello();
    }
}

impl Always {
    /// Behind a beginning, `[DONE]` is an end for chat completions, and nothing elsewhere.
    #[track_caller]
    fn ends_well_or_with_an_error(&self, text: &str) {
        let told = self.ask(true);
        let well = self.client.ends_well(told.text());
        assert!(well != self.client.tells_an_error(told.text()), "{}", told.text());
        assert!(!well || text.contains("[DONE]"), "{text}: {}", told.text());
    }
}

#[test]
fn fault_57_heads_out_of_form_are_refused() {
    for pair in PAIRS {
        let always = Always::between(pair);
        let long = format!("x-long: {}\r\n", "x".repeat(70_000));
        let many: String = (0..101).map(|at| format!("x-{at}: 1\r\n")).collect();
        for lines in [long.as_str(), &many, "x-bad: \x01\r\n"] {
            let lines = [JSON, lines].concat();
            always.says(answer("200 OK", &lines, pair.1.answer.as_bytes())).is_refused(true);
        }
    }
}
