use std::rc::Rc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::api::ApiResource;

use super::events::news;
use super::judge::{self, Before};
use super::message;
use super::plan::{Age, Plan};
use super::tally::{Pods, Tallies, Tally};
use crate::api::{LlmRoute, LlmRouteSpec, LlmRouteStatus, SidecarsStatus};
use crate::compile::{Fault, ObjectId, ResourceKind, Severity, Subject};
use crate::controller::snapshot::{RouteVerdict, Snapshot, Undecodable};

fn at(text: &str) -> Time {
    Time(text.parse().unwrap())
}

fn fault(severity: Severity, subject: Subject) -> Fault {
    Fault {
        object: ObjectId {
            kind: ResourceKind::LlmRoute,
            namespace: "team".to_owned(),
            name: "chat".to_owned(),
        },
        path: "spec.rules[0]".to_owned(),
        severity,
        subject,
        message: format!("{subject:?} is wrong"),
        remedy: "mend it".to_owned(),
    }
}

fn tally(total: u32, programmed: u32, held: u32, rejected: u32) -> Tally {
    let pods = |count| Pods { count, first: "team/pod-1".to_owned() };
    let why = "too new".to_owned();
    Tally { total, programmed, held: pods(held), rejected: pods(rejected), why }
}

fn judged(faults: &[Fault], tally: &Tally, before: &[Condition], now: &str) -> LlmRouteStatus {
    let now = at(now);
    judge::route(faults, tally, Before { conditions: before, generation: Some(4), now: &now })
}

const NOON: &str = "2026-01-01T12:00:00Z";
const LATER: &str = "2026-01-01T13:00:00Z";

/// `Type=Status/Reason` of each.
fn short(conditions: &[Condition]) -> String {
    let short = |c: &Condition| format!("{}={}/{}", c.type_, c.status, c.reason);
    conditions.iter().map(short).collect::<Vec<_>>().join(" ")
}

#[test]
fn reasons_follow_from_what_faults_are_about() {
    use Severity::{Error, Note, Warning};
    use Subject::{Dependency, Grant, Key, Provider, Shadow, Spec};
    for (faults, accepted, resolved) in [
        (&[][..], "True/Accepted", "True/ResolvedRefs"),
        (&[(Note, Spec)], "True/Accepted", "True/ResolvedRefs"),
        (&[(Warning, Spec)], "True/Accepted", "True/ResolvedRefs"),
        (&[(Warning, Shadow)], "True/Shadowed", "True/ResolvedRefs"),
        (&[(Warning, Shadow), (Error, Spec)], "False/Invalid", "True/ResolvedRefs"),
        (&[(Error, Provider)], "True/Accepted", "False/ProviderNotFound"),
        (&[(Error, Grant)], "True/Accepted", "False/RefNotPermitted"),
        (&[(Error, Dependency)], "True/Accepted", "False/ProviderNotUsable"),
        (&[(Error, Key)], "True/Accepted", "False/KeyNotUsable"),
        (&[(Error, Key), (Error, Provider)], "True/Accepted", "False/ProviderNotFound"),
        (&[(Error, Spec), (Error, Grant)], "False/Invalid", "False/RefNotPermitted"),
    ] {
        let faults: Vec<Fault> = faults.iter().map(|(s, about)| fault(*s, *about)).collect();
        let status = judged(&faults, &tally(1, 1, 0, 0), &[], NOON);
        let expected =
            format!("Accepted={accepted} ResolvedRefs={resolved} Programmed=True/Programmed");
        assert_eq!(short(&status.conditions), expected);
    }
}

#[test]
fn programmed_is_what_every_sidecar_answered() {
    for (tally, expected, ready) in [
        (tally(0, 0, 0, 0), "False/NoSidecars", "0/0"),
        (tally(3, 3, 0, 0), "True/Programmed", "3/3"),
        (tally(3, 2, 0, 0), "False/Pending", "2/3"),
        (tally(3, 1, 1, 0), "False/LastGoodKept", "1/3"),
        (tally(3, 1, 1, 1), "False/Rejected", "1/3"),
    ] {
        let status = judged(&[], &tally, &[], NOON);
        assert!(
            short(&status.conditions).ends_with(&format!("Programmed={expected}")),
            "{tally:?}"
        );
        assert_eq!(status.sidecars.unwrap().ready, ready);
    }
    let status = judged(&[], &tally(3, 2, 0, 1), &[], NOON);
    let message = &status.conditions[2].message;
    assert!(message.contains("team/pod-1: too new. Remedy: restart the pod"), "{message}");
}

