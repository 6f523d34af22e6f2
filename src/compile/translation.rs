//! Which APIs a provider serves by translation, and to which of its endpoints.
//!
//! The same dialect wins; then this order: the other API of the caller's own family, then the other
//! family. An API whose own endpoint is wrong is not translated around: its calls would go where
//! nobody sent them.

use super::providers::{Stage, Stages};
use crate::api::{LimitField, ThinkingSpec, TranslationSpec};
use crate::llm::translate::{LimitName, Pair, ThinkingForm};
use crate::llm::{Api, Dialect};
use crate::provider::Preset;
use crate::table::Translation;

/// The translation of each API (`api as usize`) that is not served as it comes.
pub(super) type Translations = [Option<Translation>; Api::ALL.len()];

/// Where calls of an API may be translated to, best first.
const ORDER: [(Api, [Api; 2]); 3] = [
    (Api::OpenAiChat, [Api::OpenAiResponses, Api::AnthropicMessages]),
    (Api::OpenAiResponses, [Api::OpenAiChat, Api::AnthropicMessages]),
    (Api::AnthropicMessages, [Api::OpenAiChat, Api::OpenAiResponses]),
];

/// Chooses the pairs, and says what the provider needs in them.
pub(super) fn compile(
    slots: &Stages,
    spec: Option<&TranslationSpec>,
    preset: &Preset,
) -> Translations {
    let mut translations = [None; Api::ALL.len()];
    for (client, upstreams) in ORDER {
        if is_open(slots, client) {
            let mut served = upstreams.into_iter().filter(|upstream| is_served(slots, *upstream));
            let pair = served.next().and_then(|upstream| Pair::of(client, upstream));
            translations[client as usize] = pair.map(|pair| translation(pair, spec, preset));
        }
    }
    translations
}

fn translation(pair: Pair, spec: Option<&TranslationSpec>, preset: &Preset) -> Translation {
    let limit_field = spec.and_then(|spec| spec.limit_field).unwrap_or(preset.limit_field);
    let thinking = spec.and_then(|spec| spec.thinking).unwrap_or(preset.thinking);
    Translation {
        pair,
        limit_name: match limit_field {
            LimitField::MaxTokens => LimitName::MaxTokens,
            LimitField::MaxCompletionTokens => LimitName::MaxCompletionTokens,
        },
        thinking: match thinking {
            ThinkingSpec::Adaptive => ThinkingForm::Adaptive,
            ThinkingSpec::Budget => ThinkingForm::Budget,
        },
        max_tokens: spec.and_then(|spec| spec.max_tokens).map(u64::from),
    }
}

/// Does nobody say how it is served?
fn is_open(slots: &Stages, api: Api) -> bool {
    let mut deciding = deciding(slots, api);
    deciding.all(|stage| matches!(stage, Stage::Absent))
}

fn is_served(slots: &Stages, api: Api) -> bool {
    let mut deciding = deciding(slots, api);
    let first = deciding.find(|stage| !matches!(stage, Stage::Absent));
    first.is_some_and(|stage| matches!(stage, Stage::Ready(_)))
}

/// Its own endpoint, then its family's.
fn deciding(slots: &Stages, api: Api) -> impl Iterator<Item = &Stage> {
    let family = (api.dialect() == Dialect::OpenAi).then_some(Api::OpenAi);
    [Some(api), family].into_iter().flatten().map(|api| &slots[api as usize])
}
