//! What the objects say of a route that runs, and of one that does not.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, PostParams};
use pillion::api::LlmRoute;

use super::live::named;
use super::route_to;
use super::stage::Stage;
use crate::support::yaml::{all_to, key, provider};

/// The cells of a table that kubectl prints, by the first column's end.
fn row<'t>(table: &'t str, name: &str) -> Vec<&'t str> {
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut found = rows.filter(|cells| cells.first().is_some_and(|cell| cell.ends_with(name)));
    found.next().unwrap_or_else(|| panic!("no {name}: {table}"))
}

#[test]
fn status_says_what_runs_where() {
    let stage = Stage::new();
    let upstream = named("first");
    stage.apply(&(provider("first", &upstream.url(), "") + &all_to("first")));
    let _controller = stage.controller("one");
    stage.until_said("everything", "Programmed", "NoSidecars");
    let here = ["-n", &stage.namespace];
    assert_eq!(stage.status(&here).0, Some(1));

    let _one = stage.sidecar(&stage.pod("one", &[]));
    let route = stage.until_said("everything", "Programmed", "Programmed");
    assert_eq!(route.status.unwrap().sidecars.unwrap().ready, "1/1");
    stage.until_said("everything", "Accepted", "Accepted");
    stage.until_said("everything", "ResolvedRefs", "ResolvedRefs");
    let objects = "llmroutes,providersecrets";
    let table = stage.kubectl(&["get", objects, "--namespace", &stage.namespace]);
    assert_eq!(row(&table, "/everything")[1..5], ["True", "True", "True", "1/1"], "{table}");
    assert_eq!(row(&table, "/first")[1..5], ["Custom", "True", "True", "1"], "{table}");
    let (code, told) = stage.status(&here);
    assert_eq!(code, Some(0), "{told}");

    let _two = stage.sidecar(&stage.pod("two", &[]));
    stage.until_ready("everything", "2/2");

    stage.delete::<Secret>("first");
    stage.until_said("everything", "ResolvedRefs", "KeyNotUsable");
    let (code, told) = stage.status(&here);
    assert_eq!(code, Some(1), "{told}");
    let wide = stage.kubectl(&["get", objects, "--namespace", &stage.namespace, "-o", "wide"]);
    assert!(wide.contains("KeyNotUsable"), "{wide}");
    stage.secret("first", "api-key", &key("first"));
    stage.until_said("everything", "ResolvedRefs", "ResolvedRefs");
    stage.apply(&route_to("later", "first", ""));
    stage.until_said("later", "Accepted", "Shadowed");
}

/// Sooner than the controller could see that it was gone.
#[test]
fn what_takes_the_place_of_a_namesake_has_a_status_too() {
    let stage = Stage::new();
    let upstream = named("first");
    stage.apply(&(provider("first", &upstream.url(), "") + &all_to("first")));
    let _controller = stage.controller("one");
    for _ in 0..4 {
        let there = stage.until_said("everything", "Programmed", "NoSidecars");
        let routes = stage.api::<LlmRoute>();
        let again = LlmRoute::new("everything", there.spec);
        stage.block_on(async {
            routes.delete("everything", &DeleteParams::default()).await.unwrap();
            routes.create(&PostParams::default(), &again).await.unwrap();
        });
    }
    stage.until_said("everything", "Programmed", "NoSidecars");
}
