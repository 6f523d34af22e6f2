//! Errors and model lists, in the shape that each dialect's clients parse.
//!
//! Owns the vendors' words for what went wrong, and the paging of Anthropic's list. Does not know
//! why a call failed, nor which models there are.

mod errors;
mod models;
#[cfg(test)]
mod tests;

pub use self::errors::{ErrorKind, error_body, error_event};
pub use self::models::{ListedModel, model, model_list};
