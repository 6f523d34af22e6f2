//! The rows. A vendor's own base URLs, as its docs print them; a new vendor is one row, and rustc
//! asks for it.

use super::{Auth, Derived, Keys, Parameter, Preset, PresetEndpoint, Syntax, When};
use crate::api::{LimitField, StreamUsageSpec, ThinkingSpec, Vendor};
use crate::llm::Api;

/// The vendor's row.
pub(super) fn row(vendor: Vendor) -> &'static Preset {
    match vendor {
        Vendor::Anthropic => &ANTHROPIC,
        Vendor::Aliyun => &ALIYUN,
        Vendor::OpenAi => &OPENAI,
        Vendor::AzureOpenAi => &AZURE_OPENAI,
        Vendor::Bedrock => &BEDROCK,
        Vendor::BedrockMantle => &BEDROCK_MANTLE,
        Vendor::Vertex => &VERTEX,
        Vendor::Gemini => &GEMINI,
        Vendor::OpenRouter => &OPENROUTER,
        Vendor::DeepSeek => &DEEPSEEK,
        Vendor::Moonshot => &MOONSHOT,
        Vendor::Zai => &ZAI,
        Vendor::Mistral => &MISTRAL,
        Vendor::Groq => &GROQ,
        Vendor::XAi => &XAI,
        Vendor::Together => &TOGETHER,
        Vendor::Ollama => &OLLAMA,
        Vendor::Vllm => &VLLM,
        Vendor::LiteLlm => &LITELLM,
        Vendor::Custom => &CUSTOM,
    }
}

/// What most rows have in common; also the row of a vendor that is not known.
const BASE: Preset = Preset {
    vendor: Vendor::Custom,
    telemetry_name: "custom",
    endpoints: &[],
    auth: Auth::Bearer,
    parameters: &[],
    derived: &[],
    api_key_prefixes: &[],
    bearer_prefixes: &[],
    stream_usage: StreamUsageSpec::Request,
    limit_field: LimitField::MaxTokens,
    thinking: ThinkingSpec::Budget,
    keys: Keys::Needed,
};

const fn bearer(api: Api, url: &'static str) -> PresetEndpoint {
    let auth = Auth::Bearer;
    PresetEndpoint { api, url, auth }
}

const fn in_header(api: Api, url: &'static str, name: &'static str) -> PresetEndpoint {
    let auth = Auth::Header(name);
    PresetEndpoint { api, url, auth }
}

const fn parameter(name: &'static str, syntax: Syntax) -> Parameter {
    let default = None;
    Parameter { name, default, syntax }
}