#[test]
fn dates_change_with_the_status_alone() {
    let first = judged(&[], &tally(1, 1, 0, 0), &[], NOON);
    let spoilt = [fault(Severity::Error, Subject::Key)];
    let second = judged(&spoilt, &tally(1, 0, 0, 0), &first.conditions, LATER);
    let dates = |status: &LlmRouteStatus| -> Vec<Time> {
        status.conditions.iter().map(|c| c.last_transition_time.clone()).collect()
    };
    assert_eq!(dates(&first), [at(NOON), at(NOON), at(NOON)]);
    assert_eq!(dates(&second), [at(NOON), at(LATER), at(LATER)]);
    // Another reason, the same status.
    let third = judged(&spoilt, &tally(1, 0, 1, 0), &second.conditions, "2026-01-01T14:00:00Z");
    assert_eq!(dates(&third), dates(&second));
    assert!(third.conditions.iter().all(|condition| condition.observed_generation == Some(4)));
}

#[test]
fn summaries_say_what_matters_most() {
    for (faults, tally, expected) in [
        (vec![], tally(2, 2, 0, 0), "2 of 2 sidecars run it"),
        (
            vec![fault(Severity::Error, Subject::Key)],
            tally(0, 0, 0, 0),
            "KeyNotUsable: spec.rules[0]: Key is wrong",
        ),
        (
            vec![fault(Severity::Warning, Subject::Shadow)],
            tally(1, 1, 0, 0),
            "Shadowed: spec.rules[0]: Shadow is wrong",
        ),
        (vec![], tally(0, 0, 0, 0), "NoSidecars: no sidecar that the route selects is connected"),
    ] {
        assert_eq!(judged(&faults, &tally, &[], NOON).summary.as_deref(), Some(expected));
    }
    let now = at(NOON);
    let before = Before { conditions: &[], generation: None, now: &now };
    assert_eq!(judge::provider(&[], 1, before).summary.as_deref(), Some("1 route names it"));
}

#[test]
fn messages_have_bounds() {
    let mut long = fault(Severity::Error, Subject::Spec);
    long.message = "ü\n".repeat(100_000);
    let faults = vec![long; 1000];
    let status = judged(&faults, &tally(1, 1, 0, 0), &[], NOON);
    let message = &status.conditions[0].message;
    assert!(message.len() <= 32 << 10, "{}", message.len());
    assert_eq!(message.lines().count(), 9);
    assert!(message.ends_with("\nand 992 more"));
    for line in message.lines().take(8) {
        assert_eq!(message::parse(line).1, Some("mend it"));
    }
    assert!(status.summary.unwrap().len() <= 256);
}

#[test]
fn cutting_keeps_characters_whole() {
    for (text, most, expected) in [
        ("abc", 3, "abc"),
        ("abcdef", 5, "ab…"),
        ("üüü", 6, "üüü"),
        ("üüü", 5, "ü…"),
        ("a\u{1b}b", 20, "a\\u{1b}b"),
        ("", 0, ""),
    ] {
        assert_eq!(message::cut(text, most), expected);
    }
}

#[test]
fn a_change_of_reason_is_news_once() {
    let fine = judged(&[], &tally(1, 1, 0, 0), &[], NOON).conditions;
    let bad = [fault(Severity::Error, Subject::Key)];
    let bad = judged(&bad, &tally(1, 0, 0, 1), &fine, NOON).conditions;
    assert_eq!(news(&fine, &bad).len(), 2, "the key, and the sidecar");
    assert_eq!(news(&[], &bad).len(), 2);
    assert_eq!(news(&bad, &bad), []);
    assert_eq!(news(&bad, &fine), []);
    let waiting = judged(&[], &tally(0, 0, 0, 0), &fine, NOON).conditions;
    assert_eq!(news(&fine, &waiting), [], "pods come and go");
}

// === the plan ===

fn route(version: &str, status: Option<LlmRouteStatus>) -> Rc<LlmRoute> {
    let mut route =
        LlmRoute::new("chat", LlmRouteSpec { workloads: None, clients: vec![], rules: vec![] });
    route.metadata.namespace = Some("team".to_owned());
    route.metadata.resource_version = Some(version.to_owned());
    route.metadata.uid = Some("u1".to_owned());
    route.metadata.generation = Some(4);
    route.status = status;
    Rc::new(route)
}

fn snapshot(objects: &[Rc<LlmRoute>]) -> Snapshot {
    let verdict =
        |object: &Rc<LlmRoute>| RouteVerdict { object: Rc::clone(object), faults: vec![] };
    Snapshot { routes: objects.iter().map(verdict).collect(), ..Snapshot::default() }
}

fn running(count: u32) -> Tallies {
    let key = ("team".to_owned(), "chat".to_owned());
    [(key, tally(count, count, 0, 0))].into()
}

