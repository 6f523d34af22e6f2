use super::*;

const PROVIDERS: &str = "
ProviderSecret ns/openai: {provider: OpenAi, clientCredentials: Forward}
ProviderSecret ns/anthropic: {provider: Anthropic, clientCredentials: Forward}
ProviderSecret ns/broken: {provider: OpenAi, keys: [{name: a, secretRef: {name: no, key: no}}]}
Secret ns/clients: {a: key-a, b: key-b, same: key-a, bad: ''}
";

const BROKEN: [&str; 2] = [
    "Error ProviderSecret ns/broken spec.keys[0].secretRef: Secret 'no' is not in namespace 'ns'",
    "Error ProviderSecret ns/broken spec.keys: no key can be used, so nothing is sent to this \
     provider",
];

const OPENAI: &str = "1 https://api.openai.com/v1/- none()";

/// Routes as YAML; their faults (those of the broken provider are always there).
#[track_caller]
fn routes(yaml: &str, faults: &[&str]) -> Compiled {
    let faults: Vec<_> = faults.iter().chain(&BROKEN).copied().collect();
    check(&format!("{PROVIDERS}\n{yaml}"), &faults)
}

#[test]
fn weights_and_renames() {
    let compiled = routes(
        "LlmRoute ns/r: {rules: [{matches: [{model: 'm-*'}], targets: [
            {provider: {name: openai}, model: gpt, weight: 60},
            {provider: {name: openai}, weight: 20},
            {provider: {name: anthropic}, weight: 20}]}]}",
        &[],
    );
    assert_eq!(
        route(&compiled, "OpenAiChat m-1"),
        "60 https://api.openai.com/v1/- as gpt none() | 20 https://api.openai.com/v1/- none() | \
         20 https://api.anthropic.com/v1/- none() translated to AnthropicMessages"
    );
    assert_eq!(
        route(&compiled, "AnthropicMessages m-1"),
        "60 https://api.openai.com/v1/- as gpt none() translated to OpenAiChat | \
         20 https://api.openai.com/v1/- none() translated to OpenAiChat | \
         20 https://api.anthropic.com/v1/- none()"
    );
    assert_eq!(
        route(&compiled, "OpenAiEmbeddings m-1"),
        "60 https://api.openai.com/v1/- as gpt none() | 20 https://api.openai.com/v1/- none()"
    );
    assert_eq!(route(&compiled, "Gemini m-1"), "ns/r does not serve it");
    assert_eq!(route(&compiled, "OpenAiChat other"), "none");
}

/// FAULTS 29, DESIGN promise 3.
#[test]
fn a_rule_with_nothing_left_refuses() {
    let compiled = routes(
        "
LlmRoute ns/narrow: {rules: [{matches: [{model: m}], targets: [
    {provider: {name: broken}}, {provider: {name: nobody}}, {provider: {name: x, namespace: b}}]}]}
LlmRoute ns/wide: {rules: [{targets: [{provider: {name: openai}}, {provider: {name: broken}}]}]}
LlmRoute ns/zero: {rules: [{matches: [{model: z}], targets: [
    {provider: {name: openai}, weight: 0}]}, {matches: [{model: y}], targets: []}]}",
        &[
            "Error LlmRoute ns/narrow spec.rules[0].targets[0].provider: ProviderSecret ns/broken \
             has no endpoint and key that can be used; the target is left out",
            "Error LlmRoute ns/narrow spec.rules[0].targets[1].provider: there is no such \
             ProviderSecret: ns/nobody; the target is left out",
            "Error LlmRoute ns/narrow spec.rules[0].targets[2].provider: there is no such \
             ProviderSecret, or it does not let this namespace use it: b/x; the target is left out",
            "Error LlmRoute ns/narrow spec.rules[0].targets: no target can be used; calls that \
             match are refused with 503",
            "Error LlmRoute ns/wide spec.rules[0].targets[1].provider: ProviderSecret ns/broken \
             has no endpoint and key that can be used; the target is left out",
            "Error LlmRoute ns/zero spec.rules[0].targets: every target has weight 0; calls that \
             match are refused with 503",
            "Error LlmRoute ns/zero spec.rules[1].targets: there is no target; calls that match \
             are refused with 503",
        ],
    );
    let refused = |route: &str| format!("503 ns/{route}: no target of the rule can be used");
    assert_eq!(route(&compiled, "OpenAiChat m"), refused("narrow"));
    assert_eq!(route(&compiled, "OpenAiChat z"), refused("zero"));
    assert_eq!(route(&compiled, "OpenAiChat y"), refused("zero"));
    assert_eq!(route(&compiled, "OpenAiChat n"), OPENAI);
}

