//! Reloads: the next call goes by the new table, a call under way by its own, a bad edit by none.

mod load;

use std::thread;
use std::time::Instant;

use crate::support::GUARD;
use crate::support::client::{Answer, Client, request};
use crate::support::dialects::{CHAT, streaming};
use crate::support::gate::Gate;
use crate::support::manifests::Manifests;
use crate::support::metrics::wait_sum;
use crate::support::proxy::{CANARY, Launch, Proxy};
use crate::support::upstream::{LAST_CHUNK, Upstream, chunk, json_answer};
use crate::support::wire::{End, Piece};
use crate::support::yaml::{all_to, bearer, key, provider, route, secret};

/// An upstream that answers with the key that it was sent.
fn telling_the_key() -> Upstream {
    Upstream::replying(|request| {
        let key = request.head.header("authorization").unwrap_or("none");
        // Not the key itself: it must not come out of the proxy.
        json_answer("200 OK", &format!("{:?}", key.replace(CANARY, "CANARY")))
    })
}

fn call(client: &mut Client) -> Answer {
    client.post(CHAT.target, &[], "{\"model\":\"m\"}")
}

/// Calls until `wanted` holds of an answer, which is how one sees that a table runs.
#[track_caller]
fn call_until(proxy: &Proxy, wanted: impl Fn(&Answer) -> bool) -> Answer {
    let (began, mut client) = (Instant::now(), proxy.client());
    loop {
        let answer = call(&mut client);
        if wanted(&answer) {
            return answer;
        }
        assert!(began.elapsed() < GUARD, "never came: {answer:?}");
        thread::yield_now();
    }
}

fn rejected(proxy: &Proxy, count: f64) {
    wait_sum(proxy, "pillion_reloads_total", &[("result", "rejected")], count);
}

fn version(proxy: &Proxy) -> String {
    let metrics = proxy.metrics();
    let mut lines = metrics.lines();
    lines.find(|line| line.starts_with("pillion_table_info{")).unwrap().to_owned()
}

#[test]
fn fault_33_a_call_ends_on_the_table_that_it_began_with() {
    let gate = Gate::default();
    let held = gate.clone();
    let old = streaming(CHAT.first, move |connection| {
        held.pass();
        connection.write(chunk(CHAT.last))?;
        connection.write(LAST_CHUNK)
    });
    let new = Upstream::replying(|_| json_answer("200 OK", "{\"new\": true}"));
    let proxy = Proxy::start(&(provider("there", &old.url(), "") + &all_to("there")));
    let mut stream = proxy.client();
    stream.send(request("POST", CHAT.target, &[], CHAT.body)).head();
    assert_eq!(stream.piece(), Piece::Bytes(CHAT.first.into()));

    let changed = provider("there", &new.url(), "") + &all_to("there");
    proxy.manifests.write("all.yaml", &changed);
    // The old provider would hold a call, so calls cannot tell when the new table runs.
    wait_sum(&proxy, "pillion_reloads_total", &[("result", "applied")], 2.0);

    gate.open();
    assert_eq!(stream.piece(), Piece::Bytes(CHAT.last.into()));
    assert_eq!(stream.piece(), Piece::End(End::Whole(Vec::new())));
    // Its connection goes by the new table from now on.
    assert_eq!(call(&mut stream).text(), "{\"new\": true}");
}

#[test]
fn fault_33_a_rule_that_goes_takes_no_more_calls() {
    let upstream = telling_the_key();
    let there = provider("there", &upstream.url(), "");
    let proxy = Proxy::start(&(there.clone() + &all_to("there")));
    assert_eq!(call(&mut proxy.client()).status(), 200);
    let other = "[{ matches: [{ model: other }], targets: [{ provider: { name: there } }] }]";
    proxy.manifests.write("all.yaml", &(there + &route("everything", other)));
    let answer = call_until(&proxy, |answer| answer.status() != 200);
    assert_eq!(answer.head.header("x-pillion-reason"), Some("no_route"));
}

