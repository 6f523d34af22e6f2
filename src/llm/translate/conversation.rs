//! A request, in no dialect: what is said so far, which tools there are, and how the answer is
//! wanted.
//!
//! What all three dialects have in some form has a place here. What only one of them has stays in
//! [`Conversation::others`], raw, and its fate is said by the pair's table.

use serde_json::Number;
use serde_json::value::RawValue;

use super::Asked;

/// A request.
#[derive(Debug, Default)]
pub struct Conversation {
    /// As the caller named it.
    pub model: String,
    /// In order, system and developer messages in their places.
    pub turns: Vec<Turn>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether it must.
    pub tool_choice: Option<ToolChoice>,
    /// May it call several at once?
    pub parallel_tools: Option<bool>,
    /// The longest answer, in tokens.
    pub max_tokens: Option<u64>,
    /// Where the answer stops.
    pub stop: Vec<String>,
    /// 0 to 2 (OpenAI), 0 to 1 (Anthropic).
    pub temperature: Option<Number>,
    /// 0 to 1.
    pub top_p: Option<Number>,
    /// Anthropic's, and some OpenAI-kind upstreams'.
    pub top_k: Option<Number>,
    /// How much is thought about it.
    pub reasoning: Reasoning,
    /// The form of the answer.
    pub format: Format,
    /// `low`, `medium`, `high`: how long the answer is.
    pub verbosity: Option<String>,
    /// At once, or as it is made.
    pub delivery: Delivery,
    /// An opaque id of the end user.
    pub user: Option<String>,
    /// The tier, in the words of the caller's dialect.
    pub service_tier: Option<String>,
    /// Top-level members without a place here, known or not, in the order of the body; those that
    /// are null are left out.
    pub others: Vec<(String, Box<RawValue>)>,
    /// For a responses client: what its answer repeats.
    pub repeated: Vec<(&'static str, Box<RawValue>)>,
}

/// One message.
#[derive(Debug)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub parts: Vec<Part>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `system` (also `instructions`).
    System,
    /// `developer`.
    Developer,
    /// `user`; also who brings the results of tools.
    User,
    /// `assistant`.
    Assistant,
}

/// A piece of a message.
#[derive(Debug)]
pub enum Part {
    /// Text.
    Text {
        /// It may be empty; writers for whom that is forbidden leave it out.
        text: String,
        /// Anthropic's `cache_control` (also found on parts of chat messages), raw.
        cache: Option<Box<RawValue>>,
    },
    /// A picture.
    Image {
        /// Where it is.
        source: Source,
        /// `low`, `high`, `auto`: OpenAI's.
        detail: Option<String>,
        /// As with text.
        cache: Option<Box<RawValue>>,
    },
    /// A document.
    Document {
        /// Where it is.
        source: Source,
        /// Its file name or title.
        title: Option<String>,
        /// As with text.
        cache: Option<Box<RawValue>>,
    },
    /// Sound, base64 (`wav`, `mp3`).
    Audio {
        /// base64
        data: String,
        /// `wav` or `mp3`.
        format: String,
    },
    /// A call of a tool, by the assistant.
    ToolCall(ToolCall),
    /// What a tool said.
    ToolResult {
        /// Of the call.
        id: String,
        /// Text, images, documents.
        parts: Vec<Part>,
        /// Did it fail?
        is_error: bool,
        /// As with text.
        cache: Option<Box<RawValue>>,
    },
    /// What the assistant thought.
    Thinking(Thought),
    /// Why the assistant would not.
    Refusal(String),
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// As it was given; a writer whose dialect has a narrower alphabet maps it, the same way for
    /// the call and its result.
    pub id: String,
    /// The tool.
    pub name: String,
    /// A JSON object as text, or the text itself for a custom tool. Empty means `{}`.
    pub arguments: String,
    /// Of which kind the tool is.
    pub kind: CallKind,
}

/// What the arguments of a call are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// JSON, by a schema.
    Function,
    /// Free text.
    Custom,
}

/// A thought, with what proves it to whoever had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thought {
    /// In plain text and without a proof: a `reasoning_content`, or what was made of one.
    Plain(String),
    /// An Anthropic model's, signed; worth something to Anthropic only.
    Signed {
        /// The text.
        text: String,
        /// The signature.
        signature: String,
    },
    /// An Anthropic model's, which only it can read.
    Redacted(String),
    /// A responses API's `reasoning` item, whole; worth something to such an API only.
    Item(Box<str>),
}

