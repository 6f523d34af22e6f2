use super::*;

/// A route that sends everything to ProviderSecret `ns/p`, and a Secret `ns/s` with keys.
fn with_provider(spec: &str) -> String {
    format!(
        "
ProviderSecret ns/p: {spec}
LlmRoute ns/r: {{rules: [{{targets: [{{provider: {{name: p}}}}]}}]}}
Secret ns/s: {{a: sk-a, b: sk-b, oauth: sk-ant-oat-1, bad: 'a b', empty: ''}}"
    )
}

const KEY: &str = "keys: [{name: main, secretRef: {name: s, key: a}}]";

/// A provider without faults, and where its calls go.
#[track_caller]
fn goes(spec: &str, call: &str, expected: &str) {
    let compiled = check(&with_provider(spec), &[]);
    assert_eq!(route(&compiled, call), expected);
}

/// A provider with faults.
#[track_caller]
fn faulty(spec: &str, faults: &[&str]) -> Compiled {
    let compiled = compile(&world(&with_provider(spec)));
    let shown = shown(&compiled.faults);
    let shown: Vec<_> = shown
        .iter()
        .filter_map(|fault| fault.split_once(" ProviderSecret ns/p spec."))
        .map(|(severity, rest)| format!("{severity} {rest}"))
        .collect();
    assert_eq!(shown, faults);
    compiled
}

const REFUSED: &str = "503 ns/r: no target of the rule can be used";

#[test]
fn presets_need_a_key_and_nothing_else() {
    goes(
        &format!("{{provider: OpenAi, {KEY}}}"),
        "OpenAiChat m",
        "1 https://api.openai.com/v1/- main(authorization: Bearer sk-a)",
    );
    goes(
        &format!("{{provider: Anthropic, {KEY}}}"),
        "AnthropicMessages m",
        "1 https://api.anthropic.com/v1/- main(x-api-key: sk-a)",
    );
    goes(
        &format!("{{provider: Gemini, {KEY}}}"),
        "Gemini m",
        "1 https://generativelanguage.googleapis.com/v1/- main(x-goog-api-key: sk-a)",
    );
    goes(
        &format!(
            "{{provider: Aliyun, parameters: {{region: cn-hongkong, workspaceId: w}}, {KEY}}}"
        ),
        "AnthropicMessages m",
        "1 https://w.cn-hongkong.maas.aliyuncs.com/apps/anthropic/v1/- \
         main(authorization: Bearer sk-a)",
    );
}

#[test]
fn every_preset_compiles() {
    for (vendor, parameters, call) in [
        ("Anthropic", "", "AnthropicMessages m"),
        ("Aliyun", "", "OpenAiEmbeddings m"),
        ("OpenAi", "", "OpenAi -"),
        ("AzureOpenAi", "resource: r", "OpenAiResponses m"),
        ("Bedrock", "region: eu-west-1", "OpenAiChat m"),
        ("BedrockMantle", "region: eu-west-1", "AnthropicMessages m"),
        ("Vertex", "project: p", "Gemini m"),
        ("Gemini", "", "OpenAiChat m"),
        ("OpenRouter", "region: eu", "AnthropicMessages m"),
        ("DeepSeek", "", "OpenAiChat m"),
        ("Moonshot", "region: cn", "OpenAiResponses m"),
        ("Zai", "plan: coding", "OpenAiChat m"),
        ("Mistral", "", "OpenAiEmbeddings m"),
        ("Groq", "", "OpenAiResponses m"),
        ("XAi", "region: us", "OpenAiResponses m"),
        ("Together", "", "OpenAiChat m"),
    ] {
        let spec = format!("{{provider: {vendor}, parameters: {{{parameters}}}, {KEY}}}");
        let compiled = check(&with_provider(&spec), &[]);
        let found = route(&compiled, call);
        assert!(found.starts_with("1 https://"), "{vendor}: {found}");
    }
}