#[test]
fn targets_must_serve_what_is_asked() {
    let compiled = routes(
        "LlmRoute ns/r: {rules: [{matches: [{api: OpenAiEmbeddings}, {api: Gemini}], targets: [
            {provider: {name: anthropic}}, {provider: {name: openai}, model: ''},
            {provider: {name: openai}}]}, {matches: [{api: OpenAi}], targets: [
            {provider: {name: openai}}]}]}",
        &[
            "Error LlmRoute ns/r spec.rules[0].targets[0].provider: ProviderSecret \
             ns/anthropic serves no API that the rule's matches ask for; the target is left out",
            "Error LlmRoute ns/r spec.rules[0].targets[1].model: it is not a model name; the \
             target is left out",
            "Error LlmRoute ns/r spec.rules[0].matches[1].api: no target serves Gemini; such \
             calls are refused",
        ],
    );
    assert_eq!(route(&compiled, "OpenAiEmbeddings m"), OPENAI);
    assert_eq!(route(&compiled, "Gemini m"), "ns/r does not serve it");
    // `OpenAi` in a match is the whole family.
    assert_eq!(route(&compiled, "OpenAiResponses m"), OPENAI);
}

#[test]
fn a_wrong_match_is_left_out_and_the_others_stay() {
    let compiled = routes(
        "LlmRoute ns/r: {rules: [{matches: [{model: 'a*b'}, {model: ''}, {model: '**'},
            {headers: [{name: 'a b'}]}, {headers: [{name: authorization, value: Bearer x}]},
            {model: good, headers: [{name: X-A, value: '1'}, {name: x-b}]}],
            targets: [{provider: {name: openai}}]},
            {matches: [{model: '*c*'}], targets: [{provider: {name: openai}}]}]}",
        &[
            "Error LlmRoute ns/r spec.rules[0].matches[0].model: it is neither a name nor a \
             pattern; the match is left out",
            "Error LlmRoute ns/r spec.rules[0].matches[1].model: it is neither a name nor a \
             pattern; the match is left out",
            "Error LlmRoute ns/r spec.rules[0].matches[2].model: it is neither a name nor a \
             pattern; the match is left out",
            "Error LlmRoute ns/r spec.rules[0].matches[3].headers[0].name: it is not a header \
             name; the match is left out",
            "Error LlmRoute ns/r spec.rules[0].matches[4].headers[0].name: a match cannot look at a \
             credential; it is left out",
            "Error LlmRoute ns/r spec.rules[1].matches[0].model: it is neither a name nor a \
             pattern; the match is left out",
        ],
    );
    assert_eq!(route(&compiled, "OpenAiChat good x-a=1 x-b=2"), OPENAI);
    assert_eq!(route(&compiled, "OpenAiChat good x-a=1"), "none");
    assert_eq!(route(&compiled, "OpenAiChat a"), "none");
}

/// FAULTS 35.
#[test]
fn the_older_of_two_equal_matches_wins_and_the_other_is_told() {
    let target = "targets: [{provider: {name: openai}}]";
    let compiled = routes(
        &format!(
            "
LlmRoute ns/a@9: {{rules: [{{matches: [{{model: m}}], {target}}}, {{name: rest, {target}}}]}}
LlmRoute ns/b@5: {{rules: [{{name: first, matches: [{{model: m}}, {{model: m}}], {target}}}]}}
LlmRoute ns/c: {{rules: [{{name: rest, {target}}}]}}
LlmRoute ns/d: {{rules: [{{matches: [{{model: m, headers: [{{name: x}}]}}], {target}}}]}}
LlmRoute ns/e: {{rules: [{{matches: [{{model: n}}], {target}}}]}}
LlmRoute ns/f: {{rules: [{{matches: [{{model: n}}], {target}}}]}}"
        ),
        &[
            "Warning LlmRoute ns/a spec.rules[0].matches[0]: it never gets a call: rule 'first' \
             of ns/b, which is older, claims the same calls",
            "Warning LlmRoute ns/b spec.rules[0].matches[1]: it never gets a call: rule 'first' \
             of this route, which comes earlier, claims the same calls",
            "Warning LlmRoute ns/c spec.rules[0]: it never gets a call: rule 'rest' of ns/a, \
             which is older, claims the same calls",
            "Warning LlmRoute ns/f spec.rules[0].matches[0]: it never gets a call: rule 'rule-0' \
             of ns/e, whose name comes first, claims the same calls",
        ],
    );
    let winner = compiled.table.candidates.matching(Some("m")).nth(1);
    assert_eq!(winner.unwrap().rule.route.to_string(), "ns/b");
}

