use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{Ask, Kind, ModelAt, ask};
use crate::llm::Api::OpenAiResponses;
use crate::llm::Api::{self, AnthropicMessages, OpenAi, OpenAiChat, OpenAiEmbeddings};
use crate::llm::Dialect;

const PLAIN: &[&str] = &[];
const ANTHROPIC: &[&str] = &["anthropic-version"];

/// What was asked, with every range as the text it covers:
/// `api kind version suffix model` or the name of the answer.
fn check_with(headers: &[&'static str], request: &str, expected: &str) {
    let (method, path) = request.split_once(' ').unwrap();
    let headers: HeaderMap = headers
        .iter()
        .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x")))
        .collect();
    let asked = ask(&method.parse::<Method>().unwrap(), path, &headers);
    assert_eq!(told(path, &asked), expected, "{request}");
}

fn check(request: &str, expected: &str) {
    check_with(PLAIN, request, expected);
}

fn told(path: &str, ask: &Ask) -> String {
    match ask {
        Ask::Call(operation) => {
            let model = match &operation.model {
                ModelAt::Body => "body",
                ModelAt::Path(span) => &path[span.clone()],
                ModelAt::Nowhere => "-",
            };
            let version = &path[operation.version.clone()];
            let suffix = &path[operation.suffix.clone()];
            let (api, kind) = (operation.api.as_str(), operation.kind);
            format!("{api} {kind:?} {version}|{suffix} {model}")
        }
        Ask::Models { dialect, id: None } => format!("Models {dialect:?}"),
        Ask::Models { dialect, id: Some(id) } => {
            format!("Models {dialect:?} {}", &path[id.clone()])
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn every_operation_under_every_prefix() {
    let operations: [(&str, Api, Kind); 6] = [
        ("/chat/completions", OpenAiChat, Kind::ChatCompletions),
        ("/completions", OpenAi, Kind::Completions),
        ("/responses", OpenAiResponses, Kind::Responses),
        ("/embeddings", OpenAiEmbeddings, Kind::Embeddings),
        ("/messages", AnthropicMessages, Kind::Messages),
        ("/messages/count_tokens", AnthropicMessages, Kind::CountTokens),
    ];
    for (suffix, api, kind) in operations {
        let vendor = match api.dialect() {
            Dialect::Anthropic => "/anthropic",
            _ => "/openai",
        };
        let prefixes = [
            (String::new(), ""),
            ("/v1".into(), "v1"),
            ("/v1/v1".into(), "v1"),
            (vendor.into(), ""),
            (format!("{vendor}/v1"), "v1"),
            (format!("{vendor}/v1/v1"), "v1"),
        ];
        for (prefix, version) in prefixes {
            let expected = format!("{} {kind:?} {version}|{suffix} body", api.as_str());
            check(&format!("POST {prefix}{suffix}"), &expected);
            check(&format!("POST {prefix}{suffix}/"), &expected);
            // The name outweighs the header: it is one family's own.
            check_with(ANTHROPIC, &format!("POST {prefix}{suffix}"), &expected);
        }
    }
}

#[test]
fn open_ai() {
    check(
        "POST /v1beta/openai/chat/completions",
        "OpenAiChat ChatCompletions v1beta|/chat/completions body",
    );
    check(
        "POST /gemini/v1beta/openai/embeddings",
        "OpenAiEmbeddings Embeddings v1beta|/embeddings body",
    );
    check("GET /v1beta/openai/models", "Models OpenAi");
    check("GET /v1/chat/completions", "OpenAiChat Other v1|/chat/completions -");
    check(
        "GET /v1/chat/completions/c_1/messages",
        "OpenAiChat Other v1|/chat/completions/c_1/messages -",
    );
    check("POST /v1/chat/completions/c_1", "OpenAiChat Other v1|/chat/completions/c_1 -");
    check("DELETE /v1/chat/completions/c_1", "OpenAiChat Other v1|/chat/completions/c_1 -");
    check("GET /v1/responses/r_1", "OpenAiResponses Other v1|/responses/r_1 -");
    check("DELETE /v1/responses/r_1", "OpenAiResponses Other v1|/responses/r_1 -");
    check("POST /v1/responses/r_1/cancel", "OpenAiResponses Other v1|/responses/r_1/cancel -");
    check(
        "GET /v1/responses/r_1/input_items",
        "OpenAiResponses Other v1|/responses/r_1/input_items -",
    );
    check("POST /v1/responses/compact", "OpenAiResponses Other v1|/responses/compact body");
    check("POST /responses/input_tokens", "OpenAiResponses Other |/responses/input_tokens body");
    check("POST /v1/audio/transcriptions", "OpenAi Other v1|/audio/transcriptions body");
    check("POST /images/edits", "OpenAi Other |/images/edits body");
    check("POST /v1/moderations", "OpenAi Other v1|/moderations body");
    check("POST /v1/fine_tuning/jobs", "OpenAi Other v1|/fine_tuning/jobs body");
    check("POST /v1/files", "OpenAi Other v1|/files -");
    check("POST /v1/uploads/u_1/parts", "OpenAi Other v1|/uploads/u_1/parts -");
    check("POST /v1/batches", "OpenAi Other v1|/batches -");
    check("POST /v1/vector_stores", "OpenAi Other v1|/vector_stores -");
    check("GET /v1/files/f_1/content", "OpenAi Other v1|/files/f_1/content -");
    check("POST /v1/anything/new/", "OpenAi Other v1|/anything/new/ body");
    check("PUT /v1/anything/new", "OpenAi Other v1|/anything/new -");
    check(
        "POST /openai/deployments/d/chat/completions",
        "OpenAi Other |/deployments/d/chat/completions body",
    );
    check("DELETE /v1/models/ft:gpt-4o:org::id", "OpenAi Other v1|/models/ft:gpt-4o:org::id -");
}

#[test]
fn anthropic() {
    check("POST /v1/messages/batches", "AnthropicMessages Other v1|/messages/batches -");
    check(
        "GET /v1/messages/batches/b_1/results",
        "AnthropicMessages Other v1|/messages/batches/b_1/results -",
    );
    check("POST /anthropic/v1/files", "AnthropicMessages Other v1|/files -");
    check_with(ANTHROPIC, "POST /v1/files", "AnthropicMessages Other v1|/files -");
    check_with(&["anthropic-beta"], "GET /files", "AnthropicMessages Other |/files -");
    check_with(ANTHROPIC, "GET /v1/skills", "AnthropicMessages Other v1|/skills -");
    check_with(ANTHROPIC, "POST /openai/v1/files", "OpenAi Other v1|/files -");
}

#[test]
fn gemini() {
    for (prefix, version) in [
        ("/v1beta", "v1beta"),
        ("/v1alpha", "v1alpha"),
        ("/v1", "v1"),
        ("/gemini/v1beta", "v1beta"),
        ("/gemini/v1", "v1"),
        ("/gemini", ""),
        ("", ""),
    ] {
        for (verb, kind) in [
            ("generateContent", "GenerateContent"),
            ("streamGenerateContent", "StreamGenerateContent"),
            ("countTokens", "Other"),
            ("embedContent", "Other"),
            ("batchEmbedContents", "Other"),
        ] {
            let rest = format!("/models/gemini-2.5-pro:{verb}");
            let expected = format!("Gemini {kind} {version}|{rest} gemini-2.5-pro");
            check(&format!("POST {prefix}{rest}"), &expected);
        }
    }
    let odd = "/models/a%2Fb:c%3AgenerateContent";
    check(
        "POST /v1beta/models/a%2Fb%20c%3AgenerateContent",
        "Gemini GenerateContent v1beta|/models/a%2Fb%20c%3AgenerateContent a%2Fb%20c",
    );
    check(&format!("POST /v1beta{odd}"), &format!("Gemini Other v1beta|{odd} a%2Fb"));
    check(
        "POST /v1beta/models/google/m:generateContent/",
        "Gemini GenerateContent v1beta|/models/google/m:generateContent google/m",
    );
    check(
        "POST /v1beta/tunedModels/t:generateContent",
        "Gemini GenerateContent v1beta|/tunedModels/t:generateContent -",
    );
    check("POST /v1beta/cachedContents", "Gemini Other v1beta|/cachedContents -");
    check("POST /v1beta/interactions", "Gemini Other v1beta|/interactions body");
    check("POST /v1beta/models/m", "MethodNotAllowed(Gemini)");
    check("POST /v1beta/models/:generateContent", "MethodNotAllowed(Gemini)");
}

#[test]
fn models() {
    for prefix in ["", "/v1", "/v1/v1", "/openai", "/openai/v1"] {
        check(&format!("GET {prefix}/models"), "Models OpenAi");
        check(&format!("GET {prefix}/models/openai/gpt-4o"), "Models OpenAi openai/gpt-4o");
    }
    for prefix in ["", "/v1", "/anthropic", "/anthropic/v1"] {
        check_with(ANTHROPIC, &format!("GET {prefix}/models/"), "Models Anthropic");
        check_with(ANTHROPIC, &format!("HEAD {prefix}/models/claude"), "Models Anthropic claude");
    }
    check("GET /anthropic/v1/models", "Models Anthropic");
    check("GET /v1beta/models", "Models Gemini");
    check("GET /v1beta/models/gemini-2.5-pro", "Models Gemini gemini-2.5-pro");
    check("GET /v1/models/openai%2Fgpt-4o", "Models OpenAi openai%2Fgpt-4o");
    check("GET /v1/models/llama3:8b", "Models OpenAi llama3:8b");
    check("POST /v1/models", "MethodNotAllowed(OpenAi)");
    check("PUT /v1/models/x", "MethodNotAllowed(OpenAi)");
}

#[test]
fn nothing_to_forward() {
    for base in ["/", "/v1", "/v1/", "/anthropic", "/anthropic/v1/", "/openai", "/v1beta"] {
        check(&format!("HEAD {base}"), "Alive");
        check(&format!("GET {base}"), "Alive");
    }
    check("POST /", "MethodNotAllowed(OpenAi)");
    check("GET /favicon.ico", "Unknown(OpenAi)");
    check("GET /metrics", "Unknown(OpenAi)");
    check("POST /v1x/messages", "Unknown(OpenAi)");
    check("POST /openaix/chat/completions", "Unknown(OpenAi)");
    check_with(ANTHROPIC, "GET /nowhere", "Unknown(Anthropic)");
}

#[test]
fn methods() {
    check("CONNECT example.com:443", "MethodNotAllowed(OpenAi)");
    check("TRACE /v1/messages", "MethodNotAllowed(Anthropic)");
    check("OPTIONS *", "MethodNotAllowed(OpenAi)");
    check("OPTIONS /v1beta/models", "MethodNotAllowed(Gemini)");
    check("PUT /v1/messages", "MethodNotAllowed(Anthropic)");
    check("GET /v1/messages", "MethodNotAllowed(Anthropic)");
    check("GET /v1/messages/count_tokens", "MethodNotAllowed(Anthropic)");
    check("PUT /v1/chat/completions", "MethodNotAllowed(OpenAi)");
    check("GET /v1/embeddings", "MethodNotAllowed(OpenAi)");
    check("GET /v1/responses", "MethodNotAllowed(OpenAi)");
    check("PURGE /v1/files", "MethodNotAllowed(OpenAi)");
}

/// FAULTS 8: one normal form, and nothing outside it goes anywhere.
#[test]
fn fault_08_paths_outside_the_normal_form() {
    for path in [
        "",
        "*",
        "v1/messages",
        "//",
        "//v1/messages",
        "/v1//messages",
        "/v1/messages//",
        "/v1/./messages",
        "/v1/../metrics",
        "/v1/messages/..",
        "/v1/messages/.",
        "/v1/%2e%2E/x",
        "/v1/.%2e/x",
        "/v1/%2e/x",
        "/v1/models/..%2f..%2fadmin",
        "/v1/models/a%2F%2e%2e",
        "/v1\\messages",
        "/v1/%5cmessages",
        "/v1/%5Cmessages",
        "/v1/messages%00",
        "/v1/mess\u{1}ages",
        "/v1/messages\u{7f}",
    ] {
        let asked = ask(&Method::GET, path, &HeaderMap::new());
        assert!(matches!(asked, Ask::BadPath(_)), "{path:?}: {asked:?}");
    }
    check("POST /anthropic/../x", "BadPath(Anthropic)");
    check("POST /v1beta//models", "BadPath(Gemini)");
    for path in [
        "/v1/files/a%2Fb",
        "/v1/files/...",
        "/v1/files/a..b",
        "/v1/files/.well-known",
        "/v1/files/%252e%252e",
        "/v1/files/%",
        "/v1/files/%zz",
        "/v1/files/é%C3%A9;x=1",
    ] {
        check(&format!("GET {path}"), &format!("OpenAi Other v1|{} -", &path[3..]));
    }
}

proptest::proptest! {
    #[test]
    fn any_text_has_an_answer_with_spans_inside_it(path in "(/|v1|models|:|%2e|%3A|[a-zé.*])*") {
        for method in [Method::GET, Method::POST, Method::CONNECT] {
            let _ = told(&path, &ask(&method, &path, &HeaderMap::new()));
        }
    }
}