#[test]
fn self_hosted_ones_need_an_endpoint() {
    for vendor in ["Ollama", "Vllm", "LiteLlm", "Custom"] {
        let api = "{api: OpenAi, baseUrl: 'http://host:4000/'}";
        goes(
            &format!("{{provider: {vendor}, endpoints: [{api}]}}"),
            "OpenAiChat m",
            "1 http://host:4000/v1/- none()",
        );
        let missing = format!("Error endpoints: {vendor} has no host of its own");
        let compiled = faulty(&format!("{{provider: {vendor}}}"), &[&missing]);
        assert_eq!(route(&compiled, "OpenAiChat m"), REFUSED);
    }
}

#[test]
fn endpoints_override_by_api() {
    let spec = format!(
        "{{provider: Aliyun, {KEY}, endpoints: [{{api: AnthropicMessages, baseUrl: \
         'https://dashscope.aliyuncs.com/api/v2/apps/claude-code-proxy'}}]}}"
    );
    goes(
        &spec,
        "AnthropicMessages m",
        "1 https://dashscope.aliyuncs.com/api/v2/apps/claude-code-proxy/v1/- \
         main(authorization: Bearer sk-a)",
    );
    goes(
        &spec,
        "OpenAiChat m",
        "1 https://dashscope.aliyuncs.com/compatible-mode/v1/- main(authorization: Bearer sk-a)",
    );
    // The dated Azure API: the model stands in the path, and no resource need be given.
    goes(
        &format!(
            "{{provider: AzureOpenAi, {KEY}, endpoints: [{{api: OpenAiChat, baseUrl: \
             'https://r.openai.azure.com/openai/deployments/{{model}}?api-version=2024-10-21'}}]}}"
        ),
        "OpenAiChat gpt/4",
        "1 https://r.openai.azure.com/openai/deployments/gpt%2F4/-?api-version=2024-10-21 \
         main(api-key: sk-a)",
    );
}

#[test]
fn a_family_that_moved_leaves_nothing_at_the_vendor() {
    let spec = format!(
        "{{provider: DeepSeek, {KEY}, endpoints: [{{api: OpenAi, baseUrl: 'https://mirror'}}]}}"
    );
    let mirror = "1 https://mirror/v1/- main(authorization: Bearer sk-a)";
    goes(&spec, "OpenAiChat m", mirror);
    goes(&spec, "OpenAi -", mirror);
    goes(
        &spec,
        "AnthropicMessages m",
        "1 https://api.deepseek.com/anthropic/v1/- main(x-api-key: sk-a)",
    );
}

#[test]
fn a_wrong_endpoint_does_not_fall_back() {
    let compiled = faulty(
        &format!(
            "{{provider: OpenAi, {KEY}, endpoints: [{{api: OpenAiChat, baseUrl: \
             'https://169.254.169.254'}}, {{api: OpenAiChat, baseUrl: 'https://h'}}, \
             {{api: Gemini}}, {{api: OpenAiEmbeddings, auth: {{type: ApiKeyHeader}}}}]}}"
        ),
        &[
            "Error endpoints[0].baseUrl: the base URL's host is on the list of hosts that are \
             never called",
            "Error endpoints[1].api: there is another endpoint for OpenAiChat",
            "Error endpoints[2].baseUrl: OpenAi has no base URL of its own for Gemini",
            "Error endpoints[3].auth.name: ApiKeyHeader needs a name",
        ],
    );
    for call in ["OpenAiChat m", "OpenAiEmbeddings m", "Gemini m"] {
        assert_eq!(route(&compiled, call), "ns/r does not serve it");
    }
    let rest = route(&compiled, "OpenAiResponses m");
    assert!(rest.starts_with("1 https://api.openai.com/v1/-"), "{rest}");
}

#[test]
fn parameters_are_checked() {
    let compiled = faulty(
        &format!("{{provider: Bedrock, {KEY}, parameters: {{zone: a}}}}"),
        &[
            "Error parameters.zone: the preset has no parameter 'zone'; it takes region",
            "Error parameters: the preset's URL needs the parameter 'region'; the preset takes \
             region",
        ],
    );
    assert_eq!(route(&compiled, "OpenAiChat m"), REFUSED);
    let compiled = faulty(
        &format!("{{provider: Bedrock, {KEY}, parameters: {{region: 'evil.example/x'}}}}"),
        &["Error parameters.region: the value of 'region' must be a DNS label"],
    );
    assert_eq!(route(&compiled, "OpenAiChat m"), REFUSED);
}