/// FAULTS 35: what is for other pods does not stand in the way.
#[test]
fn only_a_route_for_the_same_pods_takes_calls_away() {
    let rules = "rules: [{matches: [{model: m}], targets: [{provider: {name: openai}}]}]";
    let pods = |app: &str| format!("workloads: {{podSelector: {{matchLabels: {{app: {app}}}}}}}");
    routes(
        &format!(
            "
LlmRoute ns/a@1: {{{x}, {rules}}}
LlmRoute ns/b@2: {{{y}, {rules}}}
LlmRoute ns/c@3: {{{x}, {rules}}}
LlmRoute ns/d@4: {{workloads: {{podSelector: {{}}}}, {rules}}}
LlmRoute ns/e@5: {{{x}, {rules}}}
LlmRoute ns/f@6: {{{rules}}}",
            x = pods("x"),
            y = pods("y"),
        ),
        &[
            "Warning LlmRoute ns/c spec.rules[0].matches[0]: it never gets a call: rule 'rule-0' \
             of ns/a, which is older, claims the same calls",
            "Warning LlmRoute ns/e spec.rules[0].matches[0]: it never gets a call: rule 'rule-0' \
             of ns/a, which is older, claims the same calls",
            "Warning LlmRoute ns/f spec.rules[0].matches[0]: it never gets a call: rule 'rule-0' \
             of ns/d, which is older, claims the same calls",
        ],
    );
}

#[test]
fn a_selector_that_cannot_be_read_selects_nobody() {
    routes(
        "LlmRoute ns/r: {
            workloads: {podSelector: {matchExpressions: [{key: app, operator: In}]}},
            rules: [{targets: [{provider: {name: openai}}]}]}",
        &["Error LlmRoute ns/r spec.workloads.podSelector: In needs values"],
    );
}

#[test]
fn rule_names_are_distinct_labels() {
    let target = "targets: [{provider: {name: openai}}]";
    let compiled = routes(
        &format!(
            "LlmRoute ns/r: {{rules: [{{name: x, matches: [{{model: a}}], {target}}}, \
             {{matches: [{{model: b}}], {target}}}, {{name: x, matches: [{{model: c}}], {target}}}]}}"
        ),
        &["Warning LlmRoute ns/r spec.rules[2].name: there is another rule 'x'; this one is \
           'rule-2'"],
    );
    let names = compiled.table.candidates.iter().map(|c| &*c.rule.name);
    assert_eq!(names.collect::<Vec<_>>(), ["x", "rule-1", "rule-2"]);
}

#[test]
fn clients_are_told_apart_by_key() {
    let compiled = routes(
        "
LlmRoute ns/r: {clients: [{name: a, keyRef: {name: clients, key: a}},
    {name: b, keyRef: {name: clients, key: bad}}, {name: c, keyRef: {name: clients, key: no}},
    {name: a, keyRef: {name: clients, key: b}}, {name: d, keyRef: {name: clients, key: same}}],
    rules: [{matches: [{model: m}], targets: [{provider: {name: openai}}]}]}
LlmRoute ns/open: {rules: [{targets: [{provider: {name: openai}}]}]}
LlmRoute ns/shut: {clients: [{name: a, keyRef: {name: clients, key: bad}}],
    rules: [{matches: [{model: shut}], targets: [{provider: {name: openai}}]}]}",
        &[
            "Error LlmRoute ns/r spec.clients[1].keyRef: key 'bad' of Secret 'clients' is not \
             usable: the key is empty",
            "Error LlmRoute ns/r spec.clients[2].keyRef: Secret 'clients' has no key 'no'",
            "Error LlmRoute ns/r spec.clients[3].name: there is another client called 'a'",
            "Error LlmRoute ns/r spec.clients[4].keyRef: its key is that of client 'a' too",
            "Error LlmRoute ns/shut spec.clients[0].keyRef: key 'bad' of Secret 'clients' is not \
             usable: the key is empty",
            "Error LlmRoute ns/shut spec.clients: no client key can be used, so every call of \
             this route is refused",
        ],
    );
    assert!(compiled.table.candidates.has_clients());
    assert_eq!(route(&compiled, "OpenAiChat m key:key-a"), OPENAI);
    assert_eq!(route(&compiled, "OpenAiChat m key:key-b"), "401 ns/r");
    assert_eq!(route(&compiled, "OpenAiChat m"), "401 ns/r");
    assert_eq!(
        route(&compiled, "OpenAiChat shut"),
        "503 ns/shut: no client key of the route can be used"
    );
    assert_eq!(route(&compiled, "OpenAiChat other"), OPENAI);
}

