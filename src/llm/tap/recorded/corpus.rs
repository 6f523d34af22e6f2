//! The corpus of recorded traffic, and what each recording says was reported: computed from the
//! index, apart from the code under test. `tests/it/recorded` reads it through this file, too, so
//! nothing here knows Pillion.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One recorded answer.
pub(crate) struct Exchange {
    pub(crate) id: String,
    pub(crate) operation: Operation,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    pub(crate) stream: bool,
    pub(crate) status: u64,
    /// Its record in the index.
    pub(crate) record: Value,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Chat,
    Completions,
    Responses,
    Embeddings,
    Messages,
    CountTokens,
    GenerateContent,
    /// An API that no usage is read from.
    Opaque,
}

/// Input, output, cache read, cache creation; `None` where nothing was reported.
pub(crate) type Counts = [Option<u64>; 4];

/// Its last event lacks a brace, so that a JSON tree of it cannot be had.
pub(crate) const NOT_QUITE_JSON: &str = "vercel-parallel-tool-call-wrapper_1-sse";

/// The corpus, unless it is not here, which is said.
pub(crate) fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let folder = std::env::var_os("PILLION_CORPUS").map_or(beside, PathBuf::from);
    let found = folder.is_dir().then_some(folder);
    if found.is_none() {
        println!("skipped: no corpus of recorded traffic here (PILLION_CORPUS names its folder)");
    }
    found
}

/// Every recorded exchange.
pub(crate) fn recorded() -> Vec<Exchange> {
    let Some(folder) = corpus().map(|corpus| corpus.join("recorded")) else {
        return Vec::new();
    };
    let index = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let records = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let exchanges: Vec<_> = records.map(|record| exchange(&folder, record)).collect();
    let served = exchanges.iter().filter(|exchange| exchange.operation != Operation::Opaque);
    assert!(served.count() > 200, "the corpus has shrunk to {}", exchanges.len());
    exchanges
}

// === impl Exchange ===

impl Exchange {
    /// What this exchange must be counted as.
    pub(crate) fn expected(&self) -> Counts {
        if let Some((_, counts)) = UNINDEXED.iter().find(|(id, _)| *id == self.id) {
            return counts.map(|count| count.try_into().ok());
        }
        let at = |path: &str| self.at(path);
        match self.operation {
            Operation::Messages => [
                at("/input_tokens"),
                at("/output_tokens"),
                at("/cache_read_input_tokens"),
                at("/cache_creation_input_tokens"),
            ],
            Operation::GenerateContent => {
                let prompt = at("/promptTokenCount");
                let tool = at("/toolUsePromptTokenCount").unwrap_or(0);
                let cached = at("/cachedContentTokenCount");
                let thoughts = at("/thoughtsTokenCount");
                let answer = at("/candidatesTokenCount").or(thoughts.map(|_| 0));
                [
                    prompt.map(|prompt| prompt + tool - cached.unwrap_or(0)),
                    answer.map(|answer| answer + thoughts.unwrap_or(0)),
                    cached,
                    None,
                ]
            }
            Operation::Opaque => [None; 4],
            _ => self.expected_openai(),
        }
    }

    fn expected_openai(&self) -> Counts {
        let first = |paths: &[&str]| paths.iter().find_map(|path| self.at(path));
        let prompt = first(&["/prompt_tokens", "/input_tokens"]);
        let answer = first(&["/completion_tokens", "/output_tokens"]);
        let cached = first(&[
            "/prompt_tokens_details/cached_tokens",
            "/input_tokens_details/cached_tokens",
            "/prompt_cache_hit_tokens",
            "/cached_tokens",
            "/num_cached_tokens",
        ]);
        let written = first(&[
            "/prompt_tokens_details/cache_write_tokens",
            "/input_tokens_details/cache_write_tokens",
        ]);
        // xAI alone counts its reasoning apart from the answer.
        let reasoning = self.at("/completion_tokens_details/reasoning_tokens").unwrap_or(0);
        let apart = if self.id.contains("xai") { reasoning } else { 0 };
        [
            prompt.map(|n| n - cached.unwrap_or(0) - written.unwrap_or(0)),
            answer.map(|answer| answer + apart),
            cached,
            written,
        ]
    }

    fn at(&self, path: &str) -> Option<u64> {
        self.record["usage_reported"].pointer(path).and_then(Value::as_u64)
    }
}

/// Streams that do report usage, though the index gives up on them (deltas of an odd shape, two
/// answers in one stream, an error beside the usage, a payload that is not quite JSON).
const UNINDEXED: [(&str, [i64; 4]); 6] = [
    ("mistral-chat-sse-01", [10, 232, -1, -1]),
    ("openrouter-chat-sse-02", [43, 10, 0, -1]),
    ("vercel-mistral-tool-call-sse", [124, 22, -1, -1]),
    ("vercel-spliced-message-start-sse", [17, 65, -1, -1]),
    ("vercel-anthropic-tool-search-regex_1-sse", [1071, 67, 0, 0]),
    (NOT_QUITE_JSON, [34, 28, 0, -1]),
];

fn exchange(folder: &Path, record: Value) -> Exchange {
    let text = |name: &str| record[name].as_str().unwrap();
    let stream = record["stream"].as_bool().unwrap();
    let usual = if stream { "text/event-stream" } else { "application/json" };
    let content_type = record["headers"]["content-type"].as_str().unwrap_or(usual);
    Exchange {
        id: text("id").to_owned(),
        operation: Operation::of(text("api")),
        content_type: content_type.to_owned(),
        body: fs::read(folder.join(text("response"))).unwrap(),
        stream,
        status: record["status"].as_u64().unwrap(),
        record,
    }
}

impl Operation {
    fn of(api: &str) -> Self {
        match api {
            "chat" | "openai-chat" => Self::Chat,
            "completions" => Self::Completions,
            "responses" => Self::Responses,
            "embeddings" => Self::Embeddings,
            "messages" => Self::Messages,
            "count_tokens" => Self::CountTokens,
            "generateContent" => Self::GenerateContent,
            _ => Self::Opaque,
        }
    }
}
