//! What becomes of each field: messages to responses.

use super::fate::{Fate, Row};

/// In the order of the reference: <https://platform.claude.com/docs/en/api/messages/create>
pub(super) const FIELDS: &[Row] = &[
    Row { field: "model", fate: Fate::Carried("model") },
    Row { field: "max_tokens", fate: Fate::Carried("max_output_tokens") },
    Row { field: "messages", fate: Fate::Carried("input") },
    Row {
        field: "messages[].role",
        fate: Fate::Approximated(
            "`system` messages at the beginning are `instructions`; later ones stay in their \
             places",
        ),
    },
    Row {
        field: "messages[].content",
        fate: Fate::Approximated("`input_text` and `output_text`; empty text is left out"),
    },
    Row {
        field: "messages[].content[].cache_control",
        fate: Fate::Dropped("the upstream caches by itself"),
    },
    Row {
        field: "messages[].content[].citations",
        fate: Fate::Dropped("the text that is cited stands in the document"),
    },
    Row {
        field: "messages[].content[].image",
        fate: Fate::Approximated("`input_image`: a URL, or a data URL of base64"),
    },
    Row {
        field: "messages[].content[].image.source.file_id",
        fate: Fate::Carried("input[].content[].file_id"),
    },
    Row {
        field: "messages[].content[].document",
        fate: Fate::Approximated("`input_file`; plain text is `input_text`"),
    },
    Row {
        field: "messages[].content[].document.source.url",
        fate: Fate::Carried("input[].content[].file_url"),
    },
    Row { field: "messages[].content[].search_result", fate: Fate::Approximated("its text") },
    Row {
        field: "messages[].content[].tool_use",
        fate: Fate::Approximated("a `function_call` item"),
    },
    Row {
        field: "messages[].content[].tool_result",
        fate: Fate::Approximated("a `function_call_output` item"),
    },
    Row {
        field: "messages[].content[].tool_result.is_error",
        fate: Fate::Dropped("a failure is told by its text"),
    },
    Row {
        field: "messages[].content[].thinking",
        fate: Fate::Dropped("the upstream takes no thoughts but its own"),
    },
    Row {
        field: "messages[].content[].redacted_thinking",
        fate: Fate::Dropped("only its maker can read it"),
    },
    Row {
        field: "messages[].content[].compaction",
        fate: Fate::Approximated("the summary, as text"),
    },
    Row {
        field: "messages[].content[].server_tool_use",
        fate: Fate::Dropped("what the provider's own tools did; the text about it stays"),
    },
    Row {
        field: "messages[].content[].container_upload",
        fate: Fate::Refused {
            why: "the file is in another provider's container; send a document",
            unless: &[],
        },
    },
    Row { field: "billing_policy", fate: Fate::Dropped("it is about Anthropic's bill") },
    Row { field: "cache_control", fate: Fate::Dropped("the upstream caches by itself") },
    Row {
        field: "compaction",
        fate: Fate::Refused {
            why: "only Anthropic sums a conversation up; ask for a summary in words",
            unless: &[],
        },
    },
    Row {
        field: "container",
        fate: Fate::Refused {
            why: "another provider's container cannot be reached; run code with tools of your own",
            unless: &[],
        },
    },
    Row {
        field: "context_management",
        fate: Fate::Dropped("the history is sent as it is; nothing is cleared from it"),
    },
    Row { field: "diagnostics", fate: Fate::Dropped("it asks about Anthropic's cache") },
    Row { field: "fallback_credit_token", fate: Fate::Dropped("it is about Anthropic's bill") },
    Row { field: "fallbacks", fate: Fate::Dropped("routes have fallbacks of their own") },
    Row {
        field: "inference_geo",
        fate: Fate::Refused {
            why: "where the target computes cannot be told; choose a target of that region",
            unless: &["\"global\""],
        },
    },
    Row {
        field: "mcp_servers",
        fate: Fate::Refused {
            why: "only Anthropic calls MCP servers itself; connect to them and send their tools",
            unless: &["[]"],
        },
    },
    Row {
        field: "metadata",
        fate: Fate::Approximated("`user`: `user_id`, cut to what is allowed"),
    },
    Row {
        field: "output_config",
        fate: Fate::Approximated(
            "`effort` is `reasoning.effort`, `format` is `text.format`; `task_budget` is left out",
        ),
    },
    Row {
        field: "output_format",
        fate: Fate::Approximated("`text.format`, strict if every property is required"),
    },
    Row { field: "service_tier", fate: Fate::Approximated("`standard_only` is `default`") },
    Row { field: "speed", fate: Fate::Dropped("the answer is the same") },
    Row {
        field: "stop_sequences",
        fate: Fate::Refused {
            why: "the responses API has none; leave them out and cut the answer yourself",
            unless: &["[]"],
        },
    },
    Row { field: "stream", fate: Fate::Carried("stream") },
    Row { field: "system", fate: Fate::Carried("instructions") },
    Row { field: "temperature", fate: Fate::Carried("temperature") },
    Row {
        field: "thinking",
        fate: Fate::Approximated(
            "`reasoning.effort`, unless an effort says it: a budget below 4096 tokens is low, \
             below 16384 medium, else high; summaries are asked for when it thinks",
        ),
    },
    Row {
        field: "thread",
        fate: Fate::Refused {
            why: "what was said before is with another provider; send it in `messages`",
            unless: &[],
        },
    },
    Row {
        field: "tool_choice",
        fate: Fate::Approximated(
            "`any` is `required`, `tool` is a function by name; `disable_parallel_tool_use` \
             is `parallel_tool_calls`",
        ),
    },
    Row {
        field: "tools",
        fate: Fate::Approximated("functions; `strict` if every property is required"),
    },
    Row { field: "tools[].input_schema", fate: Fate::Carried("tools[].parameters") },
    Row { field: "tools[].cache_control", fate: Fate::Dropped("the upstream caches by itself") },
    Row { field: "tools[].defer_loading", fate: Fate::Dropped("all tools are told at once") },
    Row {
        field: "tools[].eager_input_streaming",
        fate: Fate::Dropped("arguments come as they are made"),
    },
    Row { field: "tools[].input_examples", fate: Fate::Dropped("the schema says it too") },
    Row { field: "tools[].allowed_callers", fate: Fate::Dropped("nobody but the model calls") },
    Row {
        field: "tools[].type",
        fate: Fate::Refused {
            why: "the tool is run by another provider; send tools that you run",
            unless: &["\"custom\""],
        },
    },
    Row { field: "top_k", fate: Fate::Dropped("the upstream knows no such limit") },
    Row { field: "top_p", fate: Fate::Carried("top_p") },
    Row { field: "user_profile_id", fate: Fate::Dropped("it is about Anthropic's bill") },
    Row { field: "anthropic_version", fate: Fate::Dropped("it names the dialect") },
    Row { field: "anthropic_beta", fate: Fate::Dropped("it names the dialect") },
    Row { field: "betas", fate: Fate::Dropped("it names the dialect") },
];
