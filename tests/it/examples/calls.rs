//! Where calls go under each example: the upstream URL and the credential, as the proxy's own
//! functions make them.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use pillion::llm::json::BodyScanner;
use pillion::llm::operation::{self, Ask};
use pillion::net::budget::Budget;
use pillion::proxy::call::{Call, CallBody, Head, Model, Place};
use pillion::proxy::prepare::prepare;
use pillion::proxy::route::choose;
use pillion::table::Scheme;

use super::{Example, placeholder};

/// A call as an SDK sends it, and the number that draws its target.
struct Asked {
    example: &'static str,
    target: &'static str,
    model: &'static str,
    headers: &'static [(&'static str, &'static str)],
    draw: u64,
}

/// `URL | model | credential`, or why the call fails.
fn routed(asked: &Asked) -> String {
    let example = Example::named(asked.example);
    let (_, compiled) = example.compile(example.given_keys());
    let call = call(asked);
    let choice = match choose(&compiled.table, &call, asked.draw, asked.draw) {
        Ok(choice) => choice,
        Err(failure) => return failure.consequences().reason.to_owned(),
    };
    let prepared = prepare(call, &choice, 32 << 20).unwrap();
    let origin = &choice.plan.endpoint.origin;
    let scheme = match origin.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let (authority, target) = (&origin.authority, &prepared.to_send.head.target);
    let model = choice.plan.rename.as_ref();
    let model = model.map_or(asked.model, |rename| &*rename.name);
    let credential = credentials(&prepared.to_send.head.headers);
    format!("{scheme}://{authority}{target} | {model} | {credential}")
}

fn call(asked: &Asked) -> Call {
    let uri: Uri = asked.target.parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("authorization", HeaderValue::from_static("Bearer the-callers-own"));
    headers.insert("x-api-key", HeaderValue::from_static("the-callers-own"));
    for (name, value) in asked.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let Ask::Call(operation) = operation::ask(&Method::POST, uri.path(), &headers) else {
        panic!("{}: no call", asked.target);
    };
    let said = match asked.target == RESPONSES {
        true => r#""input":"hi""#,
        false => r#""messages":[{"role":"user","content":"hi"}]"#,
    };
    let body = Bytes::from(format!(r#"{{"model":"{}",{said}}}"#, asked.model));
    let mut scanner = BodyScanner::default();
    scanner.feed(&body);
    let facts = scanner.finish().unwrap();
    let model = facts
        .model
        .as_ref()
        .map(|member| Model { name: member.name.clone(), place: Place::Json(member.span.clone()) });
    Call {
        head: Box::new(Head { method: Method::POST, uri, headers, operation }),
        model,
        facts,
        body: CallBody::Held(vec![body], Budget::new(1 << 20).open()),
    }
}

/// Every credential that goes upstream, with the variable's name for its placeholder.
fn credentials(headers: &HeaderMap) -> String {
    let names = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"];
    let sent = names.iter().flat_map(|name| {
        let values = headers.get_all(*name).iter();
        values.map(move |value| format!("{name}: {}", value.to_str().unwrap()))
    });
    let sent: Vec<String> = sent.map(|line| line.replace(&placeholder(""), "$")).collect();
    if sent.is_empty() { "none".to_owned() } else { sent.join("; ") }
}

#[track_caller]
fn check(asked: &Asked, expected: &str) {
    assert_eq!(routed(asked), expected, "{} {}", asked.example, asked.target);
}

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages?beta=true";
const RESPONSES: &str = "/v1/responses";

const fn asked(example: &'static str, target: &'static str, model: &'static str) -> Asked {
    Asked { example, target, model, headers: &[], draw: 0 }
}

#[test]
fn quickstart() {
    let example = "quickstart";
    check(
        &asked(example, MESSAGES, "claude-sonnet-4-5"),
        "https://api.anthropic.com/v1/messages?beta=true | claude-sonnet-4-5 | \
         x-api-key: $ANTHROPIC_API_KEY",
    );
    check(
        &asked(example, CHAT, "z-ai/glm-4.5-air"),
        "https://openrouter.ai/api/v1/chat/completions | z-ai/glm-4.5-air | \
         authorization: Bearer $OPENROUTER_API_KEY",
    );
    check(
        &asked(example, CHAT, "claude-sonnet-4-5"),
        "https://openrouter.ai/api/v1/chat/completions | claude-sonnet-4-5 | \
         authorization: Bearer $OPENROUTER_API_KEY",
    );
}

/// The issue's own first case: three generations of one endpoint.
#[test]
fn aliyun_claude() {
    let by = |headers: &'static [(&'static str, &'static str)]| Asked {
        headers,
        ..asked("aliyun-claude", MESSAGES, "qwen3-coder-plus")
    };
    check(
        &by(&[("x-aliyun", "legacy")]),
        "https://dashscope.aliyuncs.com/api/v2/apps/claude-code-proxy/v1/messages?beta=true | \
         qwen3-coder-plus | authorization: Bearer $DASHSCOPE_API_KEY",
    );
    check(
        &by(&[]),
        "https://dashscope.aliyuncs.com/apps/anthropic/v1/messages?beta=true | qwen3-coder-plus | \
         authorization: Bearer $DASHSCOPE_API_KEY",
    );
    check(
        &by(&[("x-aliyun", "workspace")]),
        "https://ws-example.ap-southeast-1.maas.aliyuncs.com/apps/anthropic/v1/messages?beta=true \
         | qwen3-coder-plus | x-api-key: $DASHSCOPE_API_KEY",
    );
    check(
        &asked("aliyun-claude", CHAT, "qwen3-coder-plus"),
        "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions | qwen3-coder-plus | \
         authorization: Bearer $DASHSCOPE_API_KEY",
    );
}

#[test]
fn claude_code_openrouter() {
    let example = "claude-code-openrouter";
    let openrouter = |model: &str| {
        format!(
            "https://openrouter.ai/api/v1/messages?beta=true | {model} | \
             authorization: Bearer $OPENROUTER_API_KEY"
        )
    };
    let small = asked(example, MESSAGES, "claude-haiku-4-5");
    check(&small, &openrouter("z-ai/glm-4.5-air"));
    check(&Asked { draw: 79, ..small }, &openrouter("z-ai/glm-4.5-air"));
    let small = asked(example, MESSAGES, "claude-haiku-4-5");
    check(&Asked { draw: 80, ..small }, &openrouter("anthropic/claude-haiku-4.5"));
    let sonnet = "anthropic/claude-sonnet-4.5";
    check(&asked(example, MESSAGES, "claude-sonnet-4-5"), &openrouter(sonnet));
    check(&asked(example, MESSAGES, "claude-fast"), &openrouter("qwen/qwen3-coder"));
    check(&asked(example, MESSAGES, sonnet), &openrouter(sonnet));
    check(&asked(example, MESSAGES, "gpt-4o"), "no_route");
}

#[test]
fn team_keys() {
    let with = |headers: &'static [(&'static str, &'static str)], draw| Asked {
        headers,
        draw,
        ..asked("team-keys", CHAT, "z-ai/glm-4.5-air")
    };
    let openrouter = |variable: &str| {
        format!(
            "https://openrouter.ai/api/v1/chat/completions | z-ai/glm-4.5-air | \
             authorization: Bearer ${variable}"
        )
    };
    let search = &[("authorization", "Bearer not-a-real-key-search-team")];
    check(&with(search, 2), &openrouter("OPENROUTER_API_KEY"));
    check(&with(search, 3), &openrouter("OPENROUTER_API_KEY_2"));
    let support = &[("x-api-key", "not-a-real-key-support-team")];
    check(&with(support, 0), &openrouter("OPENROUTER_API_KEY"));
    check(&with(&[], 0), "unauthorized");
}