#[test]
fn auth_forms() {
    for (auth, shown) in [
        ("{type: Bearer}", "main(authorization: Bearer sk-a)"),
        ("{type: ApiKeyHeader, name: X-Key}", "main(x-key: sk-a)"),
        ("{type: QueryParameter, name: key}", "main(?key=sk%2Da)"),
        ("{type: None}", "none()"),
    ] {
        goes(
            &format!("{{provider: Anthropic, auth: {auth}, {KEY}}}"),
            "AnthropicMessages m",
            &format!("1 https://api.anthropic.com/v1/- {shown}"),
        );
    }
    // An endpoint's own form stands before the common one.
    goes(
        &format!(
            "{{provider: Anthropic, auth: {{type: Bearer}}, {KEY}, endpoints: \
             [{{api: AnthropicMessages, auth: {{type: ApiKeyHeader, name: api-key}}}}]}}"
        ),
        "AnthropicMessages m",
        "1 https://api.anthropic.com/v1/- main(api-key: sk-a)",
    );
    for (auth, fault) in [
        ("{type: QueryParameter}", "QueryParameter needs a name"),
        ("{type: Bearer, name: x}", "Bearer takes no name"),
        ("{type: ApiKeyHeader, name: Host}", "it is not a header that can carry a key"),
        ("{type: ApiKeyHeader, name: \"a\\r\\nb\"}", "it is not a header that can carry a key"),
    ] {
        let fault = format!("Error auth.name: {fault}");
        let compiled = faulty(&format!("{{provider: OpenAi, auth: {auth}, {KEY}}}"), &[&fault]);
        assert_eq!(route(&compiled, "OpenAiChat m"), REFUSED);
    }
}

#[test]
fn an_oauth_token_stays_bearer() {
    goes(
        "{provider: Anthropic, keys: [{name: a, weight: 3, secretRef: {name: s, key: a}}, \
         {name: o, secretRef: {name: s, key: oauth}}]}",
        "AnthropicMessages m",
        "1 https://api.anthropic.com/v1/- a*3(x-api-key: sk-a) \
         o(authorization: Bearer sk-ant-oat-1)",
    );
}

/// FAULTS 29.
#[test]
fn an_account_without_a_usable_key_is_left_out() {
    let compiled = faulty(
        "{provider: OpenAi, keys: [
            {name: a, secretRef: {name: s, key: bad}},
            {name: b, secretRef: {name: s, key: empty}},
            {name: c, secretRef: {name: s, key: nope}},
            {name: d, secretRef: {name: nope, key: a}},
            {name: e, secretRef: {name: s, key: b}, weight: 2},
            {name: e, secretRef: {name: s, key: a}},
            {name: f, secretRef: {name: s, key: a}, weight: 0}]}",
        &[
            "Error keys[0].secretRef: key 'bad' of Secret 's' is not usable: the key has a line \
             break, a space, a control character or a non-ASCII byte inside",
            "Error keys[1].secretRef: key 'empty' of Secret 's' is not usable: the key is empty",
            "Error keys[2].secretRef: Secret 's' has no key 'nope'",
            "Error keys[3].secretRef: Secret 'nope' is not in namespace 'ns'",
            "Error keys[5].name: there is another key called 'e'",
        ],
    );
    assert_eq!(
        route(&compiled, "OpenAiChat m"),
        "1 https://api.openai.com/v1/- e*2(authorization: Bearer sk-b)"
    );
    let compiled = faulty(
        "{provider: OpenAi, keys: [{name: a, secretRef: {name: s, key: a}, weight: 0}]}",
        &["Error keys: no key can be used, so nothing is sent to this provider"],
    );
    assert_eq!(route(&compiled, "OpenAiChat m"), REFUSED);
}

