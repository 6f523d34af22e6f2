//! The roles against what the API server was asked for: everything is allowed, nothing is idle.

use std::collections::BTreeSet;
use std::fs;

use pillion_cluster::documents;
use serde_json::Value;

use super::installation::ACCOUNT;
use super::stage::Stage;

/// What is asked for only when something has gone wrong, or months have passed, or unseen.
const RARE: [&str; 6] = [
    // Of an object that cannot be read otherwise.
    "get pillion.dev/llmroutes",
    "get pillion.dev/providersecrets",
    // Another replica was faster, or the certificate is renewed.
    "get /secrets",
    "update /secrets",
    // Asked of whoever applies what is not there; the log calls it a patch.
    "create /configmaps",
    // The same is to be told once more.
    "patch events.k8s.io/events",
];

/// What the rules allow: `VERB GROUP/RESOURCE`.
fn allowed(rbac: &str) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for role in documents(rbac).unwrap() {
        for rule in role.data["rules"].as_array().into_iter().flatten() {
            let words = |field: &str| -> Vec<String> {
                let all = rule[field].as_array().unwrap().iter();
                all.map(|word| word.as_str().unwrap().to_owned()).collect()
            };
            for (group, resource) in words("apiGroups")
                .iter()
                .flat_map(|group| words("resources").into_iter().map(move |it| (group, it)))
            {
                let verbs = words("verbs").into_iter();
                allowed.extend(verbs.map(|verb| format!("{verb} {group}/{resource}")));
            }
        }
    }
    allowed
}

/// What the controller of a stage with an audit log has asked for, and was refused.
fn asked(stage: &Stage) -> (BTreeSet<String>, Vec<String>) {
    let (mut asked, mut refused) = (BTreeSet::new(), Vec::new());
    let log = fs::read_to_string(stage.cluster().audit_log()).unwrap();
    let account = format!("system:serviceaccount:{}:{ACCOUNT}", stage.system);
    for line in log.lines().filter(|line| line.contains(&account)) {
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        let of = &event["objectRef"];
        let word = |name: &str| of[name].as_str().unwrap_or_default();
        let mut resource = word("resource").to_owned();
        if !word("subresource").is_empty() {
            resource += &format!("/{}", word("subresource"));
        }
        let verb = event["verb"].as_str().unwrap();
        asked.insert(format!("{verb} {}/{resource}", word("apiGroup")));
        if event["responseStatus"]["code"] == 403 {
            refused.push(line.to_owned());
        }
    }
    (asked, refused)
}

/// Nothing was refused, and no rule is there for nothing.
#[track_caller]
pub(super) fn check(stage: &Stage) {
    let asked = nothing_is_refused(stage);
    let mut idle = allowed(&stage.rbac);
    idle.retain(|rule| !asked.contains(rule) && !RARE.contains(&&**rule));
    assert!(idle.is_empty(), "nobody asks for {idle:?}, but for {asked:?}");
}

/// Returns what was asked for.
#[track_caller]
pub(super) fn nothing_is_refused(stage: &Stage) -> BTreeSet<String> {
    let (asked, refused) = asked(stage);
    assert_eq!(refused, Vec::<String>::new());
    asked
}
