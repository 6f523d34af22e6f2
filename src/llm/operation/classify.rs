//! What the rest of a path means once its prefix is cut off: one small table per family.
//!
//! Does not know prefixes or the normal form; it is given a path that has both.

use std::ops::Range;

use http::{HeaderMap, Method};

use super::path::{Family, Located, first_segment};
use super::{Ask, Kind, ModelAt, Operation};
use crate::llm::{Api, Dialect};

/// A request whose prefix is known.
#[derive(Debug)]
pub(super) struct Call<'a> {
    method: Verb,
    path: &'a str,
    located: &'a Located,
    /// The rest without a slash at its end: what names are compared with.
    rest: &'a str,
    dialect: Dialect,
}

/// The methods that paths tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    /// GET or HEAD.
    Get,
    Post,
    Delete,
    /// PUT or PATCH.
    Put,
    /// Nothing that an LLM API takes.
    Foreign,
}

// === impl Call ===

impl<'a> Call<'a> {
    pub(super) fn new(
        method: &Method,
        path: &'a str,
        located: &'a Located,
        headers: &HeaderMap,
    ) -> Self {
        let rest = path.get(located.rest..).unwrap_or_default();
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let method = Verb::of(method);
        let dialect = dialect(located.family, method, rest, headers);
        Self { method, path, located, rest, dialect }
    }

    /// The dialect that a refusal of this request is written in.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The answer, for a path in its normal form.
    pub(super) fn ask(&self) -> Ask {
        if self.method == Verb::Foreign {
            return Ask::MethodNotAllowed(self.dialect);
        }
        if self.rest.is_empty() {
            return self.only(Verb::Get, Ask::Alive);
        }
        if self.located.family == Family::Bare && !is_well_known(self.head()) {
            return Ask::Unknown(self.dialect);
        }
        match self.dialect {
            Dialect::OpenAi => self.open_ai(),
            Dialect::Anthropic => self.anthropic(),
            Dialect::Gemini => self.gemini(),
        }
    }

    fn open_ai(&self) -> Ask {
        match self.rest {
            "/chat/completions" if self.method != Verb::Post => self.stored(Api::OpenAiChat),
            "/chat/completions" => self.known(Api::OpenAiChat, Kind::ChatCompletions),
            "/responses" => self.known(Api::OpenAiResponses, Kind::Responses),
            "/embeddings" => self.known(Api::OpenAiEmbeddings, Kind::Embeddings),
            "/completions" => self.known(Api::OpenAi, Kind::Completions),
            "/models" => self.models(None),
            rest if rest.starts_with("/models/") => self.open_ai_model(),
            rest if rest.starts_with("/chat/completions/") => self.stored(Api::OpenAiChat),
            // Two that look like ids but compute, so their bodies name a model.
            "/responses/input_tokens" | "/responses/compact" if self.method == Verb::Post => {
                self.other(Api::OpenAiResponses, ModelAt::Body)
            }
            rest if rest.starts_with("/responses/") => self.stored(Api::OpenAiResponses),
            _ => self.other(Api::OpenAi, self.open_ai_model_at()),
        }
    }

    /// `DELETE` removes a fine-tuned model; everything else about one is answered here.
    fn open_ai_model(&self) -> Ask {
        match self.method {
            Verb::Delete => self.other(Api::OpenAi, ModelAt::Nowhere),
            _ => self.models(Some("/models/".len())),
        }
    }

    /// Bodies of uploads and batches are files, not calls: their models stand per line, if at all.
    fn open_ai_model_at(&self) -> ModelAt {
        match (self.method, self.head()) {
            (Verb::Post, "files" | "uploads" | "batches" | "vector_stores" | "containers") => {
                ModelAt::Nowhere
            }
            (Verb::Post, _) => ModelAt::Body,
            _ => ModelAt::Nowhere,
        }
    }

    fn anthropic(&self) -> Ask {
        let api = Api::AnthropicMessages;
        match self.rest {
            "/messages" => self.known(api, Kind::Messages),
            "/messages/count_tokens" => self.known(api, Kind::CountTokens),
            "/models" => self.models(None),
            rest if rest.starts_with("/models/") => self.models(Some("/models/".len())),
            _ => self.other(api, ModelAt::Nowhere),
        }
    }

    fn gemini(&self) -> Ask {
        let at_body = || self.other(Api::Gemini, ModelAt::Body);
        match (self.head(), self.method) {
            ("models", Verb::Post) => self.gemini_model_verb(),
            ("models", _) if self.rest == "/models" => self.models(None),
            ("models", _) => self.models(Some("/models/".len())),
            ("interactions", Verb::Post) if self.rest == "/interactions" => at_body(),
            _ => self.gemini_other(),
        }
    }

