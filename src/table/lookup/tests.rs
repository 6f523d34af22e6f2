use http::HeaderValue;

use super::*;
use crate::name::ObjectRef;
use crate::table::Action;

/// `model [Api] [header[=value]]…`, each of a route named after its place: `r00`, `r01`, …
fn index(matches: &[&str]) -> Index {
    let guarded = matches.iter().map(|text| (*text, "")).collect::<Vec<_>>();
    guarded_index(&guarded)
}

/// The same with the route's client keys, separated by spaces.
fn guarded_index(matches: &[(&str, &str)]) -> Index {
    let candidates = matches.iter().enumerate();
    // Put in from the last to the first: the order must not depend on it.
    Index::new(candidates.rev().map(|(at, (text, keys))| candidate(at, text, keys)).collect())
}

fn candidate(at: usize, text: &str, keys: &str) -> Candidate {
    let mut words = text.split(' ');
    let mut candidate = Candidate {
        model: model(words.next().unwrap()),
        api: None,
        headers: Vec::new(),
        rule: rule(&format!("r{at:02}"), keys),
        created: 0,
        rule_index: 0,
        index: 0,
    };
    for word in words {
        match Api::ALL.into_iter().find(|api| api.as_str() == word) {
            Some(api) => candidate.api = Some(api),
            None => candidate.headers.push(header(word)),
        }
    }
    candidate
}

fn model(text: &str) -> ModelMatch {
    match (text.strip_suffix('*'), text.strip_prefix('*')) {
        _ if text == "*" => ModelMatch::Any,
        (Some(prefix), _) => ModelMatch::Prefix(prefix.into()),
        (_, Some(suffix)) => ModelMatch::Suffix(suffix.into()),
        _ => ModelMatch::Exact(text.into()),
    }
}

fn header(text: &str) -> HeaderMatch {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    HeaderMatch {
        name: name.parse().unwrap(),
        value: (!value.is_empty()).then(|| value.as_bytes().into()),
    }
}

fn rule(name: &str, keys: &str) -> Arc<Rule> {
    let digest = |key: &str| (Arc::from(key), Digest::of(key.as_bytes()));
    let keys: Vec<_> = keys.split_whitespace().map(digest).collect();
    Arc::new(Rule {
        route: ObjectRef { namespace: "ns".parse().unwrap(), name: name.parse().unwrap() },
        name: "rule".into(),
        clients: (!keys.is_empty()).then(|| Arc::new(Clients { keys })),
        action: Action::Refuse(String::new()),
    })
}

/// A call, written like a match (`-` is no model), with the keys that it presents; who takes it.
#[track_caller]
fn check(index: &Index, call: &str, keys: &str, expected: &str) {
    let call = candidate(0, call, "");
    let mut headers = HeaderMap::new();
    for header in call.headers {
        let value = header.value.unwrap_or_default();
        headers.append(header.name, HeaderValue::from_bytes(&value).unwrap());
    }
    let credentials: Vec<_> =
        keys.split_whitespace().map(|key| Digest::of(key.as_bytes())).collect();
    let model = match &call.model {
        ModelMatch::Exact(name) if &**name == "-" => None,
        ModelMatch::Exact(name) => Some(&**name),
        other => panic!("not a call: {other:?}"),
    };
    let facts = Facts {
        api: call.api.unwrap_or(Api::OpenAiChat),
        model,
        headers: &headers,
        credentials: &credentials,
    };
    let found = match index.lookup(&facts) {
        Match::Rule { rule, client: None } => rule.route.name.to_string(),
        Match::Rule { rule, client: Some(client) } => format!("{} as {client}", rule.route.name),
        Match::Unauthorized(rule) => format!("401 {}", rule.route.name),
        Match::None => "none".to_owned(),
    };
    assert_eq!(found, expected);
    // What `explain` says cannot differ: the winner of a walk over all candidates.
    let walked = index.iter().find(|c| c.check(&facts).is_ok());
    if !index.has_clients() {
        let walked = walked.map_or("none".to_owned(), |c| c.rule.route.name.to_string());
        assert_eq!(walked, expected);
    }
}