#[test]
fn client_credentials_know_the_vendors_keys() {
    let compiled = check(
        &with_provider("{provider: Anthropic, clientCredentials: ForwardIfProviderKey}"),
        &[],
    );
    let candidate = compiled.table.candidates.iter().next().unwrap();
    let Action::Forward(forwarding) = &candidate.rule.action else {
        panic!("{:?}", candidate.rule.action);
    };
    let plans = forwarding.plans[Api::AnthropicMessages as usize].as_ref();
    let plan = plans.unwrap().pick(0);
    let ClientCredentials::ForwardIfProviderKey(keys) = &plan.client_credentials else {
        panic!("{:?}", plan.client_credentials);
    };
    assert_eq!(keys.header, "x-api-key");
    assert_eq!(keys.api_key_prefixes, ["sk-ant-"]);
    assert_eq!(keys.bearer_prefixes, ["sk-ant-oat"]);
    faulty(
        "{provider: DeepSeek, clientCredentials: ForwardIfProviderKey}",
        &["Warning clientCredentials: keys of DeepSeek have no prefix of their own, so every \
           credential is replaced"],
    );
    faulty(
        "{provider: OpenAi}",
        &["Warning keys: there are no keys, and the callers' own are taken away"],
    );
    faulty("{provider: OpenAi, clientCredentials: Forward}", &[]);
}

/// FAULTS 30.
#[test]
fn header_rules_cannot_touch_framing_or_credentials() {
    let spec = |headers: &str| format!("{{provider: OpenAi, {KEY}, headers: {{{headers}}}}}");
    goes(
        &spec("set: {OpenAI-Organization: org, X-Title: a b}, remove: [X-Title, user-agent]"),
        "OpenAiChat m",
        "1 https://api.openai.com/v1/- main(authorization: Bearer sk-a)",
    );
    for name in [
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "connection",
        "Keep-Alive",
        "TE",
        "trailer",
        "upgrade",
        "Proxy-Authorization",
    ] {
        let lower = name.to_lowercase();
        let fault = format!("'{lower}' belongs to the connection, which Pillion looks after");
        header_fault(&spec(&format!("set: {{{name}: x}}")), &format!("set.{name}: {fault}"));
        header_fault(&spec(&format!("remove: [{name}]")), &format!("remove[0]: {fault}"));
    }
    for name in ["Authorization", "x-api-key", "api-key", "x-goog-api-key", "Cookie"] {
        let fault = format!("'{}' carries credentials", name.to_lowercase());
        header_fault(&spec(&format!("set: {{{name}: x}}")), &format!("set.{name}: {fault}"));
    }
    for (name, shown) in [("':path'", ":path"), ("''", ""), ("'a b'", "ab"), ("\"a\\r\\nb\"", "ab")]
    {
        let headers = spec(&format!("set: {{{name}: x}}"));
        header_fault(&headers, &format!("set.{shown}: it is not a header name"));
    }
    for value in ["\"a\\r\\nX: y\"", "\"a\\0\"", "\"a\\n\"", "schl\u{fc}ssel"] {
        header_fault(
            &spec(&format!("set: {{x-a: {value}}}")),
            "set.x-a: its value has a line break, a control character or a non-ASCII character",
        );
    }
    header_fault(&spec("set: {x-a: '1', X-A: '2'}"), "set.x-a: the header is set twice");
}

#[track_caller]
fn header_fault(spec: &str, fault: &str) {
    let compiled = faulty(spec, &[&format!("Error headers.{fault}")]);
    assert_eq!(route(&compiled, "OpenAiChat m"), REFUSED);
}

#[test]
fn header_rules_cannot_touch_the_key() {
    let auth = "auth: {type: ApiKeyHeader, name: x-team-key}";
    let compiled = faulty(
        &format!("{{provider: OpenAi, {auth}, {KEY}, headers: {{remove: [X-Team-Key]}}}}"),
        &["Error headers: 'x-team-key' carries the key"],
    );
    assert_eq!(route(&compiled, "OpenAiChat m"), REFUSED);
}

#[test]
fn a_ca_is_read_or_nothing_is_sent() {
    for bundle in ["''", "nonsense", "\"-----BEGIN CERTIFICATE-----\\n!\\n\""] {
        let compiled = faulty(
            &format!("{{provider: OpenAi, {KEY}, tls: {{caBundle: {bundle}}}}}"),
            &["Error tls.caBundle: it holds no readable certificates"],
        );
        assert_eq!(route(&compiled, "OpenAiChat m"), REFUSED);
    }
    let key = rcgen::generate_simple_self_signed(["h".to_owned()]).unwrap();
    let pem = key.cert.pem().replace('\r', "").replace('\n', "\\n");
    let spec = format!("{{provider: OpenAi, {KEY}, tls: {{caBundle: \"{pem}\"}}}}");
    check(&with_provider(&spec), &[]);
}

