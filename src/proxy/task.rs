//! What is done with a request, told from its method and path: before any rule is asked, with no
//! table and no body.

use std::ops::Range;

use super::failure::{Failure, Missing};
use crate::llm::Dialect;
use crate::llm::operation::{Ask, Operation};

/// What is done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// It is forwarded.
    Forward(Operation),
    /// It is answered from the routes: the models, or one of them (its place in the path).
    Models(Dialect, Option<Range<usize>>),
    /// It is answered: somebody is here.
    Alive,
}

/// Reads what a request asks.
///
/// # Errors
/// [`Failure`] for what is not served here.
pub fn task(ask: Ask, path: &str) -> Result<Task, Failure> {
    match ask {
        Ask::Call(operation) => Ok(Task::Forward(operation)),
        Ask::Models { dialect, id } => Ok(Task::Models(dialect, id)),
        Ask::Alive => Ok(Task::Alive),
        Ask::Unknown(_) => Err(unknown_path(path)),
        Ask::MethodNotAllowed(_) => Err(Failure::MethodNotAllowed),
        Ask::BadPath(_) => {
            let why = "the path has an empty segment, a dot segment, a backslash or a NUL";
            Err(Failure::BadRequest(why.to_owned()))
        }
    }
}

fn unknown_path(path: &str) -> Failure {
    let shown = &path[..path.floor_char_boundary(128)];
    let why = format!(
        "`{shown}` is no path of an LLM API that is served here: OpenAI's (/v1/…, /openai/v1/…), \
         Anthropic's (/v1/messages, /anthropic/v1/…) and Gemini's (/v1beta/…) are"
    );
    Failure::NoRoute(Missing::Path, why)
}

// === impl Ask ===

impl Ask {
    /// The dialect in which a failure is told.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Call(operation) => operation.api.dialect(),
            Self::Models { dialect, .. }
            | Self::Unknown(dialect)
            | Self::MethodNotAllowed(dialect)
            | Self::BadPath(dialect) => *dialect,
            Self::Alive => Dialect::OpenAi,
        }
    }
}