#[test]
fn ollama_litellm() {
    let example = "ollama-litellm";
    check(
        &asked(example, CHAT, "llama3.3"),
        "http://ollama.models.svc.cluster.local:11434/v1/chat/completions | llama3.3 | none",
    );
    check(
        &asked(example, MESSAGES, "qwen3-coder"),
        "http://ollama.models.svc.cluster.local:11434/v1/messages?beta=true | qwen3-coder | none",
    );
    check(
        &asked(example, CHAT, "gpt-4o-mini"),
        "http://litellm.models.svc.cluster.local:4000/v1/chat/completions | gpt-4o-mini | \
         authorization: Bearer $LITELLM_KEY",
    );
}

#[test]
fn openai_azure() {
    let example = "openai-azure";
    let azure = "https://example-resource.openai.azure.com/openai/v1/chat/completions | \
                 example-gpt-4o-mini-deployment | api-key: $AZURE_OPENAI_API_KEY";
    let openai = |model: &str| {
        format!(
            "https://api.openai.com/v1/chat/completions | {model} | \
             authorization: Bearer $OPENAI_API_KEY"
        )
    };
    check(&asked(example, CHAT, "gpt-4o-mini"), azure);
    let shared = asked(example, CHAT, "gpt-4o-mini");
    check(&Asked { draw: 70, ..shared }, &openai("gpt-4o-mini"));
    check(&asked(example, CHAT, "gpt-5"), &openai("gpt-5"));
}

#[test]
fn claude_code_on_models_of_openai_s_kind() {
    let example = "claude-code-openai-models";
    check(
        &asked(example, MESSAGES, "claude-haiku-4-5"),
        "https://api.z.ai/api/paas/v4/chat/completions | glm-4.5-air | \
         authorization: Bearer $ZAI_API_KEY",
    );
    check(
        &asked(example, MESSAGES, "claude-sonnet-4-5"),
        "https://openrouter.ai/api/v1/chat/completions | openai/gpt-5.1 | \
         authorization: Bearer $OPENROUTER_API_KEY",
    );
}

#[test]
fn openai_s_clients_on_claude() {
    let to = "https://api.anthropic.com/v1/messages";
    for (example, target, model, sent) in [
        ("codex-on-claude", RESPONSES, "gpt-5-codex", "claude-sonnet-4-5"),
        ("openai-sdk-on-claude", CHAT, "gpt-4o-mini", "claude-haiku-4-5"),
        ("openai-sdk-on-claude", RESPONSES, "claude-opus-4-1", "claude-opus-4-1"),
    ] {
        let expected = format!("{to} | {sent} | x-api-key: $ANTHROPIC_API_KEY");
        check(&asked(example, target, model), &expected);
    }
}
