//! What a method and a path ask for, in the forms that clients really send.
//!
//! Owns the path normal form (FAULTS 8) and the prefixes under which clients reach an API. Does
//! not know where the call will go.

use std::ops::Range;

use http::{HeaderMap, Method};

use super::{Api, Dialect};

/// What a request asks of Pillion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A call to forward.
    Call(Operation),
    /// `GET …/models`, answered from the routes; `id` is the (still encoded) model of
    /// `GET …/models/{id}`.
    Models {
        dialect: Dialect,
        id: Option<Range<usize>>,
    },
    /// `HEAD /` or `GET /`: is somebody there?
    Alive,
    /// Nothing that is served here.
    Unknown(Dialect),
    /// CONNECT or TRACE, or a method that the path does not take.
    MethodNotAllowed(Dialect),
    /// A path outside the normal form: dot segments, `//`, `\`, NUL.
    BadPath(Dialect),
}

/// A call to forward: which API, which operation of it, where its model stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The API that the path belongs to.
    pub api: Api,
    /// The operation within the API.
    pub kind: Kind,
    /// The client's version segment without slashes (`v1`, `v1beta`), empty for a bare path.
    pub version: Range<usize>,
    /// What follows the version segment, with its leading slash, as sent: `/chat/completions`.
    pub suffix: Range<usize>,
    /// Where the model name stands.
    pub model: ModelAt,
}

/// The operations told apart, because their bodies or answers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    ChatCompletions,
    /// Legacy `/completions`.
    Completions,
    Responses,
    Embeddings,
    Messages,
    CountTokens,
    GenerateContent,
    StreamGenerateContent,
    /// Any other path of the API, relayed as it comes.
    Other,
}

/// Where the model name of a call stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelAt {
    /// The top-level `model` member of a JSON body, or the `model` part of a multipart one: the
    /// content type decides.
    Body,
    /// These bytes of the path, still percent-encoded (Gemini).
    Path(Range<usize>),
    /// The operation names no model.
    Nowhere,
}

/// Reads method, path (without query) and the headers that tell Anthropic's `/v1/models` and
/// `/v1/files` from OpenAI's.
pub fn ask(method: &Method, path: &str, headers: &HeaderMap) -> Ask {
    let _ = (method, path, headers);
    Ask::Alive
}
