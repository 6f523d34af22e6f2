//! What a method and a path ask for, in the forms that clients really send.
//!
//! Owns the path normal form (FAULTS 8) and the prefixes under which clients reach an API:
//!
//! - `/v1/…`, also doubled as `/v1/v1/…` by a client whose base URL already had it; bare
//!   (`/chat/completions`), where only well-known names are served
//! - `/openai/v1/…` and `/openai/…`; `/anthropic/v1/…` and `/anthropic/…`
//! - `/v1beta/…`, `/v1alpha/…`, each also behind `/gemini`; `/v1beta/openai/…` is OpenAI's API
//!
//! The prefix decides whose API it is; where it does not (`/v1`, bare), the name behind it does
//! (`/messages`, `/chat`); where that is everybody's (`/models`, `/files`), the headers do.
//!
//! Invariants: the path alone is read, no byte of it is decoded or moved, nothing is allocated.
//! Does not know where the call will go.

mod classify;
mod path;
#[cfg(test)]
mod tests;

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
    Models { dialect: Dialect, id: Option<Range<usize>> },
    /// `HEAD` or `GET` of `/`, or of a bare prefix that is a client's base URL (`/v1`,
    /// `/anthropic`): is somebody there?
    Alive,
    /// Nothing that is served here.
    Unknown(Dialect),
    /// CONNECT, TRACE or OPTIONS, or a method that the path does not take.
    MethodNotAllowed(Dialect),
    /// A path outside the normal form: dot segments, `//`, `\`, NUL; also percent-encoded.
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
    /// What follows the version segment (and the `/openai` behind it, if any), with its leading
    /// slash, as sent: `/chat/completions`. A slash at the end is cut off, unless the operation is
    /// [`Kind::Other`].
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
    let located = path::locate(path);
    let call = classify::Call::new(method, path, &located, headers);
    match *method {
        // An origin serves neither tunnels nor echoes (FAULTS 7).
        Method::CONNECT | Method::TRACE | Method::OPTIONS => Ask::MethodNotAllowed(call.dialect()),
        _ if !path::is_normal(path) => Ask::BadPath(call.dialect()),
        _ => call.ask(),
    }
}