    /// `/models/{m}:generateContent`, whose colon some HTTP clients encode.
    fn gemini_model_verb(&self) -> Ask {
        let start = "/models/".len();
        match verb(self.rest) {
            Some((end, verb)) if end > start => {
                let base = self.located.rest;
                self.call(Api::Gemini, verb, ModelAt::Path(base + start..base + end))
            }
            _ => Ask::MethodNotAllowed(self.dialect),
        }
    }

    /// Files, caches, operations; and tuned models, which are names of another kind than those
    /// that routes know.
    fn gemini_other(&self) -> Ask {
        let kind = verb(self.rest).map_or(Kind::Other, |(_, kind)| kind);
        self.call(Api::Gemini, kind, ModelAt::Nowhere)
    }

    /// The list, or the model whose id begins at this offset of the rest.
    fn models(&self, id: Option<usize>) -> Ask {
        let end = self.located.rest + self.rest.len();
        let id = id.map(|at| self.located.rest + at..end);
        self.only(Verb::Get, Ask::Models { dialect: self.dialect, id })
    }

    /// An operation with a model in its body, which only takes POST.
    fn known(&self, api: Api, kind: Kind) -> Ask {
        self.only(Verb::Post, self.call(api, kind, ModelAt::Body))
    }

    /// Reading, cancelling or deleting what the provider has stored.
    fn stored(&self, api: Api) -> Ask {
        match self.method {
            Verb::Put => Ask::MethodNotAllowed(self.dialect),
            _ => self.other(api, ModelAt::Nowhere),
        }
    }

    fn other(&self, api: Api, model: ModelAt) -> Ask {
        self.call(api, Kind::Other, model)
    }

    fn call(&self, api: Api, kind: Kind, model: ModelAt) -> Ask {
        let version = self.located.version.clone();
        Ask::Call(Operation { api, kind, version, suffix: self.suffix(kind), model })
    }

    /// Upstreams need not know of the slash at the end that some clients leave.
    fn suffix(&self, kind: Kind) -> Range<usize> {
        let start = self.located.rest;
        match kind {
            Kind::Other => start..self.path.len(),
            _ => start..start + self.rest.len(),
        }
    }

    fn only(&self, method: Verb, ask: Ask) -> Ask {
        if self.method == method { ask } else { Ask::MethodNotAllowed(self.dialect) }
    }

    fn head(&self) -> &'a str {
        first_segment(self.rest, 0)
    }
}

// === impl Verb ===

impl Verb {
    fn of(method: &Method) -> Self {
        match *method {
            Method::POST => Self::Post,
            Method::GET | Method::HEAD => Self::Get,
            Method::DELETE => Self::Delete,
            Method::PUT | Method::PATCH => Self::Put,
            _ => Self::Foreign,
        }
    }
}

/// Whose API is it? The prefix says, else the first name, else the headers.
fn dialect(family: Family, method: Verb, rest: &str, headers: &HeaderMap) -> Dialect {
    match (family, first_segment(rest, 0)) {
        (Family::OpenAi, _) => Dialect::OpenAi,
        (Family::Anthropic, _) | (_, "messages") => Dialect::Anthropic,
        (Family::Gemini, _) => Dialect::Gemini,
        (_, "chat" | "completions" | "responses" | "embeddings" | "audio" | "images") => {
            Dialect::OpenAi
        }
        (_, "models") if method == Verb::Post && verb(rest).is_some() => Dialect::Gemini,
        _ if is_anthropic(headers) => Dialect::Anthropic,
        _ => Dialect::OpenAi,
    }
}

/// Every Anthropic client sends the first; the second alone comes from hand-made calls.
fn is_anthropic(headers: &HeaderMap) -> bool {
    headers.contains_key("anthropic-version") || headers.contains_key("anthropic-beta")
}

/// Where the `:verb` of a Gemini path begins, and what it asks for.
fn verb(rest: &str) -> Option<(usize, Kind)> {
    let name = rest.rfind('/').unwrap_or_default();
    let (end, width) = match rest[name..].rfind(':') {
        Some(at) => (name + at, 1),
        None => (name + rest[name..].rfind("%3A").or_else(|| rest[name..].rfind("%3a"))?, 3),
    };
    let kind = match &rest[end + width..] {
        "generateContent" => Kind::GenerateContent,
        "streamGenerateContent" => Kind::StreamGenerateContent,
        _ => Kind::Other,
    };
    Some((end, kind))
}

/// The names that are served without any prefix; whatever else stands at the root is not ours.
fn is_well_known(head: &str) -> bool {
    matches!(
        head,
        "chat"
            | "completions"
            | "responses"
            | "embeddings"
            | "messages"
            | "models"
            | "audio"
            | "images"
            | "moderations"
            | "files"
            | "uploads"
            | "batches"
            | "fine_tuning"
            | "vector_stores"
            | "conversations"
            | "containers"
            | "assistants"
            | "threads"
            | "evals"
            | "videos"
            | "rerank"
            | "reranks"
    )
}
