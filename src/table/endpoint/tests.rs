use super::*;
use crate::llm::{Api, Dialect};
use crate::secret::Secret;
use Api::{AnthropicMessages as Anthropic, Gemini, OpenAi, OpenAiChat as Chat};

fn endpoint(api: Api, base: &str) -> Endpoint {
    Endpoint::parse(api, base, Trust::System).unwrap_or_else(|e| panic!("{base}: {e}"))
}

/// The URL of a call that came as `path` (after the version segment).
fn url(api: Api, base: &str, path: &str) -> String {
    let endpoint = endpoint(api, base);
    let (suffix, query) = match path.split_once('?') {
        Some((suffix, query)) => (suffix, Some(query)),
        None => (path, None),
    };
    let call = CallPath {
        version: "v1beta",
        suffix: Suffix::AsSent(suffix),
        model: Some("gpt-4o"),
        query,
    };
    let target = endpoint.path_and_query(call, None).unwrap();
    let scheme = match endpoint.origin.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    format!("{scheme}://{}{target}", endpoint.origin.authority)
}

#[track_caller]
fn check(api: Api, base: &str, expected: &str) {
    let path = match api.dialect() {
        Dialect::OpenAi => "/chat/completions?a=%2F",
        Dialect::Anthropic => "/messages?beta=true",
        Dialect::Gemini => "/models/m:generateContent?alt=sse",
    };
    let query = path.split_once('?').unwrap().1;
    for base in [base.to_owned(), format!("{base}/"), format!("{base}//")] {
        assert_eq!(url(api, &base, path), format!("{expected}?{query}"), "{base}");
    }
}

#[test]
fn openai_bases_end_in_their_version() {
    for base in [
        "https://api.openai.com/v1",
        "https://r.openai.azure.com/openai/v1",
        "https://r.services.ai.azure.com/api/projects/p/openai/v1",
        "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
        "https://bedrock-mantle.us-east-1.api.aws/v1",
        "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "https://openrouter.ai/api/v1",
        "https://eu.openrouter.ai/api/v1",
        "https://api.deepseek.com/v1",
        "https://api.moonshot.cn/v1",
        "https://api.z.ai/api/paas/v4",
        "https://api.z.ai/api/coding/paas/v4",
        "https://api.mistral.ai/v1",
        "https://api.groq.com/openai/v1",
        "https://us.api.x.ai/v1",
        "https://api.together.xyz/v1",
    ] {
        check(Chat, base, &format!("{base}/chat/completions"));
    }
}

#[test]
fn an_empty_path_means_v1() {
    for base in [
        "https://api.openai.com",
        "https://api.deepseek.com",
        "http://ollama:11434",
        "http://vllm.ai.svc.cluster.local:8000",
        "http://litellm:4000",
    ] {
        check(Chat, base, &format!("{base}/v1/chat/completions"));
        check(Anthropic, base, &format!("{base}/v1/messages"));
    }
}

#[test]
fn anthropic_bases_get_v1_once() {
    for base in [
        "https://api.anthropic.com",
        "https://r.services.ai.azure.com/anthropic",
        "https://bedrock-mantle.us-east-1.api.aws/anthropic",
        "https://openrouter.ai/api",
        "https://api.deepseek.com/anthropic",
        "https://api.moonshot.ai/anthropic",
        "https://api.kimi.com/coding",
        "https://api.z.ai/api/anthropic",
        "https://open.bigmodel.cn/api/anthropic",
    ] {
        check(Anthropic, base, &format!("{base}/v1/messages"));
        check(Anthropic, &format!("{base}/v1"), &format!("{base}/v1/messages"));
    }
}

#[test]
fn aliyun_has_three_bases_on_each_host() {
    for host in [
        "dashscope.aliyuncs.com",
        "dashscope-intl.aliyuncs.com",
        "dashscope-us.aliyuncs.com",
        "cn-hongkong.dashscope.aliyuncs.com",
        "ws-1.cn-beijing.maas.aliyuncs.com",
        "coding-intl.dashscope.aliyuncs.com",
    ] {
        let current = format!("https://{host}/apps/anthropic");
        check(Anthropic, &current, &format!("{current}/v1/messages"));
        let legacy = format!("https://{host}/api/v2/apps/claude-code-proxy");
        check(Anthropic, &legacy, &format!("{legacy}/v1/messages"));
        let openai = format!("https://{host}/compatible-mode/v1");
        check(OpenAi, &openai, &format!("{openai}/chat/completions"));
    }
}

#[test]
fn gemini_bases_have_their_version_or_take_the_clients() {
    let gemini = "https://generativelanguage.googleapis.com";
    check(Gemini, gemini, &format!("{gemini}/v1beta/models/m:generateContent"));
    let vertex = "https://aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google";
    check(Gemini, vertex, &format!("{vertex}/models/m:generateContent"));
    let call = CallPath {
        version: "",
        suffix: Suffix::AsSent("/models/m%2Fn:generateContent"),
        model: None,
        query: None,
    };
    let target = endpoint(Gemini, gemini).path_and_query(call, None);
    assert_eq!(target.unwrap(), "/v1beta/models/m%2Fn:generateContent");
}

#[test]
fn a_base_query_stays_and_the_clients_follows() {
    let azure = "https://r.openai.azure.com/openai/deployments/{model}?api-version=2024-10-21";
    let joined = "https://r.openai.azure.com/openai/deployments/gpt-4o/chat/completions";
    assert_eq!(
        url(Chat, azure, "/chat/completions?x=%20"),
        format!("{joined}?api-version=2024-10-21&x=%20")
    );
    assert_eq!(
        url(OpenAi, "https://h/openai/v1?api-version=preview", "/files"),
        "https://h/openai/v1/files?api-version=preview"
    );
    assert_eq!(url(OpenAi, "https://h/v1?", "/files?"), "https://h/v1/files");
}

