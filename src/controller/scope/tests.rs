use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::secret::Secret;

/// Names in a small world: many collide, as they must for a leak to show.
fn few() -> impl Strategy<Value = String> {
    (0..3u8).prop_map(|n| format!("n{n}"))
}

fn route() -> impl Strategy<Value = LlmRoute> {
    let provider = (few(), few());
    let client = (few(), few());
    (vec(provider, 0..3), vec(client, 0..3), proptest::option::of(few())).prop_map(
        |(providers, clients, app)| {
            let targets: Vec<_> = providers
                .iter()
                .map(
                    |(namespace, name)| json!({"provider": {"namespace": namespace, "name": name}}),
                )
                .collect();
            let clients: Vec<_> = clients
                .iter()
                .map(|(name, key)| json!({"name": "c", "keyRef": {"name": name, "key": key}}))
                .collect();
            let mut spec = json!({"rules": [{"targets": targets}], "clients": clients});
            if let Some(app) = app {
                spec["workloads"] = json!({"podSelector": {"matchLabels": {"app": app}}});
            }
            LlmRoute::new("r", serde_json::from_value(spec).unwrap())
        },
    )
}

fn provider() -> impl Strategy<Value = ProviderSecret> {
    let from = prop_oneof![
        Just(json!({})),
        Just(json!({"from": "All"})),
        few().prop_map(|team| {
            json!({"from": "Selector", "selector": {"matchLabels": {"team": team}}})
        }),
    ];
    (vec((few(), few()), 0..3), from).prop_map(|(keys, from)| {
        let keys: Vec<_> = keys
            .iter()
            .map(|(name, key)| json!({"name": "k", "secretRef": {"name": name, "key": key}}))
            .collect();
        let spec = json!({
            "provider": "Anthropic", "keys": keys, "allowedRoutes": {"namespaces": from},
        });
        ProviderSecret::new("p", serde_json::from_value(spec).unwrap())
    })
}

/// Every key of every Secret of every namespace.
fn all_secrets() -> BTreeMap<Id, Rc<Keys>> {
    let names = || (0..3).map(|n| format!("n{n}"));
    let keys = || Rc::new(names().map(|name| (name, Secret::new(b"sk"))).collect::<Keys>());
    names().flat_map(|ns| names().map(move |name| ((ns.clone(), name), keys()))).collect()
}

/// What a pod may know, said in other words than the code's: `NAMESPACE/SECRET/KEY`.
fn allowed(
    routes: &[LlmRoute],
    providers: &BTreeMap<Id, Rc<ProviderSecret>>,
    (app, team): (&str, &str),
) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for route in routes {
        let spec = serde_json::to_value(&route.spec).unwrap();
        let wanted = &spec["workloads"]["podSelector"]["matchLabels"]["app"];
        if !wanted.is_null() && wanted != app {
            continue;
        }
        for client in spec["clients"].as_array().into_iter().flatten() {
            allowed.insert(shown("n0", &client["keyRef"]));
        }
        for target in spec["rules"][0]["targets"].as_array().unwrap() {
            let text = |field: &str| target["provider"][field].as_str().unwrap().to_owned();
            let id = (text("namespace"), text("name"));
            let Some(provider) = providers.get(&id) else { continue };
            let spec = serde_json::to_value(&provider.spec).unwrap();
            let grant = &spec["allowedRoutes"]["namespaces"];
            let granted = id.0 == "n0"
                || grant["from"] == "All"
                || grant["from"] == "Selector" && grant["selector"]["matchLabels"]["team"] == team;
            for key in spec["keys"].as_array().into_iter().flatten().filter(|_| granted) {
                allowed.insert(shown(&id.0, &key["secretRef"]));
            }
        }
    }
    allowed
}

fn shown(namespace: &str, selector: &serde_json::Value) -> String {
    let text = |field: &str| selector[field].as_str().unwrap().to_owned();
    format!("{namespace}/{}/{}", text("name"), text("key"))
}

proptest! {
    /// The surroundings hold every key that there is, so that nothing but the scope keeps one from
    /// a pod.
    #[test]
    fn a_pod_gets_exactly_the_keys_that_its_routes_lead_to(
        routes in vec(route(), 0..5),
        providers in proptest::collection::btree_map((few(), few()), provider(), 0..9),
        app in few(),
        team in few(),
    ) {
        let providers: BTreeMap<Id, Rc<ProviderSecret>> = providers
            .into_iter()
            .map(|(id, mut provider)| {
                provider.metadata.namespace = Some(id.0.clone());
                provider.metadata.name = Some(id.1.clone());
                (id, Rc::new(provider))
            })
            .collect();
        let allowed = allowed(&routes, &providers, (&app, &team));
        let named = |(n, mut route): (usize, LlmRoute)| {
            route.metadata.name = Some(format!("r{n}"));
            route
        };
        let routes: Vec<LlmRoute> = routes.into_iter().enumerate().map(named).collect();
        let surroundings = Surroundings {
            namespace: "n0".to_owned(),
            facts: Some(Rc::new(NamespaceFacts {
                labels: Labels::from([("team".to_owned(), team)]),
            })),
            providers,
            secrets: all_secrets(),
        };
        let labels = Labels::from([("app".to_owned(), app)]);
        let selectors = Selectors::of(&routes);
        let selected = selectors.select(&labels);
        let is_selected = |route: &&LlmRoute| selected.contains(&&*route.name_any());
        let world = world(routes.iter().filter(is_selected), &surroundings);
        let got: BTreeSet<String> = world
            .secrets
            .iter()
            .flat_map(|((ns, name), keys)| keys.keys().map(move |k| format!("{ns}/{name}/{k}")))
            .collect();
        prop_assert_eq!(got, allowed);
        prop_assert!(world.namespaces.keys().all(|namespace| namespace == "n0"));
    }
}

#[test]
fn an_unreadable_selector_selects_nobody() {
    let mut route = LlmRoute::new("r", serde_json::from_value(json!({"rules": []})).unwrap());
    let expression = json!({"matchExpressions": [{"key": "app", "operator": "In"}]});
    let pod_selector: LabelSelector = serde_json::from_value(expression).unwrap();
    route.spec.workloads = Some(crate::api::Workloads { pod_selector });
    assert!(Selectors::of(&[route]).select(&Labels::new()).is_empty());
}