#[test]
fn what_is_said_already_is_not_written() {
    let mut plan = Plan::default();
    plan.renew(&snapshot(&[route("1", None)]), &running(1), Age::Settled);
    let write = plan.next().unwrap();
    let body = write.body(&ApiResource::erase::<LlmRoute>(&()));
    let status: LlmRouteStatus = serde_json::from_value(body["status"].clone()).unwrap();
    assert_eq!((&body["kind"], &body["metadata"]["name"]), (&"LlmRoute".into(), &"chat".into()));
    assert_eq!(status.sidecars, Some(SidecarsStatus::of(1, 1)));
    plan.written(write);
    // The snapshot does not show it yet.
    plan.renew(&snapshot(&[route("1", None)]), &running(1), Age::Settled);
    assert!(plan.is_empty());
    // Now it does; also to a replica that has not written it, in whatever order.
    let mut shown = status.clone();
    shown.conditions.reverse();
    let foreign = Condition { type_: "Audited".to_owned(), ..shown.conditions[0].clone() };
    shown.conditions.insert(1, foreign);
    for mut plan in [plan, Plan::default()] {
        plan.renew(&snapshot(&[route("2", Some(shown.clone()))]), &running(1), Age::Settled);
        assert!(plan.is_empty());
        plan.renew(&snapshot(&[route("2", Some(shown.clone()))]), &running(2), Age::Settled);
        assert_eq!(plan.len(), 1);
    }
}

/// A controller that has just started has no sidecars yet: that is no news.
#[test]
fn sidecars_have_time_to_come_back() {
    let mut plan = Plan::default();
    plan.renew(&snapshot(&[route("1", None)]), &running(3), Age::Young);
    let body = plan.next().unwrap().body(&ApiResource::erase::<LlmRoute>(&()));
    let told: LlmRouteStatus = serde_json::from_value(body["status"].clone()).unwrap();
    let told = || snapshot(&[route("2", Some(told.clone()))]);
    for (count, age, expected) in
        [(0, Age::Young, 0), (2, Age::Young, 0), (4, Age::Young, 1), (0, Age::Settled, 1)]
    {
        let mut plan = Plan::default();
        plan.renew(&told(), &running(count), age);
        assert_eq!(plan.len(), expected, "{count} {age:?}");
    }
    let mut edited = (*told().routes[0].object).clone();
    edited.metadata.generation = Some(5);
    let mut plan = Plan::default();
    plan.renew(&snapshot(&[Rc::new(edited)]), &running(0), Age::Young);
    assert_eq!(plan.len(), 1, "an edit is answered at once");
}

#[test]
fn many_changes_are_one_wish() {
    let mut plan = Plan::default();
    for count in 0..1000 {
        plan.renew(&snapshot(&[route("1", None)]), &running(count), Age::Settled);
    }
    assert_eq!(plan.len(), 1);
    let body = plan.next().unwrap().body(&ApiResource::erase::<LlmRoute>(&()));
    assert_eq!(body["status"]["sidecars"]["ready"], "999/999");
    // What is gone is not wished for.
    plan.renew(&snapshot(&[route("1", None)]), &running(1), Age::Settled);
    plan.renew(&snapshot(&[]), &running(1), Age::Settled);
    assert!(plan.is_empty());
}

#[test]
fn objects_take_turns() {
    let named = |name: &str| {
        let mut object = (*route("1", None)).clone();
        object.metadata.name = Some(name.to_owned());
        Rc::new(object)
    };
    let mut plan = Plan::default();
    let mut turns = Vec::new();
    for _ in 0..4 {
        // Nothing is ever done: every object is wished for again.
        plan.renew(&snapshot(&["a", "b", "c"].map(named)), &running(1), Age::Settled);
        turns.push(plan.next().unwrap().subject.id.name);
    }
    assert_eq!(turns, ["a", "b", "c", "a"]);
}

#[test]
fn what_cannot_be_read_is_looked_at_before_it_is_written() {
    let object = || Undecodable {
        kind: ResourceKind::ProviderSecret,
        id: ("team".to_owned(), "odd".to_owned()),
        generation: Some(2),
        message: "spec.provider is not the kind of value that the field takes".to_owned(),
    };
    let snapshot = Snapshot { undecodable: vec![object()], ..Snapshot::default() };
    let mut plan = Plan::default();
    plan.renew(&snapshot, &running(0), Age::Settled);
    let mut write = plan.next().unwrap();
    assert!(write.is_blind());
    let resource = ApiResource::erase::<crate::api::ProviderSecret>(&());
    let says = |status| {
        let mut found = kube::api::DynamicObject::new("odd", &resource);
        found.data = serde_json::json!({"spec": {"provider": 7}, "status": status});
        found
    };
    assert!(write.compare_with(&says(serde_json::Value::Null)));
    let mut before = write.body(&resource)["status"].clone();
    assert_eq!(before["conditions"][0]["reason"], "Undecodable");
    before["conditions"][0]["lastTransitionTime"] = NOON.into();
    assert!(!write.compare_with(&says(before)), "another leader has said it");
    assert!(write.news.is_empty());
    plan.written(write);
    plan.renew(&snapshot, &running(0), Age::Settled);
    assert!(plan.is_empty());
}
