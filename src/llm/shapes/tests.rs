use super::{ErrorKind, ListedModel, error_body, error_event, model, model_list};
use crate::llm::{Api, Dialect};

fn check_error(dialect: Dialect, kind: ErrorKind, status: u16, expected: &str) {
    assert_eq!(error_body(dialect, kind, status, "why"), expected, "{kind:?}");
}

fn check_event(api: Api, expected: &str) {
    assert_eq!(error_event(api, ErrorKind::Api, 502, "a \"b\"\n\u{2028}é"), expected, "{api:?}");
}

#[test]
fn open_ai_errors() {
    for (kind, status, error_type, code) in [
        (ErrorKind::InvalidRequest, 400, "invalid_request_error", "null"),
        (ErrorKind::Authentication, 401, "invalid_request_error", "\"invalid_api_key\""),
        (ErrorKind::NotFound, 404, "invalid_request_error", "null"),
        (ErrorKind::UnknownModel, 404, "invalid_request_error", "\"model_not_found\""),
        (ErrorKind::TooLarge, 413, "invalid_request_error", "null"),
        (ErrorKind::Overloaded, 503, "service_unavailable_error", "\"server_is_overloaded\""),
        (ErrorKind::Api, 502, "server_error", "null"),
        (ErrorKind::Timeout, 504, "server_error", "null"),
    ] {
        let error = format!(
            r#"{{"error":{{"message":"why","type":"{error_type}","param":null,"code":{code}}}}}"#
        );
        check_error(Dialect::OpenAi, kind, status, &error);
    }
}