#[test]
fn the_narrower_model_wins() {
    let index = index(&["*", "*-mini", "*o-mini", "gpt-*", "gpt-4*", "gpt-4o-mini", "claude-*"]);
    check(&index, "gpt-4o-mini", "", "r05");
    check(&index, "gpt-4o", "", "r04");
    check(&index, "gpt-3", "", "r03");
    check(&index, "gpt-3-mini", "", "r03");
    check(&index, "o-mini", "", "r02");
    check(&index, "x-mini", "", "r01");
    check(&index, "claude-", "", "r06");
    check(&index, "other", "", "r00");
    check(&index, "-", "", "r00");
}

#[test]
fn then_the_api_then_the_headers() {
    let index =
        index(&["m", "m OpenAi", "m OpenAiChat", "m x-a x-b", "m OpenAi x-a=1", "* Gemini"]);
    check(&index, "m OpenAiChat", "", "r02");
    check(&index, "m OpenAiChat x-a=1", "", "r02");
    check(&index, "m OpenAiEmbeddings", "", "r01");
    check(&index, "m OpenAiEmbeddings x-a=1", "", "r04");
    check(&index, "m OpenAiEmbeddings x-a=2 x-a=1", "", "r04");
    check(&index, "m OpenAi", "", "r01");
    check(&index, "m AnthropicMessages", "", "r00");
    check(&index, "m AnthropicMessages x-a=2 x-b=1", "", "r03");
    check(&index, "m AnthropicMessages x-a=2", "", "r00");
    check(&index, "- Gemini", "", "r05");
    check(&index, "- OpenAi", "", "none");
}

#[test]
fn then_age_name_and_place() {
    let at = |name: &str, created, rule_index, index| Candidate {
        rule: rule(name, ""),
        created,
        rule_index,
        index,
        ..candidate(0, "m", "")
    };
    let index = Index::new(vec![
        at("c", i128::MAX, 0, 0),
        at("a", 2, 0, 0),
        at("b", 1, 1, 0),
        at("b", 1, 0, 1),
        at("b", 1, 0, 0),
        at("a", 1, 9, 0),
    ]);
    let order = index.iter().map(|c| {
        let name = c.rule.route.name.to_string();
        format!("{name}{}{}", c.rule_index, c.index)
    });
    assert_eq!(order.collect::<Vec<_>>(), ["a90", "b00", "b01", "b10", "a00", "c00"]);
}

#[test]
fn a_length_inside_a_character_matches_nothing() {
    let index = index(&["a*", "*b", "ab*"]);
    check(&index, "\u{e9}", "", "none");
    check(&index, "a\u{e9}", "", "r00");
    check(&index, "\u{e9}b", "", "r01");
}

#[test]
fn a_guarded_route_takes_only_its_keys() {
    let index = guarded_index(&[("m", "k1 k2"), ("m*", ""), ("*", "k3"), ("n", "")]);
    assert!(index.has_clients());
    check(&index, "m", "k2", "r00 as k2");
    check(&index, "m", "x k1 y", "r00 as k1");
    // No open, wider route catches the call, but a wider one whose key is there does.
    check(&index, "m", "", "401 r00");
    check(&index, "m", "x", "401 r00");
    check(&index, "m", "k3", "r02 as k3");
    // An open route that comes first takes the call whatever is presented.
    check(&index, "mm", "k3", "r01");
    check(&index, "n", "", "r03");
    check(&index, "z", "k1", "401 r02");
}

#[test]
fn a_guarded_route_that_does_not_match_guards_nothing() {
    let index = guarded_index(&[("m Gemini", "k1"), ("m x-a", "k1"), ("m", "")]);
    check(&index, "m OpenAi", "", "r02");
    check(&index, "m OpenAi x-a=1", "", "401 r01");
    check(&index, "m Gemini", "", "401 r00");
}

#[test]
fn a_thousand_routes_are_a_few_looks() {
    let names: Vec<_> = (0..1000).map(|n| format!("model-{n:04}-*")).collect();
    let index = index(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(index.prefixes.len(), 1);
    assert_eq!(index.matching(Some("model-0999-x")).count(), 1);
    check(&index, "model-0999-x", "", "r999");
}
