//! What becomes of each field: responses to chat.

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
        Fate::Approximated("messages in their places, `developer` as `system`"),
    ),
    row("input[].message.phase", fates::PHASE),
    row("input[].content[].input_text, output_text", Fate::Carried("messages[].content")),
    row(
        "input[].content[].output_text.annotations",
        Fate::Dropped("a mark for the reader, not for the model"),
    ),
    row("input[].content[].refusal", Fate::Approximated("text")),
    row("input[].content[].input_image", Fate::Carried("messages[].content[].image_url")),
    row(
        "input[].content[].input_image.file_id",
        Fate::Refused {
            why: "files are kept by the service that has them: send the picture as a data URL",
            unless: &[],
        },
    ),
    row(
        "input[].content[].input_image.detail",
        Fate::Carried("messages[].content[].image_url.detail"),
    ),
    row(
        "input[].content[].input_file",
        Fate::Approximated(
            "`messages[].content[].file`; text files as text, files by URL are refused",
        ),
    ),
    row("input[].content[].input_file.file_id", Fate::Carried("messages[].content[].file.file_id")),
    row("input[].content[].input_audio", Fate::Carried("messages[].content[].input_audio")),
    row(
        "input[].content[].prompt_cache_breakpoint",
        Fate::Dropped("the provider caches on its own"),
    ),
    row("input[].function_call", Fate::Carried("messages[].tool_calls[]")),
    row(
        "input[].function_call_output",
        Fate::Approximated("`tool` messages; pictures in them follow as a user message"),
    ),
    row("input[].custom_tool_call", Fate::Approximated("a call with one text, `input`")),
    row("input[].custom_tool_call_output", Fate::Approximated("as the output of a function")),
    row(
        "input[].local_shell_call, shell_call, apply_patch_call",
        Fate::Approximated("a call of a function of that name"),
    ),
    row(
        "input[].reasoning",
        Fate::Approximated(
            "`reasoning_content`, if it came from such a model; others are left out",
        ),
    ),
    row("input[].web_search_call, file_search_call, code_interpreter_call", fates::HOSTED_CALLS),
    row("input[].image_generation_call, computer_call, mcp_call, program", fates::HOSTED_CALLS),
    row("input[].tool_search_call, tool_search_output, mcp_list_tools", fates::HOSTED_CALLS),
    row("input[].additional_tools", fates::ADDITIONAL),
    row("input[].agent_message", fates::AGENTS),
    row("input[].item_reference", fates::REFERENCE),
    row("input[].compaction, compaction_trigger", fates::COMPACTION),
    row("instructions", Fate::Approximated("the first message, as `system`")),
    row("max_output_tokens", Fate::Carried("max_tokens")),
    row("max_tool_calls", fates::HOSTED_LIMIT),
    row("metadata", fates::METADATA),
    row("model", Fate::Carried("model")),
    row("moderation", fates::MODERATION),
    row("parallel_tool_calls", Fate::Carried("parallel_tool_calls")),
    row("previous_response_id", fates::PREVIOUS),
    row("prompt", fates::PROMPT),
    row("prompt_cache_key", fates::CACHE_HINT),
    row("prompt_cache_options", fates::CACHE_HINT),
    row("prompt_cache_retention", fates::CACHE_HINT),
    row("reasoning.context", fates::PRIVATE),
    row("reasoning.effort", Fate::Carried("reasoning_effort")),
    row("reasoning.mode", fates::PRIVATE),
    row(
        "reasoning.summary, reasoning.generate_summary",
        Fate::Dropped("whatever thoughts the model shows are told"),
    ),
    row("safety_identifier", Fate::Carried("user")),
    row("service_tier", Fate::Carried("service_tier")),
    row("store", fates::STORE),
    row("stream", Fate::Carried("stream")),
    row("stream_options", fates::NO_PADDING),
    row("temperature", Fate::Carried("temperature")),
    row("text.format: json_object", Fate::Carried("response_format")),
    row("text.format: json_schema", Fate::Carried("response_format")),
    row("text.verbosity", Fate::Carried("verbosity")),
    row("tool_choice", Fate::Carried("tool_choice")),
    row("tool_choice.allowed_tools", Fate::Approximated("the other tools are left out")),
    row("tool_choice.type: hosted tools", fates::HOSTED),
    row("tools[].function", Fate::Carried("tools[].function")),
    row("tools[].function.strict", Fate::Carried("tools[].function.strict")),
    row(
        "tools[].custom",
        Fate::Approximated("a function with one text, `input`; a grammar is told in words"),
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
    row("user", Fate::Carried("user")),
];

const fn row(field: &'static str, fate: Fate) -> Row {
    Row { field, fate }
}