/// FAULTS 27: a model is one path segment, whatever it is called.
#[test]
fn a_model_in_a_path_is_one_segment() {
    for (model, encoded) in [
        ("gpt-4.1_x~", "gpt-4.1_x~"),
        ("a/..b", "a%2F..b"),
        ("a%2e", "a%252e"),
        ("a b?#:", "a%20b%3F%23%3A"),
        ("a\r\nb", "a%0D%0Ab"),
        ("\u{e9}", "%C3%A9"),
    ] {
        assert_eq!(around(Some(model)), Ok(format!("/deployments/{encoded}/chat/completions")));
        assert_eq!(renamed(model), Ok(format!("/v1/models/{encoded}:countTokens")));
    }
    for model in ["a/..\0/b", "\0", "", ".", "..", "../x", "a/./b", "a\\.."] {
        assert_eq!(around(Some(model)), Err(TargetError::ModelUnusable));
        assert_eq!(renamed(model), Err(TargetError::ModelUnusable));
    }
    assert_eq!(around(None), Err(TargetError::NoModel));
    assert_eq!(around(Some(&"/".repeat(40_000))), Err(TargetError::Invalid));
}

fn around(model: Option<&str>) -> Result<String, TargetError> {
    let call =
        CallPath { version: "", suffix: Suffix::AsSent("/chat/completions"), model, query: None };
    let azure = endpoint(Chat, "https://h/deployments/{model}");
    azure.path_and_query(call, None).map(|t| t.to_string())
}

fn renamed(model: &str) -> Result<String, TargetError> {
    let call = CallPath {
        version: "v1",
        suffix: Suffix::Renamed { before: "/models/", model, after: ":countTokens" },
        model: Some(model),
        query: None,
    };
    let gemini = endpoint(Gemini, "https://h");
    gemini.path_and_query(call, None).map(|t| t.to_string())
}

#[test]
fn a_key_in_the_query_is_last_and_alone() {
    let key = Secret::new(b"k&=/").unwrap().query_value();
    let target = |base, query| {
        let call = CallPath { version: "v1", suffix: Suffix::AsSent("/x"), model: None, query };
        let target = endpoint(Gemini, base).path_and_query(call, Some(("api%2Dkey", &key)));
        target.unwrap().to_string()
    };
    assert_eq!(target("https://h", None), "/v1/x?api%2Dkey=k%26%3D%2F");
    assert_eq!(
        target("https://h/v?a=1", Some("api-key=theirs&b=+&api%2dkey=x")),
        "/v/x?a=1&b=+&api%2Dkey=k%26%3D%2F"
    );
}

#[test]
fn origins_have_hosts_and_ports() {
    for (base, host, port, authority) in [
        ("https://H.example", "h.example", 443, "h.example"),
        ("HTTP://h:80", "h", 80, "h"),
        ("http://h:443", "h", 443, "h:443"),
        ("http://127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080"),
        ("https://[2001:db8::1]", "2001:db8::1", 443, "[2001:db8::1]"),
        ("http://[::1]:11434/v1", "::1", 11434, "[::1]:11434"),
        ("http://a_b.svc.", "a_b.svc.", 80, "a_b.svc."),
    ] {
        let origin = endpoint(OpenAi, base).origin;
        assert_eq!((&*origin.host, origin.port), (host, port), "{base}");
        assert_eq!(origin.authority, authority);
        assert_eq!(origin.host_header, authority);
    }
}

#[test]
fn what_is_not_a_base_url_is_refused() {
    use BaseUrlError::*;
    for (base, why) in [
        ("api.openai.com/v1", Scheme),
        ("ftp://h", Scheme),
        ("", Scheme),
        (" https://h", Scheme),
        ("https://h/a b", Character),
        ("https://h/a\\b", Character),
        ("https://h\r\nx: y", Character),
        ("https://h/%zz", Character),
        ("https://h/\u{e9}", Character),
        ("https://user:pw@h", UserInfo),
        ("https://h/v1#x", Fragment),
        ("https://", Host),
        ("https:///v1", Host),
        ("https://a..b", Host),
        ("https://[::1", Host),
        ("https://[fe80::1%25eth0]", Host),
        ("https://{model}.example", Host),
        ("https://h:0", Port),
        ("https://h:+1", Port),
        ("https://h:65536", Port),
        ("https://h:", Port),
        ("https://[::1]:x", Port),
        ("https://h/a/../b", Path),
        ("https://h/a/%2E%2e/b", Path),
        ("https://h/a%2F..%5cb/v1", Path),
        ("https://h/a%00/v1", Path),
        ("https://h//v1", Path),
        ("https://h/v1/chat/completions", Operation),
        ("https://h/v1/{deployment}", Placeholder),
        ("https://h/{model}/{model}", Placeholder),
        ("https://h/x{model}", Placeholder),
        ("https://h/v1?m={model}", Placeholder),
        ("http://169.254.169.254/latest", Forbidden),
        ("http://[fd00:ec2::254]", Forbidden),
        ("http://[::ffff:a9fe:a9fe]", Forbidden),
        ("http://metadata.google.internal", Forbidden),
        ("https://kubernetes.default.svc:443", Forbidden),
        ("http://2852039166", Host),
        ("http://0xa9fea9fe", Host),
        ("http://169.254.43518", Host),
        ("http://0251.0376.0251.0376", Host),
    ] {
        let found = Endpoint::parse(OpenAi, base, Trust::System).err();
        assert_eq!(found, Some(why), "{base}");
    }
    for api in [Anthropic, Gemini] {
        let found = Endpoint::parse(api, "https://h/{model}", Trust::System).err();
        assert_eq!(found, Some(Placeholder));
    }
}
