use super::*;

const PROVIDERS: &str = "
ProviderSecret ns/a: {provider: OpenAi, clientCredentials: Forward, models: [
    {name: gpt-1, displayName: GPT One}, {name: gpt-2}, {name: o-1}]}
ProviderSecret ns/b: {provider: Anthropic, clientCredentials: Forward, models: [
    {name: claude-1, displayName: Claude One}, {name: gpt-1}]}
Secret ns/clients: {a: key-a, b: key-b}
";

/// Routes as YAML, and what is listed: `id (display name) of owner by route`.
#[track_caller]
fn listed(yaml: &str, expected: &[&str]) -> Compiled {
    let compiled = check(&format!("{PROVIDERS}\n{yaml}"), &[]);
    let shown = compiled.table.models.iter().map(|listing| {
        let model = &listing.model;
        let (id, name, owner) = (&model.id, &model.display_name, &model.owned_by);
        format!("{id} ({name}) of {owner} by {}", listing.rule.route.name)
    });
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    compiled
}

#[test]
fn names_and_what_patterns_reach_are_listed() {
    let compiled = listed(
        "
LlmRoute ns/r: {rules: [
    {matches: [{model: alias}], targets: [{provider: {name: a}, model: gpt-9}]},
    {matches: [{model: gpt-2}], targets: [{provider: {name: b}}, {provider: {name: a}}]},
    {matches: [{model: 'gpt-*'}], targets: [{provider: {name: b}, model: x}, {provider: {name: a}}]},
    {matches: [{model: '*-1'}], targets: [{provider: {name: a}, model: y}]}]}",
        &[
            "alias (alias) of a by r",
            "gpt-1 (GPT One) of a by r",
            "gpt-2 (gpt-2) of b by r",
        ],
    );
    let label = |model| compiled.table.model_label(model).to_string();
    for declared in ["alias", "gpt-9", "gpt-2", "x", "y", "o-1", "claude-1"] {
        assert_eq!(label(Some(declared)), declared);
    }
    for other in [None, Some("gpt-*"), Some("junk"), Some("")] {
        assert_eq!(label(other), "other");
    }
}

#[test]
fn a_pattern_lists_only_what_it_wins() {
    listed(
        "
LlmRoute ns/all: {rules: [{targets: [{provider: {name: a}}, {provider: {name: b}}]}]}
LlmRoute ns/gpt: {rules: [{matches: [{model: 'gpt-*'}], targets: [
    {provider: {name: a}, model: gpt-1}]}]}
LlmRoute ns/o: {rules: [{matches: [{model: 'o-*', api: Gemini}], targets: [
    {provider: {name: g}}]}]}
ProviderSecret ns/g: {provider: Gemini, clientCredentials: Forward, models: [{name: o-1}]}",
        &[
            // Nothing of `gpt-*`, which renames and takes them from `all`.
            "claude-1 (Claude One) of b by all",
            // `o` takes it for one API, `all` for the others: once is enough.
            "o-1 (o-1) of g by o",
        ],
    );
}

#[test]
fn a_rule_that_refuses_lists_nothing() {
    let compiled = compile(&world(&format!(
        "{PROVIDERS}
LlmRoute ns/all: {{rules: [{{targets: [{{provider: {{name: a}}}}]}}]}}
LlmRoute ns/no: {{rules: [{{matches: [{{model: gpt-1}}, {{model: x}}], targets: []}}]}}"
    )));
    let ids = compiled.table.models.iter().map(|l| &*l.model.id);
    assert_eq!(ids.collect::<Vec<_>>(), ["gpt-2", "o-1"]);
}

#[test]
fn guarded_models_are_listed_for_their_callers() {
    let clients =
        |key: &str| format!("clients: [{{name: x, keyRef: {{name: clients, key: {key}}}}}]");
    let rules = |matches: &str| {
        format!("rules: [{{matches: [{matches}], targets: [{{provider: {{name: a}}}}]}}]")
    };
    listed(
        &format!(
            "
LlmRoute ns/guarded: {{{}, {}}}
LlmRoute ns/other: {{{}, {}}}
LlmRoute ns/open: {{{}}}",
            clients("a"),
            rules("{model: gpt-1}, {model: 'gpt-*'}"),
            clients("b"),
            rules("{model: '*'}"),
            rules("{model: 'gpt*'}, {model: 'o*', headers: [{name: x}]}"),
        ),
        &[
            // The open route never gets gpt-1: a guarded one claims it.
            "gpt-1 (GPT One) of a by guarded",
            "gpt-1 (GPT One) of a by other",
            "gpt-2 (gpt-2) of a by guarded",
            "gpt-2 (gpt-2) of a by other",
            "o-1 (o-1) of a by open",
            "o-1 (o-1) of a by other",
        ],
    );
}

#[test]
fn a_list_has_an_end() {
    let models: Vec<_> = (0..10_001).map(|n| format!("{{name: m{n:05}}}")).collect();
    let compiled = compile(&world(&format!(
        "
ProviderSecret ns/p: {{provider: OpenAi, clientCredentials: Forward, models: [{}]}}
LlmRoute ns/r: {{rules: [{{targets: [{{provider: {{name: p}}}}]}}]}}",
        models.join(",")
    )));
    assert_eq!(compiled.table.models.len(), 10_000);
    assert_eq!(
        shown(&compiled.faults),
        ["Warning LlmRoute ns/r spec.rules: from here on models are not listed: there are more \
          than 10000"]
    );
}

/// A thousand guarded routes over a thousand models would be a million lines.
#[test]
fn hostile_numbers_end_too() {
    let models: Vec<_> = (0..1_000).map(|n| format!("{{name: m{n:05}}}")).collect();
    let mut yaml = format!(
        "Secret ns/clients: {{a: key-a}}\n\
         ProviderSecret ns/p: {{provider: OpenAi, clientCredentials: Forward, models: [{}]}}\n",
        models.join(",")
    );
    for n in 0..1_000 {
        yaml += &format!(
            "LlmRoute ns/r{n}: {{clients: [{{name: a, keyRef: {{name: clients, key: a}}}}], \
             rules: [{{targets: [{{provider: {{name: p}}}}]}}]}}\n"
        );
    }
    let compiled = compile(&world(&yaml));
    assert_eq!(compiled.table.models.len(), 10_000);
    assert_eq!(compiled.table.candidates.iter().count(), 1_000);
}
