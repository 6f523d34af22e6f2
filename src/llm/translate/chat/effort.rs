//! How much is thought, in this dialect's one word for it.
//!
//! | asked for | `reasoning_effort` |
//! |---|---|
//! | an effort | the same word |
//! | a budget below 4,096 tokens | `low` |
//! | a budget below 16,384 tokens | `medium` |
//! | a larger budget | `high` |
//! | `adaptive` without an effort, `disabled`, nothing | left out: the model's own default |
//!
//! `disabled` is no `none`: models that do not reason refuse the member, and some that do have no
//! such word.

use super::super::conversation::{Reasoning, Thinking, budget_as_effort};

/// `reasoning_effort`, if any.
pub(super) fn of(reasoning: &Reasoning) -> Option<&str> {
    match (reasoning.thinking, reasoning.effort.as_deref()) {
        (Some(Thinking::Disabled), _) => None,
        (_, Some(effort)) => Some(effort),
        (Some(Thinking::Budget(tokens)), None) => Some(budget_as_effort(tokens)),
        (Some(Thinking::Adaptive) | None, None) => None,
    }
}
