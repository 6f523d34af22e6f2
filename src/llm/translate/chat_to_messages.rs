//! What becomes of each field: chat to messages.

use super::fate::{Fate, Row};

const AUDIO: &str = "the model reads text, pictures and documents, and answers in text";
const PENALTY: &str =
    "the model has no penalties; leave it out and say in the prompt what you want";
const CACHE: &str =
    "the provider caches what is marked with `cache_control`, for as long as it says";

/// In the order of the reference.
pub(super) const FIELDS: &[Row] = &[
    row("messages", Fate::Carried("messages")),
    row(
        "messages[].role",
        Fate::Approximated(
            "`system` and `developer` go to `system`, in order, from wherever they stand; `tool` \
             and `function` are `tool_result` blocks, all results of a turn in one message",
        ),
    ),
    row("messages[].name", Fate::Dropped("speakers have no names")),
    row("messages[].content", Fate::Carried("messages[].content")),
    row("messages[].content[].text", Fate::Carried("messages[].content[].text")),
    row("messages[].content[].image_url", Fate::Carried("messages[].content[].source")),
    row(
        "messages[].content[].image_url.detail",
        Fate::Dropped("the model looks at a picture in one way only"),
    ),
    row("messages[].content[].file", Fate::Carried("messages[].content[].source")),
    row("messages[].content[].file.filename", Fate::Carried("messages[].content[].title")),
    row("messages[].content[].input_audio", refused(AUDIO)),
    row("messages[].content[].refusal", Fate::Approximated("text")),
    row("messages[].content[].cache_control", Fate::Carried("messages[].content[].cache_control")),
    row(
        "messages[].content[].prompt_cache_breakpoint",
        Fate::Approximated("`cache_control`, as `ephemeral`"),
    ),
    row("messages[].refusal", Fate::Approximated("text")),
    row(
        "messages[].reasoning_content",
        Fate::Dropped("the model takes back signed thoughts of its own only"),
    ),
    row(
        "messages[].audio",
        Fate::Dropped("an earlier answer in sound is with the provider that gave it"),
    ),
    row("messages[].tool_calls", Fate::Carried("messages[].content[].tool_use")),
    row(
        "messages[].tool_calls[].id",
        Fate::Approximated(
            "characters that the provider does not take are replaced, in call and result alike",
        ),
    ),
    row("messages[].tool_calls[].custom", Fate::Approximated("a tool with one text, `input`")),
    row("messages[].function_call", Fate::Approximated("a tool call with an id of its own")),
    row("messages[].tool_call_id", Fate::Carried("messages[].content[].tool_use_id")),
    row("model", Fate::Carried("model")),
    row("audio", refused(AUDIO)),
    row("frequency_penalty", Fate::Refused { why: PENALTY, unless: ZERO }),
    row("cache_control", Fate::Carried("cache_control")),
    row("function_call", Fate::Carried("tool_choice")),
    row("functions", Fate::Carried("tools")),
    row(
        "logit_bias",
        Fate::Refused { why: "the model's tokens are others; leave it out", unless: &["{}"] },
    ),
    row(
        "logprobs",
        Fate::Refused {
            why: "the provider tells no probabilities; leave it out",
            unless: &["false"],
        },
    ),
    row("max_completion_tokens", Fate::Carried("max_tokens")),
    row("max_tokens", Fate::Carried("max_tokens")),
    row("metadata", Fate::Dropped("it labels what is stored, and nothing is")),
    row("modalities", Fate::Refused { why: AUDIO, unless: &[r#"["text"]"#] }),
    row("moderation", refused("the provider moderates in its own way; leave it out")),
    row(
        "n",
        Fate::Refused {
            why: "the provider gives one answer a call; ask several times",
            unless: &["1"],
        },
    ),
    row("parallel_tool_calls", Fate::Carried("tool_choice.disable_parallel_tool_use")),
    row("prediction", Fate::Dropped("it makes an answer faster and no different")),
    row("presence_penalty", Fate::Refused { why: PENALTY, unless: ZERO }),
    row("prompt_cache_key", Fate::Dropped(CACHE)),
    row("prompt_cache_options", Fate::Dropped(CACHE)),
    row("prompt_cache_retention", Fate::Dropped(CACHE)),
    row("reasoning", Fate::Approximated("`thinking` and `output_config.effort`")),
    row("reasoning_effort", Fate::Approximated("`thinking` and `output_config.effort`")),
    row(
        "response_format",
        Fate::Approximated("`output_config.format`; `json_object` is an instruction in `system`"),
    ),
    row(
        "response_format.json_schema.strict",
        Fate::Dropped("the provider keeps to every schema that it is given"),
    ),
    row("safety_identifier", Fate::Carried("metadata.user_id")),
    row("seed", Fate::Dropped("it is no promise there either: the service calls it best effort")),
    row(
        "service_tier",
        Fate::Approximated("`auto` stays, `default` is `standard_only`, others are left out"),
    ),
    row("stop", Fate::Carried("stop_sequences")),
    row("store", Fate::Dropped("nothing is stored, and no answer depends on it")),
    row("stream", Fate::Carried("stream")),
    row(
        "stream_options.include_obfuscation",
        Fate::Dropped("no padding is added, and none is needed"),
    ),
    row(
        "stream_options.include_usage",
        Fate::Approximated("the last chunk tells the usage if this is set"),
    ),
    row("temperature", Fate::Approximated("as it is up to 1; above, it is refused")),
    row("thinking", Fate::Carried("thinking")),
    row("tool_choice", Fate::Carried("tool_choice")),
    row("tool_choice.allowed_tools", Fate::Approximated("the other tools are left out")),
    row("tools", Fate::Carried("tools")),
    row("tools[].function", Fate::Carried("tools[]")),
    row("tools[].function.strict", Fate::Carried("tools[].strict")),
    row("tools[].cache_control", Fate::Carried("tools[].cache_control")),
    row(
        "tools[].custom",
        Fate::Approximated("a tool with one text, `input`; a grammar is told in words"),
    ),
    row("top_k", Fate::Carried("top_k")),
    row(
        "top_logprobs",
        Fate::Refused { why: "the provider tells no probabilities; leave it out", unless: ZERO },
    ),
    row("top_p", Fate::Carried("top_p")),
    row("user", Fate::Carried("metadata.user_id")),
    row("verbosity", Fate::Dropped("ask in the prompt for short or long answers")),
    row(
        "web_search_options",
        refused(
            "the provider searches with a tool of its own only; offer a function that searches",
        ),
    ),
];

const ZERO: &[&str] = &["0", "0.0"];

const fn row(field: &'static str, fate: Fate) -> Row {
    Row { field, fate }
}

const fn refused(why: &'static str) -> Fate {
    Fate::Refused { why, unless: &[] }
}