/// Where a picture or document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Here.
    Base64 {
        /// `image/png`, `application/pdf`, …
        media_type: String,
        /// base64
        data: String,
    },
    /// There: http or https.
    Url(String),
    /// With the provider, under this id.
    File(String),
    /// Plain text (a document's).
    Text(String),
}

/// What the model may call.
#[derive(Debug)]
pub enum Tool {
    /// With arguments by a JSON schema.
    Function {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// As it was sent, byte for byte; none for a tool without arguments.
        schema: Option<Box<RawValue>>,
        /// Must the arguments obey it?
        strict: Option<bool>,
        /// As with text.
        cache: Option<Box<RawValue>>,
    },
    /// With text as its argument; a grammar may say which.
    Custom {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// `{"type":"grammar",…}`, raw.
        format: Option<Box<RawValue>>,
    },
    /// One that the provider itself runs, or whose schema it knows (`web_search`, `bash_20250124`,
    /// `local_shell`).
    Hosted {
        /// Its `type`.
        kind: String,
        /// The whole of it, raw.
        raw: Box<RawValue>,
    },
}

/// Whether and what it must call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// Something (`required`, `any`).
    Required,
    /// Nothing.
    None,
    /// This one.
    Tool(String),
    /// One of these (`allowed_tools`).
    Allowed {
        /// By name.
        names: Vec<String>,
        /// Must it call one?
        required: bool,
    },
}

/// How much is thought about it, in the words of either family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Anthropic's `thinking`.
    pub thinking: Option<Thinking>,
    /// `reasoning_effort`, `reasoning.effort`, `output_config.effort`: `none`, `minimal`, `low`,
    /// `medium`, `high`, `xhigh`, `max`.
    pub effort: Option<String>,
    /// Is a summary wanted (`reasoning.summary`: `auto`, `concise`, `detailed`)?
    pub summary: Option<String>,
}

/// Anthropic's `thinking`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// `disabled`.
    Disabled,
    /// `adaptive`.
    Adaptive,
    /// `enabled`, with `budget_tokens`.
    Budget(u64),
}

/// The form of the answer.
#[derive(Debug, Default)]
pub enum Format {
    /// Text.
    #[default]
    Text,
    /// Any JSON object (`json_object`).
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// Its name, where the dialect has one.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The schema, raw.
        schema: Box<RawValue>,
        /// Must the answer obey it?
        strict: Option<bool>,
    },
}

/// At once, or as it is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    #[default]
    Whole,
    /// As it is made.
    Stream(Usage),
}

/// Does a stream tell its usage?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// It does: asked for by a chat client, always in the other dialects.
    Told,
    /// Not asked for.
    Untold,
}

/// A budget in tokens as OpenAI's word for it: below 4096 is low, below 16384 medium, from there
/// on high.
pub(super) const fn budget_as_effort(tokens: u64) -> &'static str {
    match tokens {
        ..4096 => "low",
        4096..16384 => "medium",
        16384.. => "high",
    }
}

// === impl Tool ===

impl Tool {
    /// Is it run by a provider, and only an offer? A model that has others may do without: a search
    /// that is not offered is not made. Dates behind the names do not matter.
    pub(super) fn is_an_offer(&self) -> bool {
        const OFFERS: [&str; 6] = [
            "web_search",
            "web_fetch",
            "code_execution",
            "code_interpreter",
            "image_generation",
            "tool_search",
        ];
        match self {
            Self::Hosted { kind, .. } => OFFERS.iter().any(|offer| kind.starts_with(offer)),
            Self::Function { .. } | Self::Custom { .. } => false,
        }
    }
}

// === impl Conversation ===

impl Conversation {
    /// What is kept for the answer.
    pub(super) fn into_asked(self) -> Asked {
        let custom = |tool: &Tool| match tool {
            Tool::Custom { name, .. } => Some(name.clone()),
            Tool::Function { .. } | Tool::Hosted { .. } => None,
        };
        Asked {
            custom_tools: self.tools.iter().filter_map(custom).collect(),
            delivery: self.delivery,
            include_usage: self.delivery == Delivery::Stream(Usage::Told),
            repeated: self.repeated,
            model: self.model,
        }
    }
}