#[test]
fn anthropic_errors() {
    for (kind, status, word) in [
        (ErrorKind::InvalidRequest, 400, "invalid_request_error"),
        (ErrorKind::Authentication, 401, "authentication_error"),
        (ErrorKind::NotFound, 404, "not_found_error"),
        (ErrorKind::UnknownModel, 404, "not_found_error"),
        (ErrorKind::TooLarge, 413, "request_too_large"),
        (ErrorKind::Overloaded, 503, "overloaded_error"),
        (ErrorKind::Api, 500, "api_error"),
        (ErrorKind::Timeout, 504, "timeout_error"),
    ] {
        let error = format!(r#"{{"type":"error","error":{{"type":"{word}","message":"why"}}}}"#);
        check_error(Dialect::Anthropic, kind, status, &error);
    }
}

#[test]
fn gemini_errors() {
    for (kind, status, word) in [
        (ErrorKind::InvalidRequest, 400, "INVALID_ARGUMENT"),
        (ErrorKind::InvalidRequest, 405, "INVALID_ARGUMENT"),
        (ErrorKind::InvalidRequest, 408, "DEADLINE_EXCEEDED"),
        (ErrorKind::InvalidRequest, 501, "UNIMPLEMENTED"),
        (ErrorKind::Authentication, 401, "UNAUTHENTICATED"),
        (ErrorKind::NotFound, 404, "NOT_FOUND"),
        (ErrorKind::UnknownModel, 404, "NOT_FOUND"),
        (ErrorKind::TooLarge, 413, "INVALID_ARGUMENT"),
        (ErrorKind::Overloaded, 503, "UNAVAILABLE"),
        (ErrorKind::Api, 500, "INTERNAL"),
        (ErrorKind::Api, 502, "UNAVAILABLE"),
        (ErrorKind::Api, 503, "UNAVAILABLE"),
        (ErrorKind::Timeout, 504, "DEADLINE_EXCEEDED"),
    ] {
        let error = format!(r#"{{"error":{{"code":{status},"message":"why","status":"{word}"}}}}"#);
        check_error(Dialect::Gemini, kind, status, &error);
    }
}

#[test]
fn events() {
    let message = "\"message\":\"a \\\"b\\\"\\n\u{2028}é\"";
    let open_ai = format!(r#"{{{message},"type":"server_error","param":null,"code":null}}"#);
    for api in [Api::OpenAiChat, Api::OpenAiEmbeddings, Api::OpenAi] {
        check_event(api, &format!("data: {{\"error\":{open_ai}}}\n\n"));
    }
    let responses = format!(
        r#"{{"type":"error","sequence_number":0,"code":null,{message},{}}}"#,
        format_args!(r#""param":null,"error":{open_ai}"#)
    );
    check_event(Api::OpenAiResponses, &format!("event: error\ndata: {responses}\n\n"));
    let anthropic = format!(r#"{{"type":"error","error":{{"type":"api_error",{message}}}}}"#);
    check_event(Api::AnthropicMessages, &format!("event: error\ndata: {anthropic}\n\n"));
    let gemini = format!(r#"{{"error":{{"code":502,{message},"status":"UNAVAILABLE"}}}}"#);
    check_event(Api::Gemini, &format!("data: {gemini}\r\n\r\n"));
}

fn listed(id: &str) -> ListedModel {
    ListedModel { id: id.into(), display_name: format!("\"{id}\""), owned_by: "openrouter".into() }
}

#[test]
fn lists() {
    let (first, second) = (listed("z-ai/glm-4.5-air"), listed("b"));
    let check = |dialect, expected: &str| {
        assert_eq!(model_list(dialect, &[&first, &second], None), expected);
    };
    check(
        Dialect::OpenAi,
        concat!(
            r#"{"object":"list","data":["#,
            r#"{"id":"z-ai/glm-4.5-air","object":"model","created":0,"owned_by":"openrouter"},"#,
            r#"{"id":"b","object":"model","created":0,"owned_by":"openrouter"}]}"#,
        ),
    );
    check(
        Dialect::Anthropic,
        concat!(
            r#"{"data":[{"type":"model","id":"z-ai/glm-4.5-air","#,
            r#""display_name":"\"z-ai/glm-4.5-air\"","#,
            r#""created_at":"1970-01-01T00:00:00Z","lifecycle":"active"},"#,
            r#"{"type":"model","id":"b","display_name":"\"b\"","#,
            r#""created_at":"1970-01-01T00:00:00Z","lifecycle":"active"}],"#,
            r#""has_more":false,"first_id":"z-ai/glm-4.5-air","last_id":"b"}"#,
        ),
    );
    check(
        Dialect::Gemini,
        concat!(
            r#"{"models":[{"name":"models/z-ai/glm-4.5-air","displayName":"\"z-ai/glm-4.5-air\"","#,
            r#""supportedGenerationMethods":["generateContent","#,
            r#""streamGenerateContent","countTokens"]},"#,
            r#"{"name":"models/b","displayName":"\"b\"","#,
            r#""supportedGenerationMethods":["generateContent","#,
            r#""streamGenerateContent","countTokens"]}]}"#,
        ),
    );
    assert_eq!(
        model(Dialect::OpenAi, &second),
        r#"{"id":"b","object":"model","created":0,"owned_by":"openrouter"}"#
    );
}

#[test]
fn empty_lists() {
    let check = |dialect, expected: &str| assert_eq!(model_list(dialect, &[], None), expected);
    check(Dialect::OpenAi, r#"{"object":"list","data":[]}"#);
    check(Dialect::Anthropic, r#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#);
    check(Dialect::Gemini, r#"{"models":[]}"#);
}

/// Which of the models `m/0` to `m/24` are on the page that the query asks for; `+` if more follow.
fn check_page(query: &str, expected: impl IntoIterator<Item = usize>, more: &str) {
    let models: Vec<ListedModel> = (0..25).map(|n| listed(&format!("m/{n}"))).collect();
    let models: Vec<&ListedModel> = models.iter().collect();
    let page = model_list(Dialect::Anthropic, &models, Some(query));
    let page: serde_json::Value = serde_json::from_slice(&page).unwrap();
    let ids: Vec<&str> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = expected.into_iter().map(|n| format!("m/{n}")).collect();
    assert_eq!(ids, expected, "{query}");
    assert_eq!(page["has_more"].as_bool().unwrap(), more == "+", "{query}");
    assert_eq!(page["first_id"].as_str(), expected.first().map(String::as_str), "{query}");
    assert_eq!(page["last_id"].as_str(), expected.last().map(String::as_str), "{query}");
}

#[test]
fn pages() {
    check_page("", 0..20, "+");
    check_page("limit=1000", 0..25, "");
    check_page("limit=25", 0..25, "");
    check_page("limit=24", 0..24, "+");
    check_page("limit=0", 0..1, "+");
    check_page("limit=99999999", 0..25, "");
    check_page("limit=99999999999999999999999", 0..20, "+");
    check_page("limit=x&beta=true&flag", 0..20, "+");
    check_page("after_id=m%2F19", 20..25, "");
    check_page("limit=3&after_id=m/2", 3..6, "+");
    check_page("after_id=m/24", 0..0, "");
    check_page("after_id=gone", 0..0, "");
    check_page("limit=3&before_id=m%2f5", 2..5, "+");
    check_page("limit=3&before_id=m/3", 0..3, "");
    check_page("before_id=m/0", 0..0, "");
    check_page("before_id=gone", 0..0, "");
}