#[test]
fn fault_31_a_rotated_key_is_used_by_the_next_call_and_streams_go_on() {
    let gate = Gate::default();
    let held = gate.clone();
    let upstream = Upstream::start(move |connection| {
        while let Some(request) = connection.request()? {
            let key = request.head.header("authorization").unwrap().replace(CANARY, "CANARY");
            if request.text() != CHAT.body {
                connection.write(json_answer("200 OK", &format!("{key:?}")))?;
                continue;
            }
            connection.write(crate::support::upstream::STREAM_HEAD)?;
            connection.write(chunk(CHAT.first))?;
            held.pass();
            connection.write(chunk(CHAT.last))?;
            connection.write(LAST_CHUNK)?;
        }
        Ok(())
    });
    let routes = provider("there", &upstream.url(), "") + &all_to("there");
    let (old, new) = (key("there"), format!("sk-{CANARY}-rotated"));
    let routes = routes.replace(&secret("there", "api-key", &old), "");
    let manifests = Manifests::new();
    manifests.write("routes.yaml", &routes);
    manifests.write("secret.yaml", &secret("there", "api-key", &old));
    let proxy = Launch::new().start_from(manifests);

    let mut stream = proxy.client();
    stream.send(request("POST", CHAT.target, &[], CHAT.body)).head();
    assert_eq!(stream.piece(), Piece::Bytes(CHAT.first.into()));
    proxy.manifests.write("secret.yaml", &secret("there", "api-key", &new));
    call_until(&proxy, |answer| answer.text().contains("rotated"));
    gate.open();
    assert_eq!(stream.piece(), Piece::Bytes(CHAT.last.into()));
    assert_eq!(stream.piece(), Piece::End(End::Whole(Vec::new())));
    let sent = upstream.requests();
    assert_eq!(sent[0].head.header("authorization"), Some(bearer("there").as_str()));
}

#[test]
fn fault_32_a_deleted_secret_refuses_at_once_and_other_routes_go_on() {
    let upstream = telling_the_key();
    let (here, there) =
        (provider("here", &upstream.url(), ""), provider("there", &upstream.url(), ""));
    let gone = secret("there", "api-key", &key("there"));
    let rules = "[{ matches: [{ model: m }], targets: [{ provider: { name: there } }] }, \
                 { matches: [{ model: other }], targets: [{ provider: { name: here } }] }]";
    let manifests = Manifests::new();
    manifests.write("all.yaml", &(here + &there.replace(&gone, "") + &route("r", rules)));
    manifests.write("secret.yaml", &gone);
    let proxy = Launch::new().start_from(manifests);
    assert_eq!(call(&mut proxy.client()).status(), 200);

    proxy.manifests.remove("secret.yaml");
    let answer = call_until(&proxy, |answer| answer.status() != 200);
    assert_eq!(
        (answer.status(), answer.head.header("x-pillion-reason")),
        (503, Some("unservable"))
    );
    let other = proxy.client().post(CHAT.target, &[], "{\"model\":\"other\"}");
    assert_eq!(other.status(), 200);
    // It is back with its key.
    proxy.manifests.write("secret.yaml", &gone);
    call_until(&proxy, |answer| answer.status() == 200);
}

/// What may be wrong with an edit, and the line that it is wrong on (of a list that nobody closes:
/// the file's end).
const BAD: [(&str, &str, u64); 5] = [
    ("kind: LlmRoute\nmetadata: [", "no YAML", 3),
    (
        "apiVersion: pillion.dev/v1alpha1\nkind: LlmRoute\nmetadata: { name: bad, namespace: default }\nspec:\n  rulez: []\n",
        "an unknown field",
        5,
    ),
    (
        "apiVersion: pillion.dev/v1alpha1\nkind: LlmRoute\nmetadata: { name: bad, namespace: default }\nspec:\n  rules:\n    - targets:\n        - provider: { name: nowhere }\n",
        "a provider that is not there",
        7,
    ),
    (
        "apiVersion: pillion.dev/v1alpha1\nkind: LlmRoute\nmetadata: { name: bad, namespace: default }\nspec:\n  rules:\n    - targets: [{ provider: { name: there } }]\n      timeouts: { idle: soon }\n",
        "no duration",
        7,
    ),
    (
        "apiVersion: pillion.dev/v1alpha1\nkind: ProviderSecret\nmetadata: { name: bad, namespace: default }\nspec:\n  provider: Custom\n  endpoints:\n    - { api: OpenAi, baseUrl: \"ftp://there\" }\n  auth: { type: None }\n",
        "no URL",
        7,
    ),
];