/// FAULTS 36: another namespace's provider only if it says so.
#[test]
fn grants() {
    let compile_from = |allowed: &str, labels: &str| {
        compile(&world(&format!(
            "
ProviderSecret a/p: {{provider: OpenAi, clientCredentials: Forward, \
    allowedRoutes: {{namespaces: {allowed}}}}}
LlmRoute b/r: {{rules: [{{targets: [{{provider: {{name: p, namespace: a}}}}]}}]}}
{labels}"
        )))
    };
    for (allowed, labels, granted) in [
        ("{from: Same}", "", false),
        ("{from: All}", "", true),
        ("{from: Selector}", "", false),
        ("{from: Selector, selector: {}}", "", true),
        ("{from: All, selector: {}}", "", false),
        ("{from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: b}}}", "", true),
        (
            "{from: Selector, selector: {matchLabels: {team: x, env: y}}}",
            "Namespace b: {team: x}",
            false,
        ),
        (
            "{from: Selector, selector: {matchLabels: {team: x}, matchExpressions: [\
             {key: env, operator: In, values: [y, z]}, {key: team, operator: Exists}, \
             {key: no, operator: DoesNotExist}, {key: no, operator: NotIn, values: [a]}]}}",
            "Namespace b: {team: x, env: z}",
            true,
        ),
        (
            "{from: Selector, selector: {matchExpressions: [{key: env, operator: In}]}}",
            "Namespace b: {env: z}",
            false,
        ),
        (
            "{from: Selector, selector: {matchExpressions: [{key: env, operator: Like}]}}",
            "Namespace b: {env: z}",
            false,
        ),
    ] {
        let compiled = compile_from(allowed, labels);
        let forwarded = route(&compiled, "OpenAiChat m").starts_with("1 https://");
        assert_eq!(forwarded, granted, "{allowed} {labels}");
    }
}

/// The same dialect wins, then the caller's own family; an endpoint that is wrong is not translated
/// around.
#[test]
fn what_no_endpoint_speaks_is_translated() {
    for (endpoints, expected) in [
        ("{api: OpenAiChat, baseUrl: 'http://h/v1'}", ["as it comes", "OpenAiChat", "OpenAiChat"]),
        (
            "{api: OpenAiResponses, baseUrl: 'http://h/v1'}",
            ["OpenAiResponses", "as it comes", "OpenAiResponses"],
        ),
        (
            "{api: AnthropicMessages, baseUrl: 'http://h'}",
            ["AnthropicMessages", "AnthropicMessages", "as it comes"],
        ),
        (
            "{api: OpenAiResponses, baseUrl: 'http://h'}, {api: AnthropicMessages, baseUrl: \
             'http://h'}",
            ["OpenAiResponses", "as it comes", "as it comes"],
        ),
        ("{api: OpenAi, baseUrl: 'http://h/v1'}", ["as it comes", "as it comes", "OpenAiChat"]),
        (
            "{api: OpenAiChat, baseUrl: 'http://h/v1'}, {api: AnthropicMessages, baseUrl: 'ftp://h'}",
            ["as it comes", "OpenAiChat", "not at all"],
        ),
        ("{api: OpenAiEmbeddings, baseUrl: 'http://h/v1'}", ["not at all"; 3]),
    ] {
        let yaml = format!(
            "ProviderSecret ns/p: {{provider: Custom, auth: {{type: None}}, endpoints: \
             [{endpoints}]}}\nLlmRoute ns/r: {{rules: [{{targets: [{{provider: {{name: p}}}}]}}]}}"
        );
        let compiled = compile(&world(&yaml));
        let apis = ["OpenAiChat", "OpenAiResponses", "AnthropicMessages"];
        let served = apis.map(|api| match route(&compiled, &format!("{api} m")) {
            route if route.contains("does not serve") => "not at all".to_owned(),
            route => match route.split_once("translated to ") {
                Some((_, to)) => to.to_owned(),
                None => "as it comes".to_owned(),
            },
        });
        assert_eq!(served, expected, "{endpoints}");
    }
}
