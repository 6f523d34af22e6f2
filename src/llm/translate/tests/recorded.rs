//! Recorded answers of real providers, translated to both other dialects: right in form, and the
//! same in substance as an accumulation of the original.

use serde_json::Value;

use super::super::Asked;
use super::accumulate::{Gathered, gather};
use super::corpus::{Exchange, NOT_QUITE_JSON, Operation, recorded};
use super::heard::{Heard, Stop};
use super::strict::{self, Ending, Usage};
use super::{Pair, Speech, State, occasion, pair, stream, text, wire};

/// A recording that cannot come out as it went in: the client, what differs, and why.
type Known = (&'static str, Speech, &'static str, &'static str);

const OWN_MEMBER: &str = "the cost is told in a member of the maker's own, beyond the index";
const SEVERAL: &str =
    "several answers in one file: a stream is the first, the index counts the last";
const SPLICED: &str = "a second message begins within the first: no client can read that";
const CUSTOM: &str = "a custom tool that the caller cannot have: its text becomes an object";
const ERROR: &str = "an error, in spite of its status";

const STREAMS: [Known; 9] = [
    ("groq-chat-sse-02", Speech::Messages, "usage", OWN_MEMBER),
    ("groq-chat-sse-02", Speech::Responses, "usage", OWN_MEMBER),
    ("vercel-anthropic-tool-search-regex_1-sse", Speech::Chat, "usage", SEVERAL),
    ("vercel-anthropic-tool-search-regex_1-sse", Speech::Responses, "usage", SEVERAL),
    ("vercel-spliced-message-start-sse", Speech::Chat, "end", SPLICED),
    ("vercel-spliced-message-start-sse", Speech::Responses, "end", SPLICED),
    ("vercel-openai-custom-tool_1-sse", Speech::Messages, "calls", CUSTOM),
    ("vercel-openai-reasoning-encrypted-content_1-sse", Speech::Chat, "usage", SEVERAL),
    ("vercel-openai-reasoning-encrypted-content_1-sse", Speech::Messages, "usage", SEVERAL),
];

const ANSWERS: [Known; 3] = [
    ("azure-openai-chat-json-02", Speech::Messages, "readable", ERROR),
    ("azure-openai-chat-json-02", Speech::Responses, "readable", ERROR),
    ("vercel-openai-custom-tool_1-json", Speech::Messages, "calls", CUSTOM),
];

const SPEECHES: [Speech; 3] = [Speech::Chat, Speech::Messages, Speech::Responses];

/// Judges every recording that is spoken, through both pairs that it comes back through: what
/// differs is what is known to, no more and no less.
fn each(known: &[Known], judge: impl Fn(&Exchange, Pair) -> Result<(), Differences>) {
    let (mut seen, mut wrong, mut met) = (0, Vec::new(), Vec::new());
    for exchange in recorded() {
        let Some(upstream) = speech(exchange.operation) else { continue };
        for client in SPEECHES.into_iter().filter(|client| *client != upstream) {
            seen += 1;
            for (what, why) in judge(&exchange, pair(client, upstream)).err().into_iter().flatten()
            {
                let is_it = |(id, speech, field, _): &&Known| {
                    *id == exchange.id && *speech == client && *field == what
                };
                match known.iter().find(is_it) {
                    Some(one) => met.push(one),
                    None => wrong.push(format!("{} for {client:?}: {what}: {why}", exchange.id)),
                }
            }
        }
    }
    println!("{seen} translations");
    if seen > 0 {
        let gone = known.iter().filter(|one| !met.contains(one));
        wrong.extend(gone.map(|one| format!("no longer so: {one:?}")));
    }
    assert!(wrong.is_empty(), "{} surprises\n{}", wrong.len(), wrong.join("\n"));
}

fn speech(operation: Operation) -> Option<Speech> {
    match operation {
        Operation::Chat => Some(Speech::Chat),
        Operation::Responses => Some(Speech::Responses),
        Operation::Messages => Some(Speech::Messages),
        Operation::Completions
        | Operation::Embeddings
        | Operation::CountTokens
        | Operation::GenerateContent
        | Operation::Opaque => None,
    }
}

fn asked() -> Asked {
    Asked { model: "asked".to_owned(), include_usage: true, ..Asked::default() }
}

type Differences = Vec<(&'static str, String)>;

/// What is heard of both, compared.
fn compare(exchange: &Exchange, original: &Heard, ours: &Heard) -> Differences {
    let mut differences = Vec::new();
    let mut compare = |what, same: bool, why: String| {
        if !same {
            differences.push((what, why));
        }
    };
    compare(
        "said",
        ours.said == original.said,
        format!("{:?}\n  not {:?}", ours.said, original.said),
    );
    let thought = ours.thought == original.thought;
    compare("thought", thought, format!("{:?}\n  not {:?}", ours.thought, original.thought));
    compare(
        "calls",
        ours.calls == original.calls,
        format!("{:?}\n  not {:?}", ours.calls, original.calls),
    );
    // Only some dialects tell a refusal by the end.
    let refused = ours.refused || original.refused;
    // Some end cleanly and never say why.
    let expected = original.stop.or(Some(Stop::End));
    let stop = ours.stop == expected
        || refused
            && [ours.stop, expected]
                .iter()
                .all(|stop| matches!(stop, Some(Stop::End | Stop::Refusal)));
    compare("stop", stop, format!("{:?}, not {:?}", ours.stop, expected));
    let [input, output, read, created] = exchange.expected().map(Option::unwrap_or_default);
    let usage = [input + read + created, read, output];
    compare("usage", ours.usage == usage, format!("{:?}, not {usage:?}", ours.usage));
    differences
}

fn told(differences: Differences) -> Result<(), Differences> {
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

/// How the original ended.
fn ending(original: &Gathered) -> Ending {
    match (&original.failed, original.done) {
        (Some(_), _) => Ending::Failed,
        (None, true) => Ending::Whole,
        (None, false) => Ending::Cut,
    }
}

#[test]
fn streams_say_the_same() {
    each(&STREAMS, |exchange, pair| {
        if !exchange.stream || exchange.status != 200 {
            return Ok(());
        }
        let original = gather(pair.upstream(), &exchange.body);
        let (out, state) = stream(pair, &asked(), [&exchange.body[..]]);
        let shown = Ending::from(&state);
        if let Err(why) = strict::stream(pair.client(), &out, shown, Usage::Asked) {
            return Err(vec![("form", why)]);
        }
        if exchange.id == NOT_QUITE_JSON {
            return Ok(());
        }
        if shown != ending(&original) {
            return Err(vec![("end", format!("{state:?}, not {:?}", ending(&original)))]);
        }
        if state != State::Whole {
            return Ok(());
        }
        let heard = Heard::of(pair.upstream(), &original.answer);
        let ours = Heard::of(pair.client(), &gather(pair.client(), &out).answer);
        told(compare(exchange, &heard, &ours))
    });
}

#[test]
fn every_split_of_a_stream_says_the_same() {
    fastrand::seed(45);
    each(&[], |exchange, pair| {
        if !exchange.stream {
            return Ok(());
        }
        let body = &exchange.body[..];
        let whole = stream(pair, &asked(), [body]);
        let same = |chunks: Vec<&[u8]>| stream(pair, &asked(), chunks) == whole;
        let bytes = if body.len() < 4000 { 1 } else { 7 };
        let right =
            same(wire::cuts(body)) && same(at_random(body)) && same(body.chunks(bytes).collect());
        if right { Ok(()) } else { Err(vec![("split", "another result".to_owned())]) }
    });
}

fn at_random(mut body: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    while !body.is_empty() {
        let (chunk, rest) = body.split_at(fastrand::usize(1..=body.len().min(400)));
        chunks.push(chunk);
        body = rest;
    }
    chunks
}

#[test]
fn answers_say_the_same() {
    each(&ANSWERS, |exchange, pair| {
        if exchange.stream || exchange.status != 200 {
            return Ok(());
        }
        let original: Value = serde_json::from_slice(&exchange.body).unwrap();
        let answer = match pair.answer(&exchange.body, &asked(), &occasion()) {
            Ok(answer) => serde_json::from_slice::<Value>(&answer).unwrap(),
            Err(unreadable) => return Err(vec![("readable", unreadable.to_string())]),
        };
        if let Err(why) = strict::answer(pair.client(), &answer) {
            return Err(vec![("form", format!("{why}: {answer}"))]);
        }
        let heard = Heard::of(pair.upstream(), &original);
        told(compare(exchange, &heard, &Heard::of(pair.client(), &answer)))
    });
}

#[test]
fn errors_keep_their_words() {
    each(&[], |exchange, pair| {
        if exchange.status == 200 {
            return Ok(());
        }
        let status = u16::try_from(exchange.status).unwrap();
        let error: Value = serde_json::from_slice(&pair.error(status, &exchange.body)).unwrap();
        let message = text(&error["error"]["message"]);
        let original: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
        let words = [&original["error"]["message"], &original["message"], &original["error"]];
        let words = words.into_iter().map(text).find(|words| !words.is_empty());
        let right = !message.is_empty() && words.is_none_or(|words| words == message);
        if right { Ok(()) } else { Err(vec![("words", format!("{error}, not {words:?}"))]) }
    });
}
