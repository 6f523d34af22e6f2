//! `thinking` and `output_config.effort`, written.
//!
//! An effort is told in the form that the target knows ([`ThinkingForm`]). The API refuses thinking
//! together with a temperature, a `top_k`, a low `top_p`, a tool that must be called or a beginning
//! that is to be gone on from: what the caller says of those comes first, and the effort is told
//! without `thinking`, or not at all.
//! <https://platform.claude.com/docs/en/build-with-claude/thinking>

use serde_json::{Number, Value, json};

use super::turns_out::TurnOut;
use crate::llm::translate::conversation::{Conversation, Thinking, ToolChoice};
use crate::llm::translate::{Refused, ThinkingForm};

/// The smallest budget that the API takes.
const SMALLEST_BUDGET: u64 = 1024;

/// How much is thought.
#[derive(Debug, Default)]
pub(super) struct Thinks {
    pub(super) thinking: Option<Value>,
    pub(super) effort: Option<&'static str>,
}

/// How much is thought about it.
///
/// # Errors
/// [`Refused`]: an effort that nobody knows.
pub(super) fn thinks(
    said: &Conversation,
    form: ThinkingForm,
    max_tokens: u64,
    turns: &[TurnOut<'_>],
) -> Result<Thinks, Refused> {
    let effort = said.reasoning.effort.as_deref().map(Effort::of).transpose()?;
    let is_free = is_free(said) && turns.last().is_none_or(TurnOut::is_the_users);
    let budget = |tokens| budget(tokens, max_tokens).filter(|_| is_free && fits(turns));
    let thinking = match (said.reasoning.thinking, effort, form) {
        (Some(Thinking::Disabled), ..) | (None, Some(Effort::Nothing), _) => {
            Some(json!({ "type": "disabled" }))
        }
        (Some(Thinking::Budget(tokens)), ..) => budget(tokens),
        (Some(Thinking::Adaptive), ..) | (None, Some(_), ThinkingForm::Adaptive) => {
            is_free.then(|| adaptive(said))
        }
        (None, Some(effort), ThinkingForm::Budget) => budget(effort.share(max_tokens)),
        (None, None, _) => None,
    };
    let effort = match form {
        ThinkingForm::Adaptive => effort.and_then(Effort::word),
        ThinkingForm::Budget => None,
    };
    Ok(Thinks { thinking, effort })
}

/// The efforts of all dialects.
#[derive(Debug, Clone, Copy)]
enum Effort {
    Nothing,
    Minimal,
    Low,
    Medium,
    High,
    VeryHigh,
    Max,
}

impl Effort {
    fn of(word: &str) -> Result<Self, Refused> {
        Ok(match word {
            "none" => Self::Nothing,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::VeryHigh,
            "max" => Self::Max,
            _ => {
                let why = "the efforts are none, minimal, low, medium, high, xhigh and max";
                return Err(Refused::new("reasoning_effort", why));
            }
        })
    }

    /// In this dialect's words.
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Minimal | Self::Low => Some("low"),
            Self::Medium => Some("medium"),
            Self::High => Some("high"),
            Self::VeryHigh => Some("xhigh"),
            Self::Max => Some("max"),
        }
    }

    /// Its share of an answer's tokens, which the thoughts are counted among.
    const fn share(self, max_tokens: u64) -> u64 {
        match self {
            Self::Nothing | Self::Minimal => SMALLEST_BUDGET,
            Self::Low => max_tokens / 8,
            Self::Medium => max_tokens / 4,
            Self::High => max_tokens / 2,
            Self::VeryHigh | Self::Max => max_tokens / 4 * 3,
        }
    }
}

fn adaptive(said: &Conversation) -> Value {
    match said.reasoning.summary.as_deref() {
        None | Some("none") => json!({ "type": "adaptive" }),
        Some(_) => json!({ "type": "adaptive", "display": "summarized" }),
    }
}

/// At least the smallest, and less than the whole answer; none where that cannot be.
fn budget(tokens: u64, max_tokens: u64) -> Option<Value> {
    let tokens = tokens.min(max_tokens.saturating_sub(1)).max(SMALLEST_BUDGET);
    (tokens < max_tokens).then(|| json!({ "type": "enabled", "budget_tokens": tokens }))
}

/// Does the caller say nothing that excludes thinking?
fn is_free(said: &Conversation) -> bool {
    let number = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    let warm = number(&said.temperature).is_none_or(|warm| warm >= 1.0);
    let wide = number(&said.top_p).is_none_or(|wide| wide >= 0.95);
    let forced = match &said.tool_choice {
        Some(ToolChoice::Required | ToolChoice::Tool(_)) => true,
        Some(ToolChoice::Allowed { required, .. }) => *required,
        Some(ToolChoice::Auto | ToolChoice::None) | None => false,
    };
    warm && wide && !forced && said.top_k.is_none()
}

/// With a budget, the turn whose calls are being answered must begin with its own thought, which
/// most histories of other dialects have lost.
fn fits(turns: &[TurnOut<'_>]) -> bool {
    match turns {
        [.., called, results] if results.brings_results() => called.begins_with_thought(),
        _ => true,
    }
}
