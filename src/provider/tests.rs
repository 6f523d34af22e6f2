use std::collections::BTreeMap;

use super::*;
use Api::{AnthropicMessages, Gemini, OpenAi, OpenAiChat, OpenAiEmbeddings, OpenAiResponses};

/// `parameters` is `name=value,…`; `urls` are all that the preset serves.
#[track_caller]
fn check(vendor: Vendor, parameters: &str, urls: &[(Api, &str)]) {
    let preset = Preset::of(vendor);
    let (parameters, errors) = Parameters::new(preset, &given(parameters));
    assert_eq!(errors, []);
    let made: Vec<_> = preset
        .endpoints
        .iter()
        .map(|endpoint| (endpoint.api, parameters.fill(endpoint.url).unwrap()))
        .collect();
    let urls: Vec<_> = urls.iter().map(|(a, u)| (*a, (*u).to_owned())).collect();
    assert_eq!(made, urls);
}

fn given(parameters: &str) -> BTreeMap<String, String> {
    let pairs = parameters.split(',').filter_map(|p| p.split_once('='));
    pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

#[test]
fn every_vendor_has_the_urls_of_its_docs() {
    check(Vendor::Anthropic, "", &[(AnthropicMessages, "https://api.anthropic.com")]);
    check(Vendor::OpenAi, "", &[(OpenAi, "https://api.openai.com/v1")]);
    check(
        Vendor::AzureOpenAi,
        "resource=r",
        &[
            (OpenAi, "https://r.openai.azure.com/openai/v1"),
            (AnthropicMessages, "https://r.services.ai.azure.com/anthropic"),
        ],
    );
    check(
        Vendor::AzureOpenAi,
        "resource=r,project=p",
        &[
            (OpenAi, "https://r.services.ai.azure.com/api/projects/p/openai/v1"),
            (AnthropicMessages, "https://r.services.ai.azure.com/anthropic"),
        ],
    );
    check(
        Vendor::Bedrock,
        "region=us-east-1",
        &[(OpenAi, "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1")],
    );
    let mantle = "https://bedrock-mantle.us-east-1.api.aws";
    check(
        Vendor::BedrockMantle,
        "region=us-east-1",
        &[
            (OpenAiChat, &format!("{mantle}/v1")),
            (OpenAiResponses, &format!("{mantle}/v1")),
            (AnthropicMessages, &format!("{mantle}/anthropic")),
        ],
    );
    let gemini = "https://generativelanguage.googleapis.com";
    check(
        Vendor::Gemini,
        "",
        &[
            (Gemini, gemini),
            (OpenAiChat, &format!("{gemini}/v1beta/openai")),
            (OpenAiEmbeddings, &format!("{gemini}/v1beta/openai")),
        ],
    );
    check(
        Vendor::DeepSeek,
        "",
        &[
            (OpenAiChat, "https://api.deepseek.com"),
            (AnthropicMessages, "https://api.deepseek.com/anthropic"),
        ],
    );
    check(
        Vendor::Mistral,
        "",
        &[
            (OpenAiChat, "https://api.mistral.ai/v1"),
            (OpenAiEmbeddings, "https://api.mistral.ai/v1"),
        ],
    );
    check(Vendor::Groq, "", &[(OpenAi, "https://api.groq.com/openai/v1")]);
    check(
        Vendor::Together,
        "",
        &[
            (OpenAiChat, "https://api.together.xyz/v1"),
            (OpenAiEmbeddings, "https://api.together.xyz/v1"),
        ],
    );
    for self_hosted in [Vendor::Ollama, Vendor::Vllm, Vendor::LiteLlm, Vendor::Custom] {
        check(self_hosted, "", &[]);
    }
}

#[test]
fn regions_choose_hosts() {
    for (parameters, host) in [
        ("", "dashscope.aliyuncs.com"),
        ("region=ap-southeast-1", "dashscope-intl.aliyuncs.com"),
        ("region=us-east-1", "dashscope-us.aliyuncs.com"),
        ("region=cn-hongkong", "cn-hongkong.dashscope.aliyuncs.com"),
        ("workspaceId=ws-1", "ws-1.cn-beijing.maas.aliyuncs.com"),
        ("workspaceId=ws-1,region=cn-hongkong", "ws-1.cn-hongkong.maas.aliyuncs.com"),
    ] {
        let anthropic = format!("https://{host}/apps/anthropic");
        let openai = format!("https://{host}/compatible-mode/v1");
        check(Vendor::Aliyun, parameters, &[(AnthropicMessages, &anthropic), (OpenAi, &openai)]);
    }
    for (location, host) in [
        ("", "aiplatform.googleapis.com"),
        (",location=eu", "aiplatform.eu.rep.googleapis.com"),
        (",location=us", "aiplatform.us.rep.googleapis.com"),
        (",location=europe-west1", "europe-west1-aiplatform.googleapis.com"),
    ] {
        let at = location.strip_prefix(",location=").unwrap_or("global");
        let root = format!("https://{host}/v1/projects/p/locations/{at}");
        check(
            Vendor::Vertex,
            &format!("project=p{location}"),
            &[
                (Gemini, &format!("{root}/publishers/google")),
                (OpenAiChat, &format!("{root}/endpoints/openapi")),
            ],
        );
    }
    for (region, host) in [("global", "openrouter.ai"), ("eu", "eu.openrouter.ai")] {
        check(
            Vendor::OpenRouter,
            &format!("region={region}"),
            &[
                (OpenAi, &format!("https://{host}/api/v1")),
                (AnthropicMessages, &format!("https://{host}/api")),
            ],
        );
    }
    for (region, host) in [("global", "api.moonshot.ai"), ("cn", "api.moonshot.cn")] {
        check(
            Vendor::Moonshot,
            &format!("region={region}"),
            &[
                (OpenAiChat, &format!("https://{host}/v1")),
                (OpenAiResponses, &format!("https://{host}/v1")),
                (AnthropicMessages, &format!("https://{host}/anthropic")),
            ],
        );
    }
    for (region, host) in [("global", "api.x.ai"), ("us", "us.api.x.ai")] {
        check(
            Vendor::XAi,
            &format!("region={region}"),
            &[
                (OpenAiChat, &format!("https://{host}/v1")),
                (OpenAiResponses, &format!("https://{host}/v1")),
            ],
        );
    }
    for (parameters, openai, host) in [
        ("", "https://api.z.ai/api/paas/v4", "api.z.ai"),
        ("plan=coding", "https://api.z.ai/api/coding/paas/v4", "api.z.ai"),
        ("region=cn", "https://open.bigmodel.cn/api/paas/v4", "open.bigmodel.cn"),
    ] {
        let anthropic = format!("https://{host}/api/anthropic");
        check(Vendor::Zai, parameters, &[(OpenAiChat, openai), (AnthropicMessages, &anthropic)]);
    }
}

#[test]
fn a_value_cannot_leave_its_place() {
    let label = "the value of 'workspaceId' must be a DNS label";
    for value in [
        "evil.example/",
        "a.b",
        "a@b",
        "a:1",
        "a#",
        "a?",
        "-a",
        "a-",
        "",
        "a%2f",
        "a\r\n",
        &"a".repeat(64),
    ] {
        let given = BTreeMap::from([("workspaceId".to_owned(), value.to_owned())]);
        let (parameters, errors) = Parameters::new(Preset::of(Vendor::Aliyun), &given);
        assert_eq!(errors[0].1.to_string(), label, "{value}");
        assert_eq!(
            parameters.fill("https://{workspaceId}"),
            Err(ParameterError::Unusable { name: "workspaceId" })
        );
    }
    for value in ["..", ".", "a/b", "a?b", "a#b", "a%2e", "a\\b"] {
        let given = BTreeMap::from([("project".to_owned(), value.to_owned())]);
        let (_, errors) = Parameters::new(Preset::of(Vendor::Vertex), &given);
        assert_eq!(errors.len(), 1, "{value}");
    }
}

#[test]
fn errors_name_what_the_preset_takes() {
    let preset = Preset::of(Vendor::AzureOpenAi);
    let (parameters, errors) = Parameters::new(preset, &given("region=x"));
    assert_eq!(
        errors[0].1.to_string(),
        "the preset has no parameter 'region'; it takes resource, project"
    );
    assert_eq!(
        parameters.fill(preset.endpoints[0].url).unwrap_err().to_string(),
        "the preset's URL needs the parameter 'resource'; the preset takes resource, project"
    );
    let (_, errors) = Parameters::new(Preset::of(Vendor::OpenRouter), &given("region=mars"));
    assert_eq!(errors[0].1.to_string(), "the value of 'region' must be one of global, eu");
}

#[test]
fn only_prefixes_that_are_the_vendors_own_are_recognised() {
    for vendor in [Vendor::DeepSeek, Vendor::Aliyun, Vendor::OpenAi, Vendor::Moonshot] {
        let preset = Preset::of(vendor);
        let prefixes = preset.api_key_prefixes.iter().chain(preset.bearer_prefixes);
        assert!(prefixes.into_iter().all(|prefix| *prefix != "sk-"), "{vendor:?}");
    }
}