#[test]
fn guarded_routes_may_share_a_match() {
    let rules = "rules: [{matches: [{model: m}], targets: [{provider: {name: openai}}]}]";
    let clients =
        |key: &str| format!("clients: [{{name: x, keyRef: {{name: clients, key: {key}}}}}]");
    let compiled = routes(
        &format!(
            "
LlmRoute ns/a: {{{}, {rules}}}
LlmRoute ns/b: {{{}, {rules}}}
LlmRoute ns/c: {{{}, {rules}}}
LlmRoute ns/d: {{{rules}}}",
            clients("a"),
            clients("b"),
            clients("same")
        ),
        &[
            "Warning LlmRoute ns/c spec.rules[0].matches[0]: it never gets a call: rule 'rule-0' \
             of ns/a, whose name comes first, claims the same calls",
            "Warning LlmRoute ns/d spec.rules[0].matches[0]: it never gets a call: rule 'rule-0' \
             of ns/a, whose name comes first, claims the same calls",
        ],
    );
    assert_eq!(route(&compiled, "OpenAiChat m key:key-b"), OPENAI);
    assert_eq!(route(&compiled, "OpenAiChat m"), "401 ns/a");
}

#[test]
fn timeouts_are_durations() {
    let compiled = routes(
        "LlmRoute ns/r: {rules: [
            {matches: [{model: a}], targets: [{provider: {name: openai}}]},
            {matches: [{model: b}], targets: [{provider: {name: openai}}],
             timeouts: {connect: 1s, firstByte: 1m30s, idle: 20s, keepAlive: 15s}},
            {matches: [{model: c}], targets: [{provider: {name: openai}}],
             timeouts: {connect: 0s, firstByte: '90', idle: 10s, keepAlive: 10s}}]}",
        &[
            "Error LlmRoute ns/r spec.rules[2].timeouts.connect: it must be longer than zero; the \
             default (5s) applies",
            "Error LlmRoute ns/r spec.rules[2].timeouts.firstByte: it is not a duration; the \
             default (900s) applies",
            "Error LlmRoute ns/r spec.rules[2].timeouts.keepAlive: it must be shorter than idle; \
             no keep-alive comments are sent",
        ],
    );
    let seconds = compiled.table.candidates.iter().map(|candidate| {
        let Action::Forward(forwarding) = &candidate.rule.action else {
            panic!("{:?}", candidate.rule.action);
        };
        let plans = forwarding.plans[Api::OpenAiChat as usize].as_ref();
        let timeouts = plans.unwrap().pick(0).timeouts;
        [
            timeouts.connect.as_secs(),
            timeouts.first_byte.as_secs(),
            timeouts.idle.as_secs(),
            timeouts.keep_alive.map_or(0, |keep_alive| keep_alive.as_secs()),
        ]
    });
    assert_eq!(seconds.collect::<Vec<_>>(), [[5, 900, 900, 0], [1, 90, 20, 15], [5, 900, 10, 0]]);
}

#[test]
fn workloads_mean_nothing_without_pods() {
    let mut world = world("LlmRoute ns/r: {workloads: {podSelector: {}}, rules: []}");
    world.workloads = world::Workloads::Ignored;
    assert_eq!(
        shown(&compile(&world).faults),
        [
            "Note LlmRoute ns/r spec.workloads: there are no pods to select here, so the route \
             applies to every call",
            "Warning LlmRoute ns/r spec.rules: the route has no rules",
        ]
    );
}

#[test]
fn an_endpoint_of_several_apis_is_one_plan() {
    let compiled = routes(
        "LlmRoute ns/r: {rules: [{targets: [{provider: {name: openai}, model: 'a\"b'}]}]}",
        &[],
    );
    let candidate = compiled.table.candidates.iter().next().unwrap();
    let Action::Forward(forwarding) = &candidate.rule.action else {
        panic!("{:?}", candidate.rule.action);
    };
    let plan = |api: Api| forwarding.plans[api as usize].as_ref().unwrap().pick(0);
    assert!(std::sync::Arc::ptr_eq(plan(Api::OpenAiChat), plan(Api::OpenAi)));
    let plan = plan(Api::OpenAi);
    assert_eq!(plan.rename.as_ref().unwrap().json, r#""a\"b""#);
    assert_eq!(&*plan.labels.route, "ns/r");
    assert_eq!(&*plan.labels.rule, "rule-0");
    assert_eq!(&*plan.labels.provider, "ns/openai");
    assert_eq!(plan.labels.vendor, "openai");
}
