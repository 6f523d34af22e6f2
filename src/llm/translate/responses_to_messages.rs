//! What becomes of each field: responses to messages.

use super::fate::{Fate, Row};
use super::responses::fates;

/// In the order of the reference.
pub(super) const FIELDS: &[Row] = &[
    row("access_programs", fates::PRIVATE),
    row("background", fates::BACKGROUND),
    row("background_options", fates::PRIVATE),
    row("client_metadata", fates::PRIVATE),
    row("context_management", fates::MANAGEMENT),
    row("conversation", fates::CONVERSATION),
    row("image", fates::PRIVATE),
    row("include", fates::INCLUDE),
    row("input", Fate::Carried("messages")),
    row("input[].message: user, assistant", Fate::Carried("messages[]")),
    row(
        "input[].message: system, developer",
        Fate::Approximated("`system`, in order, from wherever they stand"),
    ),
    row("input[].message.phase", fates::PHASE),
    row("input[].content[].input_text, output_text", Fate::Carried("messages[].content[].text")),
    row(
        "input[].content[].output_text.annotations",
        Fate::Dropped("a mark for the reader, not for the model"),
    ),
    row("input[].content[].refusal", Fate::Approximated("text")),
    row("input[].content[].input_image", Fate::Carried("messages[].content[].image")),
    row(
        "input[].content[].input_image.file_id",
        Fate::Refused {
            why: "files are kept by the service that has them: send the picture as a data URL",
            unless: &[],
        },
    ),
    row(
        "input[].content[].input_image.detail",
        Fate::Dropped("the model looks at a picture in one way only"),
    ),
    row(
        "input[].content[].input_file",
        Fate::Approximated("`messages[].content[].document`; text files as text"),
    ),
    row(
        "input[].content[].input_file.file_id",
        Fate::Refused {
            why: "files are kept by the service that has them: send the data",
            unless: &[],
        },
    ),
    row(
        "input[].content[].input_audio",
        Fate::Refused { why: "the model cannot hear: send text", unless: &[] },
    ),
    row(
        "input[].content[].prompt_cache_breakpoint",
        Fate::Approximated("`cache_control`, as `ephemeral`"),
    ),
    row("input[].function_call", Fate::Carried("messages[].content[].tool_use")),
    row("input[].function_call_output", Fate::Carried("messages[].content[].tool_result")),
    row("input[].custom_tool_call", Fate::Approximated("a call with one text, `input`")),
    row("input[].custom_tool_call_output", Fate::Approximated("as the output of a function")),
    row(
        "input[].local_shell_call, shell_call, apply_patch_call",
        Fate::Approximated("a call of a function of that name"),
    ),
    row(
        "input[].reasoning",
        Fate::Approximated(
            "`thinking` with its signature, if it came from such a model; others are left out",
        ),
    ),
    row("input[].web_search_call, file_search_call, code_interpreter_call", fates::HOSTED_CALLS),
    row("input[].image_generation_call, computer_call, mcp_call, program", fates::HOSTED_CALLS),
    row("input[].tool_search_call, tool_search_output, mcp_list_tools", fates::HOSTED_CALLS),
    row("input[].additional_tools", fates::ADDITIONAL),
    row("input[].agent_message", fates::AGENTS),
    row("input[].item_reference", fates::REFERENCE),
    row("input[].compaction, compaction_trigger", fates::COMPACTION),
    row("instructions", Fate::Carried("system")),
    row("max_output_tokens", Fate::Carried("max_tokens")),
    row("max_tool_calls", fates::HOSTED_LIMIT),
    row("metadata", fates::METADATA),
    row("model", Fate::Carried("model")),
    row("moderation", fates::MODERATION),
    row("parallel_tool_calls", Fate::Carried("tool_choice.disable_parallel_tool_use")),
    row("previous_response_id", fates::PREVIOUS),
    row("prompt", fates::PROMPT),
    row("prompt_cache_key", fates::CACHE_HINT),
    row("prompt_cache_options", fates::CACHE_HINT),
    row("prompt_cache_retention", fates::CACHE_HINT),
    row("reasoning.context", fates::PRIVATE),
    row("reasoning.effort", Fate::Approximated("`thinking` and `output_config.effort`")),
    row("reasoning.mode", fates::PRIVATE),
    row(
        "reasoning.summary, reasoning.generate_summary",
        Fate::Dropped("whatever thoughts the model shows are told"),
    ),
    row("safety_identifier", Fate::Carried("metadata.user_id")),
    row(
        "service_tier",
        Fate::Approximated("`auto` stays, `default` is `standard_only`, others are left out"),
    ),
    row("store", fates::STORE),
    row("stream", Fate::Carried("stream")),
    row("stream_options", fates::NO_PADDING),
    row("temperature", Fate::Approximated("as it is up to 1; above, it is refused")),
    row("text.format: json_object", Fate::Approximated("an instruction in `system`")),
    row("text.format: json_schema", Fate::Carried("output_config.format")),
    row("text.verbosity", Fate::Dropped("ask in the prompt for short or long answers")),
    row("tool_choice", Fate::Carried("tool_choice")),
    row("tool_choice.allowed_tools", Fate::Approximated("the other tools are left out")),
    row("tool_choice.type: hosted tools", fates::HOSTED),
    row("tools[].function", Fate::Carried("tools[]")),
    row("tools[].function.strict", Fate::Carried("tools[].strict")),
    row(
        "tools[].custom",
        Fate::Approximated("a tool with one text, `input`; a grammar is told in words"),
    ),
    row("tools[].namespace", fates::NAMESPACE),
    row("tools[].web_search, web_search_preview", fates::OFFERED),
    row("tools[].image_generation, tool_search, code_interpreter", fates::OFFERED),
    row("tools[].programmatic_tool_calling", fates::PROGRAMS),
    row("tools[].file_search, mcp, computer", fates::HOSTED),
    row("tools[].local_shell, shell, apply_patch", fates::HOSTED),
    row("top_logprobs", fates::LOGPROBS),
    row("top_p", Fate::Carried("top_p")),
    row("truncation", fates::TRUNCATION),
    row("user", Fate::Carried("metadata.user_id")),
];

const fn row(field: &'static str, fate: Fate) -> Row {
    Row { field, fate }
}