#[test]
fn fault_34_a_bad_edit_keeps_the_last_good_table_and_says_where() {
    let upstream = telling_the_key();
    let good = provider("there", &upstream.url(), "") + &all_to("there");
    let proxy = Proxy::start(&good);
    let before = version(&proxy);
    for (index, (bad, what, line)) in BAD.into_iter().enumerate() {
        let name = format!("bad-{index}.yaml");
        proxy.manifests.write(&name, bad);
        rejected(&proxy, index as f64 + 1.0);
        let place = format!("{name}:{line}");
        proxy.wait_log(|logged| {
            let told = logged["place"].as_str().unwrap_or_default();
            logged["level"] == "ERROR" && told.contains(&place)
        });
        assert_eq!(call(&mut proxy.client()).status(), 200, "{what}");
        assert_eq!(version(&proxy), before, "{what}");
        // Taken back, nothing is left of it; and what runs is still the same.
        proxy.manifests.remove(&name);
        let unchanged = index as f64 + 1.0;
        wait_sum(&proxy, "pillion_reloads_total", &[("result", "unchanged")], unchanged);
        wait_sum(&proxy, "pillion_manifest_faults", &[("severity", "error")], 0.0);
    }
    assert_eq!(proxy.page("/readyz").0, 200);
}

#[test]
fn fault_34_a_good_edit_beside_a_bad_one_waits_until_all_is_good() {
    let (first, second) = (telling_the_key(), Upstream::replying(|_| json_answer("200 OK", "2")));
    let proxy = Proxy::start(&(provider("there", &first.url(), "") + &all_to("there")));
    proxy.manifests.write("bad.yaml", BAD[0].0);
    rejected(&proxy, 1.0);
    let moved = provider("there", &second.url(), "") + &all_to("there");
    proxy.manifests.write("all.yaml", &moved);
    rejected(&proxy, 2.0);
    assert_ne!(call(&mut proxy.client()).text(), "2");
    proxy.manifests.remove("bad.yaml");
    call_until(&proxy, |answer| answer.text() == "2");
}

#[test]
fn fault_41_a_proxy_without_a_table_refuses_at_once_and_comes_up_by_itself() {
    let upstream = telling_the_key();
    let manifests = Manifests::new();
    manifests.write("all.yaml", BAD[0].0);
    let proxy = Launch::new().without_waiting().start_from(manifests);
    assert_eq!((proxy.page("/readyz").0, proxy.page("/livez").0), (503, 200));
    let answer = call(&mut proxy.client());
    assert_eq!((answer.status(), answer.head.header("x-pillion-reason")), (503, Some("not_ready")));
    assert!(answer.head.header("retry-after").is_some());
    proxy.manifests.write("all.yaml", &(provider("there", &upstream.url(), "") + &all_to("there")));
    proxy.wait_ready();
    assert_eq!(call(&mut proxy.client()).status(), 200);
}

#[test]
fn a_mounted_config_map_is_swapped_as_a_whole() {
    let answers = ["\"one\"", "\"two\"", "\"three\""];
    let upstreams = answers.map(|text| Upstream::replying(move |_| json_answer("200 OK", text)));
    let manifests = Manifests::new();
    let mount = |manifests: &Manifests, index: usize| {
        let there = provider("there", &upstreams[index].url(), "");
        let files = [("provider.yaml", there.as_str()), ("route.yaml", &all_to("there"))];
        manifests.mount(&format!("generation-{index}"), &files);
    };
    mount(&manifests, 0);
    let proxy = Launch::new().start_from(manifests);
    assert_eq!(call(&mut proxy.client()).text(), answers[0]);
    for (index, expected) in answers.into_iter().enumerate().skip(1) {
        mount(&proxy.manifests, index);
        call_until(&proxy, |answer| answer.text() == expected);
    }
    assert!(!proxy.metrics().contains("pillion_reloads_total{result=\"rejected\"}"));
}
