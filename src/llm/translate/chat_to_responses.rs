//! What becomes of each field: chat to responses.

use super::fate::{Fate, Row};

const AUDIO: &str = "the responses API answers in text; leave it out";
const PENALTY: &str = "the responses API has no penalties; leave it out";
const PROBABILITIES: &str = "probabilities are not translated; leave it out";

/// In the order of the reference.
pub(super) const FIELDS: &[Row] = &[
    row("messages", Fate::Carried("input")),
    row(
        "messages[].role",
        Fate::Approximated(
            "`system` and `developer` that come first are `instructions`; `tool` and `function` \
             are `function_call_output` items",
        ),
    ),
    row("messages[].name", Fate::Dropped("speakers have no names")),
    row("messages[].content", Fate::Carried("input[].content")),
    row("messages[].content[].text", Fate::Carried("input[].content[].text")),
    row("messages[].content[].image_url", Fate::Carried("input[].content[].image_url")),
    row("messages[].content[].image_url.detail", Fate::Carried("input[].content[].detail")),
    row("messages[].content[].file", Fate::Carried("input[].content[].file_data")),
    row("messages[].content[].input_audio", refused(AUDIO)),
    row("messages[].content[].refusal", Fate::Carried("input[].content[].refusal")),
    row("messages[].content[].cache_control", Fate::Dropped("the provider caches on its own")),
    row(
        "messages[].content[].prompt_cache_breakpoint",
        Fate::Dropped("the provider caches on its own"),
    ),
    row("messages[].refusal", Fate::Carried("input[].content[].refusal")),
    row(
        "messages[].reasoning_content",
        Fate::Dropped("the model takes back encrypted thoughts of its own only"),
    ),
    row(
        "messages[].audio",
        Fate::Dropped("an earlier answer in sound is with the provider that gave it"),
    ),
    row("messages[].tool_calls", Fate::Carried("input[].function_call")),
    row(
        "messages[].tool_calls[].id",
        Fate::Approximated("what is too long is shortened, in call and result alike"),
    ),
    row("messages[].tool_calls[].custom", Fate::Carried("input[].custom_tool_call")),
    row("messages[].function_call", Fate::Approximated("a tool call with an id of its own")),
    row("messages[].tool_call_id", Fate::Carried("input[].call_id")),
    row("model", Fate::Carried("model")),
    row("audio", refused(AUDIO)),
    row("frequency_penalty", Fate::Refused { why: PENALTY, unless: ZERO }),
    row("cache_control", Fate::Dropped("the provider caches on its own")),
    row("function_call", Fate::Carried("tool_choice")),
    row("functions", Fate::Carried("tools")),
    row(
        "logit_bias",
        Fate::Refused { why: "the responses API has no such bias; leave it out", unless: &["{}"] },
    ),
    row("logprobs", Fate::Refused { why: PROBABILITIES, unless: &["false"] }),
    row("max_completion_tokens", Fate::Carried("max_output_tokens")),
    row("max_tokens", Fate::Carried("max_output_tokens")),
    row("metadata", Fate::Carried("metadata")),
    row("modalities", Fate::Refused { why: AUDIO, unless: &[r#"["text"]"#] }),
    row("moderation", refused("what a moderation says is not translated; leave it out")),
    row(
        "n",
        Fate::Refused {
            why: "the responses API gives one answer a call; ask several times",
            unless: &["1"],
        },
    ),
    row("parallel_tool_calls", Fate::Carried("parallel_tool_calls")),
    row("prediction", Fate::Dropped("it makes an answer faster and no different")),
    row("presence_penalty", Fate::Refused { why: PENALTY, unless: ZERO }),
    row("prompt_cache_key", Fate::Carried("prompt_cache_key")),
    row("prompt_cache_options", Fate::Carried("prompt_cache_options")),
    row("prompt_cache_retention", Fate::Carried("prompt_cache_retention")),
    row("reasoning", Fate::Carried("reasoning")),
    row("reasoning_effort", Fate::Carried("reasoning.effort")),
    row("response_format", Fate::Carried("text.format")),
    row("safety_identifier", Fate::Carried("user")),
    row("seed", Fate::Dropped("it is no promise there either: the service calls it best effort")),
    row("service_tier", Fate::Carried("service_tier")),
    row(
        "stop",
        Fate::Refused {
            why: "the responses API has no stop sequences; cut the answer yourself",
            unless: &["[]"],
        },
    ),
    row("store", Fate::Dropped("nothing is stored: who speaks chat keeps the history")),
    row("stream", Fate::Carried("stream")),
    row(
        "stream_options.include_obfuscation",
        Fate::Dropped("no padding is added, and none is needed"),
    ),
    row(
        "stream_options.include_usage",
        Fate::Approximated("the last chunk tells the usage if this is set"),
    ),
    row("temperature", Fate::Carried("temperature")),
    row("thinking", Fate::Approximated("`reasoning.effort`")),
    row("tool_choice", Fate::Carried("tool_choice")),
    row("tool_choice.allowed_tools", Fate::Carried("tool_choice")),
    row("tools", Fate::Carried("tools")),
    row("tools[].function", Fate::Carried("tools[]")),
    row("tools[].function.strict", Fate::Carried("tools[].strict")),
    row("tools[].cache_control", Fate::Dropped("the provider caches on its own")),
    row("tools[].custom", Fate::Carried("tools[]")),
    row("top_k", Fate::Dropped("the service has only `top_p`, which says nearly the same")),
    row("top_logprobs", Fate::Refused { why: PROBABILITIES, unless: ZERO }),
    row("top_p", Fate::Carried("top_p")),
    row("user", Fate::Carried("user")),
    row("verbosity", Fate::Carried("text.verbosity")),
    row(
        "web_search_options",
        refused("speak the responses API itself and give it the tool `web_search`"),
    ),
];

const ZERO: &[&str] = &["0", "0.0"];

const fn row(field: &'static str, fate: Fate) -> Row {
    Row { field, fate }
}

const fn refused(why: &'static str) -> Fate {
    Fate::Refused { why, unless: &[] }
}