/// One of these; the first is the default.
const fn choice(name: &'static str, values: &'static [&'static str]) -> Parameter {
    Parameter { name, default: Some(values[0]), syntax: Syntax::OneOf(values) }
}

static ANTHROPIC: Preset = Preset {
    vendor: Vendor::Anthropic,
    telemetry_name: "anthropic",
    endpoints: &[in_header(Api::AnthropicMessages, "https://api.anthropic.com", "x-api-key")],
    auth: Auth::Header("x-api-key"),
    api_key_prefixes: &["sk-ant-"],
    bearer_prefixes: &["sk-ant-oat"],
    thinking: ThinkingSpec::Adaptive,
    ..BASE
};

/// Keys are per region. The vendor's docs say `x-api-key` for the Anthropic side, reports from the
/// field say Bearer; so Bearer, which `auth` changes. The older Claude proxy and the coding plan's
/// hosts are given as a `baseUrl`.
static ALIYUN: Preset = Preset {
    vendor: Vendor::Aliyun,
    telemetry_name: "aliyun",
    endpoints: &[
        bearer(Api::AnthropicMessages, "https://{host}/apps/anthropic"),
        bearer(Api::OpenAi, "https://{host}/compatible-mode/v1"),
    ],
    parameters: &[
        choice("region", &["cn-beijing", "ap-southeast-1", "us-east-1", "cn-hongkong"]),
        parameter("workspaceId", Syntax::Label),
    ],
    derived: &[Derived {
        name: "host",
        cases: &[
            (When::Given("workspaceId"), "{workspaceId}.{region}.maas.aliyuncs.com"),
            (When::Is("region", "ap-southeast-1"), "dashscope-intl.aliyuncs.com"),
            (When::Is("region", "us-east-1"), "dashscope-us.aliyuncs.com"),
            (When::Is("region", "cn-hongkong"), "cn-hongkong.dashscope.aliyuncs.com"),
            (When::Always, "dashscope.aliyuncs.com"),
        ],
    }],
    limit_field: LimitField::MaxCompletionTokens,
    ..BASE
};

static OPENAI: Preset = Preset {
    vendor: Vendor::OpenAi,
    telemetry_name: "openai",
    endpoints: &[bearer(Api::OpenAi, "https://api.openai.com/v1")],
    api_key_prefixes: &["sk-proj-", "sk-svcacct-"],
    limit_field: LimitField::MaxCompletionTokens,
    ..BASE
};

/// The v1 API; with a project that of Foundry. The dated API is a `baseUrl` with `{model}` and
/// `api-version`.
static AZURE_OPENAI: Preset = Preset {
    vendor: Vendor::AzureOpenAi,
    telemetry_name: "azure.ai.openai",
    endpoints: &[
        in_header(Api::OpenAi, "https://{root}/openai/v1", "api-key"),
        in_header(
            Api::AnthropicMessages,
            "https://{resource}.services.ai.azure.com/anthropic",
            "api-key",
        ),
    ],
    auth: Auth::Header("api-key"),
    parameters: &[parameter("resource", Syntax::Label), parameter("project", Syntax::Segment)],
    derived: &[Derived {
        name: "root",
        cases: &[
            (When::Given("project"), "{resource}.services.ai.azure.com/api/projects/{project}"),
            (When::Always, "{resource}.openai.azure.com"),
        ],
    }],
    limit_field: LimitField::MaxCompletionTokens,
    thinking: ThinkingSpec::Adaptive,
    ..BASE
};

/// The OpenAI mode, with a Bedrock API key.
static BEDROCK: Preset = Preset {
    vendor: Vendor::Bedrock,
    telemetry_name: "aws.bedrock",
    endpoints: &[bearer(Api::OpenAi, "https://bedrock-runtime.{region}.amazonaws.com/openai/v1")],
    parameters: &[parameter("region", Syntax::Label)],
    ..BASE
};

static BEDROCK_MANTLE: Preset = Preset {
    vendor: Vendor::BedrockMantle,
    telemetry_name: "aws.bedrock",
    endpoints: &[
        bearer(Api::OpenAiChat, "https://bedrock-mantle.{region}.api.aws/v1"),
        bearer(Api::OpenAiResponses, "https://bedrock-mantle.{region}.api.aws/v1"),
        bearer(Api::AnthropicMessages, "https://bedrock-mantle.{region}.api.aws/anthropic"),
    ],
    parameters: &[parameter("region", Syntax::Label)],
    thinking: ThinkingSpec::Adaptive,
    ..BASE
};

/// Gemini and the OpenAI mode; Claude on Vertex speaks a form of its own.
static VERTEX: Preset = Preset {
    vendor: Vendor::Vertex,
    telemetry_name: "gcp.vertex_ai",
    endpoints: &[
        bearer(
            Api::Gemini,
            "https://{host}/v1/projects/{project}/locations/{location}/publishers/google",
        ),
        bearer(
            Api::OpenAiChat,
            "https://{host}/v1/projects/{project}/locations/{location}/endpoints/openapi",
        ),
    ],
    parameters: &[
        parameter("project", Syntax::Segment),
        Parameter { name: "location", default: Some("global"), syntax: Syntax::Label },
    ],
    derived: &[Derived {
        name: "host",
        cases: &[
            (When::Is("location", "global"), "aiplatform.googleapis.com"),
            (When::Is("location", "us"), "aiplatform.us.rep.googleapis.com"),
            (When::Is("location", "eu"), "aiplatform.eu.rep.googleapis.com"),
            (When::Always, "{location}-aiplatform.googleapis.com"),
        ],
    }],
    bearer_prefixes: &["ya29."],
    ..BASE
};

static GEMINI: Preset = Preset {
    vendor: Vendor::Gemini,
    telemetry_name: "gcp.gemini",
    endpoints: &[
        in_header(Api::Gemini, "https://generativelanguage.googleapis.com", "x-goog-api-key"),
        bearer(Api::OpenAiChat, "https://generativelanguage.googleapis.com/v1beta/openai"),
        bearer(Api::OpenAiEmbeddings, "https://generativelanguage.googleapis.com/v1beta/openai"),
    ],
    auth: Auth::Header("x-goog-api-key"),
    api_key_prefixes: &["AIza"],
    bearer_prefixes: &["ya29."],
    ..BASE
};

static OPENROUTER: Preset = Preset {
    vendor: Vendor::OpenRouter,
    telemetry_name: "openrouter",
    endpoints: &[
        bearer(Api::OpenAi, "https://{host}/api/v1"),
        bearer(Api::AnthropicMessages, "https://{host}/api"),
    ],
    parameters: &[choice("region", &["global", "eu"])],
    derived: &[Derived {
        name: "host",
        cases: &[(When::Is("region", "eu"), "eu.openrouter.ai"), (When::Always, "openrouter.ai")],
    }],
    api_key_prefixes: &["sk-or-"],
    thinking: ThinkingSpec::Adaptive,
    ..BASE
};

static DEEPSEEK: Preset = Preset {
    vendor: Vendor::DeepSeek,
    telemetry_name: "deepseek",
    endpoints: &[
        bearer(Api::OpenAiChat, "https://api.deepseek.com"),
        in_header(Api::AnthropicMessages, "https://api.deepseek.com/anthropic", "x-api-key"),
    ],
    ..BASE
};

static MOONSHOT: Preset = Preset {
    vendor: Vendor::Moonshot,
    telemetry_name: "moonshot",
    endpoints: &[
        bearer(Api::OpenAiChat, "https://{host}/v1"),
        bearer(Api::OpenAiResponses, "https://{host}/v1"),
        bearer(Api::AnthropicMessages, "https://{host}/anthropic"),
    ],
    parameters: &[choice("region", &["global", "cn"])],
    derived: &[Derived {
        name: "host",
        cases: &[(When::Is("region", "cn"), "api.moonshot.cn"), (When::Always, "api.moonshot.ai")],
    }],
    ..BASE
};

/// Its version segment is `v4`. The coding plan has a path of its own on the OpenAI side only.
static ZAI: Preset = Preset {
    vendor: Vendor::Zai,
    telemetry_name: "zai",
    endpoints: &[
        bearer(Api::OpenAiChat, "https://{host}/api/{plan-path}/v4"),
        bearer(Api::AnthropicMessages, "https://{host}/api/anthropic"),
    ],
    parameters: &[choice("region", &["global", "cn"]), choice("plan", &["standard", "coding"])],
    derived: &[
        Derived {
            name: "host",
            cases: &[(When::Is("region", "cn"), "open.bigmodel.cn"), (When::Always, "api.z.ai")],
        },
        Derived {
            name: "plan-path",
            cases: &[(When::Is("plan", "coding"), "coding/paas"), (When::Always, "paas")],
        },
    ],
    ..BASE
};

/// Refuses `stream_options`, and reports usage in every stream without being asked.
static MISTRAL: Preset = Preset {
    vendor: Vendor::Mistral,
    telemetry_name: "mistral_ai",
    endpoints: &[
        bearer(Api::OpenAiChat, "https://api.mistral.ai/v1"),
        bearer(Api::OpenAiEmbeddings, "https://api.mistral.ai/v1"),
    ],
    stream_usage: StreamUsageSpec::AsSent,
    ..BASE
};

static GROQ: Preset = Preset {
    vendor: Vendor::Groq,
    telemetry_name: "groq",
    endpoints: &[bearer(Api::OpenAi, "https://api.groq.com/openai/v1")],
    api_key_prefixes: &["gsk_"],
    ..BASE
};

static XAI: Preset = Preset {
    vendor: Vendor::XAi,
    telemetry_name: "x_ai",
    endpoints: &[
        bearer(Api::OpenAiChat, "https://{host}/v1"),
        bearer(Api::OpenAiResponses, "https://{host}/v1"),
    ],
    parameters: &[choice("region", &["global", "us"])],
    derived: &[Derived {
        name: "host",
        cases: &[(When::Is("region", "us"), "us.api.x.ai"), (When::Always, "api.x.ai")],
    }],
    api_key_prefixes: &["xai-"],
    ..BASE
};

static TOGETHER: Preset = Preset {
    vendor: Vendor::Together,
    telemetry_name: "together",
    endpoints: &[
        bearer(Api::OpenAiChat, "https://api.together.xyz/v1"),
        bearer(Api::OpenAiEmbeddings, "https://api.together.xyz/v1"),
    ],
    ..BASE
};

// The three below run where their user put them: there is no host that could be a default.

static OLLAMA: Preset =
    Preset { vendor: Vendor::Ollama, telemetry_name: "ollama", keys: Keys::Optional, ..BASE };

static VLLM: Preset =
    Preset { vendor: Vendor::Vllm, telemetry_name: "vllm", keys: Keys::Optional, ..BASE };

static LITELLM: Preset =
    Preset { vendor: Vendor::LiteLlm, telemetry_name: "litellm", keys: Keys::Optional, ..BASE };

static CUSTOM: Preset = Preset { keys: Keys::Optional, ..BASE };
